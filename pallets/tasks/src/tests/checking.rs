//! What `verification` reads, and the begin of a check.

use crate::{mock::*, Error, Tasks as TasksMap};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{tasks::CheckedTasks, ChunkId};

#[test]
fn begin_check_works_up_to_the_last_height() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		pass_time(DEADLINE);
		assert!(Tasks::assigned(&id).is_some());
		assert_eq!(Tasks::due(&id), Some(3 + DEADLINE));
		assert_ok!(Tasks::begin_check(&id));
		assert!(Tasks::assigned(&id).is_none());
		assert_eq!(Tasks::due(&id), None);
		let counts = TasksMap::<Test>::get(task).unwrap().counts;
		assert_eq!((counts.assigned, counts.checking), (0, 1));
	});
}

#[test]
fn begin_check_should_fail_when_the_deadline_has_passed() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(submit_assigned(1), 0, 0);
		pass_time(DEADLINE + 1);
		assert!(Tasks::assigned(&id).is_none());
		assert_noop!(Tasks::begin_check(&id), Error::<Test>::DeadlinePassed);
	});
}

#[test]
fn begin_check_should_fail_when_the_attempt_is_not_assigned() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		for id in [attempt(task, 0, 1), attempt(task, 1, 0), attempt(9, 0, 0)] {
			assert!(Tasks::assigned(&id).is_none());
			assert_noop!(Tasks::begin_check(&id), Error::<Test>::NotAssigned);
		}
		let id = attempt(task, 0, 0);
		assert_ok!(Tasks::begin_check(&id));
		assert_noop!(Tasks::begin_check(&id), Error::<Test>::NotAssigned);
	});
}

#[test]
fn search_works() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit(2);
		let (spec, range) = Tasks::search(&ChunkId { task, index: 1 }).unwrap();
		assert_eq!(&spec, search(2).search());
		assert_eq!((range.start, range.count, range.share_difficulty), (1_256, 256, 4));
		assert!(Tasks::search(&ChunkId { task, index: 2 }).is_none());
		assert!(Tasks::search(&ChunkId { task: 9, index: 0 }).is_none());
	});
}
