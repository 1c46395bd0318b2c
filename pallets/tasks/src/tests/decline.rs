//! `decline`.

use crate::{mock::*, Error, Event, RefundReason, Tasks as TasksMap};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{
	api::TaskStatus,
	stage::DeclineReason::{self, BadInput, Busy, Unsupported},
	tasks::CheckedTasks,
	AttemptId,
};

fn decline(id: AttemptId, reason: DeclineReason) {
	let device = device_of(owner_of(id));
	assert_ok!(Tasks::decline(RuntimeOrigin::signed(device), id, reason));
}

#[test]
fn decline_works() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(submit_assigned(1), 0, 0);
		let owner = owner_of(id);
		// A quarter of the deadline after the assignment: the last height.
		pass_time(4);
		decline(id, Busy);

		assert!(Engaged::get().is_empty());
		assert!(Fines::get().is_empty());
		System::assert_has_event(Event::ChunkDeclined { id, owner, reason: Busy }.into());
		let next = AttemptId { attempt: 1, ..id };
		System::assert_last_event(Event::ChunkReopened { id: next }.into());
		advance(2);
		assert_ne!(owner_of(next), owner);
	});
}

#[test]
fn decline_ends_the_chunk_the_third_time() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		for (number, reason) in (0..).zip([BadInput, Unsupported, BadInput]) {
			decline(attempt(task, 0, number), reason);
			advance(2);
		}
		let chunk = attempt(task, 0, 0).chunk;
		let reason = RefundReason::Declined;
		System::assert_has_event(Event::ChunkRefunded { chunk, reason }.into());
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Ended);
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
	});
}

#[test]
fn decline_does_not_end_the_chunk_while_owners_are_busy() {
	ExtBuilder::default().max_attempts(4).build_and_execute(|| {
		let task = submit_assigned(1);
		let id = |number| attempt(task, 0, number);
		for number in 0..3 {
			decline(id(number), Busy);
			System::assert_last_event(Event::ChunkReopened { id: id(number + 1) }.into());
			advance(2);
		}
		// But the attempts are used up.
		decline(id(3), Busy);
		let (chunk, reason) = (id(3).chunk, RefundReason::AttemptsUsedUp);
		System::assert_has_event(Event::ChunkRefunded { chunk, reason }.into());
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Ended);
	});
}

#[test]
fn decline_should_fail_when_the_chunk_is_not_assigned_to_the_device() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		let device = device_of(owner_of(id));
		for (who, id) in [(ALICE, id), (device, attempt(task, 0, 1)), (device, attempt(9, 0, 0))] {
			assert_noop!(
				Tasks::decline(RuntimeOrigin::signed(who), id, Busy),
				Error::<Test>::NotAssigned
			);
		}
		assert_ok!(Tasks::begin_check(&id));
		assert_noop!(
			Tasks::decline(RuntimeOrigin::signed(device), id, Busy),
			Error::<Test>::NotAssigned
		);
	});
}

#[test]
fn decline_should_fail_when_a_quarter_of_the_deadline_is_over() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(submit_assigned(1), 0, 0);
		let device = device_of(owner_of(id));
		pass_time(5);
		assert_noop!(
			Tasks::decline(RuntimeOrigin::signed(device), id, Busy),
			Error::<Test>::DeclineTooLate
		);
	});
}
