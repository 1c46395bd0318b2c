//! What goes to the pool, in which calls, and when it is sent again.

use super::steps::{committed_items, hook, pending, skip, RESEND_BLOCKS};
use crate::{
	mock::{assign, attempt, first, with_doubles, RuntimeCall, Test},
	offchain::{
		mock::{with_node, Node},
		RESEND,
	},
	Call, Checks,
};
use tequio_primitives::{AttemptId, ChunkId};

#[test]
fn resend_is_what_the_tests_say() {
	assert_eq!(u64::from(RESEND_BLOCKS), RESEND);
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
