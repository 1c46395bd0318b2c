//! Devices that answer whatever they are asked, at once, and agree with each other. They read the
//! events of each block, as an explorer does, and know from these what they owe.

use super::{count, hand_in, Count};
use crate::{
	blocks::{Block, Blocks},
	search,
};
use anyhow::{anyhow, Context, Result};
use codec::Encode;
use pallet_tasks::TaskSpec;
use pallet_verification::types::{Batch, CommitItem, RevealItem};
use pallet_workers::{Availability, CurrentRules, Devices, Offer, Offers, SeatHolders, Seats};
use sp_io::hashing::blake2_256;
use std::{collections::BTreeMap, time::Duration};
use tequio_harness::{
	accounts::{Account, Device},
	chain::Chain,
	network::Network,
	transactions::signed,
	waiting::until,
};
use tequio_primitives::{
	claim::Claim,
	commitment::commitment,
	device::proof_message,
	opening::Opening,
	search::{SearchOpening, SearchSpec, Shares},
	AttemptId, Balance, Duty, Role, TaskId, WorkClass, MAX_BATCH, TEQ,
};
use tequio_runtime::{AccountId, Nonce, Runtime, RuntimeCall, RuntimeEvent};

/// Owners, and devices of each of them: more slots than a block gives out chunks while one is
/// checked.
const OWNERS: usize = 128;
const DEVICES: usize = 4;
/// What an owner has besides its stake.
const POCKET: Balance = 10 * TEQ;
/// Hashes that a device advertises per block: enough for every deadline.
const RATE: u32 = 1_000_000;
/// Tasks at a time, and chunks in each: more than can be done in a measurement.
const TASKS: u32 = 8;
const CHUNKS: u32 = 8_192;
/// Nonces in a chunk, each of them a share: a claim has as many entries as in ordinary work.
const NONCES: u16 = 64;
/// Pay per hash, in the token's smallest unit.
const PRICE: Balance = TEQ / 1_000_000;
/// More than all tasks can lock.
const ESCROW: Balance = 100_000 * TEQ;
/// Blocks for a chunk.
const DEADLINE: u32 = 32;
/// For owners to have seats and devices to be accepting.
const READY: Duration = Duration::from_secs(300);
/// Blocks in which what is in hand comes to its end.
const DRAIN: u32 = 60;
/// Hides every opening equally badly.
const SALT: [u8; 32] = [7; 32];

/// One device and its count of transactions.
struct Hand {
	key: Device,
	nonce: Nonce,
}

/// What one device has to say about a block.
#[derive(Default)]
struct Owed {
	commits: Vec<CommitItem>,
	reveals: Vec<RevealItem>,
}

/// All devices.
pub struct Fleet<'a> {
	network: &'a Network,
	/// A connection of its own, so that looking at blocks waits for no transaction.
	client: Chain,
	requester: Account,
	spec: SearchSpec,
	hands: BTreeMap<AccountId, Hand>,
	/// Who has a part in an attempt that is not judged yet.
	attempts: BTreeMap<AttemptId, Vec<(AccountId, Role)>>,
	answered: usize,
	transactions: usize,
	refused: usize,
}

/// How the devices are asked.
pub fn about() -> String {
	format!(
		"{OWNERS} owners with {DEVICES} devices each; {TASKS} tasks at a time; chunks of {NONCES} \
		 nonces, all of them shares; no limit of the genesis is raised"
	)
}

impl<'a> Fleet<'a> {
	/// Registers everybody and waits until all can be drawn.
	pub async fn enroll(network: &'a Network) -> Result<Self> {
		let mut fleet = Self {
			network,
			client: network.client().await?,
			requester: Account::from_uri("//Requester")?,
			spec: search::spec(CHUNKS, NONCES.into(), NONCES)?,
			hands: BTreeMap::new(),
			attempts: BTreeMap::new(),
			answered: 0,
			transactions: 0,
			refused: 0,
		};
		network.fund(&[fleet.requester.id()], ESCROW).await?;
		let owners = fleet.register().await?;
		fleet.signal().await?;
		fleet.ready(&owners).await?;
		Ok(fleet)
	}

	async fn register(&mut self) -> Result<Vec<AccountId>> {
		let chain = &self.network.chain;
		let rules = chain.read(CurrentRules::<Runtime>::hashed_key()).await?;
		let rules: pallet_workers::Rules = rules.unwrap_or_default();
		let stake = rules.seat_stake.saturating_mul(2);
		let new = |number| Account::from_uri(&format!("//Fleet{number}"));
		let owners: Vec<_> = (0..OWNERS).map(new).collect::<Result<_>>()?;
		let ids: Vec<_> = owners.iter().map(Account::id).collect();
		self.network.fund(&ids, stake.saturating_add(POCKET)).await?;
		let mut pending = Vec::new();
		for owner in &owners {
			let mut calls = vec![registration(owner, stake)?];
			for number in 0..DEVICES {
				let key = Device::from_uri(&format!("//{}//device{number}", owner.name()))?;
				calls.push(addition(owner, &key, &chain.genesis));
				self.hands.insert(key.id(), Hand { key, nonce: 0 });
			}
			pending.push(chain.send(owner, batch(calls)).await?);
		}
		for call in pending {
			chain.included(call).await?;
		}
		Ok(ids)
	}

