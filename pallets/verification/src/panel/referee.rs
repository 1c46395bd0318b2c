//! The part of a referee: its commit, its reveal, and what that says of the parties.

use super::{everybody_committed, everybody_revealed, parties};
use crate::{
	opening,
	types::{Check, CheckState, CommitItem, Entry, Findings, RevealItem, Said},
	CheckOf, Config, Error, Event, Pallet, PanelOf, Panels,
};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, ensure, BoundedVec};
use sp_core::H256;
use tequio_primitives::{
	claim::Claim,
	clock::WorkClock,
	commitment::{commitment, genesis_hash},
	opening::{Comparison, Opening},
	tasks::CheckedTasks,
	workers::EngageSeats,
	Duty, Role,
};

impl<T: Config> Pallet<T> {
	/// The check that a referee's device may commit to now.
	pub(crate) fn committable_referee(
		device: &T::AccountId,
		item: &CommitItem,
	) -> Result<CheckOf<T>, Error<T>> {
		Self::committable_place(device, item).map(|(check, _, _)| check)
	}

	/// Takes the commitment of a referee's device.
	pub(crate) fn commit_referee(device: &T::AccountId, item: CommitItem) -> DispatchResult {
		let (check, mut panel, index) = Self::committable_place(device, &item)?;
		let duty = item.duty();
		if let Some(place) = panel.places.get_mut(index) {
			T::Workers::commit(&place.seat, duty);
			place.commitment = Some(item.commitment);
		}
		let all = everybody_committed(&check, &panel);
		let Duty { id, role } = duty;
		Panels::<T>::insert(id, check.level, panel);
		Self::deposit_event(Event::Committed { id, role, device: device.clone() });
		if all {
			Self::open_panel_reveals(id, check);
		}
		Ok(())
	}

	/// The check that a referee's device may reveal to now.
	pub(crate) fn referee_revealable(
		device: &T::AccountId,
		item: &RevealItem,
	) -> Result<CheckOf<T>, Error<T>> {
		Self::revealable_place(device, item).map(|(check, _, _)| check)
	}

	/// Takes the opening of a referee's device: what it says of each party. If it was the last one,
	/// the finding follows with the next block.
	pub(crate) fn reveal_referee(device: &T::AccountId, item: RevealItem) -> DispatchResult {
		let (check, mut panel, index) = Self::revealable_place(device, &item)?;
		let duty = item.duty();
		if let Some(place) = panel.places.get_mut(index) {
			T::Workers::complete(&place.seat, duty);
			let answer = item.opening.answer();
			place.said = Some(Said { answer, findings: findings(&item.opening, &check) });
		}
		let all = everybody_revealed(&panel);
		let Duty { id, role } = duty;
		Panels::<T>::insert(id, check.level, panel);
		Self::deposit_event(Event::Revealed { id, role, device: device.clone() });
		if all {
			Self::plan_finding(id);
		}
		Ok(())
	}

	fn committable_place(
		device: &T::AccountId,
		item: &CommitItem,
	) -> Result<(CheckOf<T>, PanelOf<T>, usize), Error<T>> {
		let (check, panel, index) = Self::referee(device, item.duty())?;
		let committed = panel.places.get(index).and_then(|place| place.commitment);
		ensure!(committed.is_none(), Error::<T>::AlreadyCommitted);
		// In a panel whose time is up, who is silent may not have been fined yet.
		let due = match check.state {
			CheckState::Panel { due, .. } | CheckState::PanelReveal { due, .. } => due,
			_ => return Err(Error::<T>::NotAssigned),
		};
		let computing = matches!(check.state, CheckState::Panel { .. });
		ensure!(computing && Self::now() < due, Error::<T>::TooLate);
		ensure!(item.claim == Claim::Nothing, Error::<T>::MalformedClaim);
		Ok((check, panel, index))
	}

	fn revealable_place(
		device: &T::AccountId,
		item: &RevealItem,
	) -> Result<(CheckOf<T>, PanelOf<T>, usize), Error<T>> {
		let duty = item.duty();
		let (check, panel, index) = Self::referee(device, duty)?;
		let place = panel.places.get(index).ok_or(Error::<T>::NotAssigned)?;
		ensure!(place.said.is_none(), Error::<T>::AlreadyRevealed);
		let CheckState::PanelReveal { due, .. } = check.state else {
			return Err(Error::<T>::NotRevealing);
		};
		ensure!(Self::now() < due, Error::<T>::TooLate);
		let bytes: [u8; 32] = device.clone().into();
		let digest = item.opening.digest();
		let hidden = commitment(&genesis_hash::<T>(), &duty, &bytes, &digest, &item.salt);
		ensure!(place.commitment == Some(hidden), Error::<T>::OpeningMismatch);
		let work = T::Tasks::work(&item.id.chunk).ok_or(Error::<T>::NotAssigned)?;
		let shown = outputs(&check);
		let (claim, sub_range) = (&check.claim, check.sub_range);
		let fits = opening::fits(&item.opening, item.role, claim, &work, sub_range, &shown);
		ensure!(fits, Error::<T>::MalformedOpening);
		Ok((check, panel, index))
	}

	/// The check and the panel on which a device has this duty now, and the index of its place.
	pub(crate) fn referee(
		device: &T::AccountId,
		duty: Duty,
	) -> Result<(CheckOf<T>, PanelOf<T>, usize), Error<T>> {
		let Duty { id, role: Role::Referee { level } } = duty else {
			return Err(Error::<T>::NotAssigned);
		};
		let check = Self::check_of(&id)
			.filter(|check| check.level == level)
			.ok_or(Error::<T>::NotAssigned)?;
		let panel = Panels::<T>::get(id, level).ok_or(Error::<T>::NotAssigned)?;
		let (index, _) = panel.referee(device).ok_or(Error::<T>::NotAssigned)?;
		Ok((check, panel, index))
	}
}

/// Outputs of a program that the parties have revealed, by hash.
pub(crate) fn outputs<AccountId, BlockNumber>(check: &Check<AccountId, BlockNumber>) -> Vec<H256> {
	let shown = parties(check).filter_map(|(_, opening)| opening);
	shown
		.filter_map(|opening| match opening {
			Opening::Output(own) => Some(own.output.hash),
			Opening::Search(_) => None,
		})
		.collect()
}

/// What an opening says of each party.
fn findings<AccountId, BlockNumber>(
	opening: &Opening,
	check: &Check<AccountId, BlockNumber>,
) -> Findings {
	let judge = |shown: &Opening| opening.judges(shown);
	let judged = parties(check).map(|(_, shown)| shown.map_or(Comparison::Wrong, judge));
	BoundedVec::truncate_from(judged.collect())
}
