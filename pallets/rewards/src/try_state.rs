//! The invariants, each a sentence and a check.

use crate::{Accrued, Config, CurrentRules, Pallet, TotalAccrued};
use frame_support::{ensure, traits::fungible::Inspect};
use sp_runtime::TryRuntimeError;
use tequio_primitives::Balance;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_pot()?;
		Self::check_total()?;
		Self::check_rules()
	}

	/// What the pot holds beyond the existential deposit covers all that is accrued.
	fn check_pot() -> Result<(), TryRuntimeError> {
		let held = T::Currency::balance(&Self::pot_account());
		let owed = TotalAccrued::<T>::get().saturating_add(T::Currency::minimum_balance());
		ensure!(held >= owed, "the pot does not cover what is accrued");
		Ok(())
	}

	/// The total is the sum over the owners, and no owner is listed with nothing.
	fn check_total() -> Result<(), TryRuntimeError> {
		let sum = Accrued::<T>::iter_values().fold(0, Balance::saturating_add);
		ensure!(TotalAccrued::<T>::get() == sum, "the total is not the sum of what is accrued");
		ensure!(Accrued::<T>::iter_values().all(|amount| amount > 0), "nothing is accrued");
		Ok(())
	}

	/// The rules are within their bounds.
	fn check_rules() -> Result<(), TryRuntimeError> {
		ensure!(CurrentRules::<T>::get().are_sound(), "a chain cannot run by these rules");
		Ok(())
	}
}
