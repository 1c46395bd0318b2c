//! The end of a task's lifetime.

use crate::{mock::*, CloseReason, Event, Tasks as TasksMap};
use tequio_primitives::api::TaskStatus;

#[test]
fn expiring_works() {
	ExtBuilder::default().build_and_execute(|| {
		Seated::set(&vec![]);
		let task = submit(3);
		advance(LIFETIME - 1);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Running);
		advance(1);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Ended);
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
		let reason = CloseReason::Expired;
		System::assert_has_event(Event::TaskClosing { task, reason }.into());
	});
}

#[test]
fn expiring_lets_chunks_in_hand_finish() {
	ExtBuilder::default().build_and_execute(|| {
		Seated::set(&vec![]);
		let task = submit(2);
		advance(LIFETIME - 5);
		Seated::set(&vec![OWNERS[0]]);
		Room::set(1);
		advance(5);
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!(record.status, TaskStatus::Closing);
		assert_eq!((record.counts.assigned, record.counts.refunded), (1, 1));
		accept(attempt(task, 0, 0), 64, winners(&[]), vec![]);
		advance(CHALLENGE);
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.counts.paid), (TaskStatus::Ended, 1));
	});
}
