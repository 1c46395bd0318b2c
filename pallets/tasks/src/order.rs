//! Tasks that another pallet orders for a requester, and what that pallet is told of them.
//!
//! Such a task is submitted, paid and ended like any other. It has arguments beside, which only
//! those read who compute it, and which become part of its history. Its follower is told when
//! a chunk that was given out ends, with the output that was paid for, and when the task does, with
//! the remainder returned. All of that happens in the middle of a step of this pallet, whose records
//! may not be written back yet: the follower only notes it.

use crate::{
	lifecycle::Submission,
	types::{CloseReason, TaskOf},
	Config, CurrentRules, Pallet, TaskArguments, TaskSpec, Tasks,
};
use sp_runtime::DispatchError;
use tequio_primitives::{
	api::TaskStatus,
	fifo::wait,
	orders::{ChunkEnding, FollowTasks, OrderTasks, TaskOrder},
	recompute::RecomputeSpec,
	tasks::Delivered,
	Balance, ChunkId, TaskId,
};

impl<T: Config> OrderTasks<T::AccountId> for Pallet<T> {
	fn cost(spec: &RecomputeSpec, price: Balance, deadline: u32) -> Option<Balance> {
		let spec = TaskSpec::Recompute(spec.clone());
		Self::quote(&spec, price, deadline, 0).ok().map(|quote| quote.locked)
	}

	fn order(order: TaskOrder<T::AccountId>) -> Result<TaskId, DispatchError> {
		let TaskOrder { requester, spec, arguments, price, deadline } = order;
		let spec = TaskSpec::Recompute(spec);
		let submission = Submission { requester, spec, price, deadline, bonus: 0 };
		let id = Self::submit(submission, true)?;
		TaskArguments::<T>::insert(id, arguments);
		Ok(id)
	}

	fn least_time(deadline: u32) -> u32 {
		let (_, drawn) = wait(0);
		let checked = CurrentRules::<T>::get().challenge_period;
		deadline.saturating_add(drawn).saturating_add(checked)
	}

	fn close(task: TaskId) {
		let running = |record: &TaskOf<T>| record.status == TaskStatus::Running;
		if let Some(record) = Tasks::<T>::get(task).filter(running) {
			Self::close_task(task, record, CloseReason::Cancelled);
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Tells a follower how a chunk of its task ended.
	pub(crate) fn tell_of_chunk(id: &ChunkId, task: &TaskOf<T>, ending: ChunkEnding) {
		if task.followed {
			T::Followers::chunk_ended(id, ending);
		}
	}

	/// Tells a follower that its task has ended.
	pub(crate) fn tell_of_end(id: TaskId, task: &TaskOf<T>) {
		if task.followed {
			T::Followers::task_ended(id, &task.books);
		}
	}
}

/// How a chunk has ended that was paid for this. Shares give nothing to go on with.
pub(crate) fn ending(paid: Delivered) -> ChunkEnding {
	match paid {
		Delivered::Whole(output) => ChunkEnding::Paid(output),
		Delivered::Shares(_) => ChunkEnding::Refunded,
	}
}
