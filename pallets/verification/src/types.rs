//! What is kept while an attempt is checked, and what the calls take.

mod panel;
mod queue;

pub use panel::{
	Appeal, Challenge, Dismissal, Findings, Panel, Referee, Said, Seating, Standing, Standings,
};
pub use queue::Queue;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;
use tequio_primitives::{
	claim::Claim, opening::Opening, search::Nonce, tasks::Assignment, workers::Seat, Attempt,
	AttemptId, Duty, Role, WorkHeight, MAX_AUDITORS, MAX_BATCH,
};

/// Heights whose VRF outputs are kept: those of the longest window, and of as many more as the agenda
/// may be late by.
pub const RING: u32 = 64;
/// Heights in a draw window, at most.
pub const MAX_WINDOW: u32 = 15;
/// Owners that an attempt remembers, so that they are not drawn for it again.
pub const MAX_BARRED: u32 = 16;

/// Levels of panels: as many as [`Rules::panels`] has entries.
pub const LEVELS: u8 = 4;
/// Referees of one panel, at most, and the votes of a drawn one.
pub const MAX_REFEREES: u32 = 99;
/// Those whom a panel judges: the worker and its auditors.
pub const MAX_PARTIES: u32 = MAX_AUDITORS + 1;
/// Least owners who are not party to an attempt that can judge it: of fewer, no two thirds mean
/// anything.
pub const MIN_REFEREES: u32 = 3;

/// Owners who are not drawn for an attempt any more.
pub type Barred<AccountId> = BoundedVec<AccountId, ConstU32<MAX_BARRED>>;

/// The entries of one call.
pub type Batch<Item> = BoundedVec<Item, ConstU32<MAX_BATCH>>;

/// The VRF output of one height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Output {
	/// The height.
	pub height: WorkHeight,
	/// The output.
	pub vrf: [u8; 32],
}

/// An entry of a call.
pub trait Entry {
	/// The duty that it is about.
	fn duty(&self) -> Duty;
}

/// One commitment of a call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct CommitItem {
	/// The attempt.
	pub id: AttemptId,
	/// The part that the signing device has in it.
	pub role: Role,
	/// What a worker of this class claims; nothing for auditors and referees.
	pub claim: Claim,
	/// What hides the digest of the opening. See `tequio_primitives::commitment`.
	pub commitment: H256,
}

impl Entry for CommitItem {
	fn duty(&self) -> Duty {
		Duty { id: self.id, role: self.role }
	}
}

/// One opening of a call.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct RevealItem {
	/// The attempt.
	pub id: AttemptId,
	/// The part that the signing device has in it.
	pub role: Role,
	/// What the commitment hid.
	pub opening: Opening,
	/// What hid it.
	pub salt: [u8; 32],
}

impl Entry for RevealItem {
	fn duty(&self) -> Duty {
		Duty { id: self.id, role: self.role }
	}
}

/// One auditor's place in a check.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct AuditorSlot<AccountId> {
	/// Who sits there; `None` while nobody could be drawn.
	pub seat: Option<Seat<AccountId>>,
	/// What it committed.
	pub commitment: Option<H256>,
	/// What it revealed.
	pub opening: Option<Opening>,
}

impl<AccountId> AuditorSlot<AccountId> {
	/// A place that nobody sits on.
	pub const EMPTY: Self = Self { seat: None, commitment: None, opening: None };

	/// A place just taken.
	pub fn taken(seat: Seat<AccountId>) -> Self {
		Self { seat: Some(seat), ..Self::EMPTY }
	}
}

