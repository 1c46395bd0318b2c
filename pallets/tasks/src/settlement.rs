//! What follows from a commit, a verdict and a challenge, and the payment at the end of the
//! challenge period.

use crate::{
	escrow::Column,
	pricing,
	types::{worker_duty, ChunkFifo, ChunkOf, ChunkQueue, ChunkState, Place, RefundReason, TaskOf},
	Chunks, Config, CurrentRules, Error, Event, Pallet, TaskArguments, Tasks,
};
use alloc::vec::Vec;
use core::mem;
use frame_support::{defensive, ensure};
use sp_runtime::DispatchError;
use tequio_primitives::{
	clock::WorkClock,
	opening::ChunkWork,
	recompute::Arguments,
	reputation::Deed,
	rewards::DistributeRewards,
	search::Winners,
	tasks::{Assignment, CheckedTasks, Delivered, KeepChecks, Verdict},
	workers::EngageSeats,
	AttemptId, Balance, ChunkId, ChunkIndex, Role, TaskId, WorkHeight,
};

/// What was found right.
struct Found {
	delivered: Delivered,
	winners: Winners,
	audited: bool,
}

impl<T: Config> CheckedTasks<T::AccountId> for Pallet<T> {
	fn assigned(id: &AttemptId) -> Option<Assignment<T::AccountId>> {
		Self::in_hand(id).map(|(assignment, _)| assignment)
	}

	fn due(id: &AttemptId) -> Option<WorkHeight> {
		Self::in_hand(id).map(|(_, due)| due)
	}

	fn work(chunk: &ChunkId) -> Option<ChunkWork> {
		let task = Tasks::<T>::get(chunk.task).filter(|task| chunk.index < task.chunks)?;
		Some(task.spec.work(chunk.index))
	}

	fn arguments(task: TaskId) -> Arguments {
		TaskArguments::<T>::get(task).unwrap_or_default()
	}

	fn begin_check(id: &AttemptId) -> Result<(), DispatchError> {
		let (mut chunk, mut task) = Self::attempt(id).ok_or(Error::<T>::NotAssigned)?;
		let ChunkState::Assigned { assignment, due } = chunk.state else {
			return Err(Error::<T>::NotAssigned.into());
		};
		ensure!(T::Clock::now() <= due, Error::<T>::DeadlinePassed);
		chunk.state = ChunkState::Checking { assignment };
		Chunks::<T>::insert(id.chunk, chunk);
		task.committed = true;
		task.shift(1, Place::Assigned, Place::Checking);
		Self::store(id.chunk.task, task);
		Ok(())
	}

	fn conclude(id: &AttemptId, verdict: Verdict<T::AccountId>) {
		use ChunkState::{Challenged, Checking};
		let Some((mut chunk, mut task)) = Self::attempt(id) else {
			defensive!("verification concludes the attempt that it checks, and only once");
			return;
		};
		match (chunk.state.clone(), verdict) {
			(
				Checking { assignment },
				Verdict::Accepted { delivered, winners, auditors, audited },
			) => {
				if Self::pay_auditors(id, &mut task, &assignment, auditors) > 0 {
					chunk.audits = chunk.audits.saturating_add(1);
				}
				let found = Found { delivered, winners, audited };
				Self::accept(id, &mut task, chunk, assignment, found);
			},
			(Challenged { .. }, Verdict::Upheld) => Self::pay_worker(*id, &mut task, chunk),
			(Checking { assignment }, Verdict::Rejected(_)) => {
				Self::reopen(id.chunk, &mut task, chunk, Place::Checking, assignment.seat.owner);
			},
			(Challenged { assignment, .. }, Verdict::Rejected(_)) => {
				Self::overturn(id.chunk, &mut task, chunk, assignment.seat.owner);
			},
			(
				Checking { assignment } | Challenged { assignment, .. },
				Verdict::Undecided { reason, auditors },
			) => {
				let paid = Self::pay_auditors(id, &mut task, &assignment, auditors);
				Self::charge_check(&mut task, &assignment, paid);
				let reason = RefundReason::Undecided(reason);
				Self::end_refunded(id.chunk, &mut task, &chunk, Place::Checking, reason);
			},
			_ => {
				defensive!("verification accepts after begin_check, upholds after a challenge");
				return;
			},
		}
		Self::store(id.chunk.task, task);
	}

