//! The model card: a list of layers with integers, and nothing that could be executed.
//!
//! ```json
//! {"input": [1, 8, 8], "layers": [
//!   {"kind": "conv2d", "filters": 8, "kernel": 3, "stride": 1, "padding": 1, "bias": true},
//!   {"kind": "relu"},
//!   {"kind": "global_avg_pool"},
//!   {"kind": "dense", "units": 10, "bias": true}
//! ]}
//! ```
//!
//! `input` is the shape of one sample: `[features]`, `[positions, features]` or
//! `[channels, height, width]`. What comes out of the last layer is `[classes]`. Parameters are
//! named by the place of their layer, from 0: `0.weight`, or `4.1.bias` for the second layer inside
//! a residual list in place 4.
//!
//! Backends walk the layers by [`Model::nodes`].
//!
//! There is no dropout: its masks would have to be the same on every machine. Batch normalisation
//! is refused, and says why.

mod cost;
mod layer;
pub(crate) mod shape;

pub use cost::{Cost, Limits, OverLimit, COPIES_OF_PARAMETERS, UNIT};
pub use layer::{Layer, Refused};
pub use shape::{LayerError, MAX_ELEMENTS, MAX_KERNEL, MAX_SIZE};

use crate::tensor::{State, Tensor};
use serde::Deserialize;

/// Bytes that a card may have.
pub const MAX_CARD_BYTES: usize = 65_536;
/// Layers that a card may have, those inside residual lists and the lists themselves included.
pub const MAX_LAYERS: usize = 256;
/// Residual lists that may lie inside each other.
pub const MAX_DEPTH: usize = 8;

/// Why a card is not a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
	/// The card is longer than any model needs.
	#[error("the card has {0} bytes; {MAX_CARD_BYTES} are the most")]
	CardTooLong(usize),
	/// The card is not the JSON that it should be.
	#[error("the card cannot be read: {0}")]
	Malformed(String),
	/// There are no layers.
	#[error("the card has no layers")]
	NoLayers,
	/// There are too many layers.
	#[error("the card has more than {MAX_LAYERS} layers")]
	TooManyLayers,
	/// Residual lists are nested too deeply.
	#[error("layer {0} lies inside more than {MAX_DEPTH} residual lists")]
	TooDeep(String),
	/// The input has no shape that a sample can have.
	#[error("the input has {0} sizes; 1 to 3 are allowed")]
	InputRank(usize),
	/// A size of the input is out of bounds.
	#[error("the input: {0}")]
	Input(LayerError),
	/// A layer cannot take what comes to it.
	#[error("layer {layer}: {error}")]
	Layer {
		/// The layer's name.
		layer: String,
		/// What is wrong.
		error: LayerError,
	},
	/// What comes out is no list of scores for classes.
	#[error("the last layer makes {0:?}; a model makes [classes], of which there are 2 or more")]
	Output(Vec<usize>),
}

/// Why weights are not those of a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
	/// There are too many or too few tensors.
	#[error("{found} tensors; the model has {expected} parameters")]
	Count {
		/// Tensors that there are.
		found: usize,
		/// Parameters of the model.
		expected: usize,
	},
	/// A tensor has another name than the parameter in its place.
	#[error("tensor {place} is called {found}; the model's parameter is called {expected}")]
	Name {
		/// Place, from 0.
		place: usize,
		/// Name that it has.
		found: String,
		/// Name of the parameter.
		expected: String,
	},
	/// A tensor has another shape.
	#[error("{name} has the shape {found:?}; the model's has {expected:?}")]
	Shape {
		/// Name of the parameter.
		name: String,
		/// Shape that it has.
		found: Vec<usize>,
		/// Shape of the parameter.
		expected: Vec<usize>,
	},
	/// A tensor holds something that is no number, or none in the floats that are computed with.
	#[error("{0} holds an infinity or a NaN, or a number too large for the class's floats")]
	NotFinite(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
	input: Vec<u32>,
	layers: Vec<Layer>,
}

/// A layer between known shapes: what a backend walks.
///
/// Parameters lie in a [`State`] in the order of this walk: a node's own, then those of the layers
/// inside it. What a layer computes, [`Layer`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
	/// What it does.
	pub layer: Layer,
	/// Shape of a sample that goes in.
	pub input: Vec<usize>,
	/// Shape of what comes out.
	pub output: Vec<usize>,
	/// Names and shapes of its own parameters.
	pub parameters: Vec<(String, Vec<usize>)>,
	/// The layers inside a residual list.
	pub inner: Vec<Node>,
}

impl Node {
	/// Parameters of the layer and of all layers inside it.
	pub fn parameter_count(&self) -> usize {
		let inside = self.inner.iter().map(Self::parameter_count);
		inside.fold(self.parameters.len(), usize::saturating_add)
	}
}

/// A model whose shapes fit together, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
	input: Vec<usize>,
	nodes: Vec<Node>,
	classes: usize,
	cost: Cost,
}

impl Model {
	/// Reads a card. Allocates in proportion to its bytes, whatever sizes it names; whether they
	/// can be afforded says [`Limits::check`].
	pub fn parse(card: &[u8]) -> Result<Self, ModelError> {
		if card.len() > MAX_CARD_BYTES {
			return Err(ModelError::CardTooLong(card.len()));
		}
		let card: Card = serde_json::from_slice(card)
			.map_err(|error| ModelError::Malformed(error.to_string()))?;
		if !(1..=3).contains(&card.input.len()) {
			return Err(ModelError::InputRank(card.input.len()));
		}
		if card.layers.is_empty() {
			return Err(ModelError::NoLayers);
		}
		let input = shape::check_input(&card.input).map_err(ModelError::Input)?;
		let nodes = Inference::default().follow(&card.layers, &input, "", 0)?;
		let classes = match nodes.last().map(|node| node.output.as_slice()).unwrap_or_default() {
			[classes] if *classes >= 2 => *classes,
			output => return Err(ModelError::Output(output.to_vec())),
		};
		let cost = cost::of_all(&nodes);
		Ok(Self { input, nodes, classes, cost })
	}

