//! The invariants, each as a sentence and a check.

use crate::{
	history::Folded,
	pricing,
	types::{
		ChunkFifo, ChunkOf, ChunkQueue, ChunkState, Place, Task, TaskFifo, TaskOf, TaskQueue,
		MAX_ATTEMPTS,
	},
	ChunkEnds, ChunkPages, Chunks, Config, Ended, Folding, HoldReason, NextTask, Pallet,
	TaskArguments, TaskEnds, TaskPages, TaskSpec, Tasks,
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use frame_support::{ensure, traits::fungible::hold::Inspect};
use sp_runtime::TryRuntimeError;
use tequio_primitives::{
	api::{ChunkCounts, TaskStatus},
	fifo::Due,
	AttemptId, Balance, ChunkId, TaskId,
};

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet. For tests and try-runtime: it reads all there is.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_tasks()?;
		Self::check_counts()?;
		Self::check_holds()?;
		Self::check_reserves()?;
		Self::check_queues()?;
		Self::check_chunk_entries()?;
		Self::check_task_entries()?;
		Self::check_arguments()?;
		Self::check_roots()
	}

	/// Tasks are numbered below the next number; no more has left an escrow than was locked; a task
	/// has ended when no chunk lives, and then its escrow is empty; only a running task has chunks
	/// that were never given out; no owner is twice among those who found the input bad; a task of
	/// which a result is or was checked says that somebody has committed.
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
			let decliners: BTreeSet<_> = task.decliners.iter().collect();
			ensure!(decliners.len() == task.decliners.len(), "an owner is twice a decliner");
			let ChunkCounts { checking, accepted, paid, .. } = task.counts;
			let checked = checking > 0 || accepted > 0 || paid > 0;
			ensure!(task.committed || !checked, "a result is checked that nobody committed to");
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

	/// What a task has in escrow covers the most that its chunks can still cost, the bonus with its
	/// fee, and, while it may yet be stopped for its input, the fetch fees with theirs. No chunk had
	/// more rounds of audits than are locked for, and one whose present result was not audited yet
	/// has one left.
	fn check_reserves() -> Result<(), TryRuntimeError> {
		let mut needed = BTreeMap::<TaskId, Balance>::new();
		for (id, chunk) in Chunks::<T>::iter() {
			let task = Tasks::<T>::get(id.task).ok_or("a chunk belongs to no task")?;
			let reserve = reserve_of::<T>(&task, id, &chunk)?;
			let sum = needed.entry(id.task).or_default();
			*sum = sum.checked_add(reserve).ok_or("the reserves of a task overflow")?;
		}
		for (id, task) in Tasks::<T>::iter() {
			if task.status == TaskStatus::Ended {
				continue;
			}
			let given = needed.remove(&id).unwrap_or_default();
			let rest = rest_of(&task).and_then(|cost| cost.checked_add(given));
			let rest = rest.ok_or("the cost of a task overflows")?;
			ensure!(Self::in_escrow(&task) >= rest, "an escrow does not cover what may be paid");
		}
		Ok(())
	}

	/// Every queue has its entries between its ends and nowhere else; those of stages whose length
	/// no change of the rules touches are sorted by height.
	fn check_queues() -> Result<(), TryRuntimeError> {
		let mut of_tasks: BTreeSet<TaskQueue> = TaskEnds::<T>::get().keys().copied().collect();
		of_tasks.extend(TaskPages::<T>::iter_keys().map(|(queue, _)| queue));
		for queue in of_tasks {
			let entries = TaskFifo::<T>::entries(queue);
			let entries = entries.ok_or("a queue of tasks has gaps or strays")?;
			let fixed = matches!(queue, TaskQueue::Open | TaskQueue::Waiting(_));
			ensure!(!fixed || is_sorted(&entries), "a queue of tasks is not sorted");
		}
		let mut of_chunks: BTreeSet<ChunkQueue> = ChunkEnds::<T>::get().keys().copied().collect();
		of_chunks.extend(ChunkPages::<T>::iter_keys().map(|(queue, _)| queue));
		for queue in of_chunks {
			let entries = ChunkFifo::<T>::entries(queue);
			let entries = entries.ok_or("a queue of chunks has gaps or strays")?;
			let fixed = matches!(queue, ChunkQueue::Reopened(_) | ChunkQueue::Assigned(_));
			ensure!(!fixed || is_sorted(&entries), "a queue of chunks is not sorted");
		}
		Ok(())
	}

	/// Every assigned chunk stands in the queue of its deadline, every accepted one in the queue of
	/// payments, each with its height; every chunk that is open again stands in a queue for draws.
	fn check_chunk_entries() -> Result<(), TryRuntimeError> {
		let mut entries = BTreeSet::<(ChunkQueue, Due<AttemptId>)>::new();
		for queue in ChunkEnds::<T>::get().keys() {
			let listed = ChunkFifo::<T>::entries(*queue).unwrap_or_default();
			entries.extend(listed.into_iter().map(|due| (*queue, due)));
		}
		let waiting: BTreeSet<AttemptId> = entries
			.iter()
			.filter(|(queue, _)| matches!(queue, ChunkQueue::Reopened(_)))
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
				ChunkState::Checking { .. } | ChunkState::Challenged { .. } => true,
			};
			ensure!(queued, "a chunk waits for a step that no queue will take");
		}
		Ok(())
	}

	/// Every running task stands in the queue of expiry, and once in the queues for draws if it has
	/// chunks to give out; every ended one stands in the queue of those whose state is removed.
	fn check_task_entries() -> Result<(), TryRuntimeError> {
		let mut expiring = BTreeSet::<TaskId>::new();
		let mut ended = BTreeSet::<TaskId>::new();
		let mut served = BTreeMap::<TaskId, usize>::new();
		for queue in TaskEnds::<T>::get().keys() {
			for due in TaskFifo::<T>::entries(*queue).unwrap_or_default() {
				match queue {
					TaskQueue::Open | TaskQueue::Waiting(_) => {
						let times = served.entry(due.subject).or_default();
						*times = times.saturating_add(1);
					},
					TaskQueue::Expiring => {
						expiring.insert(due.subject);
					},
					TaskQueue::Ended => {
						ended.insert(due.subject);
					},
				}
			}
		}
		for (id, task) in Tasks::<T>::iter() {
			let running = task.status == TaskStatus::Running;
			ensure!(!running || expiring.contains(&id), "a task would never expire");
			let open = running && task.untouched() > 0;
			let times = served.get(&id).copied().unwrap_or(0);
			ensure!(!open || times == 1, "a task would never be served, or out of its turn");
			let over = task.status == TaskStatus::Ended;
			ensure!(over == ended.contains(&id), "the state of a task would never be removed");
		}
		Ok(())
	}

	/// There are arguments of exactly those tasks that are followed, and what is followed is a
	/// program.
	fn check_arguments() -> Result<(), TryRuntimeError> {
		for (id, task) in Tasks::<T>::iter() {
			let kept = TaskArguments::<T>::contains_key(id);
			ensure!(kept == task.followed, "arguments are kept without need, or missing");
			let program = matches!(task.spec, TaskSpec::Recompute(_));
			ensure!(program || !task.followed, "somebody follows a search");
		}
		let mut tasks = TaskArguments::<T>::iter_keys();
		ensure!(tasks.all(Tasks::<T>::contains_key), "arguments belong to no task");
		Ok(())
	}

	/// A root belongs to a task that has no record any more; what is folded is of the task at the
	/// head of the ended ones.
	fn check_roots() -> Result<(), TryRuntimeError> {
		for id in Ended::<T>::iter_keys() {
			ensure!(id < NextTask::<T>::get(), "a root has a number that was not given yet");
			ensure!(!Tasks::<T>::contains_key(id), "a task has a record and a root");
		}
		let idle = Folding::<T>::get() == Folded::default();
		let head = TaskFifo::<T>::peek(TaskQueue::Ended);
		ensure!(idle || head.is_some(), "something is folded that belongs to no task");
		Ok(())
	}
}

