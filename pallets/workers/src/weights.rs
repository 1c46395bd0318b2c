//! Weights: estimates from hand-counted reads and writes, until benchmarks replace them.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};
use tequio_primitives::WorkClass;

/// Weight of each call and of what the hook does.
pub trait WeightInfo {
	/// `register`.
	fn register() -> Weight;
	/// `add_stake`.
	fn add_stake() -> Weight;
	/// `set_offers`.
	fn set_offers() -> Weight;
	/// `set_payout`.
	fn set_payout() -> Weight;
	/// `add_device`.
	fn add_device() -> Weight;
	/// `remove_device`.
	fn remove_device() -> Weight;
	/// `set_accepting`.
	fn set_accepting() -> Weight;
	/// `pause_device` and `resume_device`.
	fn pause_device() -> Weight;
	/// `drain`.
	fn drain() -> Weight;
	/// `unbond`.
	fn unbond() -> Weight;
	/// `withdraw`.
	fn withdraw() -> Weight;
	/// Finding out whether seats are due to be fixed.
	fn poll() -> Weight;
	/// Fixing the seats of every class.
	fn fix_seats() -> Weight;
	/// `set_rules`.
	fn set_rules() -> Weight;
}

/// Picoseconds of a call without its database access.
const BASE: u64 = 25_000_000;
/// Picoseconds of one signature check.
const SIGNATURE: u64 = 60_000_000;
/// Proof bytes of one ordinary item and the trie nodes on its way.
const ITEM_PROOF: u64 = 4_096;
/// Proof bytes of the seats of a class: 36 for each of 1000 owners.
const SEATS_PROOF: u64 = 36_000;
/// Classes, each of which an owner may serve: each has its list of seats.
const CLASSES: u64 = WorkClass::ALL.len() as u64;

/// Weights computed from the runtime's database weights.
pub struct Estimated<T>(PhantomData<T>);

impl<T: frame_system::Config> Estimated<T> {
	fn access(reads: u64, writes: u64) -> Weight {
		Weight::from_parts(BASE, reads.saturating_mul(ITEM_PROOF))
			.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}

	/// Of the reads and writes, one each is for the seats of every class.
	fn with_seats(reads: u64, writes: u64) -> Weight {
		let list = Weight::from_parts(BASE, SEATS_PROOF);
		Self::access(reads, writes).saturating_add(list.saturating_mul(CLASSES))
	}
}

impl<T: frame_system::Config> WeightInfo for Estimated<T> {
	// Worker, device, payout as device, payout account, rules, own account, holds, next seats.
	fn register() -> Weight {
		Self::with_seats(7 + CLASSES, 3 + CLASSES)
	}

	// Worker, rules, account, holds, next seats.
	fn add_stake() -> Weight {
		Self::with_seats(4 + CLASSES, 3 + CLASSES)
	}

	// Worker, rules, next seats.
	fn set_offers() -> Weight {
		Self::with_seats(2 + CLASSES, 1 + CLASSES)
	}

	// Worker, payout as device, payout account, rules, clock.
	fn set_payout() -> Weight {
		Self::access(5, 1)
	}

	// Worker, device as owner, device, genesis hash, device account.
	fn add_device() -> Weight {
		Self::access(5, 3).saturating_add(Weight::from_parts(SIGNATURE, 0))
	}

	// Worker, device, device account.
	fn remove_device() -> Weight {
		Self::access(3, 3)
	}

	// Device, rules, clock.
	fn set_accepting() -> Weight {
		Self::access(3, 1)
	}

	// Device.
	fn pause_device() -> Weight {
		Self::access(1, 1)
	}

	// Worker, rules, next seats.
	fn drain() -> Weight {
		Self::with_seats(2 + CLASSES, 1 + CLASSES)
	}

	// Worker, sixteen devices, rules, clock, seats.
	fn unbond() -> Weight {
		Self::with_seats(19 + CLASSES, 1)
	}

	// Worker, clock, account, holds; sixteen devices and their accounts.
	fn withdraw() -> Weight {
		Self::access(36, 35)
	}

	// Next fixing, clock.
	fn poll() -> Weight {
		Self::access(2, 0)
	}

	// Rules, next seats of each class; their seats, next fixing.
	fn fix_seats() -> Weight {
		Self::with_seats(1 + CLASSES, 1 + CLASSES)
	}

	// Rules, next seats.
	fn set_rules() -> Weight {
		Self::with_seats(1 + CLASSES, 1 + CLASSES)
	}
}
