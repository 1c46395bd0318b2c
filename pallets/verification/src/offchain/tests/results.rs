//! Orders that change or are lost, and results that cannot be used.

use super::steps::{bytes, calls, hook, pending, skip, to_reveals, worker_duty};
use crate::{
	mock::{assign, device, first, told, with_doubles, System, Told},
	offchain::{
		memory::{remove_work, Memory},
		mock::{declined, with_node},
	},
};
use sp_core::H256;
use tequio_interface::{
	host::ComputeService,
	job::{Job, JobKey, JobState},
};
use tequio_primitives::stage::DeclineReason;

#[test]
fn a_duty_that_vanishes_is_cancelled() {
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		assert_eq!(node.desk.jobs().len(), 1);
		with_doubles(|state| {
			state.assigned.remove(&first());
			state.duties.remove(&(device(1), worker_duty()));
		});
		skip(1);
		hook();
		assert!(node.desk.jobs().is_empty());
		assert_eq!(node.desk.take_cancelled().len(), 1);
	});
}

#[test]
fn a_duty_that_became_other_work_is_computed_anew() {
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		let [key] = node.desk.keys()[..] else { panic!("one job") };
		// As if something else had been ordered at a block that was retracted.
		let other = JobKey { order: [9; 32], ..key };
		node.desk.wipe();
		assert!(node.desk.submit(Job { key: other, class: 0, payload: vec![] }));
		node.desk.end(|_| JobState::Done(vec![1]));
		let mut memory = Memory::load(&bytes(1));
		memory.duty(&worker_duty(), 1).order = Some(H256(other.order));
		memory.store(&bytes(1));
		hook();
		assert_eq!(node.desk.take_cancelled(), vec![other]);
		assert_eq!(node.desk.keys(), vec![key]);
		assert!(node.pool.pending().is_empty());
		node.desk.finish();
		hook();
		assert_eq!(node.pool.include(), 1);
	});
}

#[test]
fn a_job_whose_record_was_lost_is_known_again() {
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		let keys = node.desk.keys();
		Memory::default().store(&bytes(1));
		node.desk.finish();
		hook();
		assert_eq!(pending(node, 1).len(), 1);
		assert_eq!((node.desk.keys(), node.desk.take_cancelled()), (keys.clone(), vec![]));
		with_doubles(|state| {
			state.assigned.remove(&first());
			state.duties.remove(&(device(1), worker_duty()));
		});
		hook();
		assert_eq!(node.desk.take_cancelled(), keys);
	});
}

#[test]
fn an_unusable_result_is_never_committed() {
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		node.desk.end(|_| JobState::Done(vec![1, 2, 3]));
		hook();
		let calls = calls(node, 1);
		assert_eq!(calls, vec![declined(first(), DeclineReason::Unsupported)]);
	});
}

#[test]
fn a_lost_opening_is_computed_again() {
	with_node(&[1, 2, 3], |node| {
		to_reveals(node);
		remove_work(&bytes(1), &worker_duty());
		node.desk.wipe();
		node.desk.finalize(System::block_number());
		hook();
		assert_eq!(pending(node, 1).len(), 0);
		node.desk.finish();
		skip(1);
		hook();
		assert_eq!(pending(node, 1).len(), 1);
		assert_eq!(node.pool.include(), 3);
		assert!(matches!(told(first()), Some(Told::Accepted { .. })));
	});
}
