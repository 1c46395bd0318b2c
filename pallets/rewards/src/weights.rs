//! Weights: estimates from hand-counted reads and writes, until benchmarks replace them.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weight of each call.
pub trait WeightInfo {
	/// `claim_accrued`.
	fn claim_accrued() -> Weight;
	/// `set_rules`.
	fn set_rules() -> Weight;
}

/// Picoseconds of a call without its database access.
const BASE: u64 = 40_000_000;
/// Proof bytes of one item and the trie nodes on its way.
const ITEM_PROOF: u64 = 4_096;

/// Weights computed from the runtime's database weights.
pub struct Estimated<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for Estimated<T> {
	// Accrued, total, owner, clock, pot, payout account.
	fn claim_accrued() -> Weight {
		Weight::from_parts(BASE, ITEM_PROOF.saturating_mul(6))
			.saturating_add(T::DbWeight::get().reads_writes(6, 4))
	}

	// Rules.
	fn set_rules() -> Weight {
		Weight::from_parts(BASE, ITEM_PROOF).saturating_add(T::DbWeight::get().reads_writes(0, 1))
	}
}
