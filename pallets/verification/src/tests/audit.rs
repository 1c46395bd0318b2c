use crate::{mock::*, types::*, verdict::Outcome, Checks, Event, Rules};
use codec::Encode;
use frame_support::assert_ok;
use sp_runtime::Perquintill;
use tequio_primitives::{
	draw::{self, number, seed, AuditDraw, Purpose},
	search::SearchSpec,
	stage::Stage,
	tasks::{Delivered, UndecidedReason},
	AttemptId, Role, WorkClass,
};

fn committed(id: AttemptId) {
	assign(id, 1);
	assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
}

#[test]
fn the_first_output_of_the_window_names_sub_range_and_auditors() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(4);
		let id = first();
		committed(id);
		run_to(12);
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Drawing, 13)));
		run_to(13);

		let output = |height: u32| Some(sp_io::hashing::blake2_256(&height.encode()));
		let drawn = draw::audit(&id, 4, 8, Perquintill::one(), output);
		let AuditDraw::Audited(vrf) = drawn else { panic!("searches are always audited") };
		let expected =
			SearchSpec::audited(&range(), number(&seed(&vrf, Purpose::SubRange, &id), 0));
		let check = Checks::<Test>::get(id.chunk).unwrap();
		assert_eq!(check.sub_range, Some(expected));
		assert_has(Event::AuditDrawn { id, sub_range: Some(expected) });
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Auditing, 13 + DEADLINE)));
		for auditor in both_auditors(id) {
			let event = Event::AuditorDrawn { id, owner: owner(auditor), device: device(auditor) };
			assert_has(event);
		}
	});
}

#[test]
fn auditors_are_two_others_who_can_do_it_in_the_time_of_the_chunk() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let [one, other] = audit_begun(id, 1, &honest(id));
		assert!(one != other && one != 1 && other != 1);
		let asked = Asked {
			class: WorkClass::RandomXSearch,
			units: 3 + 1,
			price: PRICE,
			deadline: DEADLINE,
			collateral: COLLATERAL,
			audit: true,
		};
		assert_eq!(doubles().asked, vec![asked.clone(), asked]);
	});
}

#[test]
fn an_attempt_that_is_not_audited_is_revealed_at_once() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		assign_at_rate(id, 1, Perquintill::zero());
		assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
		run_to_due(id);
		assert_has(Event::AuditSpared { id });
		assert_has(Event::RevealsOpened { id });
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Revealing, now() + 20)));
		assert_ok!(reveal_one(1, id, Role::Worker, &honest(id)));
		let Some(Told::Accepted { delivered, auditors, audited, .. }) = told(id) else {
			panic!("it is accepted");
		};
		assert_eq!((delivered, audited), (Delivered::Shares(3), false));
		assert!(auditors.is_empty());
	});
}

#[test]
fn a_window_without_outputs_is_followed_by_another() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		committed(id);
		with_doubles(|state| state.dark = true);
		run_to(9);
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Drawing, 18)));
		with_doubles(|state| state.dark = false);
		run_to(18);
		assert_eq!(both_auditors(id).len(), 2);
	});
}

#[test]
fn a_decision_that_is_late_uses_the_same_outputs() {
	let drawn_at = |late: u32| {
		let mut found = None;
		ExtBuilder::default().build_and_execute(|| {
			let id = first();
			committed(id);
			stall_to(8 + late);
			run_to(9 + late);
			let check = Checks::<Test>::get(id.chunk).unwrap();
			found = Some((check.sub_range, auditors(id)));
		});
		found
	};
	assert_eq!(drawn_at(0), drawn_at(7));
}

#[test]
fn empty_places_are_drawn_for_again_with_full_time() {
	ExtBuilder::default().accepting(&[1, 2]).build_and_execute(|| {
		let id = first();
		committed(id);
		run_to(9);
		let empty = auditors(id).iter().position(Option::is_none).unwrap();
		assert_eq!(auditors(id)[1 - empty], Some(2));
		run_to(14);
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Auditing, 9 + DEADLINE)));
		with_doubles(|state| state.accepting = vec![1, 2, 3]);
		run_to(15);
		assert_eq!(auditors(id)[empty], Some(3));
		assert_eq!(auditors(id)[1 - empty], Some(2));
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Auditing, 15 + DEADLINE)));
		assert_eq!(Checks::<Test>::get(id.chunk).unwrap().redraws, 0);
	});
}

