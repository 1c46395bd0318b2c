//! Binding a seat to a duty, how far its device is, and the four ways a duty ends.

use crate::{
	types::Progress, Config, CurrentRules, Devices, Engagement, Error, Event, Ledger, Pallet,
	WorkerState, Workers,
};
use frame_support::{defensive, dispatch::DispatchResult, ensure, traits::Defensive};
use tequio_primitives::{
	clock::WorkClock,
	reputation::Deed,
	terms::SlashShares,
	workers::{EngageSeats, Penalty, Seat},
	Balance, Duty, Role, WorkClass,
};

/// Nothing was taken.
const NOTHING: SlashShares = SlashShares { compensation: 0, bounty: 0, burned: 0 };

impl<T: Config> EngageSeats<T::AccountId> for Pallet<T> {
	fn engage(
		seat: &Seat<T::AccountId>,
		duty: Duty,
		class: WorkClass,
		collateral: Balance,
	) -> DispatchResult {
		let engagement = Engagement { duty, class, collateral, progress: Progress::Computing };
		Self::bind(seat, engagement, |state| *state == WorkerState::Active)
	}

	/// An owner that is leaving may still stand for what it did before.
	fn stand_for(
		seat: &Seat<T::AccountId>,
		duty: Duty,
		class: WorkClass,
		collateral: Balance,
	) -> DispatchResult {
		let engagement = Engagement { duty, class, collateral, progress: Progress::Done };
		Self::bind(seat, engagement, |state| !matches!(state, WorkerState::Unbonding { .. }))
	}

	fn commit(seat: &Seat<T::AccountId>, duty: Duty) {
		Self::proceed(seat, duty, Progress::Committed);
	}

	fn complete(seat: &Seat<T::AccountId>, duty: Duty) {
		Self::proceed(seat, duty, Progress::Done);
	}

	fn release(seat: &Seat<T::AccountId>, duty: Duty, deed: Deed) {
		let Some(engagement) = Self::disengage(seat, duty) else { return };
		Self::unbind(&seat.owner, &engagement, NOTHING, deed);
	}

	fn hand_back(seat: &Seat<T::AccountId>, duty: Duty) {
		Self::release(seat, duty, Deed::Declined);
		Self::note_decline(&seat.device);
	}

	fn miss(seat: &Seat<T::AccountId>, duty: Duty, fine: Balance) {
		let Some(engagement) = Self::disengage(seat, duty) else { return };
		let fine = Self::burn_stake(&seat.owner, fine.min(engagement.collateral));
		let taken = SlashShares { burned: fine, ..NOTHING };
		Self::unbind(&seat.owner, &engagement, taken, Deed::Late);
		let (owner, device) = (seat.owner.clone(), seat.device.clone());
		Self::deposit_event(Event::Missed { owner, device, duty, fine });
		Self::note_miss(&seat.device);
	}

	fn slash(seat: &Seat<T::AccountId>, duty: Duty, penalty: Penalty<T::AccountId>) -> Balance {
		let Some(engagement) = Self::disengage(seat, duty) else { return 0 };
		let shares = Self::share_stake(&seat.owner, engagement.collateral, penalty);
		// An appeal that failed is no work done wrong.
		let deed = match duty.role {
			Role::Appellant { .. } => Deed::Nothing,
			Role::Worker | Role::Auditor | Role::Referee { .. } => Deed::Rejected,
		};
		Self::unbind(&seat.owner, &engagement, shares, deed);
		let SlashShares { compensation, bounty, burned } = shares;
		let amount = sum(shares);
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
	/// Binds collateral of an owner in a fitting state to a duty of its device.
	fn bind(
		seat: &Seat<T::AccountId>,
		engagement: Engagement,
		fits: impl Fn(&WorkerState) -> bool,
	) -> DispatchResult {
		let Engagement { duty, collateral, .. } = engagement;
		let mut worker = Workers::<T>::get(&seat.owner).ok_or(Error::<T>::NotRegistered)?;
		ensure!(fits(&worker.state), Error::<T>::NotActive);
		ensure!(worker.free_collateral() >= collateral, Error::<T>::CollateralUnavailable);
		let mut device = Self::device_of(&seat.owner, &seat.device)?;
		let known = device.engagements.iter().any(|engagement| engagement.duty == duty);
		ensure!(!known, Error::<T>::AlreadyEngaged);
		device.engagements.try_push(engagement).map_err(|_| Error::<T>::DeviceFull)?;
		// Not above the stake: it was free.
		worker.collateral = worker.collateral.saturating_add(collateral);
		Workers::<T>::insert(&seat.owner, worker);
		Devices::<T>::insert(&seat.device, device);
		Ledger::<T>::mutate(|ledger| {
			ledger.engaged = ledger.engaged.saturating_add(collateral);
		});
		Ok(())
	}

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

	/// Takes a duty off its device; what was bound to it, or `None` if there is no such duty.
	fn disengage(seat: &Seat<T::AccountId>, duty: Duty) -> Option<Engagement> {
		let taken = Devices::<T>::mutate(&seat.device, |device| {
			let engagements = &mut device.as_mut()?.engagements;
			let place = engagements.iter().position(|engagement| engagement.duty == duty)?;
			Some(engagements.remove(place))
		});
		taken.defensive_proof("a duty is ended once")
	}

	/// Frees the collateral of a duty that has ended, less what was `taken` out of the stake, and
	/// notes what the duty says of its owner.
	fn unbind(owner: &T::AccountId, engagement: &Engagement, taken: SlashShares, deed: Deed) {
		let Engagement { class, collateral, .. } = *engagement;
		let lost = sum(taken);
		Workers::<T>::mutate(owner, |worker| {
			let Some(worker) = worker else {
				defensive!("an owner with duties stays");
				return;
			};
			let (rules, now) = (CurrentRules::<T>::get(), T::Clock::now());
			let seats = worker.seats(rules.seat_stake);
			worker.collateral = worker.collateral.saturating_sub(collateral);
			worker.stake = worker.stake.saturating_sub(lost);
			worker.note(class, deed, now, rules.half_life);
			Self::lower_next_seats(owner, worker, seats, rules.seat_stake);
		});
		Ledger::<T>::mutate(|ledger| {
			let released = collateral.saturating_sub(lost);
			ledger.released = ledger.released.saturating_add(released);
			ledger.compensation = ledger.compensation.saturating_add(taken.compensation);
			ledger.bounty = ledger.bounty.saturating_add(taken.bounty);
			ledger.burned = ledger.burned.saturating_add(taken.burned);
		});
	}
}

/// What was taken in all. The parts add up to the collateral of a duty at most.
fn sum(taken: SlashShares) -> Balance {
	taken.compensation.saturating_add(taken.bounty).saturating_add(taken.burned)
}
