//! Registering, offers, payout, devices, leaving.

use crate::{
	seats, types::PendingPayout, Config, CurrentRules, Device, Devices, Error, Event, Offer,
	Offers, Pallet, Seats, Worker, WorkerState, Workers,
};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, ensure, BoundedVec};
use sp_core::ed25519;
use sp_runtime::DispatchError;
use tequio_primitives::{
	clock::WorkClock, commitment::genesis_hash, device::proof_message, reputation::Reputation,
	workers::InspectWorkers, Balance, Duty, WorkClass,
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register(
		owner: T::AccountId,
		offers: Offers,
		stake: Balance,
		payout: T::AccountId,
	) -> DispatchResult {
		ensure!(!Workers::<T>::contains_key(&owner), Error::<T>::AlreadyRegistered);
		ensure!(!Devices::<T>::contains_key(&owner), Error::<T>::OwnerIsDevice);
		Self::ensure_payout(&payout)?;
		Self::ensure_offers(&offers, stake)?;
		Self::hold_stake(&owner, stake)?;
		let worker = Worker {
			payout,
			pending_payout: None,
			stake,
			collateral: 0,
			offers,
			state: WorkerState::Active,
			devices: BoundedVec::new(),
			reputations: BoundedVec::new(),
		};
		Self::put_worker(&owner, worker, &[])?;
		Self::deposit_event(Event::Registered { owner, stake });
		Ok(())
	}

	pub(crate) fn do_add_stake(owner: T::AccountId, amount: Balance) -> DispatchResult {
		let mut worker = Self::active(&owner)?;
		ensure!(amount > 0, Error::<T>::NoAmount);
		Self::hold_stake(&owner, amount)?;
		// The token's issuance bounds the sum.
		worker.stake = worker.stake.saturating_add(amount);
		let stake = worker.stake;
		Self::put_worker(&owner, worker, &[])?;
		Self::deposit_event(Event::StakeAdded { owner, amount, stake });
		Ok(())
	}

	pub(crate) fn do_set_offers(owner: T::AccountId, offers: Offers) -> DispatchResult {
		let mut worker = Self::active(&owner)?;
		Self::ensure_offers(&offers, worker.stake)?;
		let before = core::mem::replace(&mut worker.offers, offers.clone());
		Self::put_worker(&owner, worker, &before)?;
		Self::deposit_event(Event::OffersSet { owner, offers });
		Ok(())
	}

	pub(crate) fn do_set_payout(owner: T::AccountId, payout: T::AccountId) -> DispatchResult {
		let mut worker = Workers::<T>::get(&owner).ok_or(Error::<T>::NotRegistered)?;
		Self::ensure_payout(&payout)?;
		let now = T::Clock::now();
		let at = now.saturating_add(CurrentRules::<T>::get().payout_delay);
		worker.payout = worker.payout_at(now).clone();
		worker.pending_payout = Some(PendingPayout { account: payout.clone(), at });
		Workers::<T>::insert(&owner, worker);
		Self::deposit_event(Event::PayoutChanging { owner, payout, at });
		Ok(())
	}

	pub(crate) fn do_add_device(
		owner: T::AccountId,
		device: T::AccountId,
		proof: ed25519::Signature,
	) -> DispatchResult {
		let mut worker = Self::active(&owner)?;
		ensure!(!Workers::<T>::contains_key(&device), Error::<T>::DeviceIsOwner);
		ensure!(!Devices::<T>::contains_key(&device), Error::<T>::DeviceTaken);
		worker.devices.try_push(device.clone()).map_err(|_| Error::<T>::TooManyDevices)?;
		let key = ed25519::Public::from_raw(*device.as_ref());
		let message = proof_message(&genesis_hash::<T>(), &owner);
		ensure!(sp_io::crypto::ed25519_verify(&proof, &message, &key), Error::<T>::BadProof);
		frame_system::Pallet::<T>::inc_providers(&device);
		Workers::<T>::insert(&owner, worker);
		Devices::<T>::insert(&device, Device::new(owner.clone()));
		Self::deposit_event(Event::DeviceAdded { owner, device });
		Ok(())
	}

	pub(crate) fn do_remove_device(owner: T::AccountId, device: T::AccountId) -> DispatchResult {
		let mut worker = Workers::<T>::get(&owner).ok_or(Error::<T>::NotRegistered)?;
		let found = Self::device_of(&owner, &device)?;
		ensure!(found.engagements.is_empty(), Error::<T>::DutiesOutstanding);
		worker.devices.retain(|account| *account != device);
		Workers::<T>::insert(&owner, worker);
		Self::forget_device(&device);
		Self::deposit_event(Event::DeviceRemoved { owner, device });
		Ok(())
	}

	pub(crate) fn do_drain(owner: T::AccountId) -> DispatchResult {
		let worker = Self::active(&owner)?;
		Self::put_worker(&owner, Worker { state: WorkerState::Draining, ..worker }, &[])?;
		Self::deposit_event(Event::Draining { owner });
		Ok(())
	}

	pub(crate) fn do_unbond(owner: T::AccountId) -> DispatchResult {
		let mut worker = Workers::<T>::get(&owner).ok_or(Error::<T>::NotRegistered)?;
		ensure!(worker.state == WorkerState::Draining, Error::<T>::NotDraining);
		let idle = |device: &T::AccountId| {
			Devices::<T>::get(device).is_none_or(|device| device.engagements.is_empty())
		};
		ensure!(worker.devices.iter().all(idle), Error::<T>::DutiesOutstanding);
		let seated = |class: WorkClass| seats::seats_of(&Seats::<T>::get(class), &owner) > 0;
		ensure!(!WorkClass::ALL.into_iter().any(seated), Error::<T>::SeatsInForce);
		let until = T::Clock::now().saturating_add(CurrentRules::<T>::get().unbond_period);
		worker.state = WorkerState::Unbonding { until };
		Workers::<T>::insert(&owner, worker);
		Self::deposit_event(Event::Unbonding { owner, until });
		Ok(())
	}

	pub(crate) fn do_withdraw(owner: T::AccountId) -> DispatchResult {
		let worker = Workers::<T>::get(&owner).ok_or(Error::<T>::NotRegistered)?;
		let WorkerState::Unbonding { until } = worker.state else {
			return Err(Error::<T>::NotUnbonding.into());
		};
		ensure!(T::Clock::now() >= until, Error::<T>::StillUnbonding);
		let amount = Self::release_stake(&owner, worker.stake)?;
		for device in &worker.devices {
			Self::forget_device(device);
		}
		Workers::<T>::remove(&owner);
		Self::deposit_event(Event::Withdrawn { owner, amount });
		Ok(())
	}

	/// The owner, if it takes part.
	fn active(owner: &T::AccountId) -> Result<Worker<T::AccountId>, DispatchError> {
		let worker = Workers::<T>::get(owner).ok_or(Error::<T>::NotRegistered)?;
		ensure!(worker.state == WorkerState::Active, Error::<T>::NotActive);
		Ok(worker)
	}

	/// The device, if it is one of the owner's.
	pub(crate) fn device_of(
		owner: &T::AccountId,
		device: &T::AccountId,
	) -> Result<Device<T::AccountId>, DispatchError> {
		Devices::<T>::get(device)
			.filter(|found| found.owner == *owner)
			.ok_or_else(|| Error::<T>::DeviceNotFound.into())
	}

	/// Stores an owner and what follows for the seats of the next period, where it had other offers
	/// `before`.
	fn put_worker(
		owner: &T::AccountId,
		worker: Worker<T::AccountId>,
		before: &[Offer],
	) -> DispatchResult {
		Self::update_next_seats(owner, &worker, before)?;
		Workers::<T>::insert(owner, worker);
		Ok(())
	}

	/// A device's account on which something else still counts keeps our reference: that must not
	/// hold back its owner's stake.
	fn forget_device(device: &T::AccountId) {
		Devices::<T>::remove(device);
		let _ = frame_system::Pallet::<T>::dec_providers(device);
	}

	fn ensure_payout(payout: &T::AccountId) -> DispatchResult {
		ensure!(!Devices::<T>::contains_key(payout), Error::<T>::PayoutIsDevice);
		ensure!(frame_system::Pallet::<T>::account_exists(payout), Error::<T>::PayoutNotFound);
		Ok(())
	}

	fn ensure_offers(offers: &Offers, stake: Balance) -> DispatchResult {
		ensure!(!offers.is_empty(), Error::<T>::NoOffers);
		ensure!(offers.iter().all(|offer| offer.rate > 0), Error::<T>::ZeroRate);
		let distinct = offers.iter().enumerate().all(|(place, offer)| {
			offers.iter().take(place).all(|earlier| earlier.class != offer.class)
		});
		ensure!(distinct, Error::<T>::DuplicateClass);
		let seat_stake = CurrentRules::<T>::get().seat_stake;
		let seats = seats::seats_from(stake, offers.len(), seat_stake);
		ensure!(seats > 0, Error::<T>::StakeTooSmall);
		Ok(())
	}
}

