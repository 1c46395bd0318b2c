//! `submit_training`.

use crate::{mock::*, types::Phase, Error, Evaluation, Event, NextTraining, Plan, Steps, StopRule};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use sp_core::H256;
use sp_runtime::{DispatchError, Permill};
use tequio_primitives::{training::TrainingId, Balance, WorkClass};

fn try_submit(plan: Plan, budget: Balance) -> DispatchResult {
	Training::submit_training(RuntimeOrigin::signed(ALICE), plan, budget)
}

#[test]
fn submit_training_works() {
	build_and_execute(|| {
		assert_ok!(try_submit(plan(), BUDGET));

		assert_eq!((held(ALICE), locked(ALICE)), (BUDGET - TRAIN, TRAIN));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - BUDGET);
		let training = record(0);
		assert_eq!((training.plan.deadline, training.plan.step_deadline), (16, STEP));
		assert_eq!((training.round, training.live, training.state), (0, 1, H256::zero()));
		let Phase::Training { ordered, outputs } = training.phase else { panic!("it trains") };
		assert_eq!((ordered.task, ordered.due, ordered.ended), (0, 1 + STEP, false));
		assert_eq!(outputs.into_inner(), vec![H256::zero(); 3]);
		assert_eq!(Steps::<Test>::get(0), Some(0));
		assert_eq!(NextTraining::<Test>::get(), 1);
		System::assert_has_event(
			Event::TrainingSubmitted {
				training: 0,
				requester: ALICE,
				rounds: 3,
				shards: 3,
				locked: BUDGET,
			}
			.into(),
		);
		System::assert_last_event(Event::RoundBegan { training: 0, round: 0, task: 0 }.into());
	});
}

#[test]
fn submit_training_orders_the_first_round() {
	build_and_execute(|| {
		submit(plan());
		let order = order(0);
		assert_eq!((order.requester, order.price, order.deadline), (ALICE, PRICE, 16));
		assert_eq!(
			(order.spec.class, order.spec.program),
			(WorkClass::ExactF64, plan().train.program)
		);
		assert_eq!((order.spec.chunks, order.spec.units, order.spec.replicas), (3, 100, 1));
		assert_eq!(order.arguments.round, 0);
		assert_eq!(order.arguments.inputs.into_inner(), vec![H256::zero()]);
	});
}

#[test]
fn submit_training_works_at_the_bounds() {
	build_and_execute(|| {
		let least = |plan: &mut Plan| {
			(plan.shards, plan.quorum, plan.rounds) = (1, 1, 1);
			plan.evaluate =
				plan.evaluate.map(|evaluation| Evaluation { chunks: 1, rows: 1, ..evaluation });
		};
		let most = |plan: &mut Plan| {
			(plan.shards, plan.quorum, plan.rounds, plan.replicas) = (64, 64, 100_000, 7);
			(plan.deadline, plan.step_deadline) = (8_192, 28_800);
			plan.evaluate = plan.evaluate.map(|evaluation| Evaluation {
				chunks: 16,
				rows: u32::MAX,
				..evaluation
			});
		};
		submit(changed(least));
		submit(changed(most));
	});
}

#[test]
fn submit_training_should_fail_when_numbers_are_out_of_bounds() {
	build_and_execute(|| {
		let chunks = |number: u32| changed(|plan| plan.evaluate.as_mut().unwrap().chunks = number);
		let cases = [
			(changed(|plan| plan.shards = 0), Error::<Test>::ShardsOutOfBounds),
			(changed(|plan| plan.shards = 65), Error::ShardsOutOfBounds),
			(changed(|plan| plan.rounds = 0), Error::RoundsOutOfBounds),
			(changed(|plan| plan.rounds = 100_001), Error::RoundsOutOfBounds),
			(changed(|plan| plan.quorum = 0), Error::QuorumOutOfBounds),
			(changed(|plan| plan.quorum = 4), Error::QuorumOutOfBounds),
			(changed(|plan| plan.replicas = 0), Error::ReplicasOutOfBounds),
			(changed(|plan| plan.replicas = 8), Error::ReplicasOutOfBounds),
			(chunks(0), Error::EvaluationOutOfBounds),
			(chunks(17), Error::EvaluationOutOfBounds),
			(
				changed(|plan| plan.evaluate.as_mut().unwrap().rows = 0),
				Error::EvaluationOutOfBounds,
			),
		];
		for (plan, error) in cases {
			assert_noop!(try_submit(plan, BUDGET), error);
		}
	});
}

#[test]
fn submit_training_should_fail_when_there_is_nothing_to_pay_for() {
	build_and_execute(|| {
		let units = [
			changed(|plan| plan.train.units = 0),
			changed(|plan| plan.aggregate.units = 0),
			changed(|plan| plan.evaluate.as_mut().unwrap().units = 0),
		];
		for plan in units {
			assert_noop!(try_submit(plan, BUDGET), Error::<Test>::NoUnits);
		}
		let plan = changed(|plan| plan.price = 0);
		assert_noop!(try_submit(plan, BUDGET), Error::<Test>::ZeroPrice);
	});
}

