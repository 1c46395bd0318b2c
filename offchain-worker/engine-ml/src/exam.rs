//! A job that needs nothing: the worker process asks for it to test and to measure an engine.
//!
//! A fixed perceptron of two layers, with weights and samples drawn by SplitMix64, is trained or
//! evaluated as a chunk of the class would be. The output is of the class's form.

use crate::{
	class::Class,
	dataset::Shard,
	evaluate::evaluate,
	grid::GridState,
	model::{Model, UNIT},
	optimiser::{Millionths, Rule},
	request::{Counts, Refusal},
	safetensors::{self, Source, Values},
	tensor::State,
	train::{train, Schedule, MAX_STEPS},
};
use codec::Encode;

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
	let cost = model.cost();
	let a_sample = match class {
		Class::ExactF64 => cost.multiply_adds().saturating_add(cost.parameters),
		Class::Integer => cost.forward,
	};
	let samples = (u64::from(units) * UNIT).div_ceil(a_sample.max(1));
	match class {
		Class::ExactF64 => trained(&model, weights, &shard, samples),
		Class::Integer => evaluated(&model, &weights, &shard, samples),
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
	model: &Model,
	mut weights: State,
	shard: &Shard,
	samples: u64,
) -> Result<Vec<u8>, Refusal> {
	let mut change = weights.zeros_like();
	for rows in pieces(samples) {
		let steps = u32::try_from(rows.len()).unwrap_or(MAX_STEPS);
		let schedule = Schedule { steps, batch: 1, micro_batch: 1 };
		let more = train(model, &weights, RULE, &schedule, shard, &rows)?.change;
		add(&mut weights, &more);
		add(&mut change, &more);
	}
	Ok(GridState::round(&change)?.write()?)
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
pub(crate) struct Numbers(pub(crate) u64);

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
			let output = run(class, 7, 2).unwrap();
			assert_eq!(run(class, 7, 2).unwrap(), output);
			assert_ne!(run(class, 8, 2).unwrap(), output);
			assert_ne!(run(class, 7, 3).unwrap(), output);
		}
	}

	/// The worker process asks for these.
	#[test]
	fn outputs_are_those_of_every_sound_machine() {
		let digest = |class| blake2_256(&run(class, 0, 1).unwrap());
		let trained = hex!("f08cf23126b0070618490a7eeccbac6f7af10123dea70e203cc9d75a7714e29d");
		let counted = hex!("923cc9f2cb5feebc357256853632cb1939024e1689580bcc4dbe732ff6743ff8");
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
