//! A chunk of training, for an engine and for the library: the same weights, samples and steps.

use super::{
	models::{Subject, CLASSES},
	profile::Profile,
};
use anyhow::{ensure, Result};
use codec::Encode;
use serde_json::json;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use std::{collections::BTreeMap, time::Instant};
use tequio_engine_ml::{
	dataset::Shard,
	optimiser::Millionths,
	round::{contribute, Contributed},
	safetensors::{write, write_state, Source, Values},
	train::{MAX_BATCH, MAX_STEPS},
	Cost, Model, Rule, Schedule, State,
};
use tequio_harness::{course::starting_weights, numbers::SplitMix64, trainings::name};
use tequio_interface::program::ProgramJob;

/// Where weights and samples come from.
const SEED: u64 = 1;
/// Samples that there are. Steps take them in turn.
const ROWS: usize = 64;
/// The optimiser: slow enough for samples that teach nothing.
const RULE: Rule = Rule::Sgd { learning_rate: Millionths(1_000) };

/// Bytes by their hash.
type Blobs = BTreeMap<[u8; 32], Vec<u8>>;

/// A chunk, ready to be computed.
pub struct Chunk {
	/// In which arithmetic it is computed.
	pub profile: Profile,
	/// The model.
	pub model: Model,
	/// How its samples are cut into steps.
	pub schedule: Schedule,
	weights: State,
	shard: Shard,
	rows: Vec<u32>,
	blobs: Blobs,
	job: ProgramJob,
}

/// A chunk that was computed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
	/// How long that took.
	pub seconds: f64,
	/// The `blake2_256` hash of the output.
	pub output: [u8; 32],
}

impl Chunk {
	/// Of so many multiply-adds, as near as whole steps come to that from below; at least one step.
	/// In the banded profile there is one step, whose samples are cut into as many micro-batches.
	pub fn new(subject: &Subject, profile: Profile, multiply_adds: u64) -> Result<Self> {
		let model = Model::parse(subject.card.as_bytes())?;
		let schedule = schedule(model.cost(), profile, subject.batch, multiply_adds);
		let mut numbers = SplitMix64::new(SEED);
		let weights = starting_weights(&model, &mut numbers);
		let data = data(&model, subject.vocabulary, &mut numbers)?;
		let shard = Shard::read(&data, data.len(), CLASSES)?;
		let rows = rows(&schedule)?;
		let mut blobs = Blobs::new();
		let mut named = |bytes| name(&lay(&mut blobs, bytes));
		let manifest = json!({
			"version": 1,
			"card": named(subject.card.clone().into_bytes()),
			"weights": named(write_state(&weights)?),
			"classes": CLASSES,
			"chunks": [{ "train": {
				"shard": named(data),
				"rows": named(rows.iter().flat_map(|row| row.to_le_bytes()).collect()),
				"schedule": schedule,
				"rule": RULE,
				"payload": profile.payload(),
			} }],
		});
		let H256(program) = lay(&mut blobs, serde_json::to_vec(&manifest)?);
		let units = u32::try_from(model.cost().training_units(schedule.steps, schedule.batch))?;
		let (inputs, others) = (vec![], vec![]);
		let job = ProgramJob { program, chunk: 0, round: 0, inputs, units, others, seed: None };
		Ok(Self { profile, model, schedule, weights, shard, rows, blobs, job })
	}

	/// What an engine is asked.
	pub fn payload(&self) -> Vec<u8> {
		self.job.encode()
	}

	/// The bytes of this hash, if they belong to the chunk.
	pub fn blob(&self, hash: &[u8; 32]) -> Option<&[u8]> {
		self.blobs.get(hash).map(Vec::as_slice)
	}

	/// Samples that it trains on.
	pub fn samples(&self) -> f64 {
		f64::from(self.schedule.steps) * f64::from(self.schedule.batch)
	}

	/// Passes forwards and backwards: how many, and the samples of each.
	pub fn passes(&self) -> (u32, u32) {
		let Schedule { steps, batch, micro_batch } = self.schedule;
		(steps.saturating_mul(batch.div_ceil(micro_batch)), micro_batch)
	}

	/// Computes it in this process, on this thread, by the library in plain Rust.
	pub fn contribute(&self) -> Result<Contributed> {
		let Self { profile, model, weights, shard, rows, schedule, .. } = self;
		let own = *profile == Profile::ExactF64;
		ensure!(own, "the library in plain Rust does not train in {}", profile.name());
		Ok(contribute(model, weights, shard, rows, schedule, RULE, profile.payload(), None)?)
	}

	/// The same, with how long it took.
	pub fn by_library(&self) -> Result<Outcome> {
		let start = Instant::now();
		let made = self.contribute()?;
		Ok(Outcome { seconds: start.elapsed().as_secs_f64(), output: blake2_256(&made.output) })
	}
}

