//! What `tasks` asks of `rewards`: the protocol's part, and a place for pay that cannot be delivered.

use crate::{Balance, Role, TaskId};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::Perquintill;

/// The protocol fee, as it was when a task was submitted: what a task locks must not change by a
/// change of the rules.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct FeeTerms {
	/// Part of a payment that is taken beside it.
	pub rate: Perquintill,
	/// Least fee on a payment above zero, in the token's smallest unit.
	pub min: Balance,
}

impl FeeTerms {
	/// The fee on a payment, in the token's smallest unit, rounded up.
	pub fn on(&self, payment: Balance) -> Balance {
		if payment == 0 {
			return 0;
		}
		self.rate.mul_ceil(payment).max(self.min)
	}
}

/// The side of `rewards` that moves no money itself but says where it goes.
pub trait DistributeRewards<AccountId> {
	/// The protocol fee on payments of tasks that are submitted now.
	fn fee_terms() -> FeeTerms;

	/// Who gets a fee: (treasury, its part) and (the author of this block, the rest). The parts add
	/// up to the fee.
	fn fee_parts(fee: Balance) -> [(AccountId, Balance); 2];

	/// The account that keeps pay which could not be delivered.
	fn pot() -> AccountId;

	/// Records that the pot holds `amount` more for an owner.
	fn accrue(owner: &AccountId, amount: Balance);

	/// Records what an owner did for a task and was paid for it.
	fn note_contribution(task: TaskId, owner: &AccountId, role: Role, units: u64, paid: Balance);

	/// Takes up to `limit` of the contributions to a task out of the state, each as `(owner,
	/// contribution)` in SCALE, in ascending order of `blake2_128` of the owner's account. Where
	/// they are fewer than `limit`, none is left.
	fn take_contributions(task: TaskId, limit: u32) -> Vec<Vec<u8>>;
}
