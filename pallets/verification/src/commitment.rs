//! Commits: a worker's claim and hidden digest, an auditor's hidden digest.

use crate::{
	types::{Batch, Check, CheckState, CommitItem, Entry},
	Agenda, CheckOf, Checks, Config, CurrentRules, Error, Event, Pallet,
};
use frame_support::{dispatch::DispatchResult, ensure};
use frame_system::pallet_prelude::BlockNumberFor;
use tequio_primitives::{
	claim::Claim,
	clock::WorkClock,
	opening::ChunkWork,
	tasks::{Assignment, CheckedTasks},
	terms::AuditTerms,
	workers::EngageSeats,
	AttemptId, Role, WorkClass, WorkHeight,
};

impl<T: Config> Pallet<T> {
	/// Takes the commitments of a device.
	pub(crate) fn do_commit(device: T::AccountId, items: Batch<CommitItem>) -> DispatchResult {
		Self::take_each(items, |item| match item.role {
			Role::Worker => Self::commit_work(&device, item),
			Role::Auditor => Self::commit_audit(&device, item),
			Role::Referee { .. } => Self::commit_referee(&device, item),
			Role::Appellant { .. } => Err(Error::<T>::NotAssigned.into()),
		})?;
		Ok(())
	}

	/// Whether the device could commit this now.
	pub(crate) fn can_commit(device: &T::AccountId, item: &CommitItem) -> bool {
		match item.role {
			Role::Worker => Self::committable_work(device, item).is_ok(),
			Role::Auditor => Self::committable_audit(device, item).is_ok(),
			Role::Referee { .. } => Self::committable_referee(device, item).is_ok(),
			Role::Appellant { .. } => false,
		}
	}

	/// The assignment under which the device may commit this work.
	fn committable_work(
		device: &T::AccountId,
		item: &CommitItem,
	) -> Result<Assignment<T::AccountId>, Error<T>> {
		let chunk = &item.id.chunk;
		let committed = Checks::<T>::get(chunk).is_some_and(|check| {
			check.attempt == item.id.attempt && check.assignment.seat.device == *device
		});
		ensure!(!committed, Error::<T>::AlreadyCommitted);
		let assignment = T::Tasks::assigned(&item.id)
			.filter(|assignment| assignment.seat.device == *device)
			.ok_or(Error::<T>::NotAssigned)?;
		let work = T::Tasks::work(chunk).ok_or(Error::<T>::NotAssigned)?;
		ensure!(may_claim(&work, &item.claim), Error::<T>::MalformedClaim);
		Ok(assignment)
	}

	fn commit_work(device: &T::AccountId, item: CommitItem) -> DispatchResult {
		let CommitItem { id, role, .. } = item;
		let assignment = Self::committable_work(device, &item)?;
		T::Tasks::begin_check(&id)?;
		T::Workers::commit(&assignment.seat, item.duty());
		let committed_at = Self::now();
		let state = Self::await_outputs(&id, &assignment.terms, committed_at);
		let check = Check {
			attempt: id.attempt,
			assignment,
			claim: item.claim,
			commitment: item.commitment,
			committed_at,
			state,
			sub_range: None,
			auditors: Default::default(),
			second_decided: false,
			worker_opening: None,
			redraws: 0,
			reports: 0,
			barred: Default::default(),
			level: 0,
			standings: Default::default(),
			found_by: 0,
			appeals: Default::default(),
			challenge: None,
		};
		Checks::<T>::insert(id.chunk, check);
		Self::deposit_event(Event::Committed { id, role, device: device.clone() });
		Ok(())
	}

	/// Puts the decision on an audit on the agenda: for the height at which every output of the
	/// window is known.
	pub(crate) fn await_outputs(
		id: &AttemptId,
		terms: &AuditTerms,
		from: WorkHeight,
	) -> CheckState<BlockNumberFor<T>> {
		let (window, queue) = CurrentRules::<T>::get().window(terms.audit_rate);
		let due = from.saturating_add(window).saturating_add(1);
		Agenda::<T>::push(queue, *id, due);
		CheckState::Drawing { due }
	}

	/// The check that the device may commit an audit to, and its place in it.
	fn committable_audit(
		device: &T::AccountId,
		item: &CommitItem,
	) -> Result<(CheckOf<T>, usize), Error<T>> {
		let check = Self::check_of(&item.id).ok_or(Error::<T>::NotAssigned)?;
		let (place, slot) = check.auditor(device).ok_or(Error::<T>::NotAssigned)?;
		ensure!(slot.commitment.is_none(), Error::<T>::AlreadyCommitted);
		let CheckState::Auditing { due, .. } = check.state else {
			return Err(Error::<T>::NotAssigned);
		};
		ensure!(Self::now() < due, Error::<T>::TooLate);
		ensure!(item.claim == Claim::Nothing, Error::<T>::MalformedClaim);
		Ok((check, place))
	}

	fn commit_audit(device: &T::AccountId, item: CommitItem) -> DispatchResult {
		let CommitItem { id, role, commitment, .. } = item;
		let (mut check, place) = Self::committable_audit(device, &item)?;
		if let Some(slot) = check.auditors.get_mut(place) {
			if let Some(seat) = &slot.seat {
				T::Workers::commit(seat, item.duty());
			}
			slot.commitment = Some(commitment);
		}
		Self::deposit_event(Event::Committed { id, role, device: device.clone() });
		if check.auditors.iter().all(|slot| slot.commitment.is_some()) {
			Self::end_commits(id, check);
		} else {
			Checks::<T>::insert(id.chunk, check);
		}
		Ok(())
	}
}

/// Whether a worker may claim this: what its class claims, and in a search nonces of its range.
pub(crate) fn may_claim(work: &ChunkWork, claim: &Claim) -> bool {
	match work {
		ChunkWork::Search(_, range) => {
			claim.is_of(WorkClass::RandomXSearch) && range.contains_claim(claim.shares())
		},
		ChunkWork::Recompute(spec) => claim.is_of(spec.class),
	}
}
