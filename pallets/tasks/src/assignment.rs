//! Chunks to seats: the draws of each block, declines, and deadlines that passed.
//!
//! Tasks that workers take are served in turn. One that nobody takes, whether anybody is busy or
//! not, leaves the turn: it is drawn for again after a wait that grows each time, and such waits
//! end for a few tasks in a block at most. So however many there are of them, they delay no others.
//! The same holds for chunks that wait for another worker, but that while somebody who takes them is
//! busy the wait stays short.

use crate::{
	pricing,
	types::{
		worker_duty, Chunk, ChunkFifo, ChunkOf, ChunkQueue, ChunkState, CloseReason, Place,
		RefundReason, TaskFifo, TaskOf, TaskQueue, MAX_FETCH_FEES,
	},
	weights::WeightInfo,
	Chunks, Config, CurrentRules, Error, Event, Pallet, Tasks,
};
use frame_support::{
	dispatch::DispatchResult,
	ensure,
	weights::{Weight, WeightMeter},
};
use tequio_primitives::{
	api::TaskStatus,
	clock::WorkClock,
	draw::{seed, Purpose},
	fifo::{wait, Due, WAITS},
	stage::DeclineReason,
	tasks::Assignment,
	terms::AuditPolicy,
	workers::{Candidate, Draws, EngageSeats, Need, NoSeat, MAX_LOOKS},
	AttemptId, ChunkId, TaskId, WorkHeight,
};

/// Chunks that one visit gives out, so that a large task does not keep small ones waiting.
const CHUNKS_PER_VISIT: u32 = 16;
/// Draws for which everybody was busy, one after the other, after which a block gives up.
const MAX_FAILURES: u32 = 8;
/// New tasks that a block visits.
const NEW_VISITS: u32 = 32;
/// Tasks, and chunks, whose wait has ended for which a block draws again: so many for each length
/// of the wait.
const RETURN_VISITS: u32 = 4;

/// What is declined: a chunk, its task, and the assignment.
type Declinable<T> = (ChunkOf<T>, TaskOf<T>, Assignment<<T as frame_system::Config>::AccountId>);

/// What the draws of one block are made from.
pub(crate) struct Lottery<T: Config> {
	vrf: [u8; 32],
	draws: Draws<T::AccountId, T::Workers>,
}

impl<T: Config> Lottery<T> {
	/// Draws with the output of the block before this one.
	pub(crate) fn new(vrf: [u8; 32]) -> Self {
		Self { vrf, draws: Draws::default() }
	}
}

/// What a visit to a task was good for.
enum Visit {
	/// Chunks were given out.
	Done,
	/// The task has none to give any more.
	Gone,
	/// Everybody who takes such work is busy.
	Busy,
	/// Nobody takes such work.
	Unfit,
}

impl<T: Config> Pallet<T> {
	/// Draws for chunks that wait for another worker, and ends those of closing tasks. Without a
	/// lottery it stops, in each queue, at the first that needs a draw.
	pub(crate) fn serve_reopened(meter: &mut WeightMeter, mut lottery: Option<&mut Lottery<T>>) {
		for index in (0u8..).take(WAITS.len()) {
			Self::serve_reopened_after(index, meter, lottery.as_deref_mut());
		}
	}

