//! The agenda: which trainings are visited, in which order, within which weight.
//!
//! The queues take turns, so that one that is always full cannot starve the others: those with a
//! step that is not waited for any longer, by its deadline, those with news, and the records of
//! those that ended long ago. An entry that finds nothing to do is dropped.

use crate::{
	round::{self, Next},
	types::{Queue, TrainingFifo},
	weights::WeightInfo,
	Config, Error, Event, Pallet, Trainings,
};
use alloc::vec::Vec;
use frame_support::{
	dispatch::DispatchResultWithPostInfo, ensure, traits::Get, weights::WeightMeter,
};
use tequio_primitives::{
	clock::WorkClock,
	fifo::{Due, DEADLINES, MAX_STEPS},
	training::TrainingId,
	turns::{rotated, take_turns, Step},
	WorkHeight,
};

impl<T: Config> Pallet<T> {
	/// Runs the agenda of a block within its share of what is left.
	pub(crate) fn run_agenda(meter: &mut WeightMeter) {
		let share = meter.remaining().min(T::AgendaBudget::get());
		let mut steps = WeightMeter::with_limit(share);
		if steps.try_consume(T::WeightInfo::agenda_heads()).is_ok() {
			Self::take_steps(&mut steps);
		}
		meter.consume(steps.consumed());
	}

	/// Takes steps that are late.
	pub(crate) fn do_advance(limit: u32) -> DispatchResultWithPostInfo {
		ensure!((1..=MAX_STEPS).contains(&limit), Error::<T>::LimitOutOfBounds);
		let fixed = T::WeightInfo::advance_trainings(0);
		let mut steps = WeightMeter::with_limit(T::WeightInfo::advance_trainings(limit));
		steps.consume(fixed);
		Self::take_steps(&mut steps);
		ensure!(steps.consumed() != fixed, Error::<T>::NothingLate);
		Ok(Some(steps.consumed()).into())
	}

	/// Takes what is due, an entry of each queue in turn, until nothing is left or the weight is used
	/// up.
	fn take_steps(meter: &mut WeightMeter) {
		let now = T::Clock::now();
		take_turns(&queues(now), 1, u32::MAX, |queue| Self::take_step(meter, queue, now));
	}

	/// Takes the entry at the head of a queue if it is due, and acts on it.
	fn take_step(meter: &mut WeightMeter, queue: Queue, now: WorkHeight) -> Step {
		match TrainingFifo::<T>::due(queue, now) {
			None => Step::NothingDue,
			Some(due) if queue == Queue::Ended => Self::prune(meter, due),
			Some(due) => Self::visit(meter, queue, due, now),
		}
	}

	/// Does what is to be done about a training.
	fn visit(meter: &mut WeightMeter, queue: Queue, due: Due<TrainingId>, now: WorkHeight) -> Step {
		let acts = Trainings::<T>::get(due.subject)
			.is_some_and(|training| round::next(&training, now) != Next::Wait);
		let cost = if acts { T::WeightInfo::visit_training() } else { T::WeightInfo::drop_entry() };
		if meter.try_consume(cost).is_err() {
			return Step::OutOfWeight;
		}
		TrainingFifo::<T>::pop(queue);
		if acts {
			Self::advance(due.subject);
		}
		Step::Taken
	}

	/// Removes the record of a training that ended long ago.
	fn prune(meter: &mut WeightMeter, due: Due<TrainingId>) -> Step {
		if meter.try_consume(T::WeightInfo::prune_training()).is_err() {
			return Step::OutOfWeight;
		}
		TrainingFifo::<T>::pop(Queue::Ended);
		Trainings::<T>::remove(due.subject);
		Self::deposit_event(Event::TrainingPruned { training: due.subject });
		Step::Taken
	}
}

/// All queues, from another one on at every height.
fn queues(now: WorkHeight) -> Vec<Queue> {
	let due = (0u8..).take(DEADLINES.len()).map(Queue::Due);
	rotated(due.chain([Queue::Ready, Queue::Ended]), now)
}
