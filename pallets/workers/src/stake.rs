//! The only file that moves stake.
//!
//! What is taken is taken by force: votes, freezes or a small balance of the owner do not stand in
//! its way.

use crate::{Config, HoldReason, Pallet};
use frame_support::{
	dispatch::DispatchResult,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Defensive,
	},
};
use sp_runtime::DispatchError;
use tequio_primitives::{workers::InspectWorkers, Balance};

impl<T: Config> Pallet<T> {
	pub(crate) fn hold_stake(owner: &T::AccountId, amount: Balance) -> DispatchResult {
		T::Currency::hold(&HoldReason::Stake.into(), owner, amount)
	}

	/// Gives stake back to its owner. Returns the amount.
	pub(crate) fn release_stake(
		owner: &T::AccountId,
		amount: Balance,
	) -> Result<Balance, DispatchError> {
		T::Currency::release(&HoldReason::Stake.into(), owner, amount, Precision::BestEffort)
	}

	/// Pays others out of an owner's stake, in order, as far as `left` goes, and takes what is due
	/// to them off `left`. What cannot be delivered stays on hold. Returns what was paid.
	pub(crate) fn pay_from_stake(
		owner: &T::AccountId,
		payees: &[(T::AccountId, Balance)],
		left: &mut Balance,
	) -> Balance {
		let mut paid: Balance = 0;
		for (payee, amount) in payees {
			let due = (*amount).min(*left);
			*left = left.saturating_sub(due);
			if due == 0 {
				continue;
			}
			let transfer = T::Currency::transfer_on_hold(
				&HoldReason::Stake.into(),
				owner,
				&Self::payout_of(payee),
				due,
				Precision::BestEffort,
				Restriction::Free,
				Fortitude::Force,
			);
			paid = paid.saturating_add(transfer.unwrap_or(0));
		}
		paid
	}

	/// Burns a part of an owner's stake. Returns what was burned.
	pub(crate) fn burn_stake(owner: &T::AccountId, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		let reason = HoldReason::Stake.into();
		T::Currency::burn_held(&reason, owner, amount, Precision::BestEffort, Fortitude::Force)
			.defensive_proof("stake on hold can be burned by force")
			.unwrap_or(0)
	}
}
