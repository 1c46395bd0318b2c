//! What a model costs, known before anything is allocated or computed.
//!
//! | layer | multiply-adds forward, a sample | backward |
//! | --- | --- | --- |
//! | dense, convolution, attention | those of its matrix products | twice as many |
//! | pooling | elements of all windows | as many |
//! | normalisation | 4 an element | 8 an element |
//! | `relu`, embeddings, the sum of a residual | 1 an element | 1 an element |
//! | `silu`, `gelu`, `tanh` | 16 an element | 16 an element |
//!
//! The first row is the field's usual count; the others are round figures, so that hardly a layer
//! is free.
//! Sums saturate: what cannot be counted is above every limit.

use super::{Layer, Node};
use crate::aggregate::Rule;

/// Arrays as large as all parameters that training holds at once, at most: the weights from before,
/// those of now, their gradient, two moments of the optimiser, and a transposed copy.
pub const COPIES_OF_PARAMETERS: u64 = 6;
/// Pairs of arrays as large as all parameters that aggregation holds at once beside the
/// contributions, at most: weights and momentum before the step and after it, the bytes of the latter,
/// the mean, a change in grid units, and four arrays to spare.
const PAIRS_BESIDE_CONTRIBUTIONS: u64 = 6;
/// Bytes of an element.
const ELEMENT_BYTES: u64 = 8;
/// Bytes that aggregation holds for an element of a contribution: as it came, and as a double.
const PAIR_BYTES: u64 = 2 * ELEMENT_BYTES;
/// Passes over all parameters that averaging takes for each contribution, weights and momentum:
/// reading, clipping, summing, stepping and writing, in round figures.
const PASSES: u64 = 8;
/// Multiply-adds of a unit of pay: a millisecond or so.
pub const UNIT: u64 = 1 << 20;
/// Multiply-adds that one hyperbolic function or exponential counts as.
const TRANSCENDENTAL: u64 = 16;

/// What a model costs. Counts are of doubles or multiply-adds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
	/// Elements of all parameters.
	pub parameters: u64,
	/// Elements that the forward pass keeps for the backward pass, a sample.
	pub activations: u64,
	/// Elements that live beside those for the duration of one layer, a sample, at most.
	pub transient: u64,
	/// Elements that a layer needs besides, however many samples there are, at most.
	pub scratch: u64,
	/// Multiply-adds of the forward pass, a sample.
	pub forward: u64,
	/// Multiply-adds of the backward pass, a sample.
	pub backward: u64,
}

impl Cost {
	/// Multiply-adds of one sample in training.
	pub fn multiply_adds(&self) -> u64 {
		self.forward.saturating_add(self.backward)
	}

	/// Bytes that training with micro-batches of so many samples holds at once, at most. The data
	/// set is not in it.
	pub fn peak_bytes(&self, micro_batch: u32) -> u64 {
		let a_sample = self.activations.saturating_add(self.transient);
		self.parameters
			.saturating_mul(COPIES_OF_PARAMETERS)
			.saturating_add(a_sample.saturating_mul(u64::from(micro_batch)))
			.saturating_add(self.scratch)
			.saturating_mul(ELEMENT_BYTES)
	}

	/// Units of pay in a training of so many steps with so many samples each, rounded up: forward and
	/// backward passes, and one multiply-add for each parameter and step.
	pub fn training_units(&self, steps: u32, batch: u32) -> u64 {
		let samples = u64::from(steps).saturating_mul(batch.into());
		let updates = self.parameters.saturating_mul(steps.into());
		self.multiply_adds().saturating_mul(samples).saturating_add(updates).div_ceil(UNIT)
	}

	/// Units of pay in an evaluation of so many rows, rounded up.
	pub fn evaluation_units(&self, rows: u64) -> u64 {
		self.forward.saturating_mul(rows).div_ceil(UNIT)
	}

