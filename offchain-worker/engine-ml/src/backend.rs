//! What computes training: the arithmetic behind an engine.
//!
//! The engine around it is the same for all of them: it fetches, checks, rounds, compresses,
//! projects and judges. A backend gets what was checked and gives numbers back, of which only the
//! form is checked. [`Reference`] is the one in this crate; `tequio-engine-torch` has another.

use crate::{
	class::Class,
	dataset::DatasetError,
	descend::descend,
	model::{Model, StateError},
	network::InputError,
	optimiser::{Millionths, OptimiserError, Rule},
	tensor::State,
	train::{train, Steps, TrainError, Trained},
};

/// What computes training.
pub trait Backend {
	/// For people, one line: `plain Rust, 1 thread`.
	fn about(&self) -> String;

	/// Local steps in the numerics profile of a class, [`Class::ExactF64`] or [`Class::ExactF32`]:
	/// see [`train()`].
	fn train(&self, class: Class, rule: Rule, steps: &Steps<'_>) -> Result<Trained, BackendError>;

	/// One step of plain descent, in the class [`Class::BandedF32`]: see [`descend()`]. A backend
	/// in singles takes it in doubles too, and refuses with [`TrainError::IllConditioned`] where
	/// the two are not [close](crate::near::is_well_conditioned): so it hands nothing over that a
	/// referee, who has doubles, would call wrong.
	fn descend(
		&self,
		learning_rate: Millionths,
		steps: &Steps<'_>,
	) -> Result<Descent, BackendError>;

	/// Bytes that it takes beyond what the [cost](crate::Cost::peak_bytes) of a model counts, with
	/// micro-batches of so many samples, at most.
	fn working_bytes(&self, _model: &Model, _micro_batch: u32) -> u64 {
		0
	}
}

/// What one step of plain descent makes of the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Descent {
	/// The weights afterwards minus those before: `−η` times the mean gradient of the batch. Every
	/// element is exactly an f32, and no zero is negative.
	pub change: State,
	/// How large such changes are: `η` times the mean, over the micro-batches, of the L2 norm of a
	/// micro-batch's own mean gradient. Where gradients cancel out, the change is small and this is
	/// not, and honest machines differ by a share of this.
	pub scale: f64,
}

impl Descent {
	/// Whether it has the promised form, for a model of these weights.
	pub(crate) fn is_sound(&self, weights: &State) -> bool {
		let mut elements = self.change.0.iter().flat_map(|(_, tensor)| tensor.data());
		self.change.same_shapes(weights)
			&& self.scale.is_finite()
			&& self.scale >= 0.0
			&& elements.all(|element| element.is_finite() && f64::from(*element as f32) == *element)
	}
}

/// Why a backend has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
	/// The request is at fault, or numbers get too large: another try would end the same way.
	#[error(transparent)]
	Train(#[from] TrainError),
	/// The backend is broken, or not made for this. Its engine ends; another may have a result.
	#[error("the backend fails: {0}")]
	Failed(String),
}

impl From<StateError> for BackendError {
	fn from(error: StateError) -> Self {
		Self::Train(error.into())
	}
}

impl From<OptimiserError> for BackendError {
	fn from(error: OptimiserError) -> Self {
		Self::Train(error.into())
	}
}

impl From<DatasetError> for BackendError {
	fn from(error: DatasetError) -> Self {
		Self::Train(error.into())
	}
}

impl From<InputError> for BackendError {
	fn from(error: InputError) -> Self {
		Self::Train(error.into())
	}
}

/// The backend in pure Rust: doubles, in one order, on one thread. It serves [`Class::ExactF64`],
/// and is what referees measure [`Class::BandedF32`] with. It has no 32-bit arithmetic of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Backend for Reference {
	fn about(&self) -> String {
		"plain Rust, 1 thread".into()
	}

	fn train(&self, class: Class, rule: Rule, steps: &Steps<'_>) -> Result<Trained, BackendError> {
		if class != Class::ExactF64 {
			return Err(BackendError::Failed(format!(
				"the pure-Rust backend has no 32-bit arithmetic for {class}; tequio-engine-torch has"
			)));
		}
		let Steps { model, weights, schedule, shard, rows } = *steps;
		Ok(train(model, weights, rule, schedule, shard, rows)?)
	}

	fn descend(
		&self,
		learning_rate: Millionths,
		steps: &Steps<'_>,
	) -> Result<Descent, BackendError> {
		let Steps { model, weights, schedule, shard, rows } = *steps;
		Ok(descend(model, weights, learning_rate, schedule, shard, rows)?)
	}
}
