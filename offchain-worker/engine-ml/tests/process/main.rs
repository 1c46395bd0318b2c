//! The engine as a process: what the worker sees.
#![allow(clippy::unwrap_used, missing_docs)]

mod conversation;
mod program;
mod rounds;
#[path = "../support/mod.rs"]
mod support;
mod training;

use codec::DecodeAll;
use conversation::{Blobs, Engine, ENGINE};
use program::{hash_of, hex, Program, EVALUATE, ROWS, TRAIN, UNITS};
use std::{
	io::Write,
	process::{Command, Stdio},
};
use tequio_engine_ml::{
	evaluate,
	grid::GridState,
	safetensors::{write, Source, Values},
};
use tequio_interface::{
	engine::{FromEngine, ToEngine, MAX_PART},
	program::{ProgramJob, DIVERGED, EXAM},
};

fn exact() -> Engine {
	Engine::start("exact-f64")
}

#[test]
fn a_chunk_of_training_gives_the_change_that_the_library_finds() {
	let (mut engine, program) = (exact(), Program::new());
	let answer = engine.done(7, &program.job(TRAIN), &program.blobs);
	let output = program.change().write().unwrap();
	assert_ne!(program.change(), GridState::zeros_like(&program.weights));
	assert_eq!(answer.result.output, hash_of(&output));
	assert_eq!(answer.blobs, [output]);
	assert!(answer.result.near.is_empty() && answer.result.shown.is_empty());
	assert!(engine.end().success());
}

#[test]
fn an_evaluation_gives_the_counts_that_the_library_finds() {
	let (mut engine, program) = (Engine::start("integer"), Program::new());
	let answer = engine.done(1, &program.job(EVALUATE), &program.blobs);
	let rows: Vec<u32> = (0..ROWS).collect();
	let found = evaluate(&program.model, &program.weights, &program.shard(), &rows, 1).unwrap();
	let counts = <(u64, u64, u64)>::decode_all(&mut answer.output()).unwrap();
	assert_eq!(counts, (found.right.into(), ROWS.into(), found.loss));
	assert_eq!(answer.result.shown, answer.output());
	assert!(engine.end().success());
}

#[test]
fn jobs_that_are_at_fault_are_refused_and_the_engine_goes_on() {
	let (mut engine, program) = (exact(), Program::new());
	let sound = program.job(TRAIN);
	let [low, high] = [[1; 32], [2; 32]];
	let others = |others: &[[u8; 32]]| ProgramJob { others: others.to_vec(), ..sound.clone() };
	let many: Vec<[u8; 32]> = (0..9).map(|byte| [byte; 32]).collect();
	for (job, reason) in [
		(ProgramJob { units: UNITS + 1, ..sound.clone() }, "pays 2 units for a chunk of 1"),
		(ProgramJob { units: 0, ..sound.clone() }, "pays 0 units for a chunk of 1"),
		(ProgramJob { chunk: 2, ..sound.clone() }, "there is no chunk 2"),
		(ProgramJob { program: [9; 32], ..sound.clone() }, "the manifest: not to be had"),
		(program.job(EVALUATE), "class integer"),
		(others(&[high, low]), "ascend"),
		(others(&[low, low]), "ascend"),
		(others(&many), "9 outputs"),
		(others(&[low, high]), "in exact-f64 a referee compares them with its own"),
		(ProgramJob { inputs: vec![low; 66], ..sound.clone() }, "66 inputs; 65 are the most"),
		(ProgramJob { program: EXAM, units: 0, ..sound.clone() }, "an exam of 0 units"),
	] {
		engine.refused(&job, &program.blobs, reason);
	}
	engine.say(&ToEngine::Run { id: 8, payload: b"nonsense".to_vec() });
	assert!(matches!(engine.next(), FromEngine::Refused { id: 8, .. }));
	engine.done(9, &sound, &program.blobs);
	assert!(engine.end().success());
}

#[test]
fn bytes_that_are_not_there_or_not_what_they_should_be_are_refused() {
	let (mut engine, program) = (exact(), Program::new());
	let job = program.job(TRAIN);
	for (what, hash) in program.parts() {
		let mut without = program.clone();
		without.blobs.remove(&hash);
		engine.refused(&job, &without.blobs, &format!("the {what}: not to be had"));
		let mut lying = program.clone();
		lying.blobs.insert(hash, b"something else".to_vec());
		engine.refused(&job, &lying.blobs, &format!("the {what}: other bytes"));
	}
	engine.done(1, &job, &program.blobs);
}

