//! What shape comes out of a layer, and which parameters it has.

use super::Layer;
use crate::tensor::elements;

/// Largest size that a card may name: units, channels, rows of a table, sizes of the input.
pub const MAX_SIZE: u32 = 1 << 20;
/// Largest kernel and stride.
pub const MAX_KERNEL: u32 = 64;
/// Elements that one tensor of one sample, or one parameter, may have: 2 GiB of doubles.
pub const MAX_ELEMENTS: usize = 1 << 28;

/// Why a layer cannot take what comes to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayerError {
	/// The input has another number of sizes.
	#[error("takes {expected}, but gets {found:?}")]
	Rank {
		/// What it takes.
		expected: &'static str,
		/// The shape that comes to it.
		found: Vec<usize>,
	},
	/// An integer of the card is out of bounds.
	#[error("{field} is {value}; {least} to {most} are allowed")]
	OutOfBounds {
		/// The integer's name.
		field: &'static str,
		/// Its value.
		value: u32,
		/// The smallest allowed.
		least: u32,
		/// The largest allowed.
		most: u32,
	},
	/// A window is larger than what it moves over.
	#[error("a window of {kernel} does not fit into {height} × {width} with {padding} around it")]
	WindowTooLarge {
		/// Height and width of the window.
		kernel: u32,
		/// Zeros around the input.
		padding: u32,
		/// Height of the input.
		height: usize,
		/// Width of the input.
		width: usize,
	},
	/// Features do not divide evenly.
	#[error("{parts} {what} do not divide {features} features evenly")]
	NotDivisible {
		/// What they are divided into.
		what: &'static str,
		/// How many of those.
		parts: u32,
		/// Features or channels.
		features: usize,
	},
	/// A residual list changes the shape, so nothing can be added.
	#[error("takes {input:?} and its layers make {output:?} of it, which cannot be added")]
	ResidualShape {
		/// What goes in.
		input: Vec<usize>,
		/// What comes out.
		output: Vec<usize>,
	},
	/// A residual list has no layers.
	#[error("has no layers inside")]
	EmptyResidual,
	/// A tensor would be too large.
	#[error("makes a tensor of shape {shape:?}; {MAX_ELEMENTS} elements are the most")]
	TooLarge {
		/// The shape.
		shape: Vec<usize>,
	},
	/// Indices have no gradient, so nothing can come before.
	#[error("an embedding can only be the first layer")]
	EmbeddingNotFirst,
	/// Batch normalisation.
	#[error(
		"batch normalisation is refused: what a sample contributes would depend on the others of \
		 its micro-batch, so that results could not be compared; use group_norm or layer_norm"
	)]
	BatchNorm,
}

/// The shape that comes out of a layer. Of a residual list only what is true of it by definition:
/// its layers are the caller's to follow.
pub(super) fn output(layer: &Layer, input: &[usize]) -> Result<Vec<usize>, LayerError> {
	use Layer::*;
	let shape = match layer {
		Dense { units, .. } => with_features(input, within("units", *units, MAX_SIZE)?)?,
		Conv2d { filters, kernel, stride, padding, .. } => {
			let filters = within("filters", *filters, MAX_SIZE)?;
			windows(input, *kernel, *stride, *padding, Some(filters))?
		},
		MaxPool2d { kernel, stride } | AvgPool2d { kernel, stride } => {
			windows(input, *kernel, *stride, 0, None)?
		},
		GlobalAvgPool {} => match input {
			[channels, _, _] => vec![*channels],
			[_, features] => vec![*features],
			_ => return rank("[channels, height, width] or [positions, features]", input),
		},
		GroupNorm { groups } => match input {
			[channels, _, _] => divided("groups", *groups, *channels).map(|()| input.to_vec())?,
			_ => return rank("[channels, height, width]", input),
		},
		LayerNorm {} => match input {
			[_] | [_, _] => input.to_vec(),
			_ => return rank("[features] or [positions, features]", input),
		},
		Embedding { vocabulary, width } => match input {
			[positions] => {
				within("vocabulary", *vocabulary, MAX_SIZE)?;
				vec![*positions, within("width", *width, MAX_SIZE)?]
			},
			_ => return rank("[positions]", input),
		},
		PositionEmbedding {} => match input {
			[_, _] => input.to_vec(),
			_ => return rank("[positions, features]", input),
		},
		SelfAttention { heads, .. } => match input {
			[_, features] => divided("heads", *heads, *features).map(|()| input.to_vec())?,
			_ => return rank("[positions, features]", input),
		},
		Flatten {} => vec![bounded(input)?],
		BatchNorm(_) => return Err(LayerError::BatchNorm),
		Residual { .. } | Relu {} | Silu {} | Gelu {} | Tanh {} => input.to_vec(),
	};
	bounded(&shape).map(|_| shape)
}

