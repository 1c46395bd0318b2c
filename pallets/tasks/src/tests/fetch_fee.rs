//! Declines for bad input: when they stop a task, and who is paid for them.

use crate::{mock::*, CloseReason, Event, RefundReason, Tasks as TasksMap};
use frame_support::assert_ok;
use tequio_primitives::{
	api::TaskStatus,
	stage::DeclineReason::{self, BadInput, Busy, Unsupported},
	tasks::CheckedTasks,
	AttemptId, TaskId,
};

fn decline(id: AttemptId, reason: DeclineReason) {
	let device = device_of(owner_of(id));
	assert_ok!(Tasks::decline(RuntimeOrigin::signed(device), id, reason));
}

fn status(task: TaskId) -> TaskStatus {
	TasksMap::<Test>::get(task).unwrap().status
}

/// Submits a program of so many chunks, of which this owner gets as many as it has room for.
fn submit_for(owner: AccountId, chunks: u32, room: usize) -> TaskId {
	Seated::set(&vec![owner]);
	Room::set(room);
	let task = submit_spec(program(chunks, 1), 0);
	advance(2);
	task
}

/// Has whatever comes next assigned to this owner.
fn assign_next(owner: AccountId) -> AttemptId {
	Seated::set(&vec![owner]);
	advance(1);
	let mut engaged = Engaged::get().into_iter();
	engaged.find(|(seat, ..)| seat.owner == owner).map(|(_, duty, _)| duty.id).unwrap()
}

#[test]
fn three_owners_stop_a_task_and_are_paid() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_for(OWNERS[0], 10, 1);
		decline(attempt(task, 0, 0), BadInput);
		let second = assign_next(OWNERS[1]);
		decline(second, BadInput);
		let third = assign_next(OWNERS[2]);
		assert_eq!(status(task), TaskStatus::Running);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().decliners.to_vec(), OWNERS[..2].to_vec());
		decline(third, BadInput);

		let reason = CloseReason::BadInput;
		System::assert_has_event(Event::TaskClosing { task, reason }.into());
		let (chunk, reason) = (third.chunk, RefundReason::Declined);
		System::assert_has_event(Event::ChunkRefunded { chunk, reason }.into());
		for owner in &OWNERS[..3] {
			let (owner, amount) = (*owner, FETCH_FEE);
			System::assert_has_event(Event::FetchFeePaid { task, owner, amount }.into());
			assert_eq!(Balances::free_balance(payout_of(owner)), DEPOSIT + FETCH_FEE);
		}
		// What waits for another worker ends when the agenda reaches it.
		advance(2);
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.counts.refunded), (TaskStatus::Ended, 10));
		assert_eq!((record.books.paid, record.books.fee), (3 * FETCH_FEE, 3 * FETCH_FEE / 20));
		assert_eq!((held(ALICE), Balances::free_balance(ALICE)), (0, FUNDS - FETCH_LOCK));
	});
}

#[test]
fn three_owners_stop_a_task_of_one_chunk() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(1, 1), 0);
		for number in 0..3 {
			advance(2);
			decline(attempt(task, 0, number), BadInput);
		}
		assert_eq!(status(task), TaskStatus::Ended);
		assert_eq!(Balances::free_balance(ALICE), FUNDS - FETCH_LOCK);
	});
}

#[test]
fn an_owner_counts_once() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_for(OWNERS[0], 10, 3);
		for index in 0..3 {
			decline(attempt(task, index, 0), BadInput);
		}
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!(record.status, TaskStatus::Running);
		assert_eq!(record.decliners.to_vec(), vec![OWNERS[0]]);
		assert_eq!(record.books.paid, 0);
	});
}

#[test]
fn other_reasons_do_not_count() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_for(OWNERS[0], 10, 1);
		decline(attempt(task, 0, 0), Busy);
		decline(assign_next(OWNERS[1]), Unsupported);
		decline(assign_next(OWNERS[2]), Unsupported);
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.decliners.len()), (TaskStatus::Running, 0));
	});
}

#[test]
fn a_task_goes_on_when_somebody_has_committed() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_for(OWNERS[3], 10, 1);
		assert_ok!(Tasks::begin_check(&attempt(task, 0, 0)));
		for owner in &OWNERS[..3] {
			decline(assign_next(*owner), BadInput);
		}
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.decliners.len()), (TaskStatus::Running, 3));
		assert_eq!(record.books.paid, 0);
	});
}

#[test]
fn a_task_goes_on_while_others_are_at_work() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_for(OWNERS[3], 10, 2);
		Room::set(1);
		let ids: Vec<AttemptId> = OWNERS[..3].iter().map(|owner| assign_next(*owner)).collect();
		for id in &ids {
			decline(*id, BadInput);
		}
		// Two others may have what the three could not get.
		assert_eq!(status(task), TaskStatus::Running);
		decline(attempt(task, 0, 0), Busy);
		decline(attempt(task, 1, 0), BadInput);
		// A fourth owner is too late for the fee, but nobody is left who tries.
		assert_eq!(status(task), TaskStatus::Closing);
		assert_eq!(Balances::free_balance(payout_of(OWNERS[3])), DEPOSIT);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().books.paid, 3 * FETCH_FEE);
	});
}

#[test]
fn a_closed_task_pays_no_fetch_fees() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_for(OWNERS[0], 3, 1);
		let mut ids = vec![attempt(task, 0, 0)];
		ids.extend(OWNERS[1..3].iter().map(|owner| assign_next(*owner)));
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), task));
		ids.into_iter().for_each(|id| decline(id, BadInput));
		assert_eq!(status(task), TaskStatus::Ended);
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
	});
}

#[test]
fn a_task_that_was_not_stopped_gets_what_it_locked_for_fetch_fees_back() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(1, 1), 0);
		advance(2);
		accept_whole(attempt(task, 0, 0), vec![]);
		advance(CHALLENGE);
		let books = TasksMap::<Test>::get(task).unwrap().books;
		assert_eq!(books.locked - books.refunded, 100 * PRICE / 20 * 21);
	});
}
