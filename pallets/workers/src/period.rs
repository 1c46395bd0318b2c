//! Which seats are in force, and from when.

use crate::{
	seats, Config, CurrentRules, Error, Event, NextFixing, NextSeats, Offer, Pallet, Rules, Seats,
	WeightInfo, Worker,
};
use frame_support::{dispatch::DispatchResult, ensure, weights::WeightMeter};
use tequio_primitives::{clock::WorkClock, Balance, WorkClass, WorkHeight};

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
		let (owners, seats) = (seats::count(&holders), seats::total(&holders));
		Seats::<T>::insert(class, holders);
		Self::deposit_event(Event::SeatsFixed { class, owners, seats });
	}

	/// Brings the seats of the next period in line with an owner's stake, offers and state; `before`
	/// are offers that it had. Fails where a class has no room for another owner.
	pub(crate) fn update_next_seats(
		owner: &T::AccountId,
		worker: &Worker<T::AccountId>,
		before: &[Offer],
	) -> DispatchResult {
		let seat_stake = CurrentRules::<T>::get().seat_stake;
		let concerned = |class: &WorkClass| {
			worker.offer(*class).is_some() || before.iter().any(|offer| offer.class == *class)
		};
		for class in WorkClass::ALL.into_iter().filter(concerned) {
			let seats = worker.seats_in(class, seat_stake);
			let mut holders = NextSeats::<T>::get(class);
			if seats::seats_of(&holders, owner) == seats {
				continue;
			}
			seats::set_seats(&mut holders, owner.clone(), seats)
				.map_err(|_| Error::<T>::ClassFull)?;
			NextSeats::<T>::insert(class, holders);
		}
		Ok(())
	}

	/// Takes the seats of the next period that an owner's stake made `before` it shrank, and makes
	/// no longer. Touches nothing where that is none.
	pub(crate) fn lower_next_seats(
		owner: &T::AccountId,
		worker: &Worker<T::AccountId>,
		before: u32,
		seat_stake: Balance,
	) {
		let seats = worker.seats(seat_stake);
		if seats >= before {
			return;
		}
		for offer in &worker.offers {
			NextSeats::<T>::mutate(offer.class, |holders| {
				seats::cap_seats(holders, owner, seats);
			});
		}
	}

	pub(crate) fn do_set_rules(rules: Rules) -> DispatchResult {
		ensure!(rules.are_sound(), Error::<T>::RulesUnsound);
		let (old, new) = (CurrentRules::<T>::get().seat_stake, rules.seat_stake);
		CurrentRules::<T>::put(rules);
		if old != new {
			for class in WorkClass::ALL {
				NextSeats::<T>::mutate(class, |holders| seats::convert(holders, old, new));
			}
		}
		Self::deposit_event(Event::RulesChanged { rules });
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
