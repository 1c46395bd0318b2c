//! What a circle of authors knows of the randomness to come: the outputs of its own slots.

use sp_runtime::Perquintill;
use std::collections::VecDeque;
use tequio_primitives::{
	draw::{hits, seed, Purpose},
	terms::rate_per_block,
	AttemptId, WorkHeight,
};
use tequio_runtime_tests::World;

/// Outputs of the coming heights, as if no slot stayed empty; `None` where the author is somebody
/// else.
#[derive(Default)]
pub struct Outlook {
	/// Slot of the first of them.
	first: u64,
	outputs: VecDeque<Option<[u8; 32]>>,
}

/// What is known of the draw of an attempt that is committed in the next block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foresight {
	/// Outputs of the window that are known.
	pub known: u32,
	/// How many of these would have the attempt audited.
	pub hits: u32,
}

/// A lie of the circle on whose audit the chain has still to decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
	/// The attempt.
	pub id: AttemptId,
	/// The height of its commit.
	pub committed: WorkHeight,
	/// Its audit rate.
	pub rate: Perquintill,
}

impl Outlook {
	/// Looks on to the end of the draw window of a commit in the next block, with the keys of the
	/// first `own` authors.
	pub fn look(&mut self, world: &mut World, own: u32, window: u32) {
		if own == 0 {
			return;
		}
		let next = world.slot() + 1;
		while self.first < next {
			self.outputs.pop_front();
			self.first += 1;
			if self.outputs.is_empty() {
				self.first = next;
			}
		}
		let own = usize::try_from(own).unwrap_or(usize::MAX);
		let length = usize::try_from(window).unwrap_or(0) + 1;
		while self.outputs.len() < length {
			let slot = self.first + self.outputs.len() as u64;
			let ours = world.turn(slot) < own;
			self.outputs.push_back(ours.then(|| world.output(slot)));
		}
	}

	/// The output of the next block, if it is the circle's turn.
	pub fn next(&self) -> Option<[u8; 32]> {
		self.outputs.front().copied().flatten()
	}

	/// What is known of the draw of an attempt that is committed in the next block.
	pub fn foresee(&self, id: &AttemptId, rate: Perquintill, window: u32) -> Foresight {
		let threshold = rate_per_block(rate, window);
		let length = usize::try_from(window).unwrap_or(0);
		let mut foresight = Foresight { known: 0, hits: 0 };
		for vrf in self.outputs.iter().skip(1).take(length).flatten() {
			foresight.known += 1;
			foresight.hits += u32::from(hits(&seed(vrf, Purpose::Audit, id), threshold));
		}
		foresight
	}
}

impl Pending {
	/// Whether the output of this height is one of those that decide.
	pub fn depends_on(&self, height: WorkHeight, window: u32) -> bool {
		(self.committed.saturating_add(1)..=self.committed.saturating_add(window)).contains(&height)
	}

	/// Whether such an output has it audited.
	pub fn is_hit(&self, vrf: &[u8; 32], window: u32) -> bool {
		hits(&seed(vrf, Purpose::Audit, &self.id), rate_per_block(self.rate, window))
	}

	/// How likely any such output is to have it audited.
	pub fn chance(&self, window: u32) -> f64 {
		share(rate_per_block(self.rate, window))
	}
}

/// A part as a number from 0 to 1.
#[allow(clippy::cast_precision_loss)] // It is printed with three digits.
pub fn share(part: Perquintill) -> f64 {
	part.deconstruct() as f64 / Perquintill::one().deconstruct() as f64
}