	/// Units of pay in an aggregation of so many contributions, present or missing, rounded up and at
	/// least one. Multi-Krum compares each with each; for the other rules reading and writing is most
	/// of the work.
	pub fn aggregation_units(&self, contributions: usize, rule: Rule) -> u64 {
		let contributions = wide(contributions);
		let passes = match rule {
			Rule::MultiKrum { .. } => contributions.saturating_mul(contributions),
			Rule::Mean | Rule::TrimmedMean { .. } => {
				contributions.saturating_add(2).saturating_mul(PASSES)
			},
		};
		passes.saturating_mul(self.parameters).div_ceil(UNIT).max(1)
	}

	/// Bytes that an aggregation of so many contributions holds at once, at most.
	pub fn aggregation_bytes(&self, contributions: usize) -> u64 {
		wide(contributions)
			.saturating_add(PAIRS_BESIDE_CONTRIBUTIONS)
			.saturating_mul(self.parameters)
			.saturating_mul(PAIR_BYTES)
	}

	fn and_then(self, next: Self) -> Self {
		Self {
			parameters: self.parameters.saturating_add(next.parameters),
			activations: self.activations.saturating_add(next.activations),
			transient: self.transient.max(next.transient),
			scratch: self.scratch.max(next.scratch),
			forward: self.forward.saturating_add(next.forward),
			backward: self.backward.saturating_add(next.backward),
		}
	}
}

/// What somebody is ready to spend on a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
	/// Elements of all parameters.
	pub parameters: u64,
	/// Elements kept for the backward pass, a sample.
	pub activations: u64,
	/// Multiply-adds of forward and backward pass, a sample.
	pub multiply_adds: u64,
	/// Bytes held at once.
	pub bytes: u64,
}

/// The model costs more than the limits allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model needs {needed} {what}; {limit} are the limit")]
pub struct OverLimit {
	/// What there is too much of.
	pub what: &'static str,
	/// How much the model needs.
	pub needed: u64,
	/// How much is allowed.
	pub limit: u64,
}

impl Limits {
	/// Says whether a model may be trained with micro-batches of so many samples.
	pub fn check(&self, cost: &Cost, micro_batch: u32) -> Result<(), OverLimit> {
		let all = [
			("parameters", cost.parameters, self.parameters),
			("activations a sample", cost.activations, self.activations),
			("multiply-adds a sample", cost.multiply_adds(), self.multiply_adds),
			("bytes", cost.peak_bytes(micro_batch), self.bytes),
		];
		let over = all.into_iter().find(|(_, needed, limit)| needed > limit);
		over.map_or(Ok(()), |(what, needed, limit)| Err(OverLimit { what, needed, limit }))
	}
}

/// The cost of layers one after another.
pub(super) fn of_all(nodes: &[Node]) -> Cost {
	nodes.iter().fold(Cost::default(), |sum, node| sum.and_then(of(node)))
}

/// The cost of one layer.
fn of(node: &Node) -> Cost {
	let (input, output) = (count(&node.input), count(&node.output));
	let parameters =
		node.parameters.iter().fold(0, |sum: u64, (_, shape)| sum.saturating_add(count(shape)));
	// What goes in and what comes out, or the gradients of both.
	let through = input.saturating_add(output);
	let plain = Cost { parameters, transient: through, ..Cost::default() };
	let each = |forward: u64, backward: u64| Cost {
		activations: input,
		forward: input.saturating_mul(forward),
		backward: input.saturating_mul(backward),
		..plain
	};
	match &node.layer {
		Layer::Dense { .. } => {
			let features = node.input.last().map_or(1, |features| wide(*features));
			let product = output.saturating_mul(features);
			let transient = through.saturating_add(output);
			Cost { activations: input, transient, ..products(plain, product) }
		},
		Layer::Conv2d { kernel, .. } => convolution(plain, node, *kernel),
		Layer::MaxPool2d { kernel, .. } => {
			Cost { activations: input, ..pooling(plain, output, *kernel) }
		},
		Layer::AvgPool2d { kernel, .. } => pooling(plain, output, *kernel),
		Layer::GlobalAvgPool {} => Cost { forward: input, backward: input, ..plain },
		Layer::GroupNorm { groups } => normalisation(plain, input, u64::from(*groups)),
		Layer::LayerNorm {} => {
			let features = node.input.last().map_or(1, |features| wide(*features));
			normalisation(plain, input, input / features.max(1))
		},
		Layer::Embedding { .. } => {
			Cost { activations: input, forward: output, backward: output, ..plain }
		},
		Layer::PositionEmbedding {} => Cost { forward: input, backward: input, ..plain },
		Layer::SelfAttention { heads, .. } => attention(plain, node, u64::from(*heads)),
		Layer::Residual { .. } => residual(plain, of_all(&node.inner), input),
		Layer::Relu {} => each(1, 1),
		Layer::Silu {} | Layer::Gelu {} | Layer::Tanh {} => each(TRANSCENDENTAL, TRANSCENDENTAL),
		Layer::Flatten {} | Layer::BatchNorm(_) => plain,
	}
}

