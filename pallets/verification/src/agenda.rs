//! What happens without anybody's doing: decisions, redraws and verdicts that are due.

use crate::{
	types::{CheckState, Queue},
	weights::WeightInfo,
	Agenda, CheckOf, Checks, Config, Error, Pallet,
};
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	traits::Get,
	weights::{Weight, WeightMeter},
};
use tequio_primitives::{
	clock::WorkClock,
	fifo::{Due, MAX_STEPS},
	search::AUDITORS,
	stage::Stage,
	workers::{Draws, MAX_LOOKS},
	AttemptId, ChunkId, WorkHeight,
};

/// The draws of one block of this runtime.
pub(crate) type DrawsOf<T> = Draws<<T as frame_system::Config>::AccountId, <T as Config>::Workers>;

/// Records that the draws for all auditors of one attempt look at, at most.
const LOOKS: u32 = AUDITORS * MAX_LOOKS;

impl<T: Config> Pallet<T> {
	/// Does what is due, within the agenda's share of the block.
	///
	/// It begins with another of the queues of what ends at every height, so that one that is always
	/// full cannot starve the others. Draws that are made again and again come last, since of those
	/// there may be any number.
	pub(crate) fn run_agenda(meter: &mut WeightMeter) {
		let budget = meter.remaining().min(T::AgendaBudget::get());
		let mut own = WeightMeter::with_limit(budget);
		if own.try_consume(T::WeightInfo::agenda_heads()).is_ok() {
			let ends = Queue::ENDS.len();
			let first = usize::try_from(Self::now()).unwrap_or(0).checked_rem(ends).unwrap_or(0);
			let queues = Queue::ENDS.into_iter().cycle().skip(first).take(ends);
			Self::take_steps(&mut own, u32::MAX, queues.chain(Queue::vacant()));
		}
		meter.consume(own.consumed());
	}

	/// Does up to `limit` steps that the agenda is late with.
	pub(crate) fn do_advance_agenda(limit: u32) -> DispatchResult {
		ensure!((1..=MAX_STEPS).contains(&limit), Error::<T>::LimitOutOfBounds);
		// Whoever calls knows the newest output, so it is not drawn upon.
		let taken = Self::take_steps(&mut WeightMeter::new(), limit, Queue::ENDS.into_iter());
		ensure!(taken > 0, Error::<T>::NothingLate);
		Ok(())
	}

	/// Takes entries that are due from these queues, until none is left or weight or limit is used
	/// up. Returns how many.
	fn take_steps(meter: &mut WeightMeter, limit: u32, queues: impl Iterator<Item = Queue>) -> u32 {
		let now = Self::now();
		let mut draws = DrawsOf::<T>::default();
		let mut taken = 0;
		for queue in queues {
			while taken < limit {
				match Self::take_step(queue, now, meter, &mut draws) {
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
	fn take_step(
		queue: Queue,
		now: WorkHeight,
		meter: &mut WeightMeter,
		draws: &mut DrawsOf<T>,
	) -> Step {
		let Some(due) = Agenda::<T>::due(queue, now) else { return Step::NothingDue };
		if meter.try_consume(T::WeightInfo::agenda_look()).is_err() {
			return Step::OutOfWeight;
		}
		let id = due.subject;
		let live = Self::live(queue, &due);
		if live.is_some() && !meter.can_consume(step_weight::<T>(queue, LOOKS)) {
			return Step::OutOfWeight;
		}
		Agenda::<T>::pop(queue);
		let Some(check) = live else { return Step::Taken };
		let looks = match queue {
			Queue::Drawing => Self::decide_audit(id, check, draws),
			Queue::Vacant(index) => Self::draw_vacant(id, check, index, draws),
			Queue::Auditing(_) => {
				Self::end_audit(id, check);
				0
			},
			Queue::Revealing => {
				Self::judge(id, check);
				0
			},
		};
		meter.consume(step_weight::<T>(queue, looks));
		Step::Taken
	}

	/// The check that an entry is about, unless the check has left the state that the entry is
	/// about.
	fn live(queue: Queue, due: &Due<AttemptId>) -> Option<CheckOf<T>> {
		let check = Checks::<T>::get(due.subject.chunk)?;
		let at = match (queue, &check.state) {
			(Queue::Drawing, CheckState::Drawing { due }) => Some(*due),
			(Queue::Vacant(_), CheckState::Auditing { vacant, .. }) => *vacant,
			(Queue::Auditing(_), CheckState::Auditing { due, .. }) => Some(*due),
			(Queue::Revealing, CheckState::Revealing { due, .. }) => Some(*due),
			_ => None,
		};
		(check.attempt == due.subject.attempt && at == Some(due.at)).then_some(check)
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

/// Weight of acting on an entry of a queue, with draws that look at so many records.
fn step_weight<T: Config>(queue: Queue, looks: u32) -> Weight {
	match queue {
		Queue::Drawing | Queue::Vacant(_) => T::WeightInfo::draw_auditors(looks),
		Queue::Auditing(_) => T::WeightInfo::end_audit(),
		Queue::Revealing => T::WeightInfo::judge_late(),
	}
}

/// The most that one entry weighs.
pub(crate) fn heaviest_step<T: Config>() -> Weight {
	let steps = Queue::all().map(|queue| step_weight::<T>(queue, LOOKS));
	steps
		.fold(Weight::zero(), |heaviest, step| heaviest.max(step))
		.saturating_add(T::WeightInfo::agenda_look())
}
