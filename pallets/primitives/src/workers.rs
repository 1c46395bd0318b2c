//! What the other pallets ask of `workers`: draw a seat, bind it to a duty, and end that well or
//! badly.

use crate::{
	reputation::{Deed, Reputation},
	terms::AuditTerms,
	Balance, Duty, WorkClass,
};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::dispatch::DispatchResult;
use scale_info::TypeInfo;
use sp_core::H256;

/// Who holds a duty: an owner, through one of the owner's devices.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Seat<AccountId> {
	/// The cold account whose stake answers for the duty.
	pub owner: AccountId,
	/// The hot account that commits and reveals.
	pub device: AccountId,
}

/// What the terms of an attempt look at in somebody who could be drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidate {
	/// What the owner has done in the class, at the present height.
	pub reputation: Reputation,
	/// Whether the class is served by so few owners, or one has so much of it, that everything in
	/// it is audited.
	pub exposed: bool,
}

/// What a seat must be able to do to be drawn.
#[derive(Clone, Copy)]
pub struct Need<'a, AccountId> {
	/// Class of the work.
	pub class: WorkClass,
	/// Pay per unit: the owner's ask price must not be above it.
	pub price: Balance,
	/// Units of work in the duty.
	pub units: u64,
	/// Blocks to do them in: at least four times what the owner's advertised rate says it takes.
	pub deadline: u32,
	/// The terms for a candidate, whose collateral must be free; `None` where it cannot have the
	/// work.
	pub terms: &'a dyn Fn(&Candidate) -> Option<AuditTerms>,
	/// Owners that may not be drawn: those who have a part in the attempt already, or declined the
	/// chunk.
	pub excluded: &'a [AccountId],
	/// Owners who have such a duty already and may be drawn for it again: a draw that falls on one of
	/// them ends there, whatever room it has. See [`NoSeat::Sits`].
	pub sitting: &'a [AccountId],
	/// Whether this is an audit, or a seat on a panel: devices keep room, and owners collateral, for
	/// those when they are full of work.
	pub audit: bool,
}

/// Reads who is who.
pub trait InspectWorkers<AccountId> {
	/// Where pay for this owner goes.
	fn payout_of(owner: &AccountId) -> AccountId;

	/// What the device owes, oldest first.
	fn duties_of(device: &AccountId) -> Vec<Duty>;

	/// Every duty of the device that has not ended, those included in which its part is done,
	/// oldest first.
	fn parts_of(device: &AccountId) -> Vec<Duty>;

	/// What the owner has done in a class, at the present height.
	fn reputation_of(owner: &AccountId, class: WorkClass) -> Reputation;

	/// Classes that the owner of the device offers; none for a device that is nobody's.
	fn offered_by(device: &AccountId) -> Vec<WorkClass>;
}

/// Records of owners and of devices that one draw looks at, at most.
pub const MAX_LOOKS: u32 = 64;

/// Why a draw found nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoSeat {
	/// Nobody looked at takes such work on such terms: the price is below their asks, the deadline
	/// too short for their rates, the collateral more than they stake, or none of their devices
	/// accepts work. What will not change by itself soon.
	Unfit,
	/// Somebody takes such work, but nobody has room for it now.
	Busy,
	/// It fell on a seat of somebody who has such a duty already, by the index in [`Need::sitting`].
	Sits(usize),
}

/// The longest wait after draws for which everybody was busy, by its index: 8 blocks. Room comes
/// soon, but whoever keeps everybody busy must not have the draws of every second block either.
const BUSY_WAIT: u8 = 2;

impl NoSeat {
	/// The index of the wait before the next draw, after a draw in vain that came after the wait of
	/// this index. See [`crate::fifo::WAITS`].
	pub fn next_wait(self, index: u8) -> u8 {
		let next = index.saturating_add(1);
		match self {
			Self::Unfit => next,
			Self::Busy | Self::Sits(_) => next.min(BUSY_WAIT),
		}
	}
}

/// What came of a draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn<AccountId> {
	/// The seat, and the terms for it.
	pub seat: Result<(Seat<AccountId>, AuditTerms), NoSeat>,
	/// Records that were read for it, [`MAX_LOOKS`] at most: what the draw weighs.
	pub looks: u32,
}

/// Seats of a class, and those who hold them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
	/// Owners.
	pub owners: u32,
	/// Seats of all of them.
	pub seats: u64,
}

/// Draws seats.
pub trait DrawSeats<AccountId> {
	/// The seats of a class, in a form to draw from.
	type Seats;

	/// Reads the seats of a class that are in force.
	fn seats(class: WorkClass) -> Self::Seats;

	/// What all but these owners hold of them.
	fn holdings(seats: &Self::Seats, excluded: &[AccountId]) -> Holdings;

