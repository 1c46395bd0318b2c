//! A rich spammer with a registered device: it fills blocks with calls that it pays for, and feigns
//! such as are free.

use anyhow::{anyhow, ensure, Result};
use pallet_verification::types::{Batch, CommitItem, RevealItem};
use sp_core::H256;
use std::{convert::Infallible, time::Duration};
use tequio_harness::{
	accounts::{Account, Signer},
	chain::Chain,
	enrolment::Terms,
	network::{Network, Owner},
	transactions::signed,
};
use tequio_primitives::{
	claim::Claim,
	opening::Opening,
	search::{Faults, SearchOpening, Shares, Winners},
	AttemptId, Balance, ChunkId, Role, TaskId, WorkClass, TEQ,
};
use tequio_runtime::{Nonce, Runtime, RuntimeCall};

/// Bytes of a remark: fourteen fill the part of a block that is for paying calls.
pub const REMARK: usize = 256 * 1024;
/// Transfers in a batch. Like the results below, few enough for remarks to fill the rest.
const TRANSFERS: usize = 100;
/// Commits or reveals in a call.
const RESULTS: u32 = 8;
/// Remarks that wait for a block, of each of two accounts: three blocks' worth.
const REMARKS_WAITING: u32 = 20;
/// Batches of transfers, commits or reveals that wait, of each account.
const BATCHES_WAITING: u32 = 2;
/// What the spammer adds to each fee, hundreds of times the fee itself.
const TIP: Balance = 100 * TEQ;
/// Calls shorter than this, in hex digits, are handed in once more: devices send such.
const REPEATED: usize = 8 * 1024;
/// Pause between two rounds.
const PAUSE: Duration = Duration::from_millis(500);

/// The spammer.
pub struct Spammer {
	chain: Chain,
	/// Who sends remarks.
	writers: [Account; 2],
	/// Who sends batches of transfers.
	movers: [Account; 2],
	/// Who sends commits that it does not owe, and pays for them.
	committer: Account,
	/// Who sends reveals that it does not owe, and pays for them.
	revealer: Account,
	/// An owner whose device gets no work, because nobody pays what it asks.
	pub owner: Owner,
	/// Number of the last block whose calls were handed in again.
	repeated: u32,
	/// Calls handed in.
	pub tried: u32,
	/// Those that the node did not take.
	pub refused: u32,
}

impl Spammer {
	/// Registers with a device.
	pub async fn enlist(network: &Network) -> Result<Self> {
		let owner = Owner::new("//Spammer")?;
		let classes = vec![WorkClass::RandomXSearch];
		let terms = Terms { classes, ask: Balance::MAX, rate: 1, stake: 0 };
		network.enlist(&[&owner], &terms).await?;
		let account = Account::from_uri;
		Ok(Self {
			chain: network.client().await?,
			writers: [account("//Bob")?, account("//Charlie")?],
			movers: [account("//Dave")?, account("//Eve")?],
			committer: account("//Ferdie")?,
			revealer: account("//One")?,
			owner,
			repeated: 0,
			tried: 0,
			refused: 0,
		})
	}

	/// Spams without end, and feigns results for a task.
	pub async fn spam(&mut self, task: TaskId) -> Result<Infallible> {
		let (commits, reveals) = (commits(task)?, reveals(task)?);
		loop {
			for writer in self.writers.clone() {
				self.keep_waiting(&writer, REMARKS_WAITING, remark()).await?;
			}
			for mover in self.movers.clone() {
				self.keep_waiting(&mover, BATCHES_WAITING, transfers(&mover)).await?;
			}
			let (committer, revealer) = (self.committer.clone(), self.revealer.clone());
			self.keep_waiting(&committer, BATCHES_WAITING, commits.clone()).await?;
			self.keep_waiting(&revealer, BATCHES_WAITING, reveals.clone()).await?;
			self.feign(&[&commits, &reveals]).await?;
			self.repeat().await?;
			tokio::time::sleep(PAUSE).await;
		}
	}

