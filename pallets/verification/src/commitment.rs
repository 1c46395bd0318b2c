//! Commits: a worker's claim and hidden digest, an auditor's hidden digest.

use crate::{
	types::{Batch, Check, CheckState, CommitItem, Entry, Queue},
	Agenda, CheckOf, Checks, Config, CurrentRules, Error, Event, Pallet,
};
use frame_support::{dispatch::DispatchResult, ensure};
use frame_system::pallet_prelude::BlockNumberFor;
use tequio_primitives::{
	clock::WorkClock,
	tasks::{Assignment, CheckedTasks},
	workers::EngageSeats,
	AttemptId, Role, WorkHeight,
};

impl<T: Config> Pallet<T> {
	/// Takes the commitments of a device.
	pub(crate) fn do_commit(device: T::AccountId, items: Batch<CommitItem>) -> DispatchResult {
		Self::take_each(items, |item| match item.role {
			Role::Worker => Self::commit_work(&device, item),
			Role::Auditor => Self::commit_audit(&device, item),
			Role::Referee { .. } => Err(Error::<T>::NotAssigned.into()),
		})?;
		Ok(())
	}

	/// Whether the device could commit this now.
	pub(crate) fn can_commit(device: &T::AccountId, item: &CommitItem) -> bool {
		match item.role {
			Role::Worker => Self::committable_work(device, item).is_ok(),
			Role::Auditor => Self::committable_audit(device, item).is_ok(),
			Role::Referee { .. } => false,
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
		let (_, range) = T::Tasks::search(chunk).ok_or(Error::<T>::NotAssigned)?;
		ensure!(range.contains_claim(&item.claim), Error::<T>::MalformedClaim);
		Ok(assignment)
	}

	fn commit_work(device: &T::AccountId, item: CommitItem) -> DispatchResult {
		let CommitItem { id, role, .. } = item;
		let assignment = Self::committable_work(device, &item)?;
		T::Tasks::begin_check(&id)?;
		T::Workers::commit(&assignment.seat, item.duty());
		let committed_at = Self::now();
		let check = Check {
			attempt: id.attempt,
			assignment,
			claim: item.claim,
			commitment: item.commitment,
			committed_at,
			state: Self::await_outputs(&id, committed_at),
			sub_range: None,
			auditors: Default::default(),
			worker_opening: None,
			redraws: 0,
			silent: Default::default(),
		};
		Checks::<T>::insert(id.chunk, check);
		Self::deposit_event(Event::Committed { id, role, device: device.clone() });
		Ok(())
	}

	/// Puts the decision on an audit on the agenda: for the height at which every output of the
	/// window is known.
	pub(crate) fn await_outputs(id: &AttemptId, from: WorkHeight) -> CheckState<BlockNumberFor<T>> {
		let window = CurrentRules::<T>::get().draw_window;
		let due = from.saturating_add(window).saturating_add(1);
		Agenda::<T>::push(Queue::Drawing, *id, due);
		CheckState::Drawing { due }
	}

	/// The check that the device may commit an audit to, and its place in it.
	fn committable_audit(
		device: &T::AccountId,
		item: &CommitItem,
	) -> Result<(CheckOf<T>, usize), Error<T>> {
		let check = Checks::<T>::get(item.id.chunk)
			.filter(|check| check.attempt == item.id.attempt)
			.ok_or(Error::<T>::NotAssigned)?;
		let (place, slot) = check.auditor(device).ok_or(Error::<T>::NotAssigned)?;
		ensure!(slot.commitment.is_none(), Error::<T>::AlreadyCommitted);
		let CheckState::Auditing { due, .. } = check.state else {
			return Err(Error::<T>::NotAssigned);
		};
		ensure!(Self::now() < due, Error::<T>::TooLate);
		ensure!(item.claim.is_empty(), Error::<T>::MalformedClaim);
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
			Self::open_reveals(id, check);
		} else {
			Checks::<T>::insert(id.chunk, check);
		}
		Ok(())
	}
}
