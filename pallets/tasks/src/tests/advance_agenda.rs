//! `advance_agenda`.

use crate::{mock::*, Ended, Error, Tasks as TasksMap, WeightInfo};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{api::TaskStatus, fifo::MAX_STEPS};

type Weights = <Test as crate::Config>::WeightInfo;

#[test]
fn advance_agenda_works() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(9);
		for index in 0..9 {
			accept(attempt(task, index, 0), 64, winners(&[]), vec![]);
		}
		pass_time(CHALLENGE);
		let paid = || TasksMap::<Test>::get(task).unwrap().counts.paid;

		let info = Tasks::advance_agenda(RuntimeOrigin::signed(BOB), 1).unwrap();
		assert!(
			(1..9).contains(&paid()),
			"{} of 9 chunks are paid for the weight of one step",
			paid()
		);
		let used = info.actual_weight.unwrap();
		assert!(used.all_lte(Weights::advance_agenda(1)));
		assert_ok!(Tasks::advance_agenda(RuntimeOrigin::signed(BOB), MAX_STEPS));
		assert_eq!(paid(), 9);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Ended);
	});
}

#[test]
fn advance_agenda_draws_no_seats() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		submit(1);
		pass_time(17);
		// The missed deadline is taken; the reopened chunk and the other task's wait for a block's
		// own agenda.
		assert_ok!(Tasks::advance_agenda(RuntimeOrigin::signed(BOB), MAX_STEPS));
		pass_time(2);
		assert_noop!(
			Tasks::advance_agenda(RuntimeOrigin::signed(BOB), MAX_STEPS),
			Error::<Test>::NothingLate
		);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.open, 1);
		assert!(Engaged::get().is_empty());
	});
}

#[test]
fn advance_agenda_refunds_waiting_chunks_of_closing_tasks() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		advance(17);
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), task));
		pass_time(2);
		assert_ok!(Tasks::advance_agenda(RuntimeOrigin::signed(BOB), 1));
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Ended);
	});
}

#[test]
fn advance_agenda_removes_what_ended_long_ago() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit(1);
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), task));
		pass_time(KEPT - 1);
		assert_noop!(
			Tasks::advance_agenda(RuntimeOrigin::signed(BOB), 1),
			Error::<Test>::NothingLate
		);
		pass_time(1);
		assert_ok!(Tasks::advance_agenda(RuntimeOrigin::signed(BOB), 1));
		assert!(Ended::<Test>::contains_key(task));
	});
}

#[test]
fn advance_agenda_should_fail_when_the_limit_is_out_of_bounds() {
	ExtBuilder::default().build_and_execute(|| {
		for limit in [0, MAX_STEPS + 1] {
			assert_noop!(
				Tasks::advance_agenda(RuntimeOrigin::signed(BOB), limit),
				Error::<Test>::LimitOutOfBounds
			);
		}
	});
}

#[test]
fn advance_agenda_should_fail_when_nothing_is_late() {
	ExtBuilder::default().build_and_execute(|| {
		submit_assigned(1);
		assert_noop!(
			Tasks::advance_agenda(RuntimeOrigin::signed(BOB), 1),
			Error::<Test>::NothingLate
		);
	});
}
