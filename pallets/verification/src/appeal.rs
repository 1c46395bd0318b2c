//! Appeals: who was not found right has a larger panel called, and answers for the doubt with a
//! bond.

use crate::{
	panel::{parties, Roll},
	types::{Appeal, CheckState, Standing},
	CheckOf, Config, Error, Event, Pallet,
};
use frame_support::{
	defensive,
	dispatch::DispatchResult,
	ensure,
	storage::{with_transaction, TransactionOutcome},
};
use tequio_primitives::{
	clock::WorkClock,
	workers::{EngageSeats, Seat},
	AttemptId, Duty, Role,
};

/// An appeal that may be made.
struct Appealable<T: Config> {
	/// The check.
	check: CheckOf<T>,
	/// What it would add to the check.
	appeal: Appeal<T::AccountId>,
	/// The panel that it calls.
	roll: Roll,
}

impl<T: Config> Pallet<T> {
	/// Calls the next larger panel on the wish of a party.
	pub(crate) fn do_appeal(who: T::AccountId, id: AttemptId) -> DispatchResult {
		let Appealable { mut check, appeal, roll } = Self::appealable(&who, &id)?;
		Self::stand_for(&id, &check, &appeal).map_err(|_| Error::<T>::BondUnavailable)?;
		let Appeal { seat, level, bond, .. } = &appeal;
		Self::deposit_event(Event::Appealed {
			id,
			level: *level,
			owner: seat.owner.clone(),
			bond: *bond,
		});
		let next = level.saturating_add(1);
		if check.appeals.try_push(appeal).is_err() {
			defensive!("each level but the last is appealed against once");
		}
		Self::summon(id, check, next, roll);
		Ok(())
	}

	/// Whether a party could appeal now.
	pub(crate) fn can_appeal(who: &T::AccountId, id: &AttemptId) -> bool {
		let Ok(Appealable { check, appeal, .. }) = Self::appealable(who, id) else {
			return false;
		};
		// Whether the bond is free only `workers` knows.
		with_transaction(|| TransactionOutcome::Rollback(Self::stand_for(id, &check, &appeal)))
			.is_ok()
	}

	/// The time for an appeal is over.
	pub(crate) fn end_appeal(id: AttemptId, check: CheckOf<T>) {
		Self::settle(id, check);
	}

	/// The appeal that somebody may make, if it has the bond.
	fn appealable(who: &T::AccountId, id: &AttemptId) -> Result<Appealable<T>, Error<T>> {
		let check = Self::check_of(id).ok_or(Error::<T>::NothingToAppeal)?;
		let CheckState::Appeal { due } = check.state else {
			return Err(Error::<T>::NothingToAppeal);
		};
		let (party, seat) = loser::<T>(who, &check).ok_or(Error::<T>::NotALoser)?;
		ensure!(Self::now() < due, Error::<T>::TooLate);
		// Owners may have left the class since it was found.
		let roll = Self::panel_of(id, &check)
			.and_then(|panel| Self::larger_panel(&check, &panel))
			.ok_or(Error::<T>::NothingToAppeal)?;
		let bond = Self::bond_for(&check, &roll);
		let appeal = Appeal { seat, party, level: check.level, bond };
		Ok(Appealable { check, appeal, roll })
	}

	fn stand_for(
		id: &AttemptId,
		check: &CheckOf<T>,
		appeal: &Appeal<T::AccountId>,
	) -> DispatchResult {
		let Appeal { seat, level, bond, .. } = appeal;
		let duty = Duty { id: *id, role: Role::Appellant { level: *level } };
		T::Workers::stand_for(seat, duty, check.assignment.class, *bond)
	}
}

/// The party whose device or owner this is, if it revealed and was not found right: its index and
/// its seat.
fn loser<T: Config>(who: &T::AccountId, check: &CheckOf<T>) -> Option<(u8, Seat<T::AccountId>)> {
	let lost = (0u8..).zip(parties(check)).zip(&check.standings);
	lost.filter(|((_, (_, opening)), standing)| opening.is_some() && **standing != Standing::Right)
		.filter_map(|((party, (seat, _)), _)| Some((party, seat?)))
		.find(|(_, seat)| seat.device == *who || seat.owner == *who)
		.map(|(party, seat)| (party, seat.clone()))
}