/// Where a check is, and when that ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum CheckState<BlockNumber> {
	/// The worker has committed; whether there is an audit is not decided.
	#[codec(index = 0)]
	Drawing {
		/// When it is decided: every output of the window is known then.
		due: WorkHeight,
	},
	/// Auditors compute, or are still to be drawn.
	#[codec(index = 1)]
	Auditing {
		/// When those who have not committed are silent.
		due: WorkHeight,
		/// When empty places are drawn for; `None` while all are taken.
		vacant: Option<WorkHeight>,
	},
	/// All auditors have committed; whether there is one more is not decided.
	#[codec(index = 2)]
	Second {
		/// When it is decided: the output of the height after the last commit is known then.
		due: WorkHeight,
	},
	/// Everybody has committed.
	#[codec(index = 3)]
	Revealing {
		/// When the verdict is given without those who have not revealed.
		due: WorkHeight,
		/// The block of the last commit. Nothing should be revealed before it is final.
		since: BlockNumber,
	},
	/// Referees of the panel of [`Check::level`] compute, or are still to be drawn.
	#[codec(index = 4)]
	Panel {
		/// When those who have not committed are silent.
		due: WorkHeight,
		/// When open votes are drawn for; `None` when all are given out, or no longer are.
		vacant: Option<WorkHeight>,
	},
	/// Referees reveal.
	#[codec(index = 5)]
	PanelReveal {
		/// When the panel finds without those who have not revealed.
		due: WorkHeight,
		/// The block of the last commit. Nothing should be revealed before it is final.
		since: BlockNumber,
	},
	/// The panel has found. Who was not found right may appeal.
	#[codec(index = 6)]
	Appeal {
		/// When the finding is final.
		due: WorkHeight,
	},
	/// Accepted: kept for a challenge until `tasks` says that the time for it has passed.
	#[codec(index = 7)]
	Settled,
}

/// The check of one attempt, from the worker's commit to the verdict, or to payment where it was
/// accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Check<AccountId, BlockNumber> {
	/// Which attempt at the chunk.
	pub attempt: Attempt,
	/// Who computed it, on which terms.
	pub assignment: Assignment<AccountId>,
	/// What the worker claims: of the kind of the class.
	pub claim: Claim,
	/// The worker's commitment.
	pub commitment: H256,
	/// The height whose following outputs decide on the audit: that of the commit, or of a later
	/// start where the outputs of the first window were lost.
	pub committed_at: WorkHeight,
	/// Where the check is.
	pub state: CheckState<BlockNumber>,
	/// What auditors of a search hash besides the claimed nonces: first nonce and number. `None`
	/// without an audit, and for programs.
	pub sub_range: Option<(Nonce, u32)>,
	/// The auditors' places; none without an audit, and none once accepted.
	pub auditors: BoundedVec<AuditorSlot<AccountId>, ConstU32<MAX_AUDITORS>>,
	/// Whether it was decided if there is one more auditor.
	pub second_decided: bool,
	/// What the worker revealed.
	pub worker_opening: Option<Opening>,
	/// Times that auditors were drawn again because some stayed silent or none could be drawn.
	pub redraws: u8,
	/// Auditors who reported bad input.
	pub reports: u8,
	/// Owners who are not drawn for it any more. As long as auditors are drawn, those who stayed
	/// silent or reported bad input; once it is accepted, those who audited it.
	pub barred: Barred<AccountId>,
	/// Level of the panel that judges it, or has judged it last.
	pub level: u8,
	/// What was found; empty before.
	pub standings: Standings,
	/// Level of the panel that found it: the last one, unless too few of that one were heard.
	pub found_by: u8,
	/// Appeals, one for each level at most.
	pub appeals: BoundedVec<Appeal<AccountId>, ConstU32<{ LEVELS as u32 }>>,
	/// The challenge on which the panels were called, if it was not a disagreement. There is one at
	/// most: its bond is kept until it is judged, and another is refused even after that.
	pub challenge: Option<Challenge<AccountId>>,
}

impl<AccountId, BlockNumber> Check<AccountId, BlockNumber> {
	/// Whether worker and auditors have all revealed.
	pub fn is_revealed(&self) -> bool {
		self.worker_opening.is_some() && self.auditors.iter().all(|slot| slot.opening.is_some())
	}
}

impl<AccountId: PartialEq, BlockNumber> Check<AccountId, BlockNumber> {
	/// The place that a device has among the auditors, and its index.
	pub fn auditor(&self, device: &AccountId) -> Option<(usize, &AuditorSlot<AccountId>)> {
		let sits = |seat: &Seat<AccountId>| seat.device == *device;
		let mut places = self.auditors.iter().enumerate();
		places.find(|(_, slot)| slot.seat.as_ref().is_some_and(sits))
	}
}
