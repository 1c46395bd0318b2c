//! What the runtime API and the transaction pool read.

use crate::{mock::*, Call};
use codec::Encode;
use frame_support::assert_ok;
use tequio_primitives::{
	api::TaskStatus,
	stage::{DeclineReason, Stage},
	tasks::{CheckedTasks, Delivered},
	ChunkId, WorkClass,
};

#[test]
fn stage_of_works() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit(1);
		let id = attempt(task, 0, 0);
		let stage = || Tasks::stage_of(id.chunk);
		assert_eq!(stage(), Some((Stage::Open, 1 + LIFETIME)));
		advance(2);
		assert_eq!(stage(), Some((Stage::Assigned, 3 + DEADLINE)));
		assert_ok!(Tasks::begin_check(&id));
		assert_eq!(stage(), None);
		conclude_right(id, Delivered::Shares(64), winners(&[]), vec![]);
		assert_eq!(stage(), Some((Stage::Accepted, 3 + CHALLENGE)));
		advance(CHALLENGE);
		assert_eq!(stage(), None);
		assert_eq!(Tasks::stage_of(ChunkId { task, index: 1 }), None);
	});
}

#[test]
fn stage_of_leaves_a_challenged_chunk_to_verification() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(submit_assigned(1), 0, 0);
		accept(id, 64, winners(&[]), vec![]);
		assert_ok!(Tasks::challenge(&id));
		assert_eq!(Tasks::stage_of(id.chunk), None);
	});
}

#[test]
fn summary_works() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit(2);
		let summary = Tasks::summary(task).unwrap();
		assert_eq!((summary.requester, summary.class), (ALICE, WorkClass::RandomXSearch));
		assert_eq!((summary.status, summary.chunks.open), (TaskStatus::Running, 2));
		assert_eq!(summary.books.locked, held(ALICE));
		assert!(Tasks::summary(9).is_none());
	});
}

#[test]
fn free_call_tags_works_only_for_a_decline_that_would_succeed() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(submit_assigned(1), 0, 0);
		let device = device_of(owner_of(id));
		let decline = Call::<Test>::decline { id, reason: DeclineReason::Busy };
		let tag = (id.chunk, id.attempt, Stage::Assigned, device).encode();
		assert_eq!(Tasks::free_call_tags(&device, &decline), Some(vec![tag]));
		assert_eq!(Tasks::free_call_tags(&ALICE, &decline), None);
		let advance_agenda = Call::<Test>::advance_agenda { limit: 1 };
		assert_eq!(Tasks::free_call_tags(&device, &advance_agenda), None);
		pass_time(5);
		assert_eq!(Tasks::free_call_tags(&device, &decline), None);
	});
}
