//! Models, weights and data whose numbers anybody can make again.
// Each test file takes its own part of it.
#![allow(dead_code)]

use std::{env, process::Command};
pub use tequio_engine_ml::exam::Numbers;
use tequio_engine_ml::{
	dataset::Shard,
	optimiser::{Millionths, Trillionths},
	safetensors::{write, Source, Values},
	Model, Rule, State,
};

/// A whole number below another.
pub fn below(numbers: &mut Numbers, most: usize) -> usize {
	((numbers.next().unwrap() + 1.0) / 2.0 * most as f64) as usize
}

pub const CLASSES: u32 = 10;

/// For digits of 8 × 8 pixels.
pub const PERCEPTRON: &str = r#"{"input": [64], "layers": [
	{"kind": "dense", "units": 128, "bias": true},
	{"kind": "relu"},
	{"kind": "dense", "units": 10, "bias": true}
]}"#;
/// Convolutions with both pools and group normalisation.
pub const CONVOLUTIONS: &str = r#"{"input": [1, 12, 12], "layers": [
	{"kind": "conv2d", "filters": 16, "kernel": 3, "stride": 1, "padding": 1, "bias": false},
	{"kind": "group_norm", "groups": 4},
	{"kind": "relu"},
	{"kind": "max_pool2d", "kernel": 2, "stride": 2},
	{"kind": "residual", "layers": [
		{"kind": "conv2d", "filters": 16, "kernel": 3, "stride": 1, "padding": 1, "bias": true},
		{"kind": "silu"}
	]},
	{"kind": "avg_pool2d", "kernel": 2, "stride": 2},
	{"kind": "conv2d", "filters": 32, "kernel": 3, "stride": 2, "padding": 1, "bias": true},
	{"kind": "tanh"},
	{"kind": "flatten"},
	{"kind": "dense", "units": 10, "bias": true}
]}"#;
/// Two layers of attention.
pub const TRANSFORMER: &str = r#"{"input": [32], "layers": [
	{"kind": "embedding", "vocabulary": 64, "width": 64},
	{"kind": "position_embedding"},
	{"kind": "residual", "layers": [
		{"kind": "layer_norm"}, {"kind": "self_attention", "heads": 4, "causal": true}
	]},
	{"kind": "residual", "layers": [
		{"kind": "layer_norm"},
		{"kind": "dense", "units": 128, "bias": true},
		{"kind": "gelu"},
		{"kind": "dense", "units": 64, "bias": true}
	]},
	{"kind": "self_attention", "heads": 2, "causal": false},
	{"kind": "layer_norm"},
	{"kind": "global_avg_pool"},
	{"kind": "dense", "units": 10, "bias": true}
]}"#;
pub const MODELS: [(&str, &str); 3] =
	[("perceptron", PERCEPTRON), ("convolutions", CONVOLUTIONS), ("transformer", TRANSFORMER)];

pub const SGD: Rule = Rule::Sgd { learning_rate: Millionths(50_000) };
pub const MOMENTUM: Rule =
	Rule::Momentum { learning_rate: Millionths(20_000), momentum: Millionths(900_000) };
pub const ADAMW: Rule = Rule::AdamW {
	learning_rate: Millionths(1_000),
	beta1: Millionths(900_000),
	beta2: Millionths(999_000),
	epsilon: Trillionths(10_000),
	weight_decay: Millionths(10_000),
};
pub const RULES: [Rule; 3] = [SGD, MOMENTUM, ADAMW];

pub fn model(card: &str) -> Model {
	Model::parse(card.as_bytes()).unwrap()
}

/// Weights as large as keeps sums at one; those of normalisations about one.
pub fn weights(model: &Model, seed: u64) -> State {
	let (mut weights, mut numbers) = (model.zeros(), Numbers(seed));
	for (name, tensor) in &mut weights.0 {
		let vector = tensor.shape().len() == 1;
		let middle = if vector && name.ends_with("weight") { 1.0 } else { 0.0 };
		let products: usize = tensor.shape().iter().skip(1).product();
		let size = if vector { 0.1 } else { 1.0 / (products as f64).sqrt() };
		for (value, number) in tensor.data_mut().iter_mut().zip(&mut numbers) {
			*value = middle + size * number;
		}
	}
	weights
}

/// So many samples that can be learnt: each class has a middle, about which its samples lie; words
/// come by the same.
pub fn samples(model: &Model, rows: usize, seed: u64) -> Shard {
	let width: usize = model.input().iter().product();
	let mut numbers = Numbers(seed);
	let middles: Vec<f64> = (&mut numbers).take(width * CLASSES as usize).collect();
	let labels: Vec<i64> = (0..i64::from(CLASSES)).cycle().take(rows).collect();
	let mut x = Vec::with_capacity(rows * width);
	for label in &labels {
		let start = *label as usize * width;
		for middle in &middles[start..start + width] {
			let number = 0.7 * middle + 0.3 * numbers.next().unwrap();
			x.push(match model.vocabulary() {
				// Singles, as data sets have them.
				None => f64::from(number as f32),
				Some(words) => ((number + 1.0) / 2.0 * f64::from(words)).floor(),
			});
		}
	}
	shard(&[&[rows][..], model.input()].concat(), &x, &labels, CLASSES)
}

pub fn shard(shape: &[usize], x: &[f64], labels: &[i64], classes: u32) -> Shard {
	let bytes = write(&[
		Source { name: "x", shape, values: Values::F64(x) },
		Source { name: "y", shape: &[labels.len()], values: Values::I64(labels) },
	]);
	let bytes = bytes.unwrap();
	Shard::read(&bytes, bytes.len(), classes).unwrap()
}

/// So many rows, drawn.
pub fn rows(shard: &Shard, count: usize, seed: u64) -> Vec<u32> {
	let mut numbers = Numbers(seed);
	(0..count).map(|_| u32::try_from(below(&mut numbers, shard.rows())).unwrap()).collect()
}

/// All elements, one after another.
pub fn elements(state: &State) -> Vec<f64> {
	state.0.iter().flat_map(|(_, tensor)| tensor.data().iter().copied()).collect()
}

/// L2 norm of the difference.
pub fn distance(one: &State, other: &State) -> f64 {
	let (one, other) = (elements(one), elements(other));
	assert_eq!(one.len(), other.len());
	one.iter().zip(&other).map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
}

pub fn hex(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// This test program as another process that passes one of its ignored tests, with nothing in its
/// environment but these variables.
pub fn itself(test: &str, environment: &[(&str, &str)]) -> Command {
	let mut command = Command::new(env::current_exe().unwrap());
	command.args(["--exact", test, "--ignored", "--nocapture", "--test-threads=1"]).env_clear();
	command.envs(env::var("LD_LIBRARY_PATH").map(|folder| ("LD_LIBRARY_PATH", folder)));
	command.envs(environment.iter().copied());
	command
}
