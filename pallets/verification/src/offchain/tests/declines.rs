//! Work that is handed back, and devices that take none.

use super::steps::{calls, hook, pending, skip, RESEND_BLOCKS};
use crate::{
	mock::{assign, attempt, first, now, stall_to, with_doubles, RuntimeCall},
	offchain::mock::{accepts, declined, set_declinable, with_node},
};
use tequio_interface::job::Failure;
use tequio_primitives::{stage::DeclineReason, WorkClass};

#[test]
fn a_failure_is_declined_and_tried_again_only_after_a_while() {
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		node.desk.fail(Failure::BadInput);
		hook();
		let calls = calls(node, 1);
		assert_eq!(calls, vec![declined(first(), DeclineReason::BadInput)]);
		assert!(node.desk.jobs().is_empty());
		skip(RESEND_BLOCKS - 1);
		hook();
		assert!(node.desk.jobs().is_empty());
		skip(1);
		hook();
		assert_eq!(node.desk.jobs().len(), 1);
	});
}

#[test]
fn a_failure_too_late_to_decline_is_tried_again() {
	with_node(&[1], |node| {
		set_declinable(false);
		assign(first(), 1);
		hook();
		node.desk.fail(Failure::EngineFailed);
		hook();
		assert!(node.pool.pending().is_empty());
		skip(RESEND_BLOCKS);
		hook();
		node.desk.finish();
		hook();
		assert_eq!(node.pool.include(), 1);
	});
}

/// A chunk of 64 hashes has 16 blocks of three seconds: 1,334 hashes in a thousand seconds do it.
const JUST_IN_TIME: u64 = 1_334;

#[test]
fn work_that_cannot_be_done_in_time_is_declined_at_once() {
	with_node(&[1], |node| {
		node.desk.serve_at(JUST_IN_TIME - 1);
		assign(first(), 1);
		hook();
		let calls = calls(node, 1);
		assert_eq!(calls, vec![declined(first(), DeclineReason::Unsupported)]);
		assert!(node.desk.jobs().is_empty());
		skip(1);
		hook();
		assert_eq!(pending(node, 1).len(), 1, "it is declined once");
	});
}

#[test]
fn work_behind_other_work_is_declined_if_it_would_be_late() {
	with_node(&[1], |node| {
		node.desk.serve_at(JUST_IN_TIME);
		assign(attempt(0, 0), 1);
		hook();
		assign(attempt(1, 0), 1);
		hook();
		let calls = calls(node, 1);
		assert_eq!(calls, vec![declined(attempt(1, 0), DeclineReason::Busy)]);
		assert_eq!(node.desk.jobs().len(), 1);
	});
}

#[test]
fn work_that_is_begun_too_late_is_declined() {
	with_node(&[1], |node| {
		node.desk.serve_at(JUST_IN_TIME);
		assign(first(), 1);
		// The node was away for a block.
		stall_to(now() + 1);
		hook();
		let calls = calls(node, 1);
		assert_eq!(calls, vec![declined(first(), DeclineReason::Busy)]);
		assert!(node.desk.jobs().is_empty());
	});
}

#[test]
fn slow_work_that_cannot_be_declined_any_more_is_tried() {
	with_node(&[1], |node| {
		set_declinable(false);
		node.desk.serve_at(1);
		assign(first(), 1);
		hook();
		assert!(node.pool.pending().is_empty());
		assert_eq!(node.desk.jobs().len(), 1);
	});
}

#[test]
fn a_device_says_that_it_takes_no_work_once_the_worker_process_stays_away() {
	with_node(&[1], |node| {
		hook();
		node.desk.serve(false);
		skip(1);
		hook();
		skip(RESEND_BLOCKS - 1);
		hook();
		assert!(node.pool.pending().is_empty());
		skip(1);
		hook();
		let calls = calls(node, 1);
		assert_eq!(calls, vec![accepts(false)]);
	});
}

/// What a device says whose owner offers these classes, and whose worker process serves some.
fn said(offered: &[WorkClass], served: &[WorkClass]) -> Vec<RuntimeCall> {
	let mut said = vec![];
	with_node(&[1], |node| {
		with_doubles(|state| state.offers = offered.to_vec());
		let able = served.iter().map(|class| (class.id(), 1)).collect::<Vec<_>>();
		node.desk.serve_all(&able);
		hook();
		skip(RESEND_BLOCKS);
		hook();
		said = calls(node, 1);
	});
	said
}

#[test]
fn a_device_takes_work_only_if_every_class_that_its_owner_offers_is_served() {
	let [search, floats, pinned, banded, integers] = WorkClass::ALL;
	for (offered, served, takes) in [
		(vec![search], vec![search], true),
		(vec![search, floats], vec![floats, integers, search], true),
		(vec![search, floats], vec![search], false),
		(vec![floats, search], vec![search, integers], false),
		(vec![integers], vec![search, floats], false),
		(vec![pinned, banded], vec![banded, pinned], true),
		(vec![pinned, banded], vec![pinned, floats], false),
	] {
		let expected = if takes { vec![] } else { vec![accepts(false)] };
		assert_eq!(said(&offered, &served), expected, "{offered:?} of {served:?}");
	}
}

#[test]
fn a_class_without_a_slot_is_not_served() {
	with_node(&[1], |node| {
		node.desk.serve_all(&[(WorkClass::RandomXSearch.id(), 0)]);
		hook();
		skip(RESEND_BLOCKS);
		hook();
		assert_eq!(calls(node, 1), vec![accepts(false)]);
	});
}

#[test]
fn a_device_of_nobody_lacks_nothing() {
	assert!(said(&[], &[WorkClass::RandomXSearch]).is_empty());
}

#[test]
fn a_device_takes_work_again_when_its_owner_has_taken_back_what_is_not_served() {
	with_node(&[1], |node| {
		let (search, floats) = (WorkClass::RandomXSearch, WorkClass::ExactF64);
		with_doubles(|state| state.offers = vec![search, floats]);
		hook();
		skip(RESEND_BLOCKS);
		hook();
		assert_eq!(calls(node, 1), vec![accepts(false)]);
		node.pool.drop_all();
		with_doubles(|state| state.offers = vec![search]);
		for _ in 0..3 {
			skip(RESEND_BLOCKS);
			hook();
			assert!(node.pool.pending().is_empty(), "what was lost is not repeated");
		}
	});
}
