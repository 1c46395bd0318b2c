//! What devices owe, read from the chain as a node's off-chain worker reads it. Everything here
//! reads the state: call it inside of [`crate::World::read`] or while a block is made.

use codec::Encode;
use pallet_verification::{
	types::{CheckState, CommitItem, RevealItem, Standing},
	CheckOf, Panels,
};
use sp_io::hashing::blake2_256;
use tequio_primitives::{
	claim::Claim,
	commitment::commitment,
	opening::{ChunkWork, Opening},
	tasks::{Assignment, CheckedTasks},
	AttemptId, Duty, Role, WorkHeight,
};
use tequio_runtime::{AccountId, Runtime, System, Tasks, Verification};

/// What is to be done about a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
	/// Compute and commit.
	Commit,
	/// Show what was committed.
	Reveal,
}

/// A duty that a device can go on with now.
pub struct Owed {
	/// The duty.
	pub duty: Duty,
	/// What is to be done.
	pub step: Step,
	/// Last height at which that is taken.
	pub last: WorkHeight,
	/// Who computes the chunk, on which terms.
	pub assignment: Assignment<AccountId>,
	/// The check of the attempt; none before the worker has committed.
	pub check: Option<CheckOf<Runtime>>,
}

impl Owed {
	/// What the device can do about a duty now; `None` where that is nothing.
	pub fn of(device: &AccountId, duty: Duty) -> Option<Self> {
		let Some(check) = check(&duty.id) else {
			let assignment = Tasks::assigned(&duty.id).filter(|_| duty.role == Role::Worker)?;
			let last = Tasks::due(&duty.id)?;
			return Some(Self { duty, step: Step::Commit, last, assignment, check: None });
		};
		let (step, due) = step(device, &duty, &check)?;
		let assignment = check.assignment.clone();
		Some(Self { duty, step, last: due.saturating_sub(1), assignment, check: Some(check) })
	}

	/// What the chunk asks for.
	pub fn work(&self) -> Option<ChunkWork> {
		Tasks::work(&self.duty.id.chunk)
	}
}

/// What a device that sits in a check can do, and from when on it is too late.
fn step(device: &AccountId, duty: &Duty, check: &CheckOf<Runtime>) -> Option<(Step, WorkHeight)> {
	let (committed, revealed) = progress(device, duty, check)?;
	let panel = matches!(duty.role, Role::Referee { .. });
	let (step, due) = match &check.state {
		CheckState::Auditing { due, .. } if !panel => (Step::Commit, due),
		CheckState::Revealing { due, .. } if !panel => (Step::Reveal, due),
		CheckState::Panel { due, .. } if panel => (Step::Commit, due),
		CheckState::PanelReveal { due, .. } if panel => (Step::Reveal, due),
		_ => return None,
	};
	let open = match step {
		Step::Commit => !committed,
		Step::Reveal => committed && !revealed,
	};
	open.then_some((step, *due))
}

/// Whether the device has committed, and revealed, in this role.
fn progress(device: &AccountId, duty: &Duty, check: &CheckOf<Runtime>) -> Option<(bool, bool)> {
	match duty.role {
		Role::Worker => Some((true, check.worker_opening.is_some())),
		Role::Auditor => {
			let (_, slot) = check.auditor(device)?;
			Some((slot.commitment.is_some(), slot.opening.is_some()))
		},
		Role::Referee { level } if level == check.level => {
			let panel = Panels::<Runtime>::get(duty.id, level)?;
			let (_, place) = panel.referee(device)?;
			Some((place.commitment.is_some(), place.said.is_some()))
		},
		Role::Referee { .. } | Role::Appellant { .. } => None,
	}
}

/// Whether a panel has found against what the device has revealed in this role, and it may appeal.
pub fn is_wronged(device: &AccountId, duty: &Duty) -> bool {
	let Some(check) = check(&duty.id) else { return false };
	let party = match duty.role {
		Role::Worker => check.worker_opening.as_ref().map(|_| 0),
		Role::Auditor => check
			.auditor(device)
			.filter(|(_, slot)| slot.opening.is_some())
			.map(|(place, _)| place + 1),
		Role::Referee { .. } | Role::Appellant { .. } => None,
	};
	let standing = party.and_then(|party| check.standings.get(party));
	let appealable = matches!(check.state, CheckState::Appeal { .. });
	appealable && standing.is_some_and(|standing| *standing != Standing::Right)
}

/// The check of an attempt.
pub fn check(id: &AttemptId) -> Option<CheckOf<Runtime>> {
	Verification::check_of(id)
}

/// An entry of a call that commits to an opening.
pub fn commit_item(device: &AccountId, duty: Duty, claim: Claim, opening: &Opening) -> CommitItem {
	let (genesis, bytes): (_, [u8; 32]) = (System::block_hash(0u32), device.clone().into());
	let commitment = commitment(&genesis, &duty, &bytes, &opening.digest(), &salt(&duty));
	CommitItem { id: duty.id, role: duty.role, claim, commitment }
}

/// An entry of a call that reveals it.
pub fn reveal_item(duty: Duty, opening: Opening) -> RevealItem {
	RevealItem { id: duty.id, role: duty.role, opening, salt: salt(&duty) }
}

fn salt(duty: &Duty) -> [u8; 32] {
	blake2_256(&(b"salt", duty).encode())
}
