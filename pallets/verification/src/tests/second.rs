use crate::{
	mock::*,
	types::*,
	weights::{Estimated, WeightInfo},
	Checks, Error, Event,
};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::Perquintill;
use tequio_primitives::{
	draw::{hits, seed, Purpose},
	stage::Stage,
	AttemptId, Role,
};

/// Assigns an attempt of device 1 that gets a third auditor with this chance, and has both auditors
/// commit at the height that it returns.
fn both_committed(id: AttemptId, second: Perquintill) -> u32 {
	assign_with(id, 1, |assignment| assignment.terms.second = second);
	assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
	run_to_due(id);
	for auditor in both_auditors(id) {
		assert_ok!(commit_one(auditor, id, Role::Auditor, &honest(id)));
	}
	now()
}

fn output(height: u32) -> [u8; 32] {
	sp_io::hashing::blake2_256(&height.encode())
}

#[test]
fn one_more_auditor_is_drawn_once_the_others_have_committed() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let committed = both_committed(id, Perquintill::one());
		let both = both_auditors(id);
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Second, committed + 2)));
		run_to(committed + 1);
		assert_eq!(both_auditors(id), both);

		run_to(committed + 2);
		assert_has(Event::SecondAuditDrawn { id });
		let sitting: Vec<u8> = auditors(id).into_iter().flatten().collect();
		let [one, other, third] = sitting[..] else { panic!("three sit: {sitting:?}") };
		assert_eq!([one, other], both);
		assert!(![1, one, other].contains(&third));
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Auditing, now() + DEADLINE)));

		// After it there is no other.
		assert_ok!(commit_one(third, id, Role::Auditor, &honest(id)));
		assert_eq!(stage(id), Some(Stage::Revealing));
	});
}

#[test]
fn the_output_after_the_last_commit_decides() {
	let half = Perquintill::from_percent(50);
	let mut found = [0; 2];
	for late in 0..12 {
		ExtBuilder::default().build_and_execute(|| {
			run_to(late);
			let id = first();
			let committed = both_committed(id, half);
			run_to(committed + 2);
			let drawn = hits(&seed(&output(committed + 1), Purpose::Second, &id), half);
			let expected = if drawn { Stage::Auditing } else { Stage::Revealing };
			assert_eq!(stage(id), Some(expected));
			assert_eq!(auditors(id).len(), 2 + usize::from(drawn));
			found[usize::from(drawn)] += 1;
		});
	}
	assert!(found.iter().all(|count| *count > 0), "{found:?}");
}

#[test]
fn a_decision_on_one_more_that_is_late_is_the_same() {
	let drawn_at = |late: u32| {
		let mut found = None;
		ExtBuilder::default().build_and_execute(|| {
			let id = first();
			let committed = both_committed(id, Perquintill::one());
			stall_to(committed + 1 + late);
			run_to(committed + 2 + late);
			found = Some(auditors(id));
		});
		found
	};
	assert_eq!(drawn_at(0), drawn_at(7));
}

#[test]
fn an_output_that_is_lost_is_followed_by_another() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let committed = both_committed(id, Perquintill::one());
		run_to(committed + 1);
		with_doubles(|state| state.dark = true);
		run_to(committed + 2);
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Second, committed + 4)));
		with_doubles(|state| state.dark = false);
		run_to(committed + 4);
		assert_eq!(auditors(id).len(), 3);
	});
}

#[test]
fn without_a_chance_of_another_reveals_open_at_once() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		both_committed(id, Perquintill::zero());
		assert_eq!(stage(id), Some(Stage::Revealing));
	});
}

#[test]
fn nothing_is_committed_or_revealed_before_it_is_decided() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		both_committed(id, Perquintill::one());
		let [one, _] = both_auditors(id);
		for (number, role) in [(1, Role::Worker), (one, Role::Auditor)] {
			assert_noop!(reveal_one(number, id, role, &honest(id)), Error::<Test>::NotRevealing);
			assert_noop!(
				commit_one(number, id, role, &honest(id)),
				Error::<Test>::AlreadyCommitted
			);
		}
	});
}

#[test]
fn a_verdict_on_more_than_two_auditors_is_left_to_the_next_block() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let committed = both_committed(id, Perquintill::one());
		run_to(committed + 2);
		let sitting: Vec<u8> = auditors(id).into_iter().flatten().collect();
		assert_ok!(commit_one(sitting[2], id, Role::Auditor, &right));
		for auditor in &sitting {
			assert_ok!(reveal_one(*auditor, id, Role::Auditor, &right));
		}
		let items = batch(vec![reveal_item(1, id, Role::Worker, &right)]);
		let info = Verification::reveal(RuntimeOrigin::signed(device(1)), items).unwrap();
		assert_eq!(info.actual_weight, Some(Estimated::<Test>::reveal(1, 1)));
		assert_eq!(told(id), None);
		assert_noop!(reveal_one(1, id, Role::Worker, &right), Error::<Test>::AlreadyRevealed);

		run_to(now() + 1);
		let Some(Told::Accepted { auditors, .. }) = told(id) else { panic!("it is accepted") };
		assert_eq!(auditors, sitting.into_iter().map(owner).collect::<Vec<_>>());
		assert_eq!(Checks::<Test>::get(id.chunk).unwrap().state, CheckState::Settled);
	});
}

#[test]
fn another_auditor_who_stays_silent_is_replaced() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let committed = both_committed(id, Perquintill::one());
		run_to(committed + 2);
		let silent = auditors(id)[2].unwrap();
		run_to_due(id);
		assert_eq!(end_of(silent, id, Role::Auditor), Some(End::Missed(COLLATERAL / 20)));
		assert_eq!(auditors(id)[2], None);
		run_to(now() + 2);
		let next = auditors(id)[2].unwrap();
		assert_ne!(next, silent);
		assert_ok!(commit_one(next, id, Role::Auditor, &honest(id)));
		assert_eq!(stage(id), Some(Stage::Revealing));
	});
}
