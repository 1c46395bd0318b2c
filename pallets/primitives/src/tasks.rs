//! What `verification` asks of `tasks`: who has been assigned what, and what follows from a
//! verdict.

use crate::{
	opening::ChunkWork,
	recompute::{Arguments, Output},
	search::Winners,
	terms::AuditTerms,
	workers::Seat,
	AttemptId, Balance, ChunkId, TaskId, WorkClass, WorkHeight,
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
	/// Audit rate, conviction chance, collateral, auditors.
	pub terms: AuditTerms,
	/// Pay per unit.
	pub price: Balance,
	/// Blocks for the work, and for an audit of it: one of the eight deadlines.
	pub deadline: u32,
	/// V_max: the most that the worker can earn.
	pub max_payment: Balance,
	/// Pay of one auditor, and of one referee.
	pub audit_pay: Balance,
}

/// What a result amounts to.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Delivered {
	/// So many shares of a search.
	#[codec(index = 0)]
	Shares(u32),
	/// All of a chunk of a program, which gave this.
	#[codec(index = 1)]
	Whole(Output),
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
	/// Two thirds of a panel found it wrong.
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
	/// Worker and auditors revealed different things, and no two thirds of a panel agreed on
	/// who is right; or there was nobody to sit on it.
	Disagreement,
	/// Auditors were silent, or there were none to draw, up to the last redraw.
	NoAuditors,
}

/// The judgement on one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<AccountId> {
	/// Right. Pay the worker after the challenge period, and these auditors now.
	Accepted {
		/// What the worker is paid for.
		delivered: Delivered,
		/// Nonces that meet the task's own target.
		winners: Winners,
		/// Owners of the auditors who were right.
		auditors: Vec<AccountId>,
		/// Whether there was an audit.
		audited: bool,
	},
	/// Was accepted, was challenged, and stays accepted. Pay the worker now.
	Upheld,
	/// Wrong. The worker has been slashed; the chunk goes to another one.
	Rejected(RejectReason),
	/// Not to be told. Refund the requester; the worker is not slashed.
	Undecided {
		/// Why.
		reason: UndecidedReason,
		/// Owners of auditors who were found right all the same: they are paid.
		auditors: Vec<AccountId>,
	},
}

/// The side of `tasks` that `verification` sees.
pub trait CheckedTasks<AccountId> {
	/// The assignment of an attempt that is being computed.
	fn assigned(id: &AttemptId) -> Option<Assignment<AccountId>>;

	/// Last height at which the worker of an attempt that is being computed may commit.
	fn due(id: &AttemptId) -> Option<WorkHeight>;

	/// What a chunk asks for.
	fn work(chunk: &ChunkId) -> Option<ChunkWork>;

	/// What runs of a task's program are given beside its manifest; empty where the task has none.
	/// Only nodes ask, off the chain.
	fn arguments(task: TaskId) -> Arguments;

	/// The worker of an attempt has committed: its deadline no longer runs, its check begins.
	fn begin_check(id: &AttemptId) -> Result<(), DispatchError>;

	/// Acts on a verdict: payment, another attempt, or refund.
	fn conclude(id: &AttemptId, verdict: Verdict<AccountId>);

	/// An accepted attempt whose challenge period has not passed is judged again: it is not paid
	/// before another verdict. Fails, and changes nothing, for any other attempt.
	fn challenge(id: &AttemptId) -> Result<(), DispatchError>;
}

/// The side of `verification` that `tasks` sees.
pub trait KeepChecks {
	/// The challenge period of an accepted attempt has passed, or a challenge of it was judged:
	/// nothing of its check is needed any more.
	fn forget(id: &AttemptId);
}
