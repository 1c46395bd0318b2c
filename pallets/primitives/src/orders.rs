//! What a pallet that orders tasks asks of `tasks`, and what it is told of them.
//!
//! An ordered task is like any other: its requester pays for it, it is checked and paid in the same
//! way, and its events are the same. Only that whoever ordered it is told how its chunks end.

use crate::{
	api::Books,
	recompute::{Arguments, Output, RecomputeSpec},
	Balance, ChunkId, TaskId,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::DispatchError;

/// A task that another pallet orders for a requester.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskOrder<AccountId> {
	/// Who pays.
	pub requester: AccountId,
	/// What is computed.
	pub spec: RecomputeSpec,
	/// What each run is given beside the manifest.
	pub arguments: Arguments,
	/// Pay per unit, in the token's smallest unit.
	pub price: Balance,
	/// Blocks for a chunk, rounded up to one of the eight deadlines.
	pub deadline: u32,
}

/// The side of `tasks` that a pallet sees which orders tasks.
pub trait OrderTasks<AccountId> {
	/// What such a task would lock now, in the token's smallest unit. `None` where it is malformed,
	/// locks too much or too little, or cannot be assigned.
	fn cost(spec: &RecomputeSpec, price: Balance, deadline: u32) -> Option<Balance>;

	/// Submits a task, and locks its cost from what its requester has free. Changes nothing on
	/// error.
	fn order(order: TaskOrder<AccountId>) -> Result<TaskId, DispatchError>;

	/// Blocks from an order to the pay of a chunk that takes all of this deadline, if it is drawn for
	/// and checked without delay.
	fn least_time(deadline: u32) -> u32;

	/// Closes a task as its requester could: chunks in hand are finished and paid. Changes nothing
	/// where it is not running. Where nothing is in hand, the follower is told of the end of the
	/// task before this returns.
	fn close(task: TaskId);
}

/// How a chunk of an ordered task ended.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum ChunkEnding {
	/// It was found right and paid: this is what it gave.
	#[codec(index = 0)]
	Paid(Output),
	/// It ended without pay.
	#[codec(index = 1)]
	Refunded,
}

/// The side of the ordering pallet that `tasks` sees. It is told in the middle of a step of
/// `tasks`: it must only note, and neither order nor close anything.
pub trait FollowTasks {
	/// A chunk that was given out has ended. Of chunks that never were, only the end of their task
	/// is told.
	fn chunk_ended(chunk: &ChunkId, ending: ChunkEnding);

	/// A task has ended, and what it has not spent is free again on its requester's account.
	fn task_ended(task: TaskId, books: &Books);
}

/// Nobody follows.
impl FollowTasks for () {
	fn chunk_ended(_chunk: &ChunkId, _ending: ChunkEnding) {}

	fn task_ended(_task: TaskId, _books: &Books) {}
}
