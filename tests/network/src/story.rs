//! A network that works for tasks, and what must hold when one has ended.

use anyhow::{anyhow, ensure, Context, Result};
use pallet_rewards::Contribution;
use pallet_workers::{CollateralLedger, Ledger, Worker, Workers};
use serde_json::Value;
use sp_core::H256;
use std::{ops::Range, time::Duration};
use tequio_harness::{
	accounts::Account,
	enrolment::Terms,
	network::{Network, NodePlan, Plan},
	requests::{Request, TaskSpec},
	waiting::until,
};
use tequio_primitives::{
	api::TaskSummary,
	search::{SearchSpec, MIN_LAMBDA},
	stage::Stage,
	Balance, Role, TaskId, WorkClass, TEQ,
};
use tequio_runtime::{AccountId, Runtime};

/// The shortest deadline that the chain knows, in blocks.
pub const SHORT_DEADLINE: u32 = 16;
/// Pay per unit, a nonce of a search, in the token's smallest unit.
pub const PRICE: Balance = TEQ / 1_000;
/// Units that the devices say they do in a block.
const RATE: u32 = 128;
/// For something to be under way.
const SOON: Duration = Duration::from_secs(180);

/// A network and somebody who pays it.
pub struct Story {
	/// The network.
	pub network: Network,
	/// Who pays.
	pub requester: Account,
}

/// A search without a winner.
#[derive(Clone, Copy, Debug)]
pub struct Search {
	/// Chunks.
	pub chunks: u32,
	/// Nonces in each.
	pub nonces: u32,
	/// Blocks for each.
	pub deadline: u32,
}

/// Work that the chain has taken.
#[derive(Clone, Copy, Debug)]
pub struct Order {
	/// Its task.
	pub task: TaskId,
	/// Its chunks.
	pub chunks: u32,
}

impl Story {
	/// Starts nodes and enrolls their owners for searches. `genesis` is laid over the development
	/// preset; seats count from the next block on in any case, so that nobody waits for them.
	pub async fn begin(nodes: Vec<NodePlan>, genesis: Value) -> Result<Self> {
		Self::begin_for(vec![WorkClass::RandomXSearch], nodes, genesis).await
	}

	/// The same, with owners who offer work of other classes, and a folder of what programs need.
	pub async fn begin_for(
		classes: Vec<WorkClass>,
		nodes: Vec<NodePlan>,
		mut genesis: Value,
	) -> Result<Self> {
		genesis["workers"]["rules"]["seat_period"] = 1.into();
		let store = classes.iter().any(|class| *class != WorkClass::RandomXSearch);
		let plan = Plan { folder: None, nodes, genesis: Some(genesis), store };
		let mut network = Network::start(&plan).await?;
		network.enroll(&Terms { classes, ask: 1, rate: RATE, stake: 0 }).await?;
		Ok(Self { network, requester: Account::from_uri("//Requester")? })
	}

	/// Submits a search.
	pub async fn order(&self, search: Search) -> Result<Order> {
		self.submit(request(&search)?).await
	}

	/// Submits work of any class.
	pub async fn submit(&self, request: Request) -> Result<Order> {
		let chunks = request.spec.chunks();
		let task = self.network.submit_task(&self.requester, request).await?;
		Ok(Order { task, chunks })
	}

	/// Waits for one of these nodes to have a chunk to compute.
	pub async fn busy_node(&self, among: Range<usize>) -> Result<usize> {
		until("a chunk is computed", SOON, async || self.computing(&among).await)
			.await
			.with_context(|| self.network.logs())
	}

	async fn computing(&self, among: &Range<usize>) -> Result<Option<usize>> {
		let computes = |role, stage| role == Role::Worker && stage == Stage::Assigned;
		for place in among.clone() {
			for owner in self.network.nodes.get(place).into_iter().flat_map(|node| &node.owners) {
				let duties = self.network.chain.duties(&owner.device.id()).await?;
				if duties.iter().any(|status| computes(status.duty.role, status.stage)) {
					return Ok(Some(place));
				}
			}
		}
		Ok(None)
	}

