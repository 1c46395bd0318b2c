//! The hook on a node whose worker process, pool and blocks the test plays.
#![allow(clippy::unwrap_used)]

use super::{
	memory::{remove_work, Memory},
	mock::{accepts, declined, set_declinable, with_node, Node},
	run, RESEND,
};
use crate::{
	mock::{
		assign, attempt, device, first, honest, now, run_to_due, stall_to, told, with_doubles,
		AccountId, ExtBuilder, RuntimeCall, System, Test, Told,
	},
	types::CheckState,
	Call, Checks, CurrentRules,
};
use sp_core::H256;
use tequio_interface::{
	host::ComputeService,
	job::{Failure, Job, JobKey, JobState},
};
use tequio_primitives::{stage::DeclineReason, AttemptId, ChunkId, Duty, Role};

const RESEND_BLOCKS: u32 = 4;

fn hook() {
	run::<Test>(System::block_number());
}

fn skip(blocks: u32) {
	System::set_block_number(System::block_number() + blocks);
}

fn bytes(number: u8) -> [u8; 32] {
	device(number).into()
}

fn worker_duty() -> Duty {
	Duty { id: first(), role: Role::Worker }
}

/// Nonces and calls that wait in the pool for a device.
fn pending(node: &Node, number: u8) -> Vec<(u32, RuntimeCall)> {
	let mine = node.pool.pending().into_iter().filter(|signed| signed.account == device(number));
	mine.map(|signed| (signed.nonce, signed.call)).collect()
}

fn committed_items(call: &RuntimeCall) -> usize {
	match call {
		RuntimeCall::Verification(Call::commit { items }) => items.len(),
		other => panic!("a commit is expected, not {other:?}"),
	}
}

/// Brings the first attempt, of device 1, to where everybody has committed.
fn to_reveals(node: &Node) {
	with_doubles(|state| state.accepting = vec![2, 3]);
	assign(first(), 1);
	hook();
	node.desk.finish();
	hook();
	assert_eq!(node.pool.include(), 1);
	run_to_due(first());
	hook();
	node.desk.finish();
	hook();
	assert_eq!(node.pool.include(), 2);
	let check = Checks::<Test>::get(first().chunk).unwrap();
	assert!(matches!(check.state, CheckState::Revealing { .. }));
}

#[test]
fn resend_is_what_the_tests_say() {
	assert_eq!(u64::from(RESEND_BLOCKS), RESEND);
}

#[test]
fn without_a_worker_socket_nothing_happens() {
	ExtBuilder::default().build_and_execute(|| {
		assign(first(), 1);
		hook();
	});
}

#[test]
fn a_chunk_goes_from_assignment_to_acceptance() {
	with_node(&[1, 2, 3], |node| {
		with_doubles(|state| state.accepting = vec![2, 3]);
		assign(first(), 1);
		for _ in 0..2 {
			hook();
			assert_eq!(node.desk.jobs(), vec![(device(1), 0)]);
			assert!(node.pool.pending().is_empty());
		}
		node.desk.finish();
		hook();
		assert_eq!(pending(node, 1).len(), 1);
		node.pool.include();

		run_to_due(first());
		hook();
		let audits: Vec<AccountId> = node
			.desk
			.jobs()
			.into_iter()
			.filter_map(|(who, role)| (role == 1).then_some(who))
			.collect();
		assert_eq!(audits.len(), 2);
		node.desk.finish();
		hook();
		assert_eq!(node.pool.include(), 2);

		// Everybody has committed, but not on a final block.
		let since = System::block_number();
		skip(2);
		node.desk.finalize(since - 1);
		hook();
		assert!(node.pool.pending().is_empty());
		node.desk.finalize(since);
		hook();
		assert_eq!(node.pool.include(), 3);
		let Told::Accepted { shares, winners, auditors } = told(first()).unwrap() else {
			panic!("the work is right");
		};
		assert_eq!((shares, winners.len(), auditors.len()), (3, 1, 2));
		assert_eq!(winners, honest(first()).winners);
	});
}

