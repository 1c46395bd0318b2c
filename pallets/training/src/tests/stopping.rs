//! Stopping before the last round, by what evaluations find.

use crate::{mock::*, types::Phase, Event, StopReason, StopRule};
use codec::Encode;
use sp_runtime::Permill;
use tequio_primitives::{
	recompute::Output,
	training::{Counts, TrainingId},
};

fn submit_stopping(target: Option<u32>, plateau: u32) -> TrainingId {
	let target = target.map(Permill::from_percent);
	submit(changed(|plan| {
		plan.rounds = 100;
		plan.stop = StopRule { target, plateau };
	}))
}

/// Does a round, and has its state evaluated: so many of 100 rows are right.
fn round(id: TrainingId, right: u64) {
	finish_round(id);
	evaluate(id, right);
}

/// Does a round whose evaluation comes to nothing.
fn unjudged_round(id: TrainingId) {
	finish_round(id);
	let task = evaluating_task(id);
	refund(task, 0);
	refund(task, 1);
	advance(1);
}

/// Why a training has ended.
fn reason(id: TrainingId) -> Option<StopReason> {
	let training = record(id);
	training.reason.filter(|_| training.phase == Phase::Ended)
}

#[test]
fn a_training_stops_at_its_target() {
	build_and_execute(|| {
		let id = submit_stopping(Some(90), 0);
		round(id, 89);
		assert_eq!(record(id).reason, None);
		round(id, 90);
		assert_eq!(reason(id), Some(StopReason::Target));
		let training = record(id);
		assert_eq!((training.round, training.state), (2, state(1)));
		assert_eq!(training.scores.best, Some((1, counts(90, 100))));
		// The round that had begun beside the evaluation was closed.
		System::assert_has_event(
			Event::TrainingClosing { training: id, reason: StopReason::Target }.into(),
		);
		assert!(Orders::get().iter().all(|placed| placed.ended));
	});
}

#[test]
fn a_state_that_was_paid_for_is_gone_on_with_before_the_training_stops() {
	build_and_execute(|| {
		let id = submit_stopping(Some(90), 0);
		finish_round(id);
		train(id, &[0, 1, 2]);
		advance(1);
		// Both are news in the same block.
		pay(aggregating_task(id), 0, Output::hidden(state(1)));
		evaluate(id, 95);
		assert_eq!(reason(id), Some(StopReason::Target));
		assert_eq!((record(id).round, record(id).state), (2, state(1)));
	});
}

#[test]
fn a_training_stops_after_evaluations_that_bring_nothing_better() {
	build_and_execute(|| {
		let id = submit_stopping(None, 2);
		for right in [50, 60, 60, 61, 40] {
			round(id, right);
			assert_eq!(record(id).reason, None);
		}
		assert_eq!(record(id).scores.since_best, 1);
		round(id, 61);
		assert_eq!(reason(id), Some(StopReason::Plateau));
		let scores = record(id).scores;
		assert_eq!(scores.best, Some((3, counts(61, 100))));
		assert_eq!(scores.last, Some((5, counts(61, 100))));
	});
}

#[test]
fn a_lower_loss_at_the_same_accuracy_is_better() {
	build_and_execute(|| {
		let id = submit_stopping(None, 1);
		for loss in [9, 8, 7] {
			finish_round(id);
			let counts = Counts { right: 10, rows: 20, loss };
			for chunk in 0..2 {
				pay(evaluating_task(id), chunk, Output::of(&counts.encode()));
			}
			advance(1);
			assert_eq!((record(id).scores.since_best, record(id).reason), (0, None));
		}
	});
}

#[test]
fn a_failed_evaluation_counts_for_nothing() {
	build_and_execute(|| {
		let id = submit_stopping(Some(90), 2);
		round(id, 50);
		round(id, 50);
		for _ in 0..3 {
			unjudged_round(id);
			assert_eq!((record(id).scores.since_best, record(id).reason), (1, None));
		}
		round(id, 50);
		assert_eq!(reason(id), Some(StopReason::Plateau));
	});
}

#[test]
fn without_a_rule_a_training_goes_on() {
	build_and_execute(|| {
		let id = submit_stopping(None, 0);
		for _ in 0..5 {
			round(id, 100);
		}
		assert_eq!((record(id).reason, record(id).scores.since_best), (None, 4));
	});
}

#[test]
fn a_training_that_stops_waits_for_what_is_in_hand() {
	build_and_execute(|| {
		let id = submit_stopping(Some(90), 0);
		finish_round(id);
		Prompt::set(false);
		let task = training_task(id);
		evaluate(id, 95);
		assert_eq!((record(id).phase, record(id).live), (Phase::Closing, 1));
		assert!(order(task).closed);
		advance(2 * STEP);
		assert_eq!(record(id).phase, Phase::Closing);

		for shard in 0..3 {
			pay(task, shard, Output::hidden(given(1, shard)));
		}
		advance(1);
		let training = record(id);
		assert_eq!((training.phase, training.round), (Phase::Ended, 1));
		// Two trainings of all shards, an aggregation, an evaluation.
		assert_eq!(training.money.spent, (300 + 10 + 10 + 300) * PRICE);
	});
}
