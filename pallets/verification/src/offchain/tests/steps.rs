//! Steps that the tests tell their stories in.

use crate::{
	mock::{
		assign, device, first, now, run_to, run_to_due, with_doubles, RuntimeCall, System, Test,
	},
	offchain::{
		mock::{with_node, Node},
		run,
	},
	types::CheckState,
	Call, Checks,
};
use tequio_interface::job::JobKey;
use tequio_primitives::{Duty, Role};

/// [`crate::offchain::RESEND`], in the number type of the mock's blocks.
pub const RESEND_BLOCKS: u32 = 4;

pub fn hook() {
	run::<Test>(System::block_number());
}

pub fn skip(blocks: u32) {
	System::set_block_number(System::block_number() + blocks);
}

pub fn bytes(number: u8) -> [u8; 32] {
	device(number).into()
}

pub fn worker_duty() -> Duty {
	Duty { id: first(), role: Role::Worker }
}

/// Nonces and calls that wait in the pool for a device.
pub fn pending(node: &Node, number: u8) -> Vec<(u32, RuntimeCall)> {
	let mine = node.pool.pending().into_iter().filter(|signed| signed.account == device(number));
	mine.map(|signed| (signed.nonce, signed.call)).collect()
}

/// Calls that wait in the pool for a device.
pub fn calls(node: &Node, number: u8) -> Vec<RuntimeCall> {
	pending(node, number).into_iter().map(|(_, call)| call).collect()
}

pub fn committed_items(call: &RuntimeCall) -> usize {
	match call {
		RuntimeCall::Verification(Call::commit { items }) => items.len(),
		other => panic!("a commit is expected, not {other:?}"),
	}
}

/// Brings the first attempt, of device 1, to where everybody has committed.
pub fn to_reveals(node: &Node) {
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

/// Where the check of the first attempt is.
pub fn state() -> Option<CheckState<u32>> {
	Checks::<Test>::get(first().chunk).map(|check| check.state)
}

/// Runs a test on a node with so many devices that there can be a panel and a larger one, of which
/// device 1 works on the first attempt.
pub fn with_many(test: impl FnOnce(&Node)) {
	let all: Vec<u8> = (1..=10).collect();
	with_node(&all, |node| {
		with_doubles(|doubles| doubles.accepting = all.clone());
		assign(first(), 1);
		test(node);
	});
}

/// Lets blocks pass in which every device does its part, until the check of the first attempt is
/// where `reached` says. Jobs of which `accuses` holds find a fault in the worker's claim; the
/// others are honest.
pub fn go_on_until(
	node: &Node,
	accuses: impl Fn(&JobKey) -> bool,
	reached: impl Fn(&CheckState<u32>) -> bool,
) {
	for _ in 0..500 {
		if state().is_some_and(|state| reached(&state)) {
			return;
		}
		node.desk.finalize(System::block_number());
		hook();
		node.desk.finish_accusing(&accuses);
		hook();
		node.pool.include();
		run_to(now() + 1);
	}
	panic!("the check never comes so far");
}
