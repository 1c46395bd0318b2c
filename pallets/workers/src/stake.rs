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
use tequio_primitives::{
	terms::SlashShares,
	workers::{InspectWorkers, Penalty},
	Balance,
};

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

	/// Takes `collateral` of an owner's stake and shares it out by a penalty, in its order, as far as
	/// it goes. What cannot be delivered is burned with what is left over. Returns what was taken.
	pub(crate) fn share_stake(
		owner: &T::AccountId,
		collateral: Balance,
		penalty: Penalty<T::AccountId>,
	) -> SlashShares {
		let mut left = collateral;
		let pay_owners = |payees: &[(T::AccountId, Balance)], left: &mut Balance| {
			let pay = |(payee, amount): &(T::AccountId, Balance)| {
				Self::pay_from_stake(owner, &Self::payout_of(payee), *amount, left)
			};
			payees.iter().map(pay).fold(0, Balance::saturating_add)
		};
		let compensation = pay_owners(&penalty.compensation, &mut left);
		let referees = penalty.referees.map_or(0, |(account, amount)| {
			Self::pay_from_stake(owner, &account, amount, &mut left)
		});
		let bounty = pay_owners(&penalty.bounty, &mut left);
		// None of the parts is above `collateral`, nor are they together.
		let compensation = compensation.saturating_add(referees);
		let paid = compensation.saturating_add(bounty);
		let burned = Self::burn_stake(owner, collateral.saturating_sub(paid));
		SlashShares { compensation, bounty, burned }
	}

	/// Pays an account out of an owner's stake, as far as `left` goes, and takes what is due to it
	/// off `left`. What cannot be delivered stays on hold. Returns what was paid.
	fn pay_from_stake(
		owner: &T::AccountId,
		account: &T::AccountId,
		amount: Balance,
		left: &mut Balance,
	) -> Balance {
		let due = amount.min(*left);
		*left = left.saturating_sub(due);
		if due == 0 {
			return 0;
		}
		let transfer = T::Currency::transfer_on_hold(
			&HoldReason::Stake.into(),
			owner,
			account,
			due,
			Precision::BestEffort,
			Restriction::Free,
			Fortitude::Force,
		);
		transfer.unwrap_or(0)
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
