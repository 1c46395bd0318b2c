//! The gradient of every layer against differences of losses. What comes before a layer has weights
//! too, so that the gradient of the layer's input is looked at as well.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{conv2d, model_of, tensor, weights};
use tequio_engine_ml::{loss::cross_entropy, Model, Network, State, Tensor};

/// Distance of the two losses of a central difference, halved.
const STEP: f64 = 1e-5;
/// Error of a central difference that is put up with, relative to one and the gradient.
const TOLERANCE: f64 = 1e-7;
/// Samples in each micro-batch.
const SAMPLES: usize = 3;

/// A sum of losses, by the pass that keeps nothing.
fn loss(model: &Model, weights: State, inputs: &Tensor, labels: &[u32]) -> f64 {
	let logits = Network::new(model, weights).unwrap().logits(inputs.clone()).unwrap();
	let rows = logits.data().chunks_exact(model.classes()).zip(labels);
	rows.map(|(row, label)| cross_entropy(row, *label).unwrap().0).sum()
}

fn gradient(model: &Model, weights: &State, inputs: &Tensor, labels: &[u32]) -> State {
	let network = Network::new(model, weights.clone()).unwrap();
	let mut gradient = weights.zeros_like();
	network.add_gradients(inputs.clone(), labels, &mut gradient).unwrap();
	gradient
}

fn labels(model: &Model) -> Vec<u32> {
	let classes = u32::try_from(model.classes()).unwrap();
	(0..).map(|sample| sample % classes).take(SAMPLES).collect()
}

fn inputs(model: &Model) -> Tensor {
	tensor(&[&[SAMPLES][..], model.input()].concat(), 7)
}

fn check_on(model: &Model, inputs: &Tensor) {
	let (weights, labels) = (weights(model, 1), labels(model));
	let found = gradient(model, &weights, inputs, &labels);
	for (place, (name, tensor)) in found.0.iter().enumerate() {
		for (element, slope) in tensor.data().iter().enumerate() {
			let moved = |by: f64| {
				let mut moved = weights.clone();
				moved.0[place].1.data_mut()[element] += by;
				loss(model, moved, inputs, &labels)
			};
			let expected = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
			let error = (slope - expected).abs() / (1.0 + expected.abs());
			assert!(error < TOLERANCE, "{name}[{element}] is {slope}, not {expected}");
		}
	}
}

fn check(input: &str, layers: &str) {
	let model = model_of(input, layers);
	check_on(&model, &inputs(&model));
}

const FLATTEN: &str = r#"{"kind": "flatten"}"#;
const DENSE: &str = r#"{"kind": "dense", "units": 3, "bias": true}"#;
const WIDEN: &str = r#"{"kind": "dense", "units": 4, "bias": true}"#;

#[test]
fn dense_has_its_gradient() {
	check("[5]", &format!("{WIDEN}, {DENSE}"));
	let unbiased = r#"{"kind": "dense", "units": 2, "bias": false}"#;
	check("[2, 5]", &format!("{WIDEN}, {unbiased}, {FLATTEN}"));
}

#[test]
fn conv2d_has_its_gradient_with_stride_and_padding() {
	let first = conv2d(3, [3, 2, 1], true);
	let second = conv2d(2, [2, 1, 0], false);
	check("[2, 5, 4]", &format!("{first}, {second}, {FLATTEN}, {DENSE}"));
}

#[test]
fn pools_have_their_gradients() {
	let conv = conv2d(4, [3, 1, 1], true);
	for pool in [
		r#"{"kind": "max_pool2d", "kernel": 2, "stride": 2}"#,
		r#"{"kind": "max_pool2d", "kernel": 3, "stride": 1}"#,
		r#"{"kind": "avg_pool2d", "kernel": 2, "stride": 2}"#,
		r#"{"kind": "avg_pool2d", "kernel": 3, "stride": 1}"#,
	] {
		check("[1, 4, 5]", &format!("{conv}, {pool}, {FLATTEN}, {DENSE}"));
	}
	let global = r#"{"kind": "global_avg_pool"}"#;
	check("[2, 3, 2]", &format!("{conv}, {global}, {DENSE}"));
	check("[3, 2]", &format!("{WIDEN}, {global}, {DENSE}"));
}

