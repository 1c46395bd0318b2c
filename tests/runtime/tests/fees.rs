//! What is free, what is not, and what wallets see of it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use sp_runtime::{
	traits::TransactionExtension,
	transaction_validity::{
		InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
	},
};
use tequio_primitives::{Balance, TEQ};
use tequio_runtime::{
	extensions::FREE_PRIORITY, Executive, RuntimeCall, System, TxExtension, UncheckedExtrinsic,
};
use tequio_runtime_tests::{
	device::Conduct,
	keys::Key,
	owner::{Owner, ASK},
	search, sign, sign_as, wealth, World,
};

/// The answer to a call that only who owes it may make.
const NOT_OWED: TransactionValidityError =
	TransactionValidityError::Invalid(InvalidTransaction::Call);

fn owners() -> Vec<Owner> {
	vec![
		Owner::new("Bob", 1, Conduct::Honest),
		Owner::new("Charlie", 2, Conduct::Honest),
		Owner::new("Dave", 3, Conduct::Honest),
	]
}

/// Submits a task of one chunk, and waits until somebody owes its commit.
fn first_chunk(world: &mut World, owners: &mut [Owner]) -> (Key, RuntimeCall) {
	let spec = search::task(1, 32, 32, 16);
	let task = pallet_tasks::Call::submit_task { spec, price: ASK, deadline: 16, bonus: 0 };
	world.submit(&Key::named("Alice"), RuntimeCall::Tasks(task));
	world.block_ok();
	world.block();
	world.block();
	let mut owed = owners.iter_mut().filter_map(|owner| {
		let call = world.read(|| owner.device.calls()).pop()?;
		Some((owner.device.key.clone(), call))
	});
	owed.next().expect("the chunk is assigned to somebody")
}

/// How the transaction pool would take it.
fn validity(extrinsic: UncheckedExtrinsic) -> ValidTransaction {
	let best = System::parent_hash();
	Executive::validate_transaction(TransactionSource::External, extrinsic, best).unwrap()
}

#[test]
fn wallets_see_the_ordinary_extensions() {
	let metadata = <TxExtension as TransactionExtension<RuntimeCall>>::metadata();
	let names: Vec<&str> = metadata.iter().map(|extension| extension.identifier).collect();
	let expected = [
		"AuthorizeCall",
		"CheckNonZeroSender",
		"CheckSpecVersion",
		"CheckTxVersion",
		"CheckGenesis",
		"CheckMortality",
		"CheckNonce",
		"CheckWeight",
		"ChargeTransactionPayment",
		"CheckMetadataHash",
		"WeightReclaim",
	];
	assert_eq!(names, expected);
}

#[test]
fn what_is_owed_is_free_and_goes_before_any_tip() {
	let mut world = World::new();
	let mut owners = owners();
	world.enroll(&owners);
	let (key, call) = first_chunk(&mut world, &mut owners);

	world.read(|| {
		assert_eq!(wealth(&key.account()), 0);
		let free = validity(sign(&key, call));
		assert_eq!(free.priority, FREE_PRIORITY);
		assert_eq!(free.provides.len(), 2, "the nonce and the commit");

		let paid = validity(tipped(&Key::named("Alice"), 100_000 * TEQ));
		assert!(paid.priority < FREE_PRIORITY);
	});
}

#[test]
fn a_signal_that_changes_nothing_is_not_taken() {
	let mut world = World::new();
	let owners = owners();
	world.enroll(&owners);
	for _ in 0..pallet_workers::Rules::default().signal_period {
		world.block();
	}
	let signal = RuntimeCall::Workers(pallet_workers::Call::set_accepting { accepting: true });

	world.submit(&owners[0].device.key, signal);
	assert_eq!(world.block(), vec![Err(NOT_OWED)]);
}

#[test]
fn the_reserve_of_results_cannot_be_bought() {
	let mut world = World::new();
	let mut owners = owners();
	world.enroll(&owners);
	let (_, owed) = first_chunk(&mut world, &mut owners);
	let batch = pallet_utility::Call::batch { calls: vec![owed.clone()] };
	let of_root = frame_system::Call::set_heap_pages { pages: 1 };

	for call in [owed, RuntimeCall::Utility(batch), RuntimeCall::System(of_root)] {
		world.submit(&Key::named("Alice"), call);
		assert_eq!(world.block(), vec![Err(NOT_OWED)]);
	}
}

#[test]
fn fees_go_to_the_author() {
	let mut world = World::new();
	let author = Key::named("Alice//stash").account();
	let before = world.read(|| wealth(&author));

	world.submit(&Key::named("Bob"), remark());
	world.block_ok();
	assert!(world.read(|| wealth(&author)) > before);
}

fn remark() -> RuntimeCall {
	RuntimeCall::System(frame_system::Call::remark { remark: Vec::new() })
}

/// A remark with a tip.
fn tipped(key: &Key, tip: Balance) -> UncheckedExtrinsic {
	sign_as(key, remark(), System::account_nonce(key.account()), tip)
}
