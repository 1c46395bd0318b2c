//! What happens without anybody's doing: decisions, redraws and verdicts that are due.

use crate::{
	types::{CheckState, Due, Queue, MAX_STEPS},
	weights::WeightInfo,
	Agenda, CheckOf, Checks, Config, Error, Pallet,
};
use alloc::vec::Vec;
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	traits::Get,
	weights::{Weight, WeightMeter},
};
use tequio_primitives::{clock::WorkClock, stage::Stage, ChunkId, WorkHeight};

impl<T: Config> Pallet<T> {
	/// Does what is due, within the agenda's share of the block.
	pub(crate) fn run_agenda(meter: &mut WeightMeter) {
		let budget = meter.remaining().min(T::AgendaBudget::get());
		let mut own = WeightMeter::with_limit(budget);
		Self::take_steps(&mut own, u32::MAX, &Queue::ALL);
		meter.consume(own.consumed());
	}

	/// Does up to `limit` steps that the agenda is late with.
	pub(crate) fn do_advance_agenda(limit: u32) -> DispatchResult {
		ensure!((1..=MAX_STEPS).contains(&limit), Error::<T>::LimitOutOfBounds);
		// Whoever calls knows the newest output, so it is not drawn upon.
		let queues: Vec<_> = Queue::ALL.into_iter().filter(|name| *name != Queue::Vacant).collect();
		let taken = Self::take_steps(&mut WeightMeter::new(), limit, &queues);
		ensure!(taken > 0, Error::<T>::NothingLate);
		Ok(())
	}

	/// Takes entries that are due from these queues, until none is left or weight or limit is used
	/// up. Returns how many.
	///
	/// It begins with another queue at every height, so that a queue which is always full cannot
	/// starve the others.
	fn take_steps(meter: &mut WeightMeter, limit: u32, queues: &[Queue]) -> u32 {
		let now = Self::now();
		let first = usize::try_from(now).unwrap_or(0).checked_rem(queues.len()).unwrap_or(0);
		let mut taken = 0;
		for queue in queues.iter().copied().cycle().skip(first).take(queues.len()) {
			while taken < limit {
				match Self::take_step(queue, now, meter) {
					Step::Taken => taken += 1,
					Step::NothingDue => break,
					Step::OutOfWeight => return taken,
				}
			}
		}
		taken
	}

	/// Takes the entry at the head of a queue if it is due, and acts on it unless it is out of
	/// date.
	fn take_step(queue: Queue, now: WorkHeight, meter: &mut WeightMeter) -> Step {
		if meter.try_consume(T::WeightInfo::agenda_look()).is_err() {
			return Step::OutOfWeight;
		}
		let Some(due) = Agenda::<T>::peek(queue).filter(|due| due.at <= now) else {
			return Step::NothingDue;
		};
		let live = Self::live(queue, &due);
		let cost = if live.is_some() { step_weight::<T>(queue) } else { Weight::zero() };
		if meter.try_consume(cost.saturating_add(T::WeightInfo::agenda_drop())).is_err() {
			return Step::OutOfWeight;
		}
		Agenda::<T>::pop(queue);
		let Some(check) = live else { return Step::Taken };
		match queue {
			Queue::Drawing => Self::decide_audit(due.id, check),
			Queue::Vacant => Self::draw_vacant(due.id, check),
			Queue::Auditing(_) => Self::end_audit(due.id, check),
			Queue::Revealing => Self::judge(due.id, check),
		}
		Step::Taken
	}

	/// The check that an entry is about, unless the check has left the state that the entry is
	/// about.
	fn live(queue: Queue, due: &Due) -> Option<CheckOf<T>> {
		let check = Checks::<T>::get(due.id.chunk)?;
		let at = match (queue, &check.state) {
			(Queue::Drawing, CheckState::Drawing { due }) => Some(*due),
			(Queue::Vacant, CheckState::Auditing { vacant, .. }) => *vacant,
			(Queue::Auditing(_), CheckState::Auditing { due, .. }) => Some(*due),
			(Queue::Revealing, CheckState::Revealing { due, .. }) => Some(*due),
			_ => None,
		};
		(check.attempt == due.id.attempt && at == Some(due.at)).then_some(check)
	}

	/// The stage of a chunk that is being checked, and when it ends by itself.
	pub fn stage_of(chunk: &ChunkId) -> Option<(Stage, WorkHeight)> {
		Some(match Checks::<T>::get(chunk)?.state {
			CheckState::Drawing { due } => (Stage::Drawing, due),
			CheckState::Auditing { due, .. } => (Stage::Auditing, due),
			CheckState::Revealing { due, .. } => (Stage::Revealing, due),
		})
	}
}

/// What came of a look at a queue.
enum Step {
	Taken,
	NothingDue,
	OutOfWeight,
}

/// Weight of acting on an entry of a queue.
fn step_weight<T: Config>(queue: Queue) -> Weight {
	match queue {
		Queue::Drawing => T::WeightInfo::decide_audit(),
		Queue::Vacant => T::WeightInfo::draw_vacant(),
		Queue::Auditing(_) => T::WeightInfo::end_audit(),
		Queue::Revealing => T::WeightInfo::judge(),
	}
}

/// The most that one entry weighs.
pub(crate) fn heaviest_step<T: Config>() -> Weight {
	let steps = Queue::ALL.into_iter().map(step_weight::<T>);
	steps
		.fold(Weight::zero(), |heaviest, step| heaviest.max(step))
		.saturating_add(T::WeightInfo::agenda_look())
		.saturating_add(T::WeightInfo::agenda_drop())
}