#[test]
fn submit_training_should_fail_when_nothing_is_trained_in_the_class() {
	build_and_execute(|| {
		for class in [WorkClass::RandomXSearch, WorkClass::Integer] {
			let plan = changed(|plan| plan.class = class);
			assert_noop!(try_submit(plan, BUDGET), Error::<Test>::NotTrainable);
		}
	});
}

#[test]
fn submit_training_trains_in_the_class_of_the_plan() {
	build_and_execute(|| {
		for class in [WorkClass::ExactF64, WorkClass::ExactF32, WorkClass::BandedF32] {
			let id = submit(changed(|plan| plan.class = class));
			assert_eq!(order(training_task(id)).spec.class, class);
		}
	});
}

#[test]
fn submit_training_should_fail_when_deadlines_are_out_of_bounds() {
	build_and_execute(|| {
		// A step of 32 blocks has no room for a chunk of 64.
		for (deadline, step_deadline) in
			[(0, 30), (28_801, 28_800), (10, 0), (10, 28_801), (33, 32)]
		{
			let plan = changed(|plan| {
				(plan.deadline, plan.step_deadline) = (deadline, step_deadline);
			});
			assert_noop!(try_submit(plan, BUDGET), Error::<Test>::DeadlineOutOfBounds);
		}
	});
}

#[test]
fn submit_training_should_fail_when_a_step_is_due_before_a_chunk_can_be_paid() {
	build_and_execute(|| {
		// A chunk has 16 blocks, and a step 32.
		Checks::set(16);
		assert_noop!(try_submit(plan(), BUDGET), Error::<Test>::StepTooShort);
		let plan_with_more = changed(|plan| plan.step_deadline = STEP + 1);
		assert_ok!(try_submit(plan_with_more, BUDGET));
		Checks::set(15);
		assert_ok!(try_submit(plan(), BUDGET));
		// Both count as they are rounded up.
		let rounded = changed(|plan| (plan.deadline, plan.step_deadline) = (17, 18));
		assert_noop!(try_submit(rounded, BUDGET), Error::<Test>::StepTooShort);
	});
}

#[test]
fn submit_training_should_fail_when_it_stops_by_what_nobody_evaluates() {
	build_and_execute(|| {
		let target = Some(Permill::from_percent(90));
		for stop in [StopRule { target, plateau: 0 }, StopRule { target: None, plateau: 1 }] {
			let plan = changed(|plan| (plan.evaluate, plan.stop) = (None, stop));
			assert_noop!(try_submit(plan, BUDGET), Error::<Test>::NothingEvaluated);
		}
	});
}

#[test]
fn submit_training_should_fail_when_a_step_cannot_be_ordered() {
	build_and_execute(|| {
		Orderable::set(false);
		assert_noop!(try_submit(plan(), BUDGET), Error::<Test>::NotOrderable);
		Orderable::set(true);
		// The pay of a single step has no place in 128 bits.
		let plan = changed(|plan| plan.price = Balance::MAX / 100);
		assert_noop!(try_submit(plan, Balance::MAX), Error::<Test>::NotOrderable);
	});
}

#[test]
fn submit_training_should_fail_when_the_budget_does_not_cover_a_round() {
	build_and_execute(|| {
		let round = TRAIN + AGGREGATE + EVALUATE;
		assert_noop!(try_submit(plan(), round - 1), Error::<Test>::BudgetTooSmall);
		assert_ok!(try_submit(plan(), round));
		// Without an evaluation it has to cover less.
		assert_noop!(try_submit(unjudged(), TRAIN + AGGREGATE - 1), Error::<Test>::BudgetTooSmall);
		assert_ok!(try_submit(unjudged(), TRAIN + AGGREGATE));
	});
}

#[test]
fn submit_training_should_fail_when_the_funds_do_not_cover_the_budget() {
	build_and_execute(|| {
		let origin = RuntimeOrigin::signed(POOR);
		assert_noop!(
			Training::submit_training(origin, plan(), BUDGET),
			Error::<Test>::InsufficientFunds
		);
	});
}

#[test]
fn submit_training_should_fail_when_the_first_task_is_refused() {
	build_and_execute(|| {
		Takes::set(false);
		assert_noop!(try_submit(plan(), BUDGET), DispatchError::Other("no order is taken"));
	});
}

#[test]
fn submit_training_should_fail_when_the_numbers_are_used_up() {
	build_and_execute(|| {
		NextTraining::<Test>::put(TrainingId::MAX);
		assert_noop!(try_submit(plan(), BUDGET), Error::<Test>::NoTrainingNumber);
	});
}
