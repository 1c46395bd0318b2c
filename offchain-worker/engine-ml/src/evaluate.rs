//! Evaluation: how many rows a model gets right, in integers alone.
//!
//! Losses are rounded row by row and then summed as integers, so that the results of several shards
//! add up to that of all rows, whoever computed them.

use crate::{
	dataset::{DatasetError, Shard},
	loss::{argmax, cross_entropy},
	model::{Model, StateError},
	network::{InputError, Network, MAX_MICRO_BATCH},
	tensor::State,
};

/// Units of loss in a nat.
pub const LOSS_UNITS: u32 = 1 << 20;
/// Loss of one row that is counted at most, in nats. `2³²` rows of it fit into the sum.
pub const MAX_LOSS: u32 = 1 << 11;

/// What a model makes of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
	/// Rows that were looked at.
	pub rows: u32,
	/// Rows whose highest score is that of their label; the lowest class of equal scores counts.
	pub right: u32,
	/// Losses of all rows, each rounded to units of 2⁻²⁰ nat, ties to even, and at most
	/// [`MAX_LOSS`] nats.
	pub loss: u64,
	/// The class found for each row, in the order of the index list.
	pub labels: Vec<u32>,
}

/// Why there is no result. Another try would end the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
	/// Micro-batches have no samples, or too many.
	#[error("micro-batches of {0}; 1 to {MAX_MICRO_BATCH} are allowed")]
	MicroBatch(u32),
	/// There are more rows than can be counted.
	#[error("{0} rows are more than 4294967295")]
	TooManyRows(usize),
	/// Scores got too large.
	#[error("row {index}: a score is infinite or not a number")]
	NotFinite {
		/// The row's index.
		index: u32,
	},
	/// The weights are not the model's.
	#[error(transparent)]
	State(#[from] StateError),
	/// The rows are not there.
	#[error(transparent)]
	Dataset(#[from] DatasetError),
	/// The rows are not what the model takes.
	#[error(transparent)]
	Input(#[from] InputError),
}

/// Evaluates weights on the rows that `indices` name, `micro_batch` at a time; how many at a time
/// changes no bit of the result.
pub fn evaluate(
	model: &Model,
	weights: &State,
	shard: &Shard,
	indices: &[u32],
	micro_batch: u32,
) -> Result<Evaluation, EvaluateError> {
	if !(1..=MAX_MICRO_BATCH).contains(&micro_batch) {
		return Err(EvaluateError::MicroBatch(micro_batch));
	}
	let too_many = |_| EvaluateError::TooManyRows(indices.len());
	let rows = u32::try_from(indices.len()).map_err(too_many)?;
	shard.check(indices)?;
	let network = Network::new(model, weights.clone())?;
	let mut found =
		Evaluation { rows, right: 0, loss: 0, labels: Vec::with_capacity(indices.len()) };
	for some in indices.chunks(usize::try_from(micro_batch).unwrap_or(1)) {
		let samples = shard.pick(some)?;
		let logits = network.logits(samples.x)?;
		let scores = logits.data().chunks_exact(model.classes());
		for ((scores, label), index) in scores.zip(&samples.y).zip(some) {
			found.add(scores, *label, *index)?;
		}
	}
	Ok(found)
}

impl Evaluation {
	/// Counts one row.
	fn add(&mut self, scores: &[f64], label: u32, index: u32) -> Result<(), EvaluateError> {
		let not_finite = EvaluateError::NotFinite { index };
		if !scores.iter().all(|score| score.is_finite()) {
			return Err(not_finite);
		}
		let best = argmax(scores).ok_or(not_finite)?;
		let (loss, _) = cross_entropy(scores, label).map_err(InputError::from)?;
		self.right += u32::from(best == label);
		self.loss = self.loss.saturating_add(units(loss));
		self.labels.push(best);
		Ok(())
	}
}

/// A loss in units, at most [`MAX_LOSS`].
fn units(loss: f64) -> u64 {
	let bounded = loss.clamp(0.0, f64::from(MAX_LOSS));
	// At most 2³¹, so nothing is cut off.
	(bounded * f64::from(LOSS_UNITS)).round_ties_even() as u64
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn losses_are_rounded_to_even_and_bounded() {
		let unit = 1.0 / f64::from(LOSS_UNITS);
		assert_eq!(units(0.0), 0);
		assert_eq!(units(unit), 1);
		assert_eq!(units(0.5 * unit), 0);
		assert_eq!(units(1.5 * unit), 2);
		assert_eq!(units(2.5 * unit), 2);
		assert_eq!(units(1e300), u64::from(MAX_LOSS) * u64::from(LOSS_UNITS));
	}
}
