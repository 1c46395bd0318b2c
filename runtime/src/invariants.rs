//! Every invariant of our pallets, and those between two of them. For tests and dry runs: it reads
//! everything.

use crate::{AccountId, Balance, Rewards, Runtime, Tasks, Training, Verification, Workers};
use alloc::collections::{btree_map::BTreeMap, btree_set::BTreeSet};
use frame_support::ensure;
use pallet_tasks::types::ChunkState;
use pallet_verification::types::{Appeal, CheckState};
use sp_runtime::TryRuntimeError;
use tequio_primitives::{
	api::TaskStatus, tasks::Assignment, training::TrainingId, workers::Seat, AttemptId, Duty, Role,
};

/// A device and a duty of it.
type Owed = (AccountId, Duty);

/// Checks all of them.
pub fn check_invariants() -> Result<(), TryRuntimeError> {
	Workers::do_try_state()?;
	Verification::do_try_state()?;
	Tasks::do_try_state()?;
	Rewards::do_try_state()?;
	Training::do_try_state()?;
	contributions_are_of_tasks()?;
	checks_and_chunks_agree()?;
	duties_and_work_agree()?;
	trainings_and_tasks_agree()
}

/// Contributions are kept for tasks that have a record; they go with it.
fn contributions_are_of_tasks() -> Result<(), TryRuntimeError> {
	for (task, _) in pallet_rewards::Contributions::<Runtime>::iter_keys() {
		let known = pallet_tasks::Tasks::<Runtime>::contains_key(task);
		ensure!(known, "contributions to a task that is forgotten");
	}
	Ok(())
}

/// `verification` has the check of an attempt exactly while `tasks` has its chunk down as being
/// checked, or as accepted and not paid, on the same assignment.
fn checks_and_chunks_agree() -> Result<(), TryRuntimeError> {
	let mut checking = 0usize;
	for (id, chunk) in pallet_tasks::Chunks::<Runtime>::iter() {
		let accepted = matches!(chunk.state, ChunkState::Accepted { .. });
		let (ChunkState::Checking { assignment }
		| ChunkState::Accepted { assignment, .. }
		| ChunkState::Challenged { assignment, .. }) = chunk.state
		else {
			continue;
		};
		let check = pallet_verification::Checks::<Runtime>::get(id)
			.ok_or("a chunk is being checked by nobody")?;
		ensure!(check.attempt == chunk.attempt, "another attempt is checked than the present one");
		ensure!(check.assignment == assignment, "a check goes by another assignment");
		let settled = check.state == CheckState::Settled;
		ensure!(settled == accepted, "a check is settled exactly while its chunk is accepted");
		checking = checking.saturating_add(1);
	}
	let checks = pallet_verification::Checks::<Runtime>::iter_keys().count();
	ensure!(checks == checking, "a check is of a chunk that is not being checked");
	Ok(())
}

/// A device has a duty exactly as long as some chunk, audit or panel needs it: the worker from its
/// assignment to the end of the challenge period, an auditor from its draw to the verdict, a
/// referee from its draw to its dismissal, who appeals from then to the verdict.
fn duties_and_work_agree() -> Result<(), TryRuntimeError> {
	let mut needed = BTreeSet::<Owed>::new();
	for (chunk, record) in pallet_tasks::Chunks::<Runtime>::iter() {
		let id = AttemptId { chunk, attempt: record.attempt };
		if let Some(Assignment { seat, .. }) = assignment(record.state) {
			needed.insert((seat.device, Duty { id, role: Role::Worker }));
		}
	}
	for (chunk, check) in pallet_verification::Checks::<Runtime>::iter() {
		let id = AttemptId { chunk, attempt: check.attempt };
		for Seat { device, .. } in check.auditors.into_iter().filter_map(|slot| slot.seat) {
			needed.insert((device, Duty { id, role: Role::Auditor }));
		}
		for Appeal { seat, level, .. } in check.appeals {
			needed.insert((seat.device, Duty { id, role: Role::Appellant { level } }));
		}
	}
	for (id, level, panel) in pallet_verification::Panels::<Runtime>::iter() {
		let dismissed = panel.end.as_ref().map_or(0, |end| end.dismissed);
		let dismissed = usize::try_from(dismissed).unwrap_or(usize::MAX);
		for place in panel.places.into_iter().skip(dismissed) {
			let Some(Seat { device, .. }) = place.sitting().cloned() else { continue };
			needed.insert((device, Duty { id, role: Role::Referee { level } }));
		}
	}
	let mut bound = BTreeSet::<Owed>::new();
	for (account, device) in pallet_workers::Devices::<Runtime>::iter() {
		bound.extend(device.engagements.iter().map(|one| (account.clone(), one.duty)));
	}
	ensure!(needed.is_subset(&bound), "somebody works without being bound");
	ensure!(bound.is_subset(&needed), "somebody is bound to work that is over");
	Ok(())
}

/// A task belongs to a training exactly as long as it is followed and has not ended; the same
/// account pays for both. A training counts these tasks, and has out what they have locked.
fn trainings_and_tasks_agree() -> Result<(), TryRuntimeError> {
	let mut live = BTreeMap::<TrainingId, (u32, Balance)>::new();
	for (task, id) in pallet_training::Steps::<Runtime>::iter() {
		let task = pallet_tasks::Tasks::<Runtime>::get(task)
			.filter(|task| task.followed && task.status != TaskStatus::Ended)
			.ok_or("a training waits for a task that has ended, or tells it nothing")?;
		let training = pallet_training::Trainings::<Runtime>::get(id)
			.ok_or("a task belongs to no training")?;
		ensure!(training.requester == task.requester, "a task is paid by somebody else");
		let (number, locked) = live.entry(id).or_default();
		*number = number.saturating_add(1);
		*locked = locked.saturating_add(task.books.locked);
	}
	for (id, training) in pallet_training::Trainings::<Runtime>::iter() {
		let (number, locked) = live.remove(&id).unwrap_or_default();
		ensure!(training.live == number, "a training miscounts its tasks");
		ensure!(training.money.out == locked, "what is out is not what tasks have locked");
	}
	for (task, record) in pallet_tasks::Tasks::<Runtime>::iter() {
		let lives = record.followed && record.status != TaskStatus::Ended;
		let known = pallet_training::Steps::<Runtime>::contains_key(task);
		ensure!(known == lives, "a task is followed by nobody");
	}
	Ok(())
}

fn assignment(state: ChunkState<AccountId>) -> Option<Assignment<AccountId>> {
	match state {
		ChunkState::Open => None,
		ChunkState::Assigned { assignment, .. }
		| ChunkState::Checking { assignment }
		| ChunkState::Accepted { assignment, .. }
		| ChunkState::Challenged { assignment, .. } => Some(assignment),
	}
}
