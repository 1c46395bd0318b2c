//! A job that needs nothing: the worker process asks for it to test and to measure an engine.
//!
//! A fixed perceptron of two layers, with weights and samples drawn by SplitMix64, is trained or
//! evaluated as a chunk of the class would be. The output is what such a chunk hands over, without
//! an index or a projection.
//!
//! | class | what is done | output |
//! | --- | --- | --- |
//! | `exact-f64`, `exact-f32` | training by the backend, a sample a step | the change, on the grid |
//! | `banded-f32` | the same step again and again, by the backend | the step, as singles |
//! | `integer` | evaluation | the counts |
//!
//! Steps of `banded-f32` differ from machine to machine. One within the band of the reference's passes,
//! and the output is that of the reference then: so it is known beforehand, whatever the units.

use crate::{
	backend::{Backend, Reference},
	class::Class,
	dataset::Shard,
	evaluate::evaluate,
	grid::GridState,
	model::{Model, UNIT},
	near::within_band,
	optimiser::{Millionths, Rule},
	payload::write_single,
	request::{Counts, Refusal, RequestError},
	safetensors::{self, Source, Values},
	tensor::State,
	train::{Schedule, Steps, MAX_STEPS},
};
use codec::Encode;
use std::hint::black_box;

/// Units that an exam may have: a quarter of an hour or so.
pub const MAX_UNITS: u32 = 1 << 20;

/// The model: some 5 000 parameters, and 15 000 multiply-adds to train on a sample.
const CARD: &str = r#"{"input": [64], "layers": [
	{"kind": "dense", "units": 64, "bias": true},
	{"kind": "tanh"},
	{"kind": "dense", "units": 10, "bias": true}
]}"#;
/// Numbers in a sample.
const FEATURES: usize = 64;
/// Classes of the labels.
const CLASSES: u32 = 10;
/// Samples that there are.
const ROWS: u32 = 64;
/// Samples that are evaluated at a time.
const MICRO_BATCH: u32 = 32;
/// Seed of the weights.
const WEIGHTS: u64 = 1;
/// Step size of the optimiser.
const LEARNING_RATE: Millionths = Millionths(1_000);
/// The optimiser.
const RULE: Rule = Rule::Sgd { learning_rate: LEARNING_RATE };
/// How a step of descent takes its samples.
const STEP: Schedule = Schedule { steps: 1, batch: 32, micro_batch: 32 };

/// The output of the job of so many units, 1 to [`MAX_UNITS`], on the samples of this seed.
pub fn run(
	class: Class,
	backend: &dyn Backend,
	seed: u32,
	units: u32,
) -> Result<Vec<u8>, RequestError> {
	if !(1..=MAX_UNITS).contains(&units) {
		return Err(Refusal::ExamUnits(units).into());
	}
	let model = Model::parse(CARD.as_bytes()).map_err(Refusal::from)?;
	let weights = weights(&model);
	let shard = shard(seed)?;
	let (cost, batch) = (model.cost(), u64::from(STEP.batch));
	// Multiply-adds of what is repeated.
	let of_one = match class {
		Class::ExactF64 | Class::ExactF32 => cost.multiply_adds().saturating_add(cost.parameters),
		Class::BandedF32 => {
			cost.multiply_adds().saturating_mul(batch).saturating_add(cost.parameters)
		},
		Class::Integer => cost.forward,
	};
	let times = (u64::from(units) * UNIT).div_ceil(of_one.max(1));
	match class {
		Class::ExactF64 | Class::ExactF32 => {
			trained(class, backend, &model, weights, &shard, times)
		},
		Class::BandedF32 => descended(backend, &model, &weights, &shard, times),
		Class::Integer => Ok(evaluated(&model, &weights, &shard, times)?),
	}
}

/// Rows of the shard in turn, so many at a time at most.
fn pieces(samples: u64) -> impl Iterator<Item = Vec<u32>> {
	let piece = u64::from(MAX_STEPS);
	let row = |sample: u64| u32::try_from(sample % u64::from(ROWS)).unwrap_or(0);
	(0..samples.div_ceil(piece)).map(move |number| {
		let first = number.saturating_mul(piece);
		(first..first.saturating_add(piece).min(samples)).map(row).collect()
	})
}

