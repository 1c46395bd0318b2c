//! `advance_trainings`, and the agenda.

use crate::{
	mock::*,
	types::{Phase, Queue, TrainingFifo},
	Error, Event, Trainings, WeightInfo,
};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::WeightMeter};
use tequio_primitives::{fifo::MAX_STEPS, training::TrainingId};

type Weights = <Test as crate::Config>::WeightInfo;

fn try_advance(limit: u32) -> frame_support::dispatch::DispatchResultWithPostInfo {
	Training::advance_trainings(RuntimeOrigin::signed(BOB), limit)
}

/// Trainings whose shards are all trained on, and that nobody visited since.
fn trained(number: u32) -> Vec<TrainingId> {
	let ids: Vec<TrainingId> = (0..number).map(|_| submit(plan())).collect();
	for id in &ids {
		train(*id, &[0, 1, 2]);
	}
	ids
}

fn aggregating(ids: &[TrainingId]) -> usize {
	let aggregates = |id: &&TrainingId| matches!(record(**id).phase, Phase::Aggregating { .. });
	ids.iter().filter(aggregates).count()
}

#[test]
fn advance_trainings_works() {
	build_and_execute(|| {
		let ids = trained(5);
		let info = try_advance(2).unwrap();
		assert_eq!(aggregating(&ids), 2);
		assert!(info.actual_weight.unwrap().all_lte(Weights::advance_trainings(2)));
		assert_ok!(try_advance(MAX_STEPS));
		assert_eq!(aggregating(&ids), 5);
	});
}

#[test]
fn advance_trainings_ends_steps_that_are_due() {
	build_and_execute(|| {
		let id = submit(plan());
		train(id, &[0, 1]);
		pass_time(STEP - 1);
		assert_noop!(try_advance(1), Error::<Test>::NothingLate);
		pass_time(1);
		assert_ok!(try_advance(1));
		assert_eq!(aggregating(&[id]), 1);
	});
}

#[test]
fn advance_trainings_removes_what_ended_long_ago() {
	build_and_execute(|| {
		let id = submit(plan());
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(ALICE), id));
		// What its task told is news no more.
		assert_ok!(try_advance(1));
		pass_time(KEPT - 1);
		assert_noop!(try_advance(1), Error::<Test>::NothingLate);
		pass_time(1);
		assert_ok!(try_advance(1));
		assert!(!Trainings::<Test>::contains_key(id));
		System::assert_last_event(Event::TrainingPruned { training: id }.into());
	});
}

#[test]
fn advance_trainings_should_fail_when_the_limit_is_out_of_bounds() {
	build_and_execute(|| {
		for limit in [0, MAX_STEPS + 1] {
			assert_noop!(try_advance(limit), Error::<Test>::LimitOutOfBounds);
		}
	});
}

#[test]
fn advance_trainings_should_fail_when_nothing_is_late() {
	build_and_execute(|| {
		submit(plan());
		assert_noop!(try_advance(1), Error::<Test>::NothingLate);
	});
}

#[test]
fn the_agenda_keeps_to_its_budget_and_comes_back_to_the_rest() {
	build_and_execute(|| {
		let ids = trained(5);
		let most = Weights::agenda_heads() + Weights::visit_training().saturating_mul(2);
		Share::set(most);
		for done in [2, 4, 5] {
			pass_time(1);
			let mut meter = WeightMeter::new();
			Training::on_poll(System::block_number(), &mut meter);
			assert_eq!(aggregating(&ids), done);
			assert!(meter.consumed().all_lte(most));
		}
	});
}

#[test]
fn a_queue_that_is_full_does_not_delay_the_others() {
	// Whichever queue has the first turn.
	for height in 0..10 {
		build_and_execute(|| {
			pass_time(height);
			let late: Vec<TrainingId> = (0..6).map(|_| submit(plan())).collect();
			pass_time(STEP);
			let news = trained(1);
			Share::set(Weights::agenda_heads() + Weights::visit_training().saturating_mul(2));
			Training::on_poll(System::block_number(), &mut WeightMeter::new());
			assert_eq!(aggregating(&news), 1);
			let stopped = late.iter().filter(|id| record(**id).reason.is_some()).count();
			assert_eq!(stopped, 1);
		});
	}
}

#[test]
fn the_end_of_a_task_that_is_not_waited_for_is_no_news() {
	build_and_execute(|| {
		Prompt::set(false);
		let id = submit(unjudged());
		let late = training_task(id);
		train(id, &[0, 2]);
		advance(STEP);
		assert_eq!(aggregating(&[id]), 1);
		let news = || TrainingFifo::<Test>::len(Queue::Ready);
		assert_eq!(news(), 0);
		end_task(late);
		assert_eq!(news(), 0);
		end_task(aggregating_task(id));
		assert_eq!(news(), 1);
	});
}

#[test]
fn the_agenda_takes_no_more_than_the_block_has_left() {
	build_and_execute(|| {
		let ids = trained(1);
		let left = Weights::agenda_heads() + Weights::visit_training();
		let short = left - Weights::drop_entry();
		for (limit, done) in [(short, 0), (left, 1)] {
			Training::on_poll(System::block_number(), &mut WeightMeter::with_limit(limit));
			assert_eq!(aggregating(&ids), done);
		}
	});
}

#[test]
fn the_budget_of_a_block_has_room_for_a_step() {
	build_and_execute(<Training as Hooks<_>>::integrity_test);
}
