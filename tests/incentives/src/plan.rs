//! What is simulated: who takes part, under which rules, and for how long.

use crate::{strategies::cartel::Cartel, strategy::Strategy};
use serde_json::{json, Value};
use sp_runtime::Perquintill;
use tequio_primitives::{terms::Adversary, WorkClass};

/// What one number of the sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
	/// What an attempt brings the circle in which one of it does something else than it should.
	Deviations,
	/// What an attempt brings the circle that one of it computes.
	Work,
	/// What the circle's tasks bring it, per chunk, from one moment to the next in which none runs.
	Rounds,
}

/// A simulation.
#[derive(Clone)]
pub struct Plan {
	/// The strategy's name.
	pub name: &'static str,
	/// The strategy.
	pub strategy: fn() -> Box<dyn Strategy>,
	/// Owners, all with the same stake; before those of the circle divide theirs.
	pub owners: u32,
	/// Percent of them who belong to the circle.
	pub members: u32,
	/// Into how many owners each of these divides its stake.
	pub split: u32,
	/// Percent of them who help it.
	pub helpers: u32,
	/// Authors of the circle, out of ten.
	pub slots: u32,
	/// Class of the work.
	pub class: WorkClass,
	/// What is counted.
	pub counted: Counted,
	/// Whether an honest requester has work for everybody.
	pub supply: bool,
	/// Whether all but the circle ask for as much as the honest requester pays, and the circle for
	/// next to nothing.
	pub undercut: bool,
	/// Least chance of an audit.
	pub floor: Perquintill,
	/// What the collateral is derived from.
	pub adversary: Adversary,
	/// Where the random numbers begin.
	pub seed: u64,
	/// Chunks at most.
	pub chunks: u32,
	/// Numbers in the sample before it is looked at.
	pub least: u32,
	/// Whether it stops as soon as the sample is decided.
	pub stops_early: bool,
}

impl Plan {
	/// Sixty owners, of whom 30 % follow a strategy and nobody makes blocks; production's rules; ten
	/// thousand chunks, or as many as it takes.
	pub fn new(name: &'static str, strategy: fn() -> Box<dyn Strategy>) -> Self {
		Self {
			name,
			strategy,
			owners: 60,
			members: 30,
			split: 1,
			helpers: 0,
			slots: 0,
			class: WorkClass::ExactF64,
			counted: Counted::Deviations,
			supply: true,
			undercut: false,
			floor: Perquintill::from_percent(20),
			adversary: Adversary::default(),
			seed: 1,
			chunks: 10_000,
			least: 200,
			stops_early: true,
		}
	}

	/// The cartel that the curves are drawn for.
	pub fn cartel() -> Self {
		Self::new("colluding owners 30 %", || Box::new(Cartel::patient()))
	}

	/// So many percent of the owners, rounded.
	pub fn part(&self, percent: u32) -> u32 {
		(self.owners * percent + 50) / 100
	}

	/// What the genesis says of rules: production's numbers for audits and panels, and short periods,
	/// so that there are fewer blocks to make.
	pub fn patch(&self) -> Value {
		// As many audits as bring the rate down to the floor, if they are of equal chunks.
		let audits = self.floor.saturating_reciprocal_mul_ceil(1u64).max(10);
		json!({
			"workers": { "rules": { "seat_period": 5, "signal_period": 3 } },
			"verification": { "rules": {
				"draw_window": 8,
				"chance_window": 15,
				"reveal_period": 4,
				"appeal_period": 3,
				"programs": { "floor": self.floor },
				"adversary": self.adversary,
				"trust": { "audits": audits },
			} },
			"tasks": { "rules": { "challenge_period": 2, "task_lifetime": 10_000_000u32 } },
		})
	}
}
