//! Reveals, and what follows from the last one.

use crate::{
	batch::{self, JUDGED_AT_ONCE},
	opening,
	types::{Batch, CheckState, Entry, Queue, RevealItem},
	verdict::{self, Judgement},
	weights::WeightInfo,
	Agenda, CheckOf, Checks, Config, Error, Event, Pallet,
};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResultWithPostInfo, ensure, weights::Weight};
use sp_core::H256;
use sp_runtime::DispatchError;
use tequio_primitives::{
	clock::WorkClock,
	commitment::{commitment, genesis_hash},
	opening::Opening,
	tasks::CheckedTasks,
	workers::EngageSeats,
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
		let entries = batch::reveals_alone::<T>(&items);
		let taken = Self::take_each(items, |item| match item.role {
			Role::Worker | Role::Auditor => Self::reveal_one(&device, item),
			Role::Referee { .. } => Self::reveal_referee(&device, item).map(|()| None),
			Role::Appellant { .. } => Err(Error::<T>::NotAssigned.into()),
		})?;
		let verdicts: Vec<Weight> = taken.into_iter().flatten().collect();
		let shared = if verdicts.is_empty() { Weight::zero() } else { T::WeightInfo::verdicts() };
		let used = entries.saturating_add(shared);
		Ok(Some(verdicts.into_iter().fold(used, Weight::saturating_add)).into())
	}

	/// Whether the device could reveal this now.
	pub(crate) fn can_reveal(device: &T::AccountId, item: &RevealItem) -> bool {
		match item.role {
			Role::Worker | Role::Auditor => Self::revealable(device, item).is_ok(),
			Role::Referee { .. } => Self::referee_revealable(device, item).is_ok(),
			Role::Appellant { .. } => false,
		}
	}

	/// The check that the device may reveal to, and whose opening it is.
	fn revealable(
		device: &T::AccountId,
		item: &RevealItem,
	) -> Result<(CheckOf<T>, Place), Error<T>> {
		let check = Self::check_of(&item.id).ok_or(Error::<T>::NotAssigned)?;
		let (place, committed, opening) =
			Self::place_of(device, item.role, &check).ok_or(Error::<T>::NotAssigned)?;
		ensure!(opening.is_none(), Error::<T>::AlreadyRevealed);
		let CheckState::Revealing { due, .. } = check.state else {
			return Err(Error::<T>::NotRevealing);
		};
		ensure!(Self::now() < due, Error::<T>::TooLate);
		let bytes: [u8; 32] = device.clone().into();
		let digest = item.opening.digest();
		let genesis = genesis_hash::<T>();
		let hidden = commitment(&genesis, &item.duty(), &bytes, &digest, &item.salt);
		ensure!(committed == Some(hidden), Error::<T>::OpeningMismatch);
		let work = T::Tasks::work(&item.id.chunk).ok_or(Error::<T>::NotAssigned)?;
		let (claim, sub_range) = (&check.claim, check.sub_range);
		let fits = opening::fits(&item.opening, item.role, claim, &work, sub_range, &[]);
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
			Role::Worker | Role::Referee { .. } | Role::Appellant { .. } => None,
		}
	}

	/// Takes an opening. If it was the last one, a verdict follows, or a panel is called; returns
	/// what that weighs. Where auditors are many, that is left to the next block's agenda.
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
		let auditors = batch::count(&check.auditors);
		if check.is_revealed() && auditors <= JUDGED_AT_ONCE {
			// Everybody has revealed, so nobody loses a collateral without a panel.
			Self::judge(id, check);
			return Ok(Some(T::WeightInfo::judge(auditors, 0)));
		}
		if check.is_revealed() {
			Agenda::<T>::push(Queue::Finding, id, Self::now().saturating_add(1));
		}
		Checks::<T>::insert(id.chunk, check);
		Ok(None)
	}

	/// Judges an attempt by what has been revealed: it ends, or a panel is called.
	pub(crate) fn judge(id: AttemptId, check: CheckOf<T>) {
		let openings: Vec<_> = check.auditors.iter().map(|slot| slot.opening.as_ref()).collect();
		match verdict::judge(check.worker_opening.as_ref(), &openings) {
			Judgement::Ends(outcome) => Self::end(id, check, outcome),
			Judgement::Panel => Self::call_panel(id, check),
		}
	}
}