	/// The same for those that waited by the wait of this index.
	fn serve_reopened_after(
		index: u8,
		meter: &mut WeightMeter,
		mut lottery: Option<&mut Lottery<T>>,
	) {
		let queue = ChunkQueue::Reopened(index);
		let now = T::Clock::now();
		let most = if index == 0 { MAX_FAILURES } else { RETURN_VISITS };
		let mut failures = 0u32;
		while let Some(Due { subject: id, .. }) = ChunkFifo::<T>::due(queue, now) {
			let present =
				Self::attempt(&id).filter(|(chunk, _)| matches!(chunk.state, ChunkState::Open));
			let waits = matches!(&present, Some((_, task)) if task.status == TaskStatus::Running);
			let touch = Self::touch(present.as_ref().is_some_and(|(_, task)| task.followed));
			let worst = Self::draw_and_assign().saturating_add(touch);
			if (waits && (lottery.is_none() || failures >= most)) || !meter.can_consume(worst) {
				return;
			}
			ChunkFifo::<T>::pop(queue);
			let Some((chunk, mut task)) = present else {
				meter.consume(T::WeightInfo::drop_entry());
				continue;
			};
			meter.consume(touch);
			let Some(lottery) = lottery.as_deref_mut().filter(|_| waits) else {
				meter.consume(T::WeightInfo::assign_chunk());
				let reason = RefundReason::TaskClosing;
				Self::end_refunded(id.chunk, &mut task, &chunk, Place::Open, reason);
				Self::store(id.chunk.task, task);
				continue;
			};
			match Self::assign(meter, id.chunk, &mut task, chunk, lottery) {
				Ok(()) => {
					failures = 0;
					Self::store(id.chunk.task, task);
				},
				Err(found) => {
					failures = failures.saturating_add(1);
					let (index, blocks) = wait(found.next_wait(index));
					let at = now.saturating_add(blocks);
					ChunkFifo::<T>::push(ChunkQueue::Reopened(index), id, at);
				},
			}
		}
	}

	/// Draws for tasks that are new or have waited.
	pub(crate) fn serve_waiting(meter: &mut WeightMeter, lottery: &mut Lottery<T>) {
		let now = T::Clock::now();
		for index in (0u8..).take(WAITS.len()) {
			let queue = TaskQueue::Waiting(index);
			let mut visits = if index == 0 { NEW_VISITS } else { RETURN_VISITS };
			while visits > 0 {
				if !Self::can_visit(meter) {
					return;
				}
				let Some(due) = TaskFifo::<T>::due(queue, now) else { break };
				TaskFifo::<T>::pop(queue);
				// A task that was closed since takes nobody's turn.
				match Self::visit(meter, due.subject, index, lottery) {
					Visit::Gone => {},
					Visit::Done | Visit::Busy | Visit::Unfit => visits = visits.saturating_sub(1),
				}
			}
		}
	}

	/// Draws for chunks of open tasks, a few of each task in turn. Ends when no task that is left
	/// got a chunk out.
	pub(crate) fn serve_open(meter: &mut WeightMeter, lottery: &mut Lottery<T>) {
		let queue = TaskQueue::Open;
		let mut failures = 0u32;
		while u64::from(failures) < TaskFifo::<T>::len(queue).min(MAX_FAILURES.into())
			&& Self::can_visit(meter)
		{
			let Some(due) = TaskFifo::<T>::pop(queue) else { return };
			match Self::visit(meter, due.subject, 0, lottery) {
				Visit::Busy => failures = failures.saturating_add(1),
				Visit::Done | Visit::Unfit => failures = 0,
				Visit::Gone => {},
			}
		}
	}

	/// Whether there is weight for a visit: one without room for a draw would cost a task its turn.
	fn can_visit(meter: &WeightMeter) -> bool {
		meter.can_consume(T::WeightInfo::visit_task().saturating_add(Self::draw_and_assign()))
	}

	/// The most that a draw and what follows from it weigh.
	fn draw_and_assign() -> Weight {
		T::WeightInfo::draw(MAX_LOOKS).saturating_add(T::WeightInfo::assign_chunk())
	}

