//! The model, and the weights that it starts from.

use anyhow::Result;
use tequio_engine_ml::{Model, State};
use tequio_harness::{
	digits::{CLASSES, PIXELS},
	numbers::SplitMix64,
};

/// Units of the hidden layer of the model that learns well.
pub const HIDDEN: u32 = 128;

/// A perceptron from pixels to digits, with one hidden layer of so many units.
pub fn perceptron(hidden: u32) -> Result<Model> {
	let card = format!(
		r#"{{"input": [{PIXELS}], "layers": [
			{{"kind": "dense", "units": {hidden}, "bias": true}},
			{{"kind": "relu"}},
			{{"kind": "dense", "units": {CLASSES}, "bias": true}}
		]}}"#
	);
	Ok(Model::parse(card.as_bytes())?)
}

/// Weights from a seed: even between ±1/√features, as PyTorch starts a dense layer.
pub fn initial(model: &Model, seed: u64) -> State {
	let mut numbers = SplitMix64::new(seed);
	let mut weights = model.zeros();
	let mut bound = 1.0;
	for (_, tensor) in &mut weights.0 {
		// A bias follows its weight and has the same bound.
		if let [_, features] = tensor.shape() {
			bound = 1.0 / (*features as f64).sqrt();
		}
		tensor.data_mut().iter_mut().for_each(|value| *value = bound * numbers.signed());
	}
	weights
}
