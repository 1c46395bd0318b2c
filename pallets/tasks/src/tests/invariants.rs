//! The invariants after every step of random sequences of calls, verdicts and blocks.

use crate::{
	mock::*,
	types::{ChunkState, Place},
	Chunks, CurrentRules, Ended, NextTask, Rules, TaskArguments, TaskSpec, Tasks as TasksMap,
};
use proptest::{collection::vec, prelude::*};
use sp_runtime::Perquintill;
use std::collections::{BTreeMap, BTreeSet};
use tequio_primitives::{
	api::TaskStatus,
	fifo::WAITS,
	orders::{OrderTasks, TaskOrder},
	recompute::{Arguments, RecomputeSpec},
	rewards::FeeTerms,
	stage::DeclineReason,
	tasks::{CheckedTasks, Delivered, UndecidedReason, Verdict},
	AttemptId, Balance, TaskId,
};

#[derive(Clone, Copy, Debug)]
enum Judged {
	Right { shares: u32, won: bool, auditors: usize },
	Wrong,
	Unknown { auditors: usize },
}

#[derive(Clone, Debug)]
enum Step {
	Submit { by: AccountId, spec: TaskSpec, price: Balance, deadline: u32, bonus: Balance },
	Order { by: AccountId, spec: RecomputeSpec, price: Balance, deadline: u32 },
	Close { task: u64 },
	Cancel { by: AccountId, task: u64 },
	Decline { place: usize, reason: DeclineReason },
	Commit { place: usize },
	Judge { place: usize, judged: Judged },
	Challenge { place: usize },
	SetRules { challenge_period: u32, fetch_fee: Balance },
	SetFee { percent: u64, min: Balance },
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
		1 => (0usize..=2).prop_map(|auditors| Judged::Unknown { auditors }),
	]
}

fn specs() -> impl Strategy<Value = TaskSpec> {
	prop_oneof![
		(1u32..6).prop_map(search),
		(1u32..6, 1u8..=4).prop_map(|(chunks, replicas)| program(chunks, replicas)),
	]
}

fn reasons() -> impl Strategy<Value = DeclineReason> {
	prop_oneof![
		1 => Just(DeclineReason::Busy),
		3 => Just(DeclineReason::BadInput),
		1 => Just(DeclineReason::Unsupported),
	]
}

fn prices() -> impl Strategy<Value = Balance> {
	prop_oneof![Just(1), Just(7), Just(PRICE)]
}

/// What a pallet does that orders tasks.
fn orders() -> impl Strategy<Value = Step> {
	let specs = (1u32..6, 1u8..=4).prop_map(|(chunks, replicas)| recompute(chunks, replicas));
	prop_oneof![
		2 => (ALICE..=BOB, specs, prices(), 1u32..70)
			.prop_map(|(by, spec, price, deadline)| Step::Order { by, spec, price, deadline }),
		1 => (0u64..8).prop_map(|task| Step::Close { task }),
	]
}

