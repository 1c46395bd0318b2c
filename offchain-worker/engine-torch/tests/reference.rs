//! What libtorch trains beside what the pure Rust trains: gradients of every layer, every optimiser,
//! and the same refusals.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{
	distance, elements, model, rows, samples, shard, weights, Numbers, MODELS, RULES, SGD,
};
use tequio_engine_ml::{
	self as ml,
	dataset::Shard,
	grid::GridState,
	network::InputError,
	optimiser::Millionths,
	train::{Schedule, TrainError},
	Backend, BackendError, Class, Model, Reference, Rule, State, Steps,
};
use tequio_engine_torch::{
	descend::descend, memory::working_bytes, network::Network, parameters::Parameters,
	samples::Picker, train::train, Fault, Precision,
};

const SCHEDULE: Schedule = Schedule { steps: 5, batch: 20, micro_batch: 8 };

/// The summed gradient of these rows by libtorch in doubles.
fn gradient(model: &Model, weights: &State, shard: &Shard, rows: &[u32]) -> State {
	let precision = Precision::Double;
	let network = Network::new(model, precision, precision).unwrap();
	let parameters = Parameters::new(weights, precision).unwrap();
	let picked = Picker::new(model, shard, precision).unwrap().pick(rows).unwrap();
	let loss = network.loss(parameters.leaves(), &picked).unwrap();
	let mut gradient = parameters.gradient().unwrap();
	gradient.set(&parameters, &loss).unwrap();
	parameters.unpack(&gradient.flat(), weights, |slope, _| slope).unwrap()
}

fn check_gradient(model: &Model, shard: &Shard) {
	let weights = weights(model, 3);
	let rows: Vec<u32> = (0..u32::try_from(shard.rows()).unwrap()).collect();
	let network = ml::Network::new(model, weights.clone()).unwrap();
	let (picked, mut expected) = (shard.pick(&rows).unwrap(), weights.zeros_like());
	network.add_gradients(picked.x, &picked.y, &mut expected).unwrap();
	let found = gradient(model, &weights, shard, &rows);
	assert!(expected.norm() > 0.0 && found.same_shapes(&expected));
	for ((name, found), (_, expected)) in found.0.iter().zip(&expected.0) {
		for (found, expected) in found.data().iter().zip(expected.data()) {
			let error = (found - expected).abs() / (1.0 + expected.abs());
			assert!(error < 1e-12, "{name}: {found} is not {expected}");
		}
	}
}