/// Elements of a shape; a checked one has fewer than `2⁶⁴`.
fn count(shape: &[usize]) -> u64 {
	shape.iter().fold(1, |product, size| wide(*size).saturating_mul(product))
}

fn wide(size: usize) -> u64 {
	u64::try_from(size).unwrap_or(u64::MAX)
}

fn products(cost: Cost, forward: u64) -> Cost {
	Cost { forward, backward: forward.saturating_mul(2), ..cost }
}

/// The unfolded input of one sample lies in memory three times: as it is, transposed, and as a
/// gradient.
fn convolution(plain: Cost, node: &Node, kernel: u32) -> Cost {
	let channels = node.input.first().map_or(1, |channels| wide(*channels));
	let taps = channels.saturating_mul(u64::from(kernel).saturating_pow(2));
	let places = count(node.output.get(1..).unwrap_or_default());
	let product = count(&node.output).saturating_mul(taps);
	let scratch = taps.saturating_mul(places).saturating_mul(3);
	Cost { activations: count(&node.input), scratch, ..products(plain, product) }
}

fn pooling(plain: Cost, output: u64, kernel: u32) -> Cost {
	let taps = output.saturating_mul(u64::from(kernel).saturating_pow(2));
	Cost { forward: taps, backward: taps, ..plain }
}

/// Kept are the normalised elements and one deviation for each of the `blocks` of a sample.
fn normalisation(plain: Cost, elements: u64, blocks: u64) -> Cost {
	Cost {
		activations: elements.saturating_add(blocks),
		forward: elements.saturating_mul(4),
		backward: elements.saturating_mul(8),
		..plain
	}
}

/// Kept are the input, queries, keys, values, what the heads say, and the shares of positions in
/// each other. For one head at a time there are, at most, five arrays of positions by positions besides,
/// and eight of its features.
fn attention(plain: Cost, node: &Node, heads: u64) -> Cost {
	let elements = count(&node.input);
	let positions = node.input.first().map_or(1, |positions| wide(*positions));
	let features = elements / positions.max(1);
	let pairs = positions.saturating_mul(positions);
	let projections = elements.saturating_mul(features).saturating_mul(4);
	let mixing = pairs.saturating_mul(features).saturating_mul(2);
	let kept = elements.saturating_mul(5).saturating_add(pairs.saturating_mul(heads));
	let of_a_head = pairs.saturating_mul(5).saturating_add((elements / heads.max(1)) * 8);
	Cost {
		activations: kept,
		transient: plain.transient.saturating_add(elements.saturating_mul(5)),
		scratch: of_a_head,
		..products(plain, projections.saturating_add(mixing))
	}
}

/// Besides what is inside, the input and its gradient wait for the sum.
fn residual(plain: Cost, inner: Cost, elements: u64) -> Cost {
	let waiting = plain.transient.saturating_add(inner.transient);
	Cost {
		transient: waiting,
		forward: inner.forward.saturating_add(elements),
		backward: inner.backward.saturating_add(elements),
		..inner
	}
}