	/// Waits for the end of a task, and sees that every chunk was done and paid and all money is
	/// accounted for. Returns what all owners did and got together.
	pub async fn ends_well(&self, order: &Order, patience: Duration) -> Result<Contribution> {
		let (summary, done) = self.ends(order, patience).await?;
		ensure!(
			summary.chunks.paid == order.chunks,
			"chunks were not done: {summary:?}\n{}",
			self.network.logs()
		);
		Ok(done)
	}

	/// Waits for the end of a task, and sees that all money is accounted for. Returns how the task
	/// stands, and what all owners did and got together.
	pub async fn ends(
		&self,
		order: &Order,
		patience: Duration,
	) -> Result<(TaskSummary<AccountId>, Contribution)> {
		let summary = self.network.ended(order.task, patience).await?;
		ensure!(summary.books.in_escrow() == Some(0), "the books do not balance: {summary:?}");
		let held = self.network.chain.balance(&self.requester.id()).await?.reserved;
		ensure!(held == 0, "{held} of the requester's money is still held");

		let done = self.contributions(order.task).await?;
		ensure!(
			(done.paid, done.audit_paid) == (summary.books.paid, summary.books.audit),
			"the owners' records and the books differ: {done:?}, {summary:?}"
		);
		ensure!(done.paid == Balance::from(done.units) * PRICE, "units were not paid: {done:?}");
		self.expect_collateral().await?;
		Ok((summary, done))
	}

	/// Fails where collateral was lost.
	pub async fn expect_collateral(&self) -> Result<()> {
		// Referees are dismissed after the verdict: both are read at one block.
		let block = self.network.chain.best().await?;
		let (ledger, bound) = (self.ledger_at(block).await?, self.bound_at(block).await?);
		let gone = ledger.released + ledger.compensation + ledger.bounty + ledger.burned;
		ensure!(ledger.engaged == gone + bound, "collateral is lost: {ledger:?}, {bound} bound");
		Ok(())
	}

	/// Where collateral went.
	pub async fn ledger(&self) -> Result<CollateralLedger> {
		self.ledger_at(self.network.chain.best().await?).await
	}

	async fn ledger_at(&self, block: H256) -> Result<CollateralLedger> {
		let key = Ledger::<Runtime>::hashed_key();
		Ok(self.network.chain.read_at(key, Some(block)).await?.unwrap_or_default())
	}

	/// What all owners did for a task, and got for it.
	pub async fn contributions(&self, task: TaskId) -> Result<Contribution> {
		let mut sum = Contribution::default();
		for owner in self.network.owners() {
			let Contribution { chunks, units, paid, audits, audit_paid } =
				self.network.contribution(task, owner).await?;
			sum = Contribution {
				chunks: sum.chunks + chunks,
				units: sum.units + units,
				paid: sum.paid + paid,
				audits: sum.audits + audits,
				audit_paid: sum.audit_paid + audit_paid,
			};
		}
		Ok(sum)
	}

	/// Stake that answers for duties.
	async fn bound_at(&self, block: H256) -> Result<Balance> {
		let mut sum = 0;
		for owner in self.network.owners() {
			let key = Workers::<Runtime>::hashed_key_for(owner.account.id());
			let worker: Option<Worker<AccountId>> =
				self.network.chain.read_at(key, Some(block)).await?;
			sum += worker.map(|worker| worker.collateral).unwrap_or_default();
		}
		Ok(sum)
	}
}

fn request(search: &Search) -> Result<Request> {
	let mut target = [0; 32];
	// One hash in 2¹²⁸.
	target[16] = 1;
	let spec = SearchSpec {
		seed: *b"tequio network tests, seed of 32",
		template: vec![0; 76].try_into().map_err(|_| anyhow!("the template is too long"))?,
		nonce_offset: 39,
		start: 0,
		count: search.chunks * search.nonces,
		target,
		chunk_size: search.nonces,
		lambda: u16::try_from(MIN_LAMBDA)?,
	};
	let spec = TaskSpec::RandomXSearch(spec);
	Ok(Request { spec, price: PRICE, deadline: search.deadline, bonus: 0 })
}
