//! Forward and backward passes, in doubles, each sum in one fixed order on one thread.
//!
//! The first size of every tensor here counts the samples of a micro-batch. A sample's values do
//! not depend on the others, and gradients of parameters are added up sample after sample: how
//! samples are cut into micro-batches changes no bit of a result.
//!
//! Layers are built for shapes that the model has checked, with weights that it has checked. Loops
//! run over slices of those shapes side by side, so nothing here can reach outside of one.

mod activation;
mod attention;
mod convolution;
mod dense;
mod embedding;
mod flatten;
mod matrix;
mod normalisation;
mod pooling;
mod residual;
mod window;

use crate::{
	model::{shape::size, Layer, Node},
	tensor::Tensor,
};
use std::{fmt::Debug, ops::Range};

/// A parameter, or the gradient of one.
type Named = (String, Tensor);

/// What a layer keeps of its forward pass for its backward pass.
#[derive(Debug, Default)]
pub(crate) struct Saved {
	tensors: Vec<Tensor>,
	inner: Vec<Saved>,
}

impl Saved {
	fn of(tensors: impl Into<Vec<Tensor>>) -> Self {
		Self { tensors: tensors.into(), inner: Vec::new() }
	}

	/// The elements of a kept tensor, by its place.
	fn data(&self, place: usize) -> &[f64] {
		self.tensors.get(place).map(Tensor::data).unwrap_or_default()
	}
}

/// A layer between two shapes.
trait Operation: Debug + Send + Sync {
	/// The output for a micro-batch, and what the backward pass needs of this one.
	fn forward(&self, weights: &[Named], input: Tensor) -> (Tensor, Saved);

	/// The gradient of the input, given that of the output. Adds the gradients of the parameters to
	/// `into`, which has the shapes of `weights`.
	fn backward(
		&self,
		weights: &[Named],
		saved: Saved,
		gradient: Tensor,
		into: &mut [Named],
	) -> Tensor;
}

/// An operation, and which parameters are its own.
#[derive(Debug)]
struct Step {
	operation: Box<dyn Operation>,
	parameters: Range<usize>,
}

/// Layers one after another.
#[derive(Debug)]
pub(crate) struct Chain {
	steps: Vec<Step>,
	parameters: usize,
}

impl Chain {
	pub(crate) fn new(nodes: &[Node]) -> Self {
		let (mut steps, mut parameters) = (Vec::with_capacity(nodes.len()), 0);
		for node in nodes {
			let (operation, own) = operation(node);
			steps.push(Step { operation, parameters: parameters..parameters + own });
			parameters += own;
		}
		Self { steps, parameters }
	}

	/// Parameters of all layers, those inside residual lists included.
	fn parameters(&self) -> usize {
		self.parameters
	}

	/// The output for a micro-batch, and what each layer keeps.
	pub(crate) fn forward(&self, weights: &[Named], input: Tensor) -> (Tensor, Vec<Saved>) {
		let (mut value, mut kept) = (input, Vec::with_capacity(self.steps.len()));
		for step in &self.steps {
			let own = weights.get(step.parameters.clone()).unwrap_or_default();
			let (output, saved) = step.operation.forward(own, value);
			value = output;
			kept.push(saved);
		}
		(value, kept)
	}

	/// The output for a micro-batch; nothing is kept.
	pub(crate) fn infer(&self, weights: &[Named], input: Tensor) -> Tensor {
		self.steps.iter().fold(input, |value, step| {
			let own = weights.get(step.parameters.clone()).unwrap_or_default();
			step.operation.forward(own, value).0
		})
	}

	/// The gradient of the input, given that of the output. Parameters' gradients are added to
	/// `into`.
	pub(crate) fn backward(
		&self,
		weights: &[Named],
		kept: Vec<Saved>,
		gradient: Tensor,
		into: &mut [Named],
	) -> Tensor {
		let mut gradient = gradient;
		for (step, saved) in self.steps.iter().zip(kept).rev() {
			let own = weights.get(step.parameters.clone()).unwrap_or_default();
			let into = into.get_mut(step.parameters.clone()).unwrap_or_default();
			gradient = step.operation.backward(own, saved, gradient, into);
		}
		gradient
	}
}

