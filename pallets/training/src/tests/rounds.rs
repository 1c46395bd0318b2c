//! One round after the other: what goes into which task, and what comes of a failing one.

use crate::{
	mock::*,
	types::{Phase, MAX_LIVE},
	Error, Event, StopReason, Trainings,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use tequio_primitives::{
	recompute::Output,
	training::{TrainingId, DIVERGED},
	TaskId, WorkClass,
};

const NONE: H256 = H256::zero();

fn inputs(task: TaskId) -> Vec<H256> {
	order(task).arguments.inputs.into_inner()
}

/// Why a training has ended.
fn reason(id: TrainingId) -> Option<StopReason> {
	let training = record(id);
	training.reason.filter(|_| training.phase == Phase::Ended)
}

/// A training that aggregates its first round.
fn submit_aggregating() -> TrainingId {
	let id = submit(plan());
	train(id, &[0, 1, 2]);
	advance(1);
	id
}

#[test]
fn what_the_shards_gave_is_aggregated() {
	build_and_execute(|| {
		let id = submit(plan());
		train(id, &[0, 1]);
		advance(1);
		// The third shard is waited for.
		assert!(matches!(record(id).phase, Phase::Training { .. }));
		train(id, &[2]);
		advance(1);

		let task = aggregating_task(id);
		let placed = order(task);
		assert_eq!(
			(placed.spec.class, placed.spec.program),
			(WorkClass::ExactF64, plan().aggregate.program)
		);
		assert_eq!((placed.spec.chunks, placed.spec.units), (1, 10));
		assert_eq!(placed.arguments.round, 0);
		assert_eq!(inputs(task), vec![NONE, given(0, 0), given(0, 1), given(0, 2)]);
		System::assert_last_event(
			Event::RoundTrained { training: id, round: 0, task, kept: 3, missing: 0 }.into(),
		);
	});
}

#[test]
fn whatever_a_round_is_trained_in_it_is_aggregated_in_doubles() {
	build_and_execute(|| {
		for class in [WorkClass::ExactF32, WorkClass::BandedF32] {
			let id = submit(changed(|plan| plan.class = class));
			train(id, &[0, 1, 2]);
			advance(1);
			assert_eq!(order(aggregating_task(id)).spec.class, WorkClass::ExactF64);
			pay(aggregating_task(id), 0, Output::hidden(state(0)));
			advance(1);
			assert_eq!(
				order(training_task(id)).spec.class,
				class,
				"the next round is trained as before"
			);
			assert_eq!(order(evaluating_task(id)).spec.class, WorkClass::Integer);
		}
	});
}

#[test]
fn a_new_state_is_evaluated_while_the_next_round_begins_from_it() {
	build_and_execute(|| {
		let id = submit(plan());
		finish_round(id);

		let training = record(id);
		assert_eq!((training.round, training.state, training.live), (1, state(0), 2));
		let (evaluating, task) = (evaluating_task(id), training_task(id));
		let placed = order(evaluating);
		assert_eq!((placed.spec.class, placed.spec.chunks), (WorkClass::Integer, 2));
		assert_eq!((placed.arguments.round, inputs(evaluating)), (0, vec![state(0)]));
		assert_eq!((order(task).arguments.round, inputs(task)), (1, vec![state(0)]));
		for event in [
			Event::RoundAggregated { training: id, round: 0, state: state(0) },
			Event::EvaluationBegan { training: id, round: 0, task: evaluating },
			Event::RoundBegan { training: id, round: 1, task },
		] {
			System::assert_has_event(event.into());
		}
	});
}

#[test]
fn what_shards_gave_is_carried_to_their_next_training_if_the_plan_says_so() {
	build_and_execute(|| {
		let id = submit(changed(|plan| (plan.carry, plan.evaluate) = (true, None)));
		assert_eq!(inputs(training_task(id)), vec![NONE]);
		finish_round(id);
		let first = vec![state(0), given(0, 0), given(0, 1), given(0, 2)];
		assert_eq!(inputs(training_task(id)), first);

		// Who gives nothing in a round begins anew.
		let task = training_task(id);
		train(id, &[0, 2]);
		refund(task, 1);
		advance(1);
		let second = vec![state(0), given(1, 0), NONE, given(1, 2)];
		assert_eq!(inputs(aggregating_task(id)), second);
		pay(aggregating_task(id), 0, Output::hidden(state(1)));
		advance(1);
		let third = vec![state(1), given(1, 0), NONE, given(1, 2)];
		assert_eq!(inputs(training_task(id)), third);
	});
}

#[test]
fn a_training_without_carry_keeps_no_outputs() {
	build_and_execute(|| {
		let id = submit(unjudged());
		finish_round(id);
		assert!(record(id).previous.is_empty());
		assert_eq!(inputs(training_task(id)), vec![state(0)]);
	});
}

#[test]
fn a_training_that_has_ended_keeps_no_outputs() {
	build_and_execute(|| {
		let id = submit(changed(|plan| plan.carry = true));
		finish_round(id);
		assert_eq!(record(id).previous.len(), 3);
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(ALICE), id));
		assert_eq!(reason(id), Some(StopReason::Cancelled));
		assert!(record(id).previous.is_empty());
	});
}

