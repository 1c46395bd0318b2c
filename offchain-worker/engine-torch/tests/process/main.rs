//! The engine as a process: what the worker sees.
#![allow(clippy::unwrap_used, missing_docs)]

mod conversation;
#[path = "../support/mod.rs"]
mod support;

use conversation::{engine, Blobs, Engine};
use serde_json::json;
use sp_crypto_hashing::blake2_256;
use std::{io::Write, process::Stdio};
use support::{hex, model, rows, samples, weights};
use tequio_engine_ml::{
	dataset::Shard,
	grid::GridState,
	near::within_band,
	optimiser::Millionths,
	payload::read_single,
	projection,
	safetensors::{write, write_state, Source, Values},
	train::{train, Schedule},
	Backend, Descent, Model, Reference, Rule, State, Steps,
};
use tequio_interface::{
	engine::{FromEngine, ToEngine},
	program::{ProgramJob, EXAM},
};

/// Chunks of the program: some steps, and one step.
const STEPS: u32 = 0;
const STEP: u32 = 1;
const RATE: Millionths = Millionths(100_000);
const RULE: Rule = Rule::Sgd { learning_rate: RATE };
const SOME: Schedule = Schedule { steps: 3, batch: 16, micro_batch: 8 };
const ONE: Schedule = Schedule { steps: 1, batch: 16, micro_batch: 8 };
const CLASSES: [&str; 3] = ["exact-f64", "exact-f32", "banded-f32"];

/// A model that every class takes.
const CARD: &str = r#"{"input": [64], "layers": [
	{"kind": "dense", "units": 128, "bias": true},
	{"kind": "silu"},
	{"kind": "dense", "units": 10, "bias": true}
]}"#;

/// A program with all of its bytes.
struct Program {
	blobs: Blobs,
	manifest: [u8; 32],
	model: Model,
	weights: State,
	shard: Shard,
	rows: Vec<u32>,
}

impl Program {
	fn new() -> Self {
		let model = model(CARD);
		let (weights, shard) = (weights(&model, 1), samples(&model, 30, 2));
		let rows = rows(&shard, 48, 3);
		let manifest = [0; 32];
		let mut program = Self { blobs: Blobs::new(), manifest, model, weights, shard, rows };
		program.lay();
		program
	}

	fn lay(&mut self) {
		let (x, y) = (&self.shard.samples().x, &self.shard.samples().y);
		let labels: Vec<i64> = y.iter().map(|label| i64::from(*label)).collect();
		let shard = write(&[
			Source { name: "x", shape: x.shape(), values: Values::F64(x.data()) },
			Source { name: "y", shape: &[labels.len()], values: Values::I64(&labels) },
		]);
		let rows = self.rows.iter().flat_map(|row| row.to_le_bytes()).collect();
		let (shard, rows) = (hex(&self.keep(shard.unwrap())), hex(&self.keep(rows)));
		let chunk = |schedule: Schedule, payload: &str| {
			json!({ "train": {
				"shard": shard, "rows": rows, "schedule": schedule, "rule": RULE, "payload": payload,
			} })
		};
		let (some, one) = (chunk(SOME, "grid"), chunk(ONE, "single"));
		let weights = write_state(&self.weights).unwrap();
		let manifest = json!({
			"version": 1,
			"card": hex(&self.keep(CARD.as_bytes().to_vec())),
			"weights": hex(&self.keep(weights)),
			"classes": 10,
			"chunks": [some, one],
		});
		self.manifest = self.keep(manifest.to_string().into_bytes());
	}

	/// Adds bytes; their hash.
	fn keep(&mut self, bytes: Vec<u8>) -> [u8; 32] {
		let hash = blake2_256(&bytes);
		self.blobs.insert(hash, bytes);
		hash
	}

	fn job(&self, chunk: u32) -> ProgramJob {
		let schedule = [SOME, ONE][chunk as usize];
		let units = self.model.cost().training_units(schedule.steps, schedule.batch);
		let (program, round, units) = (self.manifest, 0, u32::try_from(units).unwrap());
		ProgramJob { program, chunk, round, inputs: vec![], units, others: vec![], seed: None }
	}

	/// What one step makes by the reference.
	fn truth(&self) -> Descent {
		let Self { model, weights, shard, rows, .. } = self;
		let step = Steps { model, weights, schedule: &ONE, shard, rows: &rows[..16] };
		Reference.descend(RATE, &step).unwrap()
	}

