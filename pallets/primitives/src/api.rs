//! Runtime API: what a device owes, and how a task stands.

use crate::{
	reputation::Reputation, search::Winner, stage::Stage, Balance, Duty, TaskId, WorkClass,
	WorkHeight,
};
use alloc::vec::Vec;
use codec::{Codec, Decode, Encode};
use scale_info::TypeInfo;

/// A duty of a device and when it is due.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct DutyStatus {
	/// The duty.
	pub duty: Duty,
	/// Where its chunk is.
	pub stage: Stage,
	/// When the stage ends by itself, on the work clock.
	pub due: WorkHeight,
}

/// The money of a task, in the token's smallest unit. Once a task has ended,
/// `locked = paid + audit + fee + refunded`.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	codec::DecodeWithMemTracking,
	codec::MaxEncodedLen,
	TypeInfo,
)]
pub struct Books {
	/// Locked at submission: the most that the task can cost.
	pub locked: Balance,
	/// Paid to workers, bonus and fetch fees included.
	pub paid: Balance,
	/// Paid to auditors.
	pub audit: Balance,
	/// Paid as protocol fee.
	pub fee: Balance,
	/// Returned to the requester.
	pub refunded: Balance,
}

impl Books {
	/// What is still in escrow; `None` if more has left than was locked, which no sequence of calls
	/// may reach.
	pub fn in_escrow(&self) -> Option<Balance> {
		self.locked
			.checked_sub(self.paid)?
			.checked_sub(self.audit)?
			.checked_sub(self.fee)?
			.checked_sub(self.refunded)
	}
}

/// Chunks of a task by where they are. They add up to the task's chunks.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	codec::DecodeWithMemTracking,
	codec::MaxEncodedLen,
	TypeInfo,
)]
pub struct ChunkCounts {
	/// Waiting for a worker.
	pub open: u32,
	/// Being computed.
	pub assigned: u32,
	/// Committed and being checked.
	pub checking: u32,
	/// Found right, waiting for the end of the challenge period.
	pub accepted: u32,
	/// Paid.
	pub paid: u32,
	/// Ended without pay.
	pub refunded: u32,
}

/// Whether a task still gives out chunks.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	codec::DecodeWithMemTracking,
	codec::MaxEncodedLen,
	TypeInfo,
)]
pub enum TaskStatus {
	/// Open chunks are given out.
	#[codec(index = 0)]
	Running,
	/// Cancelled or expired: chunks in hand are finished, no others are given out.
	#[codec(index = 1)]
	Closing,
	/// Every chunk has ended and the escrow is empty.
	#[codec(index = 2)]
	Ended,
}

/// How a task stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct TaskSummary<AccountId> {
	/// Who pays.
	pub requester: AccountId,
	/// Class of the work.
	pub class: WorkClass,
	/// Whether chunks are still given out.
	pub status: TaskStatus,
	/// Chunks by where they are.
	pub chunks: ChunkCounts,
	/// The money.
	pub books: Books,
	/// Nonces found that meet the target.
	pub winners: Vec<Winner>,
}

sp_api::decl_runtime_apis! {
	/// Reads work: for worker nodes, command lines and explorers.
	pub trait WorkApi<AccountId>
	where
		AccountId: Codec,
	{
		/// What a device owes, oldest first.
		fn duties(device: AccountId) -> Vec<DutyStatus>;
		/// How a task stands; `None` for a task that does not exist, or that ended so long ago that
		/// nothing but its root is left.
		fn task_summary(task: TaskId) -> Option<TaskSummary<AccountId>>;
		/// What an owner has done in each class that it offers, at the height of the best block.
		fn reputation(owner: AccountId) -> Vec<(WorkClass, Reputation)>;
		/// The height of the best block on the work clock.
		fn work_height() -> WorkHeight;
	}
}