	/// Has every device say that it accepts work.
	async fn signal(&mut self) -> Result<()> {
		let genesis = self.client.genesis;
		let signal = |hand: &mut Hand| {
			let call = pallet_workers::Call::set_accepting { accepting: true };
			hand.sign(RuntimeCall::Workers(call), genesis)
		};
		let signals: Vec<_> = self.hands.values_mut().map(signal).collect();
		hand_in(&self.client, &signals).await
	}

	async fn ready(&self, owners: &[AccountId]) -> Result<()> {
		let mut idle: Vec<_> = self.hands.keys().collect();
		until("every device can be drawn", READY, async || {
			while let Some(device) = idle.last() {
				let key = Devices::<Runtime>::hashed_key_for(*device);
				let device: Option<pallet_workers::Device<AccountId>> =
					self.client.read(key).await?;
				let state = device.context("a device is not registered")?.availability;
				if state != Availability::Accepting {
					return Ok(None);
				}
				idle.pop();
			}
			let key = Seats::<Runtime>::hashed_key_for(WorkClass::RandomXSearch);
			let seats: SeatHolders<AccountId> = self.client.read(key).await?.unwrap_or_default();
			let seated = |owner: &AccountId| seats.iter().any(|holder| holder.owner == *owner);
			Ok(owners.iter().all(seated).then_some(()))
		})
		.await
	}

	/// Works for so many seconds and counts results that were paid; then finishes what is in hand.
	pub async fn work(&mut self, seconds: u32) -> Result<Count> {
		let network = self.network;
		let tasks = self.submit().await?;
		let mut blocks = Blocks::after_best(&network.chain).await?;
		let counted =
			count(&mut blocks, seconds, is_paid, async |block: &Block| self.answer(block).await)
				.await?;
		let cancel = |task| RuntimeCall::Tasks(pallet_tasks::Call::cancel_task { task });
		let calls = tasks.into_iter().map(cancel).collect();
		network.chain.submit(&self.requester, batch(calls)).await?;
		for _ in 0..DRAIN {
			self.answer(&blocks.next().await?).await?;
			if self.attempts.is_empty() {
				break;
			}
		}
		// What is left has missed its deadline, or will.
		self.attempts.clear();
		Ok(counted)
	}

	/// How the devices fared.
	pub fn tally(&self) -> String {
		let Self { answered, transactions, refused, .. } = self;
		format!(
			"{answered} commits and reveals in {transactions} transactions, of which the node \
			 refused {refused}"
		)
	}

	/// Submits all tasks at once.
	async fn submit(&self) -> Result<Vec<TaskId>> {
		let submit = |_| {
			RuntimeCall::Tasks(pallet_tasks::Call::submit_task {
				spec: TaskSpec::RandomXSearch(self.spec.clone()),
				price: PRICE,
				deadline: DEADLINE,
				bonus: 0,
			})
		};
		let calls = (0..TASKS).map(submit).collect();
		let events = self.network.chain.submit(&self.requester, batch(calls)).await?;
		let submitted = events.into_iter().filter_map(|event| match event {
			RuntimeEvent::Tasks(pallet_tasks::Event::TaskSubmitted { task, .. }) => Some(task),
			_ => None,
		});
		Ok(submitted.collect())
	}

	/// Sends what the devices owe after a block.
	async fn answer(&mut self, block: &Block) -> Result<()> {
		let mut owed = BTreeMap::new();
		for event in &block.events {
			self.note(event, &mut owed)?;
		}
		let mut transactions = Vec::new();
		for (device, Owed { commits, reveals }) in owed {
			let Some(hand) = self.hands.get_mut(&device) else { continue };
			self.answered += commits.len() + reveals.len();
			for items in batches(commits) {
				let call = pallet_verification::Call::commit { items };
				let call = hand.sign(RuntimeCall::Verification(call), self.client.genesis);
				transactions.push((device.clone(), call));
			}
			for items in batches(reveals) {
				let call = pallet_verification::Call::reveal { items };
				let call = hand.sign(RuntimeCall::Verification(call), self.client.genesis);
				transactions.push((device.clone(), call));
			}
		}
		self.deliver(transactions).await
	}

	async fn deliver(&mut self, transactions: Vec<(AccountId, String)>) -> Result<()> {
		self.transactions += transactions.len();
		for some in transactions.chunks(super::AT_ONCE) {
			let deliveries = some.iter().map(|(_, transaction)| self.client.hand_in(transaction));
			let delivered = futures::future::join_all(deliveries).await;
			for ((device, _), outcome) in some.iter().zip(delivered) {
				if outcome.is_ok() {
					continue;
				}
				self.refused += 1;
				let nonce = self.client.next_nonce(device).await?;
				if let Some(hand) = self.hands.get_mut(device) {
					hand.nonce = nonce;
				}
			}
		}
		Ok(())
	}