fn check(input: &str, layers: &str) {
	let layers = format!(r#"{{"input": {input}, "layers": [{layers}]}}"#);
	let model = model(&layers);
	check_gradient(&model, &samples(&model, 7, 5));
}

const END: &str = r#"{"kind": "flatten"}, {"kind": "dense", "units": 10, "bias": true}"#;
const WIDEN: &str = r#"{"kind": "dense", "units": 12, "bias": true}"#;

fn conv2d(filters: u32, [kernel, stride, padding]: [u32; 3], bias: bool) -> String {
	let sizes = format!(r#""kernel": {kernel}, "stride": {stride}, "padding": {padding}"#);
	format!(r#"{{"kind": "conv2d", "filters": {filters}, {sizes}, "bias": {bias}}}"#)
}

fn steps<'a>(
	model: &'a Model,
	weights: &'a State,
	schedule: &'a Schedule,
	shard: &'a Shard,
	rows: &'a [u32],
) -> Steps<'a> {
	Steps { model, weights, schedule, shard, rows }
}

#[test]
fn layers_of_rows_have_the_gradients_of_the_reference() {
	let unbiased = r#"{"kind": "dense", "units": 9, "bias": false}"#;
	check("[5]", &format!("{WIDEN}, {END}"));
	check("[2, 5]", &format!("{WIDEN}, {unbiased}, {END}"));
	let norm = r#"{"kind": "layer_norm"}"#;
	check("[5]", &format!("{WIDEN}, {norm}, {END}"));
	check("[3, 5]", &format!("{WIDEN}, {norm}, {END}"));
	check("[3, 5]", &format!(r#"{WIDEN}, {{"kind": "global_avg_pool"}}, {END}"#));
	for kind in ["relu", "silu", "gelu", "tanh"] {
		check("[5]", &format!(r#"{WIDEN}, {{"kind": "{kind}"}}, {END}"#));
	}
	let inner =
		r#"{"kind": "residual", "layers": [{"kind": "dense", "units": 12, "bias": false}]}"#;
	let outer =
		format!(r#"{{"kind": "residual", "layers": [{WIDEN}, {{"kind": "tanh"}}, {inner}]}}"#);
	check("[5]", &format!("{WIDEN}, {outer}, {END}"));
}

#[test]
fn layers_of_planes_have_the_gradients_of_the_reference() {
	let (first, second) = (conv2d(3, [3, 2, 1], true), conv2d(2, [2, 1, 0], false));
	check("[2, 7, 5]", &format!("{first}, {second}, {END}"));
	let conv = conv2d(4, [3, 1, 1], true);
	for pool in ["max_pool2d", "avg_pool2d"] {
		for (kernel, stride) in [(2, 2), (3, 1), (2, 3)] {
			let sizes = format!(r#""kernel": {kernel}, "stride": {stride}"#);
			check("[1, 6, 5]", &format!(r#"{conv}, {{"kind": "{pool}", {sizes}}}, {END}"#));
		}
	}
	check("[2, 3, 4]", &format!(r#"{conv}, {{"kind": "global_avg_pool"}}, {END}"#));
	for groups in [1, 2, 4] {
		let norm = format!(r#"{{"kind": "group_norm", "groups": {groups}}}"#);
		check("[2, 3, 4]", &format!("{conv}, {norm}, {END}"));
	}
}

#[test]
fn attention_and_tables_have_the_gradients_of_the_reference() {
	for heads in [1, 3] {
		for causal in [false, true] {
			let attention =
				format!(r#"{{"kind": "self_attention", "heads": {heads}, "causal": {causal}}}"#);
			check("[4, 5]", &format!("{WIDEN}, {attention}, {END}"));
		}
	}
	let tables = r#"{"kind": "embedding", "vocabulary": 6, "width": 3},
		{"kind": "position_embedding"}"#;
	check("[5]", &format!("{tables}, {END}"));
}

/// The first of equal maxima gets the gradient, and nothing is decided by a rounding.
#[test]
fn equal_maxima_have_the_gradient_of_the_reference() {
	let pool = r#"{"kind": "max_pool2d", "kernel": 2, "stride": 1}"#;
	let conv = conv2d(2, [1, 1, 0], false);
	let model = model(&format!(r#"{{"input": [1, 4, 4], "layers": [{conv}, {pool}, {END}]}}"#));
	let x: Vec<f64> = (0..32).map(|place| f64::from(place * 5 % 3)).collect();
	check_gradient(&model, &shard(&[2, 1, 4, 4], &x, &[3, 9], 10));
}

#[test]
fn training_in_doubles_is_on_the_grid_that_of_the_reference() {
	for (name, card) in MODELS {
		let model = model(card);
		let (weights, shard) = (weights(&model, 1), samples(&model, 50, 2));
		for (rule, schedule) in [(RULES[0], 8), (RULES[1], 20), (RULES[2], 3)]
			.map(|(rule, micro_batch)| (rule, Schedule { micro_batch, ..SCHEDULE }))
		{
			let rows = rows(&shard, 100, 3);
			let steps = steps(&model, &weights, &schedule, &shard, &rows);
			let found = train(Precision::Double, rule, &steps);
			let expected = ml::train(&model, &weights, rule, &schedule, &shard, &rows).unwrap();
			let found = found.unwrap();
			let [grid, other] =
				[&found.change, &expected.change].map(|change| GridState::round(change).unwrap());
			assert_ne!(grid, GridState::zeros_like(&weights));
			assert_eq!(grid, other, "{name}, {rule:?}");
			let losses = found.losses.iter().zip(&expected.losses);
			assert!(losses.into_iter().all(|(one, two)| (one - two).abs() < 1e-10), "{name}");
		}
	}
}

#[test]
fn training_in_singles_is_about_that_of_the_reference() {
	for (name, card) in MODELS {
		let model = model(card);
		let (weights, shard) = (weights(&model, 1), samples(&model, 50, 2));
		let rows = rows(&shard, 100, 3);
		let steps = steps(&model, &weights, &SCHEDULE, &shard, &rows);
		let found = train(Precision::Single, SGD, &steps);
		let expected = ml::train(&model, &weights, SGD, &SCHEDULE, &shard, &rows).unwrap().change;
		let error = distance(&found.unwrap().change, &expected) / expected.norm();
		assert!(error < 1e-4, "{name}: {error}");
	}
}

#[test]
fn a_descent_is_about_that_of_the_reference_and_all_of_it_are_singles() {
	let schedule = Schedule { steps: 1, ..SCHEDULE };
	for (name, card) in MODELS {
		let model = model(card);
		let (weights, shard) = (weights(&model, 1), samples(&model, 50, 2));
		let rows = rows(&shard, 20, 3);
		let rate = Millionths(100_000);
		let step = steps(&model, &weights, &schedule, &shard, &rows);
		let found = descend(rate, &step).unwrap();
		let expected = Reference.descend(rate, &step).unwrap();
		assert!((found.scale / expected.scale - 1.0).abs() < 1e-5, "{name}");
		let error = distance(&found.change, &expected.change) / expected.scale;
		assert!(error < 1e-5, "{name}: {error}");
		for element in elements(&found.change) {
			assert_eq!(f64::from(element as f32).to_bits(), element.to_bits());
			assert!(element != 0.0 || element.is_sign_positive());
		}
	}
}

const LINEAR: &str = r#"{"input": [2], "layers": [{"kind": "dense", "units": 2, "bias": true}]}"#;

/// A linear model of two features and two classes.
fn linear() -> Model {
	model(LINEAR)
}

fn same_refusal(model: &Model, rule: Rule, schedule: &Schedule, shard: &Shard, rows: &[u32]) {
	let zeros = model.zeros();
	let found = train(Precision::Double, rule, &steps(model, &zeros, schedule, shard, rows));
	let expected = ml::train(model, &zeros, rule, schedule, shard, rows).unwrap_err();
	match found {
		Err(Fault::Train(found)) => assert_eq!(found, expected),
		other => panic!("{other:?}, not {expected:?}"),
	}
}

#[test]
fn what_the_reference_refuses_is_refused() {
	let once = Schedule { steps: 1, batch: 1, micro_batch: 1 };
	let sound = shard(&[1, 2], &[1.0, 2.0], &[0], 2);
	same_refusal(&linear(), SGD, &Schedule { steps: 0, ..once }, &sound, &[0]);
	same_refusal(&linear(), SGD, &once, &sound, &[0, 0]);
	same_refusal(&linear(), SGD, &once, &sound, &[1]);
	same_refusal(&linear(), Rule::Sgd { learning_rate: Millionths(0) }, &once, &sound, &[0]);
	same_refusal(&linear(), SGD, &once, &shard(&[1, 3], &[1.0; 3], &[0], 2), &[0]);
	same_refusal(&linear(), SGD, &once, &shard(&[1, 2], &[1.0; 2], &[2], 3), &[0]);
	let embedding = r#"{"kind": "embedding", "vocabulary": 3, "width": 1}"#;
	let tokens = model(&format!(r#"{{"input": [2], "layers": [{embedding}, {END}]}}"#));
	for token in [-1.0, -0.5, 0.5, 3.0] {
		same_refusal(&tokens, SGD, &once, &shard(&[1, 2], &[2.0, token], &[0], 2), &[0]);
	}
	// The first step makes weights of 5e299, whose scores are infinite in the second.
	let thrice = Schedule { steps: 3, ..once };
	let fast = Rule::Sgd { learning_rate: Millionths(1_000_000) };
	let large = shard(&[1, 2], &[1e300; 2], &[0], 2);
	same_refusal(&linear(), fast, &thrice, &large, &[0, 0, 0]);
	// And weights that one step throws out of the doubles.
	let fastest = Rule::Sgd { learning_rate: Millionths(100_000_000) };
	let largest = shard(&[1, 2], &[1e307; 2], &[0], 2);
	same_refusal(&linear(), fastest, &once, &largest, &[0]);
}

#[test]
fn a_descent_of_other_form_or_beyond_singles_is_refused() {
	let by = |schedule: &Schedule, x: f64, rows: &[u32]| {
		let (model, shard) = (linear(), shard(&[1, 2], &[x; 2], &[0], 2));
		match descend(Millionths(1), &steps(&model, &model.zeros(), schedule, &shard, rows)) {
			Err(Fault::Train(error)) => error,
			other => panic!("{other:?}"),
		}
	};
	let once = Schedule { steps: 1, batch: 1, micro_batch: 1 };
	let steps = TrainError::OutOfBounds { field: "steps", value: 2, most: 1 };
	assert_eq!(by(&Schedule { steps: 2, ..once }, 1.0, &[0, 0]), steps);
	let refused = TrainError::from(InputError::NotFinite);
	assert_eq!(by(&once, 1e300, &[0]), refused);
}

/// Both backends refuse what singles cannot hold, and for the same reason.
#[test]
fn weights_and_samples_beyond_singles_are_refused() {
	let once = Schedule { steps: 1, batch: 1, micro_batch: 1 };
	let model = linear();
	let mut large = model.zeros();
	large.0[0].1.data_mut()[0] = 1e39;
	for (weights, x) in [(&large, 1.0), (&model.zeros(), 1e39)] {
		let shard = shard(&[1, 2], &[1.0, x], &[0], 2);
		let step = steps(&model, weights, &once, &shard, &[0]);
		let expected = Reference.descend(Millionths(1), &step);
		let found = descend(Millionths(1), &step);
		assert_eq!(found.map_err(BackendError::from), expected);
		let trained = train(Precision::Single, SGD, &step);
		assert_eq!(trained.map_err(BackendError::from).map(|_| ()), expected.map(|_| ()));
		assert!(train(Precision::Double, SGD, &step).is_ok());
	}
}

/// What one step of a rate of 1 comes to, on one sample of class 0.
fn step(card: &str, weights: &[&[f64]], x: &[f64]) -> Result<(), TrainError> {
	let model = model(card);
	let mut all = model.zeros();
	for ((_, tensor), values) in all.0.iter_mut().zip(weights) {
		tensor.data_mut().copy_from_slice(values);
	}
	let once = Schedule { steps: 1, batch: 1, micro_batch: 1 };
	let shard = shard(&[1, x.len()], x, &[0], 2);
	match descend(Millionths(1_000_000), &steps(&model, &all, &once, &shard, &[0])) {
		Ok(_) => Ok(()),
		Err(Fault::Train(error)) => Err(error),
		Err(fault) => panic!("{fault}"),
	}
}

const PAIR: &str = r#"{"input": [2], "layers": [
	{"kind": "dense", "units": 2, "bias": false}, {"kind": "dense", "units": 2, "bias": false}
]}"#;

#[test]
fn a_step_that_singles_have_no_digits_for_is_refused() {
	let ill = Err(TrainError::IllConditioned);
	// Two features that are almost the same, and large weights that cancel out.
	let (alike, x) = ([1.0, 1.0, 1.0, 1.000_000_1], [0.3, 0.7]);
	assert_eq!(step(PAIR, &[&alike, &[1.0, -1.0, 0.0, 0.0]], &x), Ok(()));
	assert_eq!(step(PAIR, &[&alike, &[1e7, -1e7, 0.0, 0.0]], &x), ill);
	// Scores that only doubles can hold; their gradients are singles again.
	let large: [&[f64]; 1] = [&[0.0, 0.0, 1e25, 0.0]];
	assert_eq!(step(LINEAR, &large, &[1.0, 1.0]), Ok(()));
	assert_eq!(step(LINEAR, &large, &[1e25, 1.0]), ill);
	// Where the change itself is beyond singles, both diverge.
	let diverged = step(PAIR, &[&[1.0, 0.0, 0.0, 1.0], large[0]], &[1e25, 1.0]);
	assert!(matches!(diverged, Err(TrainError::NotFinite { step: 0, .. })), "{diverged:?}");
}

#[test]
fn a_normalisation_of_numbers_far_from_zero_is_refused() {
	let card = r#"{"input": [64], "layers": [
		{"kind": "layer_norm"}, {"kind": "dense", "units": 2, "bias": true}
	]}"#;
	let near = |middle: f64| -> Vec<f64> {
		Numbers(5).take(64).map(|number| f64::from((middle + number) as f32)).collect()
	};
	let weights: Vec<f64> = Numbers(6).take(128).collect();
	let all: [&[f64]; 4] = [&[1.0; 64], &[0.0; 64], &weights, &[0.0; 2]];
	assert_eq!(step(card, &all, &near(0.0)), Ok(()));
	assert_eq!(step(card, &all, &near(1.0)), Ok(()));
	assert_eq!(step(card, &all, &near(1e5)), Err(TrainError::IllConditioned));
}

#[test]
fn layers_that_take_more_memory_say_so() {
	let bytes = |input: &str, layers: &str, micro_batch| {
		let model = model(&format!(r#"{{"input": {input}, "layers": [{layers}, {END}]}}"#));
		working_bytes(model.nodes(), micro_batch)
	};
	assert_eq!(bytes("[5]", WIDEN, 4_096), 0);
	// 2 channels, 9 taps and 5 × 3 places; the smaller convolution does not count.
	let (first, second) = (conv2d(3, [3, 1, 0], true), conv2d(2, [1, 1, 0], false));
	let residual = format!(r#"{{"kind": "residual", "layers": [{}]}}"#, conv2d(2, [3, 1, 1], true));
	assert_eq!(bytes("[2, 7, 5]", &format!("{first}, {second}"), 8), 2 * 9 * 15 * 8 * 8 * 2);
	assert_eq!(bytes("[2, 7, 5]", &format!("{residual}, {second}"), 8), 2 * 9 * 35 * 8 * 8 * 2);
	// 3 heads of 4 × 4 positions, twice.
	let attention = r#"{"kind": "self_attention", "heads": 3, "causal": false}"#;
	let twice = format!("{WIDEN}, {attention}, {attention}");
	assert_eq!(bytes("[4, 5]", &twice, 2), 2 * 3 * 16 * 2 * 8 * 6);
}

#[test]
fn a_backend_computes_its_class_alone() {
	use std::num::NonZeroUsize;
	use tequio_engine_torch::{backend::NotServed, Libtorch};
	let one = NonZeroUsize::MIN;
	assert_eq!(Libtorch::start(Class::Integer, one), Err(NotServed(Class::Integer)));
	let doubles = Libtorch::start(Class::ExactF64, one).unwrap();
	assert_eq!(doubles.about(), "libtorch, 1 thread");
	let (model, once) = (linear(), Schedule { steps: 1, batch: 1, micro_batch: 1 });
	let (zeros, shard) = (model.zeros(), shard(&[1, 2], &[1.0; 2], &[0], 2));
	for class in [Class::ExactF32, Class::BandedF32, Class::Integer] {
		let steps = steps(&model, &zeros, &once, &shard, &[0]);
		let refused = doubles.train(class, SGD, &steps);
		assert!(matches!(refused, Err(BackendError::Failed(_))), "{class}: {refused:?}");
	}
}
