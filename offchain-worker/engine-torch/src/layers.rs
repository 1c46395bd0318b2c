//! The forward pass of each layer. libtorch derives the backward pass.
//!
//! The first size of every tensor counts the samples of a micro-batch. Layers are built for shapes
//! that the model has checked. Where libtorch has several ways to compute the same (attention, to name
//! one), the plain operations are taken, in the order that the reference has.

mod activation;
mod attention;
mod convolution;
mod dense;
mod embedding;
mod normalisation;
mod pooling;
mod shape;

use crate::precision::Precision;
use std::{fmt::Debug, ops::Range};
use tch::{TchError, Tensor};
use tequio_engine_ml::model::{Layer, Node};

/// A layer between two shapes.
trait Operation: Debug {
	/// The output for a micro-batch. `weights`: the layer's own parameters.
	fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError>;
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
}

impl Chain {
	pub(crate) fn new(nodes: &[Node], precision: Precision) -> Result<Self, TchError> {
		let (mut steps, mut first) = (Vec::with_capacity(nodes.len()), 0);
		for node in nodes {
			let last = first + node.parameter_count();
			steps.push(Step { operation: operation(node, precision)?, parameters: first..last });
			first = last;
		}
		Ok(Self { steps })
	}

	/// The output for a micro-batch. `weights`: the parameters of all layers, in their order.
	pub(crate) fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		self.steps.iter().try_fold(input, |value, step| {
			let own = weights.get(step.parameters.clone()).unwrap_or_default();
			step.operation.forward(own, value)
		})
	}
}

fn operation(node: &Node, precision: Precision) -> Result<Box<dyn Operation>, TchError> {
	let last = node.input.last().copied().unwrap_or(1);
	Ok(match &node.layer {
		Layer::Dense { bias, .. } => Box::new(dense::Dense { bias: *bias }),
		Layer::Conv2d { stride, padding, bias, .. } => {
			Box::new(convolution::Conv2d::new(*stride, *padding, *bias))
		},
		Layer::MaxPool2d { kernel, stride } => Box::new(pooling::MaxPool2d::new(*kernel, *stride)),
		Layer::AvgPool2d { kernel, stride } => Box::new(pooling::AvgPool2d::new(*kernel, *stride)),
		Layer::GlobalAvgPool {} => Box::new(pooling::GlobalAvgPool::new(&node.input)),
		Layer::GroupNorm { groups } => Box::new(normalisation::GroupNorm::new(*groups)),
		Layer::LayerNorm {} => Box::new(normalisation::LayerNorm::new(last)),
		Layer::Embedding { .. } => Box::new(embedding::Embedding),
		Layer::PositionEmbedding {} => Box::new(embedding::PositionEmbedding),
		Layer::SelfAttention { heads, causal } => {
			Box::new(attention::SelfAttention::new(&node.input, *heads, *causal, precision)?)
		},
		Layer::Residual { .. } => {
			Box::new(shape::Residual { inner: Chain::new(&node.inner, precision)? })
		},
		Layer::Relu {} => Box::new(activation::Activation::Relu),
		Layer::Silu {} => Box::new(activation::Activation::Silu),
		Layer::Gelu {} => Box::new(activation::Activation::Gelu),
		Layer::Tanh {} => Box::new(activation::Activation::Tanh),
		Layer::Flatten {} => Box::new(shape::Flatten),
		Layer::BatchNorm(_) => {
			let refusal = "batch normalisation is refused: use group_norm or layer_norm";
			return Err(TchError::Shape(refusal.to_owned()));
		},
	})
}

/// A parameter, by its place among the layer's own.
fn parameter(weights: &[Tensor], place: usize) -> Result<&Tensor, TchError> {
	weights.get(place).ok_or_else(|| TchError::Shape(format!("a layer has no parameter {place}")))
}
