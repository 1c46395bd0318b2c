//! The invariants, each as a sentence and a check.

use crate::{
	pricing,
	types::{ChunkQueue, ChunkState, Due, Place, TaskOf, TaskQueue, MAX_ATTEMPTS},
	ChunkEnds, ChunkEntries, Chunks, Config, HoldReason, NextTask, Pallet, TaskEnds, TaskEntries,
	Tasks,
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use frame_support::{ensure, traits::fungible::hold::Inspect};
use sp_runtime::TryRuntimeError;
use tequio_primitives::{
	api::{ChunkCounts, TaskStatus},
	rewards::DistributeRewards,
	AttemptId, Balance, ChunkId, TaskId,
};

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet. For tests and try-runtime: it reads all there is.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_tasks()?;
		Self::check_counts()?;
		Self::check_holds()?;
		Self::check_reserves()?;
		Self::check_queue_bounds()?;
		Self::check_chunk_entries()?;
		Self::check_task_entries()
	}

	/// Tasks are numbered below the next number; no more has left an escrow than was locked; a task
	/// has ended when no chunk lives, and then its escrow is empty; only a running task has chunks
	/// that were never given out.
	fn check_tasks() -> Result<(), TryRuntimeError> {
		for (id, task) in Tasks::<T>::iter() {
			ensure!(id < NextTask::<T>::get(), "a task has a number that was not given yet");
			let left = task.books.in_escrow().ok_or("more has left an escrow than was locked")?;
			let ended = task.status == TaskStatus::Ended;
			ensure!(ended == (task.live() == 0), "a task ends with its last chunk");
			ensure!(!ended || left == 0, "an ended task has money in escrow");
			let running = task.status == TaskStatus::Running;
			ensure!(running || task.untouched() == 0, "a closed task has chunks to give out");
			ensure!(task.next_chunk <= task.chunks, "a task gave out more chunks than it has");
		}
		Ok(())
	}

	/// The counts of a task add up to its chunks and match the records of its chunks. A record is
	/// of a chunk that was given out, within the attempts that a chunk may have, with one excluded
	/// owner per attempt before.
	fn check_counts() -> Result<(), TryRuntimeError> {
		let mut found = BTreeMap::<TaskId, Vec<Place>>::new();
		for (id, chunk) in Chunks::<T>::iter() {
			let task = Tasks::<T>::get(id.task).ok_or("a chunk belongs to no task")?;
			ensure!(id.index < task.next_chunk, "a chunk has a record before it was given out");
			ensure!(chunk.attempt < MAX_ATTEMPTS, "a chunk has more attempts than may be");
			ensure!(
				chunk.excluded.len() == usize::from(chunk.attempt),
				"each attempt before excludes one owner"
			);
			found.entry(id.task).or_default().push(chunk.state.place());
		}
		for (id, task) in Tasks::<T>::iter() {
			let places = found.remove(&id).unwrap_or_default();
			let number = |place: Place| {
				u32::try_from(places.iter().filter(|found| **found == place).count()).ok()
			};
			let ChunkCounts { open, assigned, checking, accepted, paid, refunded } = task.counts;
			let reopened = open.checked_sub(task.untouched());
			ensure!(reopened == number(Place::Open), "open chunks are miscounted");
			ensure!(Some(assigned) == number(Place::Assigned), "assigned chunks are miscounted");
			ensure!(Some(checking) == number(Place::Checking), "chunks in checks are miscounted");
			ensure!(Some(accepted) == number(Place::Accepted), "accepted chunks are miscounted");
			let ended = paid.checked_add(refunded).ok_or("ended chunks overflow")?;
			ensure!(task.live().checked_add(ended) == Some(task.chunks), "chunks do not add up");
		}
		Ok(())
	}

	/// For each requester the held escrow is the sum of what its tasks have in escrow.
	fn check_holds() -> Result<(), TryRuntimeError> {
		let mut sums = BTreeMap::<T::AccountId, Balance>::new();
		for (_, task) in Tasks::<T>::iter() {
			let left = Self::in_escrow(&task);
			let sum = sums.entry(task.requester).or_default();
			*sum = sum.checked_add(left).ok_or("the escrows of a requester overflow")?;
		}
		for (requester, sum) in sums {
			let held = T::Currency::balance_on_hold(&HoldReason::Escrow.into(), &requester);
			ensure!(held == sum, "a requester's hold differs from its escrows");
		}
		Ok(())
	}

	/// What a task has in escrow covers the most that its chunks can still cost, and the bonus with
	/// its fee.
	fn check_reserves() -> Result<(), TryRuntimeError> {
		let mut needed = BTreeMap::<TaskId, Balance>::new();
		for (id, chunk) in Chunks::<T>::iter() {
			let task = Tasks::<T>::get(id.task).ok_or("a chunk belongs to no task")?;
			let audited = chunk.state.place() == Place::Accepted;
			let reserve = Self::reserve_of(&task, id, chunk.thin, audited)
				.ok_or("the reserve of a chunk overflows")?;
			let sum = needed.entry(id.task).or_default();
			*sum = sum.checked_add(reserve).ok_or("the reserves of a task overflow")?;
		}
		for (id, task) in Tasks::<T>::iter() {
			if task.status == TaskStatus::Ended {
				continue;
			}
			let given = needed.remove(&id).unwrap_or_default();
			let fee_on = T::Rewards::fee_on;
			let rest = pricing::cost_from(&task.spec, task.next_chunk, task.price, fee_on)
				.and_then(|cost| cost.checked_add(task.bonus)?.checked_add(fee_on(task.bonus)))
				.and_then(|cost| cost.checked_add(given))
				.ok_or("the cost of a task overflows")?;
			ensure!(Self::in_escrow(&task) >= rest, "an escrow does not cover what may be paid");
		}
		Ok(())
	}

	fn reserve_of(task: &TaskOf<T>, id: ChunkId, again: bool, audited: bool) -> Option<Balance> {
		let range = task.spec.range(id.index);
		pricing::chunk_budget(&range, task.price, T::Rewards::fee_on)?.reserve(again, audited)
	}

	/// Every entry of a queue lies between the queue's head and its end, and none is missing there.
	fn check_queue_bounds() -> Result<(), TryRuntimeError> {
		let length = |(head, end): (u64, u64)| end.checked_sub(head);
		for (queue, bounds) in TaskEnds::<T>::iter() {
			let places: Vec<u64> =
				TaskEntries::<T>::iter_prefix(queue).map(|(place, _)| place).collect();
			ensure!(all_within(&places, bounds), "an entry of a task lies outside its queue");
			ensure!(length(bounds) == count(&places), "a queue of tasks has a gap");
		}
		for (queue, bounds) in ChunkEnds::<T>::iter() {
			let places: Vec<u64> =
				ChunkEntries::<T>::iter_prefix(queue).map(|(place, _)| place).collect();
			ensure!(all_within(&places, bounds), "an entry of a chunk lies outside its queue");
			ensure!(length(bounds) == count(&places), "a queue of chunks has a gap");
		}
		Ok(())
	}

	/// Every assigned chunk stands in the queue of its deadline, every accepted one in the queue of
	/// payments, each with its height; every chunk that is open again stands in the queue for
	/// draws.
	fn check_chunk_entries() -> Result<(), TryRuntimeError> {
		let entries: BTreeSet<(ChunkQueue, Due<AttemptId>)> =
			ChunkEntries::<T>::iter().map(|(queue, _, due)| (queue, due)).collect();
		let waiting: BTreeSet<AttemptId> = entries
			.iter()
			.filter(|(queue, _)| *queue == ChunkQueue::Reopened)
			.map(|(_, due)| due.subject)
			.collect();
		for (id, chunk) in Chunks::<T>::iter() {
			let task = Tasks::<T>::get(id.task).ok_or("a chunk belongs to no task")?;
			let subject = AttemptId { chunk: id, attempt: chunk.attempt };
			let queued = match chunk.state {
				ChunkState::Open => waiting.contains(&subject),
				ChunkState::Assigned { due, .. } => {
					let at = due.saturating_add(1);
					entries.contains(&(ChunkQueue::Assigned(task.bucket), Due { subject, at }))
				},
				ChunkState::Accepted { until, .. } => {
					entries.contains(&(ChunkQueue::Accepted, Due { subject, at: until }))
				},
				ChunkState::Checking { .. } => true,
			};
			ensure!(queued, "a chunk waits for a step that no queue will take");
		}
		Ok(())
	}

	/// Every running task stands in the queue of expiry, and in the queue for draws if it has
	/// chunks to give out.
	fn check_task_entries() -> Result<(), TryRuntimeError> {
		let entries: BTreeSet<(TaskQueue, TaskId)> =
			TaskEntries::<T>::iter().map(|(queue, _, due)| (queue, due.subject)).collect();
		for (id, task) in Tasks::<T>::iter() {
			if task.status != TaskStatus::Running {
				continue;
			}
			ensure!(entries.contains(&(TaskQueue::Expiring, id)), "a task would never expire");
			ensure!(
				task.untouched() == 0 || entries.contains(&(TaskQueue::Open, id)),
				"a task would never be served"
			);
		}
		Ok(())
	}
}

fn all_within(places: &[u64], (head, end): (u64, u64)) -> bool {
	places.iter().all(|place| (head..end).contains(place))
}

fn count(places: &[u64]) -> Option<u64> {
	u64::try_from(places.len()).ok()
}
