//! # Stories on networks of real processes
//!
//! Each test starts a validator, worker nodes, worker processes and engines of its own, and lets
//! something go wrong. They run one at a time ([`alone`]): every one of them needs the whole
//! machine.
//!
//! | file | story |
//! | --- | --- |
//! | `tests/kill.rs` | a worker process, its node, or its engine is killed in the middle of a chunk |
//! | `tests/liar.rs` | an engine invents its results |
//! | `tests/bad_input.rs` | nodes and worker processes that cannot work say why |
//! | `src/bin/lying_engine.rs` | the engine that invents |

use anyhow::{anyhow, ensure, Result};
use pallet_workers::CollateralLedger;
use std::time::Duration;
use tequio_harness::{
	accounts::Account,
	enrolment::Terms,
	network::{Network, NodePlan, Plan},
	requests::Request,
};
use tequio_primitives::{
	search::{SearchSpec, MIN_LAMBDA},
	stage::Stage,
	Balance, Role, TaskId, TEQ,
};
use tequio_runtime::Runtime;
use tokio::sync::{Mutex, MutexGuard};

/// Nonces in a chunk: some four seconds of work.
const CHUNK: u32 = 128;
/// The shortest deadline that the chain knows, in blocks.
const DEADLINE: u32 = 16;
/// A deadline missed by a worker, then some by its auditors, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// Waits until no other story of this test program runs.
pub async fn alone() -> MutexGuard<'static, ()> {
	static TURN: Mutex<()> = Mutex::const_new(());
	TURN.lock().await
}

/// A network that works for one task.
pub struct Story {
	/// The network.
	pub network: Network,
	/// Who pays.
	pub requester: Account,
	/// For what.
	pub task: TaskId,
	chunks: u32,
}

impl Story {
	/// Starts nodes, enrolls their owners, and submits a task that nothing wins.
	pub async fn begin(nodes: Vec<NodePlan>, chunks: u32) -> Result<Self> {
		let mut network = Network::start(&Plan { folder: None, nodes }).await?;
		network.enroll(&Terms { ask: 1, rate: CHUNK, stake: 0 }).await?;
		let requester = Account::from_uri("//Requester")?;
		let task = network.submit_task(&requester, request(chunks)?).await?;
		Ok(Self { network, requester, task, chunks })
	}

	/// A node that computes a chunk now.
	pub async fn busy_node(&self) -> Result<usize> {
		let look = || self.computing();
		self.network.chain.wait_for("a chunk is computed", Duration::from_secs(60), look).await
	}

	async fn computing(&self) -> Result<Option<usize>> {
		for (place, node) in self.network.nodes.iter().enumerate() {
			for owner in &node.owners {
				let duties = self.network.chain.duties(&owner.device.id()).await?;
				let computes = |role, stage| role == Role::Worker && stage == Stage::Assigned;
				if duties.iter().any(|status| computes(status.duty.role, status.stage)) {
					return Ok(Some(place));
				}
			}
		}
		Ok(None)
	}

	/// Waits for the end of the task, and sees that every chunk was done and paid and all money is
	/// accounted for.
	pub async fn ends_well(&self) -> Result<()> {
		let summary = self.network.ended(self.task, PATIENCE).await?;
		ensure!(summary.chunks.paid == self.chunks, "chunks were not done: {summary:?}");
		ensure!(summary.books.in_escrow() == Some(0), "the books do not balance: {summary:?}");
		let held = self.network.chain.balance(&self.requester.id()).await?.reserved;
		ensure!(held == 0, "{held} of the requester's money is still held");

		let (mut paid, mut audit, mut bound): (Balance, Balance, Balance) = (0, 0, 0);
		for owner in self.network.owners() {
			let done = self.network.contribution(self.task, owner).await?;
			paid += done.paid;
			audit += done.audit_paid;
			bound += self
				.network
				.worker(owner)
				.await?
				.map(|worker| worker.collateral)
				.unwrap_or_default();
		}
		ensure!(
			(paid, audit) == (summary.books.paid, summary.books.audit),
			"the owners were paid {paid} and {audit}"
		);
		let ledger = self.ledger().await?;
		let gone = ledger.released + ledger.compensation + ledger.bounty + ledger.burned;
		ensure!(ledger.engaged == gone + bound, "collateral is lost: {ledger:?}, {bound} bound");
		Ok(())
	}

	/// Where collateral went.
	pub async fn ledger(&self) -> Result<CollateralLedger> {
		let key = pallet_workers::Ledger::<Runtime>::hashed_key();
		Ok(self.network.chain.read(key).await?.unwrap_or_default())
	}
}

/// A node with honest engines.
pub fn honest(owners: u32) -> NodePlan {
	NodePlan { owners, engines: None }
}

fn request(chunks: u32) -> Result<Request> {
	let mut target = [0; 32];
	// One hash in 2¹²⁸.
	target[16] = 1;
	let spec = SearchSpec {
		seed: *b"tequio network tests, seed of 32",
		template: vec![0; 76].try_into().map_err(|_| anyhow!("the template is too long"))?,
		nonce_offset: 39,
		start: 0,
		count: chunks * CHUNK,
		target,
		chunk_size: CHUNK,
		lambda: u16::try_from(MIN_LAMBDA)?,
	};
	Ok(Request { spec, price: TEQ / 1_000, deadline: DEADLINE, bonus: 0 })
}
