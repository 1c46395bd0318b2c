//! What a duty asks of its device now.

use super::orders::{Audit, Order};
use crate::{types::CheckState, CheckOf, Checks, Config};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::SaturatedConversion;
use tequio_primitives::{tasks::CheckedTasks, Duty, Role};

/// What to do about a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
	/// Nothing: the device has no part in it, or has done it.
	Nothing,
	/// Commit as soon as there is a result.
	Commit,
	/// Committed; the result will be asked for.
	Hold,
	/// Reveal what opens the commitment, once block `since` is final or finality is late.
	Reveal {
		/// Block of the last commit.
		since: u64,
		/// What the device has committed.
		commitment: H256,
	},
}

/// What a duty asks of a device, and the check that says so if the attempt has come that far.
pub(super) fn look<T: Config>(duty: &Duty, device: &T::AccountId) -> (Ask, Option<CheckOf<T>>) {
	let attempt = |check: &CheckOf<T>| check.attempt == duty.id.attempt;
	if let Some(check) = Checks::<T>::get(duty.id.chunk).filter(attempt) {
		return (in_check::<T>(duty, device, &check), Some(check));
	}
	let assigned = duty.role == Role::Worker
		&& T::Tasks::assigned(&duty.id).is_some_and(|work| work.seat.device == *device);
	(if assigned { Ask::Commit } else { Ask::Nothing }, None)
}

fn in_check<T: Config>(duty: &Duty, device: &T::AccountId, check: &CheckOf<T>) -> Ask {
	match duty.role {
		Role::Worker if check.assignment.seat.device == *device => {
			after::<T>(&check.state, Some(check.commitment), check.worker_opening.is_some())
		},
		Role::Auditor => check.auditor(device).map_or(Ask::Nothing, |(_, slot)| {
			after::<T>(&check.state, slot.commitment, slot.opening.is_some())
		}),
		Role::Worker | Role::Referee { .. } => Ask::Nothing,
	}
}

/// What follows from where a check is and what one device has said to it.
fn after<T: Config>(
	state: &CheckState<BlockNumberFor<T>>,
	commitment: Option<H256>,
	revealed: bool,
) -> Ask {
	match (state, commitment) {
		_ if revealed => Ask::Nothing,
		(CheckState::Revealing { since, .. }, Some(commitment)) => {
			Ask::Reveal { since: (*since).saturated_into(), commitment }
		},
		(CheckState::Drawing { .. } | CheckState::Auditing { .. }, Some(_)) => Ask::Hold,
		(CheckState::Auditing { .. }, None) => Ask::Commit,
		(CheckState::Drawing { .. } | CheckState::Revealing { .. }, None) => Ask::Nothing,
	}
}

/// What has to be computed for a duty. `None` where the chain no longer has the task or the audit,
/// or the role computes nothing.
pub(super) fn order<T: Config>(duty: &Duty, check: Option<&CheckOf<T>>) -> Option<Order> {
	let (spec, range) = T::Tasks::search(&duty.id.chunk)?;
	let class = match check {
		Some(check) => check.assignment.class,
		None => T::Tasks::assigned(&duty.id)?.class,
	};
	let audit = match duty.role {
		Role::Worker => None,
		Role::Auditor => {
			let check = check?;
			Some(Audit { claim: check.claim.clone(), sub_range: check.sub_range? })
		},
		Role::Referee { .. } => return None,
	};
	Some(Order { class, spec, range, audit })
}
