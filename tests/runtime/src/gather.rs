//! Gives the duties of many devices to one.
//!
//! A call may carry 64 entries, but a device is drawn for no more than two chunks at a time, and
//! computes them before it gets others. To see what a full call does, the drawn seats are replaced
//! in the state, with all that follows from it: every invariant holds afterwards.

use crate::owner::Owner;
use pallet_tasks::{types::ChunkState, Chunks};
use pallet_verification::Checks;
use pallet_workers::{Devices, Workers};
use tequio_primitives::{workers::Seat, AttemptId, Duty, Role};
use tequio_runtime::{AccountId, Runtime};

/// Has the owner's device compute every chunk that is assigned to any: 64 at most.
pub fn gather_work(to: &Owner) {
	let chunks: Vec<_> = Chunks::<Runtime>::iter().collect();
	for (id, mut chunk) in chunks {
		let attempt = AttemptId { chunk: id, attempt: chunk.attempt };
		if let ChunkState::Assigned { assignment, .. } = &mut chunk.state {
			let duty = Duty { id: attempt, role: Role::Worker };
			assignment.seat = hand_over(&assignment.seat, to, duty);
			Chunks::<Runtime>::insert(id, chunk);
		}
	}
}

/// Has the devices of these two owners audit everything that is audited: the first in the first
/// place of each check, the second in the second. Neither may compute any of it.
pub fn gather_audits(to: [&Owner; 2]) {
	let checks: Vec<_> = Checks::<Runtime>::iter().collect();
	for (id, mut check) in checks {
		let attempt = AttemptId { chunk: id, attempt: check.attempt };
		for (slot, to) in check.auditors.iter_mut().zip(to) {
			if let Some(seat) = &mut slot.seat {
				*seat = hand_over(seat, to, Duty { id: attempt, role: Role::Auditor });
			}
		}
		Checks::<Runtime>::insert(id, check);
	}
}

/// Moves a duty, with its collateral.
fn hand_over(from: &Seat<AccountId>, to: &Owner, duty: Duty) -> Seat<AccountId> {
	let taker = Seat { owner: to.account(), device: to.device.key.account() };
	let engagement = Devices::<Runtime>::mutate(&from.device, |device| {
		let engagements = &mut device.as_mut().unwrap().engagements;
		let place = engagements.iter().position(|one| one.duty == duty).unwrap();
		engagements.remove(place)
	});
	let collateral = engagement.collateral;
	Devices::<Runtime>::mutate(&taker.device, |device| {
		device.as_mut().unwrap().engagements.try_push(engagement).unwrap();
	});
	Workers::<Runtime>::mutate(&from.owner, |owner| {
		owner.as_mut().unwrap().collateral -= collateral;
	});
	Workers::<Runtime>::mutate(&taker.owner, |owner| {
		owner.as_mut().unwrap().collateral += collateral;
	});
	taker
}