	fn challenge(id: &AttemptId) -> Result<(), DispatchError> {
		let (mut chunk, mut task) = Self::attempt(id).ok_or(Error::<T>::NotAccepted)?;
		let ChunkState::Accepted { assignment, delivered, won, audited, until } = chunk.state
		else {
			return Err(Error::<T>::NotAccepted.into());
		};
		ensure!(T::Clock::now() < until, Error::<T>::NotAccepted);
		chunk.state = ChunkState::Challenged { assignment, delivered, won, audited };
		Chunks::<T>::insert(id.chunk, chunk);
		task.shift(1, Place::Accepted, Place::Checking);
		Self::store(id.chunk.task, task);
		Ok(())
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

	/// Pays each auditor the fixed amount that was named when the chunk was assigned. Returns how many
	/// were paid.
	fn pay_auditors(
		id: &AttemptId,
		task: &mut TaskOf<T>,
		assignment: &Assignment<T::AccountId>,
		auditors: Vec<T::AccountId>,
	) -> u8 {
		let units = pricing::audit_units(&task.spec, id.chunk.index);
		let mut paid = 0u8;
		let mut fees: Balance = 0;
		// More than the task has locked for there are only if the rules have changed since; were
		// they paid, then by other chunks.
		for (owner, _) in auditors.into_iter().zip(0..task.most_audits) {
			let amount = Self::pay(task, &owner, assignment.audit_pay, Column::Audit);
			fees = fees.saturating_add(task.fee.on(amount));
			paid = paid.saturating_add(1);
			T::Rewards::note_contribution(id.chunk.task, &owner, Role::Auditor, units, amount);
			Self::deposit_event(Event::AuditPaid { id: *id, owner, amount });
		}
		Self::pay_fee(task, fees);
		paid
	}

	/// Takes the fee on the audits of a check that came to nothing and were not paid. The chain has
	/// drawn and checked all the same; and those who quarrel may have agreed to, or the requester may
	/// have withdrawn what auditors need: it is not free.
	fn charge_check(task: &mut TaskOf<T>, assignment: &Assignment<T::AccountId>, paid: u8) {
		let unpaid = task.most_audits.saturating_sub(paid);
		let fee = task.fee.on(assignment.audit_pay).saturating_mul(unpaid.into());
		Self::pay_fee(task, fee);
	}

	/// Has a result wait for the end of the challenge period.
	fn accept(
		id: &AttemptId,
		task: &mut TaskOf<T>,
		mut chunk: ChunkOf<T>,
		assignment: Assignment<T::AccountId>,
		Found { delivered, winners, audited }: Found,
	) {
		let owner = assignment.seat.owner.clone();
		let event = Event::ChunkAccepted { id: *id, owner, delivered: delivered.clone() };
		Self::deposit_event(event);
		let period = CurrentRules::<T>::get().challenge_period;
		let until = T::Clock::now().saturating_add(period);
		let won = !winners.is_empty();
		Self::note_winners(id.chunk.task, task, winners);
		chunk.state = ChunkState::Accepted { assignment, delivered, won, audited, until };
		Chunks::<T>::insert(id.chunk, chunk);
		task.shift(1, Place::Checking, Place::Accepted);
		ChunkFifo::<T>::push(ChunkQueue::Accepted, *id, until);
	}

	/// Undoes the acceptance of a result that is wrong after all, and has the chunk done by somebody
	/// else while audits of it are locked for.
	fn overturn(id: ChunkId, task: &mut TaskOf<T>, chunk: ChunkOf<T>, owner: T::AccountId) {
		Self::forget_winners(task, id.index);
		if Self::has_audits_left(task, id.index, &chunk) {
			Self::reopen(id, task, chunk, Place::Checking, owner);
		} else {
			let reason = RefundReason::AuditsUsedUp;
			Self::end_refunded(id, task, &chunk, Place::Checking, reason);
		}
	}

	/// Whether another result of the chunk could still be audited.
	fn has_audits_left(task: &TaskOf<T>, index: ChunkIndex, chunk: &ChunkOf<T>) -> bool {
		let budget = pricing::chunk_budget(&task.spec, index, &task.tariff());
		budget.is_some_and(|budget| chunk.audits < budget.rounds())
	}

	/// Removes the winners that lie in a chunk.
	fn forget_winners(task: &mut TaskOf<T>, index: ChunkIndex) {
		let ChunkWork::Search(_, range) = task.spec.work(index) else { return };
		task.winners.retain(|winner| !range.contains_claim(&[winner.nonce]));
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

	/// Pays a chunk whose challenge period is over.
	pub(crate) fn pay_chunk(id: AttemptId, chunk: ChunkOf<T>) {
		let Some(mut task) = Tasks::<T>::get(id.chunk.task) else { return };
		Self::pay_worker(id, &mut task, chunk);
		Self::store(id.chunk.task, task);
	}

	/// Pays the worker of an accepted chunk, frees the collateral, and ends the chunk or has it
	/// searched once more.
	fn pay_worker(id: AttemptId, task: &mut TaskOf<T>, mut chunk: ChunkOf<T>) {
		let from = chunk.state.place();
		let state = mem::replace(&mut chunk.state, ChunkState::Open);
		let (ChunkState::Accepted { assignment, delivered, won, audited, .. }
		| ChunkState::Challenged { assignment, delivered, won, audited }) = state
		else {
			return;
		};
		let index = id.chunk.index;
		let (units, amount) = pricing::earned(&task.spec, index, &delivered, task.price);
		let owner = assignment.seat.owner.clone();

		let amount = Self::pay(task, &owner, amount, Column::Paid);
		Self::deposit_event(Event::ChunkPaid { id, owner: owner.clone(), units, amount });
		let bonus = if won { Self::pay_bonus(id.chunk.task, task, &owner) } else { 0 };
		let fees = task.fee.on(amount).saturating_add(task.fee.on(bonus));
		Self::pay_fee(task, fees);
		let paid = amount.saturating_add(bonus);
		T::Rewards::note_contribution(id.chunk.task, &owner, Role::Worker, units, paid);
		let deed = Deed::Accepted { value: assignment.max_payment, audited };
		T::Workers::release(&assignment.seat, worker_duty(id), deed);
		T::Checks::forget(&id);

		let thin = !chunk.thin && pricing::is_thin(&task.spec, index, &delivered);
		if thin && Self::has_audits_left(task, index, &chunk) {
			chunk.thin = true;
			Self::reopen(id.chunk, task, chunk, from, owner);
		} else {
			Self::end_paid(id.chunk, task, from, delivered);
		}
	}

	/// Pays those who tried in vain to fetch the input of a task.
	pub(crate) fn pay_fetch_fees(id: TaskId, task: &mut TaskOf<T>) {
		let each = task.fetch_fee;
		let mut fees: Balance = 0;
		for owner in task.decliners.clone() {
			let amount = Self::pay(task, &owner, each, Column::Paid);
			fees = fees.saturating_add(task.fee.on(amount));
			Self::deposit_event(Event::FetchFeePaid { task: id, owner, amount });
		}
		Self::pay_fee(task, fees);
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