/// Trains in steps of one sample, and gives the change of the weights.
fn trained(
	class: Class,
	backend: &dyn Backend,
	model: &Model,
	mut weights: State,
	shard: &Shard,
	samples: u64,
) -> Result<Vec<u8>, RequestError> {
	let mut change = weights.zeros_like();
	for rows in pieces(samples) {
		let steps = u32::try_from(rows.len()).unwrap_or(MAX_STEPS);
		let schedule = Schedule { steps, batch: 1, micro_batch: 1 };
		let steps = Steps { model, weights: &weights, schedule: &schedule, shard, rows: &rows };
		let trained = backend.train(class, RULE, &steps)?;
		let more = trained.change;
		add(&mut weights, &more);
		add(&mut change, &more);
	}
	let change = GridState::round(&change).map_err(Refusal::from)?;
	Ok(change.write().map_err(Refusal::from)?)
}

/// Descends by the same step so many times, and gives that of the reference, if the backend's lies
/// within its band; otherwise the backend's own.
fn descended(
	backend: &dyn Backend,
	model: &Model,
	weights: &State,
	shard: &Shard,
	times: u64,
) -> Result<Vec<u8>, RequestError> {
	let rows: Vec<u32> = (0..STEP.batch).collect();
	let step = Steps { model, weights, schedule: &STEP, shard, rows: &rows };
	let by = |backend: &dyn Backend| backend.descend(LEARNING_RATE, &step);
	let found = by(backend)?.change;
	for _ in 1..times {
		black_box(by(backend)?);
	}
	let truth = by(&Reference)?;
	let passes = within_band(&truth.change, truth.scale, &found);
	let output = if passes { &truth.change } else { &found };
	Ok(write_single(output).map_err(Refusal::from)?)
}

/// Evaluates, and gives the counts of all pieces together.
fn evaluated(
	model: &Model,
	weights: &State,
	shard: &Shard,
	samples: u64,
) -> Result<Vec<u8>, Refusal> {
	let mut all = Counts::default();
	for rows in pieces(samples) {
		let found = Counts::of(&evaluate(model, weights, shard, &rows, MICRO_BATCH)?);
		all.right = all.right.saturating_add(found.right);
		all.rows = all.rows.saturating_add(found.rows);
		all.loss = all.loss.saturating_add(found.loss);
	}
	Ok(all.encode())
}

fn add(state: &mut State, change: &State) {
	for ((_, tensor), (_, more)) in state.0.iter_mut().zip(&change.0) {
		tensor.add(more);
	}
}

/// Weights between −1/8 and 1/8.
fn weights(model: &Model) -> State {
	let (mut weights, mut numbers) = (model.zeros(), Numbers(WEIGHTS));
	for (_, tensor) in &mut weights.0 {
		for (value, number) in tensor.data_mut().iter_mut().zip(&mut numbers) {
			*value = number / 8.0;
		}
	}
	weights
}

/// Samples between −1 and 1, with labels in turn.
fn shard(seed: u32) -> Result<Shard, Refusal> {
	let rows = usize::try_from(ROWS).unwrap_or(usize::MAX);
	let elements = rows.saturating_mul(FEATURES);
	let x: Vec<f64> = Numbers(u64::from(seed) << 32).take(elements).collect();
	let y: Vec<i64> = (0..i64::from(CLASSES)).cycle().take(rows).collect();
	let bytes = safetensors::write(&[
		Source { name: "x", shape: &[rows, FEATURES], values: Values::F64(&x) },
		Source { name: "y", shape: &[rows], values: Values::I64(&y) },
	])?;
	Ok(Shard::read(&bytes, bytes.len(), CLASSES)?)
}

/// Numbers between −1 and 1 by SplitMix64, all of them exact, from a seed.
pub struct Numbers(pub u64);

impl Iterator for Numbers {
	type Item = f64;