	/// Gives out chunks of a task that comes after the wait of this index, and puts it where it is
	/// served next.
	fn visit(meter: &mut WeightMeter, id: TaskId, index: u8, lottery: &mut Lottery<T>) -> Visit {
		let open = |task: &TaskOf<T>| task.status == TaskStatus::Running && task.untouched() > 0;
		let Some(mut task) = Tasks::<T>::get(id).filter(open) else {
			meter.consume(T::WeightInfo::drop_entry());
			return Visit::Gone;
		};
		meter.consume(T::WeightInfo::visit_task());

		let mut given = 0u32;
		let mut found = None;
		while found.is_none()
			&& given < CHUNKS_PER_VISIT
			&& task.untouched() > 0
			&& meter.can_consume(Self::draw_and_assign())
		{
			let chunk = ChunkId { task: id, index: task.next_chunk };
			match Self::assign(meter, chunk, &mut task, Chunk::default(), lottery) {
				Ok(()) => {
					task.next_chunk = task.next_chunk.saturating_add(1);
					given = given.saturating_add(1);
				},
				// The same draw would fail again: not before the next block.
				Err(reason) => found = Some(reason),
			}
		}
		let now = T::Clock::now();
		let visit = match found {
			Some(NoSeat::Unfit) if given == 0 => Visit::Unfit,
			Some(NoSeat::Busy) if given == 0 => Visit::Busy,
			_ => Visit::Done,
		};
		if let Visit::Unfit = visit {
			let (index, blocks) = wait(NoSeat::Unfit.next_wait(index));
			TaskFifo::<T>::push(TaskQueue::Waiting(index), id, now.saturating_add(blocks));
		} else if task.untouched() > 0 {
			TaskFifo::<T>::push(TaskQueue::Open, id, now);
		}
		if given > 0 {
			Tasks::<T>::insert(id, task);
		}
		visit
	}

	/// Draws a seat for a chunk and binds it. Changes nothing where no seat fits.
	fn assign(
		meter: &mut WeightMeter,
		id: ChunkId,
		task: &mut TaskOf<T>,
		mut chunk: ChunkOf<T>,
		lottery: &mut Lottery<T>,
	) -> Result<(), NoSeat> {
		let assignment = Self::draw(meter, id, task, &chunk, lottery)?;
		let id = AttemptId { chunk: id, attempt: chunk.attempt };
		let (class, collateral) = (assignment.class, assignment.terms.collateral);
		T::Workers::engage(&assignment.seat, worker_duty(id), class, collateral)
			.map_err(|_| NoSeat::Busy)?;
		meter.consume(T::WeightInfo::assign_chunk());
		let due = T::Clock::now().saturating_add(task.deadline);
		Self::deposit_event(Event::ChunkAssigned {
			id,
			owner: assignment.seat.owner.clone(),
			device: assignment.seat.device.clone(),
			collateral,
			due,
		});
		chunk.state = ChunkState::Assigned { assignment, due };
		Chunks::<T>::insert(id.chunk, chunk);
		ChunkFifo::<T>::push(ChunkQueue::Assigned(task.bucket), id, due.saturating_add(1));
		task.shift(1, Place::Open, Place::Assigned);
		Ok(())
	}

	/// The assignment that the randomness gives a chunk, on the terms of this block.
	fn draw(
		meter: &mut WeightMeter,
		id: ChunkId,
		task: &TaskOf<T>,
		chunk: &ChunkOf<T>,
		lottery: &mut Lottery<T>,
	) -> Result<Assignment<T::AccountId>, NoSeat> {
		let budget =
			pricing::chunk_budget(&task.spec, id.index, &task.tariff()).ok_or(NoSeat::Unfit)?;
		let priced = task.spec.priced(&budget, task.deadline);
		// The task has locked pay for no more auditors than were asked for when it was submitted.
		let most = task.most_audits;
		let terms = |candidate: &Candidate| {
			T::Policy::terms(&priced, candidate).map(|terms| terms.within(most))
		};
		let need = Need {
			class: priced.class,
			price: task.price,
			units: task.spec.units(id.index),
			deadline: task.deadline,
			terms: &terms,
			excluded: &chunk.excluded,
			sitting: &[],
			audit: false,
		};
		let attempt = AttemptId { chunk: id, attempt: chunk.attempt };
		let drawn = lottery.draws.draw(seed(&lottery.vrf, Purpose::Worker, &attempt), &need);
		meter.consume(T::WeightInfo::draw(drawn.looks));
		let (seat, terms) = drawn.seat?;
		Ok(Assignment {
			seat,
			class: priced.class,
			terms,
			price: task.price,
			deadline: task.deadline,
			max_payment: budget.payment,
			audit_pay: budget.audit_pay,
		})
	}

