//! What the pallet that ordered a task is told of it, and how the task is closed.

use super::ordering::{close, order, order_assigned};
use crate::{mock::*, CloseReason, Event, Tasks as TasksMap, WeightInfo};
use frame_support::{assert_ok, assert_storage_noop, weights::Weight};
use tequio_primitives::{
	api::{Books, TaskStatus},
	orders::ChunkEnding,
	stage::DeclineReason,
	tasks::{CheckedTasks, UndecidedReason, Verdict},
	AttemptId, ChunkId, TaskId,
};

type Weights = <Test as crate::Config>::WeightInfo;

/// What the follower is told of a chunk that was paid.
fn paid(task: TaskId, index: u32) -> Told {
	Told::Chunk(ChunkId { task, index }, ChunkEnding::Paid(output_of(index)))
}

/// What it is told of one that was not.
fn refunded(task: TaskId, index: u32) -> Told {
	Told::Chunk(ChunkId { task, index }, ChunkEnding::Refunded)
}

/// What it is told of the end of a task whose requester has nothing in escrow any more.
fn ended(task: TaskId) -> Told {
	let books = TasksMap::<Test>::get(task).unwrap().books;
	Told::Task(task, books, Balances::free_balance(ALICE))
}

#[test]
fn a_follower_is_told_of_what_was_paid_and_then_of_the_end() {
	ExtBuilder::default().build_and_execute(|| {
		let task = order_assigned(2);
		accept_whole(attempt(task, 1, 0), vec![]);
		advance(1);
		accept_whole(attempt(task, 0, 0), vec![12]);
		advance(CHALLENGE - 2);
		// Accepted is not paid.
		assert!(Heard::get().is_empty());
		advance(1);
		assert_eq!(Heard::get(), vec![paid(task, 1)]);
		advance(1);
		assert_eq!(Heard::get(), vec![paid(task, 1), paid(task, 0), ended(task)]);
		assert_eq!(held(ALICE), 0);
	});
}

#[test]
fn a_follower_is_told_what_an_upheld_challenge_pays() {
	ExtBuilder::default().build_and_execute(|| {
		let task = order_assigned(1);
		let id = attempt(task, 0, 0);
		accept_whole(id, vec![]);
		assert_ok!(Tasks::challenge(&id));
		advance(CHALLENGE);
		assert!(Heard::get().is_empty());
		Tasks::conclude(&id, Verdict::Upheld);
		assert_eq!(Heard::get(), vec![paid(task, 0), ended(task)]);
	});
}

#[test]
fn a_follower_is_told_nothing_of_a_chunk_that_goes_to_somebody_else() {
	ExtBuilder::default().build_and_execute(|| {
		let task = order_assigned(1);
		let id = attempt(task, 0, 0);
		assert_ok!(Tasks::begin_check(&id));
		reject(id);
		assert!(Heard::get().is_empty());
		advance(2);
		accept_whole(attempt(task, 0, 1), vec![]);
		advance(CHALLENGE);
		assert_eq!(Heard::get(), vec![paid(task, 0), ended(task)]);
	});
}

/// Has the only chunk of an ordered task end by `end`, without pay.
fn check_refunded(end: impl FnOnce(AttemptId)) {
	ExtBuilder::default().max_attempts(1).build_and_execute(|| {
		let task = order_assigned(1);
		end(attempt(task, 0, 0));
		assert_eq!(Heard::get(), vec![refunded(task, 0), ended(task)]);
		assert_eq!(held(ALICE), 0);
	});
}

#[test]
fn a_follower_is_told_of_a_deadline_missed_for_the_last_time() {
	check_refunded(|_| advance(DEADLINE + 1));
}

#[test]
fn a_follower_is_told_of_a_decline_for_the_last_time() {
	check_refunded(|id| {
		let device = RuntimeOrigin::signed(device_of(owner_of(id)));
		assert_ok!(Tasks::decline(device, id, DeclineReason::Unsupported));
	});
}

#[test]
fn a_follower_is_told_of_a_result_that_is_wrong_for_the_last_time() {
	check_refunded(|id| {
		assert_ok!(Tasks::begin_check(&id));
		reject(id);
	});
	// The only audits that were locked for are paid.
	check_refunded(|id| {
		accept_whole(id, vec![12]);
		assert_ok!(Tasks::challenge(&id));
		reject(id);
	});
}

