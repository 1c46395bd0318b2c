//! The requester's money. Nothing else in the pallet moves it.
//!
//! Every amount that leaves is first cut to what the task itself has in escrow, since all tasks of
//! a requester share one hold, and is then entered in the books. Nothing here fails: pay that an
//! account cannot take goes to the pot of `rewards` in its owner's name; what not even the pot
//! takes stays in escrow and returns with the remainder; a fee or a remainder too small for its
//! account to take is burned.

use crate::{types::TaskOf, Config, Error, HoldReason, Pallet};
use frame_support::{
	dispatch::DispatchResult,
	traits::{
		fungible::hold::Mutate,
		tokens::{Fortitude, Precision, Restriction},
	},
};
use tequio_primitives::{rewards::DistributeRewards, workers::InspectWorkers, Balance};

/// Where a payment is entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
	/// Pay of a worker.
	Paid,
	/// Pay of an auditor.
	Audit,
}

impl<T: Config> Pallet<T> {
	/// Locks what a task can cost.
	pub(crate) fn lock(requester: &T::AccountId, amount: Balance) -> DispatchResult {
		T::Currency::hold(&HoldReason::Escrow.into(), requester, amount)
			.map_err(|_| Error::<T>::InsufficientFunds.into())
	}

	/// Pays an owner. Returns what was paid; the fee on it is still to be paid.
	pub(crate) fn pay(
		task: &mut TaskOf<T>,
		owner: &T::AccountId,
		amount: Balance,
		column: Column,
	) -> Balance {
		let amount = amount.min(Self::in_escrow(task));
		let payout = T::Workers::payout_of(owner);
		let paid = if Self::send(task, &payout, amount) || Self::keep_for(task, owner, amount) {
			amount
		} else {
			0
		};
		let line = match column {
			Column::Paid => &mut task.books.paid,
			Column::Audit => &mut task.books.audit,
		};
		*line = line.saturating_add(paid);
		paid
	}

	/// Returns money to the requester.
	pub(crate) fn refund(task: &mut TaskOf<T>, amount: Balance) {
		let amount = amount.min(Self::in_escrow(task));
		if amount == 0 {
			return;
		}
		let reason = HoldReason::Escrow.into();
		let returned =
			T::Currency::release(&reason, &task.requester, amount, Precision::BestEffort)
				.unwrap_or_else(|_| Self::burn(task, amount));
		task.books.refunded = task.books.refunded.saturating_add(returned);
	}

	/// What a task still has in escrow.
	pub(crate) fn in_escrow(task: &TaskOf<T>) -> Balance {
		task.books.in_escrow().unwrap_or(0)
	}

	/// Pays the protocol its fees: those of one step together, since each payment moves several
	/// accounts.
	pub(crate) fn pay_fee(task: &mut TaskOf<T>, fee: Balance) {
		let fee = fee.min(Self::in_escrow(task));
		if fee == 0 {
			return;
		}
		for (account, part) in T::Rewards::fee_parts(fee) {
			let moved =
				if Self::send(task, &account, part) { part } else { Self::burn(task, part) };
			task.books.fee = task.books.fee.saturating_add(moved);
		}
	}

	fn keep_for(task: &TaskOf<T>, owner: &T::AccountId, amount: Balance) -> bool {
		let kept = Self::send(task, &T::Rewards::pot(), amount);
		if kept {
			T::Rewards::accrue(owner, amount);
		}
		kept
	}

	/// Whether all of `amount` went to `dest`; otherwise nothing did.
	fn send(task: &TaskOf<T>, dest: &T::AccountId, amount: Balance) -> bool {
		amount == 0
			|| T::Currency::transfer_on_hold(
				&HoldReason::Escrow.into(),
				&task.requester,
				dest,
				amount,
				Precision::Exact,
				Restriction::Free,
				Fortitude::Force,
			)
			.is_ok()
	}

	fn burn(task: &TaskOf<T>, amount: Balance) -> Balance {
		T::Currency::burn_held(
			&HoldReason::Escrow.into(),
			&task.requester,
			amount,
			Precision::BestEffort,
			Fortitude::Force,
		)
		.unwrap_or(0)
	}
}
