//! What is kept while an attempt is checked, and what the calls take.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;
use tequio_primitives::{
	fifo::WAITS,
	opening::{Comparison, Opening},
	search::{Claim, Nonce},
	tasks::Assignment,
	workers::Seat,
	Attempt, AttemptId, Balance, Duty, Role, WorkClass, WorkHeight, MAX_AUDITORS, MAX_BATCH,
};

/// Heights whose VRF outputs are kept: those of the longest window, and of as many more as the agenda
/// may be late by.
pub const RING: u32 = 64;
/// Heights in a draw window, at most.
pub const MAX_WINDOW: u32 = 15;
/// Silent owners that an attempt remembers, so that they are not drawn for it again.
pub const MAX_SILENT: u32 = 16;

/// Levels of panels: as many as [`Rules::panels`] has entries.
pub const LEVELS: u8 = 4;
/// Referees of one panel, at most.
pub const MAX_REFEREES: u32 = 99;
/// Those whom a panel judges: the worker and its auditors.
pub const MAX_PARTIES: u32 = MAX_AUDITORS + 1;
/// Least owners who are not party to an attempt that can judge it: of fewer, no two thirds mean
/// anything.
pub const MIN_REFEREES: u32 = 3;

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
	/// The nonces of the shares found, ascending; empty for auditors.
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
		/// When empty places are drawn for; `None` while all are taken.
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
	/// Two thirds of the referees who revealed, and they are half of the panel at least, call it
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

/// The check of one attempt, from the worker's commit to the verdict, or to payment where it was
/// accepted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Check<AccountId, BlockNumber> {
	/// Which attempt at the chunk.
	pub attempt: Attempt,
	/// Who computed it, on which terms.
	pub assignment: Assignment<AccountId>,
	/// The nonces claimed; none but in a search.
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
	/// Times that auditors were drawn again.
	pub redraws: u8,
	/// Owners of auditors who stayed silent.
	pub silent: BoundedVec<AccountId, ConstU32<MAX_SILENT>>,
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

/// One referee's place on a panel.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Referee<AccountId> {
	/// Who sits there; `None` while nobody could be drawn, or after it stayed silent.
	pub seat: Option<Seat<AccountId>>,
	/// What it committed.
	pub commitment: Option<H256>,
	/// What it revealed.
	pub said: Option<Said>,
}

/// What is kept of a referee's opening.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Said {
	/// Its own answer, [`Opening::answer`].
	pub answer: H256,
	/// What it says of each party.
	pub findings: Findings,
}

impl<AccountId> Referee<AccountId> {
	/// A place that nobody sits on.
	pub const EMPTY: Self = Self { seat: None, commitment: None, said: None };

	/// A place just taken.
	pub fn taken(seat: Seat<AccountId>) -> Self {
		Self { seat: Some(seat), ..Self::EMPTY }
	}
}

/// A panel: as many places as it has referees. Lies beside its check, under its level, until each
/// of its referees was dismissed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Panel<AccountId> {
	/// Class of the work: that of the referees' duties.
	pub class: WorkClass,
	/// The places.
	pub places: BoundedVec<Referee<AccountId>, ConstU32<MAX_REFEREES>>,
	/// What is found in the end, and what a referee gets who found the same; `None` while that is
	/// open. Referees are then dismissed one after the other.
	pub end: Option<Dismissal>,
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

/// The queues of the agenda, one for each constant length of a stage.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub enum Queue {
	/// Audits that are certain, and wait for what names the auditors.
	#[codec(index = 0)]
	Drawing,
	/// Empty places of auditors to draw for, by the index of the wait.
	#[codec(index = 1)]
	Vacant(u8),
	/// Ends of audits, by the index of their deadline among the eight.
	#[codec(index = 2)]
	Auditing(u8),
	/// Ends of reveal periods of worker and auditors.
	#[codec(index = 3)]
	Revealing,
	/// Second auditors to decide on.
	#[codec(index = 4)]
	Second,
	/// Empty places of panels to draw for, by the index of the wait.
	#[codec(index = 5)]
	Seating(u8),
	/// Ends of panels' work, by the index of their deadline among the eight.
	#[codec(index = 6)]
	Panel(u8),
	/// Ends of reveal periods of panels.
	#[codec(index = 7)]
	PanelReveal,
	/// Panels whose referees have all revealed: their finding.
	#[codec(index = 8)]
	Finding,
	/// Ends of appeal periods.
	#[codec(index = 9)]
	Appeal,
	/// Panels with referees to dismiss, by their level.
	#[codec(index = 10)]
	Dismissal(u8),
	/// Audits that are left to chance.
	#[codec(index = 11)]
	Chance,
}

impl Queue {
	/// Queues of what ends by itself. An attempt comes into each of them a few times at most.
	pub fn ends() -> impl Iterator<Item = Self> + Clone {
		let audits = (0u8..8).map(Self::Auditing);
		let panels = (0u8..8).map(Self::Panel);
		let dismissals = (0u8..LEVELS).map(Self::Dismissal);
		[Self::Drawing, Self::Chance, Self::Second, Self::Revealing]
			.into_iter()
			.chain(audits)
			.chain([Self::PanelReveal, Self::Finding, Self::Appeal])
			.chain(panels)
			.chain(dismissals)
	}

	/// Queues of draws after which an attempt comes into another one of draws only if somebody was
	/// found: those that are made for the first time, or go on.
	pub fn first_draws() -> impl Iterator<Item = Self> {
		[Self::Vacant(0), Self::Seating(0)].into_iter()
	}

	/// Queues of draws that are made again and again until somebody is found.
	pub fn vacant() -> impl Iterator<Item = Self> {
		let waits = (1u8..).take(WAITS.len().saturating_sub(1));
		waits.clone().map(Self::Vacant).chain(waits.map(Self::Seating))
	}

	/// Every queue.
	pub fn all() -> impl Iterator<Item = Self> {
		Self::ends().chain(Self::first_draws()).chain(Self::vacant())
	}
}