/// As many steps as so many multiply-adds allow, and one at least; or one step of as many
/// micro-batches.
fn schedule(cost: &Cost, profile: Profile, batch: u32, multiply_adds: u64) -> Schedule {
	let samples = cost.multiply_adds().saturating_mul(batch.into());
	let step = samples.saturating_add(cost.parameters).max(1);
	let times = u32::try_from(multiply_adds / step).unwrap_or(u32::MAX);
	match profile {
		Profile::ExactF64 | Profile::ExactF32 => {
			Schedule { steps: times.clamp(1, MAX_STEPS), batch, micro_batch: batch }
		},
		Profile::BandedF32 => {
			let most = (MAX_BATCH / batch.max(1)).max(1);
			let all = batch.saturating_mul(times.clamp(1, most));
			Schedule { steps: 1, batch: all, micro_batch: batch }
		},
	}
}

/// Samples of no meaning, with labels in turn: a shard of a data set.
#[allow(clippy::cast_precision_loss)] // No vocabulary has 2⁵³ words.
fn data(model: &Model, vocabulary: Option<usize>, numbers: &mut SplitMix64) -> Result<Vec<u8>> {
	let shape = [&[ROWS][..], model.input()].concat();
	let elements: usize = shape.iter().product();
	let element = |_| match vocabulary {
		Some(vocabulary) => numbers.below(vocabulary) as f64,
		None => numbers.signed(),
	};
	let x: Vec<f64> = (0..elements).map(element).collect();
	let y: Vec<i64> = (0..i64::from(CLASSES)).cycle().take(ROWS).collect();
	Ok(write(&[
		Source { name: "x", shape: &shape, values: Values::F64(&x) },
		Source { name: "y", shape: &[ROWS], values: Values::I64(&y) },
	])?)
}

/// The rows that the steps take.
fn rows(schedule: &Schedule) -> Result<Vec<u32>> {
	let samples = u64::from(schedule.steps) * u64::from(schedule.batch);
	Ok((0..u32::try_from(ROWS)?).cycle().take(usize::try_from(samples)?).collect())
}

fn lay(blobs: &mut Blobs, bytes: Vec<u8>) -> H256 {
	let hash = blake2_256(&bytes);
	blobs.insert(hash, bytes);
	H256(hash)
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use crate::ml::models;
	use tequio_engine_ml::manifest::{self, Manifest};

	#[test]
	fn steps_are_as_many_as_the_work_allows() {
		let cost = Cost { parameters: 4, forward: 1, backward: 2, ..Cost::default() };
		let steps = |multiply_adds| schedule(&cost, Profile::ExactF32, 2, multiply_adds).steps;
		assert_eq!([0, 10, 29, 30, u64::MAX].map(steps), [1, 1, 2, 3, MAX_STEPS]);
		let batch = |multiply_adds| schedule(&cost, Profile::BandedF32, 2, multiply_adds).batch;
		assert_eq!([0, 10, 29, 30, u64::MAX].map(batch), [2, 2, 4, 6, MAX_BATCH]);
	}

	#[test]
	fn passes_take_all_samples() {
		for profile in Profile::ALL {
			let chunk = Chunk::new(&models::perceptron(), profile, 10_000_000).unwrap();
			let (passes, samples) = chunk.passes();
			assert_eq!(f64::from(passes * samples), chunk.samples());
			assert!(passes > 1);
		}
	}

	#[test]
	fn the_manifest_names_what_the_chunk_has() {
		let chunk = Chunk::new(&models::transformer(), Profile::BandedF32, 0).unwrap();
		let manifest = Manifest::parse(chunk.blob(&chunk.job.program).unwrap()).unwrap();
		let Ok(manifest::Chunk::Train(train)) = manifest.chunk(0) else { panic!("{manifest:?}") };
		for hash in [manifest.card, manifest.weights, train.shard, train.rows] {
			assert_eq!(blake2_256(chunk.blob(&hash.0).unwrap()), hash.0);
		}
		assert_eq!((train.schedule, train.rule), (chunk.schedule, RULE));
		let worth = chunk.model.cost().training_units(1, chunk.schedule.batch);
		assert_eq!(u64::from(chunk.job.units), worth);
		assert_eq!(chunk.samples(), f64::from(chunk.schedule.batch));
	}

	#[test]
	fn a_step_of_the_smallest_is_trained() {
		let chunk = Chunk::new(&models::perceptron(), Profile::ExactF64, 0).unwrap();
		let once = chunk.by_library().unwrap();
		assert_eq!(chunk.by_library().unwrap().output, once.output);
		assert!(chunk.contribute().unwrap().change.to_state().norm() > 0.0);
	}
}
