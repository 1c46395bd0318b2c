//! Binding a seat to a duty, how far its device is, and the three ways a duty ends.

use crate::{
	types::Progress, Config, Devices, Engagement, Error, Event, Ledger, Pallet, Worker,
	WorkerState, Workers,
};
use frame_support::{defensive, dispatch::DispatchResult, ensure, traits::Defensive};
use sp_runtime::DispatchError;
use tequio_primitives::{
	terms::SlashShares,
	workers::{EngageSeats, Penalty, Seat},
	Balance, Duty,
};

impl<T: Config> EngageSeats<T::AccountId> for Pallet<T> {
	fn engage(seat: &Seat<T::AccountId>, duty: Duty, collateral: Balance) -> DispatchResult {
		let mut worker = Workers::<T>::get(&seat.owner).ok_or(Error::<T>::NotRegistered)?;
		ensure!(worker.state == WorkerState::Active, Error::<T>::NotActive);
		ensure!(worker.free_collateral() >= collateral, Error::<T>::CollateralUnavailable);
		let mut device = Self::device_of(&seat.owner, &seat.device)?;
		let known = device.engagements.iter().any(|engagement| engagement.duty == duty);
		ensure!(!known, Error::<T>::AlreadyEngaged);
		device
			.engagements
			.try_push(Engagement { duty, collateral, progress: Progress::Computing })
			.map_err(|_| Error::<T>::DeviceFull)?;
		// Not above the stake: it was free.
		worker.collateral = worker.collateral.saturating_add(collateral);
		Workers::<T>::insert(&seat.owner, worker);
		Devices::<T>::insert(&seat.device, device);
		Ledger::<T>::mutate(|ledger| {
			ledger.engaged = ledger.engaged.saturating_add(collateral);
		});
		Ok(())
	}

	fn commit(seat: &Seat<T::AccountId>, duty: Duty) {
		Self::proceed(seat, duty, Progress::Committed);
	}

	fn complete(seat: &Seat<T::AccountId>, duty: Duty) {
		Self::proceed(seat, duty, Progress::Done);
	}

	fn release(seat: &Seat<T::AccountId>, duty: Duty) {
		let Some(collateral) = Self::disengage(seat, duty) else { return };
		Self::unbind(
			&seat.owner,
			collateral,
			SlashShares { compensation: 0, bounty: 0, burned: 0 },
		);
	}

	fn hand_back(seat: &Seat<T::AccountId>, duty: Duty) {
		Self::release(seat, duty);
		Self::note_decline(&seat.device);
	}

	fn miss(seat: &Seat<T::AccountId>, duty: Duty, fine: Balance) {
		let Some(collateral) = Self::disengage(seat, duty) else { return };
		let fine = Self::burn_stake(&seat.owner, fine.min(collateral));
		Self::unbind(
			&seat.owner,
			collateral,
			SlashShares { compensation: 0, bounty: 0, burned: fine },
		);
		let (owner, device) = (seat.owner.clone(), seat.device.clone());
		Self::deposit_event(Event::Missed { owner, device, duty, fine });
		Self::note_miss(&seat.device);
	}

	fn slash(seat: &Seat<T::AccountId>, duty: Duty, penalty: Penalty<T::AccountId>) -> Balance {
		let Some(collateral) = Self::disengage(seat, duty) else { return 0 };
		let mut left = collateral;
		let compensation = Self::pay_from_stake(&seat.owner, &penalty.compensation, &mut left);
		let bounty = Self::pay_from_stake(&seat.owner, &penalty.bounty, &mut left);
		// What could not be paid out is no longer left, and burned with the rest. None of the parts
		// is above `collateral`.
		let paid = compensation.saturating_add(bounty);
		let burned = Self::burn_stake(&seat.owner, collateral.saturating_sub(paid));
		Self::unbind(&seat.owner, collateral, SlashShares { compensation, bounty, burned });
		let amount = paid.saturating_add(burned);
		let (owner, device) = (seat.owner.clone(), seat.device.clone());
		Self::deposit_event(Event::Slashed {
			owner,
			device,
			duty,
			amount,
			compensation,
			bounty,
			burned,
		});
		amount
	}
}

impl<T: Config> Pallet<T> {
	/// Notes how far a device is with a duty. One that did something has not gone silent.
	fn proceed(seat: &Seat<T::AccountId>, duty: Duty, progress: Progress) {
		Devices::<T>::mutate(&seat.device, |device| {
			let engagement = device.as_mut().and_then(|device| {
				device.misses = 0;
				device.engagements.iter_mut().find(|engagement| engagement.duty == duty)
			});
			match engagement {
				Some(engagement) => engagement.progress = progress,
				None => {
					defensive!("a device proceeds with a duty between engaging and ending it");
				},
			}
		});
	}

	/// Takes a duty off its device; the collateral that is still bound to it, or `None` if there is
	/// no such duty.
	fn disengage(seat: &Seat<T::AccountId>, duty: Duty) -> Option<Balance> {
		let taken = Devices::<T>::mutate(&seat.device, |device| {
			let engagements = &mut device.as_mut()?.engagements;
			let place = engagements.iter().position(|engagement| engagement.duty == duty)?;
			Some(engagements.remove(place).collateral)
		});
		taken.defensive_proof("a duty is ended once")
	}

	/// Frees the collateral of a duty that has ended, less what was `taken` out of the stake.
	fn unbind(owner: &T::AccountId, collateral: Balance, taken: SlashShares) {
		let SlashShares { compensation, bounty, burned } = taken;
		// The parts add up to `collateral` at most.
		let lost = compensation.saturating_add(bounty).saturating_add(burned);
		let unbound = Workers::<T>::try_mutate(owner, |worker| {
			let worker = worker.as_mut().ok_or(Error::<T>::NotRegistered)?;
			Self::reduce(owner, worker, collateral, lost)
		});
		let _ =
			unbound.defensive_proof("an owner with duties stays; a smaller stake needs no room");
		Ledger::<T>::mutate(|ledger| {
			let released = collateral.saturating_sub(lost);
			ledger.released = ledger.released.saturating_add(released);
			ledger.compensation = ledger.compensation.saturating_add(compensation);
			ledger.bounty = ledger.bounty.saturating_add(bounty);
			ledger.burned = ledger.burned.saturating_add(burned);
		});
	}

	fn reduce(
		owner: &T::AccountId,
		worker: &mut Worker<T::AccountId>,
		collateral: Balance,
		lost: Balance,
	) -> Result<(), DispatchError> {
		worker.collateral = worker.collateral.saturating_sub(collateral);
		worker.stake = worker.stake.saturating_sub(lost);
		if lost > 0 {
			Self::update_next_seats(owner, worker)?;
		}
		Ok(())
	}
}
