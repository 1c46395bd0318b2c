//! One step of plain descent in doubles: the same as training finds, and how large gradients are.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{model, shard, tensor, weights};
use tequio_engine_ml::{
	backend::BackendError,
	dataset::Shard,
	descend,
	descend::{single_samples, singles},
	model::StateError,
	network::InputError,
	optimiser::Millionths,
	train,
	train::{mean_gradient, TrainError},
	Backend, Class, Model, Network, Reference, Rule, Schedule, State, Steps, Tensor,
};

const CARD: &str = r#"{"input":[3],"layers":[
	{"kind":"dense","units":5,"bias":true},{"kind":"gelu"},{"kind":"layer_norm"},
	{"kind":"dense","units":2,"bias":true}
]}"#;
const RATE: Millionths = Millionths(100_000);
const ROWS: [u32; 8] = [5, 0, 1, 4, 2, 3, 5, 5];

/// Samples that rounding to singles leaves as they are.
fn samples() -> Shard {
	shard(&single_samples(&model(CARD), tensor(&[6, 3], 17)).unwrap(), &[0, 1, 1, 0, 1, 0], 2)
}

/// Weights that rounding to singles leaves as they are.
fn single_weights(model: &Model) -> State {
	singles(&weights(model, 3)).unwrap()
}

fn schedule(micro_batch: u32) -> Schedule {
	Schedule { steps: 1, batch: 8, micro_batch }
}

fn elements(state: &State) -> impl Iterator<Item = f64> + '_ {
	state.0.iter().flat_map(|(_, tensor)| tensor.data()).copied()
}

/// The norm of the mean gradient of these rows.
fn norm(model: &Model, weights: &State, rows: &[u32]) -> f64 {
	let network = Network::new(model, weights.clone()).unwrap();
	let mut gradient = weights.zeros_like();
	mean_gradient(&network, &samples(), rows, 1, &mut gradient).unwrap();
	gradient.norm()
}

#[test]
fn a_step_is_that_of_training_but_for_its_singles() {
	let model = model(CARD);
	let (weights, sgd) = (single_weights(&model), Rule::Sgd { learning_rate: RATE });
	for micro_batch in [1, 3, 8] {
		let schedule = schedule(micro_batch);
		let trained = train(&model, &weights, sgd, &schedule, &samples(), &ROWS).unwrap();
		let step = descend(&model, &weights, RATE, &schedule, &samples(), &ROWS).unwrap();
		assert!(step.change.norm() > 0.0 && step.change.same_shapes(&weights));
		for (one, other) in elements(&step.change).zip(elements(&trained.change)) {
			assert!((one - other).abs() <= 1e-7 * other.abs() + 1e-15, "{one} {other}");
			assert_eq!(f64::from(one as f32), one);
		}
	}
}

#[test]
fn the_scale_is_the_mean_norm_of_the_micro_batches() {
	let model = model(CARD);
	let weights = single_weights(&model);
	for micro_batch in [1, 3, 8] {
		let step =
			descend(&model, &weights, RATE, &schedule(micro_batch), &samples(), &ROWS).unwrap();
		let parts: Vec<_> = ROWS.chunks(usize::try_from(micro_batch).unwrap()).collect();
		let norms = parts.iter().map(|rows| norm(&model, &weights, rows));
		let expected = RATE.value() * norms.sum::<f64>() / parts.len() as f64;
		assert!((step.scale - expected).abs() < 1e-12 * expected, "{micro_batch}");
	}
}

