//! What one shard contributes to a round: local steps, and the blobs that hand their change over.

use crate::{
	backend::{Backend, BackendError, Descent, Reference},
	class::{Class, Unfit},
	compress::{compress, CompressError},
	dataset::Shard,
	grid::GridState,
	index::Index,
	model::Model,
	optimiser::Rule,
	payload::{write_single, Payload},
	projection::{self, project, seed_of},
	safetensors::SafetensorsError,
	tensor::State,
	train::{Schedule, Steps, TrainError},
};
use sp_crypto_hashing::blake2_256;
use tequio_interface::program::Projection;

/// What a shard hands over.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributed {
	/// All of it. [`Payload::Grid`]: the change. [`Payload::TopK`]: payload, residual and their
	/// index.
	/// [`Payload::Single`]: the change, and the [projection](crate::projection) of it. In this
	/// order.
	pub blobs: Vec<Vec<u8>>,
	/// The last of the blobs: the change, the index or the projection.
	pub output: Vec<u8>,
	/// The change, as whoever aggregates reads it.
	pub change: GridState,
	/// What the shard adds to its next change. None: everything was handed over.
	pub residual: Option<GridState>,
	/// The step as it was made, before it was rounded to the grid: [`Payload::Single`] alone.
	pub descent: Option<Descent>,
	/// The projection that is the output: [`Payload::Single`] alone.
	pub projection: Option<Projection>,
	/// Bytes that the change takes as it is handed over, without those of an index or a projection.
	pub payload_bytes: usize,
}

/// Why a shard contributes nothing. Another try would end the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContributeError {
	/// Numbers get too large, for a double or for the grid: a result, not a fault of the input.
	#[error("training diverges: numbers get too large")]
	Diverged,
	/// The training is none of the class.
	#[error(transparent)]
	Unfit(#[from] Unfit),
	/// Training fails otherwise.
	#[error(transparent)]
	Train(TrainError),
	/// The backend fails. Unlike for all other errors, another try may end in another way.
	#[error("the backend fails: {0}")]
	Backend(String),
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

impl From<BackendError> for ContributeError {
	fn from(error: BackendError) -> Self {
		match error {
			BackendError::Train(error) => error.into(),
			BackendError::Failed(reason) => Self::Backend(reason),
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
/// ([`rows_of`](super::rows_of)), and hands the change over: by the [`Reference`], in the class
/// [`Class::BandedF32`] for [`Payload::Single`] and [`Class::ExactF64`] for the others.
///
/// `residual`: what the shard's last change left. None: nothing. [`Payload::Grid`] and
/// [`Payload::Single`] take none, and leave it as it is.
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
	let class = match payload {
		Payload::Grid | Payload::TopK { .. } => Class::ExactF64,
		Payload::Single => Class::BandedF32,
	};
	let steps = Steps { model, weights, schedule, shard, rows };
	contribute_by(&Reference, class, &steps, rule, payload, residual, None)
}

/// The same by any backend and in any class of training. The payload has to fit the class.
///
/// `seed`: what a step in singles is projected by. None: the seed of its own file. For the other
/// payloads it makes no difference.
pub fn contribute_by(
	backend: &dyn Backend,
	class: Class,
	steps: &Steps<'_>,
	rule: Rule,
	payload: Payload,
	residual: Option<&GridState>,
	seed: Option<&[u8; 32]>,
) -> Result<Contributed, ContributeError> {
	let weights = steps.weights;
	payload.check()?;
	class.check_training(steps.schedule, rule, payload)?;
	if residual.is_some_and(|residual| !residual.fits(weights)) {
		return Err(CompressError::OtherShapes.into());
	}
	if let (Payload::Single, Rule::Sgd { learning_rate }) = (payload, rule) {
		let descent = backend.descend(learning_rate, steps)?;
		return step(descent, weights, seed);
	}
	let trained = backend.train(class, rule, steps)?;
	if !trained.change.same_shapes(weights) {
		return Err(other_form());
	}
	// Nothing but an element that is too large keeps a change off the grid.
	let change = GridState::round(&trained.change).map_err(|_| ContributeError::Diverged)?;
	drop(trained);
	match (payload, residual) {
		(Payload::TopK { share }, Some(residual)) => largest(&change, residual, share),
		(Payload::TopK { share }, None) => largest(&change, &GridState::zeros_like(weights), share),
		(Payload::Grid | Payload::Single, _) => whole(change),
	}
}

/// A backend gives something that has not the form of a result.
fn other_form() -> ContributeError {
	ContributeError::Backend("its result has not the form that it should have".into())
}

/// Hands a step over, if it has the form of one, with its projection by a seed or by its own.
fn step(
	descent: Descent,
	weights: &State,
	seed: Option<&[u8; 32]>,
) -> Result<Contributed, ContributeError> {
	if !descent.is_sound(weights) {
		return Err(other_form());
	}
	// Whoever aggregates could do nothing with an element that is beyond the grid.
	let change = GridState::round(&descent.change).map_err(|_| ContributeError::Diverged)?;
	let file = write_single(&descent.change)?;
	let hash = blake2_256(&file);
	let seed = seed.copied().unwrap_or_else(|| seed_of(&hash));
	let projection = project(hash, &descent.change, descent.scale, &seed);
	let projection = projection.ok_or(ContributeError::Diverged)?;
	let output = projection::write(&projection);
	Ok(Contributed {
		payload_bytes: file.len(),
		blobs: vec![file, output.clone()],
		output,
		change,
		residual: None,
		descent: Some(descent),
		projection: Some(projection),
	})
}

fn whole(change: GridState) -> Result<Contributed, ContributeError> {
	let output = change.write()?;
	Ok(Contributed {
		payload_bytes: output.len(),
		blobs: vec![output.clone()],
		output,
		change,
		residual: None,
		descent: None,
		projection: None,
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
		descent: None,
		projection: None,
	})
}
