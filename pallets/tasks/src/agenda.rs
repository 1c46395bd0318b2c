//! The agenda: which steps are due, in which order, within which weight.
//!
//! What ends something comes first (payments, missed deadlines, expiry), since it frees seats and
//! money; then a little of the state of tasks that ended long ago; then chunks that have waited
//! before, then new ones; and with what is left, more of the state of tasks that ended.

use crate::{
	assignment::Lottery,
	history::{SPARE_STEPS, STEPS},
	types::{ChunkFifo, ChunkOf, ChunkQueue, ChunkState, TaskFifo, TaskQueue},
	weights::WeightInfo,
	Chunks, Config, Error, Pallet, Tasks,
};
use frame_support::{
	dispatch::DispatchResultWithPostInfo,
	ensure,
	traits::Get,
	weights::{Weight, WeightMeter},
};
use tequio_primitives::{
	api::TaskStatus,
	clock::{Beacon, WorkClock},
	fifo::{Due, DEADLINES, MAX_STEPS},
	AttemptId, TaskId,
};

/// Tasks that one block closes at most because their lifetime is over: those that were submitted
/// together leave the rest of the agenda its weight.
const MAX_EXPIRIES: u32 = 48;

/// What is done about a chunk that is due.
type Step<T> = fn(AttemptId, ChunkOf<T>);

impl<T: Config> Pallet<T> {
	/// Runs the agenda of a block within its share of what is left.
	pub(crate) fn run_agenda(meter: &mut WeightMeter) {
		let share = meter.remaining().min(T::AgendaBudget::get());
		let mut steps = WeightMeter::with_limit(share);
		if steps.try_consume(T::WeightInfo::agenda_heads()).is_ok() {
			let mut lottery = T::Beacon::latest().map(Lottery::<T>::new);
			Self::end_due(&mut steps);
			Self::prune(&mut steps, STEPS);
			let others = TaskFifo::<T>::len(TaskQueue::Open) > 0;
			Self::serve_before(&mut steps, others, |share| {
				Self::serve_reopened(share, lottery.as_mut());
			});
			if let Some(lottery) = &mut lottery {
				Self::serve_before(&mut steps, others, |share| Self::serve_waiting(share, lottery));
				Self::serve_open(&mut steps, lottery);
			}
			Self::prune(&mut steps, SPARE_STEPS);
		}
		meter.consume(steps.consumed());
	}

	/// Serves within half of the weight that is left, so that draws in vain, of which anybody can
	/// cause many, leave something to the tasks in turn; within all of it where there are no others.
	fn serve_before(meter: &mut WeightMeter, others: bool, serve: impl FnOnce(&mut WeightMeter)) {
		let kept = if others { meter.remaining().saturating_div(2) } else { Weight::zero() };
		let mut share = WeightMeter::with_limit(meter.remaining().saturating_sub(kept));
		serve(&mut share);
		meter.consume(share.consumed());
	}

	/// Takes steps that are late, without drawing seats.
	pub(crate) fn do_advance(limit: u32) -> DispatchResultWithPostInfo {
		ensure!((1..=MAX_STEPS).contains(&limit), Error::<T>::LimitOutOfBounds);
		let fixed = T::WeightInfo::advance_agenda(0);
		let mut steps = WeightMeter::with_limit(T::WeightInfo::advance_agenda(limit));
		steps.consume(fixed);
		Self::end_due(&mut steps);
		Self::serve_reopened(&mut steps, None);
		Self::prune(&mut steps, SPARE_STEPS);
		ensure!(steps.consumed() != fixed, Error::<T>::NothingLate);
		Ok(Some(steps.consumed()).into())
	}

	/// Pays, fines and closes what is due.
	fn end_due(meter: &mut WeightMeter) {
		Self::take_due(meter, ChunkQueue::Accepted, T::WeightInfo::pay_chunk(), Self::pay_chunk);
		for bucket in (0u8..).take(DEADLINES.len()) {
			let queue = ChunkQueue::Assigned(bucket);
			Self::take_due(meter, queue, T::WeightInfo::miss_chunk(), Self::miss_chunk);
		}
		let now = T::Clock::now();
		let queue = TaskQueue::Expiring;
		let mut closed = 0u32;
		while closed < MAX_EXPIRIES {
			let Some(due) = TaskFifo::<T>::due(queue, now) else { return };
			let running =
				Tasks::<T>::get(due.subject).filter(|task| task.status == TaskStatus::Running);
			let cost = match &running {
				Some(task) => {
					T::WeightInfo::expire_task().saturating_add(Self::telling(task.followed))
				},
				None => T::WeightInfo::drop_entry(),
			};
			if meter.try_consume(cost).is_err() {
				return;
			}
			TaskFifo::<T>::pop(queue);
			if running.is_some() {
				Self::expire_task(due.subject);
				closed = closed.saturating_add(1);
			}
		}
	}

	/// Takes one step for each entry of a queue that is due, and drops those out of date: every
	/// commit in time leaves one.
	///
	/// Chunks of a task mostly come in a row. Its own record, its requester's money and what its
	/// follower notes, which every step touches, weigh something only for the first of them: they are
	/// read and written once in a block.
	fn take_due(meter: &mut WeightMeter, queue: ChunkQueue, cost: Weight, step: Step<T>) {
		let now = T::Clock::now();
		let mut last: Option<TaskId> = None;
		while let Some(Due { subject: id, .. }) = ChunkFifo::<T>::due(queue, now) {
			let current = Self::current(queue, &id);
			let cost = match &current {
				Some(_) if last == Some(id.chunk.task) => cost,
				Some(_) => cost.saturating_add(Self::touch_of(id.chunk.task)),
				None => T::WeightInfo::drop_entry(),
			};
			if meter.try_consume(cost).is_err() {
				return;
			}
			ChunkFifo::<T>::pop(queue);
			if let Some(chunk) = current {
				last = Some(id.chunk.task);
				step(id, chunk);
			}
		}
	}

	/// What the first step about a task weighs besides, of those that a block takes in a row.
	fn touch_of(id: TaskId) -> Weight {
		Self::touch(Tasks::<T>::get(id).is_some_and(|task| task.followed))
	}

	/// The same of a task of which it is known whether it is followed.
	pub(crate) fn touch(followed: bool) -> Weight {
		T::WeightInfo::touch_task().saturating_add(Self::telling(followed))
	}

	/// What it weighs to tell the follower of a task, where there is one.
	fn telling(followed: bool) -> Weight {
		if followed {
			T::WeightInfo::tell_follower()
		} else {
			Weight::zero()
		}
	}

	/// The chunk of an entry, if it is still in the state that the entry is about.
	fn current(queue: ChunkQueue, id: &AttemptId) -> Option<ChunkOf<T>> {
		let chunk = Chunks::<T>::get(id.chunk).filter(|chunk| chunk.attempt == id.attempt)?;
		let same = matches!(
			(queue, &chunk.state),
			(ChunkQueue::Reopened(_), ChunkState::Open)
				| (ChunkQueue::Assigned(_), ChunkState::Assigned { .. })
				| (ChunkQueue::Accepted, ChunkState::Accepted { .. })
		);
		same.then_some(chunk)
	}
}
