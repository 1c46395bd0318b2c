//! What a simulation says.

use crate::{
	ledger::{signed, Ledger},
	statistics::{Interval, Sample},
	strategy::in_values,
};
use std::fmt;

/// What came of a strategy. Money is in chunks' pay.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
	/// The strategy.
	pub name: &'static str,
	/// Chunks that were given out and have ended.
	pub chunks: u32,
	/// Numbers in the sample.
	pub counted: u32,
	/// Expected profit of each, against doing nothing.
	pub profit: Interval,
	/// Wrong results that workers committed.
	pub lies: u32,
	/// Of these, how many were paid for.
	pub wrong_paid: u32,
	/// 1 − q: the part of them that may be, by the terms on which they were assigned.
	pub bound: f64,
	/// What requesters paid for wrong results.
	pub lost: f64,
	/// Results paid for although their worker was slashed for them.
	pub paid_and_slashed: u32,
	/// Slashes of those who did what they should.
	pub honest_slashed: u32,
	/// What those lost, fines included.
	pub harm: f64,
	/// What the circle's owners have gained or lost, less what the events say of it, in the token's
	/// smallest unit.
	pub unexplained: i128,
	/// Blocks that were made.
	pub blocks: u32,
	/// Blocks that the circle withheld.
	pub withheld: u32,
}

impl Outcome {
	pub(crate) fn new(
		name: &'static str,
		ledger: &Ledger,
		sample: &Sample,
		unexplained: i128,
		(blocks, withheld): (u32, u32),
	) -> Self {
		let convictions = ledger.convictions / f64::from(ledger.lies.max(1));
		Self {
			name,
			chunks: ledger.ended,
			counted: sample.number(),
			profit: sample.interval(),
			lies: ledger.lies,
			wrong_paid: ledger.wrong_paid,
			bound: 1.0 - convictions,
			lost: in_values(signed(ledger.lost)),
			paid_and_slashed: ledger.paid_and_slashed,
			honest_slashed: ledger.honest_slashed,
			harm: in_values(signed(ledger.harm)),
			unexplained,
			blocks,
			withheld,
		}
	}

	/// The part of all wrong results that was paid for.
	pub fn wrong_rate(&self) -> f64 {
		f64::from(self.wrong_paid) / f64::from(self.lies.max(1))
	}
}

impl fmt::Display for Outcome {
	fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
		let Self { name, chunks, counted, lies, wrong_paid, bound, lost, .. } = self;
		let Interval { low, mean, high } = self.profit;
		write!(
			formatter,
			"{name}: {chunks} chunks in {} blocks, {counted} counted, ",
			self.blocks
		)?;
		write!(formatter, "profit {mean:.3} V ({low:.3} to {high:.3}); ")?;
		if *lies > 0 {
			let rate = self.wrong_rate();
			write!(formatter, "{wrong_paid} of {lies} wrong results paid: {rate:.3}, ")?;
			write!(formatter, "bound {bound:.3}; requester's loss {lost:.0} V; ")?;
		}
		if self.withheld > 0 {
			write!(formatter, "{} blocks withheld; ", self.withheld)?;
		}
		write!(formatter, "honest slashed {}, harm {:.2} V", self.honest_slashed, self.harm)
	}
}
