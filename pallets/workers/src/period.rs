//! Which seats are in force, and from when.

use crate::{
	seats, Config, CurrentRules, Error, Event, NextFixing, NextSeats, Pallet, Seats, WeightInfo,
	Worker,
};
use frame_support::{dispatch::DispatchResult, weights::WeightMeter};
use tequio_primitives::{clock::WorkClock, WorkClass, WorkHeight};

impl<T: Config> Pallet<T> {
	/// Fixes the seats if that is due and the block has room for it; else a later block does.
	pub(crate) fn poll(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::poll()).is_err() {
			return;
		}
		let (due, now) = (NextFixing::<T>::get(), T::Clock::now());
		if now < due || meter.try_consume(T::WeightInfo::fix_seats()).is_err() {
			return;
		}
		NextFixing::<T>::put(next_fixing(due, now, CurrentRules::<T>::get().seat_period));
		WorkClass::ALL.into_iter().for_each(Self::fix_seats);
	}

	fn fix_seats(class: WorkClass) {
		let holders = NextSeats::<T>::get(class);
		// The list is bounded far below 2³².
		let owners = u32::try_from(holders.len()).unwrap_or(u32::MAX);
		let seats = seats::total(&holders);
		Seats::<T>::insert(class, holders);
		Self::deposit_event(Event::SeatsFixed { class, owners, seats });
	}

	/// Brings the seats of the next period in line with an owner's stake, offers and state. Fails
	/// where a class has no room for another owner.
	pub(crate) fn update_next_seats(
		owner: &T::AccountId,
		worker: &Worker<T::AccountId>,
	) -> DispatchResult {
		let seat_stake = CurrentRules::<T>::get().seat_stake;
		for class in WorkClass::ALL {
			let seats = worker.seats_in(class, seat_stake);
			NextSeats::<T>::try_mutate(class, |holders| {
				seats::set_seats(holders, owner.clone(), seats).map_err(|_| Error::<T>::ClassFull)
			})?;
		}
		Ok(())
	}
}

/// The height of the fixing after the one that was due at `due` and happens `now`: on the grid of
/// `due`, unless a whole period was lost.
pub(crate) fn next_fixing(due: WorkHeight, now: WorkHeight, period: u32) -> WorkHeight {
	let next = due.saturating_add(period);
	if next > now {
		next
	} else {
		now.saturating_add(period.max(1))
	}
}