#[test]
fn a_training_ends_after_its_rounds() {
	build_and_execute(|| {
		let id = submit(unjudged());
		for round in 0..3 {
			assert_eq!((reason(id), record(id).round), (None, round));
			finish_round(id);
		}
		assert_eq!(reason(id), Some(StopReason::Rounds));
		let money = record(id).money;
		assert_eq!(money.spent, 3 * (300 + 10) * PRICE);
		System::assert_last_event(
			Event::TrainingEnded {
				training: id,
				reason: StopReason::Rounds,
				rounds: 3,
				state: state(2),
				money,
			}
			.into(),
		);
		advance(KEPT - 1);
		assert!(Trainings::<Test>::contains_key(id));
		advance(1);
		assert!(!Trainings::<Test>::contains_key(id));
		System::assert_has_event(Event::TrainingPruned { training: id }.into());
	});
}

#[test]
fn an_aggregation_without_pay_stops_the_training() {
	build_and_execute(|| {
		let id = submit_aggregating();
		refund(aggregating_task(id), 0);
		advance(1);
		assert_eq!(reason(id), Some(StopReason::NotAggregated));
		assert_eq!((record(id).round, record(id).state), (0, NONE));
	});
}

#[test]
fn an_aggregation_that_is_late_stops_the_training_where_it_is_not_in_hand() {
	build_and_execute(|| {
		let id = submit_aggregating();
		let task = aggregating_task(id);
		advance(STEP - 1);
		assert_eq!(aggregating_task(id), task);
		assert!(!order(task).closed);
		advance(1);
		assert!(order(task).closed);
		assert_eq!(reason(id), Some(StopReason::NotAggregated));
	});
}

#[test]
fn an_aggregation_that_is_late_and_in_hand_is_closed_once_and_waited_for() {
	build_and_execute(|| {
		Prompt::set(false);
		let id = submit_aggregating();
		let task = aggregating_task(id);
		advance(STEP);
		assert!(order(task).closed);
		// It is waited for, and nothing is to be done until it has ended.
		let before = record(id);
		let advance_late = || Training::advance_trainings(RuntimeOrigin::signed(BOB), 1);
		assert_noop!(advance_late(), Error::<Test>::NothingLate);
		advance(2 * STEP);
		assert_eq!(record(id), before);

		pay(task, 0, Output::hidden(state(0)));
		advance(1);
		let training = record(id);
		assert_eq!((training.round, training.state, training.reason), (1, state(0), None));
		assert_eq!(inputs(training_task(id)), vec![state(0)]);
	});
}

#[test]
fn an_aggregation_that_was_closed_and_gives_nothing_stops_the_training() {
	build_and_execute(|| {
		Prompt::set(false);
		let id = submit_aggregating();
		let task = aggregating_task(id);
		advance(STEP);
		assert_eq!(record(id).reason, None);
		refund(task, 0);
		advance(1);
		assert_eq!(reason(id), Some(StopReason::NotAggregated));
		assert_eq!((record(id).round, record(id).state), (0, NONE));
	});
}

#[test]
fn an_aggregation_that_gives_the_empty_hash_has_given_nothing() {
	build_and_execute(|| {
		let id = submit_aggregating();
		pay(aggregating_task(id), 0, Output::hidden(NONE));
		advance(1);
		assert_eq!(reason(id), Some(StopReason::NotAggregated));
	});
}

#[test]
fn a_state_that_diverged_stops_the_training() {
	build_and_execute(|| {
		for shown in [Output::of(DIVERGED), Output::hidden(Output::of(DIVERGED).hash)] {
			let id = submit_aggregating();
			pay(aggregating_task(id), 0, shown);
			advance(1);
			assert_eq!(reason(id), Some(StopReason::Diverged));
			assert_eq!((record(id).round, record(id).state), (0, NONE));
		}
	});
}

#[test]
fn a_refused_order_leaves_nothing_and_stops_the_training() {
	build_and_execute(|| {
		let id = submit(plan());
		train(id, &[0, 1, 2]);
		let orders = Orders::get().len();
		Takes::set(false);
		advance(1);
		assert_eq!(reason(id), Some(StopReason::NotOrdered));
		assert_eq!(Orders::get().len(), orders);
		assert_eq!((held(ALICE), locked(ALICE)), (0, 0));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - 300 * PRICE);
	});
}

#[test]
fn a_step_that_has_no_cost_any_more_stops_the_training() {
	build_and_execute(|| {
		let id = submit(plan());
		train(id, &[0, 1, 2]);
		Orderable::set(false);
		advance(1);
		assert_eq!(reason(id), Some(StopReason::NotOrdered));
	});
}

#[test]
fn a_round_waits_until_enough_of_what_was_closed_has_ended() {
	build_and_execute(|| {
		Prompt::set(false);
		let id = submit(changed(|plan| (plan.rounds, plan.evaluate) = (20, None)));
		// One shard of each round is always late, and stays in hand.
		let mut late = Vec::new();
		for round in 0..MAX_LIVE - 1 {
			late.push(training_task(id));
			train(id, &[0, 1]);
			advance(STEP);
			pay(aggregating_task(id), 0, Output::hidden(state(round)));
			advance(1);
		}
		assert_eq!((&record(id).phase, record(id).live), (&Phase::Between, MAX_LIVE - 1));
		advance(3 * STEP);
		assert_eq!(record(id).phase, Phase::Between);

		end_task(late[0]);
		advance(1);
		assert!(matches!(record(id).phase, Phase::Training { .. }));
		assert_eq!(record(id).live, MAX_LIVE - 1);
	});
}

#[test]
fn trainings_do_not_touch_each_other() {
	build_and_execute(|| {
		let one = submit(plan());
		let other = submit_for(BOB, plan(), BUDGET);
		finish_round(one);
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(BOB), other));
		assert_eq!((record(one).round, record(one).reason), (1, None));
		assert_eq!((record(other).round, reason(other)), (0, Some(StopReason::Cancelled)));
		assert_eq!(Balances::free_balance(BOB), FUNDS);
	});
}
