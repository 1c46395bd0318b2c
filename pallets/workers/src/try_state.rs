//! The invariants, each a sentence and a check.

use crate::{
	seats, Config, CurrentRules, Devices, HoldReason, Ledger, NextSeats, Pallet, Progress, Seats,
	WorkerState, Workers,
};
use alloc::collections::btree_set::BTreeSet;
use codec::Encode;
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::TryRuntimeError;
use tequio_primitives::{clock::WorkClock, Balance, Role, WorkClass};

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_stake()?;
		Self::check_collateral()?;
		Self::check_ledger()?;
		Self::check_devices()?;
		Self::check_appeals()?;
		Self::check_offers()?;
		Self::check_reputations()?;
		Self::check_rules()?;
		Self::check_next_seats()?;
		Self::check_seats()
	}

	/// The stake of an owner is what is on hold for it.
	fn check_stake() -> Result<(), TryRuntimeError> {
		for (owner, worker) in Workers::<T>::iter() {
			let held = T::Currency::balance_on_hold(&HoldReason::Stake.into(), &owner);
			ensure!(held == worker.stake, "the stake of an owner is not what is on hold");
		}
		Ok(())
	}

	/// The collateral of an owner is what its devices' duties bind, and within its stake; an
	/// unbonding owner has no duties.
	fn check_collateral() -> Result<(), TryRuntimeError> {
		for worker in Workers::<T>::iter_values() {
			let engagements = || {
				worker
					.devices
					.iter()
					.filter_map(Devices::<T>::get)
					.flat_map(|device| device.engagements.into_iter())
			};
			let bound = engagements().map(|engagement| engagement.collateral);
			let bound = bound.fold(0, Balance::saturating_add);
			ensure!(worker.collateral == bound, "collateral is not the sum over the duties");
			ensure!(worker.collateral <= worker.stake, "collateral is above the stake");
			let unbonding = matches!(worker.state, WorkerState::Unbonding { .. });
			ensure!(!unbonding || engagements().next().is_none(), "duties of an unbonding owner");
		}
		Ok(())
	}

	/// `engaged = released + compensation + bounty + burned + what is bound now`.
	fn check_ledger() -> Result<(), TryRuntimeError> {
		let ledger = Ledger::<T>::get();
		let bound = Workers::<T>::iter_values().map(|worker| worker.collateral);
		let gone = [ledger.released, ledger.compensation, ledger.bounty, ledger.burned];
		let sum = bound.chain(gone).fold(0, Balance::saturating_add);
		ensure!(ledger.engaged == sum, "the ledger of collateral does not balance");
		Ok(())
	}

	/// Owners and devices know each other; a device is nobody's owner, its account exists, and no
	/// duty is twice on it.
	fn check_devices() -> Result<(), TryRuntimeError> {
		for (account, device) in Devices::<T>::iter() {
			let owner = Workers::<T>::get(&device.owner).ok_or("a device without an owner")?;
			let listed = owner.devices.iter().filter(|listed| **listed == account).count();
			ensure!(listed == 1, "an owner does not list its device once");
			ensure!(!Workers::<T>::contains_key(&account), "a device is an owner");
			let providers = frame_system::Pallet::<T>::providers(&account);
			ensure!(providers > 0, "the account of a device does not exist");
			let duties = device.engagements.iter().map(|engagement| engagement.duty);
			let distinct = duties.collect::<BTreeSet<_>>().len();
			ensure!(distinct == device.engagements.len(), "a device has a duty twice");
		}
		let listed: usize = Workers::<T>::iter_values().map(|worker| worker.devices.len()).sum();
		ensure!(listed == Devices::<T>::iter_keys().count(), "an owner lists a device that is not");
		Ok(())
	}

	/// Whoever stands for an appeal has nothing to do for it.
	fn check_appeals() -> Result<(), TryRuntimeError> {
		let mut engagements = Devices::<T>::iter_values().flat_map(|device| device.engagements);
		let idle = engagements.all(|engagement| match engagement.duty.role {
			Role::Appellant { .. } => engagement.progress == Progress::Done,
			Role::Worker | Role::Auditor | Role::Referee { .. } => true,
		});
		ensure!(idle, "a device has something to do for an appeal");
		Ok(())
	}

	/// Each owner offers something, each class once, at a rate above zero.
	fn check_offers() -> Result<(), TryRuntimeError> {
		for worker in Workers::<T>::iter_values() {
			let classes = worker.offers.iter().map(|offer| offer.class);
			let distinct = classes.collect::<BTreeSet<_>>().len();
			ensure!(distinct == worker.offers.len(), "a class is offered twice");
			ensure!(distinct > 0, "an owner offers nothing");
			ensure!(worker.offers.iter().all(|offer| offer.rate > 0), "an offer without a rate");
		}
		Ok(())
	}

	/// An owner has one reputation in a class, of the past, in which it passed no more audits than
	/// it delivered results.
	fn check_reputations() -> Result<(), TryRuntimeError> {
		let now = T::Clock::now();
		for worker in Workers::<T>::iter_values() {
			let classes = worker.reputations.iter().map(|(class, _)| class);
			let distinct = classes.collect::<BTreeSet<_>>().len();
			ensure!(distinct == worker.reputations.len(), "two reputations in a class");
			for (_, reputation) in &worker.reputations {
				ensure!(reputation.halved_at <= now, "a reputation of the future");
				ensure!(reputation.passed <= reputation.accepted, "audits of no results");
			}
		}
		Ok(())
	}

	/// The rules are within their bounds.
	fn check_rules() -> Result<(), TryRuntimeError> {
		ensure!(CurrentRules::<T>::get().are_sound(), "a chain cannot run by these rules");
		Ok(())
	}

	/// The seats of the next period are what stakes and offers come to, or fewer where the stake of
	/// a seat was changed.
	fn check_next_seats() -> Result<(), TryRuntimeError> {
		let seat_stake = CurrentRules::<T>::get().seat_stake;
		for class in WorkClass::ALL {
			let holders = NextSeats::<T>::get(class);
			let mut seated = 0usize;
			for (owner, worker) in Workers::<T>::iter() {
				let seats = seats::seats_of(&holders, &owner);
				let most = worker.seats_in(class, seat_stake);
				ensure!(seats <= most, "more seats than the stake makes");
				seated = seated.saturating_add(usize::from(seats > 0));
			}
			ensure!(holders.len() == seated, "seats of somebody who is no owner");
			ensure!(holders.iter().all(|holder| holder.seats > 0), "a place without seats");
		}
		Ok(())
	}

	/// Seats in force belong to owners that are not unbonding, each listed once and with at least
	/// one seat.
	fn check_seats() -> Result<(), TryRuntimeError> {
		for class in WorkClass::ALL {
			let holders = Seats::<T>::get(class);
			for holder in &holders {
				let worker = Workers::<T>::get(&holder.owner).ok_or("seats without an owner")?;
				let unbonding = matches!(worker.state, WorkerState::Unbonding { .. });
				ensure!(!unbonding, "seats of an unbonding owner");
				ensure!(holder.seats > 0, "an owner without seats is listed");
			}
			let owners = holders.iter().map(|holder| holder.owner.encode());
			let distinct = owners.collect::<BTreeSet<_>>().len();
			ensure!(distinct == holders.len(), "an owner is listed twice");
		}
		Ok(())
	}
}
