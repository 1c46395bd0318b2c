//! The agenda: which steps are due, in which order, within which weight.
//!
//! What ends something comes first (payments, missed deadlines, expiry), since it frees seats and
//! money; then chunks that have waited before, then new ones.

use crate::{
	pallet::MAX_STEPS,
	types::{ChunkFifo, ChunkQueue, ChunkState, TaskFifo, TaskQueue},
	weights::WeightInfo,
	Chunks, Config, Error, Pallet,
};
use frame_support::{
	dispatch::DispatchResultWithPostInfo,
	ensure,
	traits::Get,
	weights::{Weight, WeightMeter},
};
use tequio_primitives::{
	clock::{Beacon, WorkClock},
	fifo::DEADLINES,
	AttemptId,
};

impl<T: Config> Pallet<T> {
	/// Runs the agenda of a block within its share of what is left.
	pub(crate) fn run_agenda(meter: &mut WeightMeter) {
		let share = meter.remaining().min(T::AgendaBudget::get());
		let mut steps = WeightMeter::with_limit(share);
		if steps.try_consume(T::WeightInfo::agenda_heads()).is_ok() {
			let vrf = T::Beacon::latest();
			Self::end_due(&mut steps);
			Self::serve_reopened(&mut steps, vrf);
			if let Some(vrf) = vrf {
				Self::serve_open(&mut steps, vrf);
			}
		}
		meter.consume(steps.consumed());
	}

	/// Takes steps that are late, without drawing seats.
	pub(crate) fn do_advance(limit: u32) -> DispatchResultWithPostInfo {
		ensure!((1..=MAX_STEPS).contains(&limit), Error::<T>::LimitOutOfBounds);
		let fixed = T::WeightInfo::advance_agenda(0);
		let mut steps = WeightMeter::with_limit(T::WeightInfo::advance_agenda(limit));
		steps.consume(fixed);
		Self::end_due(&mut steps);
		Self::serve_reopened(&mut steps, None);
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
		while TaskFifo::<T>::peek(queue).is_some_and(|due| due.at <= now) {
			if meter.try_consume(T::WeightInfo::expire_task()).is_err() {
				return;
			}
			if let Some(due) = TaskFifo::<T>::pop(queue) {
				Self::expire_task(due.subject);
			}
		}
	}

	/// Takes one step for each entry of a queue that is due, and drops those out of date: every
	/// commit in time leaves one.
	fn take_due(meter: &mut WeightMeter, queue: ChunkQueue, cost: Weight, step: fn(AttemptId)) {
		let now = T::Clock::now();
		while let Some(due) = ChunkFifo::<T>::peek(queue).filter(|due| due.at <= now) {
			let current = Self::is_current(queue, &due.subject);
			let cost = if current { cost } else { T::WeightInfo::drop_entry() };
			if meter.try_consume(cost).is_err() {
				return;
			}
			ChunkFifo::<T>::pop(queue);
			if current {
				step(due.subject);
			}
		}
	}

	/// Whether the chunk of an entry is still in the state that the entry is about.
	fn is_current(queue: ChunkQueue, id: &AttemptId) -> bool {
		Chunks::<T>::get(id.chunk).is_some_and(|chunk| {
			let same = matches!(
				(queue, &chunk.state),
				(ChunkQueue::Assigned(_), ChunkState::Assigned { .. })
					| (ChunkQueue::Accepted, ChunkState::Accepted { .. })
			);
			same && chunk.attempt == id.attempt
		})
	}
}
