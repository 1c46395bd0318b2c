//! How the contributions of a round become new weights: [`aggregate`](mod@crate::aggregate), then the
//! outer step.

use super::MAX_SHARDS;
use crate::{
	aggregate::{
		aggregate,
		outer::{Outer, OuterError},
		AggregateError, Contribution, Method,
	},
	compress::CompressError,
	index::Index,
	model::{Model, StateError},
	payload::Payload,
	safetensors::{write_state, SafetensorsError},
	tensor::State,
};
use std::iter;

/// The state after a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Combined {
	/// The new weights.
	pub weights: State,
	/// The outer momentum for the next round.
	pub momentum: State,
	/// What is handed over: weights, momentum and their index, in this order.
	pub blobs: Vec<Vec<u8>>,
	/// The last of the blobs: the index.
	pub output: Vec<u8>,
}

/// Why there is no new state. Another try would end the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
	/// Weights or momentum leave the numbers: a result, not a fault of the input.
	#[error("the outer step diverges: numbers get too large")]
	Diverged,
	/// There are none, or too many, missing ones included.
	#[error("{0} contributions; 1 to {MAX_SHARDS} are combined")]
	Contributions(usize),
	/// There are more or fewer than the program has.
	#[error("{found} contributions; the program has {expected}")]
	Number {
		/// Contributions, missing ones included.
		found: usize,
		/// Contributions that the program has.
		expected: usize,
	},
	/// One was trained on nothing.
	#[error("contribution {0} was trained on no samples; each takes one or more")]
	NoSamples(usize),
	/// All of them are missing, or no changes of the model.
	#[error("all contributions are missing or no changes of the model")]
	NothingThere,
	/// The share that is kept of a change is out of bounds.
	#[error(transparent)]
	Share(#[from] CompressError),
	/// The contributions cannot be aggregated.
	#[error(transparent)]
	Aggregate(#[from] AggregateError),
	/// The outer step has a number out of bounds.
	#[error(transparent)]
	Outer(OuterError),
	/// Weights or momentum are not the model's.
	#[error(transparent)]
	State(#[from] StateError),
	/// A blob cannot be written.
	#[error(transparent)]
	Safetensors(#[from] SafetensorsError),
}

impl From<OuterError> for CombineError {
	fn from(error: OuterError) -> Self {
		match error {
			OuterError::NotFinite(_) => Self::Diverged,
			other => Self::Outer(other),
		}
	}
}

/// Says whether contributions of so many samples each can be combined like this, as long as enough
/// of them are there.
pub fn check_combination(
	samples: &[u32],
	payload: Payload,
	method: impl Into<Method>,
	outer: Outer,
) -> Result<(), CombineError> {
	let contributions = samples.len();
	if !(1..=MAX_SHARDS).contains(&contributions) {
		return Err(CombineError::Contributions(contributions));
	}
	if let Some(contribution) = samples.iter().position(|samples| *samples == 0) {
		return Err(CombineError::NoSamples(contribution));
	}
	payload.check()?;
	method.into().check(contributions)?;
	outer.check()?;
	Ok(())
}

/// Makes the state after a round of the one before it and of what the shards contributed: for each
/// its payload ([`Contributed::payload`](super::Contributed::payload)), or None where it is missing.
/// One that is no change of the model is left out like a missing one.
///
/// That a step in singles is the one that its output projects is for the caller to see to
/// ([`is_of`](crate::projection::is_of)): here is no output.
///
/// `samples`: what each was trained on, its weight in a mean; that of one left out counts for
/// nothing. `momentum`: zeros in the first round.
// Each of them is a part of the program on its own.
#[allow(clippy::too_many_arguments)]
pub fn combine(
	model: &Model,
	weights: &State,
	momentum: &State,
	contributions: &[Option<Vec<u8>>],
	samples: &[u32],
	payload: Payload,
	method: impl Into<Method>,
	outer: Outer,
) -> Result<Combined, CombineError> {
	let method = method.into();
	check_combination(samples, payload, method, outer)?;
	if contributions.len() != samples.len() {
		let (found, expected) = (contributions.len(), samples.len());
		return Err(CombineError::Number { found, expected });
	}
	model.check(weights)?;
	model.check(momentum)?;
	let change = aggregated(weights, contributions, samples, payload, method)?;
	let (weights, momentum) = outer.step(weights, momentum, &change)?;
	let (first, second) = (write_state(&weights)?, write_state(&momentum)?);
	let output = Index::of(&first, &second).write();
	Ok(Combined { weights, momentum, blobs: vec![first, second, output.clone()], output })
}

/// One change of those that are there.
///
/// Whether bytes are a change of the model is in the bytes, so all who aggregate leave out the same
/// ones. Were the aggregation refused for them, a single worker whom nobody audits could end a
/// training by handing over anything.
fn aggregated(
	weights: &State,
	contributions: &[Option<Vec<u8>>],
	samples: &[u32],
	payload: Payload,
	method: Method,
) -> Result<State, CombineError> {
	let mut changes = Vec::with_capacity(contributions.len());
	for (bytes, samples) in iter::zip(contributions, samples) {
		let Some(bytes) = bytes else { continue };
		if let Ok(change) = payload.read(bytes, weights) {
			changes.push((change.to_state(), *samples));
		}
	}
	if changes.is_empty() {
		return Err(CombineError::NothingThere);
	}
	let present: Vec<Contribution<'_>> = changes
		.iter()
		.map(|(change, samples)| Contribution { change, samples: *samples })
		.collect();
	Ok(aggregate(&present, method)?.change)
}
