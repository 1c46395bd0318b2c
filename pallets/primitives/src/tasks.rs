//! What `verification` asks of `tasks`: who has been assigned what, and what follows from a
//! verdict.

use crate::{
	search::{ChunkRange, SearchSpec, Winners},
	terms::AuditTerms,
	workers::Seat,
	AttemptId, Balance, ChunkId, WorkClass, WorkHeight,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::DispatchError;

/// One attempt's assignment, as it was fixed when the worker was drawn.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Assignment<AccountId> {
	/// Who computes.
	pub seat: Seat<AccountId>,
	/// Class of the work.
	pub class: WorkClass,
	/// Audit rate, conviction chance and collateral.
	pub terms: AuditTerms,
	/// Pay per unit.
	pub price: Balance,
	/// Blocks for the work, and for an audit of it: one of the eight deadlines.
	pub deadline: u32,
	/// Pay of one auditor.
	pub audit_pay: Balance,
}

/// Why a result is rejected.
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
pub enum RejectReason {
	/// All auditors found the same false or unclaimed share.
	ProvenWrong,
	/// The worker committed and did not reveal in time.
	NotRevealed,
}

/// Why a result is neither accepted nor rejected.
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
pub enum UndecidedReason {
	/// Worker and auditors, or the auditors among themselves, revealed different things.
	Disagreement,
	/// Auditors were silent, or there were none to draw, up to the last redraw.
	NoAuditors,
}

/// The judgement on one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<AccountId> {
	/// Right. Pay the worker for its claimed shares after the challenge period, and these auditors
	/// now.
	Accepted {
		/// Shares claimed.
		shares: u32,
		/// Nonces that meet the task's own target.
		winners: Winners,
		/// Owners of the auditors who agreed.
		auditors: Vec<AccountId>,
	},
	/// Wrong. The worker has been slashed; the chunk goes to another one.
	Rejected(RejectReason),
	/// Not to be told. Refund the requester; nobody is slashed.
	Undecided(UndecidedReason),
}

/// The side of `tasks` that `verification` sees.
pub trait CheckedTasks<AccountId> {
	/// The assignment of an attempt that is being computed.
	fn assigned(id: &AttemptId) -> Option<Assignment<AccountId>>;

	/// Last height at which the worker of an attempt that is being computed may commit.
	fn due(id: &AttemptId) -> Option<WorkHeight>;

	/// The parameters of a chunk's task and the chunk's own range.
	fn search(chunk: &ChunkId) -> Option<(SearchSpec, ChunkRange)>;

	/// The worker of an attempt has committed: its deadline no longer runs, its check begins.
	fn begin_check(id: &AttemptId) -> Result<(), DispatchError>;

	/// Acts on a verdict: payment, another attempt, or refund.
	fn conclude(id: &AttemptId, verdict: Verdict<AccountId>);
}
