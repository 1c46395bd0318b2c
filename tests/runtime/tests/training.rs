//! Trainings on the real runtime: what goes from one round into the next, who is paid for it, and
//! how they stop. In the end all of the budget was spent on work that was done, or has returned.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod rounds;

use frame_support::{
	dispatch::{extract_actual_weight, GetDispatchInfo},
	traits::Get,
};
use pallet_tasks::Event as TasksEvent;
use pallet_training::{
	types::{Phase, Step, TrainingOf},
	Call, Error, Evaluation, Event, Plan, Steps, StopReason, StopRule, TrainingEnds, TrainingPages,
	Trainings,
};
use pallet_verification::{Event as VerificationEvent, Now};
use pallet_workers::{Event as WorkersEvent, Workers};
use rounds::{
	alice, enroll, numbered, plan, stage, Story, BUDGET, COUNTS, PATIENCE, ROUNDS, SHARDS,
};
use sp_core::H256;
use sp_runtime::{traits::Dispatchable, DispatchError, Permill};
use tequio_primitives::{orders::OrderTasks, Balance, WorkClass, TEQ};
use tequio_runtime::{AccountId, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, Tasks};
use tequio_runtime_tests::{
	count::Keys,
	device::Conduct,
	keys::Key,
	lesson::{self, Course},
	owner::{Owner, STAKE},
	wealth, Polled, World,
};

/// Blocks after which a shard that is not there is not waited for.
const SHORT: u32 = 64;

/// Two rounds, of which nobody computes the third shard.
fn lame_plan(quorum: u32) -> Plan {
	let train = stage(Course::Ignores(2), 1);
	Plan { train, rounds: 2, quorum, step_deadline: SHORT, ..plan() }
}

/// Makes a call without paying for it. Changes the state.
fn call(who: &AccountId, call: Call<Runtime>) -> Result<(), DispatchError> {
	let origin = RuntimeOrigin::signed(who.clone());
	let result = RuntimeCall::Training(call).dispatch(origin);
	result.map(drop).map_err(|refused| refused.error)
}

#[test]
fn rounds_build_on_each_other_and_whoever_works_is_paid() {
	let mut story = Story::begin(plan(), BUDGET);
	let training = story.ends_for(StopReason::Rounds);

	let expected = lesson::expected(&story.plan);
	let states = story.told(|event| match event {
		Event::RoundAggregated { round, state, .. } => Some((*round, *state)),
		_ => None,
	});
	let of_rounds = (0u32..).zip(expected.iter().map(|round| round.state));
	assert_eq!(numbered(states), of_rounds.collect::<Vec<_>>());
	assert_eq!(training.state, expected[2].state);
	let counts = story.told(|event| match event {
		Event::RoundEvaluated { round, counts, .. } => Some((*round, *counts)),
		_ => None,
	});
	let of_rounds = (0u32..).zip(expected.iter().map(|round| round.counts));
	assert_eq!(numbered(counts), of_rounds.collect::<Vec<_>>());
	let last = Some((2, expected[2].counts));
	assert_eq!((training.scores.best, training.scores.last), (last, last));
	assert_eq!(numbered(story.trained()), [(0, SHARDS, 0), (1, SHARDS, 0), (2, SHARDS, 0)]);

	// A state is evaluated while the next round is trained.
	let evaluated = story.told(|event| match event {
		Event::EvaluationBegan { round, .. } => Some(*round),
		_ => None,
	});
	let beside = evaluated.iter().map(|(height, _)| *height).take(2);
	let begun = story.begun().into_iter().skip(1).map(|(height, _)| height);
	assert_eq!(beside.collect::<Vec<_>>(), begun.collect::<Vec<_>>());

	let mut chunks: Vec<(u32, u32)> =
		story.tasks().iter().map(|task| (task.chunks.paid, task.chunks.refunded)).collect();
	chunks.sort();
	let of_steps = [(1, 0), (COUNTS, 0), (SHARDS, 0)];
	assert_eq!(chunks, of_steps.map(|chunks| [chunks; ROUNDS as usize]).concat());
	story.check_pay();
}