	fn next(&mut self) -> Option<f64> {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut mixed = self.0;
		mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^= mixed >> 31;
		Some((mixed >> 11) as f64 / (1_u64 << 52) as f64 - 1.0)
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{
		backend::{BackendError, Descent},
		payload::read_single,
		train::Trained,
	};
	use hex_literal::hex;
	use sp_crypto_hashing::blake2_256;

	/// What the reference finds.
	fn exam(class: Class, seed: u32, units: u32) -> Vec<u8> {
		run(class, &Reference, seed, units).unwrap()
	}

	#[test]
	fn equal_exams_have_equal_outputs_and_others_do_not() {
		for class in [Class::ExactF64, Class::BandedF32, Class::Integer] {
			let output = exam(class, 7, 2);
			assert_eq!(exam(class, 7, 2), output);
			assert_ne!(exam(class, 8, 2), output);
			// A single step is the same however often it is taken.
			assert_eq!(exam(class, 7, 3) == output, class == Class::BandedF32);
		}
	}

	/// The worker process asks for these.
	#[test]
	fn outputs_are_those_of_every_sound_machine() {
		let digest = |class| blake2_256(&exam(class, 0, 1));
		let trained = hex!("f08cf23126b0070618490a7eeccbac6f7af10123dea70e203cc9d75a7714e29d");
		let counted = hex!("923cc9f2cb5feebc357256853632cb1939024e1689580bcc4dbe732ff6743ff8");
		assert_eq!(digest(Class::ExactF64), trained);
		assert_eq!(digest(Class::Integer), counted);
	}

	#[test]
	fn a_single_unit_already_changes_something() {
		let output = exam(Class::ExactF64, 0, 1);
		let model = Model::parse(CARD.as_bytes()).unwrap();
		let change = GridState::read(&output, output.len(), &weights(&model)).unwrap();
		assert_ne!(change, GridState::zeros_like(&weights(&model)));
		let step = read_single(&exam(Class::BandedF32, 0, 1), &weights(&model)).unwrap();
		assert!(step.norm() > 0.0);
	}

	#[test]
	fn units_are_bounded() {
		for units in [0, MAX_UNITS + 1, u32::MAX] {
			let refused = run(Class::Integer, &Reference, 0, units);
			let Err(RequestError::Refused(refusal)) = refused else { panic!("{refused:?}") };
			assert_eq!(refusal, Refusal::ExamUnits(units));
		}
	}

	/// Steps that are longer than they should be, by this factor, and trainings that are nothing.
	struct Off(f64);

	impl Backend for Off {
		fn about(&self) -> String {
			"steps off".into()
		}

		fn train(&self, _: Class, _: Rule, steps: &Steps<'_>) -> Result<Trained, BackendError> {
			Ok(Trained { change: steps.weights.zeros_like(), losses: Vec::new() })
		}

		fn descend(&self, rate: Millionths, steps: &Steps<'_>) -> Result<Descent, BackendError> {
			let sound = Reference.descend(rate, steps)?;
			let mut change = sound.change;
			for (_, tensor) in &mut change.0 {
				let elements = tensor.data_mut().iter_mut();
				elements.for_each(|element| *element = f64::from((*element * self.0) as f32));
			}
			Ok(Descent { change, scale: sound.scale })
		}
	}

	#[test]
	fn backends_pass_within_the_band_of_the_reference() {
		let class = Class::BandedF32;
		let sound = exam(class, 3, 1);
		assert_eq!(run(class, &Off(1.0 + 1e-6), 3, 1).unwrap(), sound);
		assert_ne!(run(class, &Off(1.5), 3, 1).unwrap(), sound);
	}

	#[test]
	fn trainings_are_those_of_the_backend() {
		for class in [Class::ExactF64, Class::ExactF32] {
			let output = run(class, &Off(1.0), 3, 1).unwrap();
			assert_ne!(output, exam(Class::ExactF64, 3, 1));
		}
		let refused = run(Class::ExactF32, &Reference, 3, 1);
		assert!(matches!(refused, Err(RequestError::Failed(_))), "{refused:?}");
	}
}
