//! The models that are trained here: small relatives of what is trained elsewhere.

use serde_json::{json, Value};

/// Classes that each of them tells apart.
pub const CLASSES: u32 = 10;
/// What the transformer's samples are written in.
const VOCABULARY: usize = 256;
/// Channels that are normalised together, in groups of a residual network.
const GROUPS: u32 = 8;
/// Residual blocks of a stage: with 3, the network has 20 layers that learn.
const BLOCKS: u32 = 3;

/// A model, and how it is trained.
pub struct Subject {
	/// What figures call it.
	pub name: &'static str,
	/// What `tequio-plain-torch` calls it.
	pub key: &'static str,
	/// The model card.
	pub card: String,
	/// Samples of a step. All of them are in memory at once.
	pub batch: u32,
	/// Samples hold whole numbers below this. None: numbers between −1 and 1.
	pub vocabulary: Option<usize>,
}

impl Subject {
	/// The same without layers whose slope jumps, which the banded class does not take.
	pub fn smooth(self) -> Self {
		let card =
			self.card.replace("\"relu\"", "\"gelu\"").replace("\"max_pool2d\"", "\"avg_pool2d\"");
		Self { card, ..self }
	}
}

/// All of them.
pub fn all() -> [Subject; 4] {
	[perceptron(), lenet(), resnet(), transformer()]
}

/// A perceptron for digits of 8 × 8 pixels: 64, 128 and 10 units.
pub fn perceptron() -> Subject {
	let card = card(&[64], vec![dense(128), plain("relu"), dense(CLASSES)]);
	Subject { name: "MLP 64-128-10", key: "mlp", card, batch: 32, vocabulary: None }
}

/// LeNet's two convolutions, and two dense layers, all of them wider, for pictures of 28 × 28
/// pixels: 1.2 million parameters.
pub fn lenet() -> Subject {
	let pool = || json!({ "kind": "max_pool2d", "kernel": 2, "stride": 2 });
	let layers = vec![
		convolution(32, 5, 1, true),
		plain("relu"),
		pool(),
		convolution(64, 5, 1, true),
		plain("relu"),
		pool(),
		plain("flatten"),
		dense(360),
		plain("relu"),
		dense(CLASSES),
	];
	let card = card(&[1, 28, 28], layers);
	Subject { name: "LeNet", key: "lenet", card, batch: 8, vocabulary: None }
}

/// ResNet-20 for pictures of 32 × 32 pixels (arXiv 1512.03385) with group normalisation. A residual
/// list keeps its shape, so the block that begins the second and the third stage has no shortcut.
pub fn resnet() -> Subject {
	let mut layers = normalised(16, 1);
	layers.push(plain("relu"));
	for (filters, first_stride) in [(16, 1), (32, 2), (64, 2)] {
		for number in 0..BLOCKS {
			let stride = if number == 0 { first_stride } else { 1 };
			let block = block(filters, stride);
			if stride == 1 {
				layers.push(residual(block));
			} else {
				layers.extend(block);
			}
			layers.push(plain("relu"));
		}
	}
	layers.push(plain("global_avg_pool"));
	layers.push(dense(CLASSES));
	let card = card(&[3, 32, 32], layers);
	Subject { name: "ResNet-20", key: "resnet20", card, batch: 4, vocabulary: None }
}

/// Two layers of a transformer, each normalised before (arXiv 2002.04745), for texts of 64 letters.
pub fn transformer() -> Subject {
	const WIDTH: u32 = 128;
	let mut layers = vec![
		json!({ "kind": "embedding", "vocabulary": VOCABULARY, "width": WIDTH }),
		plain("position_embedding"),
	];
	for _ in 0..2 {
		let attention = json!({ "kind": "self_attention", "heads": 4, "causal": true });
		layers.push(residual(vec![plain("layer_norm"), attention]));
		let wider = vec![plain("layer_norm"), dense(4 * WIDTH), plain("gelu"), dense(WIDTH)];
		layers.push(residual(wider));
	}
	layers.extend([plain("layer_norm"), plain("global_avg_pool"), dense(CLASSES)]);
	let card = card(&[64], layers);
	let (key, vocabulary) = ("transformer", Some(VOCABULARY));
	Subject { name: key, key, card, batch: 4, vocabulary }
}

/// Two convolutions, with what comes after the first.
fn block(filters: u32, stride: u32) -> Vec<Value> {
	let mut layers = normalised(filters, stride);
	layers.push(plain("relu"));
	layers.extend(normalised(filters, 1));
	layers
}

/// A convolution whose bias is that of the normalisation.
fn normalised(filters: u32, stride: u32) -> Vec<Value> {
	vec![convolution(filters, 3, stride, false), json!({ "kind": "group_norm", "groups": GROUPS })]
}

fn convolution(filters: u32, kernel: u32, stride: u32, bias: bool) -> Value {
	json!({
		"kind": "conv2d",
		"filters": filters,
		"kernel": kernel,
		"stride": stride,
		"padding": kernel / 2,
		"bias": bias,
	})
}

fn dense(units: u32) -> Value {
	json!({ "kind": "dense", "units": units, "bias": true })
}

fn residual(layers: Vec<Value>) -> Value {
	json!({ "kind": "residual", "layers": layers })
}

/// A layer that has nothing to be declared.
fn plain(kind: &str) -> Value {
	json!({ "kind": kind })
}

fn card(input: &[u32], layers: Vec<Value>) -> String {
	json!({ "input": input, "layers": layers }).to_string()
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use tequio_engine_ml::{request::LIMITS, Model};

	#[test]
	fn engines_take_all_of_them() {
		for Subject { name, card, batch, .. } in all() {
			let model = Model::parse(card.as_bytes()).unwrap();
			assert_eq!(LIMITS.check(model.cost(), batch), Ok(()), "{name}");
			assert_eq!(u32::try_from(model.classes()), Ok(CLASSES), "{name}");
		}
	}

	#[test]
	fn they_are_as_large_as_their_names_say() {
		let parameters = all().map(|subject| {
			let model = Model::parse(subject.card.as_bytes()).unwrap();
			model.cost().parameters
		});
		assert_eq!(parameters, [9_610, 1_185_026, 269_722, 438_282]);
	}
}
