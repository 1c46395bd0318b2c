//! A job that needs nothing: the worker process asks for it to test and to measure an engine.
//!
//! A fixed perceptron of two layers, with weights and samples drawn by SplitMix64, is trained or
//! evaluated as a chunk of the class would be. The output is of the class's form.

use crate::{
	class::Class,
	dataset::Shard,
	evaluate::evaluate,
	grid::GridState,
	model::Model,
	optimiser::{Millionths, Rule},
	request::{counts, Refusal},
	safetensors::{self, Source, Values},
	tensor::State,
	train::{train, Schedule, MAX_STEPS},
};

/// Units that an exam may have.
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
/// The optimiser.
const RULE: Rule = Rule::Sgd { learning_rate: Millionths(1_000) };

/// The output of the job of so many units, 1 to [`MAX_UNITS`], on the samples of this seed.
pub fn run(class: Class, seed: u32, units: u32) -> Result<Vec<u8>, Refusal> {
	if !(1..=MAX_UNITS).contains(&units) {
		return Err(Refusal::ExamUnits(units));
	}
	let model = Model::parse(CARD.as_bytes())?;
	let weights = weights(&model);
	let shard = shard(seed)?;
	let rows: Vec<u32> = (0..ROWS).cycle().zip(0..units).map(|(row, _)| row).collect();
	match class {
		Class::ExactF64 => trained(&model, weights, &shard, &rows),
		Class::Integer => Ok(counts(&evaluate(&model, &weights, &shard, &rows, MICRO_BATCH)?)),
	}
}

/// Trains in steps of one sample, and gives the change of the weights.
fn trained(
	model: &Model,
	mut weights: State,
	shard: &Shard,
	rows: &[u32],
) -> Result<Vec<u8>, Refusal> {
	let mut change = weights.zeros_like();
	for some in rows.chunks(usize::try_from(MAX_STEPS).unwrap_or(usize::MAX)) {
		let steps = u32::try_from(some.len()).unwrap_or(MAX_STEPS);
		let schedule = Schedule { steps, batch: 1, micro_batch: 1 };
		let more = train(model, &weights, RULE, &schedule, shard, some)?.change;
		add(&mut weights, &more);
		add(&mut change, &more);
	}
	Ok(GridState::round(&change)?.write()?)
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
struct Numbers(u64);

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
	use hex_literal::hex;
	use sp_crypto_hashing::blake2_256;

	#[test]
	fn equal_exams_have_equal_outputs_and_others_do_not() {
		for class in [Class::ExactF64, Class::Integer] {
			let output = run(class, 7, 40).unwrap();
			assert_eq!(run(class, 7, 40).unwrap(), output);
			assert_ne!(run(class, 8, 40).unwrap(), output);
			assert_ne!(run(class, 7, 41).unwrap(), output);
		}
	}

	/// The worker process asks for these.
	#[test]
	fn outputs_are_those_of_every_sound_machine() {
		let digest = |class| blake2_256(&run(class, 0, 1).unwrap());
		let trained = hex!("bad53d1ce48e95c7a4ebae2154b7eb642ca78417d63ed291c5b03b1ab5194685");
		let counted = hex!("907f4f22ad2d44ba7567becac7deece746bb595a27cc2b4d0f8ba2a1445b69ff");
		assert_eq!(digest(Class::ExactF64), trained);
		assert_eq!(digest(Class::Integer), counted);
	}

	#[test]
	fn a_single_unit_already_changes_something() {
		let output = run(Class::ExactF64, 0, 1).unwrap();
		let model = Model::parse(CARD.as_bytes()).unwrap();
		let change = GridState::read(&output, output.len(), &weights(&model)).unwrap();
		assert_ne!(change, GridState::zeros_like(&weights(&model)));
	}

	#[test]
	fn units_are_bounded() {
		for units in [0, MAX_UNITS + 1, u32::MAX] {
			let refused = run(Class::Integer, 0, units);
			assert_eq!(refused, Err(Refusal::ExamUnits(units)));
		}
	}
}
