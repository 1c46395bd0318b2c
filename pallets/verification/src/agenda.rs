//! What happens without anybody's doing: decisions, redraws, findings and verdicts that are due.

use crate::{
	batch::{heaviest_call, ENVELOPE},
	panel::SEATS_PER_STEP,
	types::{CheckState, Queue},
	weights::WeightInfo,
	Agenda, CheckOf, Checks, Config, Error, Pallet, Panels,
};
use frame_support::{
	defensive,
	dispatch::{DispatchClass, DispatchResult},
	ensure,
	traits::Get,
	weights::{Weight, WeightMeter},
};
use tequio_primitives::{
	clock::WorkClock,
	fifo::{Due, MAX_STEPS},
	stage::Stage,
	turns::{rotated, take_turns, Step},
	workers::{Draws, MAX_LOOKS},
	AttemptId, ChunkId, WorkHeight,
};

/// The draws of one block of this runtime.
pub(crate) type DrawsOf<T> = Draws<<T as frame_system::Config>::AccountId, <T as Config>::Workers>;

/// Records that the draws of one step look at, at most.
pub(crate) const LOOKS: u32 = SEATS_PER_STEP * MAX_LOOKS;

/// Entries of one queue that are taken before the next one has its turn.
const TURN: u32 = 4;

/// What an entry is about that is not out of date.
enum Live<Check> {
	/// A check in the state that the entry ends.
	Check(Check),
	/// A panel whose referees are being dismissed.
	Panel,
}

impl<T: Config> Pallet<T> {
	/// Does what is due, within the agenda's share of the block.
	///
	/// What ends, and what is drawn for the first time, takes turns queue by queue, so that one that
	/// is always full cannot starve the others; another one begins at every height. Draws that are
	/// made again and again come last, since of those there may be any number; among them it is the
	/// same.
	pub(crate) fn run_agenda(meter: &mut WeightMeter) {
		let budget = meter.remaining().min(T::AgendaBudget::get());
		let mut own = WeightMeter::with_limit(budget);
		if own.try_consume(T::WeightInfo::agenda_heads()).is_ok() {
			let now = Self::now();
			let urgent = Queue::ends().chain(Queue::first_draws());
			let mut draws = DrawsOf::<T>::default();
			for queues in [rotated(urgent, now), rotated(Queue::vacant(), now)] {
				Self::take_turns(&mut own, u32::MAX, &queues, &mut draws);
			}
		}
		meter.consume(own.consumed());
	}

	/// Does up to `limit` steps that the agenda is late with.
	pub(crate) fn do_advance_agenda(limit: u32) -> DispatchResult {
		ensure!((1..=MAX_STEPS).contains(&limit), Error::<T>::LimitOutOfBounds);
		// Whoever calls knows the newest output, so it is not drawn upon.
		let (queues, mut draws) = (rotated(Queue::ends(), Self::now()), DrawsOf::<T>::default());
		let taken = Self::take_turns(&mut WeightMeter::new(), limit, &queues, &mut draws);
		ensure!(taken > 0, Error::<T>::NothingLate);
		Ok(())
	}

	/// Takes entries that are due from these queues, a few of each in turn, until none is left or
	/// weight or limit is used up. Returns how many.
	fn take_turns(
		meter: &mut WeightMeter,
		limit: u32,
		queues: &[Queue],
		draws: &mut DrawsOf<T>,
	) -> u32 {
		let now = Self::now();
		take_turns(queues, TURN, limit, |queue| Self::take_step(queue, now, meter, draws))
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
		let live = Self::live(queue, &due);
		if live.is_some() && !meter.can_consume(step_weight::<T>(queue, LOOKS)) {
			return Step::OutOfWeight;
		}
		Agenda::<T>::pop(queue);
		let Some(live) = live else { return Step::Taken };
		let looks = Self::act(queue, due.subject, live, draws);
		meter.consume(step_weight::<T>(queue, looks));
		Step::Taken
	}

	/// Does what an entry is there for. Returns the records that draws looked at.
	fn act(queue: Queue, id: AttemptId, live: Live<CheckOf<T>>, draws: &mut DrawsOf<T>) -> u32 {
		match (queue, live) {
			(Queue::Drawing | Queue::Chance, Live::Check(check)) => {
				return Self::decide_audit(id, check, draws)
			},
			(Queue::Vacant(index), Live::Check(check)) => {
				return Self::draw_vacant(id, check, index, draws)
			},
			(Queue::Second, Live::Check(check)) => return Self::decide_second(id, check, draws),
			(Queue::Seating(index), Live::Check(check)) => {
				return Self::seat_referees(id, check, index, draws)
			},
			(Queue::Auditing(_), Live::Check(check)) => Self::end_audit(id, check),
			(Queue::Revealing, Live::Check(check)) => Self::judge(id, check),
			(Queue::Panel(_), Live::Check(check)) => Self::end_panel(id, check),
			(Queue::PanelReveal, Live::Check(check)) => Self::find(id, check),
			(Queue::Finding, Live::Check(check)) => match check.state {
				CheckState::Revealing { .. } => Self::judge(id, check),
				_ => Self::find(id, check),
			},
			(Queue::Appeal, Live::Check(check)) => Self::end_appeal(id, check),
			(Queue::Dismissal(level), Live::Panel) => Self::dismiss(id, level),
			(Queue::Dismissal(_), Live::Check(_)) | (_, Live::Panel) => {
				defensive!("only referees are dismissed");
			},
		}
		0
	}

