use crate::{mock::*, opening::fits, types::*, Checks, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use tequio_primitives::{
	claim::Claim,
	opening::{ChunkWork, Comparison, Opening},
	recompute::{Output, OutputOpening},
	search::SearchOpening,
	stage::Stage,
	tasks::{Delivered, UndecidedReason},
	AttemptId, Role, WorkClass,
};

/// Brings a chunk of the program, of device 1, to where its auditor computes; the auditor's number.
fn begun(id: AttemptId) -> u8 {
	assign(id, 1);
	assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
	run_to_due(id);
	let [Some(auditor)] = auditors(id)[..] else { panic!("one auditor sits") };
	auditor
}

/// All the same, and both reveal: the worker what everybody finds, the auditor this.
fn audited(id: AttemptId, found: &Opening) -> u8 {
	let auditor = begun(id);
	assert_ok!(commit_one(auditor, id, Role::Auditor, found));
	assert_ok!(reveal_one(1, id, Role::Worker, &honest(id)));
	assert_ok!(reveal_one(auditor, id, Role::Auditor, found));
	auditor
}

#[test]
fn an_auditor_computes_the_whole_chunk_again() {
	ExtBuilder::default().build_and_execute(|| {
		let id = run(0);
		let auditor = begun(id);
		assert_ne!(auditor, 1);
		assert_has(Event::AuditDrawn { id, sub_range: None });
		let asked = Asked {
			class: WorkClass::ExactF64,
			units: UNITS.into(),
			price: PRICE,
			deadline: DEADLINE,
			collateral: COLLATERAL,
			audit: true,
		};
		assert_eq!(doubles().asked, vec![asked]);
	});
}

#[test]
fn the_same_output_is_accepted_as_the_whole_chunk() {
	ExtBuilder::default().build_and_execute(|| {
		let id = run(0);
		let auditor = audited(id, &honest(id));
		let expected = Told::Accepted {
			delivered: Delivered::Whole(Output::hidden(H256::repeat_byte(7))),
			winners: Default::default(),
			auditors: vec![owner(auditor)],
			audited: true,
		};
		assert_eq!(told(id), Some(expected));
	});
}

#[test]
fn what_is_shown_of_an_output_is_delivered() {
	ExtBuilder::default().build_and_execute(|| {
		let id = run(0);
		let counts = showing(b"counts");
		assign(id, 1);
		assert_ok!(commit_one(1, id, Role::Worker, &counts));
		run_to_due(id);
		let auditor = auditors(id)[0].unwrap();
		assert_ok!(commit_one(auditor, id, Role::Auditor, &counts));
		assert_ok!(reveal_one(1, id, Role::Worker, &counts));
		assert_ok!(reveal_one(auditor, id, Role::Auditor, &counts));
		let Some(Told::Accepted { delivered, .. }) = told(id) else { panic!("it is right") };
		assert_eq!(delivered, Delivered::Whole(Output::of(b"counts")));
	});
}

#[test]
fn who_hides_an_output_that_others_show_has_a_panel_called() {
	ExtBuilder::default().build_and_execute(|| {
		let hidden = Opening::Output(OutputOpening::own(Output::of(b"counts").hash));
		outputs_differ(run(0), &showing(b"counts"), &hidden);
	});
}

#[test]
fn an_output_that_is_not_what_is_shown_cannot_be_revealed() {
	ExtBuilder::default().build_and_execute(|| {
		let id = run(0);
		let output = Output { hash: H256::repeat_byte(7), ..Output::of(b"counts") };
		let unsound = Opening::Output(OutputOpening::showing(output));
		assign(id, 1);
		assert_ok!(commit_one(1, id, Role::Worker, &unsound));
		run_to_due(id);
		let auditor = auditors(id)[0].unwrap();
		assert_ok!(commit_one(auditor, id, Role::Auditor, &unsound));
		for (number, role) in [(1, Role::Worker), (auditor, Role::Auditor)] {
			assert_noop!(reveal_one(number, id, role, &unsound), Error::<Test>::MalformedOpening);
		}
	});
}

#[test]
fn another_output_is_for_a_panel_even_if_it_is_near() {
	ExtBuilder::default().build_and_execute(|| {
		let id = run(0);
		audited(id, &guessed(id));
		assert_eq!(told(id), None);
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Panel, now() + DEADLINE)));
	});
	ExtBuilder::default().accepting(&[1, 2, 3, 4]).build_and_execute(|| {
		let id = run(0);
		audited(id, &guessed(id));
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::Disagreement)));
	});
}

