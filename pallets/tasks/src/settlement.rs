//! What follows from a commit and from a verdict, and the payment at the end of the challenge
//! period.

use crate::{
	escrow::Column,
	pricing,
	types::{worker_duty, ChunkFifo, ChunkOf, ChunkQueue, ChunkState, Place, RefundReason, TaskOf},
	Chunks, Config, CurrentRules, Error, Event, Pallet, Tasks,
};
use alloc::vec::Vec;
use core::mem;
use frame_support::{defensive, ensure};
use sp_runtime::DispatchError;
use tequio_primitives::{
	clock::WorkClock,
	rewards::DistributeRewards,
	search::{ChunkRange, SearchSpec, Winners, AUDITORS},
	tasks::{Assignment, CheckedTasks, UndecidedReason, Verdict},
	workers::EngageSeats,
	AttemptId, Balance, ChunkId, Role, TaskId, WorkHeight,
};

impl<T: Config> CheckedTasks<T::AccountId> for Pallet<T> {
	fn assigned(id: &AttemptId) -> Option<Assignment<T::AccountId>> {
		Self::in_hand(id).map(|(assignment, _)| assignment)
	}

	fn due(id: &AttemptId) -> Option<WorkHeight> {
		Self::in_hand(id).map(|(_, due)| due)
	}

	fn search(chunk: &ChunkId) -> Option<(SearchSpec, ChunkRange)> {
		let task = Tasks::<T>::get(chunk.task).filter(|task| chunk.index < task.chunks)?;
		Some((task.spec.search().clone(), task.spec.range(chunk.index)))
	}

	fn begin_check(id: &AttemptId) -> Result<(), DispatchError> {
		let (mut chunk, mut task) = Self::attempt(id).ok_or(Error::<T>::NotAssigned)?;
		let ChunkState::Assigned { assignment, due } = chunk.state else {
			return Err(Error::<T>::NotAssigned.into());
		};
		ensure!(T::Clock::now() <= due, Error::<T>::DeadlinePassed);
		chunk.state = ChunkState::Checking { assignment };
		Chunks::<T>::insert(id.chunk, chunk);
		task.shift(1, Place::Assigned, Place::Checking);
		Self::store(id.chunk.task, task);
		Ok(())
	}

	fn conclude(id: &AttemptId, verdict: Verdict<T::AccountId>) {
		let Some((mut chunk, mut task)) = Self::attempt(id) else {
			defensive!("verification concludes the attempt that it checks, and only once");
			return;
		};
		let state = mem::replace(&mut chunk.state, ChunkState::Open);
		let ChunkState::Checking { assignment } = state else {
			defensive!("verification concludes only after begin_check");
			return;
		};
		match verdict {
			Verdict::Accepted { shares, winners, auditors } => {
				Self::pay_auditors(id, &mut task, &assignment, auditors);
				Self::accept(id, &mut task, chunk, assignment, shares, winners);
			},
			Verdict::Rejected(_) => {
				Self::reopen(id.chunk, &mut task, chunk, Place::Checking, assignment.seat.owner);
			},
			Verdict::Undecided(reason) => {
				if reason == UndecidedReason::Disagreement {
					// The chain has checked all the same, and those who quarrel may have agreed to:
					// it is not free.
					let fee = T::Rewards::fee_on(assignment.audit_pay);
					Self::pay_fee(&mut task, fee.saturating_mul(Balance::from(AUDITORS)));
				}
				let reason = RefundReason::Undecided(reason);
				Self::end_refunded(id.chunk, &mut task, &chunk, Place::Checking, reason);
			},
		}
		Self::store(id.chunk.task, task);
	}
}

impl<T: Config> Pallet<T> {
	/// The assignment of an attempt that is being computed, and its last height.
	fn in_hand(id: &AttemptId) -> Option<(Assignment<T::AccountId>, WorkHeight)> {
		let chunk = Chunks::<T>::get(id.chunk).filter(|chunk| chunk.attempt == id.attempt)?;
		match chunk.state {
			ChunkState::Assigned { assignment, due } if T::Clock::now() <= due => {
				Some((assignment, due))
			},
			_ => None,
		}
	}