#[test]
fn a_finality_that_stalls_convicts_nobody() {
	with_node(&[1, 2, 3], |node| {
		to_reveals(node);
		skip(CurrentRules::<Test>::get().reveal_period / 2 - 1);
		hook();
		assert!(node.pool.pending().is_empty());
		skip(1);
		hook();
		assert_eq!(node.pool.include(), 3);
		assert!(matches!(told(first()), Some(Told::Accepted { .. })));
	});
}

#[test]
fn work_that_is_over_is_forgotten_by_the_worker_process() {
	with_node(&[1, 2, 3], |node| {
		to_reveals(node);
		node.desk.finalize(System::block_number());
		hook();
		assert_eq!(node.pool.include(), 3);
		hook();
		assert!(node.desk.jobs().is_empty());
		assert_eq!(node.desk.take_cancelled().len(), 3);
		hook();
		assert!(node.desk.take_cancelled().is_empty());
	});
}

#[test]
fn a_commit_is_sent_once_and_again_after_a_while() {
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		node.desk.finish();
		hook();
		skip(RESEND_BLOCKS - 1);
		hook();
		assert_eq!(pending(node, 1).len(), 1);
		node.pool.drop_all();
		skip(1);
		hook();
		// The chain's nonce has not moved, so the lost transaction's nonce is free.
		assert_eq!(pending(node, 1).iter().map(|(nonce, _)| *nonce).collect::<Vec<_>>(), vec![0]);
	});
}

#[test]
fn results_of_one_block_go_out_together_and_later_ones_behind_them() {
	with_node(&[1], |node| {
		assign(attempt(0, 0), 1);
		assign(attempt(1, 0), 1);
		hook();
		node.desk.finish();
		hook();
		assign(attempt(2, 0), 1);
		skip(1);
		hook();
		node.desk.finish();
		hook();
		let sent: Vec<(u32, usize)> =
			pending(node, 1).iter().map(|(nonce, call)| (*nonce, committed_items(call))).collect();
		assert_eq!(sent, vec![(0, 2), (1, 1)]);
		assert_eq!(node.pool.include(), 2);
	});
}

/// Has the commit of a first chunk lost after it was sent, and the result of a second ready when it
/// is time to send the first again.
fn with_a_lost_and_a_new_result(node: &Node) {
	assign(attempt(0, 0), 1);
	hook();
	node.desk.finish();
	hook();
	node.pool.drop_all();
	assign(attempt(1, 0), 1);
	skip(RESEND_BLOCKS - 1);
	hook();
	assert!(node.pool.pending().is_empty());
	node.desk.finish();
	skip(1);
}

/// Chunks whose commits wait in the pool for device 1, by nonce.
fn pending_chunks(node: &Node) -> Vec<(u32, Vec<u32>)> {
	let chunks = |call: RuntimeCall| -> Vec<u32> {
		match call {
			RuntimeCall::Verification(Call::commit { items }) => {
				items.iter().map(|item| item.id.chunk.index).collect()
			},
			other => panic!("a commit is expected, not {other:?}"),
		}
	};
	pending(node, 1).into_iter().map(|(nonce, call)| (nonce, chunks(call))).collect()
}

#[test]
fn new_results_go_before_those_sent_again_and_not_with_them() {
	with_node(&[1], |node| {
		with_a_lost_and_a_new_result(node);
		hook();
		assert_eq!(pending_chunks(node), vec![(0, vec![1]), (1, vec![0])]);
		assert_eq!(node.pool.include(), 2);
	});
}

#[test]
fn a_call_that_the_pool_refuses_holds_back_no_other() {
	for (refused, sent) in [(0, 1), (1, 0)] {
		with_node(&[1], |node| {
			with_a_lost_and_a_new_result(node);
			node.pool.refuse_about(attempt(refused, 0));
			hook();
			assert_eq!(pending_chunks(node), vec![(0, vec![sent])]);
			assert_eq!(node.pool.include(), 1);
		});
	}
}

