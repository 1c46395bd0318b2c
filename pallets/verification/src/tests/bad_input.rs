//! Reports of bad input by auditors and referees.

use crate::{mock::*, types::*, Call, Checks, Error, Event, Panels, Rules};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_runtime::traits::BadOrigin;
use tequio_primitives::{stage::Stage, tasks::UndecidedReason, AttemptId, Role};

/// Twenty owners.
fn twenty() -> ExtBuilder {
	ExtBuilder::default().accepting(&(1..=20).collect::<Vec<_>>())
}

fn report(number: u8, id: AttemptId, role: Role) -> DispatchResult {
	Verification::report_bad_input(RuntimeOrigin::signed(device(number)), id, role)
}

/// A chunk of the program, of device 1, is audited; the auditor.
fn audited(id: AttemptId) -> u8 {
	assign(id, 1);
	assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
	run_to_due(id);
	auditors(id)[0].unwrap()
}

/// The next auditor that is drawn.
fn next_auditor(id: AttemptId) -> u8 {
	for _ in 0..100 {
		if let Some(number) = auditors(id)[0] {
			return number;
		}
		run_to(now() + 1);
	}
	panic!("nobody is drawn")
}

#[test]
fn an_auditor_without_input_is_replaced_and_not_fined() {
	twenty().build_and_execute(|| {
		let id = run(0);
		let auditor = audited(id);
		assert_ok!(report(auditor, id, Role::Auditor));
		assert_has(Event::BadInputReported { id, role: Role::Auditor, owner: owner(auditor) });
		assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::HandedBack));
		assert_eq!(auditors(id), vec![None]);
		assert_sound();
		let other = next_auditor(id);
		assert_ne!(other, auditor);
		assert_ok!(commit_one(other, id, Role::Auditor, &honest(id)));
		assert_eq!(stage(id), Some(Stage::Revealing));
	});
}

#[test]
fn after_many_reports_the_check_ends_and_nobody_is_slashed() {
	twenty().build_and_execute(|| {
		let id = run(0);
		let mut auditor = audited(id);
		let most = usize::from(Rules::default().max_redraws) + 2;
		for reports in 1..=most {
			assert_ok!(report(auditor, id, Role::Auditor));
			if reports < most {
				auditor = next_auditor(id);
			}
		}
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::NoAuditors)));
		assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
		assert!(!Checks::<Test>::contains_key(id.chunk));
	});
}

#[test]
fn a_referee_without_input_leaves_its_votes_to_nobody() {
	twenty().build_and_execute(|| {
		let id = run(0);
		outputs_differ(id, &output(7), &output(13));
		let [one, other, third]: [u8; 3] = seated(id, 0).try_into().unwrap();
		assert_ok!(report(other, id, referee(0)));
		assert_has(Event::BadInputReported { id, role: referee(0), owner: owner(other) });
		assert_eq!(end_of(other, id, referee(0)), Some(End::HandedBack));
		assert_eq!(referees(id, 0), vec![Some(one), None, Some(third)]);
		assert_sound();
		assert_noop!(commit_one(other, id, referee(0), &output(7)), Error::<Test>::NotAssigned);
		for number in [one, third] {
			assert_ok!(commit_one(number, id, referee(0), &output(7)));
		}
		assert_eq!(stage(id), Some(Stage::PanelReveal), "nobody is waited for");
		for number in [one, third] {
			assert_ok!(reveal_one(number, id, referee(0), &output(7)));
		}
		run_to(now() + 1);
		found(id, 0, &[Standing::Right, Standing::Wrong]);
	});
}

#[test]
fn reveals_open_when_the_last_one_who_has_not_committed_leaves() {
	twenty().build_and_execute(|| {
		let id = run(0);
		outputs_differ(id, &output(7), &output(13));
		let [one, other, third]: [u8; 3] = seated(id, 0).try_into().unwrap();
		for number in [one, third] {
			assert_ok!(commit_one(number, id, referee(0), &output(7)));
		}
		assert_ok!(report(other, id, referee(0)));
		assert_eq!(stage(id), Some(Stage::PanelReveal));
	});
}

#[test]
fn who_keeps_the_input_from_most_has_nothing_found() {
	let rules = Rules { panels: [9, 10, 31, 99], ..Default::default() };
	let owners: Vec<_> = (1..=40).collect();
	ExtBuilder::default().rules(rules).accepting(&owners).build_and_execute(|| {
		let id = run(0);
		with_doubles(|state| state.repeats = true);
		outputs_differ(id, &output(7), &output(13));
		// All but two of those drawn have no input, as soon as they are drawn.
		let mut friends = Vec::new();
		while Panels::<Test>::get(id, 0).unwrap().open() > 0 {
			run_to(now() + 1);
			for number in referees(id, 0).into_iter().flatten() {
				if friends.len() < 2 && !friends.contains(&number) {
					friends.push(number);
				} else if !friends.contains(&number) {
					assert_ok!(report(number, id, referee(0)));
				}
			}
		}
		for number in &friends {
			assert_ok!(commit_one(*number, id, referee(0), &output(13)));
		}
		run_to(now() + 1);
		for number in &friends {
			assert_ok!(reveal_one(*number, id, referee(0), &output(13)));
		}
		run_to(now() + 1);
		found(id, 0, &[Standing::Unclear; 2]);
	});
}

#[test]
fn reports_of_others_or_too_late_are_refused() {
	twenty().build_and_execute(|| {
		let id = run(0);
		assert_noop!(report(1, id, Role::Auditor), Error::<Test>::NotAssigned);
		let auditor = audited(id);
		let stranger = if auditor == 19 { 18 } else { 19 };
		assert_noop!(report(stranger, id, Role::Auditor), Error::<Test>::NotAssigned);
		assert_noop!(report(1, id, Role::Worker), Error::<Test>::NotAssigned);
		assert_noop!(report(auditor, id, referee(0)), Error::<Test>::NotAssigned);
		assert_noop!(report(auditor, id, Role::Appellant { level: 0 }), Error::<Test>::NotAssigned);
		assert_noop!(
			Verification::report_bad_input(RuntimeOrigin::none(), id, Role::Auditor),
			BadOrigin
		);
		run_to(now() + DEADLINE / 4);
		let call = Call::report_bad_input { id, role: Role::Auditor };
		let tags = |number| Verification::free_call_tags(&device(number), &call);
		assert_eq!(tags(auditor).map(|tags| tags.len()), Some(1), "it is free");
		assert_eq!(tags(stranger), None);
		run_to(now() + 1);
		assert_eq!(tags(auditor), None);
		assert_noop!(report(auditor, id, Role::Auditor), Error::<Test>::TooLate);
	});
}

#[test]
fn who_has_committed_had_the_input() {
	twenty().build_and_execute(|| {
		let id = run(0);
		outputs_differ(id, &output(7), &output(13));
		let sitting = seated(id, 0);
		assert_ok!(commit_one(sitting[0], id, referee(0), &output(7)));
		assert_noop!(report(sitting[0], id, referee(0)), Error::<Test>::AlreadyCommitted);
		assert_eq!(Panels::<Test>::get(id, 0).unwrap().places.len(), 3);
	});
}

#[test]
fn a_search_has_all_that_it_needs_on_the_chain() {
	twenty().build_and_execute(|| {
		let id = first();
		let [auditor, _] = audit_begun(id, 1, &honest(id));
		assert_noop!(report(auditor, id, Role::Auditor), Error::<Test>::NoInput);
	});
}