#[test]
fn manifests_that_do_not_fit_are_refused() {
	let (mut engine, program) = (exact(), Program::new());
	let [zeros, rows] = [[0; 32], program.rows].map(|hash| hex(&hash));
	for (from, to, reason) in [
		("\"version\"", "\"kind\"", "the manifest cannot be read"),
		("\"version\":1", "\"version\":2", "version 2"),
		("\"classes\":2", "\"classes\":3", "3 classes, the model 2"),
		("\"batch\":4", "\"batch\":5", "8 rows are named; a round takes exactly 10"),
		("\"micro_batch\":3", "\"micro_batch\":0", "micro_batch is 0"),
		("\"learning_rate\":100000", "\"learning_rate\":0", "learning_rate is 0"),
		("\"grid\"", "{\"top_k\":{\"share\":0}}", "0 parts per million"),
		(rows.as_str(), zeros.as_str(), "the rows: not to be had"),
	] {
		let mut other = program.clone();
		let text = program.text.replace(from, to);
		assert_ne!(text, program.text, "{from}");
		other.manifest = other.keep(text.into_bytes());
		engine.refused(&other.job(TRAIN), &other.blobs, reason);
	}
}

#[test]
fn what_diverges_is_a_result() {
	let (mut engine, mut program) = (exact(), Program::new());
	let huge = vec![1e300; 18];
	let shard = write(&[
		Source { name: "x", shape: &[6, 3], values: Values::F64(&huge) },
		Source { name: "y", shape: &[6], values: Values::U8(&[0, 1, 1, 0, 1, 0]) },
	]);
	let card = program.blobs[&program.card].clone();
	let card = String::from_utf8(card).unwrap().replace("tanh", "relu");
	let mut text = program.text.clone();
	for (old, new) in [(program.card, card.into_bytes()), (program.shard, shard.unwrap())] {
		text = text.replace(&hex(&old), &hex(&program.keep(new)));
	}
	program.manifest = program.keep(text.into_bytes());
	let answer = engine.done(1, &program.job(TRAIN), &program.blobs);
	assert_eq!(answer.blobs, [DIVERGED]);
	assert_eq!((answer.output(), answer.result.shown.as_slice()), (DIVERGED, DIVERGED));
	assert!(engine.end().success());
}

#[test]
fn steps_in_singles_are_refused_by_a_class_of_doubles() {
	let (mut engine, mut program) = (exact(), Program::new());
	let text = program.text.replace("\"grid\"", "\"single\"");
	program.manifest = program.keep(text.into_bytes());
	let reason = "changes of the class exact-f64 are handed over as `grid` or `top_k`";
	engine.refused(&program.job(TRAIN), &program.blobs, reason);
	let mut integer = Engine::start("integer");
	let reason = "a training is of the class exact-f64, exact-f32 or banded-f32";
	integer.refused(&program.job(TRAIN), &program.blobs, reason);
}

#[test]
fn a_seed_makes_no_difference_where_nothing_is_projected() {
	let (mut engine, program) = (exact(), Program::new());
	let job = program.job(TRAIN);
	let seeded = ProgramJob { seed: Some([7; 32]), ..job.clone() };
	let found = engine.done(1, &seeded, &program.blobs);
	assert_eq!(found, engine.done(2, &job, &program.blobs));
	assert_eq!(found.result.projection, None);
}

#[test]
fn a_model_that_costs_too_much_is_refused_before_its_weights_are_fetched() {
	let (mut engine, mut program) = (exact(), Program::new());
	let card = r#"{"input":[65536],"layers":[{"kind":"dense","units":4096,"bias":true},
		{"kind":"dense","units":2,"bias":true}]}"#;
	let old = hex(&program.card);
	let new = hex(&program.keep(card.as_bytes().to_vec()));
	let text = program.text.replace(&old, &new);
	program.manifest = program.keep(text.into_bytes());
	program.blobs.remove(&program.weights_hash);
	engine.refused(&program.job(TRAIN), &program.blobs, "are the limit");
}

