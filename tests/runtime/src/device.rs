//! Devices: they read the chain as a node's off-chain worker does, and say what it would send.

use crate::{keys::Key, search};
use codec::Encode;
use frame_support::BoundedVec;
use pallet_verification::{
	types::{CheckState, CommitItem, RevealItem},
	Call, CheckOf, Checks,
};
use sp_io::hashing::blake2_256;
use std::collections::BTreeMap;
use tequio_primitives::{
	commitment::commitment,
	search::{Claim, Opening},
	tasks::CheckedTasks,
	workers::InspectWorkers,
	Duty, Role,
};
use tequio_runtime::{AccountId, Runtime, RuntimeCall, System, Tasks, Workers};

/// How a device behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
	/// Computes and shows what it found.
	Honest,
	/// Claims every nonce as a share; audits honestly.
	Lies,
	/// Does nothing.
	Sleeps,
	/// Commits and never reveals.
	Withholds,
}

/// A device and what it remembers.
pub struct Device {
	/// Its key.
	pub key: Key,
	/// How it behaves.
	pub conduct: Conduct,
	openings: BTreeMap<Duty, Opening>,
}

impl Device {
	/// A device that has done nothing yet.
	pub fn new(key: Key, conduct: Conduct) -> Self {
		Self { key, conduct, openings: BTreeMap::new() }
	}

	/// What it would send now. Reads the state: call it inside of [`crate::World::read`] or while a
	/// block is made.
	pub fn calls(&mut self) -> Vec<RuntimeCall> {
		let (commits, reveals) = (self.commits(|_| true), self.reveals(|_| true));
		commits.into_iter().chain(reveals).collect()
	}

	/// The commits that it would send now, of these duties. Reads the state.
	pub fn commits(&mut self, of: impl Fn(&Duty) -> bool) -> Option<RuntimeCall> {
		let duties = self.duties().into_iter().filter(of);
		let items: Vec<_> = duties.filter_map(|duty| self.commit(duty)).collect();
		let items = BoundedVec::truncate_from(items);
		(!items.is_empty()).then_some(RuntimeCall::Verification(Call::commit { items }))
	}

	/// The reveals that it would send now, of these duties. Reads the state.
	pub fn reveals(&self, of: impl Fn(&Duty) -> bool) -> Option<RuntimeCall> {
		let duties = self.duties().into_iter().filter(of);
		let items: Vec<_> = duties.filter_map(|duty| self.reveal(duty)).collect();
		let items = BoundedVec::truncate_from(items);
		(!items.is_empty()).then_some(RuntimeCall::Verification(Call::reveal { items }))
	}

	fn duties(&self) -> Vec<Duty> {
		match self.conduct {
			Conduct::Sleeps => Vec::new(),
			_ => Workers::duties_of(&self.key.account()),
		}
	}

	fn commit(&mut self, duty: Duty) -> Option<CommitItem> {
		let (claim, opening) = match duty.role {
			Role::Worker => self.work(&duty)?,
			Role::Auditor => (Claim::new(), audit(&self.key.account(), &duty)?),
			Role::Referee { .. } => return None,
		};
		let digest = opening.digest();
		let device: [u8; 32] = self.key.account().into();
		let commitment =
			commitment(&System::block_hash(0u32), &duty, &device, &digest, &salt(&duty));
		self.openings.insert(duty, opening);
		Some(CommitItem { id: duty.id, role: duty.role, claim, commitment })
	}

	/// The claim and the opening of work that waits for a commit.
	fn work(&self, duty: &Duty) -> Option<(Claim, Opening)> {
		Tasks::assigned(&duty.id)?;
		let (spec, range) = Tasks::search(&duty.id.chunk)?;
		let claim = match self.conduct {
			Conduct::Lies => search::everything(&range),
			_ => search::claim(&spec, &range),
		};
		let opening = search::opening(&spec, &claim);
		Some((claim, opening))
	}

	fn reveal(&self, duty: Duty) -> Option<RevealItem> {
		let check = check(&duty)?;
		let open = matches!(check.state, CheckState::Revealing { .. });
		if !open || self.conduct == Conduct::Withholds {
			return None;
		}
		let opening = self.openings.get(&duty)?.clone();
		Some(RevealItem { id: duty.id, role: duty.role, opening, salt: salt(&duty) })
	}
}

/// The opening of an audit that waits for a commit.
fn audit(device: &AccountId, duty: &Duty) -> Option<Opening> {
	let check = check(duty)?;
	let waits = check.auditors.iter().any(|slot| {
		slot.commitment.is_none() && slot.seat.as_ref().is_some_and(|seat| seat.device == *device)
	});
	let (spec, range) = Tasks::search(&duty.id.chunk).filter(|_| waits)?;
	Some(search::audit(&spec, &range, &check.claim, check.sub_range?))
}

fn check(duty: &Duty) -> Option<CheckOf<Runtime>> {
	Checks::<Runtime>::get(duty.id.chunk).filter(|check| check.attempt == duty.id.attempt)
}

fn salt(duty: &Duty) -> [u8; 32] {
	blake2_256(&(b"salt", duty).encode())
}