	/// Adds what follows from an event to what is owed.
	fn note(&mut self, event: &RuntimeEvent, owed: &mut BTreeMap<AccountId, Owed>) -> Result<()> {
		match event {
			RuntimeEvent::Tasks(pallet_tasks::Event::ChunkAssigned { id, device, .. }) => {
				self.take_part(*id, Role::Worker, device, owed)
			},
			RuntimeEvent::Verification(pallet_verification::Event::AuditorDrawn {
				id,
				device,
				..
			}) => self.take_part(*id, Role::Auditor, device, owed),
			RuntimeEvent::Verification(pallet_verification::Event::RevealsOpened { id }) => {
				let opening = opening(&self.shares(id)?);
				for (device, role) in self.attempts.get(id).into_iter().flatten() {
					let item =
						RevealItem { id: *id, role: *role, opening: opening.clone(), salt: SALT };
					owed.entry(device.clone()).or_default().reveals.push(item);
				}
				Ok(())
			},
			RuntimeEvent::Verification(pallet_verification::Event::Judged { id, .. })
			| RuntimeEvent::Tasks(pallet_tasks::Event::AssignmentMissed { id, .. }) => {
				self.attempts.remove(id);
				Ok(())
			},
			_ => Ok(()),
		}
	}

	fn take_part(
		&mut self,
		id: AttemptId,
		role: Role,
		device: &AccountId,
		owed: &mut BTreeMap<AccountId, Owed>,
	) -> Result<()> {
		let shares = self.shares(&id)?;
		let digest = opening(&shares).digest();
		let duty = Duty { id, role };
		let bytes: [u8; 32] = device.clone().into();
		let commitment = commitment(&self.client.genesis, &duty, &bytes, &digest, &SALT);
		let claim = if role == Role::Worker { Claim::Shares(shares) } else { Claim::Nothing };
		let commits = &mut owed.entry(device.clone()).or_default().commits;
		commits.push(CommitItem { id, role, claim, commitment });
		self.attempts.entry(id).or_default().push((device.clone(), role));
		Ok(())
	}

	/// Every nonce of the chunk: each is a share.
	fn shares(&self, id: &AttemptId) -> Result<Shares> {
		let range = self.spec.range(id.chunk.index);
		let nonces: Vec<_> = (range.start..).take(NONCES.into()).collect();
		Shares::try_from(nonces).map_err(|_| anyhow!("a claim is too long"))
	}
}

impl Hand {
	fn sign(&mut self, call: RuntimeCall, genesis: sp_core::H256) -> String {
		let transaction = signed(&self.key, call, self.nonce, 0, genesis);
		self.nonce += 1;
		transaction
	}
}

/// What everybody in an attempt shows: the same, and nothing wrong.
fn opening(claimed: &Shares) -> Opening {
	Opening::Search(SearchOpening {
		shares: blake2_256(&claimed.encode()).into(),
		winners: Default::default(),
		faults: Default::default(),
	})
}

/// All calls or none.
fn batch(calls: Vec<RuntimeCall>) -> pallet_utility::Call<Runtime> {
	pallet_utility::Call::batch_all { calls }
}

fn batches<Item: Clone>(items: Vec<Item>) -> Vec<Batch<Item>> {
	let most = usize::try_from(MAX_BATCH).unwrap_or(usize::MAX);
	items.chunks(most).map(|some| Batch::truncate_from(some.to_vec())).collect()
}

fn registration(owner: &Account, stake: Balance) -> Result<RuntimeCall> {
	let offer = Offer { class: WorkClass::RandomXSearch, ask: PRICE, rate: RATE };
	let offers = Offers::try_from(vec![offer]).map_err(|_| anyhow!("too many offers"))?;
	let call = pallet_workers::Call::register { offers, stake, payout: owner.id() };
	Ok(RuntimeCall::Workers(call))
}

fn addition(owner: &Account, device: &Device, genesis: &sp_core::H256) -> RuntimeCall {
	let proof = device.sign(&proof_message(genesis, &owner.id()));
	RuntimeCall::Workers(pallet_workers::Call::add_device { device: device.id(), proof })
}

fn is_paid(event: &RuntimeEvent) -> bool {
	matches!(event, RuntimeEvent::Tasks(pallet_tasks::Event::ChunkPaid { .. }))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn batches_are_no_longer_than_the_chain_takes() {
		let lengths: Vec<_> = batches(vec![0u8; 150]).iter().map(|batch| batch.len()).collect();
		assert_eq!(lengths, [64, 64, 22]);
		assert!(batches(Vec::<u8>::new()).is_empty());
	}

	#[test]
	fn openings_differ_with_the_claim() {
		let shares = |nonces: &[u32]| Shares::truncate_from(nonces.to_vec());
		assert_eq!(opening(&shares(&[1, 2])), opening(&shares(&[1, 2])));
		assert_ne!(opening(&shares(&[1, 2])), opening(&shares(&[1, 3])));
	}
}
