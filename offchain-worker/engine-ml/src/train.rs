//! Local steps of training, and the change of weights that they make.
//!
//! A step takes the next `batch` rows of the index list, sums their gradients in that order,
//! divides by their number, and lets the optimiser take one step. `micro_batch` says how many of
//! them are in memory at once; it changes no bit of the result.

use crate::{
	dataset::{DatasetError, Shard},
	model::{Model, StateError},
	network::{InputError, Network, MAX_MICRO_BATCH},
	optimiser::{Optimiser, OptimiserError, Rule},
	tensor::State,
};
use serde::{Deserialize, Serialize};

/// Steps that one run may have.
pub const MAX_STEPS: u32 = 100_000;
/// Samples that one step may take.
pub const MAX_BATCH: u32 = 65_536;

/// How a run is cut into steps. The index list has exactly `steps × batch` rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
	/// Steps of the optimiser: 1 to [`MAX_STEPS`].
	pub steps: u32,
	/// Samples of a step: 1 to [`MAX_BATCH`].
	pub batch: u32,
	/// Samples in memory at once: 1 to [`MAX_MICRO_BATCH`].
	pub micro_batch: u32,
}

/// Local steps to be taken.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
	/// What is trained.
	pub model: &'a Model,
	/// The weights to start from.
	pub weights: &'a State,
	/// How rows are cut into steps.
	pub schedule: &'a Schedule,
	/// Where the rows are.
	pub shard: &'a Shard,
	/// Which of them, in their order.
	pub rows: &'a [u32],
}

/// What a run has made of the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
	/// The weights afterwards minus those before.
	pub change: State,
	/// Mean loss of each step's samples, before the step, in nats.
	pub losses: Vec<f64>,
}

/// Why there is no result. Another try would end the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrainError {
	/// A number of the schedule is out of bounds.
	#[error("{field} is {value}; 1 to {most} are allowed")]
	OutOfBounds {
		/// Its name.
		field: &'static str,
		/// Its value.
		value: u32,
		/// The largest allowed.
		most: u32,
	},
	/// The index list has another length.
	#[error("{found} rows are named; {steps} steps of {batch} take exactly {expected}")]
	Indices {
		/// Rows that are named.
		found: usize,
		/// Steps of the schedule.
		steps: u32,
		/// Samples of a step.
		batch: u32,
		/// Rows that this takes.
		expected: u64,
	},
	/// Numbers got too large.
	#[error("step {step}: the {what} is infinite or not a number")]
	NotFinite {
		/// The step, from 0.
		step: usize,
		/// What it is that is not finite.
		what: &'static str,
	},
	/// A step in 32-bit floats is another one than in doubles, by more than honest machines may
	/// differ: numbers cancel out, or are too large for 32 bits alone.
	#[error(
		"32-bit floats are too coarse for this step: doubles give another one, or only one of the \
		 two is finite; scale weights and samples down, or train in the class exact-f64"
	)]
	IllConditioned,
	/// The weights are not the model's.
	#[error(transparent)]
	State(#[from] StateError),
	/// The optimiser refuses.
	#[error(transparent)]
	Optimiser(#[from] OptimiserError),
	/// The rows are not there.
	#[error(transparent)]
	Dataset(#[from] DatasetError),
	/// The rows are not what the model takes.
	#[error(transparent)]
	Input(#[from] InputError),
}

impl Schedule {
	/// Says whether the schedule is within its bounds.
	pub fn check_bounds(&self) -> Result<(), TrainError> {
		let Self { steps, batch, micro_batch } = *self;
		let all = [
			("steps", steps, MAX_STEPS),
			("batch", batch, MAX_BATCH),
			("micro_batch", micro_batch, MAX_MICRO_BATCH),
		];
		let over = all.into_iter().find(|(_, value, most)| !(1..=*most).contains(value));
		match over {
			Some((field, value, most)) => Err(TrainError::OutOfBounds { field, value, most }),
			None => Ok(()),
		}
	}

	/// Says whether the schedule is within its bounds and takes an index list of this length.
	pub fn check(&self, indices: usize) -> Result<(), TrainError> {
		self.check_bounds()?;
		let Self { steps, batch, .. } = *self;
		let expected = u64::from(steps) * u64::from(batch);
		if u64::try_from(indices) != Ok(expected) {
			return Err(TrainError::Indices { found: indices, steps, batch, expected });
		}
		Ok(())
	}
}

/// Trains from `weights` on the rows that `indices` name, in their order. The optimiser starts
/// anew.
pub fn train(
	model: &Model,
	weights: &State,
	rule: Rule,
	schedule: &Schedule,
	shard: &Shard,
	indices: &[u32],
) -> Result<Trained, TrainError> {
	schedule.check(indices.len())?;
	let mut network = Network::new(model, weights.clone())?;
	let mut optimiser = Optimiser::new(rule, weights)?;
	let mut gradient = weights.zeros_like();
	let mut losses = Vec::new();
	let (batch, micro_batch) = (count(schedule.batch), count(schedule.micro_batch));
	for (step, indices) in indices.chunks_exact(batch).enumerate() {
		let loss = mean_gradient(&network, shard, indices, micro_batch, &mut gradient)?;
		let finite = |is: bool, what| is.then_some(()).ok_or(TrainError::NotFinite { step, what });
		finite(loss.is_finite(), "loss")?;
		finite(gradient.is_finite(), "gradient")?;
		optimiser.step(network.weights_mut(), &gradient)?;
		finite(network.weights().is_finite(), "change of a weight")?;
		losses.push(loss);
	}
	let mut change = network.into_weights();
	subtract(&mut change, weights);
	Ok(Trained { change, losses })
}

/// Sets `gradient` to the mean gradient of these rows, which are computed `micro_batch` at a time
/// (1 to [`MAX_MICRO_BATCH`]); their mean loss in nats.
pub fn mean_gradient(
	network: &Network,
	shard: &Shard,
	indices: &[u32],
	micro_batch: usize,
	gradient: &mut State,
) -> Result<f64, TrainError> {
	for_each(gradient, |value| *value = 0.0);
	let mut sum = 0.0_f64;
	for some in indices.chunks(micro_batch.max(1)) {
		let samples = shard.pick(some)?;
		let losses = network.add_gradients(samples.x, &samples.y, gradient)?;
		losses.iter().for_each(|loss| sum += loss);
	}
	let samples = indices.len() as f64;
	for_each(gradient, |value| *value /= samples);
	Ok(sum / samples)
}

/// A number of the schedule as a length, at least one.
pub fn count(number: u32) -> usize {
	usize::try_from(number).unwrap_or(usize::MAX).max(1)
}

/// Does something to each element.
pub(crate) fn for_each(state: &mut State, mut change: impl FnMut(&mut f64)) {
	for (_, tensor) in &mut state.0 {
		tensor.data_mut().iter_mut().for_each(&mut change);
	}
}

fn subtract(state: &mut State, other: &State) {
	for ((_, tensor), (_, other)) in state.0.iter_mut().zip(&other.0) {
		for (value, less) in tensor.data_mut().iter_mut().zip(other.data()) {
			*value -= less;
		}
	}
}