#[test]
fn what_the_pool_refuses_is_sent_at_the_next_block() {
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		node.desk.finish();
		node.pool.refuse(true);
		hook();
		assert!(node.pool.pending().is_empty());
		node.pool.refuse(false);
		skip(1);
		hook();
		assert_eq!(pending(node, 1).len(), 1);
		assert_eq!(node.pool.include(), 1);
	});
}

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
fn runs_at_one_block_repeat_nothing() {
	with_node(&[1, 2, 3], |node| {
		to_reveals(node);
		node.desk.finalize(System::block_number());
		for _ in 0..3 {
			hook();
			assert_eq!(node.pool.pending().len(), 3);
		}
		assert_eq!(node.pool.include(), 3);
	});
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		node.desk.fail(Failure::BadInput);
		for _ in 0..3 {
			hook();
			assert_eq!(pending(node, 1).len(), 1);
			assert!(node.desk.jobs().is_empty());
		}
	});
}

#[test]
fn calls_of_one_block_are_sent_again_apart() {
	for (refused, sent) in [
		(None, vec![(0, vec![0]), (1, vec![1])]),
		(Some(0), vec![(0, vec![1])]),
		(Some(1), vec![(0, vec![0])]),
	] {
		with_node(&[1], |node| {
			for chunk in 0..2 {
				assign(attempt(chunk, 0), 1);
				hook();
				node.desk.finish();
				hook();
			}
			assert_eq!(pending_chunks(node), vec![(0, vec![0]), (1, vec![1])]);
			node.pool.drop_all();
			skip(RESEND_BLOCKS);
			if let Some(chunk) = refused {
				node.pool.refuse_about(attempt(chunk, 0));
			}
			hook();
			assert_eq!(pending_chunks(node), sent);
		});
	}
}

#[test]
fn a_failure_is_declined_and_tried_again_only_after_a_while() {
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		node.desk.fail(Failure::BadInput);
		hook();
		let calls: Vec<RuntimeCall> = pending(node, 1).into_iter().map(|(_, call)| call).collect();
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
		let calls: Vec<RuntimeCall> = pending(node, 1).into_iter().map(|(_, call)| call).collect();
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
		let calls: Vec<RuntimeCall> = pending(node, 1).into_iter().map(|(_, call)| call).collect();
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
		let calls: Vec<RuntimeCall> = pending(node, 1).into_iter().map(|(_, call)| call).collect();
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
fn many_results_go_out_in_calls_of_64() {
	with_node(&[1], |node| {
		let attempts: Vec<AttemptId> = (0..70)
			.map(|task| AttemptId { chunk: ChunkId { task, index: 0 }, attempt: 0 })
			.collect();
		attempts.iter().for_each(|id| assign(*id, 1));
		hook();
		assert_eq!(node.desk.jobs().len(), 70);
		node.desk.finish();
		hook();
		let sent: Vec<(u32, usize)> =
			pending(node, 1).iter().map(|(nonce, call)| (*nonce, committed_items(call))).collect();
		assert_eq!(sent, vec![(0, 64), (1, 6)]);
		assert_eq!(node.pool.include(), 2);
		assert_eq!(Checks::<Test>::iter().count(), 70);
	});
}

#[test]
fn a_result_that_is_no_longer_owed_does_not_hold_back_the_others() {
	with_node(&[1], |node| {
		for index in 0..3 {
			assign(attempt(index, 0), 1);
		}
		hook();
		node.desk.finish();
		// The assignment is over, though the duty is still listed.
		let over = with_doubles(|state| state.assigned.remove(&attempt(1, 0)));
		hook();
		let sent: Vec<usize> =
			pending(node, 1).iter().map(|(_, call)| committed_items(call)).collect();
		assert_eq!(sent, vec![2]);
		assert_eq!(node.pool.include(), 1);
		with_doubles(|state| state.assigned.extend(over.map(|work| (attempt(1, 0), work))));
	});
}

#[test]
fn an_unusable_result_is_never_committed() {
	with_node(&[1], |node| {
		assign(first(), 1);
		hook();
		node.desk.end(|_| JobState::Done(vec![1, 2, 3]));
		hook();
		let calls: Vec<RuntimeCall> = pending(node, 1).into_iter().map(|(_, call)| call).collect();
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
		let calls: Vec<RuntimeCall> = pending(node, 1).into_iter().map(|(_, call)| call).collect();
		assert_eq!(calls, vec![accepts(false)]);
	});
}
