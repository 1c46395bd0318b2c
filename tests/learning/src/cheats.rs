//! Ways of cheating in one chunk of training.
//!
//! They are the smallest of their kind that gain something, or that do harm: one sample of one step
//! less, one label changed, one step less, one round too old, 1 % more.

use crate::arithmetic::{mapped, minus};
use anyhow::{bail, Context, Result};
use sp_crypto_hashing::blake2_256;
use std::{convert::identity, iter};
use tequio_engine_ml::{
	compress::compress,
	dataset::{Samples, Shard},
	grid::{GridState, GridTensor, MAX_UNITS},
	index::Index,
	round::contribute,
	safetensors::{write, Source, Values},
	train,
	train::mean_gradient,
	Model, Network, Optimiser, Payload, Rule, Schedule, State,
};

/// How much a poisoner overdoes it, and in which direction.
const POISON: i64 = -10;
/// What a scaled change is multiplied with.
const SCALE: f64 = 1.01;

/// A chunk of training.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
	/// The model.
	pub model: &'a Model,
	/// The weights to start from.
	pub weights: &'a State,
	/// Those of the round before.
	pub stale: &'a State,
	/// The samples.
	pub shard: &'a Shard,
	/// Which of them, in the order of training.
	pub rows: &'a [u32],
	/// How they are cut into steps, of which there are two or more.
	pub schedule: Schedule,
	/// The optimiser.
	pub rule: Rule,
}

/// A way of cheating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
	/// The first step leaves out a sample.
	DroppedSample,
	/// The first sample has another label.
	WrongLabel,
	/// The weights are those of the round before.
	StaleWeights,
	/// Gradients are computed from weights of 8 significant bits and rounded to as many; the steps
	/// add up in doubles (mixed precision).
	Bf16,
	/// The last step is left out.
	FewerSteps,
	/// The change is 1 % larger.
	ScaledUpdate,
}

impl Cheat {
	/// All of them.
	pub const ALL: [Self; 6] = [
		Self::DroppedSample,
		Self::WrongLabel,
		Self::StaleWeights,
		Self::Bf16,
		Self::FewerSteps,
		Self::ScaledUpdate,
	];

	/// A few words for it.
	pub fn name(self) -> &'static str {
		match self {
			Self::DroppedSample => "one sample dropped",
			Self::WrongLabel => "one label wrong",
			Self::StaleWeights => "weights of the round before",
			Self::Bf16 => "bf16 arithmetic",
			Self::FewerSteps => "one step less",
			Self::ScaledUpdate => "change times 1.01",
		}
	}

	/// The change that a cheat claims.
	pub fn commit(self, chunk: &Chunk<'_>) -> Result<GridState> {
		match self {
			Self::DroppedSample => chunk.without_a_sample(),
			Self::WrongLabel => Chunk { shard: &chunk.relabelled()?, ..*chunk }.change(),
			Self::StaleWeights => Chunk { weights: chunk.stale, ..*chunk }.change(),
			Self::Bf16 => chunk.step_by_step(chunk.steps(), bf16),
			Self::FewerSteps => chunk.without_a_step(),
			Self::ScaledUpdate => chunk.scaled(),
		}
	}
}

impl<'a> Chunk<'a> {
	/// The change that the engine computes.
	pub fn change(&self) -> Result<GridState> {
		let Self { model, weights, shard, rows, rule, .. } = *self;
		let schedule = &self.schedule;
		Ok(contribute(model, weights, shard, rows, schedule, rule, Payload::Grid, None)?.change)
	}