#[test]
fn empty_places_that_all_are_too_busy_for_are_drawn_for_every_eight_blocks() {
	let rules = Rules { max_redraws: 0, ..Default::default() };
	ExtBuilder::default().rules(rules).accepting(&[1]).build_and_execute(|| {
		let id = first();
		assign_with(id, 1, |assignment| assignment.deadline = 64);
		assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
		run_to(9);
		let asked = || doubles().asked.len();
		let before = asked();
		// Two places, after two blocks, after four, and from then on every eight.
		for (height, draws) in [(10, 0), (11, 1), (14, 1), (15, 2), (22, 2), (23, 3), (31, 4)] {
			run_to(height);
			assert_eq!(asked() - before, 2 * draws, "at {height}");
		}
		run_to(9 + 63);
		assert_eq!(asked() - before, 2 * 9);
		run_to(9 + 64);
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::NoAuditors)));
	});
}

#[test]
fn empty_places_that_nobody_is_fit_for_are_drawn_for_less_and_less_often() {
	ExtBuilder::default().accepting(&[1]).build_and_execute(|| {
		with_doubles(|state| state.unfit = true);
		let id = first();
		committed(id);
		run_to(9);
		let asked = || doubles().asked.len();
		let before = asked();
		// Two places, after two blocks, four more and eight more; then the audit has ended.
		for (height, draws) in [(10, 0), (11, 1), (14, 1), (15, 2), (22, 2), (23, 3), (24, 3)] {
			run_to(height);
			assert_eq!(asked() - before, 2 * draws, "at {height}");
		}
		run_to(9 + DEADLINE + 2);
		assert_eq!(asked() - before, 2 * 4, "a redraw begins anew");
	});
}

#[test]
fn a_seat_that_lost_its_collateral_is_not_taken() {
	ExtBuilder::default().accepting(&[2, 3]).build_and_execute(|| {
		with_doubles(|state| state.broke = vec![2, 3]);
		let id = first();
		committed(id);
		run_to(9);
		assert_eq!(auditors(id), vec![None, None]);
		with_doubles(|state| state.broke.clear());
		run_to(11);
		assert_eq!(both_auditors(id).len(), 2);
	});
}

#[test]
fn silent_auditors_are_fined_and_replaced() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let [one, silent] = audit_begun(id, 1, &honest(id));
		assert_ok!(commit_one(one, id, Role::Auditor, &honest(id)));
		run_to_due(id);
		let fine = COLLATERAL / 20;
		assert_eq!(end_of(silent, id, Role::Auditor), Some(End::Missed(fine)));
		assert_has(Event::AuditorMissed { id, owner: owner(silent), fine });
		assert_eq!(auditors(id), vec![Some(one), None]);

		run_to(now() + 2);
		let [same, replacement] = both_auditors(id);
		assert_eq!(same, one);
		assert!(replacement != silent && replacement != one);
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Auditing, now() + DEADLINE)));
		assert_ok!(commit_one(replacement, id, Role::Auditor, &honest(id)));
		assert_eq!(Verification::stage_of(&id.chunk).map(|stage| stage.0), Some(Stage::Revealing));
	});
}

#[test]
fn an_attempt_whose_auditors_stay_silent_ends_undecided_after_the_last_redraw() {
	let rules = Rules { max_redraws: 1, ..Default::default() };
	ExtBuilder::default().rules(rules).build_and_execute(|| {
		let id = first();
		let [one, _] = audit_begun(id, 1, &honest(id));
		assert_ok!(commit_one(one, id, Role::Auditor, &honest(id)));
		run_to_due(id);
		run_to(now() + 2);
		let [_, late] = both_auditors(id);
		run_to_due(id);

		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::NoAuditors)));
		assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
		assert_eq!(end_of(one, id, Role::Auditor), Some(End::Released));
		assert_eq!(end_of(late, id, Role::Auditor), Some(End::Missed(COLLATERAL / 20)));
		assert!(!Checks::<Test>::contains_key(id.chunk));
		let outcome = Outcome::Undecided(UndecidedReason::NoAuditors);
		assert_last(Event::Judged { id, outcome });
	});
}

#[test]
fn an_attempt_that_nobody_can_audit_ends_undecided() {
	ExtBuilder::default().accepting(&[]).build_and_execute(|| {
		let id = first();
		committed(id);
		run_to(9 + 4 * DEADLINE - 1);
		assert!(matches!(
			Checks::<Test>::get(id.chunk).unwrap().state,
			CheckState::Auditing { vacant: Some(_), .. }
		));
		run_to(now() + 1);
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::NoAuditors)));
		assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
	});
}