#[test]
fn a_training_goes_on_where_no_two_machines_get_the_same_and_all_of_them_are_paid() {
	let plan = Plan { class: WorkClass::BandedF32, ..plan() };
	let mut story = Story::begin(plan, BUDGET);
	let training = story.ends_for(StopReason::Rounds);
	assert_eq!(training.round, ROUNDS);
	assert_eq!(numbered(story.trained()), [(0, SHARDS, 0), (1, SHARDS, 0), (2, SHARDS, 0)]);
	let quarrelled = story.events.iter().any(|(_, event)| {
		matches!(event, RuntimeEvent::Verification(VerificationEvent::PanelCalled { .. }))
	});
	assert!(!quarrelled, "what is near is no quarrel");
	let mut classes: Vec<WorkClass> = story.tasks().iter().map(|task| task.class).collect();
	classes.sort();
	let of_steps = [WorkClass::ExactF64, WorkClass::BandedF32, WorkClass::Integer];
	assert_eq!(classes, of_steps.map(|class| [class; ROUNDS as usize]).concat());
	story.check_pay();
}

#[test]
fn who_lies_in_a_round_is_slashed_and_the_state_is_what_honest_work_gives() {
	let mut story = Story::begin(plan(), BUDGET);
	let (lie, liar) = story.first_assignment();
	let owner: &mut Owner = story.owners.iter_mut().find(|owner| owner.account() == liar).unwrap();
	owner.device.conduct = Conduct::Lies;
	let training = story.ends_for(StopReason::Rounds);
	assert_eq!(training.state, lesson::expected(&story.plan)[2].state);

	let mut slashed: Balance = 0;
	let mut paid = None;
	for (_, event) in &story.events {
		match event {
			RuntimeEvent::Workers(WorkersEvent::Slashed { owner, amount, .. }) => {
				assert_eq!(*owner, liar, "only the liar is slashed");
				slashed += amount;
			},
			RuntimeEvent::Tasks(TasksEvent::ChunkPaid { id, owner, .. })
				if id.chunk == lie.chunk =>
			{
				paid = Some(owner.clone());
			},
			_ => {},
		}
	}
	assert!(slashed > 0, "the liar was convicted");
	assert!(paid.is_some_and(|owner| owner != liar), "somebody else did the shard");
	let stake = story.world.read(|| Workers::<Runtime>::get(&liar).unwrap().stake);
	assert_eq!(stake, STAKE - slashed);
	let Story { world, owners, fortunes, .. } = &mut story;
	for (owner, before) in owners.iter().zip(fortunes.iter()) {
		let account = owner.account();
		let after = world.read(|| wealth(&account));
		assert!(account == liar || after >= *before, "nobody else loses anything");
	}
}

#[test]
fn with_a_quorum_a_round_goes_on_when_it_is_due() {
	let mut story = Story::begin(lame_plan(SHARDS - 1), BUDGET);
	let training = story.ends_for(StopReason::Rounds);
	assert_eq!(training.state, lesson::expected(&story.plan)[1].state);

	let (begun, trained, tasks) = (story.begun(), story.trained(), story.tasks());
	assert_eq!(numbered(trained.clone()), [(0, SHARDS - 1, 1), (1, SHARDS - 1, 1)]);
	assert_eq!(begun.len(), trained.len());
	for ((begun, (_, task)), (trained, _)) in begun.into_iter().zip(trained) {
		assert_eq!(trained - begun, SHORT, "it waits for the shard until then");
		let chunks = tasks[task as usize].chunks;
		assert_eq!((chunks.paid, chunks.refunded), (SHARDS - 1, 1));
	}
}