	/// What some steps make by the reference.
	fn change(&self) -> GridState {
		let Self { model, weights, shard, rows, .. } = self;
		let trained = train(model, weights, RULE, &SOME, shard, rows).unwrap();
		GridState::round(&trained.change).unwrap()
	}
}

#[test]
fn an_exam_of_each_class_repeats_itself() {
	let job = |chunk, units| {
		let (program, round) = (EXAM, 0);
		ProgramJob { program, chunk, round, inputs: vec![], units, others: vec![], seed: None }
	};
	let nothing = Blobs::new();
	for class in CLASSES {
		let (mut engine, mut other) = (Engine::start(class), Engine::start(class));
		let found = engine.ask(&job(5, 2), &nothing).unwrap();
		assert_eq!(other.ask(&job(5, 2), &nothing), Ok(found.clone()), "{class}");
		assert_ne!(engine.ask(&job(6, 2), &nothing), Ok(found), "{class}");
		let unit = engine.ask(&job(0, 1), &nothing).unwrap();
		println!("{} | exam 0 of 1 unit: {}", engine.about, hex(&unit.result.output));
		assert!(engine.end().success());
	}
}

#[test]
fn some_steps_in_doubles_make_what_the_reference_makes() {
	let (mut engine, program) = (Engine::start("exact-f64"), Program::new());
	assert_eq!(engine.about, "exact-f64, libtorch, 1 thread");
	let answer = engine.ask(&program.job(STEPS), &program.blobs).unwrap();
	assert_eq!(answer.blobs, [program.change().write().unwrap()]);
	assert!(answer.result.near.is_empty() && answer.result.projection.is_none());
	let refused = engine.ask(&program.job(STEP), &program.blobs).unwrap_err();
	assert!(refused.contains("exact-f64"), "{refused}");
	assert!(engine.end().success());
}

#[test]
fn some_steps_in_singles_make_the_same_in_every_process() {
	let program = Program::new();
	let (mut engine, mut other) = (Engine::start("exact-f32"), Engine::start("exact-f32"));
	assert_eq!(engine.about, "exact-f32, libtorch, pinned to AVX2, 1 thread");
	let answer = engine.ask(&program.job(STEPS), &program.blobs).unwrap();
	assert_eq!(other.ask(&program.job(STEPS), &program.blobs), Ok(answer.clone()));
	let bytes = &answer.blobs[0];
	let change = GridState::read(bytes, bytes.len(), &program.weights).unwrap();
	let furthest = change.distance(&program.change()).unwrap();
	assert!(furthest <= 8, "{furthest} units from what doubles make");
}

#[test]
fn one_step_in_singles_is_in_the_band_and_projected() {
	let (mut engine, program) = (Engine::start("banded-f32"), Program::new());
	let answer = engine.ask(&program.job(STEP), &program.blobs).unwrap();
	let [file, output] = answer.blobs.as_slice() else { panic!("{}", answer.blobs.len()) };
	let change = read_single(file, &program.weights).unwrap();
	let truth = program.truth();
	assert!(within_band(&truth.change, truth.scale, &change));
	let projected = projection::read(output).unwrap();
	assert!(projection::is_of(&projected, &change));
	assert_eq!(answer.result.projection, Some(projected.clone()));
	// An auditor projects by the worker's seed, and that is its output.
	let audited = |engine: &mut Engine, seed| {
		engine.ask(&ProgramJob { seed: Some(seed), ..program.job(STEP) }, &program.blobs).unwrap()
	};
	assert_eq!(audited(&mut engine, projection::seed_of(&projected.change)), answer);
	let audit = audited(&mut engine, [9; 32]);
	assert_eq!(audit.blobs[0], *file);
	let by_seed = projection::read(&audit.blobs[1]).unwrap();
	assert_eq!(Some(by_seed.clone()), audit.result.projection);
	assert_eq!((by_seed.change, by_seed.scale > 0), (projected.change, true));
	assert_ne!(by_seed.numbers, projected.numbers);
}

