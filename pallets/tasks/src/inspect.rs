//! How tasks and chunks stand, for the runtime API and the transaction pool.

use crate::{types::ChunkState, Call, Chunks, Config, Pallet, Tasks};
use alloc::{vec, vec::Vec};
use codec::Encode;
use tequio_primitives::{
	api::{TaskStatus, TaskSummary},
	stage::Stage,
	ChunkId, TaskId, WorkHeight,
};

impl<T: Config> Pallet<T> {
	/// Where a chunk is, and when that ends by itself. `None` for a chunk that does not exist, has
	/// ended, or is being checked or judged again: there `verification` knows.
	pub fn stage_of(chunk: ChunkId) -> Option<(Stage, WorkHeight)> {
		let task = Tasks::<T>::get(chunk.task).filter(|task| chunk.index < task.chunks)?;
		match Chunks::<T>::get(chunk).map(|chunk| chunk.state) {
			None if task.status == TaskStatus::Running && chunk.index >= task.next_chunk => {
				Some((Stage::Open, task.expires_at))
			},
			Some(ChunkState::Open) => Some((Stage::Open, task.expires_at)),
			Some(ChunkState::Assigned { due, .. }) => Some((Stage::Assigned, due)),
			Some(ChunkState::Accepted { until, .. }) => Some((Stage::Accepted, until)),
			Some(ChunkState::Checking { .. } | ChunkState::Challenged { .. }) | None => None,
		}
	}

	/// How a task stands.
	pub fn summary(task: TaskId) -> Option<TaskSummary<T::AccountId>> {
		let task = Tasks::<T>::get(task)?;
		Some(TaskSummary {
			class: task.spec.class(),
			requester: task.requester,
			status: task.status,
			chunks: task.counts,
			books: task.books,
			winners: task.winners.into_inner(),
		})
	}

	/// The tags under which a call is free of fees for `who`: those of a decline that would succeed
	/// now. `None` for all else.
	pub fn free_call_tags(who: &T::AccountId, call: &Call<T>) -> Option<Vec<Vec<u8>>> {
		let Call::decline { id, .. } = call else { return None };
		Self::declinable(who, id).ok()?;
		Some(vec![(id.chunk, id.attempt, Stage::Assigned, who).encode()])
	}
}
