//! Evaluations: what is counted, when, and what happens if it cannot be.

use crate::{mock::*, types::Phase, Event, StopReason};
use codec::Encode;
use tequio_primitives::{
	recompute::Output,
	training::{Counts, TrainingId},
	ChunkIndex,
};

/// A training whose first round is being evaluated.
fn submit_evaluating() -> TrainingId {
	let id = submit(plan());
	finish_round(id);
	id
}

/// Has one chunk of the present evaluation show something.
fn show(id: TrainingId, chunk: ChunkIndex, bytes: &[u8]) {
	pay(evaluating_task(id), chunk, Output::of(bytes));
}

fn assert_failed(id: TrainingId) {
	let training = record(id);
	assert_eq!((training.evaluation, training.scores.last), (None, None));
	assert!(matches!(training.phase, Phase::Training { .. }), "training goes on");
	System::assert_has_event(Event::EvaluationFailed { training: id, round: 0 }.into());
}

#[test]
fn counts_of_all_chunks_are_summed() {
	build_and_execute(|| {
		let id = submit_evaluating();
		show(id, 1, &Counts { right: 30, rows: 40, loss: 7 }.encode());
		advance(1);
		assert_eq!(record(id).scores.last, None);
		show(id, 0, &Counts { right: 40, rows: 60, loss: 5 }.encode());
		advance(1);

		let counts = Counts { right: 70, rows: 100, loss: 12 };
		let scores = record(id).scores;
		assert_eq!((scores.best, scores.last), (Some((0, counts)), Some((0, counts))));
		assert_eq!(record(id).evaluation, None);
		System::assert_has_event(Event::RoundEvaluated { training: id, round: 0, counts }.into());
	});
}

#[test]
fn training_goes_on_beside_an_evaluation_for_one_round() {
	build_and_execute(|| {
		let id = submit_evaluating();
		let first = evaluating_task(id);
		finish_round(id);
		// Two rounds are done; the state of the second waits until that of the first was evaluated.
		let training = record(id);
		assert_eq!((training.round, training.phase), (2, Phase::Fresh));
		assert_eq!((evaluating_task(id), training.live), (first, 1));

		evaluate(id, 50);
		assert_ne!(evaluating_task(id), first);
		assert_eq!(record(id).evaluation.unwrap().round, 1);
		assert_eq!(order(training_task(id)).arguments.round, 2);
	});
}

#[test]
fn the_last_evaluation_is_waited_for() {
	build_and_execute(|| {
		let id = submit(changed(|plan| plan.rounds = 1));
		finish_round(id);
		assert_eq!((&record(id).phase, record(id).reason), (&Phase::Between, None));
		evaluate(id, 50);
		let training = record(id);
		assert_eq!((training.phase, training.reason), (Phase::Ended, Some(StopReason::Rounds)));
		assert_eq!(training.scores.last, Some((0, counts(50, 100))));
	});
}

#[test]
fn the_last_evaluation_is_not_waited_for_beyond_its_deadline() {
	build_and_execute(|| {
		let id = submit(changed(|plan| plan.rounds = 1));
		finish_round(id);
		advance(STEP);
		let training = record(id);
		assert_eq!((training.phase, training.reason), (Phase::Ended, Some(StopReason::Rounds)));
		System::assert_has_event(Event::EvaluationFailed { training: id, round: 0 }.into());
	});
}

#[test]
fn an_evaluation_that_is_late_is_closed_and_fails() {
	build_and_execute(|| {
		let id = submit_evaluating();
		let task = evaluating_task(id);
		show(id, 0, &counts(1, 2).encode());
		advance(1);
		train(id, &[0, 1]);
		advance(STEP - 2);
		assert_eq!(evaluating_task(id), task);
		advance(1);
		assert!(order(task).closed);
		assert_eq!(record(id).evaluation, None);
		System::assert_has_event(Event::EvaluationFailed { training: id, round: 0 }.into());
		assert_eq!(record(id).reason, None);
	});
}

#[test]
fn what_a_late_evaluation_counts_is_not_used() {
	build_and_execute(|| {
		Prompt::set(false);
		let id = submit_evaluating();
		let task = evaluating_task(id);
		train(id, &[0, 1]);
		advance(STEP);
		assert_eq!(record(id).evaluation, None);
		for chunk in 0..2 {
			pay(task, chunk, Output::of(&counts(1, 2).encode()));
		}
		advance(1);
		assert_eq!(record(id).scores.last, None);
	});
}

#[test]
fn an_evaluation_fails_where_a_chunk_shows_no_counts() {
	build_and_execute(|| {
		let more_than_all = counts(3, 2).encode();
		for bytes in [b"nothing".as_slice(), b"".as_slice(), more_than_all.as_slice()] {
			let id = submit_evaluating();
			show(id, 0, &counts(1, 2).encode());
			show(id, 1, bytes);
			advance(1);
			assert_failed(id);
		}
	});
}

#[test]
fn an_evaluation_fails_where_a_chunk_claims_more_rows_than_it_counts() {
	build_and_execute(|| {
		let id = submit_evaluating();
		show(id, 0, &counts(1, u64::from(ROWS)).encode());
		show(id, 1, &counts(1, u64::from(ROWS) + 1).encode());
		advance(1);
		assert_failed(id);
	});
}

#[test]
fn an_evaluation_counts_as_many_rows_as_the_plan_says() {
	build_and_execute(|| {
		let id = submit_evaluating();
		let all = counts(1, ROWS.into());
		for chunk in 0..2 {
			show(id, chunk, &all.encode());
		}
		advance(1);
		assert_eq!(record(id).scores.last, Some((0, all.plus(all))));
	});
}

#[test]
fn an_evaluation_that_is_refused_fails_and_the_training_has_done_its_rounds() {
	build_and_execute(|| {
		let id = submit(changed(|plan| plan.rounds = 1));
		train(id, &[0, 1, 2]);
		advance(1);
		pay(aggregating_task(id), 0, Output::hidden(state(0)));
		let orders = Orders::get().len();
		Takes::set(false);
		advance(1);
		let training = record(id);
		assert_eq!((training.phase, training.reason), (Phase::Ended, Some(StopReason::Rounds)));
		assert_eq!((training.round, training.state), (1, state(0)));
		System::assert_has_event(Event::EvaluationFailed { training: id, round: 0 }.into());
		assert_eq!((Orders::get().len(), held(ALICE), locked(ALICE)), (orders, 0, 0));
	});
}

#[test]
fn an_evaluation_fails_where_counts_are_hidden() {
	build_and_execute(|| {
		let id = submit_evaluating();
		let shown = Output::of(&counts(1, 2).encode());
		pay(evaluating_task(id), 0, Output::hidden(shown.hash));
		pay(evaluating_task(id), 1, shown);
		advance(1);
		assert_failed(id);
	});
}

#[test]
fn an_evaluation_fails_where_a_chunk_is_not_paid() {
	build_and_execute(|| {
		let id = submit_evaluating();
		show(id, 0, &counts(1, 2).encode());
		refund(evaluating_task(id), 1);
		advance(1);
		assert_failed(id);
	});
}

#[test]
fn an_evaluation_of_no_rows_fails() {
	build_and_execute(|| {
		let id = submit_evaluating();
		for chunk in 0..2 {
			show(id, chunk, &counts(0, 0).encode());
		}
		advance(1);
		assert_failed(id);
	});
}
