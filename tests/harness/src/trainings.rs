//! Trainings: submitting them, following their events, waiting for their end; and the folder of what
//! their programs need and make.

pub use pallet_training::Plan;

use crate::{accounts::Account, chain::Chain, network::Network, waiting::until};
use anyhow::{ensure, Context, Result};
use pallet_training::{types::Training, Call, Event, Money, StopReason, Trainings};
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{fs, path::Path, time::Duration};
use tequio_primitives::{training::TrainingId, Balance, TEQ};
use tequio_runtime::{AccountId, Runtime, RuntimeEvent};

/// What a requester has beside the budget, for fees.
const POCKET: Balance = 10 * TEQ;

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
	/// Why it stopped.
	pub reason: StopReason,
	/// Rounds that gave a state.
	pub rounds: u32,
	/// The last state; zero where there is none.
	pub state: H256,
	/// What became of the budget.
	pub money: Money,
}

/// The events of one training, read block by block.
#[derive(Clone, Copy, Debug)]
pub struct Diary {
	training: TrainingId,
	/// Number of the first block that was not read.
	next: u32,
}

/// More than a plan can lock at a time and spend in all its rounds, in the token's smallest unit:
/// work, its audits, and the fees of both.
pub fn ample_budget(plan: &Plan) -> Balance {
	/// Each chunk is computed, audited, now and then audited again, and a twentieth goes to fees.
	const TIMES: Balance = 4;
	let evaluated = plan.evaluate.as_ref();
	let chunks = [
		(plan.train.units, plan.shards),
		(plan.aggregate.units, 1),
		evaluated.map_or((0, 0), |evaluate| (evaluate.units, evaluate.chunks)),
	];
	let cost = |(units, chunks): (u32, u32)| {
		let work = Balance::from(units).saturating_mul(plan.price).saturating_mul(TIMES);
		let chunk = work.saturating_mul(plan.replicas.into()).saturating_add(TEQ / 10);
		chunk.saturating_mul(chunks.into())
	};
	let round = chunks.into_iter().map(cost).fold(TEQ, Balance::saturating_add);
	round.saturating_mul(plan.rounds.into())
}

impl Network {
	/// Gives the requester enough money, and submits.
	pub async fn submit_training(
		&self,
		requester: &Account,
		plan: Plan,
		budget: Balance,
	) -> Result<TrainingId> {
		self.fund(&[requester.id()], budget.saturating_add(POCKET)).await?;
		let call = Call::<Runtime>::submit_training { plan, budget };
		let events = self.chain.submit(requester, call).await?;
		let submitted = |event: RuntimeEvent| match event {
			RuntimeEvent::Training(Event::TrainingSubmitted { training, .. }) => Some(training),
			_ => None,
		};
		events.into_iter().find_map(submitted).context("the call made no training")
	}

	/// A training as the chain knows it; none where it is removed already.
	pub async fn training(&self, training: TrainingId) -> Result<Option<Training<AccountId>>> {
		self.chain.read(Trainings::<Runtime>::hashed_key_for(training)).await
	}

	/// Reads a training's events until it has ended, and shows each.
	pub async fn training_ended(
		&self,
		diary: &mut Diary,
		patience: Duration,
		mut show: impl FnMut(&Event<Runtime>),
	) -> Result<Ended> {
		until("the training ends", patience, async || {
			let mut ended = None;
			let events = diary.read_on(&self.chain).await?;
			for event in &events {
				show(event);
				ended = ended.or(Ended::told(event));
			}
			Ok(ended)
		})
		.await
		.with_context(|| self.logs())
	}
}

impl Ended {
	/// How the training ended of which this event tells it.
	pub fn told(event: &Event<Runtime>) -> Option<Self> {
		match event {
			Event::TrainingEnded { reason, rounds, state, money, .. } => {
				Some(Self { reason: *reason, rounds: *rounds, state: *state, money: *money })
			},
			_ => None,
		}
	}
}

impl Diary {
	/// Reads from the block after `block` on.
	pub fn after(block: u32, training: TrainingId) -> Self {
		Self { training, next: block.saturating_add(1) }
	}

	/// The events in blocks that have come since, in order. The chain of one validator has no forks.
	pub async fn read_on(&mut self, chain: &Chain) -> Result<Vec<Event<Runtime>>> {
		let mut events = Vec::new();
		while let Some(block) = chain.block(self.next).await? {
			for record in chain.events(block).await? {
				let RuntimeEvent::Training(event) = record.event else { continue };
				if subject(&event) == Some(self.training) {
					events.push(event);
				}
			}
			self.next = self.next.saturating_add(1);
		}
		Ok(events)
	}
}

/// The training that an event is about.
fn subject(event: &Event<Runtime>) -> Option<TrainingId> {
	match event {
		Event::TrainingSubmitted { training, .. }
		| Event::RoundBegan { training, .. }
		| Event::RoundTrained { training, .. }
		| Event::RoundAggregated { training, .. }
		| Event::EvaluationBegan { training, .. }
		| Event::RoundEvaluated { training, .. }
		| Event::EvaluationFailed { training, .. }
		| Event::TrainingClosing { training, .. }
		| Event::TrainingEnded { training, .. }
		| Event::TrainingPruned { training } => Some(*training),
		_ => None,
	}
}

/// Lays bytes into the folder of a network, under the name by which workers look for them.
pub fn lay(store: &Path, bytes: &[u8]) -> Result<H256> {
	let hash = H256(blake2_256(bytes));
	fs::write(store.join(name(&hash)), bytes)?;
	Ok(hash)
}

/// The bytes with this hash from the folder of a network.
pub fn fetch(store: &Path, hash: &H256) -> Result<Vec<u8>> {
	let path = store.join(name(hash));
	let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
	ensure!(blake2_256(&bytes) == hash.0, "{} is not what its name says", path.display());
	Ok(bytes)
}

/// The name of bytes with this hash: its digits.
pub fn name(hash: &H256) -> String {
	format!("{hash:x}")
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn what_is_laid_into_a_store_is_fetched_from_it() {
		let store = tempfile::tempdir().unwrap();
		let hash = lay(store.path(), b"bytes").unwrap();
		assert_eq!(name(&hash).len(), 64);
		assert_eq!(fetch(store.path(), &hash).unwrap(), b"bytes");
		fs::write(store.path().join(name(&hash)), b"others").unwrap();
		assert!(fetch(store.path(), &hash).is_err());
		assert!(fetch(store.path(), &H256::zero()).is_err());
	}
}
