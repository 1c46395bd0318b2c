//! What the chain tells of the work, block by block, counted.

use anyhow::Result;
use pallet_tasks::Event as TasksEvent;
use pallet_verification::Event as VerificationEvent;
use pallet_workers::Event as WorkersEvent;
use tequio_harness::chain::Chain;
use tequio_primitives::Balance;
use tequio_runtime::RuntimeEvent;

/// Auditors of a search by the rules.
pub const AUDITORS: u32 = 2;
/// Commits and reveals of a chunk: of its worker and of its auditors.
pub const MESSAGES: u32 = 2 * (1 + AUDITORS);

/// Counts of events since a block.
#[derive(Clone, Debug)]
pub struct Chronicle {
	/// Number of the first block that it counts.
	pub first: u32,
	/// Number of the first block that it has not read.
	pub next: u32,
	/// Commits, of workers, auditors and referees.
	pub commits: u32,
	/// Reveals, of workers, auditors and referees.
	pub reveals: u32,
	/// Number of the last block with a reveal.
	pub last_reveal: u32,
	/// Deadlines that passed without a commit.
	pub missed: u32,
	/// What they cost the owners, in the token's smallest unit.
	pub fines: Balance,
	/// Owners slashed.
	pub slashed: u32,
	/// Chunks that a device handed back.
	pub declined: u32,
	/// Chunks that were given out again.
	pub reopened: u32,
}

impl Chronicle {
	/// Counts from the coming block on.
	pub async fn begin(chain: &Chain) -> Result<Self> {
		let next = chain.number(chain.best().await?).await?.saturating_add(1);
		Ok(Self {
			first: next,
			next,
			commits: 0,
			reveals: 0,
			last_reveal: 0,
			missed: 0,
			fines: 0,
			slashed: 0,
			declined: 0,
			reopened: 0,
		})
	}

	/// Reads the blocks that have come since. The chain of one validator has no forks.
	pub async fn read_on(&mut self, chain: &Chain) -> Result<()> {
		self.read_each(chain, |_| ()).await
	}

	/// The same, and shows each event.
	pub async fn read_each(
		&mut self,
		chain: &Chain,
		mut show: impl FnMut(&RuntimeEvent),
	) -> Result<()> {
		while let Some(block) = chain.block(self.next).await? {
			for record in chain.events(block).await? {
				self.note(&record.event);
				show(&record.event);
			}
			self.next += 1;
		}
		Ok(())
	}

	/// Commits and reveals.
	pub fn messages(&self) -> u32 {
		self.commits + self.reveals
	}

	fn note(&mut self, event: &RuntimeEvent) {
		match event {
			RuntimeEvent::Verification(VerificationEvent::Committed { .. }) => self.commits += 1,
			RuntimeEvent::Verification(VerificationEvent::Revealed { .. }) => {
				self.reveals += 1;
				self.last_reveal = self.next;
			},
			RuntimeEvent::Workers(WorkersEvent::Missed { fine, .. }) => {
				self.missed += 1;
				self.fines += fine;
			},
			RuntimeEvent::Workers(WorkersEvent::Slashed { .. }) => self.slashed += 1,
			RuntimeEvent::Tasks(TasksEvent::ChunkDeclined { .. }) => self.declined += 1,
			RuntimeEvent::Tasks(TasksEvent::ChunkReopened { .. }) => self.reopened += 1,
			_ => {},
		}
	}
}
