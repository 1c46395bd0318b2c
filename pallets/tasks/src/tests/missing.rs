//! Deadlines that pass without a commit.

use crate::{mock::*, Event, RefundReason, Tasks as TasksMap};
use frame_support::assert_ok;
use tequio_primitives::{api::TaskStatus, tasks::CheckedTasks, Balance};

/// 5 % of V_max.
const FINE: Balance = 384 * PRICE / 20;

#[test]
fn missing_works_after_the_last_height() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		let owner = owner_of(id);
		advance(16);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.assigned, 1);
		advance(1);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.open, 1);
		assert_eq!(Fines::get(), vec![(owner, FINE)]);
		assert!(Engaged::get().is_empty());
		System::assert_has_event(Event::AssignmentMissed { id, owner, fine: FINE }.into());
	});
}

#[test]
fn missing_leaves_a_commit_in_time_alone() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		advance(16);
		assert_ok!(Tasks::begin_check(&attempt(task, 0, 0)));
		advance(10);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.checking, 1);
		assert!(Fines::get().is_empty());
	});
}

#[test]
fn missing_refunds_the_chunk_when_attempts_are_used_up() {
	ExtBuilder::default().max_attempts(2).build_and_execute(|| {
		let task = submit_assigned(1);
		advance(17 + 2 + 17);
		assert_eq!(Fines::get().len(), 2);
		let chunk = attempt(task, 0, 0).chunk;
		let reason = RefundReason::AttemptsUsedUp;
		System::assert_has_event(Event::ChunkRefunded { chunk, reason }.into());
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Ended);
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
	});
}

#[test]
fn missing_takes_every_deadline_in_its_own_queue() {
	ExtBuilder::default().build_and_execute(|| {
		for deadline in [64, 16, 32] {
			let origin = RuntimeOrigin::signed(ALICE);
			assert_ok!(Tasks::submit_task(origin, search(1), PRICE, deadline, 0));
		}
		advance(2);
		Seated::set(&vec![]);
		let open = |task| TasksMap::<Test>::get(task).unwrap().counts.open;
		for (blocks, expected) in [(17, [0, 1, 0]), (16, [0, 1, 1]), (32, [1, 1, 1])] {
			advance(blocks);
			assert_eq!([open(0), open(1), open(2)], expected);
		}
	});
}