#[test]
fn without_a_quorum_a_training_stops_and_pays_what_was_done() {
	let mut story = Story::begin(lame_plan(SHARDS), BUDGET);
	let training = story.ends_for(StopReason::QuorumMissed);
	assert_eq!((training.round, training.state), (0, H256::zero()));
	assert!(story.trained().is_empty());
	let tasks = story.tasks();
	let [task] = tasks.as_slice() else { panic!("one task was ordered: {tasks:?}") };
	assert_eq!((task.chunks.paid, task.chunks.refunded), (SHARDS - 1, 1));
	assert!(task.books.paid > 0);
}

#[test]
fn a_training_stops_when_its_budget_does_not_cover_the_next_task() {
	let plan = Plan { evaluate: None, ..plan() };
	let cost = |step| {
		let spec = plan.spec(step).unwrap();
		<Tasks as OrderTasks<AccountId>>::cost(&spec, plan.price, plan.deadline).unwrap()
	};
	// A round as it is locked. What it spends is more than an aggregation locks, so what is left
	// does not cover another training.
	let budget = World::new().read(|| cost(Step::Train) + cost(Step::Aggregate));
	let mut story = Story::begin(plan.clone(), budget);
	let training = story.ends_for(StopReason::OutOfBudget);
	assert_eq!(training.round, 1);
	assert_eq!(training.state, lesson::expected(&plan)[0].state);
	assert_eq!(story.tasks().len(), 2);
	assert!(training.money.returned > 0);
	story.check_pay();
}

#[test]
fn a_budget_that_does_not_cover_a_round_is_refused() {
	let submission = Call::submit_training { plan: plan(), budget: TEQ / 100 };
	let refused = World::new().read(|| call(&alice(), submission));
	assert_eq!(refused, Err(Error::<Runtime>::BudgetTooSmall.into()));
}

#[test]
fn a_training_stops_at_its_target() {
	let stop = StopRule { target: Some(Permill::from_percent(20)), plateau: 0 };
	let mut story = Story::begin(Plan { rounds: 10, stop, ..plan() }, BUDGET);
	let training = story.ends_for(StopReason::Target);
	let expected = lesson::expected(&story.plan);
	assert_eq!(training.scores.last, Some((1, expected[1].counts)));
	assert!((2..10).contains(&training.round));
	assert_eq!(training.state, expected[training.round as usize - 1].state);
	story.check_pay();
}

#[test]
fn a_training_stops_when_it_gets_no_better() {
	let evaluate = Some(lesson::evaluation(stage(Course::Stalls, 3), COUNTS));
	let stop = StopRule { target: None, plateau: 2 };
	let mut story = Story::begin(Plan { rounds: 10, stop, evaluate, ..plan() }, BUDGET);
	let training = story.ends_for(StopReason::Plateau);
	let expected = lesson::expected(&story.plan);
	assert_eq!(training.scores.best, Some((0, expected[0].counts)));
	assert_eq!(training.scores.last, Some((2, expected[2].counts)));
	assert!((3..10).contains(&training.round));
	story.check_pay();
}

#[test]
fn numbers_that_are_not_finite_end_a_training() {
	let (learns, diverges) = (stage(Course::Learns, 1), stage(Course::Diverges, 2));
	for (train, aggregate, reason) in
		[(learns, diverges, StopReason::Diverged), (diverges, learns, StopReason::QuorumMissed)]
	{
		let mut story = Story::begin(Plan { train, aggregate, ..plan() }, BUDGET);
		let training = story.ends_for(reason);
		assert_eq!((training.round, training.state), (0, H256::zero()));
		assert!(story.tasks().iter().all(|task| task.chunks.refunded == 0), "it is paid work");
		story.check_pay();
	}
}

