//! What devices have said: needed to show it later, and to tell who lied.

use sp_core::H256;
use sp_runtime::Perquintill;
use std::collections::{BTreeMap, BTreeSet};
use tequio_primitives::{
	opening::ChunkWork, tasks::CheckedTasks, AttemptId, Balance, ChunkId, Duty, Role, TaskId,
};
use tequio_runtime::{AccountId, Tasks};

/// What a device has committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
	/// The right output.
	Truth,
	/// Another one.
	Output(H256),
	/// What somebody else has committed.
	Copied,
}

/// A commit by somebody who follows the strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
	/// What it says.
	pub said: Said,
	/// What was computed for it, in money.
	pub cost: Balance,
	/// What the circle gave for it.
	pub bribe: Balance,
	/// Chance that the attempt is audited.
	pub rate: Perquintill,
	/// Chance that it is convicted if it is wrong.
	pub conviction: Perquintill,
}

/// What is remembered of those who follow the strategy. Of all others it is known: the truth.
#[derive(Default)]
pub struct Memory {
	intents: BTreeMap<AttemptId, BTreeMap<(AccountId, Role), Intent>>,
	withheld: BTreeSet<(AttemptId, AccountId, Role)>,
	programs: BTreeMap<TaskId, H256>,
}

impl Memory {
	/// The program of a chunk. Reads the state.
	pub fn program(&mut self, chunk: &ChunkId) -> Option<H256> {
		if let Some(program) = self.programs.get(&chunk.task) {
			return Some(*program);
		}
		let ChunkWork::Recompute(spec) = Tasks::work(chunk)? else { return None };
		self.programs.insert(chunk.task, spec.program);
		Some(spec.program)
	}

	/// Remembers what a device is about to commit. It may be asked again, and say something else,
	/// where the block had no room for it.
	pub fn intend(&mut self, device: &AccountId, duty: &Duty, intent: Intent) {
		let of_attempt = self.intents.entry(duty.id).or_default();
		of_attempt.insert((device.clone(), duty.role), intent);
	}

	/// What a device has said about a duty.
	pub fn intent(&self, device: &AccountId, duty: &Duty) -> Option<&Intent> {
		self.intents.get(&duty.id)?.get(&(device.clone(), duty.role))
	}

	/// Remembers that a device does not show what it has committed.
	pub fn withhold(&mut self, device: &AccountId, duty: &Duty) {
		self.withheld.insert((duty.id, device.clone(), duty.role));
	}

	/// Whether a device has done something else than it should about a duty; of an appeal, as the
	/// party that it is.
	pub fn deviates(&self, device: &AccountId, duty: &Duty) -> bool {
		let roles: &[Role] = match duty.role {
			Role::Appellant { .. } => &[Role::Worker, Role::Auditor],
			ref role => core::slice::from_ref(role),
		};
		roles.iter().any(|role| {
			let duty = Duty { id: duty.id, role: *role };
			let said = self.intent(device, &duty).map(|intent| intent.said);
			said.is_some_and(|said| said != Said::Truth)
				|| self.withheld.contains(&(duty.id, device.clone(), *role))
		})
	}

	/// Forgets attempts that are over.
	pub fn retain(&mut self, lives: impl Fn(&AttemptId) -> bool) {
		self.intents.retain(|id, _| lives(id));
		self.withheld.retain(|(id, _, _)| lives(id));
	}
}
