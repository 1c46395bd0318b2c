//! Whether a device wants work: its signal, the owner's pause, suspension after misses.

use crate::{Availability, Call, Config, CurrentRules, Device, Devices, Error, Event, Pallet};
use alloc::{vec, vec::Vec};
use codec::Encode;
use frame_support::{dispatch::DispatchResult, ensure};
use tequio_primitives::{clock::WorkClock, WorkHeight};

/// Misses in a row that suspend a device.
const MISSES: u8 = 2;

impl<T: Config> Pallet<T> {
	/// Whether `call`, signed by `who`, is free of fees: a signal by a device that would change
	/// something now. Names the tags of the transaction, by which a device has one free signal in
	/// the pool at a time.
	pub fn free_call_tags(who: &T::AccountId, call: &Call<T>) -> Option<Vec<Vec<u8>>> {
		let Call::set_accepting { accepting } = call else { return None };
		Self::signalled(&Devices::<T>::get(who)?, *accepting, T::Clock::now()).ok()?;
		Some(vec![(b"tequio/signal", who).encode()])
	}

	pub(crate) fn do_set_accepting(device: T::AccountId, accepting: bool) -> DispatchResult {
		let mut found = Devices::<T>::get(&device).ok_or(Error::<T>::DeviceNotFound)?;
		let now = T::Clock::now();
		found.availability = Self::signalled(&found, accepting, now)?;
		found.signal_from = now.saturating_add(CurrentRules::<T>::get().signal_period);
		Self::put_availability(device, found);
		Ok(())
	}

	pub(crate) fn do_pause_device(owner: T::AccountId, device: T::AccountId) -> DispatchResult {
		let mut found = Self::device_of(&owner, &device)?;
		ensure!(found.availability != Availability::Paused, Error::<T>::Unchanged);
		found.availability = Availability::Paused;
		Self::put_availability(device, found);
		Ok(())
	}

	/// Ends a suspension too: somebody has looked after the device.
	pub(crate) fn do_resume_device(owner: T::AccountId, device: T::AccountId) -> DispatchResult {
		let mut found = Self::device_of(&owner, &device)?;
		ensure!(found.availability == Availability::Paused, Error::<T>::DeviceNotPaused);
		found.availability = Availability::Idle;
		Self::put_availability(device, found);
		Ok(())
	}

	/// Takes a device that handed work back out of the draws until its next signal.
	pub(crate) fn note_decline(account: &T::AccountId) {
		let Some(mut device) = Devices::<T>::get(account) else { return };
		device.signal_from = T::Clock::now().saturating_add(CurrentRules::<T>::get().signal_period);
		if device.availability != Availability::Accepting {
			Devices::<T>::insert(account, device);
			return;
		}
		device.availability = Availability::Idle;
		Self::put_availability(account.clone(), device);
	}

	/// Counts a missed deadline; suspends the device if it is one too many. A device that its owner
	/// paused stays paused.
	pub(crate) fn note_miss(account: &T::AccountId) {
		let Some(mut device) = Devices::<T>::get(account) else { return };
		device.misses = device.misses.saturating_add(1);
		if device.misses < MISSES || device.availability == Availability::Paused {
			Devices::<T>::insert(account, device);
			return;
		}
		let until = T::Clock::now().saturating_add(CurrentRules::<T>::get().suspension);
		device.misses = 0;
		device.availability = Availability::Suspended { until };
		Self::put_availability(account.clone(), device);
	}

	/// What the device's own signal makes of its availability.
	fn signalled(
		device: &Device<T::AccountId>,
		accepting: bool,
		now: WorkHeight,
	) -> Result<Availability, Error<T>> {
		let wanted = if accepting { Availability::Accepting } else { Availability::Idle };
		match device.availability {
			Availability::Paused => Err(Error::<T>::DevicePaused),
			Availability::Suspended { until } if now < until => Err(Error::<T>::DeviceSuspended),
			present if present == wanted => Err(Error::<T>::Unchanged),
			_ if now < device.signal_from => Err(Error::<T>::SignalTooSoon),
			_ => Ok(wanted),
		}
	}

	fn put_availability(account: T::AccountId, device: Device<T::AccountId>) {
		let availability = device.availability;
		Devices::<T>::insert(&account, device);
		Self::deposit_event(Event::AvailabilityChanged { device: account, availability });
	}
}