/// What a chunk that lives may still cost.
fn reserve_of<T: Config>(
	task: &TaskOf<T>,
	id: ChunkId,
	chunk: &ChunkOf<T>,
) -> Result<Balance, TryRuntimeError> {
	let budget = pricing::chunk_budget(&task.spec, id.index, &task.tariff())
		.ok_or("the budget of a chunk overflows")?;
	ensure!(chunk.audits <= budget.rounds(), "a chunk was audited more often than is locked for");
	let judged = matches!(chunk.state, ChunkState::Accepted { .. } | ChunkState::Challenged { .. });
	let left = judged || chunk.audits < budget.rounds();
	ensure!(left, "a chunk is given out whose audits nothing is locked for");
	Ok(budget.reserve(chunk.thin, chunk.audits).ok_or("the reserve of a chunk overflows")?)
}

/// What a task may cost besides its chunks that were given out.
fn rest_of<AccountId>(task: &Task<AccountId>) -> Option<Balance> {
	let tariff = task.tariff();
	let mut rest = pricing::cost_from(&task.spec, task.next_chunk, &tariff)?
		.checked_add(task.bonus)?
		.checked_add(task.fee.on(task.bonus))?;
	if task.status == TaskStatus::Running && !task.committed {
		rest = rest.checked_add(pricing::fetch_cost(&tariff)?)?;
	}
	Some(rest)
}

fn is_sorted<Subject>(entries: &[Due<Subject>]) -> bool {
	entries.windows(2).all(|pair| pair[0].at <= pair[1].at)
}
