//! Layers as a card declares them.

use serde::{de::IgnoredAny, Deserialize, Deserializer};

/// A layer. Nothing has a default: two readers of a card cannot differ.
///
/// Shapes are those of one sample. `features` is the last size.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
	/// `y = W x + b` over the last size: `[…, features]` to `[…, units]`. Parameters: `weight`
	/// `[units, features]`, `bias` `[units]`.
	Dense {
		/// Features that come out.
		units: u32,
		/// Whether there is a bias.
		bias: bool,
	},
	/// Cross-correlation with square kernels: `[channels, height, width]` to `[filters, …, …]`,
	/// `⌊(size + 2 padding − kernel) / stride⌋ + 1` each way. Parameters: `weight`
	/// `[filters, channels, kernel, kernel]`, `bias` `[filters]`.
	Conv2d {
		/// Channels that come out.
		filters: u32,
		/// Height and width of the kernel.
		kernel: u32,
		/// Steps between windows.
		stride: u32,
		/// Zeros around the input, fewer than the kernel is wide.
		padding: u32,
		/// Whether there is a bias.
		bias: bool,
	},
	/// The largest of each square window, by channel, without padding.
	MaxPool2d {
		/// Height and width of a window.
		kernel: u32,
		/// Steps between windows.
		stride: u32,
	},
	/// The mean of each square window, by channel, without padding.
	AvgPool2d {
		/// Height and width of a window.
		kernel: u32,
		/// Steps between windows.
		stride: u32,
	},
	/// Means: `[channels, height, width]` to `[channels]`, `[positions, features]` to `[features]`.
	GlobalAvgPool {},
	/// Normalises groups of channels of `[channels, height, width]` together (arXiv 1803.08494).
	/// Parameters: `weight` and `bias`, both `[channels]`.
	GroupNorm {
		/// Groups, which divide the channels evenly.
		groups: u32,
	},
	/// Normalises the features of each position (arXiv 1607.06450). Parameters: `weight` and
	/// `bias`, both `[features]`.
	LayerNorm {},
	/// Rows of a table: `[positions]` of whole numbers below `vocabulary` to `[positions, width]`.
	/// Only as the first layer. Parameter: `weight` `[vocabulary, width]`.
	Embedding {
		/// Rows of the table.
		vocabulary: u32,
		/// Features of a row.
		width: u32,
	},
	/// Adds a learnt table, so that positions can be told apart. Parameter: `weight`
	/// `[positions, features]`.
	PositionEmbedding {},
	/// Scaled dot-product attention (arXiv 1706.03762) of `[positions, features]` to itself.
	/// Parameters: `query.weight`, `key.weight`, `value.weight`, `output.weight`, each
	/// `[features, features]`, and `output.bias` `[features]`. A bias of the keys would have no
	/// gradient but rounding noise, which Adam blows up.
	SelfAttention {
		/// Heads, which divide the features evenly.
		heads: u32,
		/// Whether a position sees only itself and those before it.
		causal: bool,
	},
	/// `y = x + f(x)`, where `f` is these layers one after another.
	Residual {
		/// The layers; what comes out of the last has the shape that goes into the first.
		layers: Vec<Layer>,
	},
	/// `max(x, 0)`.
	Relu {},
	/// `x / (1 + e^−x)`.
	Silu {},
	/// `x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2`, the `tanh` form of arXiv 1606.08415.
	Gelu {},
	/// Hyperbolic tangent.
	Tanh {},
	/// All sizes into one.
	Flatten {},
	/// Known by name alone, so that its refusal can say why.
	#[serde(alias = "batch_norm1d", alias = "batch_norm2d")]
	BatchNorm(Refused),
}

/// Whatever a refused layer is declared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl<'de> Deserialize<'de> for Refused {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		IgnoredAny::deserialize(deserializer).map(|_| Self)
	}
}
