//! What is kept of panels, appeals and challenges.

use super::{MAX_PARTIES, MAX_REFEREES};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;
use tequio_primitives::{opening::Comparison, workers::Seat, Balance, WorkClass, WorkHeight};

/// What a panel finds about one party.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Standing {
	/// Two thirds of the votes of those who revealed, and they are half of all at least, call it
	/// equal or near to their own.
	#[codec(index = 0)]
	Right,
	/// Two thirds of them have one answer, by which it is wrong.
	#[codec(index = 1)]
	Wrong,
	/// Neither.
	#[codec(index = 2)]
	Unclear,
}

/// What a panel finds: about the worker, then about each auditor in the order of their places. A
/// party who has revealed nothing is not among those judged, and unclear.
pub type Standings = BoundedVec<Standing, ConstU32<MAX_PARTIES>>;

/// What one referee says of each party, in the order of [`Standings`].
pub type Findings = BoundedVec<Comparison, ConstU32<MAX_PARTIES>>;

/// A doubt in what a panel found, and the party that has it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Appeal<AccountId> {
	/// Who answers for it, with the collateral of `Role::Appellant` at the level that is doubted.
	pub seat: Seat<AccountId>,
	/// The party's index in [`Standings`].
	pub party: u8,
	/// The level of the panel that is doubted.
	pub level: u8,
	/// The collateral.
	pub bond: Balance,
}

/// A doubt in an accepted result.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Challenge<AccountId> {
	/// Who has it.
	pub challenger: AccountId,
	/// What the challenger has on hold for it.
	pub bond: Balance,
}

/// One referee's place on a panel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Referee<AccountId> {
	/// Who was drawn.
	pub seat: Seat<AccountId>,
	/// When it was drawn first.
	pub since: WorkHeight,
	/// Whether it is not bound any more: it stayed silent, or could not have the input. Its votes are
	/// lost, those included that fall on it later: else whoever keeps the honest from the input would
	/// have the others decide.
	pub left: bool,
	/// Votes that its word has.
	pub votes: u64,
	/// What it committed.
	pub commitment: Option<H256>,
	/// What it revealed.
	pub said: Option<Said>,
}

/// What is kept of a referee's opening.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Said {
	/// Its own answer: [`tequio_primitives::opening::Opening::answer`].
	pub answer: H256,
	/// What it says of each party.
	pub findings: Findings,
}

impl<AccountId> Referee<AccountId> {
	/// A place just taken.
	pub fn taken(seat: Seat<AccountId>, votes: u64, since: WorkHeight) -> Self {
		Self { seat, since, left: false, votes, commitment: None, said: None }
	}

	/// Who is bound here.
	pub fn sitting(&self) -> Option<&Seat<AccountId>> {
		(!self.left).then_some(&self.seat)
	}
}

/// How a panel comes by its votes. In both ways each seat of the class has the same weight, whoever
/// holds it, so that stake cannot be divided among more owners to be heard more.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Seating {
	/// Each vote is drawn among all seats: an owner has as many as were drawn of its seats.
	#[codec(index = 0)]
	Drawn,
	/// All owners sit, since they are no more than the panel has places: each has as many votes as
	/// seats.
	#[codec(index = 1)]
	Everybody,
}

/// A panel. Lies beside its check, under its level, until each of its referees was dismissed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Panel<AccountId> {
	/// Class of the work: that of the referees' duties.
	pub class: WorkClass,
	/// How it comes by its votes.
	pub seating: Seating,
	/// Votes in all, those included that nobody has.
	pub votes: u64,
	/// When it was called.
	pub called: WorkHeight,
	/// The referees, each with a part of the votes.
	pub places: BoundedVec<Referee<AccountId>, ConstU32<MAX_REFEREES>>,
	/// What is found in the end, and what a referee gets who found the same; `None` while that is
	/// open. Referees are then dismissed one after the other.
	pub end: Option<Dismissal>,
}

impl<AccountId> Panel<AccountId> {
	/// A panel that nobody sits on yet.
	pub fn new(class: WorkClass, seating: Seating, votes: u64, called: WorkHeight) -> Self {
		Self { class, seating, votes, called, places: BoundedVec::new(), end: None }
	}

	/// Votes that were given to somebody.
	pub fn given(&self) -> u64 {
		self.places.iter().map(|place| place.votes).fold(0, u64::saturating_add)
	}

	/// Votes that nobody was given yet, as far as there is room for whoever gets them.
	pub fn open(&self) -> u64 {
		if self.places.is_full() {
			0
		} else {
			self.votes.saturating_sub(self.given())
		}
	}
}

impl<AccountId: PartialEq> Panel<AccountId> {
	/// The place that a device has on the panel, and its index.
	pub fn referee(&self, device: &AccountId) -> Option<(usize, &Referee<AccountId>)> {
		let sits = |seat: &Seat<AccountId>| seat.device == *device;
		let mut places = self.places.iter().enumerate();
		places.find(|(_, place)| place.sitting().is_some_and(sits))
	}
}

/// How a panel's referees are dismissed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Dismissal {
	/// What was found in the end, by this panel or by a larger one.
	pub standings: Standings,
	/// Whether a larger panel came after this one: who found otherwise is slashed then, and only
	/// goes unpaid if not.
	pub overruled: bool,
	/// Pay of each referee who found the same, in the token's smallest unit. The pot holds it.
	pub pay: Balance,
	/// Places dismissed so far.
	pub dismissed: u32,
}
