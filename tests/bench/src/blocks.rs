//! The blocks of a chain, one after the other. For chains of one validator, which have no forks.

use anyhow::Result;
use std::time::Duration;
use tequio_harness::{chain::Chain, waiting::until};
use tequio_runtime::{Runtime, RuntimeEvent};

/// For the next block: twenty slots.
const PATIENCE: Duration = Duration::from_secs(60);

/// What happened in a block.
pub struct Block {
	/// Its number.
	pub number: u32,
	/// Its time, in milliseconds.
	pub time: u64,
	/// Its events.
	pub events: Vec<RuntimeEvent>,
}

/// Blocks from the best one of the beginning on.
pub struct Blocks<'a> {
	chain: &'a Chain,
	last: u32,
}

impl<'a> Blocks<'a> {
	/// Those after the present best one.
	pub async fn after_best(chain: &'a Chain) -> Result<Self> {
		let last = chain.number(chain.best().await?).await?;
		Ok(Self { chain, last })
	}

	/// The next one; waits for it.
	pub async fn next(&mut self) -> Result<Block> {
		let number = self.last + 1;
		let hash =
			until(&format!("block {number}"), PATIENCE, async || self.chain.block(number).await)
				.await?;
		self.last = number;
		let time = pallet_timestamp::Now::<Runtime>::hashed_key();
		let time = self.chain.read_at(time, Some(hash)).await?.unwrap_or_default();
		let records = self.chain.events(hash).await?;
		let events = records.into_iter().map(|record| record.event).collect();
		Ok(Block { number, time, events })
	}
}
