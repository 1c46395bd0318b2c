//! What a duty asks of its device now.

use super::orders::{Audit, Order, Program, Search};
use crate::{panel::outputs, types::CheckState, CheckOf, Config, Pallet, Panels};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::SaturatedConversion;
use tequio_primitives::{
	claim::Claim, opening::ChunkWork, tasks::CheckedTasks, AttemptId, ChunkId, Duty, Role,
};

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
	if let Some(check) = Pallet::<T>::check_of(&duty.id) {
		return (in_check::<T>(duty, device, &check), Some(check));
	}
	let assigned = duty.role == Role::Worker
		&& T::Tasks::assigned(&duty.id).is_some_and(|work| work.seat.device == *device);
	(if assigned { Ask::Commit } else { Ask::Nothing }, None)
}

fn in_check<T: Config>(duty: &Duty, device: &T::AccountId, check: &CheckOf<T>) -> Ask {
	match duty.role {
		Role::Worker if check.assignment.seat.device == *device => {
			of_party::<T>(&check.state, Some(check.commitment), check.worker_opening.is_some())
		},
		Role::Auditor => check.auditor(device).map_or(Ask::Nothing, |(_, slot)| {
			of_party::<T>(&check.state, slot.commitment, slot.opening.is_some())
		}),
		Role::Referee { level } if check.level == level => {
			of_referee::<T>(&duty.id, level, device, &check.state)
		},
		Role::Worker | Role::Referee { .. } | Role::Appellant { .. } => Ask::Nothing,
	}
}

/// What a check asks of its worker or of an auditor, given what that has said to it.
fn of_party<T: Config>(
	state: &CheckState<BlockNumberFor<T>>,
	commitment: Option<H256>,
	revealed: bool,
) -> Ask {
	use CheckState::*;
	match (state, commitment) {
		_ if revealed => Ask::Nothing,
		(Revealing { since, .. }, Some(commitment)) => {
			Ask::Reveal { since: (*since).saturated_into(), commitment }
		},
		(Drawing { .. } | Auditing { .. } | Second { .. }, Some(_)) => Ask::Hold,
		(Auditing { .. }, None) => Ask::Commit,
		(Drawing { .. } | Second { .. } | Revealing { .. }, None) => Ask::Nothing,
		// What parties had to say is said. Who stayed silent is not asked again.
		(Panel { .. } | PanelReveal { .. } | Appeal { .. } | Settled, _) => Ask::Nothing,
	}
}

/// What the panel in session asks of one of its referees.
fn of_referee<T: Config>(
	id: &AttemptId,
	level: u8,
	device: &T::AccountId,
	state: &CheckState<BlockNumberFor<T>>,
) -> Ask {
	let Some(panel) = Panels::<T>::get(id, level) else { return Ask::Nothing };
	let Some((_, place)) = panel.referee(device) else { return Ask::Nothing };
	match (state, place.commitment) {
		_ if place.said.is_some() => Ask::Nothing,
		(CheckState::Panel { .. }, None) => Ask::Commit,
		(CheckState::Panel { .. }, Some(_)) => Ask::Hold,
		(CheckState::PanelReveal { since, .. }, Some(commitment)) => {
			Ask::Reveal { since: (*since).saturated_into(), commitment }
		},
		_ => Ask::Nothing,
	}
}

/// What has to be computed for a duty. `None` where the chain no longer has the task or the audit, or
/// the role computes nothing.
///
/// Referees compute what auditors do, as if nobody had before them. What the parties to a program
/// have shown does not change while a panel sits, so their order stays the same; nor does what the
/// worker has claimed.
pub(super) fn order<T: Config>(duty: &Duty, check: Option<&CheckOf<T>>) -> Option<Order> {
	match T::Tasks::work(&duty.id.chunk)? {
		ChunkWork::Search(spec, range) => {
			let audit = match duty.role {
				Role::Worker => None,
				Role::Auditor | Role::Referee { .. } => {
					let check = check?;
					let Claim::Shares(shares) = check.claim.clone() else { return None };
					Some(Audit { shares, sub_range: check.sub_range? })
				},
				Role::Appellant { .. } => return None,
			};
			Some(Order::Search(Search { spec, range, audit }))
		},
		ChunkWork::Recompute(spec) => {
			let ChunkId { task, index } = duty.id.chunk;
			let own = || Program::own(spec, index, T::Tasks::arguments(task));
			let program = match duty.role {
				Role::Worker => own(),
				Role::Auditor => own().auditing(&check?.claim),
				Role::Referee { .. } => {
					let check = check?;
					own().auditing(&check.claim).judging(outputs(check))
				},
				Role::Appellant { .. } => return None,
			};
			Some(Order::Program(program))
		},
	}
}