	pub(crate) fn do_decline(
		who: &T::AccountId,
		id: AttemptId,
		reason: DeclineReason,
	) -> DispatchResult {
		let (mut chunk, mut task, assignment) = Self::declinable(who, &id)?;
		let owner = assignment.seat.owner.clone();
		T::Workers::hand_back(&assignment.seat, worker_duty(id));
		Self::deposit_event(Event::ChunkDeclined { id, owner: owner.clone(), reason });
		// Who is busy says nothing about the chunk; it must not end for that.
		if reason != DeclineReason::Busy {
			chunk.declines = chunk.declines.saturating_add(1);
		}
		let stops = reason == DeclineReason::BadInput && Self::finds_input_bad(&mut task, &owner);
		if stops || chunk.declines >= CurrentRules::<T>::get().max_declines {
			let reason = RefundReason::Declined;
			Self::end_refunded(id.chunk, &mut task, &chunk, Place::Assigned, reason);
		} else {
			Self::reopen(id.chunk, &mut task, chunk, Place::Assigned, owner);
		}
		if stops {
			Self::pay_fetch_fees(id.chunk.task, &mut task);
			Self::close_task(id.chunk.task, task, CloseReason::BadInput);
		} else {
			Self::store(id.chunk.task, task);
		}
		Ok(())
	}

	/// Notes that an owner finds the input of a task bad. Whether the task stops for it: enough owners
	/// say so, nobody has shown the contrary, and hardly anybody else is still trying.
	fn finds_input_bad(task: &mut TaskOf<T>, owner: &T::AccountId) -> bool {
		if !task.decliners.contains(owner) {
			// Those after the last who is paid change nothing.
			let _ = task.decliners.try_push(owner.clone());
		}
		// Without this one, who is counted until the chunk has moved on.
		let others = task.counts.assigned.saturating_sub(1);
		task.status == TaskStatus::Running
			&& task.decliners.is_full()
			&& !task.committed
			&& others.saturating_mul(2) <= MAX_FETCH_FEES
	}

	/// The chunk, task and assignment of an attempt that this device may decline now.
	pub(crate) fn declinable(
		who: &T::AccountId,
		id: &AttemptId,
	) -> Result<Declinable<T>, Error<T>> {
		let (chunk, task) = Self::attempt(id).ok_or(Error::<T>::NotAssigned)?;
		let ChunkState::Assigned { assignment, due } = chunk.state.clone() else {
			return Err(Error::<T>::NotAssigned);
		};
		ensure!(assignment.seat.device == *who, Error::<T>::NotAssigned);
		ensure!(
			T::Clock::now() <= decline_until(due, assignment.deadline),
			Error::<T>::DeclineTooLate
		);
		Ok((chunk, task, assignment))
	}

	/// Ends an assignment whose deadline has passed without a commit.
	pub(crate) fn miss_chunk(id: AttemptId, chunk: ChunkOf<T>) {
		let Some(mut task) = Tasks::<T>::get(id.chunk.task) else { return };
		let ChunkState::Assigned { assignment, .. } = chunk.state.clone() else { return };
		let fine = CurrentRules::<T>::get().miss_fine.mul_floor(assignment.max_payment);
		let fine = fine.min(assignment.terms.collateral);
		T::Workers::miss(&assignment.seat, worker_duty(id), fine);
		let owner = assignment.seat.owner;
		Self::deposit_event(Event::AssignmentMissed { id, owner: owner.clone(), fine });
		Self::reopen(id.chunk, &mut task, chunk, Place::Assigned, owner);
		Self::store(id.chunk.task, task);
	}
}

/// Last height at which an assignment may be declined: a quarter of the deadline after it was made.
fn decline_until(due: WorkHeight, deadline: u32) -> WorkHeight {
	due.saturating_sub(deadline).saturating_add(deadline / 4)
}