#[test]
fn a_training_is_cancelled_in_the_middle_of_a_round() {
	let mut story = Story::begin(plan(), BUDGET);
	story.until("a shard of the second round is given out", |story| {
		let second = story.begun().get(1).copied();
		second.is_some_and(|(_, (_, task))| {
			story.assigned().iter().any(|(id, _)| id.chunk.task == task)
		})
	});
	let cancel = Call::cancel_training { training: 0 };
	let stranger = Key::named("Bob").account();
	let refused = story.world.read(|| call(&stranger, cancel.clone()));
	assert_eq!(refused, Err(Error::<Runtime>::NotRequester.into()));
	assert_eq!(story.world.edit(|| call(&alice(), cancel.clone())), Ok(()));
	let refused = story.world.read(|| call(&alice(), cancel));
	assert_eq!(refused, Err(Error::<Runtime>::NotRunning.into()));

	let training = story.ends_for(StopReason::Cancelled);
	assert_eq!(training.round, 1);
	assert_eq!(training.state, lesson::expected(&story.plan)[0].state);
	let (_, (_, task)) = story.begun()[1];
	let chunks = story.tasks()[task as usize].chunks;
	assert_eq!(chunks.paid + chunks.refunded, SHARDS);
	assert!(chunks.paid > 0, "what was in hand was finished and paid");
	story.check_pay();
}

#[test]
fn of_a_training_that_ended_long_ago_nothing_is_left() {
	let mut story = Story::begin(Plan { rounds: 1, ..plan() }, BUDGET);
	story.ends_for(StopReason::Rounds);
	let mut world = story.world;
	let kept = <<Runtime as pallet_training::Config>::KeepEnded as Get<u32>>::get();
	world.edit(|| Now::<Runtime>::mutate(|now| *now += kept));
	for _ in 0..5 {
		world.block();
	}
	world.read(|| {
		assert_eq!(Trainings::<Runtime>::iter_keys().next(), None);
		assert_eq!(Steps::<Runtime>::iter_keys().next(), None);
		assert_eq!(TrainingPages::<Runtime>::iter_keys().next(), None);
		assert!(TrainingEnds::<Runtime>::get().is_empty());
	});
}

#[test]
fn trainings_touch_no_more_than_they_weigh() {
	let largest = Evaluation { chunks: 16, ..plan().evaluate.unwrap() };
	let wide = Plan { shards: 12, quorum: 12, evaluate: Some(largest), rounds: 2, ..plan() };
	for plan in [wide, lame_plan(SHARDS - 1)] {
		let mut world = World::new().unchecked();
		let mut owners = enroll(&mut world, plan.class);
		let submission = Call::submit_training { plan, budget: BUDGET };
		for name in ["Alice", "Bob", "Charlie"] {
			world.submit(&Key::named(name), RuntimeCall::Training(submission.clone()));
		}
		world.block_ok();
		let cancel = Call::cancel_training { training: 0 };
		let is_over = |training: TrainingOf<Runtime>| training.phase == Phase::Ended;
		let mut blocks = 0;
		while !world.read(|| Trainings::<Runtime>::iter_values().all(is_over)) {
			assert!(blocks < PATIENCE, "a training is stuck");
			blocks += 1;
			check_hooks(&world);
			check_call(&world, &submission);
			check_call(&world, &cancel);
			world.work(&mut owners);
		}
	}
}

/// Runs the hooks of the next block, and forgets what they changed.
fn check_hooks(world: &World) {
	let Polled { keys, weight, events } = world.poll();
	let (touched, weight) = (database_weight(&keys), weight.ref_time());
	assert!(touched <= weight, "{touched} of {weight}: {keys}with {events:?}");
}

/// Has Alice make a call on the state after the last block, and forgets what it changed.
fn check_call(world: &World, call: &Call<Runtime>) {
	let call = RuntimeCall::Training(call.clone());
	let origin = RuntimeOrigin::signed(alice());
	let (result, keys) = world.count(|| call.clone().dispatch(origin));
	let weight = extract_actual_weight(&result, &call.get_dispatch_info()).ref_time();
	let touched = database_weight(&keys);
	assert!(touched <= weight, "{touched} of {weight}: {keys}in {call:?}, {result:?}");
}

/// Picoseconds that it takes to read and write so many keys.
fn database_weight(keys: &Keys) -> u64 {
	let (reads, writes) = keys.number();
	let database = <Runtime as frame_system::Config>::DbWeight::get();
	database.reads_writes(reads, writes).ref_time()
}
