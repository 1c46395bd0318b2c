//! Models, weights and samples that anybody can make again, and how they are trained.

use super::Unfit;
use std::fmt::Display;
use tequio_engine_ml::{
	dataset::Shard,
	exam::Numbers,
	optimiser::{Millionths, Trillionths},
	safetensors::{write, Source, Values},
	Backend, BackendError, Class, Descent, Model, Rule, Schedule, State, Steps,
};

/// Convolutions of all forms, pools and group normalisation.
const PICTURES: &str = r#"{"input": [3, 12, 12], "layers": [
	{"kind": "conv2d", "filters": 16, "kernel": 3, "stride": 1, "padding": 1, "bias": true},
	{"kind": "group_norm", "groups": 4},
	{"kind": "silu"},
	{"kind": "residual", "layers": [
		{"kind": "conv2d", "filters": 16, "kernel": 3, "stride": 1, "padding": 1, "bias": false},
		{"kind": "group_norm", "groups": 16},
		{"kind": "relu"}
	]},
	{"kind": "max_pool2d", "kernel": 2, "stride": 2},
	{"kind": "conv2d", "filters": 24, "kernel": 2, "stride": 2, "padding": 1, "bias": true},
	{"kind": "tanh"},
	{"kind": "avg_pool2d", "kernel": 2, "stride": 1},
	{"kind": "residual", "layers": [{"kind": "conv2d", "filters": 24, "kernel": 1, "stride": 1,
		"padding": 0, "bias": false}]},
	{"kind": "flatten"},
	{"kind": "dense", "units": 48, "bias": true},
	{"kind": "layer_norm"},
	{"kind": "gelu"},
	{"kind": "dense", "units": 10, "bias": true}
]}"#;
/// Tables, attention and layer normalisation.
const TEXTS: &str = r#"{"input": [24], "layers": [
	{"kind": "embedding", "vocabulary": 40, "width": 32},
	{"kind": "position_embedding"},
	{"kind": "residual", "layers": [
		{"kind": "layer_norm"},
		{"kind": "self_attention", "heads": 4, "causal": true}
	]},
	{"kind": "residual", "layers": [
		{"kind": "layer_norm"},
		{"kind": "dense", "units": 64, "bias": true},
		{"kind": "gelu"},
		{"kind": "dense", "units": 32, "bias": false}
	]},
	{"kind": "self_attention", "heads": 1, "causal": false},
	{"kind": "global_avg_pool"},
	{"kind": "dense", "units": 10, "bias": true}
]}"#;

/// Classes of the labels.
const CLASSES: u32 = 10;
/// Samples that there are.
const ROWS: usize = 24;
/// How each course is cut into steps; the last micro-batch of each is smaller.
const SCHEDULE: Schedule = Schedule { steps: 3, batch: 20, micro_batch: 8 };
/// The step of a descent.
const ONE_STEP: Schedule = Schedule { steps: 1, batch: 20, micro_batch: 8 };
/// Its learning rate.
const RATE: Millionths = Millionths(100_000);

/// The optimisers.
const RULES: [Rule; 3] = [
	Rule::Sgd { learning_rate: RATE },
	Rule::Momentum { learning_rate: RATE, momentum: Millionths(900_000) },
	Rule::AdamW {
		learning_rate: Millionths(2_000),
		beta1: Millionths(900_000),
		beta2: Millionths(999_000),
		epsilon: Trillionths(10_000),
		weight_decay: Millionths(10_000),
	},
];

/// A model, and how it is trained.
#[derive(Clone, Debug)]
pub struct Course {
	name: &'static str,
	model: Model,
	weights: State,
	shard: Shard,
	rows: Vec<u32>,
	rule: Rule,
}

impl Course {
	/// All of them: each model with each optimiser.
	pub fn all() -> Result<Vec<Self>, Unfit> {
		let mut courses = Vec::new();
		for (name, card) in [("pictures", PICTURES), ("texts", TEXTS)] {
			let model = Model::parse(card.as_bytes()).map_err(fault)?;
			let (weights, shard) = (weights(&model), shard(&model)?);
			let steps = u64::from(SCHEDULE.steps) * u64::from(SCHEDULE.batch);
			let row = |place: u64| u32::try_from(place * 7 % ROWS as u64).map_err(fault);
			let rows = (0..steps).map(row).collect::<Result<Vec<_>, _>>()?;
			courses.extend(RULES.map(|rule| Self {
				name,
				model: model.clone(),
				weights: weights.clone(),
				shard: shard.clone(),
				rows: rows.clone(),
				rule,
			}));
		}
		Ok(courses)
	}

	/// What it is called: its model.
	pub fn name(&self) -> &'static str {
		self.name
	}

	/// The change that a backend comes to in a class.
	pub fn train(&self, class: Class, backend: &dyn Backend) -> Result<State, BackendError> {
		let Self { model, weights, shard, rows, rule, .. } = self;
		let steps = Steps { model, weights, schedule: &SCHEDULE, shard, rows };
		Ok(backend.train(class, *rule, &steps)?.change)
	}

	/// What a backend comes to in one step of plain descent.
	pub fn descend(&self, backend: &dyn Backend) -> Result<Descent, BackendError> {
		let Self { model, weights, shard, rows, .. } = self;
		let rows = rows.get(..ONE_STEP.batch as usize).unwrap_or_default();
		backend.descend(RATE, &Steps { model, weights, schedule: &ONE_STEP, shard, rows })
	}
}

fn fault(error: impl Display) -> Unfit {
	Unfit::Course(error.to_string())
}

/// Weights between −1/4 and 1/4; those of normalisations about one.
fn weights(model: &Model) -> State {
	let (mut weights, mut numbers) = (model.zeros(), Numbers(1));
	for (name, tensor) in &mut weights.0 {
		let normal = name.ends_with(".weight") && tensor.shape().len() == 1;
		let middle = if normal { 1.0 } else { 0.0 };
		for (value, number) in tensor.data_mut().iter_mut().zip(&mut numbers) {
			*value = middle + number / 4.0;
		}
	}
	weights
}

/// Samples between −1 and 1, or words; labels in turn.
fn shard(model: &Model) -> Result<Shard, Unfit> {
	let shape = [&[ROWS][..], model.input()].concat();
	let numbers = Numbers(2).take(shape.iter().product());
	let x: Vec<f64> = match model.vocabulary() {
		None => numbers.collect(),
		Some(words) => numbers.map(|x| ((x + 1.0) / 2.0 * f64::from(words)).floor()).collect(),
	};
	let y: Vec<i64> = (0..i64::from(CLASSES)).cycle().take(ROWS).collect();
	let bytes = write(&[
		Source { name: "x", shape: &shape, values: Values::F64(&x) },
		Source { name: "y", shape: &[ROWS], values: Values::I64(&y) },
	]);
	let bytes = bytes.map_err(fault)?;
	Shard::read(&bytes, bytes.len(), CLASSES).map_err(fault)
}