	/// What an entry is about, unless that has left the state that the entry is about.
	fn live(queue: Queue, due: &Due<AttemptId>) -> Option<Live<CheckOf<T>>> {
		let id = due.subject;
		if let Queue::Dismissal(level) = queue {
			let ended = Panels::<T>::get(id, level).is_some_and(|panel| panel.end.is_some());
			return ended.then_some(Live::Panel);
		}
		let check = Self::check_of(&id)?;
		let at = match (queue, &check.state) {
			(Queue::Drawing | Queue::Chance, CheckState::Drawing { due }) => Some(*due),
			(Queue::Vacant(_), CheckState::Auditing { vacant, .. }) => *vacant,
			(Queue::Auditing(_), CheckState::Auditing { due, .. }) => Some(*due),
			(Queue::Second, CheckState::Second { due }) => Some(*due),
			(Queue::Revealing, CheckState::Revealing { due, .. }) => Some(*due),
			(Queue::Seating(_), CheckState::Panel { vacant, .. }) => *vacant,
			(Queue::Panel(_), CheckState::Panel { due, .. }) => Some(*due),
			(Queue::PanelReveal, CheckState::PanelReveal { due, .. }) => Some(*due),
			// Such an entry comes once everybody has revealed, however long the others have.
			(Queue::Finding, CheckState::Revealing { .. }) if check.is_revealed() => Some(due.at),
			// The panel looks for itself whether there is anything to do.
			(Queue::Finding, CheckState::PanelReveal { .. }) => Some(due.at),
			(Queue::Appeal, CheckState::Appeal { due }) => Some(*due),
			_ => None,
		};
		(at == Some(due.at)).then_some(Live::Check(check))
	}

	/// The check of an attempt: none before its worker has committed, nor once another attempt at
	/// the chunk has begun.
	pub fn check_of(id: &AttemptId) -> Option<CheckOf<T>> {
		Checks::<T>::get(id.chunk).filter(|check| check.attempt == id.attempt)
	}

	/// The stage of a chunk that is being checked, and when it ends by itself. `None` once it is
	/// accepted.
	pub fn stage_of(chunk: &ChunkId) -> Option<(Stage, WorkHeight)> {
		Some(match Checks::<T>::get(chunk)?.state {
			CheckState::Drawing { due } => (Stage::Drawing, due),
			CheckState::Auditing { due, .. } => (Stage::Auditing, due),
			CheckState::Second { due } => (Stage::Second, due),
			CheckState::Revealing { due, .. } => (Stage::Revealing, due),
			CheckState::Panel { due, .. } => (Stage::Panel, due),
			CheckState::PanelReveal { due, .. } => (Stage::PanelReveal, due),
			CheckState::Appeal { due } => (Stage::Appeal, due),
			CheckState::Settled => return None,
		})
	}
}

/// Weight of acting on an entry of a queue, with draws that look at so many records.
fn step_weight<T: Config>(queue: Queue, looks: u32) -> Weight {
	match queue {
		Queue::Drawing | Queue::Chance | Queue::Vacant(_) => T::WeightInfo::draw_auditors(looks),
		Queue::Second => T::WeightInfo::decide_second(looks),
		Queue::Auditing(_) => T::WeightInfo::end_audit(),
		Queue::Revealing => T::WeightInfo::judge_late(),
		Queue::Seating(_) => T::WeightInfo::seat_referees(looks),
		Queue::Panel(_) => T::WeightInfo::end_panel(),
		Queue::PanelReveal => T::WeightInfo::find(),
		Queue::Finding => T::WeightInfo::find().max(T::WeightInfo::judge_late()),
		Queue::Appeal => T::WeightInfo::end_appeal(),
		Queue::Dismissal(_) => T::WeightInfo::dismiss(),
	}
}

impl<T: Config> Pallet<T> {
	/// Panics where the agenda's share of a block, or what full blocks leave to results, is too little
	/// for the heaviest thing to do there. A runtime's tests call it.
	pub(crate) fn ensure_budgets_suffice() {
		let least = T::WeightInfo::agenda_heads().saturating_add(heaviest_step::<T>());
		assert!(
			T::AgendaBudget::get().all_gte(least),
			"the agenda's share of a block has to hold its heaviest step"
		);
		let limits = T::BlockWeights::get();
		let reserved = limits.get(DispatchClass::Operational).reserved;
		let heaviest = heaviest_call::<T>().saturating_add(ENVELOPE);
		assert!(
			reserved.is_none_or(|reserved| heaviest.all_lte(reserved)),
			"a full batch of results has to fit what full blocks leave to results"
		);
	}
}

/// The most that one entry weighs.
pub(crate) fn heaviest_step<T: Config>() -> Weight {
	let steps = Queue::all().map(|queue| step_weight::<T>(queue, LOOKS));
	steps
		.fold(Weight::zero(), |heaviest, step| heaviest.max(step))
		.saturating_add(T::WeightInfo::agenda_look())
}
