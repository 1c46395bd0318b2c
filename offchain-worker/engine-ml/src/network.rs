//! A model with its weights: scores, losses and gradients of micro-batches.

use crate::{
	dataset::Samples,
	layers::Chain,
	loss::{cross_entropy, NoSuchClass},
	model::{Model, StateError},
	tensor::{State, Tensor},
};

/// Samples that one micro-batch may have.
pub const MAX_MICRO_BATCH: u32 = 4_096;

/// Why a micro-batch cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
	/// There are no samples, or too many.
	#[error("{0} samples; a micro-batch has 1 to {MAX_MICRO_BATCH}")]
	Samples(usize),
	/// Samples have another shape than the model's input.
	#[error("samples of shape {found:?}; the model takes {expected:?}")]
	Shape {
		/// Shape of these samples.
		found: Vec<usize>,
		/// Shape of the model's.
		expected: Vec<usize>,
	},
	/// An element is infinite or not a number, or would be in the floats that are computed with.
	#[error("the input holds an infinity or a NaN, or a number too large for the class's floats")]
	NotFinite,
	/// An index is not a whole number below the size of the vocabulary.
	#[error("the input holds an index that is not a whole number below {vocabulary}")]
	NoSuchToken {
		/// Rows of the table that it should pick from.
		vocabulary: u32,
	},
	/// There are not as many labels as samples.
	#[error("{samples} samples with {labels} labels")]
	Labels {
		/// Samples.
		samples: usize,
		/// Labels.
		labels: usize,
	},
	/// A label is none of the model's classes.
	#[error(transparent)]
	NoSuchClass(#[from] NoSuchClass),
}

/// A model with weights that fit it.
#[derive(Debug)]
pub struct Network {
	chain: Chain,
	weights: State,
	input: Vec<usize>,
	classes: usize,
	vocabulary: Option<u32>,
}

impl Network {
	/// Puts weights into a model, if they are its own: names, order and shapes, all finite.
	pub fn new(model: &Model, weights: State) -> Result<Self, StateError> {
		model.check(&weights)?;
		Ok(Self {
			chain: Chain::new(model.nodes()),
			weights,
			input: model.input().to_vec(),
			classes: model.classes(),
			vocabulary: model.vocabulary(),
		})
	}

	/// The weights.
	pub fn weights(&self) -> &State {
		&self.weights
	}

	/// Takes the weights out again.
	pub fn into_weights(self) -> State {
		self.weights
	}

	pub(crate) fn weights_mut(&mut self) -> &mut State {
		&mut self.weights
	}

	/// Scores `[samples, classes]` of a micro-batch `[samples, …]`.
	pub fn logits(&self, inputs: Tensor) -> Result<Tensor, InputError> {
		self.check(&inputs)?;
		Ok(self.chain.infer(&self.weights.0, inputs))
	}

	/// The loss of each sample of a micro-batch, in nats. Adds their gradients, undivided, to
	/// `into`, which has the shapes of the weights.
	pub fn add_gradients(
		&self,
		inputs: Tensor,
		labels: &[u32],
		into: &mut State,
	) -> Result<Vec<f64>, InputError> {
		let samples = self.check(&inputs)?;
		if samples != labels.len() {
			return Err(InputError::Labels { samples, labels: labels.len() });
		}
		let (logits, kept) = self.chain.forward(&self.weights.0, inputs);
		let mut gradient = Tensor::zeros(logits.shape());
		let mut losses = Vec::with_capacity(samples);
		let rows = logits.data().chunks_exact(self.classes);
		let targets = gradient.data_mut().chunks_exact_mut(self.classes);
		for ((row, target), label) in rows.zip(targets).zip(labels) {
			let (loss, slope) = cross_entropy(row, *label)?;
			target.iter_mut().zip(slope).for_each(|(value, set)| *value = set);
			losses.push(loss);
		}
		self.chain.backward(&self.weights.0, kept, gradient, &mut into.0);
		Ok(losses)
	}

	/// Samples of a micro-batch, if it is one of this model.
	fn check(&self, inputs: &Tensor) -> Result<usize, InputError> {
		check_inputs(&self.input, self.vocabulary, inputs)
	}
}

/// Says whether a model can be trained on these samples at once: [`Network::add_gradients`] refuses
/// the same, and so has every other backend to.
pub fn check_micro_batch(model: &Model, samples: &Samples) -> Result<(), InputError> {
	let rows = check_inputs(model.input(), model.vocabulary(), &samples.x)?;
	if rows != samples.y.len() {
		return Err(InputError::Labels { samples: rows, labels: samples.y.len() });
	}
	let classes = model.classes();
	let known = |label: u32| usize::try_from(label).is_ok_and(|label| label < classes);
	match samples.y.iter().find(|label| !known(**label)) {
		Some(label) => Err(NoSuchClass { label: *label, classes }.into()),
		None => Ok(()),
	}
}

/// Samples of a micro-batch, if they have this shape and are finite; with a vocabulary, whole
/// numbers below it.
fn check_inputs(
	input: &[usize],
	vocabulary: Option<u32>,
	inputs: &Tensor,
) -> Result<usize, InputError> {
	let (samples, shape) = match inputs.shape() {
		[samples, shape @ ..] => (*samples, shape),
		[] => (0, inputs.shape()),
	};
	let few = u32::try_from(samples).is_ok_and(|samples| samples <= MAX_MICRO_BATCH);
	if samples == 0 || !few {
		return Err(InputError::Samples(samples));
	}
	if shape != input {
		return Err(InputError::Shape { found: shape.to_vec(), expected: input.to_vec() });
	}
	if !inputs.is_finite() {
		return Err(InputError::NotFinite);
	}
	if let Some(vocabulary) = vocabulary {
		let below = 0.0..f64::from(vocabulary);
		let token = |value: &f64| below.contains(value) && value.trunc() == *value;
		if !inputs.data().iter().all(token) {
			return Err(InputError::NoSuchToken { vocabulary });
		}
	}
	Ok(samples)
}
