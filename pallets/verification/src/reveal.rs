//! Reveals, and what the verdict does.

use crate::{
	batch,
	types::{Batch, CheckState, Entry, RevealItem},
	verdict::{self, Outcome},
	weights::WeightInfo,
	CheckOf, Checks, Config, Error, Event, Pallet,
};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResultWithPostInfo, ensure, weights::Weight};
use sp_core::H256;
use sp_runtime::DispatchError;
use tequio_primitives::{
	clock::WorkClock,
	commitment::{commitment, genesis_hash},
	search::Opening,
	tasks::{CheckedTasks, RejectReason, Verdict},
	workers::{EngageSeats, Penalty},
	AttemptId, Duty, Role,
};

/// Whose opening it is.
enum Place {
	Worker,
	Auditor(usize),
}

impl<T: Config> Pallet<T> {
	/// Takes the openings of a device.
	pub(crate) fn do_reveal(
		device: T::AccountId,
		items: Batch<RevealItem>,
	) -> DispatchResultWithPostInfo {
		let entries = T::WeightInfo::reveal(batch::count(&items), batch::tasks(&items));
		let taken = Self::take_each(items, |item| Self::reveal_one(&device, item))?;
		let verdicts: Vec<Weight> = taken.into_iter().flatten().collect();
		let shared = if verdicts.is_empty() { Weight::zero() } else { T::WeightInfo::verdicts() };
		let used = entries.saturating_add(shared);
		Ok(Some(verdicts.into_iter().fold(used, Weight::saturating_add)).into())
	}

	/// Whether the device could reveal this now.
	pub(crate) fn can_reveal(device: &T::AccountId, item: &RevealItem) -> bool {
		Self::revealable(device, item).is_ok()
	}

	/// The check that the device may reveal to, and whose opening it is.
	fn revealable(
		device: &T::AccountId,
		item: &RevealItem,
	) -> Result<(CheckOf<T>, Place), Error<T>> {
		let check = Checks::<T>::get(item.id.chunk)
			.filter(|check| check.attempt == item.id.attempt)
			.ok_or(Error::<T>::NotAssigned)?;
		let (place, committed, opening) =
			Self::place_of(device, item.role, &check).ok_or(Error::<T>::NotAssigned)?;
		let CheckState::Revealing { due, .. } = check.state else {
			return Err(Error::<T>::NotRevealing);
		};
		ensure!(Self::now() < due, Error::<T>::TooLate);
		ensure!(opening.is_none(), Error::<T>::AlreadyRevealed);
		let bytes: [u8; 32] = device.clone().into();
		let digest = item.opening.digest();
		let genesis = genesis_hash::<T>();
		let hidden = commitment(&genesis, &item.duty(), &bytes, &digest, &item.salt);
		ensure!(committed == Some(hidden), Error::<T>::OpeningMismatch);
		let (spec, _) = T::Tasks::search(&item.id.chunk).ok_or(Error::<T>::NotAssigned)?;
		let fits = match (&place, check.sub_range) {
			(Place::Worker, _) => verdict::fits_worker(&item.opening, &check.claim, &spec.target),
			(Place::Auditor(_), Some(sub_range)) => {
				verdict::fits_auditor(&item.opening, &check.claim, sub_range, &spec.target)
			},
			(Place::Auditor(_), None) => false,
		};
		ensure!(fits, Error::<T>::MalformedOpening);
		Ok((check, place))
	}

