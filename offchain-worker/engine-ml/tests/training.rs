//! Optimisers against steps done by hand, and training that learns, repeats itself and refuses.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::f64::consts::LN_2;
use support::{model_of, shard, tensor, weights};
use tequio_engine_ml::{
	dataset::{DatasetError, Shard},
	evaluate,
	network::{InputError, MAX_MICRO_BATCH},
	optimiser::{Millionths, OptimiserError, Trillionths},
	train,
	train::{TrainError, MAX_BATCH, MAX_STEPS},
	Model, Optimiser, Rule, Schedule, State, Tensor, Trained,
};

const TENTH: Millionths = Millionths(100_000);
const ADAM: Rule = Rule::AdamW {
	learning_rate: Millionths(50_000),
	beta1: Millionths(900_000),
	beta2: Millionths(999_000),
	epsilon: Trillionths(10_000),
	weight_decay: Millionths(10_000),
};

fn state(values: &[f64]) -> State {
	let tensor = Tensor::new(vec![values.len()], values.to_vec()).unwrap();
	State(vec![("w".to_owned(), tensor)])
}

fn near(found: &State, expected: &[f64]) {
	for (found, expected) in found.get("w").unwrap().data().iter().zip(expected) {
		assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
	}
}

/// A linear model of two features and two classes.
fn linear() -> Model {
	model_of("[2]", r#"{"kind": "dense", "units": 2, "bias": true}"#)
}

/// 32 points, by which of their coordinates is larger.
fn separable() -> Shard {
	let points = tensor(&[32, 2], 11);
	let larger = points.data().chunks_exact(2).map(|point| u8::from(point[0] < point[1]));
	shard(&points, &larger.collect::<Vec<_>>(), 2)
}

fn rows(times: usize) -> Vec<u32> {
	(0..32).cycle().take(32 * times).collect()
}

fn run(micro_batch: u32, rule: Rule) -> Trained {
	let (model, schedule) = (linear(), Schedule { steps: 8, batch: 16, micro_batch });
	train(&model, &weights(&model, 4), rule, &schedule, &separable(), &rows(4)).unwrap()
}

fn sum(weights: &State, change: &State) -> State {
	let mut sum = weights.clone();
	for ((_, tensor), (_, change)) in sum.0.iter_mut().zip(&change.0) {
		let pairs = tensor.data_mut().iter_mut().zip(change.data());
		pairs.for_each(|(value, change)| *value += change);
	}
	sum
}

#[test]
fn sgd_takes_the_step_that_a_hand_finds() {
	let mut weights = state(&[1.0, -2.0]);
	let mut sgd = Optimiser::new(Rule::Sgd { learning_rate: TENTH }, &weights).unwrap();
	sgd.step(&mut weights, &state(&[0.5, 0.25])).unwrap();
	near(&weights, &[0.95, -2.025]);
	assert!(sgd.moments().is_empty());
}

#[test]
fn momentum_takes_the_steps_that_a_hand_finds() {
	let mut weights = state(&[1.0]);
	let rule = Rule::Momentum { learning_rate: TENTH, momentum: Millionths(900_000) };
	let mut momentum = Optimiser::new(rule, &weights).unwrap();
	momentum.step(&mut weights, &state(&[0.5])).unwrap();
	near(&weights, &[0.95]);
	// v = 0.9 · 0.5 + 0.5
	momentum.step(&mut weights, &state(&[0.5])).unwrap();
	near(&weights, &[0.855]);
	near(&momentum.moments()[0], &[0.95]);
}

#[test]
fn adamw_takes_the_steps_that_a_hand_finds() {
	let mut weights = state(&[1.0]);
	let Rule::AdamW { beta1, beta2, epsilon, weight_decay, .. } = ADAM else { return };
	let rule = Rule::AdamW { learning_rate: TENTH, beta1, beta2, epsilon, weight_decay };
	let mut adam = Optimiser::new(rule, &weights).unwrap();
	// 1 · (1 − 0.1 · 0.01) − 0.1 · 0.5 / (0.5 + 1e-8)
	adam.step(&mut weights, &state(&[0.5])).unwrap();
	near(&weights, &[0.899_000_002]);
	// 0.899 000 002 · 0.999; m = −0.005, which is −1/38 over 1 − 0.9²; v over its correction is 1/4
	// as before.
	adam.step(&mut weights, &state(&[-0.5])).unwrap();
	near(&weights, &[0.898_101_001_998 + (0.1 / 38.0) / (0.5 + 1e-8)]);
	near(&adam.moments()[0], &[-0.005]);
	near(&adam.moments()[1], &[0.000_499_75]);
	assert_eq!(adam.steps(), 2);
}

#[test]
fn hyper_parameters_out_of_bounds_are_refused() {
	let refused = |rule: Rule| match Optimiser::new(rule, &state(&[1.0])) {
		Err(OptimiserError::OutOfBounds { name, .. }) => name,
		other => panic!("{other:?}"),
	};
	let Rule::AdamW { learning_rate, beta1, beta2, epsilon, weight_decay } = ADAM else { return };
	let adam = |beta1, beta2, epsilon, weight_decay| {
		refused(Rule::AdamW { learning_rate, beta1, beta2, epsilon, weight_decay })
	};
	let one = Millionths(1_000_000);
	assert_eq!(refused(Rule::Sgd { learning_rate: Millionths(0) }), "learning_rate");
	assert_eq!(refused(Rule::Sgd { learning_rate: Millionths(100_000_001) }), "learning_rate");
	assert_eq!(refused(Rule::Momentum { learning_rate: TENTH, momentum: one }), "momentum");
	assert_eq!(adam(one, beta2, epsilon, weight_decay), "beta1");
	assert_eq!(adam(beta1, one, epsilon, weight_decay), "beta2");
	assert_eq!(adam(beta1, beta2, Trillionths(0), weight_decay), "epsilon");
	assert_eq!(adam(beta1, beta2, epsilon, Millionths(1_000_001)), "weight_decay");
}

#[test]
fn a_gradient_of_other_weights_is_refused() {
	let mut weights = state(&[1.0]);
	let mut adam = Optimiser::new(ADAM, &weights).unwrap();
	assert_eq!(adam.step(&mut weights, &state(&[1.0, 2.0])), Err(OptimiserError::Shapes));
	let mut others = state(&[1.0, 2.0]);
	assert_eq!(adam.step(&mut others, &state(&[1.0, 2.0])), Err(OptimiserError::Shapes));
	assert_eq!((weights, adam.steps()), (state(&[1.0]), 0));
}

#[test]
fn a_rule_is_json_with_integers() {
	let json = r#"{"kind":"momentum","learning_rate":100000,"momentum":900000}"#;
	let rule = Rule::Momentum { learning_rate: TENTH, momentum: Millionths(900_000) };
	assert_eq!(serde_json::from_str::<Rule>(json).unwrap(), rule);
	assert_eq!(serde_json::to_string(&rule).unwrap(), json);
	let adam = serde_json::to_string(&ADAM).unwrap();
	assert!(adam.starts_with(r#"{"kind":"adamw","#), "{adam}");
	assert!(serde_json::from_str::<Rule>(r#"{"kind":"sgd","learning_rate":0.1}"#).is_err());
	assert!(serde_json::from_str::<Rule>(r#"{"kind":"sgd","learning_rate":1,"x":1}"#).is_err());
}

#[test]
fn one_step_of_training_is_the_one_that_a_hand_finds() {
	let model = model_of("[1]", r#"{"kind": "dense", "units": 2, "bias": false}"#);
	let ones = shard(&Tensor::new(vec![1, 1], vec![1.0]).unwrap(), &[0], 2);
	let schedule = Schedule { steps: 1, batch: 1, micro_batch: 1 };
	let sgd = Rule::Sgd { learning_rate: TENTH };
	let trained = train(&model, &model.zeros(), sgd, &schedule, &ones, &[0]).unwrap();
	// Both shares are a half, so the gradient of the scores is −½ and ½.
	assert_eq!(trained.change.get("0.weight").unwrap().data(), [0.05, -0.05]);
	assert_eq!(trained.losses.len(), 1);
	assert!((trained.losses[0] - LN_2).abs() < 1e-15);
}

#[test]
fn a_separable_problem_is_learnt() {
	let (model, shard) = (linear(), separable());
	let schedule = Schedule { steps: 60, batch: 16, micro_batch: 16 };
	let sgd = Rule::Sgd { learning_rate: Millionths(1_000_000) };
	let trained = train(&model, &model.zeros(), sgd, &schedule, &shard, &rows(30)).unwrap();
	assert!((trained.losses[0] - LN_2).abs() < 1e-12);
	assert!(trained.losses[59] < 0.2, "{:?}", trained.losses);
	let found = evaluate(&model, &trained.change, &shard, &rows(1), 5).unwrap();
	assert_eq!((found.rows, found.right), (32, 32));
}

#[test]
fn exclusive_or_is_learnt_by_a_hidden_layer() {
	let (hidden, tanh) = (r#"{"kind": "dense", "units": 8, "bias": true}"#, r#"{"kind": "tanh"}"#);
	let output = r#"{"kind": "dense", "units": 2, "bias": true}"#;
	let model = model_of("[2]", &format!("{hidden}, {tanh}, {output}"));
	let corners = vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
	let shard = shard(&Tensor::new(vec![4, 2], corners).unwrap(), &[0, 1, 1, 0], 2);
	let schedule = Schedule { steps: 200, batch: 4, micro_batch: 2 };
	let indices: Vec<u32> = (0..4).cycle().take(800).collect();
	let start = weights(&model, 5);
	let trained = train(&model, &start, ADAM, &schedule, &shard, &indices).unwrap();
	let found = evaluate(&model, &sum(&start, &trained.change), &shard, &[0, 1, 2, 3], 4).unwrap();
	assert_eq!(found.labels, [0, 1, 1, 0]);
}

#[test]
fn micro_batches_change_no_bit_of_training() {
	for rule in [Rule::Sgd { learning_rate: TENTH }, ADAM] {
		let whole = run(16, rule);
		assert!(whole.change.norm() > 0.0);
		for micro_batch in [1, 3, 8, MAX_MICRO_BATCH] {
			assert_eq!(run(micro_batch, rule), whole);
		}
	}
}

#[test]
fn the_order_of_rows_is_part_of_the_task() {
	let (model, schedule) = (linear(), Schedule { steps: 2, batch: 16, micro_batch: 16 });
	let with = |indices: &[u32]| {
		let rule = Rule::Sgd { learning_rate: TENTH };
		train(&model, &weights(&model, 4), rule, &schedule, &separable(), indices).unwrap()
	};
	let forwards = rows(1);
	let backwards: Vec<u32> = forwards.iter().rev().copied().collect();
	assert_eq!(with(&forwards), with(&forwards));
	assert_ne!(with(&forwards), with(&backwards));
}

#[test]
fn a_schedule_out_of_bounds_is_refused() {
	let sound = Schedule { steps: 4, batch: 8, micro_batch: 8 };
	assert_eq!(sound.check(32), Ok(()));
	let indices = TrainError::Indices { found: 31, steps: 4, batch: 8, expected: 32 };
	assert_eq!(sound.check(31), Err(indices));
	for (schedule, name, wrong, most) in [
		(Schedule { steps: 0, ..sound }, "steps", 0, MAX_STEPS),
		(Schedule { steps: MAX_STEPS + 1, ..sound }, "steps", MAX_STEPS + 1, MAX_STEPS),
		(Schedule { batch: 0, ..sound }, "batch", 0, MAX_BATCH),
		(Schedule { batch: u32::MAX, ..sound }, "batch", u32::MAX, MAX_BATCH),
		(Schedule { micro_batch: 0, ..sound }, "micro_batch", 0, MAX_MICRO_BATCH),
		(Schedule { micro_batch: 4_097, ..sound }, "micro_batch", 4_097, MAX_MICRO_BATCH),
	] {
		let refusal = TrainError::OutOfBounds { field: name, value: wrong, most };
		assert_eq!(schedule.check(32), Err(refusal));
	}
}

#[test]
fn training_should_fail_when_the_rows_are_not_the_models() {
	let (sgd, schedule) =
		(Rule::Sgd { learning_rate: TENTH }, Schedule { steps: 1, batch: 1, micro_batch: 1 });
	let attempt = |model: &Model, shard: &Shard, row: u32| {
		train(model, &model.zeros(), sgd, &schedule, shard, &[row]).unwrap_err()
	};
	let missing = attempt(&linear(), &separable(), 32);
	assert!(matches!(missing, TrainError::Dataset(DatasetError::Index { .. })));
	let wide = shard(&tensor(&[1, 3], 1), &[0], 2);
	let shape = attempt(&linear(), &wide, 0);
	assert!(matches!(shape, TrainError::Input(InputError::Shape { .. })));
	let third = shard(&tensor(&[1, 2], 1), &[2], 3);
	let class = attempt(&linear(), &third, 0);
	assert!(matches!(class, TrainError::Input(InputError::NoSuchClass(_))));
	let embedding = r#"{"kind": "embedding", "vocabulary": 3, "width": 2}, {"kind": "flatten"}"#;
	let tokens = model_of("[2]", embedding);
	for token in [-1.0, 0.5, 3.0] {
		let wrong = shard(&Tensor::new(vec![1, 2], vec![2.0, token]).unwrap(), &[0], 2);
		let refused = attempt(&tokens, &wrong, 0);
		let expected = InputError::NoSuchToken { vocabulary: 3 };
		assert_eq!(refused, TrainError::Input(expected), "{token}");
	}
}

#[test]
fn training_should_fail_when_numbers_get_too_large() {
	let model = linear();
	let large = shard(&Tensor::new(vec![1, 2], vec![1e300, 1e300]).unwrap(), &[0], 2);
	let schedule = Schedule { steps: 3, batch: 1, micro_batch: 1 };
	let sgd = Rule::Sgd { learning_rate: Millionths(1_000_000) };
	let failed = train(&model, &model.zeros(), sgd, &schedule, &large, &[0, 0, 0]);
	// The first step makes weights of 5e299, whose scores are infinite in the second.
	assert_eq!(failed, Err(TrainError::NotFinite { step: 1, what: "loss" }));
}
