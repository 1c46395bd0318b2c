//! Devices: they read the chain as a node's off-chain worker does, and say what it would send.

use crate::{
	band,
	duty::{commit_item, is_wronged, reveal_item, Owed, Step},
	keys::Key,
	lesson,
	program::{self, Fate},
	search,
};
use frame_support::BoundedVec;
use pallet_verification::{
	types::{CommitItem, RevealItem},
	Call,
};
use std::collections::BTreeMap;
use tequio_primitives::{
	claim::Claim,
	opening::{ChunkWork, Opening},
	recompute::OutputOpening,
	stage::DeclineReason,
	tasks::CheckedTasks,
	workers::InspectWorkers,
	Duty, Role, WorkClass,
};
use tequio_runtime::{extensions::owed_tags, Runtime, RuntimeCall, Tasks, Workers};

/// How a device behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduct {
	/// Computes and shows what it found, and appeals where a panel finds otherwise.
	Honest,
	/// Claims every nonce as a share, and invents the outputs of programs; audits and judges
	/// honestly.
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
		let results = commits.into_iter().chain(reveals);
		results.chain(self.appeals()).chain(self.declines()).collect()
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

	/// The appeals that it would send now: where a panel has found against what it knows, and its
	/// owner has enough free stake for the bond. Reads the state.
	pub fn appeals(&self) -> Vec<RuntimeCall> {
		let account = self.key.account();
		let knows = |duty: &Duty| match self.conduct {
			Conduct::Honest => true,
			Conduct::Lies => duty.role != Role::Worker,
			Conduct::Sleeps | Conduct::Withholds => false,
		};
		let parts = Workers::parts_of(&account).into_iter().filter(knows);
		parts
			.filter(|duty| is_wronged(&account, duty))
			.map(|duty| RuntimeCall::Verification(Call::appeal { id: duty.id }))
			.filter(|call| owed_tags(&account, call).is_some())
			.collect()
	}

	/// What it would hand back now, because it cannot be computed. Reads the state.
	pub fn declines(&self) -> Vec<RuntimeCall> {
		let account = self.key.account();
		let declined = |duty: Duty| {
			let owed = self.owed(duty, Step::Commit)?;
			let reason = obstacle(&owed).filter(|_| duty.role == Role::Worker)?;
			Some(pallet_tasks::Call::<Runtime>::decline { id: duty.id, reason })
		};
		let calls = self.duties().into_iter().filter_map(declined).map(RuntimeCall::Tasks);
		calls.filter(|call| owed_tags(&account, call).is_some()).collect()
	}

	fn duties(&self) -> Vec<Duty> {
		match self.conduct {
			Conduct::Sleeps => Vec::new(),
			_ => Workers::duties_of(&self.key.account()),
		}
	}

	fn owed(&self, duty: Duty, step: Step) -> Option<Owed> {
		Owed::of(&self.key.account(), duty).filter(|owed| owed.step == step)
	}

	fn commit(&mut self, duty: Duty) -> Option<CommitItem> {
		let owed = self.owed(duty, Step::Commit)?;
		let (claim, opening) = self.compute(&owed)?;
		let item = commit_item(&self.key.account(), duty, claim, &opening);
		self.openings.insert(duty, opening);
		Some(item)
	}

	/// The claim and the opening of what waits for a commit.
	fn compute(&self, owed: &Owed) -> Option<(Claim, Opening)> {
		let lies = self.conduct == Conduct::Lies && owed.duty.role == Role::Worker;
		let chunk = owed.duty.id.chunk;
		Some(match (owed.work()?, &owed.check) {
			(ChunkWork::Recompute(_), _) if obstacle(owed).is_some() => return None,
			(ChunkWork::Recompute(spec), _) if lesson::is_ignored(&spec.program, chunk.index) => {
				return None
			},
			(ChunkWork::Recompute(spec), check) => {
				let output = if lies { lesson::lie } else { lesson::output };
				let own = output(&spec, chunk.index, &Tasks::arguments(chunk.task));
				if spec.class == WorkClass::BandedF32 {
					let machine = self.key.account();
					return Some(band::work(&own, &machine, owed.duty.role, check.as_ref()));
				}
				(Claim::Nothing, Opening::Output(OutputOpening::showing(own)))
			},
			(ChunkWork::Search(spec, range), None) => {
				let shares =
					if lies { search::everything(&range) } else { search::shares(&spec, &range) };
				let opening = search::opening(&spec, &shares);
				(Claim::Shares(shares), Opening::Search(opening))
			},
			(ChunkWork::Search(spec, range), Some(check)) => {
				let (shares, sub_range) = (check.claim.shares(), check.sub_range?);
				let opening = search::audit(&spec, &range, shares, sub_range);
				(Claim::Nothing, Opening::Search(opening))
			},
		})
	}

	fn reveal(&self, duty: Duty) -> Option<RevealItem> {
		if self.conduct == Conduct::Withholds {
			return None;
		}
		self.owed(duty, Step::Reveal)?;
		Some(reveal_item(duty, self.openings.get(&duty)?.clone()))
	}
}

/// Why a chunk cannot be computed.
fn obstacle(owed: &Owed) -> Option<DeclineReason> {
	match owed.work()? {
		ChunkWork::Search(..) => None,
		ChunkWork::Recompute(spec) => match program::fate(&spec.program) {
			Fate::Runs => None,
			Fate::Unreachable => Some(DeclineReason::BadInput),
			Fate::Unsupported => Some(DeclineReason::Unsupported),
		},
	}
}