#[test]
fn a_referee_tells_what_is_in_the_band() {
	let (mut engine, mut program) = (Engine::start("banded-f32"), Program::new());
	let worker = engine.ask(&program.job(STEP), &program.blobs).unwrap();
	let claimed = projection::read(&worker.blobs[1]).unwrap();
	let seed = Some(projection::seed_of(&claimed.change));
	program.keep(worker.blobs[0].clone());
	let output = program.keep(worker.blobs[1].clone());
	let truth = program.truth();
	// A projection by another seed is not that of the file, and other bytes are none at all.
	let other = projection::project(claimed.change, &truth.change, truth.scale, &[9; 32]).unwrap();
	let other = program.keep(projection::write(&other));
	let junk = program.keep(b"junk".to_vec());
	let mut others = vec![output, other, junk];
	others.sort_unstable();
	let job = ProgramJob { others, seed, ..program.job(STEP) };
	let judged = engine.ask(&job, &program.blobs).unwrap();
	assert!(judged.result.projection.is_none());
	assert_ne!(judged.result.output, output, "singles are not to the last bit what doubles are");
	assert_eq!(judged.result.near, [output]);
	// Nobody is judged without a seed, or by bytes that are withheld.
	let unseeded = engine.ask(&ProgramJob { seed: None, ..job.clone() }, &program.blobs);
	assert!(unseeded.unwrap_err().contains("seed"));
	let withheld = engine.ask(&ProgramJob { others: vec![[3; 32]], ..job }, &program.blobs);
	assert!(withheld.unwrap_err().contains("not to be had"));
}

#[test]
fn outputs_of_exact_classes_are_not_judged() {
	for class in ["exact-f64", "exact-f32"] {
		let (mut engine, program) = (Engine::start(class), Program::new());
		let job = ProgramJob { others: vec![[1; 32]], ..program.job(STEPS) };
		let refused = engine.ask(&job, &program.blobs).unwrap_err();
		assert!(refused.contains(class), "{refused}");
		assert!(engine.ask(&program.job(STEPS), &program.blobs).is_ok());
	}
}

#[test]
fn jobs_that_are_at_fault_are_refused_and_the_engine_goes_on() {
	for class in CLASSES {
		let (mut engine, program) = (Engine::start(class), Program::new());
		let chunk = if class == "banded-f32" { STEP } else { STEPS };
		let sound = program.job(chunk);
		let unpaid = ProgramJob { units: sound.units + 1, ..sound.clone() };
		assert!(engine.ask(&unpaid, &program.blobs).unwrap_err().contains("units"));
		let unknown = ProgramJob { chunk: 9, ..sound.clone() };
		assert!(engine.ask(&unknown, &program.blobs).unwrap_err().contains("no chunk 9"));
		assert!(engine.ask(&sound, &Blobs::new()).unwrap_err().contains("not to be had"));
		let unfit = program.job(1 - chunk);
		assert!(engine.ask(&unfit, &program.blobs).is_err());
		engine.say(&ToEngine::Run { id: 8, payload: b"nonsense".to_vec() });
		assert!(matches!(engine.next(), FromEngine::Refused { id: 8, .. }));
		assert!(engine.ask(&sound, &program.blobs).is_ok());
		assert!(engine.end().success());
	}
}

#[test]
fn junk_ends_the_engine() {
	let part = ToEngine::Part { hash: [1; 32], bytes: vec![0], last: true };
	let mut engine = Engine::start("exact-f64");
	engine.say(&part);
	assert!(!engine.end().success());
	let mut engine = Engine::start("exact-f64");
	engine.to.as_mut().unwrap().write_all(&u32::MAX.to_le_bytes()).unwrap();
	assert!(!engine.end().success());
}

#[test]
fn the_words_of_the_worker_are_understood_and_others_are_not() {
	let words = ["--mode", "fast", "--threads", "2", "--caches", "2", "--cpu-percent", "50"];
	let started = |more: &[&str]| {
		// Its input has ended.
		let mut command = engine(&[&words, more].concat());
		command.stdin(Stdio::null()).output().unwrap()
	};
	assert!(started(&["--class", "exact-f64", "--secure"]).status.success());
	assert!(started(&["--class", "exact-f32"]).status.success());
	assert!(!started(&[]).status.success());
	assert!(!started(&["--class", "exact-f64", "--store", "/"]).status.success());
	let refused = started(&["--class", "integer"]);
	assert!(!refused.status.success() && refused.stdout.is_empty());
	let said = String::from_utf8(refused.stderr).unwrap();
	assert!(said.contains("libtorch does not compute integer"), "{said}");
}
