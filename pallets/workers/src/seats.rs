//! Seats: equal parts of stake, each with the same chance in every draw. Pure functions, no
//! storage.

use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use tequio_primitives::Balance;

/// Owners that may hold seats in one class.
pub const MAX_OWNERS: u32 = 1_000;

/// An owner's seats in one class.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct SeatHolder<AccountId> {
	/// Who holds them.
	pub owner: AccountId,
	/// How many; never zero in a list.
	pub seats: u32,
}

/// The seats of one class, each owner once.
pub type SeatHolders<AccountId> = BoundedVec<SeatHolder<AccountId>, ConstU32<MAX_OWNERS>>;

/// The list holds `MAX_OWNERS` owners and none of them is the one to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Seats that `stake` gives in each of `classes` classes: `⌊stake / classes / seat_stake⌋`, zero
/// without a class or a price of a seat.
pub fn seats_from(stake: Balance, classes: usize, seat_stake: Balance) -> u32 {
	let seats = Balance::try_from(classes)
		.ok()
		.and_then(|classes| stake.checked_div(classes))
		.and_then(|part| part.checked_div(seat_stake))
		.unwrap_or(0);
	u32::try_from(seats).unwrap_or(u32::MAX)
}

/// All seats of a list. Fits: a thousand owners of less than 2³² seats each.
pub fn total<AccountId>(holders: &[SeatHolder<AccountId>]) -> u64 {
	holders.iter().map(|holder| u64::from(holder.seats)).fold(0, u64::saturating_add)
}

/// The seats of a class, added up so that many draws can be made from them.
#[derive(Clone, Debug)]
pub struct Table<AccountId>(Vec<(u64, AccountId)>);

impl<AccountId> Table<AccountId> {
	/// Adds the seats up in list order: beside each owner the seats of all up to and including it.
	pub fn new(holders: SeatHolders<AccountId>) -> Self {
		let mut end: u64 = 0;
		let add = |holder: SeatHolder<AccountId>| {
			end = end.saturating_add(u64::from(holder.seats));
			(end, holder.owner)
		};
		Self(holders.into_iter().map(add).collect())
	}

	/// Whether nobody holds a seat.
	pub fn is_empty(&self) -> bool {
		self.0.is_empty()
	}

	/// The owner of the seat that `number` falls on, counting seats in list order and starting over
	/// behind the last one. `None` where there are no seats.
	pub fn pick(&self, number: u64) -> Option<&AccountId> {
		let (total, _) = self.0.last()?;
		let place = number.checked_rem(*total)?;
		let index = self.0.partition_point(|(end, _)| *end <= place);
		self.0.get(index).map(|(_, owner)| owner)
	}
}

/// Seats of an owner.
pub fn seats_of<AccountId: PartialEq>(holders: &[SeatHolder<AccountId>], owner: &AccountId) -> u32 {
	holders.iter().find(|holder| holder.owner == *owner).map_or(0, |holder| holder.seats)
}

/// Gives an owner `seats` seats in place of those it has; with zero it leaves the list. Fails, and
/// changes nothing, where the list has no room for another owner.
pub fn set_seats<AccountId: PartialEq>(
	holders: &mut SeatHolders<AccountId>,
	owner: AccountId,
	seats: u32,
) -> Result<(), Full> {
	if seats == 0 {
		holders.retain(|holder| holder.owner != owner);
		return Ok(());
	}
	match holders.iter_mut().find(|holder| holder.owner == owner) {
		Some(holder) => holder.seats = seats,
		None => holders.try_push(SeatHolder { owner, seats }).map_err(|_| Full)?,
	}
	Ok(())
}
