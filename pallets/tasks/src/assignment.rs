//! Chunks to seats: the draws of each block, declines, and deadlines that passed.

use crate::{
	pricing,
	types::{
		worker_duty, Chunk, ChunkFifo, ChunkOf, ChunkQueue, ChunkState, Due, Place, RefundReason,
		TaskFifo, TaskOf, TaskQueue,
	},
	weights::WeightInfo,
	Chunks, Config, CurrentRules, Error, Event, Pallet, Tasks,
};
use frame_support::{dispatch::DispatchResult, ensure, weights::WeightMeter};
use tequio_primitives::{
	api::TaskStatus,
	clock::{WorkClock, DRAWN_AFTER},
	draw::{seed, Purpose},
	rewards::DistributeRewards,
	stage::DeclineReason,
	tasks::Assignment,
	terms::AuditPolicy,
	workers::{DrawSeats, EngageSeats, Need},
	AttemptId, ChunkId, WorkHeight,
};

/// Chunks that one visit gives out, so that a large task does not keep small ones waiting.
const CHUNKS_PER_VISIT: u32 = 16;
/// Visits or draws in vain, one after the other, after which a block gives up.
const MAX_FAILURES: u64 = 8;

/// What is declined: a chunk, its task, and the assignment.
type Declinable<T> = (ChunkOf<T>, TaskOf<T>, Assignment<<T as frame_system::Config>::AccountId>);

impl<T: Config> Pallet<T> {
	/// Draws for chunks that wait for another worker, and ends those of closing tasks. Without
	/// randomness it stops at the first that needs a draw.
	pub(crate) fn serve_reopened(meter: &mut WeightMeter, vrf: Option<[u8; 32]>) {
		let queue = ChunkQueue::Reopened;
		let now = T::Clock::now();
		let mut failures = 0u64;
		while let Some(due) = ChunkFifo::<T>::peek(queue).filter(|due| due.at <= now) {
			let present = Self::attempt(&due.subject)
				.filter(|(chunk, _)| matches!(chunk.state, ChunkState::Open));
			let waits = matches!(&present, Some((_, task)) if task.status == TaskStatus::Running);
			if (waits && (vrf.is_none() || failures >= MAX_FAILURES))
				|| meter.try_consume(T::WeightInfo::assign_chunk()).is_err()
			{
				return;
			}
			ChunkFifo::<T>::pop(queue);
			let (Some((chunk, mut task)), id) = (present, due.subject) else { continue };
			let Some(vrf) = vrf.filter(|_| waits) else {
				let reason = RefundReason::TaskClosing;
				Self::end_refunded(id.chunk, &mut task, &chunk, Place::Open, reason);
				Self::store(id.chunk.task, task);
				continue;
			};
			if Self::assign(id.chunk, &mut task, chunk, &vrf) {
				failures = 0;
				Self::store(id.chunk.task, task);
			} else {
				failures = failures.saturating_add(1);
				let at = now.saturating_add(DRAWN_AFTER);
				ChunkFifo::<T>::push(queue, Due { subject: id, at });
			}
		}
	}

	/// Draws for chunks of open tasks, a few of each task in turn. Ends when no task that is left
	/// got a chunk out.
	pub(crate) fn serve_open(meter: &mut WeightMeter, vrf: [u8; 32]) {
		let mut failures = 0u64;
		while failures < TaskFifo::<T>::len(TaskQueue::Open).min(MAX_FAILURES)
			// A visit without room for a draw would cost the task its turn.
			&& meter.can_consume(
				T::WeightInfo::visit_task().saturating_add(T::WeightInfo::assign_chunk()),
			) && meter.try_consume(T::WeightInfo::visit_task()).is_ok()
		{
			if Self::visit(meter, &vrf) {
				failures = 0;
			} else {
				failures = failures.saturating_add(1);
			}
		}
	}