	/// Where the device sits in a check under this role, what it committed and what it has
	/// revealed.
	fn place_of<'a>(
		device: &T::AccountId,
		role: Role,
		check: &'a CheckOf<T>,
	) -> Option<(Place, Option<H256>, Option<&'a Opening>)> {
		match role {
			Role::Worker if check.assignment.seat.device == *device => {
				Some((Place::Worker, Some(check.commitment), check.worker_opening.as_ref()))
			},
			Role::Auditor => {
				let (index, slot) = check.auditor(device)?;
				Some((Place::Auditor(index), slot.commitment, slot.opening.as_ref()))
			},
			Role::Worker | Role::Referee { .. } => None,
		}
	}

	/// Takes an opening. If it was the last one, a verdict follows; returns what that weighs.
	fn reveal_one(
		device: &T::AccountId,
		item: RevealItem,
	) -> Result<Option<Weight>, DispatchError> {
		let (mut check, place) = Self::revealable(device, &item)?;
		let duty = item.duty();
		match place {
			Place::Worker => {
				T::Workers::complete(&check.assignment.seat, duty);
				check.worker_opening = Some(item.opening);
			},
			Place::Auditor(index) => {
				if let Some(slot) = check.auditors.get_mut(index) {
					if let Some(seat) = &slot.seat {
						T::Workers::complete(seat, duty);
					}
					slot.opening = Some(item.opening);
				}
			},
		}
		let Duty { id, role } = duty;
		Self::deposit_event(Event::Revealed { id, role, device: device.clone() });
		let all = check.worker_opening.is_some()
			&& check.auditors.iter().all(|slot| slot.opening.is_some());
		if !all {
			Checks::<T>::insert(id.chunk, check);
			return Ok(None);
		}
		let auditors = batch::count(&check.auditors);
		// Everybody has revealed, so it is only the worker that may lose its collateral.
		let slashes = match Self::judge(id, check) {
			Outcome::Rejected(_) => 1,
			Outcome::Accepted | Outcome::Undecided(_) => 0,
		};
		Ok(Some(T::WeightInfo::judge(auditors, slashes)))
	}

	/// Judges an attempt by what has been revealed.
	pub(crate) fn judge(id: AttemptId, check: CheckOf<T>) -> Outcome {
		let openings: Vec<_> = check.auditors.iter().map(|slot| slot.opening.as_ref()).collect();
		let outcome = verdict::judge(check.worker_opening.as_ref(), &openings);
		Self::end(id, check, outcome);
		outcome
	}

	/// Ends a check: every duty in it but that of an accepted worker, which `tasks` ends after the
	/// challenge period.
	pub(crate) fn end(id: AttemptId, check: CheckOf<T>, outcome: Outcome) {
		Checks::<T>::remove(id.chunk);
		let revealed = Self::end_auditors(id, &check);
		let worker = Duty { id, role: Role::Worker };
		let assignment = &check.assignment;
		let verdict = match outcome {
			Outcome::Accepted => Verdict::Accepted {
				shares: u32::try_from(check.claim.len()).unwrap_or(u32::MAX),
				winners: check.worker_opening.map(|opening| opening.winners).unwrap_or_default(),
				auditors: revealed,
			},
			Outcome::Rejected(reason) => {
				let proved = reason == RejectReason::ProvenWrong;
				let collateral = assignment.terms.collateral;
				let penalty = verdict::penalty(collateral, assignment.audit_pay, &revealed, proved);
				T::Workers::slash(&assignment.seat, worker, penalty);
				Verdict::Rejected(reason)
			},
			Outcome::Undecided(reason) => {
				T::Workers::release(&assignment.seat, worker);
				Verdict::Undecided(reason)
			},
		};
		Self::deposit_event(Event::Judged { id, outcome });
		T::Tasks::conclude(&id, verdict);
	}

	/// Ends the duties of the auditors and returns the owners of those who revealed. Who had to
	/// reveal and did not loses the whole collateral; that is burned, because nobody proved
	/// anything.
	fn end_auditors(id: AttemptId, check: &CheckOf<T>) -> Vec<T::AccountId> {
		let duty = Duty { id, role: Role::Auditor };
		let revealing = matches!(check.state, CheckState::Revealing { .. });
		let mut revealed = Vec::new();
		for slot in &check.auditors {
			let Some(seat) = &slot.seat else { continue };
			if slot.opening.is_some() {
				revealed.push(seat.owner.clone());
			}
			if slot.opening.is_none() && revealing {
				let burned = Penalty { compensation: Vec::new(), bounty: Vec::new() };
				T::Workers::slash(seat, duty, burned);
			} else {
				T::Workers::release(seat, duty);
			}
		}
		revealed
	}
}
