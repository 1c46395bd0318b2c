//! Accruing and claiming: the only file that moves the pot.

use crate::{Accrued, Config, Error, Event, Pallet, TotalAccrued};
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	traits::{fungible::Mutate, tokens::Preservation},
};
use tequio_primitives::{workers::InspectWorkers, Balance};

impl<T: Config> Pallet<T> {
	/// Records that the pot holds `amount` more for an owner. The issuance of the token bounds the
	/// sums.
	pub(crate) fn do_accrue(owner: &T::AccountId, amount: Balance) {
		if amount == 0 {
			return;
		}
		Accrued::<T>::mutate(owner, |accrued| *accrued = accrued.saturating_add(amount));
		TotalAccrued::<T>::mutate(|total| *total = total.saturating_add(amount));
		Self::deposit_event(Event::PayKept { owner: owner.clone(), amount });
	}

	pub(crate) fn do_claim_accrued(owner: T::AccountId) -> DispatchResult {
		let amount = Accrued::<T>::take(&owner);
		ensure!(amount > 0, Error::<T>::NothingAccrued);
		// The total is the sum over the owners, and not below one of them.
		TotalAccrued::<T>::mutate(|total| *total = total.saturating_sub(amount));
		let payout = T::Workers::payout_of(&owner);
		T::Currency::transfer(&Self::pot_account(), &payout, amount, Preservation::Preserve)?;
		Self::deposit_event(Event::PayClaimed { owner, payout, amount });
		Ok(())
	}
}