#[test]
fn requests_that_come_while_one_waits_for_bytes_are_answered_in_their_order() {
	let (mut engine, program) = (exact(), Program::new());
	let job = program.job(TRAIN);
	engine.ask(1, &job);
	let FromEngine::Fetch { id: 1, hash, .. } = engine.next() else { panic!("no fetch") };
	assert_eq!(hash, program.manifest);
	engine.ask(2, &ProgramJob { units: UNITS + 1, ..job.clone() });
	engine.say(&ToEngine::Expect { payload: b"nonsense".to_vec() });
	engine.ask(3, &job);
	engine.send(&hash, &program.blobs);
	let first = engine.answer(1, &program.blobs).unwrap();
	assert!(engine.answer(2, &program.blobs).unwrap_err().contains("pays 2 units"));
	let third = engine.answer(3, &program.blobs).unwrap();
	assert_eq!(first, third);
	assert!(engine.end().success());
}

#[test]
fn an_exam_needs_nothing_and_repeats_itself() {
	let nothing = Blobs::new();
	for class in ["exact-f64", "integer"] {
		let (mut engine, mut other) = (Engine::start(class), Engine::start(class));
		let job = |chunk, units| {
			let (program, round, inputs) = (EXAM, 0, vec![]);
			ProgramJob { program, chunk, round, inputs, units, others: vec![], seed: None }
		};
		let found = engine.done(1, &job(5, 3), &nothing);
		assert_eq!(found.blobs.len(), 1);
		assert_eq!(found.result.output, hash_of(&found.blobs[0]));
		assert!(found.result.shown.is_empty(), "an exam shows nothing");
		assert_eq!(other.done(1, &job(5, 3), &nothing), found);
		let other_round = ProgramJob { round: 9, inputs: vec![[7; 32]], ..job(5, 3) };
		assert_eq!(other.done(2, &other_round, &nothing), found);
		assert_ne!(engine.done(2, &job(6, 3), &nothing), found);
		assert!(engine.end().success());
	}
}

#[test]
fn what_breaks_the_conversation_ends_the_engine() {
	let program = Program::new();
	let hash = program.manifest;
	let part = |hash, length, last| ToEngine::Part { hash, bytes: vec![0; length], last };
	let wrong = [
		vec![part([7; 32], 1, true)],
		vec![ToEngine::Missing { hash: [7; 32] }],
		vec![part(hash, 0, false)],
		vec![part(hash, MAX_PART + 1, true)],
		// More than a manifest may have.
		vec![part(hash, MAX_PART, false); 9],
	];
	for messages in wrong {
		let mut engine = exact();
		engine.ask(1, &program.job(TRAIN));
		assert!(matches!(engine.next(), FromEngine::Fetch { .. }));
		messages.iter().for_each(|message| engine.say(message));
		assert!(!engine.end().success());
	}
	// Between requests, too.
	let mut engine = exact();
	engine.say(&part(hash, 1, true));
	assert!(!engine.end().success());
	let mut engine = exact();
	engine.to.as_mut().unwrap().write_all(&u32::MAX.to_le_bytes()).unwrap();
	assert!(!engine.end().success());
}

#[test]
fn the_words_of_the_worker_are_understood_and_others_are_not() {
	let words = ["--mode", "fast", "--threads", "4", "--caches", "2", "--cpu-percent", "50"];
	let started = |more: &[&str]| {
		let mut command = Command::new(ENGINE);
		// Its input has ended.
		command.args(words).args(more).stdin(Stdio::null());
		command.output().unwrap().status.success()
	};
	assert!(started(&["--class", "exact-f64"]));
	assert!(started(&["--class", "integer", "--secure"]));
	let wrong: [&[&str]; 3] = [&[], &["--class", "float"], &["--class", "integer", "--store", "/"]];
	for words in wrong {
		assert!(!started(words), "{words:?}");
	}
}

#[test]
fn classes_in_singles_are_left_to_the_engine_that_has_them() {
	for class in ["exact-f32", "banded-f32"] {
		let mut command = Command::new(ENGINE);
		let ended = command.args(["--class", class]).stdin(Stdio::null()).output().unwrap();
		let words = String::from_utf8(ended.stderr).unwrap();
		assert!(!ended.status.success() && ended.stdout.is_empty());
		assert!(words.contains(class) && words.contains("tequio-engine-torch"), "{words}");
	}
}