#[test]
fn normalisations_have_their_gradients() {
	let conv = conv2d(4, [3, 1, 1], true);
	for groups in [1, 2, 4] {
		let norm = format!(r#"{{"kind": "group_norm", "groups": {groups}}}"#);
		check("[2, 3, 2]", &format!("{conv}, {norm}, {FLATTEN}, {DENSE}"));
	}
	let norm = r#"{"kind": "layer_norm"}"#;
	check("[3, 2]", &format!("{WIDEN}, {norm}, {FLATTEN}, {DENSE}"));
	check("[3]", &format!("{WIDEN}, {norm}, {DENSE}"));
}

#[test]
fn activations_have_their_gradients() {
	for kind in ["relu", "silu", "gelu", "tanh"] {
		check("[3]", &format!(r#"{WIDEN}, {{"kind": "{kind}"}}, {DENSE}"#));
	}
}

#[test]
fn self_attention_has_its_gradient() {
	for heads in [1, 2] {
		for causal in [false, true] {
			let attention =
				format!(r#"{{"kind": "self_attention", "heads": {heads}, "causal": {causal}}}"#);
			check("[3, 2]", &format!("{WIDEN}, {attention}, {FLATTEN}, {DENSE}"));
		}
	}
}

#[test]
fn embeddings_have_their_gradients() {
	let embedding = r#"{"kind": "embedding", "vocabulary": 5, "width": 3}"#;
	let positions = r#"{"kind": "position_embedding"}"#;
	let model = model_of("[4]", &format!("{embedding}, {positions}, {FLATTEN}, {DENSE}"));
	// Twice the same row in a sample, and one that is never picked.
	let tokens = vec![0.0, 1.0, 1.0, 4.0, 4.0, 4.0, 4.0, 4.0, 2.0, 0.0, 1.0, 2.0];
	check_on(&model, &Tensor::new(vec![SAMPLES, 4], tokens).unwrap());
}

#[test]
fn residuals_have_their_gradients() {
	let inner = r#"{"kind": "residual", "layers": [{"kind": "dense", "units": 4, "bias": false}]}"#;
	let tanh = r#"{"kind": "tanh"}"#;
	let outer = format!(r#"{{"kind": "residual", "layers": [{WIDEN}, {tanh}, {inner}]}}"#);
	check("[3]", &format!("{WIDEN}, {outer}, {DENSE}"));
}

#[test]
fn a_whole_network_has_its_gradient() {
	let conv = conv2d(4, [3, 1, 1], true);
	let norm = r#"{"kind": "group_norm", "groups": 2}"#;
	let silu = r#"{"kind": "silu"}"#;
	let residual = format!(r#"{{"kind": "residual", "layers": [{conv}, {norm}, {silu}]}}"#);
	let pool = r#"{"kind": "avg_pool2d", "kernel": 2, "stride": 2}"#;
	let tail = format!(r#"{FLATTEN}, {WIDEN}, {{"kind": "gelu"}}, {DENSE}"#);
	check("[1, 4, 4]", &format!("{conv}, {residual}, {pool}, {tail}"));
}

#[test]
fn micro_batches_change_no_bit_of_a_gradient() {
	let conv = conv2d(4, [3, 1, 1], true);
	let attention = r#"{"kind": "self_attention", "heads": 2, "causal": true}"#;
	let (norm, groups) = (r#"{"kind": "layer_norm"}"#, r#"{"kind": "group_norm", "groups": 2}"#);
	for (input, layers) in [
		("[3, 2]", format!("{WIDEN}, {norm}, {attention}, {FLATTEN}, {DENSE}")),
		("[2, 3, 4]", format!("{conv}, {groups}, {FLATTEN}, {DENSE}")),
	] {
		let model = model_of(input, &layers);
		let (weights, inputs, labels) = (weights(&model, 3), inputs(&model), labels(&model));
		let whole = gradient(&model, &weights, &inputs, &labels);
		let network = Network::new(&model, weights.clone()).unwrap();
		let mut parts = weights.zeros_like();
		let size = inputs.len() / SAMPLES;
		for (sample, label) in inputs.data().chunks_exact(size).zip(&labels) {
			let sample = Tensor::new([&[1][..], model.input()].concat(), sample.to_vec()).unwrap();
			network.add_gradients(sample, &[*label], &mut parts).unwrap();
		}
		assert_eq!(parts, whole);
	}
}
