//! Seats: equal parts of stake, each with the same chance in every draw. Pure functions, no
//! storage.

use alloc::{collections::BTreeSet, vec::Vec};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::Perquintill;
use tequio_primitives::{workers::Holdings, Balance};

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

/// Whether a list has fewer than `min_owners` owners, or one of them has more than `max_share` of
/// all its seats.
pub fn are_exposed<AccountId>(
	holders: &[SeatHolder<AccountId>],
	min_owners: u32,
	max_share: Perquintill,
) -> bool {
	let most = holders.iter().map(|holder| u64::from(holder.seats)).max().unwrap_or(0);
	// Seats are whole, so those above the exact share are those above it rounded down.
	count(holders) < min_owners || most > max_share.mul_floor(total(holders))
}

/// Owners in a list. Fits: lists are bounded far below 2³².
pub fn count<AccountId>(holders: &[SeatHolder<AccountId>]) -> u32 {
	u32::try_from(holders.len()).unwrap_or(u32::MAX)
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

	/// The seats of all but these owners.
	pub fn without(&self, excluded: &[AccountId]) -> Self
	where
		AccountId: Clone + Ord,
	{
		let excluded: BTreeSet<_> = excluded.iter().collect();
		let mut end = 0u64;
		let mut left = Vec::new();
		for (owner, seats) in self.holders() {
			if !excluded.contains(owner) {
				end = end.saturating_add(seats);
				left.push((end, owner.clone()));
			}
		}
		Self(left)
	}

	/// Each owner with its seats, in list order.
	fn holders(&self) -> impl Iterator<Item = (&AccountId, u64)> {
		let before = core::iter::once(0).chain(self.0.iter().map(|(end, _)| *end));
		self.0.iter().zip(before).map(|((end, owner), before)| (owner, end.saturating_sub(before)))
	}

	/// What all but these owners hold.
	pub fn holdings(&self, excluded: &[AccountId]) -> Holdings
	where
		AccountId: Ord,
	{
		let excluded: BTreeSet<_> = excluded.iter().collect();
		let others = self.holders().filter(|(owner, _)| !excluded.contains(owner));
		others.fold(Holdings::default(), |all, (_, seats)| Holdings {
			owners: all.owners.saturating_add(1),
			seats: all.seats.saturating_add(seats),
		})
	}

	/// Seats of an owner.
	pub fn held_by(&self, owner: &AccountId) -> u64
	where
		AccountId: PartialEq,
	{
		self.holders().find(|(holder, _)| *holder == owner).map_or(0, |(_, seats)| seats)
	}

	/// Whether there are none.
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

/// Takes those seats from an owner that it has above `most`; with zero it leaves the list.
pub fn cap_seats<AccountId: PartialEq>(
	holders: &mut SeatHolders<AccountId>,
	owner: &AccountId,
	most: u32,
) {
	if let Some(holder) = holders.iter_mut().find(|holder| holder.owner == *owner) {
		holder.seats = holder.seats.min(most);
	}
	holders.retain(|holder| holder.seats > 0);
}

/// Turns seats that were counted at one stake for a seat into those for another, rounded down, so
/// that nobody has more than its stake makes. Who is left without a seat leaves the list.
pub fn convert<AccountId>(holders: &mut SeatHolders<AccountId>, old: Balance, new: Balance) {
	for holder in holders.iter_mut() {
		holder.seats = seats_from(Balance::from(holder.seats).saturating_mul(old), 1, new);
	}
	holders.retain(|holder| holder.seats > 0);
}
