//! What `verification` reads, and the begin of a check.

use crate::{mock::*, Error, TaskSpec, Tasks as TasksMap};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{opening::ChunkWork, tasks::CheckedTasks, ChunkId};

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
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.counts.assigned, record.counts.checking), (0, 1));
		assert!(record.committed);
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
fn work_works() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit(2);
		let work = |index| Tasks::work(&ChunkId { task, index });
		let Some(ChunkWork::Search(spec, range)) = work(1) else { panic!("a search is a search") };
		assert_eq!(TaskSpec::RandomXSearch(spec), search(2));
		assert_eq!((range.start, range.count, range.share_difficulty), (1_256, 256, 4));
		assert!(work(2).is_none());
		assert!(Tasks::work(&ChunkId { task: 9, index: 0 }).is_none());
	});
}

#[test]
fn work_works_for_programs() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(2, 3), 0);
		let work = |index| Tasks::work(&ChunkId { task, index });
		let Some(ChunkWork::Recompute(spec)) = work(1) else { panic!("a program is a program") };
		assert_eq!(TaskSpec::Recompute(spec), program(2, 3));
		assert!(work(2).is_none());
	});
}