#[test]
fn gradients_that_cancel_out_leave_their_size() {
	// Equal scores: a sample of either class pulls as much.
	let model = support::model_of("[1]", r#"{"kind": "dense", "units": 2, "bias": false}"#);
	let both = shard(&Tensor::new(vec![2, 1], vec![1.0, 1.0]).unwrap(), &[0, 1], 2);
	let of = |micro_batch| {
		let schedule = Schedule { steps: 1, batch: 2, micro_batch };
		descend(&model, &model.zeros(), RATE, &schedule, &both, &[0, 1]).unwrap()
	};
	let alone = of(1);
	assert_eq!(alone.change, model.zeros());
	assert!((alone.scale - 0.1 * 0.5_f64.sqrt()).abs() < 1e-15);
	assert_eq!(of(2).scale, 0.0);
}

#[test]
fn descend_should_fail_when_its_input_does_not_fit() {
	let model = model(CARD);
	let weights = weights(&model, 3);
	let with = |schedule: Schedule, rows: &[u32]| {
		descend(&model, &weights, RATE, &schedule, &samples(), rows).unwrap_err()
	};
	let two = Schedule { steps: 2, batch: 4, micro_batch: 1 };
	let refused = TrainError::OutOfBounds { field: "steps", value: 2, most: 1 };
	assert_eq!(with(two, &ROWS), refused);
	assert!(matches!(with(schedule(1), &ROWS[1..]), TrainError::Indices { .. }));
	assert!(matches!(with(schedule(1), &[6; 8]), TrainError::Dataset(_)));
	let none = descend(&model, &weights, Millionths(0), &schedule(1), &samples(), &ROWS);
	assert!(matches!(none, Err(TrainError::Optimiser(_))));
	let other = descend(&model, &State::default(), RATE, &schedule(1), &samples(), &ROWS);
	assert!(matches!(other, Err(TrainError::State(_))));
}

#[test]
fn a_step_beyond_all_singles_has_diverged() {
	let model = support::model_of("[1]", r#"{"kind": "dense", "units": 2, "bias": false}"#);
	let at = |x: f64, rate: u32| {
		let shard = shard(&Tensor::new(vec![1, 1], vec![x]).unwrap(), &[0], 2);
		let schedule = Schedule { steps: 1, batch: 1, micro_batch: 1 };
		descend(&model, &model.zeros(), Millionths(rate), &schedule, &shard, &[0])
	};
	assert!(at(1e38, 1_000_000).is_ok());
	let change = TrainError::NotFinite { step: 0, what: "change of a weight" };
	assert_eq!(at(1e38, 100_000_000), Err(change));
	assert_eq!(at(1e39, 1), Err(TrainError::Input(InputError::NotFinite)));
}

#[test]
fn weights_and_samples_are_rounded_to_singles_or_refused() {
	let model = model(CARD);
	let exact = weights(&model, 3);
	let rounded = singles(&exact).unwrap();
	for (one, other) in elements(&rounded).zip(elements(&exact)) {
		assert_eq!(one, f64::from(other as f32));
	}
	let x = tensor(&[6, 3], 17);
	let unrounded = shard(&x, &[0, 1, 1, 0, 1, 0], 2);
	let step = |from: &State, samples: &Shard| {
		descend(&model, from, RATE, &schedule(3), samples, &ROWS).unwrap()
	};
	assert_eq!(step(&rounded, &samples()), step(&exact, &unrounded));
	let sample = single_samples(&model, x.clone()).unwrap();
	assert!(sample.data().iter().zip(x.data()).all(|(one, x)| *one == f64::from(*x as f32)));
	assert_ne!(sample, x);
	for infinite in [1e39, -1e39, f64::NAN] {
		let mut large = exact.clone();
		large.0[2].1.data_mut()[0] = infinite;
		let refused = Err(TrainError::State(StateError::NotFinite(large.0[2].0.clone())));
		assert_eq!(singles(&large), refused);
		let found = descend(&model, &large, RATE, &schedule(3), &samples(), &ROWS);
		assert_eq!(found.map(|_| State::default()), refused);
		let mut large = x.clone();
		large.data_mut()[17] = infinite;
		let refused = Err(TrainError::Input(InputError::NotFinite));
		assert_eq!(single_samples(&model, large), refused);
	}
}

#[test]
fn tokens_are_not_rounded_so_that_none_is_made_of_a_fraction() {
	let layers = r#"{"kind": "embedding", "vocabulary": 3, "width": 2}, {"kind": "flatten"},
		{"kind": "dense", "units": 2, "bias": true}"#;
	let model = support::model_of("[2]", layers);
	let with = |token: f64| {
		let x = Tensor::new(vec![1, 2], vec![1.0, token]).unwrap();
		assert_eq!(single_samples(&model, x.clone()), Ok(x.clone()));
		let schedule = Schedule { steps: 1, batch: 1, micro_batch: 1 };
		descend(&model, &weights(&model, 3), RATE, &schedule, &shard(&x, &[0], 2), &[0])
	};
	assert!(with(2.0).is_ok());
	let fraction = 2.0 - 1e-12;
	assert_eq!(f64::from(fraction as f32), 2.0);
	let refused = TrainError::Input(InputError::NoSuchToken { vocabulary: 3 });
	assert_eq!(with(fraction), Err(refused));
}

#[test]
fn the_reference_has_doubles_alone() {
	let model = model(CARD);
	let (weights, sgd) = (weights(&model, 3), Rule::Sgd { learning_rate: RATE });
	let (schedule, shard) = (schedule(4), samples());
	let steps =
		Steps { model: &model, weights: &weights, schedule: &schedule, shard: &shard, rows: &ROWS };
	let by = |class| Reference.train(class, sgd, &steps);
	let trained = train(&model, &weights, sgd, &schedule, &shard, &ROWS).unwrap();
	assert_eq!(by(Class::ExactF64), Ok(trained));
	for class in [Class::ExactF32, Class::BandedF32, Class::Integer] {
		let Err(BackendError::Failed(words)) = by(class) else { panic!("{class}") };
		assert!(words.contains("tequio-engine-torch"), "{words}");
	}
	let step = descend(&model, &weights, RATE, &schedule, &shard, &ROWS).unwrap();
	assert_eq!(Reference.descend(RATE, &steps), Ok(step));
}
