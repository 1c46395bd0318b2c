//! The order in which rows are trained on.

use anyhow::Result;
use tequio_engine_ml::dataset::Shard;
use tequio_harness::numbers::SplitMix64;

/// The rows of a shard, shuffled anew for each pass.
#[derive(Clone, Debug)]
pub struct Order {
	rows: Vec<u32>,
	numbers: SplitMix64,
}

impl Order {
	/// The order that a seed gives.
	pub fn new(shard: &Shard, seed: u64) -> Result<Self> {
		let rows = u32::try_from(shard.rows())?;
		Ok(Self { rows: (0..rows).collect(), numbers: SplitMix64::new(seed) })
	}

	/// The rows of the next passes: in each the first `length` of all, which are others each time.
	pub fn passes(&mut self, passes: u32, length: usize) -> Vec<u32> {
		let mut rows = Vec::new();
		for _ in 0..passes {
			self.numbers.shuffle(&mut self.rows);
			rows.extend(self.rows.iter().take(length));
		}
		rows
	}
}
