//! The requester's money. Nothing else in the pallet moves it.
//!
//! The budget is held on the requester's own account. A task takes its cost out of what is held and
//! locks it itself; once it has ended, what it did not spend is held again. All trainings of a
//! requester share one hold, so every amount is first cut to what the training itself has there.

use crate::{types::TrainingOf, Config, Error, HoldReason, Pallet};
use frame_support::{
	dispatch::DispatchResult,
	traits::{
		fungible::{hold::Mutate, Inspect},
		tokens::{Fortitude, Precision, Preservation},
	},
};
use tequio_primitives::{api::Books, Balance};

impl<T: Config> Pallet<T> {
	/// Holds a budget.
	pub(crate) fn lock(requester: &T::AccountId, budget: Balance) -> DispatchResult {
		T::Currency::hold(&HoldReason::Budget.into(), requester, budget)
			.map_err(|_| Error::<T>::InsufficientFunds.into())
	}

	/// Frees the cost of a task, which is about to lock it.
	pub(crate) fn spare(training: &mut TrainingOf<T>, cost: Balance) -> DispatchResult {
		let money = &mut training.money;
		money.held = money.held.checked_sub(cost).ok_or(Error::<T>::BudgetTooSmall)?;
		money.out = money.out.checked_add(cost).ok_or(Error::<T>::BudgetTooSmall)?;
		let reason = HoldReason::Budget.into();
		T::Currency::release(&reason, &training.requester, cost, Precision::Exact)?;
		Ok(())
	}

	/// Enters what a task has spent that has ended, and holds again what it did not spend: as much
	/// of it as the requester still has free and does not need to live. A training that stops needs
	/// it no more.
	pub(crate) fn settle(training: &mut TrainingOf<T>, books: &Books) {
		let closed = books.locked.min(training.money.out);
		let unspent = books.refunded.min(closed);
		let kept = match training.reason {
			None => Self::hold_again(&training.requester, unspent),
			Some(_) => 0,
		};
		let money = &mut training.money;
		money.out = money.out.saturating_sub(closed);
		money.spent = money.spent.saturating_add(closed.saturating_sub(unspent));
		money.held = money.held.saturating_add(kept);
		money.returned = money.returned.saturating_add(unspent.saturating_sub(kept));
	}

	/// Returns all that is held for a training. What its account cannot take is burned.
	pub(crate) fn give_back(training: &mut TrainingOf<T>) {
		let amount = training.money.held;
		if amount == 0 {
			return;
		}
		let reason = HoldReason::Budget.into();
		let who = &training.requester;
		if T::Currency::release(&reason, who, amount, Precision::BestEffort).is_err() {
			let (precision, force) = (Precision::BestEffort, Fortitude::Force);
			let _burned = T::Currency::burn_held(&reason, who, amount, precision, force);
		}
		training.money.held = 0;
		training.money.returned = training.money.returned.saturating_add(amount);
	}

	/// Holds as much of an amount as the requester can spare and live. Returns how much that was. A
	/// lock on the account keeps nothing from it, as it kept nothing from the first hold.
	fn hold_again(requester: &T::AccountId, amount: Balance) -> Balance {
		let (alive, force) = (Preservation::Preserve, Fortitude::Force);
		let amount = amount.min(T::Currency::reducible_balance(requester, alive, force));
		let reason = HoldReason::Budget.into();
		let held = amount > 0 && T::Currency::hold(&reason, requester, amount).is_ok();
		if held {
			amount
		} else {
			0
		}
	}
}