impl<T: Config> InspectWorkers<T::AccountId> for Pallet<T> {
	fn payout_of(owner: &T::AccountId) -> T::AccountId {
		let now = T::Clock::now();
		Workers::<T>::get(owner)
			.map_or_else(|| owner.clone(), |worker| worker.payout_at(now).clone())
	}

	fn duties_of(device: &T::AccountId) -> Vec<Duty> {
		Devices::<T>::get(device).map(|device| device.undone().collect()).unwrap_or_default()
	}

	fn parts_of(device: &T::AccountId) -> Vec<Duty> {
		let engagements = Devices::<T>::get(device).map(|device| device.engagements);
		engagements.into_iter().flatten().map(|engagement| engagement.duty).collect()
	}

	fn reputation_of(owner: &T::AccountId, class: WorkClass) -> Reputation {
		let (now, half_life) = (T::Clock::now(), CurrentRules::<T>::get().half_life);
		Workers::<T>::get(owner)
			.map(|worker| worker.reputation(class, now, half_life))
			.unwrap_or_default()
	}

	fn offered_by(device: &T::AccountId) -> Vec<WorkClass> {
		let owner = Devices::<T>::get(device).and_then(|device| Workers::<T>::get(device.owner));
		let offers = owner.map(|owner| owner.offers).unwrap_or_default();
		offers.into_iter().map(|offer| offer.class).collect()
	}
}
