//! What one shard contributes to a round: local steps, and the blobs that hand their change over.

use crate::{
	compress::{compress, CompressError},
	dataset::Shard,
	grid::GridState,
	index::Index,
	model::Model,
	optimiser::Rule,
	payload::Payload,
	safetensors::SafetensorsError,
	tensor::State,
	train::{train, Schedule, TrainError},
};

/// What a shard hands over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributed {
	/// All of it. [`Payload::Grid`]: the change. [`Payload::TopK`]: payload, residual and their index,
	/// in this order.
	pub blobs: Vec<Vec<u8>>,
	/// The last of the blobs: the change, or the index.
	pub output: Vec<u8>,
	/// The change, as whoever aggregates reads it.
	pub change: GridState,
	/// What the shard adds to its next change. None: everything was handed over.
	pub residual: Option<GridState>,
	/// Bytes that the change takes as it is handed over, without those of an index.
	pub payload_bytes: usize,
}

/// Why a shard contributes nothing. Another try would end the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContributeError {
	/// Numbers get too large, for a double or for the grid: a result, not a fault of the input.
	#[error("training diverges: numbers get too large")]
	Diverged,
	/// Training fails otherwise.
	#[error(transparent)]
	Train(TrainError),
	/// The share is out of bounds, or the residual is not one of this model.
	#[error(transparent)]
	Compress(CompressError),
	/// A blob cannot be written.
	#[error(transparent)]
	Safetensors(#[from] SafetensorsError),
}

impl From<TrainError> for ContributeError {
	fn from(error: TrainError) -> Self {
		match error {
			TrainError::NotFinite { .. } => Self::Diverged,
			other => Self::Train(other),
		}
	}
}

impl From<CompressError> for ContributeError {
	fn from(error: CompressError) -> Self {
		match error {
			CompressError::OutOfRange { .. } => Self::Diverged,
			other => Self::Compress(other),
		}
	}
}

impl Contributed {
	/// What [`combine()`](super::combine()) takes of it.
	pub fn payload(&self) -> &[u8] {
		self.blobs.first().map(Vec::as_slice).unwrap_or_default()
	}
}

/// Trains one shard from `weights` on the rows that `rows` names, those of one round
/// ([`rows_of`](super::rows_of)), and hands the change over.
///
/// `residual`: what the shard's last change left. None: nothing. [`Payload::Grid`] takes none, and
/// leaves it as it is.
// Each of them is a part of the program on its own.
#[allow(clippy::too_many_arguments)]
pub fn contribute(
	model: &Model,
	weights: &State,
	shard: &Shard,
	rows: &[u32],
	schedule: &Schedule,
	rule: Rule,
	payload: Payload,
	residual: Option<&GridState>,
) -> Result<Contributed, ContributeError> {
	payload.check()?;
	if residual.is_some_and(|residual| !residual.fits(weights)) {
		return Err(CompressError::OtherShapes.into());
	}
	let trained = train(model, weights, rule, schedule, shard, rows)?;
	// Nothing but an element that is too large keeps a change off the grid.
	let change = GridState::round(&trained.change).map_err(|_| ContributeError::Diverged)?;
	drop(trained);
	match (payload, residual) {
		(Payload::Grid, _) => whole(change),
		(Payload::TopK { share }, Some(residual)) => largest(&change, residual, share),
		(Payload::TopK { share }, None) => largest(&change, &GridState::zeros_like(weights), share),
	}
}

fn whole(change: GridState) -> Result<Contributed, ContributeError> {
	let output = change.write()?;
	Ok(Contributed {
		payload_bytes: output.len(),
		blobs: vec![output.clone()],
		output,
		change,
		residual: None,
	})
}

fn largest(
	change: &GridState,
	residual: &GridState,
	share: u32,
) -> Result<Contributed, ContributeError> {
	let compressed = compress(change, residual, share)?;
	let left = compressed.residual.write()?;
	let output = Index::of(&compressed.bytes, &left).write();
	Ok(Contributed {
		payload_bytes: compressed.bytes.len(),
		blobs: vec![compressed.bytes, left, output.clone()],
		output,
		change: compressed.change,
		residual: Some(compressed.residual),
	})
}
