//! `cancel_task`.

use crate::{mock::*, CloseReason, Error, Event, RefundReason, Tasks as TasksMap};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::api::TaskStatus;

#[test]
fn cancel_task_works_when_nothing_was_given_out() {
	ExtBuilder::default().build_and_execute(|| {
		let id = submit(3);
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), id));

		let task = TasksMap::<Test>::get(id).unwrap();
		assert_eq!(task.status, TaskStatus::Ended);
		assert_eq!(task.counts.refunded, 3);
		assert_eq!(task.books.refunded, task.books.locked);
		assert_eq!((held(ALICE), Balances::free_balance(ALICE)), (0, FUNDS));
		let reason = CloseReason::Cancelled;
		System::assert_has_event(Event::TaskClosing { task: id, reason }.into());
		System::assert_last_event(Event::TaskEnded { task: id, books: task.books }.into());
	});
}

#[test]
fn cancel_task_works_and_lets_chunks_in_hand_finish() {
	ExtBuilder::default().build_and_execute(|| {
		let id = submit(20);
		// Room for one owner's worth of chunks: the rest stays open.
		Room::set(1);
		advance(2);
		let locked = held(ALICE);
		assert_eq!(TasksMap::<Test>::get(id).unwrap().counts.assigned, 4);

		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), id));
		assert_eq!(held(ALICE), locked - 16 * 940_800_000);
		let task = TasksMap::<Test>::get(id).unwrap();
		assert_eq!(task.status, TaskStatus::Closing);
		assert_eq!((task.counts.assigned, task.counts.refunded), (4, 16));

		for index in 0..4 {
			accept(attempt(id, index, 0), 64, winners(&[]), vec![]);
		}
		advance(CHALLENGE);
		let task = TasksMap::<Test>::get(id).unwrap();
		assert_eq!((task.status, task.counts.paid), (TaskStatus::Ended, 4));
		assert_eq!(task.books.paid, 4 * 256 * PRICE);
		assert_eq!(held(ALICE), 0);
	});
}

#[test]
fn cancel_task_works_for_chunks_that_wait_for_another_worker() {
	ExtBuilder::default().build_and_execute(|| {
		let id = submit_assigned(1);
		advance(17);
		assert_eq!(TasksMap::<Test>::get(id).unwrap().counts.open, 1);
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), id));
		assert_eq!(TasksMap::<Test>::get(id).unwrap().status, TaskStatus::Closing);

		advance(2);
		assert_eq!(TasksMap::<Test>::get(id).unwrap().status, TaskStatus::Ended);
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
		let chunk = attempt(id, 0, 0).chunk;
		let reason = RefundReason::TaskClosing;
		System::assert_has_event(Event::ChunkRefunded { chunk, reason }.into());
	});
}

#[test]
fn cancel_task_should_fail_when_there_is_no_such_task() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), 0), Error::<Test>::NotFound);
	});
}

#[test]
fn cancel_task_should_fail_when_the_caller_is_not_the_requester() {
	ExtBuilder::default().build_and_execute(|| {
		let id = submit(1);
		assert_noop!(
			Tasks::cancel_task(RuntimeOrigin::signed(BOB), id),
			Error::<Test>::NotRequester
		);
	});
}

#[test]
fn cancel_task_should_fail_when_the_task_is_closed() {
	ExtBuilder::default().build_and_execute(|| {
		let id = submit(1);
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), id));
		assert_noop!(
			Tasks::cancel_task(RuntimeOrigin::signed(ALICE), id),
			Error::<Test>::NotRunning
		);
	});
}
