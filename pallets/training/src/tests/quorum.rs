//! Shards that give nothing, or come too late.

use crate::{mock::*, types::Phase, Event, StopReason};
use frame_support::{traits::Hooks, weights::WeightMeter};
use sp_core::H256;
use tequio_primitives::{
	recompute::Output,
	training::{TrainingId, DIVERGED},
};

const NONE: H256 = H256::zero();

/// What goes into the aggregation of the first round.
fn aggregated(id: TrainingId) -> Vec<H256> {
	order(aggregating_task(id)).arguments.inputs.into_inner()
}

#[test]
fn a_quorum_goes_on_when_the_step_is_due_and_not_before() {
	build_and_execute(|| {
		let id = submit(plan());
		let task = training_task(id);
		train(id, &[0, 2]);
		advance(STEP - 1);
		assert_eq!(training_task(id), task);
		assert!(!order(task).closed);

		advance(1);
		assert!(order(task).closed);
		assert_eq!(aggregated(id), vec![NONE, given(0, 0), NONE, given(0, 2)]);
		let task = aggregating_task(id);
		System::assert_last_event(
			Event::RoundTrained { training: id, round: 0, task, kept: 2, missing: 1 }.into(),
		);
	});
}

#[test]
fn what_comes_after_the_step_was_due_is_paid_and_not_used() {
	build_and_execute(|| {
		Prompt::set(false);
		let id = submit(changed(|plan| (plan.carry, plan.evaluate) = (true, None)));
		let late = training_task(id);
		train(id, &[0, 2]);
		advance(STEP);
		assert_eq!(record(id).live, 2);

		pay(late, 1, Output::hidden(given(0, 1)));
		advance(1);
		let training = record(id);
		assert_eq!((training.live, training.money.spent), (1, 300 * PRICE));
		assert_eq!(training.previous.into_inner(), vec![given(0, 0), NONE, given(0, 2)]);
		assert_eq!(aggregated(id), vec![NONE, given(0, 0), NONE, given(0, 2)]);
	});
}

#[test]
fn what_comes_after_the_step_was_due_is_not_used_though_the_agenda_is_late() {
	build_and_execute(|| {
		let id = submit(unjudged());
		let task = training_task(id);
		train(id, &[0]);
		pass_time(STEP);
		train(id, &[2]);
		pass_time(1);
		pay(task, 1, Output::hidden(given(0, 1)));
		assert_eq!(record(id).money.spent, 300 * PRICE);
		advance(1);
		assert_eq!(aggregated(id), vec![NONE, given(0, 0), NONE, given(0, 2)]);
	});
}

#[test]
fn a_quorum_goes_on_at_once_when_nothing_more_can_come() {
	build_and_execute(|| {
		let id = submit(plan());
		let task = training_task(id);
		train(id, &[1]);
		refund(task, 0);
		advance(1);
		assert_eq!(training_task(id), task);
		train(id, &[2]);
		advance(1);
		assert_eq!(aggregated(id), vec![NONE, NONE, given(0, 1), given(0, 2)]);
	});
}

#[test]
fn a_missed_quorum_stops_the_training_when_nothing_more_can_come() {
	build_and_execute(|| {
		let id = submit(plan());
		let task = training_task(id);
		train(id, &[1]);
		refund(task, 0);
		refund(task, 2);
		advance(1);
		let training = record(id);
		assert_eq!(
			(training.phase, training.reason),
			(Phase::Ended, Some(StopReason::QuorumMissed))
		);
		assert_eq!(Balances::free_balance(ALICE), FUNDS - 100 * PRICE);
	});
}

#[test]
fn a_missed_quorum_stops_the_training_when_the_step_is_due() {
	build_and_execute(|| {
		let id = submit(plan());
		let task = training_task(id);
		train(id, &[1]);
		advance(STEP - 1);
		assert_eq!(training_task(id), task);
		advance(1);
		assert!(order(task).closed);
		let reason = StopReason::QuorumMissed;
		assert_eq!((record(id).phase, record(id).reason), (Phase::Ended, Some(reason)));
		System::assert_has_event(Event::TrainingClosing { training: id, reason }.into());
	});
}

#[test]
fn a_task_that_ends_without_its_chunks_counts_by_what_was_paid() {
	build_and_execute(|| {
		// As when it expires, or its input cannot be had.
		let id = submit(plan());
		train(id, &[0, 1]);
		end_task(training_task(id));
		advance(1);
		assert_eq!(aggregated(id), vec![NONE, given(0, 0), given(0, 1), NONE]);
	});
}

#[test]
fn numbers_that_are_not_finite_are_left_out() {
	build_and_execute(|| {
		let id = submit(plan());
		let task = training_task(id);
		pay(task, 0, Output::of(DIVERGED));
		train(id, &[1, 2]);
		advance(1);
		assert_eq!(aggregated(id), vec![NONE, NONE, given(0, 1), given(0, 2)]);

		let id = submit(plan());
		let task = training_task(id);
		pay(task, 0, Output::of(DIVERGED));
		pay(task, 1, Output::hidden(Output::of(DIVERGED).hash));
		train(id, &[2]);
		advance(1);
		assert_eq!(record(id).reason, Some(StopReason::QuorumMissed));
	});
}

#[test]
fn an_entry_of_a_step_that_is_over_does_nothing() {
	build_and_execute(|| {
		let id = submit(unjudged());
		finish_round(id);
		let before = record(id);
		// The first step would have been due now; the second is due later.
		pass_time(STEP - 2);
		let events = System::events().len();
		Training::on_poll(System::block_number(), &mut WeightMeter::new());
		assert_eq!(record(id), before);
		assert_eq!(System::events().len(), events);
	});
}