	/// Sends a call as often as it takes for so many of the payer's calls to wait for a block.
	async fn keep_waiting(
		&mut self,
		payer: &Account,
		waiting: u32,
		call: RuntimeCall,
	) -> Result<()> {
		let next = self.chain.next_nonce(&payer.id()).await?;
		let done = self.chain.account(&payer.id()).await?.nonce;
		for nonce in next..done.saturating_add(waiting) {
			if !self.send(payer, &call, nonce, TIP).await? {
				// What the pool has no room for now it may have in the next round.
				break;
			}
		}
		Ok(())
	}

	/// Has the device, which has no money, signal one thing and its opposite, twice each, and send
	/// results that it does not owe.
	async fn feign(&mut self, results: &[&RuntimeCall]) -> Result<()> {
		let device = self.owner.device.clone();
		let nonce = self.chain.next_nonce(&device.id()).await?;
		for accepting in [true, false] {
			let call: RuntimeCall =
				pallet_workers::Call::<Runtime>::set_accepting { accepting }.into();
			for nonce in [nonce, nonce, nonce.saturating_add(1)] {
				self.send(&device, &call, nonce, 0).await?;
			}
		}
		for call in results {
			let taken = self.send(&device, call, nonce, 0).await?;
			ensure!(!taken, "a result that nobody owes was taken for free: {call:?}");
		}
		Ok(())
	}

	/// Hands in once more what the last block holds.
	async fn repeat(&mut self) -> Result<()> {
		let block = self.chain.best().await?;
		let number = self.chain.number(block).await?;
		if number == self.repeated {
			return Ok(());
		}
		self.repeated = number;
		let all = self.chain.extrinsics(block).await?;
		for extrinsic in all.iter().filter(|extrinsic| extrinsic.len() < REPEATED) {
			self.hand_in(extrinsic).await?;
		}
		Ok(())
	}

	async fn send(
		&mut self,
		signer: &impl Signer,
		call: &RuntimeCall,
		nonce: Nonce,
		tip: Balance,
	) -> Result<bool> {
		let extrinsic = signed(signer, call.clone(), nonce, tip, self.chain.genesis);
		self.hand_in(&extrinsic).await
	}

	/// Whether the node took it.
	async fn hand_in(&mut self, extrinsic: &str) -> Result<bool> {
		let taken = self.chain.hand_in(extrinsic).await?.is_ok();
		self.tried += 1;
		self.refused += u32::from(!taken);
		Ok(taken)
	}
}

fn remark() -> RuntimeCall {
	frame_system::Call::<Runtime>::remark { remark: vec![7; REMARK] }.into()
}

/// Many transfers to oneself.
fn transfers(mover: &Account) -> RuntimeCall {
	let dest = mover.id().into();
	let transfer: RuntimeCall =
		pallet_balances::Call::<Runtime>::transfer_keep_alive { dest, value: 1 }.into();
	let calls = vec![transfer; TRANSFERS];
	pallet_utility::Call::<Runtime>::batch { calls }.into()
}

/// First attempts at the chunks of a task.
fn attempts(task: TaskId) -> impl Iterator<Item = AttemptId> {
	(0..RESULTS).map(move |index| AttemptId { chunk: ChunkId { task, index }, attempt: 0 })
}

fn commits(task: TaskId) -> Result<RuntimeCall> {
	let commit = |id| CommitItem {
		id,
		role: Role::Worker,
		claim: Claim::Shares(Shares::new()),
		commitment: H256::repeat_byte(7),
	};
	let items: Vec<_> = attempts(task).map(commit).collect();
	let items = Batch::try_from(items).map_err(|_| anyhow!("the batch is too long"))?;
	Ok(pallet_verification::Call::<Runtime>::commit { items }.into())
}

fn reveals(task: TaskId) -> Result<RuntimeCall> {
	let opening = Opening::Search(SearchOpening {
		shares: H256::repeat_byte(7),
		winners: Winners::default(),
		faults: Faults::default(),
	});
	let reveal =
		|id| RevealItem { id, role: Role::Auditor, opening: opening.clone(), salt: [7; 32] };
	let items: Vec<_> = attempts(task).map(reveal).collect();
	let items = Batch::try_from(items).map_err(|_| anyhow!("the batch is too long"))?;
	Ok(pallet_verification::Call::<Runtime>::reveal { items }.into())
}
