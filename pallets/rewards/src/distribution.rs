//! What other pallets ask for: fees, the pot, and the record of contributions.

use crate::{math, Config, Contributions, CurrentRules, Pallet, Rules};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{defensive, traits::Get};
use tequio_primitives::{
	rewards::{DistributeRewards, FeeTerms},
	Balance, Role, TaskId,
};

impl<T: Config> DistributeRewards<T::AccountId> for Pallet<T> {
	fn fee_terms() -> FeeTerms {
		let Rules { fee_rate, min_fee, .. } = CurrentRules::<T>::get();
		FeeTerms { rate: fee_rate, min: min_fee }
	}

	/// In a block whose author is not known the treasury gets all of it, and its second part is
	/// zero.
	fn fee_parts(fee: Balance) -> [(T::AccountId, Balance); 2] {
		let treasury = Self::treasury();
		match T::Author::get() {
			Some(author) => {
				let (for_treasury, for_author) = math::split(fee, &CurrentRules::<T>::get());
				[(treasury, for_treasury), (author, for_author)]
			},
			None => [(treasury.clone(), fee), (treasury, 0)],
		}
	}

	fn pot() -> T::AccountId {
		Self::pot_account()
	}

	fn accrue(owner: &T::AccountId, amount: Balance) {
		Self::do_accrue(owner, amount);
	}

	fn note_contribution(
		task: TaskId,
		owner: &T::AccountId,
		role: Role,
		units: u64,
		paid: Balance,
	) {
		// Sums of what one task pays: its chunks, units and escrow are counted in the same types.
		Contributions::<T>::mutate(task, owner, |contribution| match role {
			Role::Worker => {
				contribution.chunks = contribution.chunks.saturating_add(1);
				contribution.units = contribution.units.saturating_add(units);
				contribution.paid = contribution.paid.saturating_add(paid);
			},
			Role::Auditor | Role::Referee { .. } => {
				contribution.audits = contribution.audits.saturating_add(1);
				contribution.audit_paid = contribution.audit_paid.saturating_add(paid);
			},
			Role::Appellant { .. } => {
				defensive!("no task pays for an appeal");
			},
		});
	}

	fn take_contributions(task: TaskId, limit: u32) -> Vec<Vec<u8>> {
		let limit = usize::try_from(limit).unwrap_or(usize::MAX);
		let taken = Contributions::<T>::drain_prefix(task).take(limit);
		taken.map(|contribution| contribution.encode()).collect()
	}
}
