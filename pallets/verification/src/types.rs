//! What is kept while an attempt is checked, what the calls take, and the rules.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::{traits::Zero, Perquintill};
use tequio_primitives::{
	fifo::WAITS,
	search::{Claim, Nonce, Opening},
	tasks::Assignment,
	terms::Adversary,
	workers::Seat,
	Attempt, AttemptId, Duty, Role, WorkHeight, MAX_AUDITORS, MAX_BATCH,
};

/// Heights whose VRF outputs are kept.
pub const RING: u32 = 16;
/// Silent owners that an attempt remembers, so that they are not drawn for it again.
pub const MAX_SILENT: u32 = 16;

/// The entries of one call.
pub type Batch<Item> = BoundedVec<Item, ConstU32<MAX_BATCH>>;

/// The numbers that governance will change.
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
	serde::Serialize,
	serde::Deserialize,
)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
	/// Blocks after a commit whose outputs decide on the audit (m), from 1 to 16.
	pub draw_window: u32,
	/// Blocks for the reveals, at least 1.
	pub reveal_period: u32,
	/// Times that auditors of an attempt are drawn again because some stayed silent or none could
	/// be drawn.
	pub max_redraws: u8,
	/// What an auditor who stays silent loses, as a part of its collateral.
	pub audit_miss_fine: Perquintill,
	/// What is assumed of those who would cheat; collateral follows from it.
	pub adversary: Adversary,
}

impl Default for Rules {
	fn default() -> Self {
		Self {
			draw_window: 8,
			reveal_period: 20,
			max_redraws: 3,
			audit_miss_fine: Perquintill::from_percent(5),
			adversary: Adversary::default(),
		}
	}
}

impl Rules {
	/// Whether a chain can run by these numbers.
	pub fn are_sound(&self) -> bool {
		(1..=RING).contains(&self.draw_window) && !self.reveal_period.is_zero()
	}
}

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
	/// Everybody has committed.
	#[codec(index = 2)]
	Revealing {
		/// When the verdict is given without those who have not revealed.
		due: WorkHeight,
		/// The block of the last commit. Nothing should be revealed before it is final.
		since: BlockNumber,
	},
}

/// The check of one attempt, from the worker's commit to the verdict.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Check<AccountId, BlockNumber> {
	/// Which attempt at the chunk.
	pub attempt: Attempt,
	/// Who computed it, on which terms.
	pub assignment: Assignment<AccountId>,
	/// The nonces claimed.
	pub claim: Claim,
	/// The worker's commitment.
	pub commitment: H256,
	/// The height whose following outputs decide on the audit: that of the commit, or of a later
	/// start where the outputs of the first window were lost.
	pub committed_at: WorkHeight,
	/// Where the check is.
	pub state: CheckState<BlockNumber>,
	/// What auditors hash besides the claimed nonces: first nonce and number. `None` without an
	/// audit.
	pub sub_range: Option<(Nonce, u32)>,
	/// The auditors' places; none without an audit.
	pub auditors: BoundedVec<AuditorSlot<AccountId>, ConstU32<MAX_AUDITORS>>,
	/// What the worker revealed.
	pub worker_opening: Option<Opening>,
	/// Times that auditors were drawn again.
	pub redraws: u8,
	/// Owners of auditors who stayed silent.
	pub silent: BoundedVec<AccountId, ConstU32<MAX_SILENT>>,
}

impl<AccountId: PartialEq, BlockNumber> Check<AccountId, BlockNumber> {
	/// The place that a device has among the auditors, and its index.
	pub fn auditor(&self, device: &AccountId) -> Option<(usize, &AuditorSlot<AccountId>)> {
		let sits = |seat: &Seat<AccountId>| seat.device == *device;
		let mut places = self.auditors.iter().enumerate();
		places.find(|(_, slot)| slot.seat.as_ref().is_some_and(sits))
	}
}

/// The queues of the agenda, one for each constant length of a stage.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub enum Queue {
	/// Audits to decide on.
	#[codec(index = 0)]
	Drawing,
	/// Empty places to draw for, by the index of the wait.
	#[codec(index = 1)]
	Vacant(u8),
	/// Ends of audits, by the index of their deadline among the eight.
	#[codec(index = 2)]
	Auditing(u8),
	/// Ends of reveal periods.
	#[codec(index = 3)]
	Revealing,
}

impl Queue {
	/// Queues of what ends by itself. An attempt comes into each of them a few times at most.
	pub const ENDS: [Self; 10] = [
		Self::Drawing,
		Self::Auditing(0),
		Self::Auditing(1),
		Self::Auditing(2),
		Self::Auditing(3),
		Self::Auditing(4),
		Self::Auditing(5),
		Self::Auditing(6),
		Self::Auditing(7),
		Self::Revealing,
	];

	/// Queues of draws that are made again and again until somebody is found.
	pub fn vacant() -> impl Iterator<Item = Self> {
		(0u8..).take(WAITS.len()).map(Self::Vacant)
	}

	/// Every queue.
	pub fn all() -> impl Iterator<Item = Self> {
		Self::ENDS.into_iter().chain(Self::vacant())
	}
}