/// The operation of a layer, and how many parameters it has.
fn operation(node: &Node) -> (Box<dyn Operation>, usize) {
	let own = node.parameters.len();
	let [outer, height, width] = sizes(&node.input);
	let operation: Box<dyn Operation> = match &node.layer {
		Layer::Dense { units, bias } => {
			Box::new(dense::Dense { features: width, units: size(*units), bias: *bias })
		},
		Layer::Conv2d { kernel, stride, padding, .. } => {
			let window = window::Window::new(&node.input, &node.output, *kernel, *stride, *padding);
			Box::new(convolution::Conv2d::new(window, outer, &node.output))
		},
		Layer::MaxPool2d { kernel, stride } => {
			let window = window::Window::new(&node.input, &node.output, *kernel, *stride, 0);
			Box::new(pooling::MaxPool2d::new(window, &node.input, &node.output))
		},
		Layer::AvgPool2d { kernel, stride } => {
			let window = window::Window::new(&node.input, &node.output, *kernel, *stride, 0);
			Box::new(pooling::AvgPool2d::new(window, &node.input, &node.output))
		},
		Layer::GlobalAvgPool {} => Box::new(pooling::GlobalAvgPool::new(&node.input, &node.output)),
		Layer::GroupNorm { groups } => {
			let (plane, groups) = (height * width, size(*groups).max(1));
			Box::new(normalisation::Normalisation::new(outer / groups * plane, plane))
		},
		Layer::LayerNorm {} => Box::new(normalisation::Normalisation::new(width, 1)),
		Layer::Embedding { .. } => Box::new(embedding::Embedding::new(&node.output)),
		Layer::PositionEmbedding {} => Box::new(embedding::PositionEmbedding),
		Layer::SelfAttention { heads, causal } => {
			Box::new(attention::SelfAttention::new(height, width, size(*heads), *causal))
		},
		Layer::Residual { .. } => {
			let inner = Chain::new(&node.inner);
			let inside = inner.parameters();
			return (Box::new(residual::Residual { inner }), inside);
		},
		Layer::Relu {} => Box::new(activation::Activation::Relu),
		Layer::Silu {} => Box::new(activation::Activation::Silu),
		Layer::Gelu {} => Box::new(activation::Activation::Gelu),
		Layer::Tanh {} => Box::new(activation::Activation::Tanh),
		// No model holds the second.
		Layer::Flatten {} | Layer::BatchNorm(_) => Box::new(flatten::Flatten::new(&node.input)),
	};
	(operation, own)
}

/// The sizes of a sample as three, with ones for those that it lacks on the left.
fn sizes(shape: &[usize]) -> [usize; 3] {
	match *shape {
		[outer, height, width] => [outer, height, width],
		[height, width] => [1, height, width],
		[width] => [1, 1, width],
		_ => [1, 1, 1],
	}
}

/// Samples in a tensor of a micro-batch.
fn samples(tensor: &Tensor) -> usize {
	tensor.shape().first().copied().unwrap_or(0)
}

/// The shape of a micro-batch.
fn batch_of(samples: usize, shape: &[usize]) -> Vec<usize> {
	std::iter::once(samples).chain(shape.iter().copied()).collect()
}

/// The elements of a parameter, by its place among the layer's own.
fn data(weights: &[Named], place: usize) -> &[f64] {
	weights.get(place).map(|(_, tensor)| tensor.data()).unwrap_or_default()
}

/// The same, to be changed.
fn data_mut(weights: &mut [Named], place: usize) -> &mut [f64] {
	weights.get_mut(place).map(|(_, tensor)| tensor.data_mut()).unwrap_or_default()
}

/// Adds each row to the first one: the sums of columns, in the order of the rows.
fn add_rows(sums: &mut [f64], rows: &[f64]) {
	for row in rows.chunks_exact(sums.len().max(1)) {
		for (sum, value) in sums.iter_mut().zip(row) {
			*sum += value;
		}
	}
}
