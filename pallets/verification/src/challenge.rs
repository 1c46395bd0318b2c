//! Challenges of accepted results: calling a panel about one, its bond, and the end of the time for
//! it. The only file that moves challengers' money.

use crate::{
	panel::Roll,
	types::{Challenge, CheckState},
	CheckOf, Checks, Config, CurrentRules, Error, Event, HoldReason, Pallet, Panels, LEVELS,
};
use frame_support::{
	defensive,
	dispatch::DispatchResult,
	ensure,
	traits::{
		fungible::hold::Mutate,
		tokens::{Fortitude, Precision, Restriction},
	},
};
use tequio_primitives::{
	rewards::DistributeRewards,
	tasks::{CheckedTasks, KeepChecks},
	AttemptId, Balance,
};

impl<T: Config> Pallet<T> {
	/// Calls a panel about an accepted result. Neither the challenger nor those who audited the result
	/// sit on it.
	pub(crate) fn do_challenge(challenger: T::AccountId, id: AttemptId) -> DispatchResult {
		let mut check = Self::challengeable(&id)?;
		check.challenge = Some(Challenge { challenger: challenger.clone(), bond: 0 });
		let level = CurrentRules::<T>::get().challenge_level;
		let roll = Self::roll(&check, level).ok_or(Error::<T>::NotChallengeable)?;
		T::Tasks::challenge(&id).map_err(|_| Error::<T>::NotChallengeable)?;
		let bond = Self::bond_for(&check, &roll);
		T::Currency::hold(&HoldReason::Challenge.into(), &challenger, bond)
			.map_err(|_| Error::<T>::InsufficientFunds)?;
		check.challenge = Some(Challenge { challenger: challenger.clone(), bond });
		Self::deposit_event(Event::Challenged { id, challenger, bond });
		Self::summon(id, check, level, roll);
		Ok(())
	}

	/// The check of an accepted result that nobody has challenged.
	fn challengeable(id: &AttemptId) -> Result<CheckOf<T>, Error<T>> {
		let check = Self::check_of(id).ok_or(Error::<T>::NotChallengeable)?;
		let open = matches!(check.state, CheckState::Settled) && check.challenge.is_none();
		ensure!(open, Error::<T>::NotChallengeable);
		// A panel of the same level would take the place of one whose referees are not all
		// dismissed.
		let dismissing = (0..LEVELS).any(|level| Panels::<T>::contains_key(id, level));
		ensure!(!dismissing, Error::<T>::NotChallengeable);
		Ok(check)
	}

	/// What an appeal or a challenge that calls this panel puts at stake: what its referees are paid,
	/// and something more.
	pub(crate) fn bond_for(check: &CheckOf<T>, roll: &Roll) -> Balance {
		let percent = Balance::from(CurrentRules::<T>::get().bond_percent);
		let pay = check.assignment.audit_pay.saturating_mul(Balance::from(roll.referees));
		pay.saturating_mul(percent) / 100
	}

	/// Gives a challenger its bond back. Returns what it got: all, unless its account cannot take
	/// it, and then it is burned.
	pub(crate) fn return_bond(challenge: &Challenge<T::AccountId>) -> Balance {
		let Challenge { challenger, bond } = challenge;
		let reason = HoldReason::Challenge.into();
		T::Currency::release(&reason, challenger, *bond, Precision::BestEffort).unwrap_or_else(
			|_| {
				defensive!("an account with money on hold exists and can take it back");
				Self::burn_bond(challenger, *bond);
				0
			},
		)
	}

	/// Moves a part of a lost bond to the pot and burns the rest. Returns what the pot got.
	pub(crate) fn forfeit_bond(challenge: &Challenge<T::AccountId>, to_pot: Balance) -> Balance {
		let Challenge { challenger, bond } = challenge;
		let moved = if to_pot == 0 {
			0
		} else {
			T::Currency::transfer_on_hold(
				&HoldReason::Challenge.into(),
				challenger,
				&T::Rewards::pot(),
				to_pot.min(*bond),
				Precision::BestEffort,
				Restriction::Free,
				Fortitude::Force,
			)
			.unwrap_or_else(|_| {
				defensive!("the pot exists and can take what is paid into it");
				0
			})
		};
		Self::burn_bond(challenger, bond.saturating_sub(moved));
		moved
	}

	fn burn_bond(challenger: &T::AccountId, amount: Balance) {
		let burned = T::Currency::burn_held(
			&HoldReason::Challenge.into(),
			challenger,
			amount,
			Precision::BestEffort,
			Fortitude::Force,
		);
		if burned.is_err() {
			defensive!("money on hold can be burned by force");
		}
	}
}

impl<T: Config> KeepChecks for Pallet<T> {
	fn forget(id: &AttemptId) {
		let settled = |check: &CheckOf<T>| check.state == CheckState::Settled;
		// After a challenge there is nothing left.
		if Self::check_of(id).as_ref().is_some_and(settled) {
			Checks::<T>::remove(id.chunk);
		}
	}
}
