//! Findings against devices whose nodes know that they were honest.

use super::steps::{
	bytes, calls, go_on_until, hook, pending, skip, state, with_many, worker_duty, RESEND_BLOCKS,
};
use crate::{
	mock::{both_auditors, device, first, number_of, told, AccountId, RuntimeCall, Told},
	offchain::{
		memory::{remove_work, Memory},
		mock::Node,
	},
	types::CheckState,
	Call,
};
use tequio_interface::job::JobKey;

/// Auditors and referees of the first panel accuse the worker, who was honest.
fn cartel(key: &JobKey) -> bool {
	matches!(key.role, 1 | 2)
}

/// Goes on to where a first panel, a cartel, has found the worker wrong.
fn to_appeal(node: &Node) {
	go_on_until(node, cartel, |state| matches!(state, CheckState::Appeal { .. }));
}

fn appeal() -> RuntimeCall {
	RuntimeCall::Verification(Call::appeal { id: first() })
}

/// Who has something in the pool, by number of the device.
fn senders(node: &Node) -> Vec<u8> {
	let pending = node.pool.pending();
	pending.iter().map(|signed| number_of(&signed.account).unwrap()).collect()
}

#[test]
fn who_was_honest_appeals_once() {
	with_many(|node| {
		to_appeal(node);
		for _ in 0..2 {
			hook();
			assert_eq!(calls(node, 1), vec![appeal()]);
		}
		skip(RESEND_BLOCKS - 1);
		hook();
		assert_eq!(calls(node, 1), vec![appeal()]);
		assert_eq!(senders(node), vec![1], "who was found right does not appeal");
		assert_eq!(node.pool.include(), 1);
		assert!(matches!(state(), Some(CheckState::Panel { .. })));
		hook();
		assert!(calls(node, 1).is_empty());
	});
}

#[test]
fn an_appeal_that_is_lost_is_sent_again() {
	with_many(|node| {
		to_appeal(node);
		hook();
		let sent = pending(node, 1);
		node.pool.drop_all();
		skip(RESEND_BLOCKS - 1);
		hook();
		assert!(node.pool.pending().is_empty());
		skip(1);
		hook();
		assert_eq!(pending(node, 1), sent);
		assert_eq!(node.pool.include(), 1);
	});
}

#[test]
fn an_appeal_that_the_pool_refuses_is_sent_at_the_next_block() {
	with_many(|node| {
		to_appeal(node);
		node.pool.refuse(true);
		hook();
		assert!(node.pool.pending().is_empty());
		node.pool.refuse(false);
		skip(1);
		hook();
		assert_eq!(calls(node, 1), vec![appeal()]);
	});
}

#[test]
fn an_honest_worker_wins_on_appeal() {
	with_many(|node| {
		to_appeal(node);
		go_on_until(node, cartel, |state| matches!(state, CheckState::Settled));
		assert!(matches!(told(first()), Some(Told::Accepted { .. })));
	});
}

#[test]
fn an_honest_auditor_appeals() {
	with_many(|node| {
		go_on_until(node, |_| false, |state| matches!(state, CheckState::Auditing { .. }));
		// One auditor finds a fault that nobody else finds.
		let [lone, _] = both_auditors(first());
		let accuses = |key: &JobKey| key.role == 1 && AccountId::new(key.device) == device(lone);
		go_on_until(node, accuses, |state| matches!(state, CheckState::Appeal { .. }));
		hook();
		assert_eq!(senders(node), vec![lone]);
		assert_eq!(calls(node, lone), vec![appeal()]);
	});
}

#[test]
fn a_node_that_has_lost_the_result_does_not_appeal() {
	with_many(|node| {
		to_appeal(node);
		remove_work(&bytes(1), &worker_duty());
		hook();
		assert!(node.pool.pending().is_empty());
	});
}

#[test]
fn a_node_that_has_lost_only_its_records_appeals() {
	with_many(|node| {
		to_appeal(node);
		Memory::default().store(&bytes(1));
		hook();
		assert_eq!(calls(node, 1), vec![appeal()]);
	});
}

#[test]
fn a_result_is_remembered_while_the_panel_takes_its_time() {
	with_many(|node| {
		go_on_until(node, cartel, |state| matches!(state, CheckState::Panel { .. }));
		for _ in 0..4 {
			skip(100);
			hook();
		}
		to_appeal(node);
		hook();
		assert_eq!(calls(node, 1), vec![appeal()]);
	});
}