	/// How many of them an owner holds.
	fn held_by(seats: &Self::Seats, owner: &AccountId) -> u64;

	/// The seat that `seed` falls on among those that fulfil the need: every seat of the class has
	/// the same chance. A bounded number of tries may meet none; with the next block's randomness
	/// the draw is made again.
	fn draw(seats: &Self::Seats, seed: H256, need: &Need<AccountId>) -> Drawn<AccountId>;
}

/// The draws of one block: the seats of a class, of which there may be many, are read once for all
/// of them.
pub struct Draws<AccountId, Workers: DrawSeats<AccountId>>(BTreeMap<WorkClass, Workers::Seats>);

impl<AccountId, Workers: DrawSeats<AccountId>> Default for Draws<AccountId, Workers> {
	fn default() -> Self {
		Self(BTreeMap::new())
	}
}

impl<AccountId, Workers: DrawSeats<AccountId>> Draws<AccountId, Workers> {
	/// Draws among the seats of the class that is needed.
	pub fn draw(&mut self, seed: H256, need: &Need<AccountId>) -> Drawn<AccountId> {
		Workers::draw(self.of(need.class), seed, need)
	}

	/// What all but these owners hold of a class.
	pub fn holdings(&mut self, class: WorkClass, excluded: &[AccountId]) -> Holdings {
		Workers::holdings(self.of(class), excluded)
	}

	/// Seats of an owner in a class.
	pub fn held_by(&mut self, class: WorkClass, owner: &AccountId) -> u64 {
		Workers::held_by(self.of(class), owner)
	}

	fn of(&mut self, class: WorkClass) -> &Workers::Seats {
		self.0.entry(class).or_insert_with(|| Workers::seats(class))
	}
}

/// Shares of a slashed collateral.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Penalty<AccountId> {
	/// Amounts that make others whole, by owner; paid to their payout accounts.
	pub compensation: Vec<(AccountId, Balance)>,
	/// Amounts for those who brought the proof, by owner.
	pub bounty: Vec<(AccountId, Balance)>,
	/// Goes to an account that the referees are paid from, one after the other. Counts as
	/// compensation. What is left after all three is burned.
	pub referees: Option<(AccountId, Balance)>,
}

impl<AccountId> Penalty<AccountId> {
	/// Everything is burned.
	pub const fn burned() -> Self {
		Self { compensation: Vec::new(), bounty: Vec::new(), referees: None }
	}
}

/// Binds seats to duties and unbinds them. Collateral is a part of the owner's held stake that no
/// other duty can use.
///
/// Each duty is engaged once and ended once, by one of `release`, `hand_back`, `miss` and `slash`,
/// which also say what becomes of the owner's reputation in the class of the duty.
pub trait EngageSeats<AccountId> {
	/// Binds `collateral` of the owner to a duty of the device in a class. Fails, and changes
	/// nothing, where the seat no longer has it.
	fn engage(
		seat: &Seat<AccountId>,
		duty: Duty,
		class: WorkClass,
		collateral: Balance,
	) -> DispatchResult;

	/// Binds collateral of the owner to a duty that takes no room on the device and nothing to
	/// compute: an appeal. Fails, and changes nothing, where the owner does not have it free.
	fn stand_for(
		seat: &Seat<AccountId>,
		duty: Duty,
		class: WorkClass,
		collateral: Balance,
	) -> DispatchResult;

	/// The device has committed: it still owes the reveal, but has nothing to compute any more and
	/// may be given other work.
	fn commit(seat: &Seat<AccountId>, duty: Duty);

	/// The device has done its part; its collateral stays bound until the duty is ended.
	fn complete(seat: &Seat<AccountId>, duty: Duty);

	/// Ends a duty without harm: the collateral is free again. `deed` is what it adds to the
	/// owner's reputation.
	fn release(seat: &Seat<AccountId>, duty: Duty, deed: Deed);

	/// Ends a duty that the device hands back: without harm, but it is counted, and the device gets
	/// no work until it signals again, which it may do only every so often.
	fn hand_back(seat: &Seat<AccountId>, duty: Duty);

	/// Ends a duty whose deadline passed before the commit: burns `fine`, frees the rest. It counts
	/// as late. Two such misses in a row switch the device to not accepting.
	fn miss(seat: &Seat<AccountId>, duty: Duty, fine: Balance);

	/// Ends a duty by taking the whole collateral: compensation first, then the referees, then
	/// bounty, the rest burned. What cannot be paid out is burned too. Except for an appeal, it
	/// counts as rejected. Returns what was taken.
	fn slash(seat: &Seat<AccountId>, duty: Duty, penalty: Penalty<AccountId>) -> Balance;
}