	/// Pays each auditor the fixed amount that was named when the chunk was assigned.
	fn pay_auditors(
		id: &AttemptId,
		task: &mut TaskOf<T>,
		assignment: &Assignment<T::AccountId>,
		auditors: Vec<T::AccountId>,
	) {
		let units = pricing::audit_units(&task.spec.range(id.chunk.index));
		let mut fees: Balance = 0;
		// More than are paid for in the budget there cannot be; were there, they would be paid by
		// other chunks.
		for (owner, _) in auditors.into_iter().zip(0..AUDITORS) {
			let amount = Self::pay(task, &owner, assignment.audit_pay, Column::Audit);
			fees = fees.saturating_add(T::Rewards::fee_on(amount));
			T::Rewards::note_contribution(id.chunk.task, &owner, Role::Auditor, units, amount);
			Self::deposit_event(Event::AuditPaid { id: *id, owner, amount });
		}
		Self::pay_fee(task, fees);
	}

	/// Has a result wait for the end of the challenge period.
	fn accept(
		id: &AttemptId,
		task: &mut TaskOf<T>,
		mut chunk: ChunkOf<T>,
		assignment: Assignment<T::AccountId>,
		shares: u32,
		winners: Winners,
	) {
		Self::deposit_event(Event::ChunkAccepted {
			id: *id,
			owner: assignment.seat.owner.clone(),
			shares,
		});
		let period = CurrentRules::<T>::get().challenge_period;
		let until = T::Clock::now().saturating_add(period);
		let won = !winners.is_empty();
		Self::note_winners(id.chunk.task, task, winners);
		chunk.state = ChunkState::Accepted { assignment, shares, won, until };
		Chunks::<T>::insert(id.chunk, chunk);
		task.shift(1, Place::Checking, Place::Accepted);
		ChunkFifo::<T>::push(ChunkQueue::Accepted, *id, until);
	}

	/// Records winners that the task does not know yet: a second search of a thin range finds the
	/// same ones again.
	fn note_winners(id: TaskId, task: &mut TaskOf<T>, winners: Winners) {
		for winner in winners {
			if task.winners.iter().any(|known| known.nonce == winner.nonce) {
				continue;
			}
			let (nonce, hash) = (winner.nonce, winner.hash);
			Self::deposit_event(Event::WinnerFound { task: id, nonce, hash });
			// A full record keeps the first ones; the event names the others.
			let _ = task.winners.try_push(winner);
		}
	}

	/// Pays a chunk whose challenge period is over, and frees the collateral.
	pub(crate) fn pay_chunk(id: AttemptId, mut chunk: ChunkOf<T>) {
		let Some(mut task) = Tasks::<T>::get(id.chunk.task) else { return };
		let state = mem::replace(&mut chunk.state, ChunkState::Open);
		let ChunkState::Accepted { assignment, shares, won, .. } = state else { return };
		let range = task.spec.range(id.chunk.index);
		let (units, amount) = pricing::earned(&range, shares, task.price);
		let owner = assignment.seat.owner.clone();

		let amount = Self::pay(&mut task, &owner, amount, Column::Paid);
		Self::deposit_event(Event::ChunkPaid { id, owner: owner.clone(), units, amount });
		let bonus = if won { Self::pay_bonus(id.chunk.task, &mut task, &owner) } else { 0 };
		let fees = T::Rewards::fee_on(amount).saturating_add(T::Rewards::fee_on(bonus));
		Self::pay_fee(&mut task, fees);
		let paid = amount.saturating_add(bonus);
		T::Rewards::note_contribution(id.chunk.task, &owner, Role::Worker, units, paid);
		T::Workers::release(&assignment.seat, worker_duty(id));

		if !chunk.thin && pricing::is_thin(&range, shares) {
			chunk.thin = true;
			Self::reopen(id.chunk, &mut task, chunk, Place::Accepted, owner);
		} else {
			Self::end_paid(id.chunk, &mut task, Place::Accepted);
		}
		Self::store(id.chunk.task, task);
	}

	/// Pays what is left of the finder's bonus: all of it, or nothing where somebody had it before.
	fn pay_bonus(id: TaskId, task: &mut TaskOf<T>, owner: &T::AccountId) -> Balance {
		let bonus = mem::take(&mut task.bonus);
		if bonus == 0 {
			return 0;
		}
		let amount = Self::pay(task, owner, bonus, Column::Paid);
		Self::deposit_event(Event::BonusPaid { task: id, owner: owner.clone(), amount });
		amount
	}
}
