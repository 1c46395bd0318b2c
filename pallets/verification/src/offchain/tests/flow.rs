//! The way of a duty from assignment to the end.

use super::steps::{hook, pending, skip, to_reveals};
use crate::{
	mock::{
		assign, device, first, run_to_due, searched, told, with_doubles, AccountId, ExtBuilder,
		System, Test, Told,
	},
	offchain::mock::with_node,
	CurrentRules,
};
use tequio_interface::job::Failure;
use tequio_primitives::tasks::Delivered;

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
		let Told::Accepted { delivered, winners, auditors, .. } = told(first()).unwrap() else {
			panic!("the work is right");
		};
		assert_eq!((delivered, winners.len(), auditors.len()), (Delivered::Shares(3), 1, 2));
		assert_eq!(winners, searched(first()).winners);
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