	/// The rows of each step.
	pub fn steps(&self) -> impl Iterator<Item = &'a [u32]> {
		self.rows.chunks_exact(self.schedule.batch.max(1) as usize)
	}

	/// Trains as the engine does, but for what a cheat makes of it: the rows of each step, and how
	/// the numbers are rounded from which gradients come, and those themselves.
	pub fn step_by_step<'r>(
		&self,
		steps: impl Iterator<Item = &'r [u32]>,
		rounding: fn(f64) -> f64,
	) -> Result<GridState> {
		let mut weights = self.weights.clone();
		let mut optimiser = Optimiser::new(self.rule, &weights)?;
		let mut gradient = weights.zeros_like();
		let micro_batch = usize::try_from(self.schedule.micro_batch)?;
		for rows in steps {
			let network = Network::new(self.model, mapped(&weights, rounding))?;
			mean_gradient(&network, self.shard, rows, micro_batch, &mut gradient)?;
			optimiser.step(&mut weights, &mapped(&gradient, rounding))?;
		}
		Ok(GridState::round(&minus(&weights, self.weights))?)
	}

	fn without_a_sample(&self) -> Result<GridState> {
		let mut steps = self.steps();
		let first = steps.next().and_then(|rows| rows.get(1..)).context("there are no rows")?;
		self.step_by_step(iter::once(first).chain(steps), identity)
	}

	fn without_a_step(&self) -> Result<GridState> {
		let Schedule { steps, batch, micro_batch } = self.schedule;
		let left = self.rows.len().checked_sub(batch as usize);
		let rows = left.and_then(|left| self.rows.get(..left)).context("there are no rows")?;
		let schedule = Schedule { steps: steps.saturating_sub(1), batch, micro_batch };
		Chunk { rows, schedule, ..*self }.change()
	}

	fn scaled(&self) -> Result<GridState> {
		let Self { model, weights, shard, rows, rule, .. } = *self;
		let trained = train(model, weights, rule, &self.schedule, shard, rows)?;
		Ok(GridState::round(&mapped(&trained.change, |value| value * SCALE))?)
	}

	/// The shard with another label for the first row that is trained on.
	fn relabelled(&self) -> Result<Shard> {
		let (Samples { x, y }, classes) = (self.shard.samples(), self.shard.classes());
		let mut labels: Vec<i64> = y.iter().map(|label| i64::from(*label)).collect();
		let row = self.rows.first().context("there are no rows")?;
		let label = labels.get_mut(usize::try_from(*row)?).context("there is no such row")?;
		*label = (*label + 1) % i64::from(classes);
		let number = [labels.len()];
		let bytes = write(&[
			Source { name: "x", shape: x.shape(), values: Values::F64(x.data()) },
			Source { name: "y", shape: &number, values: Values::I64(&labels) },
		])?;
		Ok(Shard::read(&bytes, bytes.len(), classes)?)
	}
}

/// The hash that a chunk with this change is paid for, where nothing was left from the round before.
pub fn output(change: &GridState, payload: Payload) -> Result<[u8; 32]> {
	let bytes = match payload {
		Payload::Grid => change.write()?,
		Payload::Single => bail!("steps of descent are tried by the tests of engine-torch"),
		Payload::TopK { share } => {
			let nothing = GridState::zeros_like(&change.to_state());
			let compressed = compress(change, &nothing, share)?;
			Index::of(&compressed.bytes, &compressed.residual.write()?).write()
		},
	};
	Ok(blake2_256(&bytes))
}

/// Ten times a change, backwards, as a payload.
pub fn poison(change: &GridState) -> Result<Vec<u8>> {
	let tensors = change.0.iter().map(|(name, tensor)| -> Result<_> {
		let units = tensor.units().iter();
		let units = units.map(|units| (units * POISON).clamp(-MAX_UNITS, MAX_UNITS)).collect();
		let poisoned = GridTensor::new(tensor.shape().to_vec(), units);
		Ok((name.clone(), poisoned.context("the shape is the same, and the units are clamped")?))
	});
	Ok(GridState(tensors.collect::<Result<_>>()?).write()?)
}

/// The nearest number of 8 significant bits, ties to even.
fn bf16(number: f64) -> f64 {
	let bits = (number as f32).to_bits();
	let half = 0x7fff + ((bits >> 16) & 1);
	f64::from(f32::from_bits(bits.wrapping_add(half) & 0xffff_0000))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn bf16_has_eight_bits() {
		for (number, rounded) in [
			(1.0, 1.0),
			(-0.15625, -0.15625),
			// One and 1, 2 or 3 halves of the last bit.
			(1.003_906_25, 1.0),
			(1.007_812_5, 1.007_812_5),
			(1.011_718_75, 1.015_625),
			(0.0, 0.0),
		] {
			assert_eq!(bf16(number), rounded, "{number}");
		}
	}
}
