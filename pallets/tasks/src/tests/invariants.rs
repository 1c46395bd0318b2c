//! The invariants after every step of random sequences of calls, verdicts and blocks.

use crate::{
	mock::*,
	types::{ChunkState, Place},
	Chunks, Ended, NextTask, Tasks as TasksMap,
};
use proptest::{collection::vec, prelude::*};
use tequio_primitives::{
	api::TaskStatus,
	fifo::WAITS,
	stage::DeclineReason,
	tasks::{CheckedTasks, RejectReason, UndecidedReason, Verdict},
	AttemptId, Balance,
};

#[derive(Clone, Copy, Debug)]
enum Judged {
	Right { shares: u32, won: bool, auditors: usize },
	Wrong,
	Unknown,
}

#[derive(Clone, Debug)]
enum Step {
	Submit { by: AccountId, chunks: u32, price: Balance, deadline: u32, bonus: Balance },
	Cancel { by: AccountId, task: u64 },
	Decline { place: usize },
	Commit { place: usize },
	Judge { place: usize, judged: Judged },
	Advance { blocks: u32 },
	PassTime { blocks: u32 },
	AdvanceAgenda { limit: u32 },
	Light { on: bool },
	Ask { price: Balance },
}

fn judged() -> impl Strategy<Value = Judged> {
	prop_oneof![
		3 => (0u32..120, any::<bool>(), 0usize..=2)
			.prop_map(|(shares, won, auditors)| Judged::Right { shares, won, auditors }),
		1 => Just(Judged::Wrong),
		1 => Just(Judged::Unknown),
	]
}

fn steps() -> impl Strategy<Value = Step> {
	let prices = prop_oneof![Just(1), Just(7), Just(PRICE)];
	prop_oneof![
		2 => (ALICE..=BOB, 1u32..6, prices, 1u32..70, prop_oneof![Just(0), Just(BONUS)]).prop_map(
			|(by, chunks, price, deadline, bonus)| Step::Submit { by, chunks, price, deadline, bonus }
		),
		1 => (ALICE..=BOB, 0u64..8).prop_map(|(by, task)| Step::Cancel { by, task }),
		2 => any::<usize>().prop_map(|place| Step::Decline { place }),
		6 => any::<usize>().prop_map(|place| Step::Commit { place }),
		6 => (any::<usize>(), judged()).prop_map(|(place, judged)| Step::Judge { place, judged }),
		6 => (1u32..6).prop_map(|blocks| Step::Advance { blocks }),
		1 => (1u32..30).prop_map(|blocks| Step::PassTime { blocks }),
		1 => (0u32..70).prop_map(|limit| Step::AdvanceAgenda { limit }),
		1 => any::<bool>().prop_map(|on| Step::Light { on }),
		1 => prop_oneof![Just(0), Just(2), Just(PRICE)].prop_map(|price| Step::Ask { price }),
	]
}

/// One of the chunks that are at a place.
fn pick(place: Place, number: usize) -> Option<AttemptId> {
	let mut found: Vec<AttemptId> = Chunks::<Test>::iter()
		.filter(|(_, chunk)| chunk.state.place() == place)
		.map(|(chunk, record)| AttemptId { chunk, attempt: record.attempt })
		.collect();
	found.sort();
	found.get(number.checked_rem(found.len())?).copied()
}

fn judge(id: AttemptId, judged: Judged) {
	let verdict = match judged {
		Judged::Right { shares, won, auditors } => Verdict::Accepted {
			shares,
			winners: winners(if won { &[1_001] } else { &[] }),
			auditors: OWNERS[..auditors].to_vec(),
		},
		Judged::Wrong => Verdict::Rejected(RejectReason::ProvenWrong),
		Judged::Unknown => Verdict::Undecided(UndecidedReason::NoAuditors),
	};
	if !matches!(judged, Judged::Right { .. }) {
		end_duty(id);
	}
	Tasks::conclude(&id, verdict);
}

/// Does a step; calls may fail, since they are made at random.
fn take(step: Step) {
	match step {
		Step::Submit { by, chunks, price, deadline, bonus } => {
			let origin = RuntimeOrigin::signed(by);
			let _ = Tasks::submit_task(origin, search(chunks), price, deadline, bonus);
		},
		Step::Cancel { by, task } => {
			let _ = Tasks::cancel_task(RuntimeOrigin::signed(by), task);
		},
		Step::Decline { place } => {
			if let Some(id) = pick(Place::Assigned, place) {
				let device = RuntimeOrigin::signed(device_of(owner_of(id)));
				let _ = Tasks::decline(device, id, DeclineReason::Busy);
			}
		},
		Step::Commit { place } => {
			if let Some(id) = pick(Place::Assigned, place) {
				let _ = Tasks::begin_check(&id);
			}
		},
		Step::Judge { place, judged } => {
			if let Some(id) = pick(Place::Checking, place) {
				judge(id, judged);
			}
		},
		Step::Advance { blocks } => advance(blocks),
		Step::PassTime { blocks } => pass_time(blocks),
		Step::AdvanceAgenda { limit } => {
			let _ = Tasks::advance_agenda(RuntimeOrigin::signed(BOB), limit);
		},
		Step::Light { on } => Lit::set(on),
		Step::Ask { price } => Ask::set(price),
	}
}

/// Lets everything that is under way come to its end, and be forgotten: an attempt may begin just
/// before its task expires and have the third deadline, or wait for a draw.
fn wind_down() {
	while let Some(id) = pick(Place::Checking, 0) {
		judge(id, Judged::Unknown);
	}
	Lit::set(true);
	Ask::set(0);
	advance(LIFETIME + 128 + WAITS[5] + KEPT + 10);
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn invariants_hold_in_random_sequences(sequence in vec(steps(), 1..50)) {
		ExtBuilder::default().max_attempts(4).build_and_execute(|| {
			let issued = Balances::total_issuance();
			let before = keys().len();
			for step in sequence {
				take(step);
				Tasks::do_try_state().unwrap();
			}
			wind_down();

			assert_eq!(TasksMap::<Test>::iter().count(), 0);
			assert_eq!(Chunks::<Test>::iter().count(), 0);
			let submitted = NextTask::<Test>::get();
			assert_eq!(u64::try_from(Ended::<Test>::iter().count()), Ok(submitted));
			// Beside the roots, what was there before the first task, and its number.
			let left = keys().len() - Ended::<Test>::iter().count() - usize::from(submitted > 0);
			assert_eq!(left, before);
			assert!(Contributions::get().is_empty());
			assert!(Engaged::get().is_empty());
			assert_eq!((held(ALICE), held(BOB)), (0, 0));
			// Fines are the other pallet's; here nothing is too small for the accounts of this
			// test, so nothing burns.
			assert_eq!(Balances::total_issuance(), issued);
		});
	}
}

#[test]
fn a_closing_task_with_a_full_queue_still_ends() {
	ExtBuilder::default().build_and_execute(|| {
		Seated::set(&vec![OWNERS[0]]);
		let stuck = submit_assigned(20);
		advance(17);
		// Twenty chunks wait for an owner who is not there; those of the next task come behind
		// them.
		let later = submit(1);
		advance(2);
		assert!(matches!(
			Chunks::<Test>::get(attempt(later, 0, 0).chunk).unwrap().state,
			ChunkState::Assigned { .. }
		));
		take(Step::Cancel { by: ALICE, task: stuck });
		advance(WAITS[1]);
		assert_eq!(TasksMap::<Test>::get(stuck).unwrap().status, TaskStatus::Ended);
	});
}
