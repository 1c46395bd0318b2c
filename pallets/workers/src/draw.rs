//! Drawing a seat that can do what is needed.

use crate::{seats, Config, Devices, Pallet, Seats, Workers};
use sp_core::H256;
use tequio_primitives::{
	draw,
	workers::{DrawSeats, Need, Seat},
};

/// Seats that one draw looks at before it gives up for this block.
pub const PROBES: u32 = 16;
/// Devices that one draw looks at before it gives up for this block. The last owner looked at is
/// looked at whole.
pub const LOOKS: usize = 32;

impl<T: Config> DrawSeats<T::AccountId> for Pallet<T> {
	/// Rejection sampling: a seat that cannot do it is passed over and another one drawn, so that
	/// all that can are equal.
	fn draw(seed: H256, need: &Need<T::AccountId>) -> Option<Seat<T::AccountId>> {
		let holders = Seats::<T>::get(need.class);
		let mut looks = 0;
		(0..PROBES).find_map(|round| {
			let owner = seats::pick(&holders, draw::number(&seed, round))?;
			(looks < LOOKS).then(|| Self::seat_for(owner, need, &mut looks)).flatten()
		})
	}
}

impl<T: Config> Pallet<T> {
	/// The owner's least loaded device with room, the oldest of several, if the owner can do what
	/// is needed. Adds the devices it reads to `looks`.
	fn seat_for(
		owner: &T::AccountId,
		need: &Need<T::AccountId>,
		looks: &mut usize,
	) -> Option<Seat<T::AccountId>> {
		if need.excluded.contains(owner) {
			return None;
		}
		let worker = Workers::<T>::get(owner).filter(|worker| worker.can_take(need))?;
		*looks = looks.saturating_add(worker.devices.len());
		let (_, device) = worker
			.devices
			.into_iter()
			.filter_map(|account| {
				let device = Devices::<T>::get(&account)?;
				device.has_room(need.audit).then(|| (device.undone().count(), account))
			})
			.min_by_key(|(load, _)| *load)?;
		Some(Seat { owner: owner.clone(), device })
	}
}