#[test]
fn a_follower_is_told_of_a_check_that_comes_to_nothing() {
	check_refunded(|id| {
		assert_ok!(Tasks::begin_check(&id));
		end_duty(id);
		let reason = UndecidedReason::Disagreement;
		Tasks::conclude(&id, Verdict::Undecided { reason, auditors: vec![] });
	});
}

#[test]
fn a_follower_is_told_once_of_chunks_that_were_never_given_out() {
	ExtBuilder::default().build_and_execute(|| {
		let task = order(3);
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), task));
		assert_eq!(Heard::get(), vec![ended(task)]);
	});
	ExtBuilder::default().build_and_execute(|| {
		Seated::set(&vec![]);
		let task = order(3);
		advance(LIFETIME);
		assert_eq!(Heard::get(), vec![ended(task)]);
	});
}

#[test]
fn closing_lets_chunks_in_hand_finish() {
	ExtBuilder::default().build_and_execute(|| {
		let task = order(20);
		// Room for one owner's worth of chunks: the rest stays open.
		Room::set(1);
		advance(2);
		close(task);
		System::assert_has_event(
			Event::TaskClosing { task, reason: CloseReason::Cancelled }.into(),
		);
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.counts.assigned), (TaskStatus::Closing, 4));
		assert_eq!(record.counts.refunded, 16);
		assert!(Heard::get().is_empty());

		(0..4).for_each(|index| accept_whole(attempt(task, index, 0), vec![]));
		advance(CHALLENGE);
		let mut expected: Vec<_> = (0..4).map(|index| paid(task, index)).collect();
		expected.push(ended(task));
		assert_eq!(Heard::get(), expected);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().books.paid, 4 * 100 * PRICE);
	});
}

#[test]
fn closing_ends_at_once_what_nobody_has_in_hand() {
	ExtBuilder::default().build_and_execute(|| {
		let task = order(3);
		let locked = held(ALICE);
		close(task);
		let books = Books { locked, refunded: locked, ..Default::default() };
		assert_eq!(Heard::get(), vec![Told::Task(task, books, FUNDS)]);
	});
}

#[test]
fn closing_changes_nothing_where_a_task_is_not_running() {
	ExtBuilder::default().build_and_execute(|| {
		assert_storage_noop!(close(0));
		let closing = order_assigned(1);
		close(closing);
		assert_storage_noop!(close(closing));
		let over = order(1);
		close(over);
		assert_storage_noop!(close(over));
	});
}

#[test]
fn nobody_is_told_of_what_was_not_ordered() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(2, 1), 0);
		advance(2);
		accept_whole(attempt(task, 0, 0), vec![]);
		assert_ok!(Tasks::begin_check(&attempt(task, 1, 0)));
		reject(attempt(task, 1, 0));
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), task));
		advance(CHALLENGE);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Ended);
		assert!(Heard::get().is_empty());
	});
}

/// What a block weighs in which two chunks of a program are paid.
fn weight_of_payments(ordered: bool) -> Weight {
	ExtBuilder::default().build().execute_with(|| {
		let task = if ordered { order(2) } else { submit_spec(program(2, 1), 0) };
		advance(2);
		(0..2).for_each(|index| accept_whole(attempt(task, index, 0), vec![]));
		advance(CHALLENGE - 1);
		let weight = poll();
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.paid, 2);
		weight
	})
}

#[test]
fn telling_a_follower_weighs_once_for_the_chunks_of_a_task() {
	let told = weight_of_payments(false).saturating_add(Weights::tell_follower());
	assert_eq!(weight_of_payments(true), told);
}

/// What a block weighs in which a task expires that nobody took.
fn weight_of_expiry(ordered: bool) -> Weight {
	ExtBuilder::default().build().execute_with(|| {
		Seated::set(&vec![]);
		let task = if ordered { order(2) } else { submit_spec(program(2, 1), 0) };
		advance(LIFETIME - 1);
		let weight = poll();
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Ended);
		weight
	})
}

#[test]
fn telling_a_follower_weighs_where_its_task_expires() {
	let told = weight_of_expiry(false).saturating_add(Weights::tell_follower());
	assert_eq!(weight_of_expiry(true), told);
}