	/// Shape of one sample.
	pub fn input(&self) -> &[usize] {
		&self.input
	}

	/// Classes that it tells apart.
	pub fn classes(&self) -> usize {
		self.classes
	}

	/// What one sample costs.
	pub fn cost(&self) -> &Cost {
		&self.cost
	}

	/// Names and shapes of all parameters, in the order of the layers.
	pub fn parameters(&self) -> Vec<&(String, Vec<usize>)> {
		let mut found = Vec::new();
		collect(&self.nodes, &mut found);
		found
	}

	/// All parameters, as zeros. Allocates them: [`Limits::check`] comes first.
	pub fn zeros(&self) -> State {
		let zeros = |(name, shape): &(String, Vec<usize>)| (name.clone(), Tensor::zeros(shape));
		State(self.parameters().into_iter().map(zeros).collect())
	}

	/// Says whether these are weights of this model, in its order, and all of them finite.
	pub fn check(&self, weights: &State) -> Result<(), StateError> {
		let parameters = self.parameters();
		let (found, expected) = (weights.0.len(), parameters.len());
		if found != expected {
			return Err(StateError::Count { found, expected });
		}
		let pairs = weights.0.iter().zip(parameters);
		for (place, ((name, tensor), (own, shape))) in pairs.enumerate() {
			if name != own {
				let (found, expected) = (name.clone(), own.clone());
				return Err(StateError::Name { place, found, expected });
			}
			if tensor.shape() != shape.as_slice() {
				let (found, expected) = (tensor.shape().to_vec(), shape.clone());
				return Err(StateError::Shape { name: name.clone(), found, expected });
			}
			if !tensor.is_finite() {
				return Err(StateError::NotFinite(name.clone()));
			}
		}
		Ok(())
	}

	/// Its layers, one after another.
	pub fn nodes(&self) -> &[Node] {
		&self.nodes
	}

	/// Name of the first layer whose slope jumps: where its input lies at the edge, the last bit
	/// decides about a gradient. None: the last bits of the input change only the last bits of
	/// gradients.
	pub fn first_kink(&self) -> Option<&'static str> {
		first_kink(&self.nodes)
	}

	/// Rows of the table that the input picks from, if it is one of indices.
	pub fn vocabulary(&self) -> Option<u32> {
		match self.nodes.first()?.layer {
			Layer::Embedding { vocabulary, .. } => Some(vocabulary),
			_ => None,
		}
	}
}

fn first_kink(nodes: &[Node]) -> Option<&'static str> {
	nodes.iter().find_map(|node| match node.layer {
		Layer::Relu {} => Some("relu"),
		Layer::MaxPool2d { .. } => Some("max_pool2d"),
		_ => first_kink(&node.inner),
	})
}

fn collect<'a>(nodes: &'a [Node], found: &mut Vec<&'a (String, Vec<usize>)>) {
	for node in nodes {
		found.extend(&node.parameters);
		collect(&node.inner, found);
	}
}

/// Follows shapes through layers, and counts those.
#[derive(Default)]
struct Inference {
	layers: usize,
}

impl Inference {
	fn follow(
		&mut self,
		layers: &[Layer],
		input: &[usize],
		prefix: &str,
		depth: usize,
	) -> Result<Vec<Node>, ModelError> {
		let mut nodes: Vec<Node> = Vec::new();
		for (place, layer) in layers.iter().enumerate() {
			self.layers += 1;
			if self.layers > MAX_LAYERS {
				return Err(ModelError::TooManyLayers);
			}
			let name = format!("{prefix}{place}");
			if depth > MAX_DEPTH {
				return Err(ModelError::TooDeep(name));
			}
			let input = nodes.last().map_or(input, |node| node.output.as_slice()).to_vec();
			let node = self.node(layer, input, &name, depth)?;
			nodes.push(node);
		}
		Ok(nodes)
	}

	fn node(
		&mut self,
		layer: &Layer,
		input: Vec<usize>,
		name: &str,
		depth: usize,
	) -> Result<Node, ModelError> {
		let wrong = |error| ModelError::Layer { layer: name.to_owned(), error };
		if matches!(layer, Layer::Embedding { .. }) && name != "0" {
			return Err(wrong(LayerError::EmbeddingNotFirst));
		}
		let output = shape::output(layer, &input).map_err(wrong)?;
		let own = shape::parameters(layer, &input).map_err(wrong)?;
		let named = own.into_iter().map(|(suffix, shape)| (format!("{name}.{suffix}"), shape));
		let parameters = named.collect();
		let mut inner = Vec::new();
		if let Layer::Residual { layers } = layer {
			inner = self.follow(layers, &input, &format!("{name}."), depth + 1)?;
			let last = inner.last().ok_or_else(|| wrong(LayerError::EmptyResidual))?;
			if last.output != input {
				let output = last.output.clone();
				return Err(wrong(LayerError::ResidualShape { input, output }));
			}
		}
		Ok(Node { layer: layer.clone(), input, output, parameters, inner })
	}
}
