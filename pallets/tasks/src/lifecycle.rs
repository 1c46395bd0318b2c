//! A task from its submission to its end, and how a chunk is reopened or ended.

use crate::{
	order::ending,
	pricing::{self, Tariff},
	spec::TaskSpec,
	types::{
		ChunkFifo, ChunkOf, ChunkQueue, ChunkState, CloseReason, Place, RefundReason, Rules, Task,
		TaskFifo, TaskOf, TaskQueue, MAX_ATTEMPTS,
	},
	Chunks, Config, CurrentRules, Error, Event, NextTask, Pallet, Tasks,
};
use frame_support::{dispatch::DispatchResult, ensure, BoundedVec};
use sp_runtime::DispatchError;
use tequio_primitives::{
	api::{Books, ChunkCounts, TaskStatus},
	clock::WorkClock,
	fifo::{deadline_bucket, wait},
	orders::ChunkEnding,
	rewards::DistributeRewards,
	search::Winners,
	tasks::Delivered,
	terms::AuditPolicy,
	workers::Candidate,
	AttemptId, Balance, ChunkId, TaskId,
};

/// What somebody wants done, and for what.
pub(crate) struct Submission<AccountId> {
	/// Who pays.
	pub requester: AccountId,
	/// What is asked for.
	pub spec: TaskSpec,
	/// Pay per unit.
	pub price: Balance,
	/// Blocks for a chunk.
	pub deadline: u32,
	/// Finder's bonus.
	pub bonus: Balance,
}

/// What a task comes to that is submitted now.
pub(crate) struct Quote {
	/// What it has to lock.
	pub locked: Balance,
	tariff: Tariff,
	/// One of the eight deadlines, and which of them.
	deadline: u32,
	bucket: u8,
	/// Blocks for which it gives out chunks.
	lifetime: u32,
}

impl<T: Config> Pallet<T> {
	/// Submits a task. Whoever orders it may follow it. Changes nothing on error.
	pub(crate) fn submit(
		submission: Submission<T::AccountId>,
		followed: bool,
	) -> Result<TaskId, DispatchError> {
		let Submission { requester, spec, price, deadline, bonus } = submission;
		let quote = Self::quote(&spec, price, deadline, bonus)?;
		let Quote { locked, tariff, deadline, bucket, lifetime } = quote;
		let id = NextTask::<T>::get();
		let next = id.checked_add(1).ok_or(Error::<T>::NoTaskNumber)?;

		Self::lock(&requester, locked)?;
		NextTask::<T>::put(next);
		let task = Task {
			requester,
			price,
			fee: tariff.fee,
			most_audits: tariff.most_audits,
			fetch_fee: tariff.fetch_fee,
			deadline,
			bucket,
			bonus,
			chunks: spec.chunks(),
			next_chunk: 0,
			counts: ChunkCounts { open: spec.chunks(), ..Default::default() },
			books: Books { locked, ..Default::default() },
			status: TaskStatus::Running,
			expires_at: T::Clock::now().saturating_add(lifetime),
			winners: Winners::new(),
			committed: false,
			decliners: BoundedVec::new(),
			followed,
			spec,
		};
		Self::open(id, task);
		Ok(id)
	}

	/// What such a task comes to if it is submitted now, or why it cannot be.
	pub(crate) fn quote(
		spec: &TaskSpec,
		price: Balance,
		deadline: u32,
		bonus: Balance,
	) -> Result<Quote, DispatchError> {
		spec.validate::<Error<T>>()?;
		ensure!(price > 0, Error::<T>::ZeroPrice);
		let (bucket, deadline) =
			deadline_bucket(deadline).ok_or(Error::<T>::DeadlineOutOfBounds)?;
		let rules = CurrentRules::<T>::get();
		let tariff = Self::tariff(spec, price, &rules);
		let locked = pricing::task_cost(spec, bonus, &tariff).ok_or(Error::<T>::CostTooHigh)?;
		ensure!(locked >= rules.min_lock, Error::<T>::TaskTooSmall);
		Self::ensure_assignable(spec, &tariff, deadline)?;
		Ok(Quote { locked, tariff, deadline, bucket, lifetime: rules.task_lifetime })
	}

	/// The prices of a task that is submitted now.
	fn tariff(spec: &TaskSpec, price: Balance, rules: &Rules) -> Tariff {
		Tariff {
			price,
			fee: T::Rewards::fee_terms(),
			most_audits: T::Policy::most_audits(spec.class(), spec.replicas()),
			fetch_fee: rules.fetch_fee,
		}
	}

	/// Whether there are terms for the chunks of a task, for somebody of whom nothing is known.
	fn ensure_assignable(spec: &TaskSpec, tariff: &Tariff, deadline: u32) -> DispatchResult {
		let budget = pricing::chunk_budget(spec, 0, tariff).ok_or(Error::<T>::CostTooHigh)?;
		let stranger = Candidate { exposed: true, ..Default::default() };
		let priced = spec.priced(&budget, deadline);
		T::Policy::terms(&priced, &stranger).ok_or(Error::<T>::NotAssignable)?;
		Ok(())
	}