fn steps() -> impl Strategy<Value = Step> {
	prop_oneof![
		2 => (ALICE..=BOB, specs(), prices(), 1u32..70, prop_oneof![Just(0), Just(BONUS)]).prop_map(
			|(by, spec, price, deadline, bonus)| Step::Submit { by, spec, price, deadline, bonus }
		),
		2 => orders(),
		1 => (ALICE..=BOB, 0u64..8).prop_map(|(by, task)| Step::Cancel { by, task }),
		4 => (any::<usize>(), reasons())
			.prop_map(|(place, reason)| Step::Decline { place, reason }),
		6 => any::<usize>().prop_map(|place| Step::Commit { place }),
		6 => (any::<usize>(), judged()).prop_map(|(place, judged)| Step::Judge { place, judged }),
		3 => any::<usize>().prop_map(|place| Step::Challenge { place }),
		1 => (1u32..=10, 0..FETCH_FEE).prop_map(|(challenge_period, fetch_fee)| Step::SetRules {
			challenge_period,
			fetch_fee,
		}),
		1 => (0u64..=30, 0u128..20).prop_map(|(percent, min)| Step::SetFee { percent, min }),
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

/// What is not found wrong after a challenge stays accepted.
fn judge(id: AttemptId, judged: Judged) {
	let state = Chunks::<Test>::get(id.chunk).unwrap().state;
	match (state, judged) {
		(_, Judged::Wrong) => reject(id),
		(ChunkState::Challenged { .. }, _) => Tasks::conclude(&id, Verdict::Upheld),
		(_, Judged::Right { shares, won, auditors }) => right(id, shares, won, auditors),
		(_, Judged::Unknown { auditors }) => {
			end_duty(id);
			let reason = UndecidedReason::Disagreement;
			let auditors = OWNERS[..auditors].to_vec();
			Tasks::conclude(&id, Verdict::Undecided { reason, auditors });
		},
	}
}

fn right(id: AttemptId, shares: u32, won: bool, auditors: usize) {
	let auditors = OWNERS[..auditors].to_vec();
	match TasksMap::<Test>::get(id.chunk.task).unwrap().spec {
		TaskSpec::RandomXSearch(spec) => {
			let first = spec.range(id.chunk.index).start;
			let found = if won { winners(&[first]) } else { winners(&[]) };
			conclude_right(id, Delivered::Shares(shares), found, auditors);
		},
		TaskSpec::Recompute(_) => {
			let delivered = Delivered::Whole(output_of(id.chunk.index));
			conclude_right(id, delivered, winners(&[]), auditors);
		},
	}
}

/// Does a step; calls may fail, since they are made at random.
fn take(step: Step) {
	match step {
		Step::Submit { by, spec, price, deadline, bonus } => {
			let origin = RuntimeOrigin::signed(by);
			let _ = Tasks::submit_task(origin, spec, price, deadline, bonus);
		},
		Step::Order { by, spec, price, deadline } => {
			let arguments = Arguments::default();
			let order = TaskOrder { requester: by, spec, arguments, price, deadline };
			let _ = Tasks::order(order);
		},
		Step::Close { task } => <Tasks as OrderTasks<AccountId>>::close(task),
		Step::Cancel { by, task } => {
			let _ = Tasks::cancel_task(RuntimeOrigin::signed(by), task);
		},
		Step::Decline { place, reason } => {
			if let Some(id) = pick(Place::Assigned, place) {
				let device = RuntimeOrigin::signed(device_of(owner_of(id)));
				let _ = Tasks::decline(device, id, reason);
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
		Step::Challenge { place } => {
			if let Some(id) = pick(Place::Accepted, place) {
				let _ = Tasks::challenge(&id);
			}
		},
		Step::SetRules { challenge_period, fetch_fee } => {
			let rules = Rules { challenge_period, fetch_fee, ..CurrentRules::<Test>::get() };
			let _ = Tasks::set_rules(RuntimeOrigin::root(), rules);
		},
		Step::SetFee { percent, min } => {
			Fee::set(FeeTerms { rate: Perquintill::from_percent(percent), min });
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

/// The follower hears of the end of each of its tasks, once, after it has heard at most once of each
/// of its chunks; and of nothing else.
fn check_heard() {
	let records: BTreeMap<_, _> = TasksMap::<Test>::iter().collect();
	let follows = |id: TaskId| records.get(&id).is_none_or(|task| task.followed);
	let mut chunks = BTreeSet::new();
	let mut ended = BTreeSet::new();
	for told in Heard::get() {
		match told {
			Told::Chunk(chunk, _) => {
				assert!(follows(chunk.task), "a chunk is told of that nobody follows");
				assert!(!ended.contains(&chunk.task), "a chunk ends after its task");
				assert!(chunks.insert(chunk), "a chunk ends twice");
			},
			Told::Task(task, ..) => {
				assert!(follows(task), "a task is told of that nobody follows");
				assert!(ended.insert(task), "a task ends twice");
			},
		}
	}
	for (id, task) in records.into_iter().filter(|(_, task)| task.followed) {
		assert_eq!(task.status == TaskStatus::Ended, ended.contains(&id));
	}
}

/// Lets everything that is under way come to its end, and be forgotten: an attempt may begin just
/// before its task expires and have the third deadline, or wait for a draw.
fn wind_down() {
	while let Some(id) = pick(Place::Checking, 0) {
		judge(id, Judged::Unknown { auditors: 0 });
	}
	Lit::set(true);
	Ask::set(0);
	advance(LIFETIME + 128 + WAITS[5] + KEPT + 30);
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
				check_heard();
			}
			wind_down();

			assert_eq!(TasksMap::<Test>::iter().count(), 0);
			assert_eq!(Chunks::<Test>::iter().count(), 0);
			assert_eq!(TaskArguments::<Test>::iter().count(), 0);
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
