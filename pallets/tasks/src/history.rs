//! What stays of a task that has ended: a root of 32 bytes in the state, and beside the state the
//! records that it was made of.
//!
//! For `keep_ended` blocks after its end a task stays as it is. Then the agenda takes its
//! contributions out of the state, a few at a step, and at last its record, and folds all of them
//! into the root.
//!
//! ## The root
//! `fold(hash, bytes) = blake2_256(hash ‖ bytes)`. It begins with 32 zero bytes and folds, first,
//! each contribution of `Rewards.Contributions` to the task as `(owner, contribution)` in SCALE, in
//! ascending order of `blake2_128` of the owner's account, each once; and last `(number of the task,
//! record, arguments)` in SCALE: the record is what `Tasks.Tasks` held from the task's end on, the
//! arguments are what `Tasks.TaskArguments` did, or none.
//!
//! Whoever followed the chain has all of it: the records stood in the state for `keep_ended` blocks.
//!
//! ## The records
//! A node that runs with `--enable-offchain-indexing true` keeps them when it imports the block, and
//! serves them through `offchain_localStorageGet("PERSISTENT", key)`:
//!
//! | key | value |
//! | --- | --- |
//! | `"tequio/history" ‖ task` | number of contributions `‖ (task, record, arguments)` |
//! | `"tequio/history" ‖ task ‖ n` | the contribution folded in place `n`, from 0: `(owner, contribution)` |
//!
//! The text is ASCII without a length; the task is a `u64`, the numbers are `u32`, all
//! little-endian, which is SCALE. [`root_of`] makes the root of them again.

use crate::{
	types::{TaskFifo, TaskQueue},
	weights::WeightInfo,
	Config, Ended, Event, Folding, Pallet, TaskArguments, Tasks,
};
use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::weights::WeightMeter;
use scale_info::TypeInfo;
use sp_io::{hashing::blake2_256, offchain_index};
use tequio_primitives::{clock::WorkClock, rewards::DistributeRewards, TaskId};

/// Contributions that one step takes out of the state, at most.
pub const PIECE: u32 = 16;
/// Steps that a block takes before others are served: few, so that a flood of tasks that end
/// together leaves the agenda to those that run.
pub(crate) const STEPS: u32 = 8;
/// Steps that a block takes with what the others have left of the agenda, so that on the whole tasks
/// are forgotten as fast as they end.
pub(crate) const SPARE_STEPS: u32 = 64;

/// How far the task at the head of the queue is folded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Folded {
	/// Contributions that are folded.
	pub contributions: u32,
	/// What they were folded to.
	pub hash: [u8; 32],
}

/// Folds the next record.
pub fn fold(hash: [u8; 32], bytes: &[u8]) -> [u8; 32] {
	blake2_256(&[hash.as_slice(), bytes].concat())
}

/// Key of a task's record.
pub fn record_key(task: TaskId) -> Vec<u8> {
	(b"tequio/history", task).encode()
}

/// Key of a contribution to a task, by its place in the root.
pub fn contribution_key(task: TaskId, place: u32) -> Vec<u8> {
	(b"tequio/history", task, place).encode()
}

/// The root of a task from its records; `read` gives what lies under a key. `None` where one is
/// missing or no record.
pub fn root_of(task: TaskId, read: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Option<[u8; 32]> {
	let kept = read(&record_key(task))?;
	let mut record = kept.as_slice();
	let contributions = u32::decode(&mut record).ok()?;
	let mut hash = Folded::default().hash;
	for place in 0..contributions {
		hash = fold(hash, &read(&contribution_key(task, place))?);
	}
	Some(fold(hash, record))
}

impl<T: Config> Pallet<T> {
	/// Removes the state of tasks that ended long ago, so many steps of it at most.
	pub(crate) fn prune(meter: &mut WeightMeter, steps: u32) {
		let now = T::Clock::now();
		for _ in 0..steps {
			let Some(due) = TaskFifo::<T>::due(TaskQueue::Ended, now) else { return };
			if !meter.can_consume(T::WeightInfo::prune_task(PIECE)) {
				return;
			}
			let taken = Self::prune_piece(due.subject);
			meter.consume(T::WeightInfo::prune_task(taken));
		}
	}

	/// Folds some contributions to the task at the head of the queue; after the last, its record.
	/// Returns how many.
	fn prune_piece(id: TaskId) -> u32 {
		let mut folded = Folding::<T>::take();
		let piece = T::Rewards::take_contributions(id, PIECE);
		for bytes in &piece {
			offchain_index::set(&contribution_key(id, folded.contributions), bytes);
			folded.hash = fold(folded.hash, bytes);
			folded.contributions = folded.contributions.saturating_add(1);
		}
		let taken = u32::try_from(piece.len()).unwrap_or(PIECE).min(PIECE);
		if taken < PIECE {
			TaskFifo::<T>::pop(TaskQueue::Ended);
			Self::forget(id, folded);
		} else {
			Folding::<T>::put(folded);
		}
		taken
	}

	/// Replaces the record of a task by its root.
	fn forget(id: TaskId, folded: Folded) {
		let Some(task) = Tasks::<T>::take(id) else { return };
		let arguments = if task.followed { TaskArguments::<T>::take(id) } else { None };
		let record = (id, task, arguments).encode();
		let root = fold(folded.hash, &record);
		let kept = [folded.contributions.encode(), record].concat();
		offchain_index::set(&record_key(id), &kept);
		Ended::<T>::insert(id, root);
		Self::deposit_event(Event::TaskPruned { task: id, root });
	}
}