	/// Has a new task served and, in time, expire.
	fn open(id: TaskId, task: TaskOf<T>) {
		let (index, blocks) = wait(0);
		let at = T::Clock::now().saturating_add(blocks);
		TaskFifo::<T>::push(TaskQueue::Waiting(index), id, at);
		TaskFifo::<T>::push(TaskQueue::Expiring, id, task.expires_at);
		Self::deposit_event(Event::TaskSubmitted {
			task: id,
			requester: task.requester.clone(),
			class: task.spec.class(),
			chunks: task.chunks,
			locked: task.books.locked,
		});
		Tasks::<T>::insert(id, task);
	}

	pub(crate) fn do_cancel(who: &T::AccountId, id: TaskId) -> DispatchResult {
		let task = Tasks::<T>::get(id).ok_or(Error::<T>::NotFound)?;
		ensure!(task.requester == *who, Error::<T>::NotRequester);
		ensure!(task.status == TaskStatus::Running, Error::<T>::NotRunning);
		Self::close_task(id, task, CloseReason::Cancelled);
		Ok(())
	}

	/// Closes a task whose lifetime is over.
	pub(crate) fn expire_task(id: TaskId) {
		if let Some(task) = Tasks::<T>::get(id) {
			if task.status == TaskStatus::Running {
				Self::close_task(id, task, CloseReason::Expired);
			}
		}
	}

	/// Gives out no more chunks of a task and refunds those that were never given out.
	pub(crate) fn close_task(id: TaskId, mut task: TaskOf<T>, reason: CloseReason) {
		let freed = pricing::cost_from(&task.spec, task.next_chunk, &task.tariff());
		task.status = TaskStatus::Closing;
		task.shift(task.untouched(), Place::Open, Place::Refunded);
		task.next_chunk = task.chunks;
		Self::deposit_event(Event::TaskClosing { task: id, reason });
		// Computed before in full at submission, so it is there; if it were not, the remainder
		// would hold it.
		Self::refund(&mut task, freed.unwrap_or(0));
		Self::store(id, task);
	}

	/// Writes a task back; with its last chunk ended, returns the remainder first.
	pub(crate) fn store(id: TaskId, mut task: TaskOf<T>) {
		let ends = task.live() == 0 && task.status != TaskStatus::Ended;
		if ends {
			let remainder = Self::in_escrow(&task);
			Self::refund(&mut task, remainder);
			task.status = TaskStatus::Ended;
			let kept = CurrentRules::<T>::get().keep_ended;
			TaskFifo::<T>::push(TaskQueue::Ended, id, T::Clock::now().saturating_add(kept));
			Self::deposit_event(Event::TaskEnded { task: id, books: task.books });
		}
		Tasks::<T>::insert(id, &task);
		if ends {
			Self::tell_of_end(id, &task);
		}
	}

	/// The chunk of an attempt and its task, if this is the chunk's present attempt.
	pub(crate) fn attempt(id: &AttemptId) -> Option<(ChunkOf<T>, TaskOf<T>)> {
		let chunk = Chunks::<T>::get(id.chunk).filter(|chunk| chunk.attempt == id.attempt)?;
		Some((chunk, Tasks::<T>::get(id.chunk.task)?))
	}

	/// Has a chunk done by somebody else than `owner`, or ends it where its attempts are used up or
	/// its task is closing.
	pub(crate) fn reopen(
		id: ChunkId,
		task: &mut TaskOf<T>,
		mut chunk: ChunkOf<T>,
		from: Place,
		owner: T::AccountId,
	) {
		if task.status != TaskStatus::Running {
			return Self::end_refunded(id, task, &chunk, from, RefundReason::TaskClosing);
		}
		let attempt = chunk.attempt.saturating_add(1);
		let limit = CurrentRules::<T>::get().max_attempts.min(MAX_ATTEMPTS);
		if attempt >= limit || chunk.excluded.try_push(owner).is_err() {
			return Self::end_refunded(id, task, &chunk, from, RefundReason::AttemptsUsedUp);
		}
		chunk.attempt = attempt;
		chunk.state = ChunkState::Open;
		Chunks::<T>::insert(id, chunk);
		task.shift(1, from, Place::Open);
		let id = AttemptId { chunk: id, attempt };
		let (index, blocks) = wait(0);
		let at = T::Clock::now().saturating_add(blocks);
		ChunkFifo::<T>::push(ChunkQueue::Reopened(index), id, at);
		Self::deposit_event(Event::ChunkReopened { id });
	}

	/// Ends a chunk that was done as often as it can be paid, the last time for this.
	pub(crate) fn end_paid(id: ChunkId, task: &mut TaskOf<T>, from: Place, paid: Delivered) {
		Chunks::<T>::remove(id);
		task.shift(1, from, Place::Paid);
		Self::tell_of_chunk(&id, task, ending(paid));
	}

	/// Ends a chunk without further work; one that was paid for a thin search counts as paid.
	pub(crate) fn end_refunded(
		id: ChunkId,
		task: &mut TaskOf<T>,
		chunk: &ChunkOf<T>,
		from: Place,
		reason: RefundReason,
	) {
		Chunks::<T>::remove(id);
		task.shift(1, from, if chunk.thin { Place::Paid } else { Place::Refunded });
		Self::deposit_event(Event::ChunkRefunded { chunk: id, reason });
		Self::tell_of_chunk(&id, task, ChunkEnding::Refunded);
	}
}