	/// Gives out chunks of the task at the head of the queue and puts it to the tail. False if that
	/// changed nothing.
	fn visit(meter: &mut WeightMeter, vrf: &[u8; 32]) -> bool {
		let now = T::Clock::now();
		let Some(Due { subject: id, mut at }) = TaskFifo::<T>::pop(TaskQueue::Open) else {
			return false;
		};
		let open = |task: &TaskOf<T>| task.status == TaskStatus::Running && task.untouched() > 0;
		let Some(mut task) = Tasks::<T>::get(id).filter(open) else { return true };

		let mut given = 0u32;
		while at <= now
			&& given < CHUNKS_PER_VISIT
			&& task.untouched() > 0
			&& meter.try_consume(T::WeightInfo::assign_chunk()).is_ok()
		{
			let chunk = ChunkId { task: id, index: task.next_chunk };
			if Self::assign(chunk, &mut task, Chunk::default(), vrf) {
				task.next_chunk = task.next_chunk.saturating_add(1);
				given = given.saturating_add(1);
			} else {
				// The same draw would fail again: not before the next block.
				at = now.saturating_add(1);
			}
		}
		if task.untouched() > 0 {
			TaskFifo::<T>::push(TaskQueue::Open, Due { subject: id, at });
		}
		if given > 0 {
			Tasks::<T>::insert(id, task);
		}
		given > 0
	}

	/// Draws a seat for a chunk and binds it. False, with nothing changed, where no seat fits.
	fn assign(id: ChunkId, task: &mut TaskOf<T>, mut chunk: ChunkOf<T>, vrf: &[u8; 32]) -> bool {
		let Some(assignment) = Self::draw(id, task, &chunk, vrf) else { return false };
		let id = AttemptId { chunk: id, attempt: chunk.attempt };
		let collateral = assignment.terms.collateral;
		if T::Workers::engage(&assignment.seat, worker_duty(id), collateral).is_err() {
			return false;
		}
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
		ChunkFifo::<T>::push(
			ChunkQueue::Assigned(task.bucket),
			Due { subject: id, at: due.saturating_add(1) },
		);
		task.shift(1, Place::Open, Place::Assigned);
		true
	}

	/// The assignment that the randomness gives a chunk, on the terms of this block.
	fn draw(
		id: ChunkId,
		task: &TaskOf<T>,
		chunk: &ChunkOf<T>,
		vrf: &[u8; 32],
	) -> Option<Assignment<T::AccountId>> {
		let class = task.spec.class();
		let range = task.spec.range(id.index);
		let budget = pricing::chunk_budget(&range, task.price, T::Rewards::fee_on)?;
		let terms = T::Policy::terms(class, budget.payment)?;
		let need = Need {
			class,
			price: task.price,
			units: u64::from(range.count),
			deadline: task.deadline,
			collateral: terms.collateral,
			excluded: &chunk.excluded,
			audit: false,
		};
		let attempt = AttemptId { chunk: id, attempt: chunk.attempt };
		let seat = T::Workers::draw(seed(vrf, Purpose::Worker, &attempt), &need)?;
		Some(Assignment {
			seat,
			class,
			terms,
			price: task.price,
			deadline: task.deadline,
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
		chunk.declines = chunk.declines.saturating_add(1);
		if chunk.declines >= CurrentRules::<T>::get().max_declines {
			let reason = RefundReason::Declined;
			Self::end_refunded(id.chunk, &mut task, &chunk, Place::Assigned, reason);
		} else {
			Self::reopen(id.chunk, &mut task, chunk, Place::Assigned, owner);
		}
		Self::store(id.chunk.task, task);
		Ok(())
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
	pub(crate) fn miss_chunk(id: AttemptId) {
		let Some((chunk, mut task)) = Self::attempt(&id) else { return };
		let ChunkState::Assigned { assignment, .. } = chunk.state.clone() else { return };
		let range = task.spec.range(id.chunk.index);
		let fine = pricing::chunk_budget(&range, task.price, T::Rewards::fee_on)
			.map_or(0, |budget| CurrentRules::<T>::get().miss_fine.mul_floor(budget.payment))
			.min(assignment.terms.collateral);
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