#[test]
fn a_program_has_nothing_to_claim() {
	ExtBuilder::default().build_and_execute(|| {
		let id = run(0);
		assign(id, 1);
		let item = commit_item(1, id, Role::Worker, &honest(id));
		let claiming = CommitItem { claim: nonces(&[1_000]), ..item.clone() };
		assert_noop!(commit(1, vec![claiming]), Error::<Test>::MalformedClaim);
		assert_ok!(commit(1, vec![item]));
		assert_eq!(Checks::<Test>::get(id.chunk).unwrap().claim, Claim::Nothing);
	});
}

#[test]
fn workers_and_auditors_call_nothing_near_and_show_nothing_of_another_class() {
	let wrong = [near(7, &[13]), honest(first())];
	for opening in wrong {
		ExtBuilder::default().build_and_execute(|| {
			let id = run(0);
			assign(id, 1);
			assert_ok!(commit_one(1, id, Role::Worker, &opening));
			run_to_due(id);
			let auditor = auditors(id)[0].unwrap();
			assert_ok!(commit_one(auditor, id, Role::Auditor, &opening));
			for (number, role) in [(1, Role::Worker), (auditor, Role::Auditor)] {
				assert_noop!(
					reveal_one(number, id, role, &opening),
					Error::<Test>::MalformedOpening
				);
			}
		});
	}
}

#[test]
fn referees_may_call_near_what_was_revealed() {
	let work = ChunkWork::Recompute(program());
	let revealed = [7, 9, 13].map(H256::repeat_byte);
	let fits_as =
		|role, opening: &Opening| fits(opening, role, &Claim::Nothing, &work, None, &revealed);
	for (opening, right) in [
		(near(1, &[]), true),
		(near(1, &[9]), true),
		(near(1, &[7, 9, 13]), true),
		(near(7, &[9, 13]), true),
		(near(1, &[9, 7]), false),
		(near(1, &[9, 9]), false),
		(near(1, &[8]), false),
		(near(7, &[7]), false),
	] {
		assert_eq!(fits_as(referee(0), &opening), right, "{opening:?}");
		let own = matches!(&opening, Opening::Output(own) if own.near.is_empty());
		for party in [Role::Worker, Role::Auditor] {
			assert_eq!(fits_as(party, &opening), own, "{opening:?}");
		}
		assert!(!fits_as(Role::Appellant { level: 0 }, &opening));
	}
	for role in [Role::Worker, Role::Auditor, referee(0)] {
		assert!(fits_as(role, &showing(b"counts")));
		let output = Output { hash: H256::repeat_byte(1), ..Output::of(b"counts") };
		assert!(!fits_as(role, &Opening::Output(OutputOpening::showing(output))));
	}
	let searched = Opening::Search(SearchOpening {
		shares: H256::zero(),
		winners: Default::default(),
		faults: Default::default(),
	});
	for role in [Role::Worker, Role::Auditor, referee(0)] {
		assert!(!fits_as(role, &searched));
	}
}

#[test]
fn what_a_referee_calls_near_is_neither_equal_nor_wrong() {
	let referee = near(1, &[9]);
	assert_eq!(referee.judges(&output(1)), Comparison::Equal);
	assert_eq!(referee.judges(&output(9)), Comparison::Near);
	assert_eq!(referee.judges(&output(7)), Comparison::Wrong);
}

#[test]
fn replicas_are_drawn_two_at_a_time() {
	ExtBuilder::default().accepting(&(1..=12).collect::<Vec<_>>()).build_and_execute(|| {
		let id = run(0);
		assign_with(id, 1, |assignment| assignment.terms.auditors = 6);
		assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
		run_to_due(id);
		let begun = now();
		for step in 0u32..3 {
			run_to(begun + 2 * step);
			let sitting = auditors(id).into_iter().flatten().count();
			assert_eq!(sitting, 2 * (step as usize + 1));
			// Who was drawn last has as long as the first.
			assert_eq!(
				Verification::stage_of(&id.chunk),
				Some((Stage::Auditing, now() + DEADLINE))
			);
		}
		for auditor in auditors(id).into_iter().flatten() {
			assert_ok!(commit_one(auditor, id, Role::Auditor, &honest(id)));
		}
		let sitting: Vec<u8> = auditors(id).into_iter().flatten().collect();
		assert_ok!(reveal_one(1, id, Role::Worker, &honest(id)));
		for auditor in &sitting {
			assert_ok!(reveal_one(*auditor, id, Role::Auditor, &honest(id)));
		}
		run_to(now() + 1);
		let Some(Told::Accepted { auditors, .. }) = told(id) else { panic!("it is accepted") };
		assert_eq!(auditors, sitting.into_iter().map(owner).collect::<Vec<_>>());
	});
}