/// Names and shapes of a layer's parameters, given that [`output`] accepts its input.
pub(super) fn parameters(
	layer: &Layer,
	input: &[usize],
) -> Result<Vec<(&'static str, Vec<usize>)>, LayerError> {
	use Layer::*;
	let features = input.last().copied().unwrap_or(1);
	let channels = input.first().copied().unwrap_or(1);
	let parameters = match layer {
		Dense { units, bias } => weight_and_bias(vec![size(*units), features], *bias),
		Conv2d { filters, kernel, bias, .. } => {
			weight_and_bias(vec![size(*filters), channels, size(*kernel), size(*kernel)], *bias)
		},
		GroupNorm { .. } => vec![("weight", vec![channels]), ("bias", vec![channels])],
		LayerNorm {} => vec![("weight", vec![features]), ("bias", vec![features])],
		Embedding { vocabulary, width } => vec![("weight", vec![size(*vocabulary), size(*width)])],
		PositionEmbedding {} => vec![("weight", input.to_vec())],
		SelfAttention { .. } => {
			let square = || vec![features, features];
			vec![
				("query.weight", square()),
				("key.weight", square()),
				("value.weight", square()),
				("output.weight", square()),
				("output.bias", vec![features]),
			]
		},
		_ => Vec::new(),
	};
	for (_, shape) in &parameters {
		bounded(shape)?;
	}
	Ok(parameters)
}

/// Checks the sizes of a model's input.
pub(super) fn check_input(input: &[u32]) -> Result<Vec<usize>, LayerError> {
	let sizes = input.iter().map(|value| within("a size of the input", *value, MAX_SIZE));
	let shape = sizes.collect::<Result<Vec<_>, _>>()?;
	bounded(&shape).map(|_| shape)
}

/// An integer of a card as a size. A `u32` fits on every machine that this is built for.
pub(crate) fn size(value: u32) -> usize {
	usize::try_from(value).unwrap_or(usize::MAX)
}

fn weight_and_bias(weight: Vec<usize>, bias: bool) -> Vec<(&'static str, Vec<usize>)> {
	let biases = weight.first().copied().filter(|_| bias).map(|units| ("bias", vec![units]));
	std::iter::once(("weight", weight)).chain(biases).collect()
}

fn within(field: &'static str, value: u32, most: u32) -> Result<usize, LayerError> {
	if !(1..=most).contains(&value) {
		return Err(LayerError::OutOfBounds { field, value, least: 1, most });
	}
	Ok(size(value))
}

fn rank<T>(expected: &'static str, found: &[usize]) -> Result<T, LayerError> {
	Err(LayerError::Rank { expected, found: found.to_vec() })
}

/// Elements of a shape, if they are few enough.
fn bounded(shape: &[usize]) -> Result<usize, LayerError> {
	elements(shape)
		.filter(|count| *count <= MAX_ELEMENTS)
		.ok_or_else(|| LayerError::TooLarge { shape: shape.to_vec() })
}

fn divided(what: &'static str, parts: u32, features: usize) -> Result<(), LayerError> {
	let even = features.is_multiple_of(within(what, parts, MAX_SIZE)?);
	even.then_some(()).ok_or(LayerError::NotDivisible { what, parts, features })
}

fn with_features(input: &[usize], units: usize) -> Result<Vec<usize>, LayerError> {
	match input {
		[_] => Ok(vec![units]),
		[positions, _] => Ok(vec![*positions, units]),
		_ => rank("[features] or [positions, features]", input),
	}
}

/// The shape of what windows find; `filters` are the channels that come out, where not those that
/// go in.
fn windows(
	input: &[usize],
	kernel: u32,
	stride: u32,
	padding: u32,
	filters: Option<usize>,
) -> Result<Vec<usize>, LayerError> {
	let [channels, height, width] = *input else {
		return rank("[channels, height, width]", input);
	};
	let wide = within("kernel", kernel, MAX_KERNEL)?;
	let steps = within("stride", stride, MAX_KERNEL)?;
	if padding >= kernel {
		let most = kernel - 1;
		return Err(LayerError::OutOfBounds { field: "padding", value: padding, least: 0, most });
	}
	let places = |length: usize| {
		let padded = length.saturating_add(2 * size(padding));
		padded.checked_sub(wide).map(|left| left / steps + 1)
	};
	let (Some(down), Some(right)) = (places(height), places(width)) else {
		return Err(LayerError::WindowTooLarge { kernel, padding, height, width });
	};
	Ok(vec![filters.unwrap_or(channels), down, right])
}
