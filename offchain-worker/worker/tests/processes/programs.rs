//! Programs: what they need comes from the worker's store, and what they yield is found there. They
//! are offered once an engine has proved that it computes them right.

use crate::setup::*;
use codec::{DecodeAll, Encode};
use sp_crypto_hashing::blake2_256;
use std::fs;
use tequio_interface::{
	engine::FromEngine,
	job::{Failure, Job, JobState},
	program::{ProgramJob, ProgramResult, EXACT_F64, EXAM, INTEGER},
	randomx,
	wire::{write_frame, FromWorker, VERSION},
};

/// The engine of programs.
const ML: &str = "tequio-engine-ml";
/// Is the workspace's engine, for integers.
const INTEGERS: &str = "case \"$*\" in *integer*) exec \"$REAL\" \"$@\" ;; esac";
/// Says that it is ready for programs in floats, and whatever [`says`] once it is asked something.
const SAYS: &str = r#"printf '\003\000\000\000\000\001\000'
head -c 1 >/dev/null; cat "$HERE/said"; exec sleep 1000"#;

/// Has the engine that [`SAYS`] something say this.
fn says(home: &Home, messages: &[FromEngine]) {
	let mut said = Vec::new();
	for message in messages {
		write_frame(&mut said, message).unwrap();
	}
	fs::write(home.engines.join("said"), said).unwrap();
}

/// The answer to the first request.
fn done(output: [u8; 32]) -> FromEngine {
	let result = ProgramResult { output, shown: vec![], near: vec![], projection: None };
	FromEngine::Done { id: 1, result: result.encode() }
}

/// The `--store` of a worker.
fn store(home: &Home) -> String {
	let store = home.dir().join("store");
	fs::create_dir(&store).unwrap();
	store.to_str().unwrap().into()
}

/// A worker with a store, and a node that it serves and to which it offers these classes.
fn start_offering(home: &Home, classes: &[u16]) -> (Worker, Node) {
	let worker = home.start_with(&["--store", &store(home)]);
	let mut node = worker.stranger();
	let told = node.hello(VERSION, GENESIS);
	let FromWorker::Hello { capabilities, .. } = told else { panic!("{told:?} is no hello") };
	let offered: Vec<_> = capabilities.iter().map(|able| able.class).collect();
	assert_eq!(offered, classes, "build the whole workspace first");
	(worker, node)
}

/// The same, with all real engines.
fn start(home: &Home) -> (Worker, Node) {
	start_offering(home, &[randomx::CLASS, EXACT_F64, INTEGER])
}

fn program(class: u16, task: u64, program: [u8; 32]) -> Job {
	let job = ProgramJob {
		program,
		chunk: 3,
		round: 0,
		inputs: vec![],
		units: 4,
		others: vec![],
		seed: None,
	};
	Job { key: key(task, 0), class, payload: job.encode() }
}

#[test]
fn the_output_of_a_program_is_in_the_store() {
	let home = Home::new();
	let (_worker, mut node) = start(&home);
	for (task, class) in [(1, EXACT_F64), (2, INTEGER)] {
		let job = program(class, task, EXAM);
		assert_eq!(node.submit(&job), JobState::Queued);
		let JobState::Done(result) = node.outcome_of(&job.key) else { panic!("not computed") };
		let result = ProgramResult::decode_all(&mut result.as_slice()).unwrap();
		let output = result.output;
		assert_eq!(result, ProgramResult { output, shown: vec![], near: vec![], projection: None });
		let bytes = fs::read(home.dir().join("store").join(hex::encode(output))).unwrap();
		assert_eq!(blake2_256(&bytes), output);
	}
}

#[test]
fn everything_that_an_engine_yields_is_in_the_store() {
	// The exam is left to the real engine.
	let script = format!(
		"{INTEGERS}\nmkdir \"$HERE/examined\" 2>/dev/null && exec \"$REAL\" \"$@\"\n{SAYS}"
	);
	let home = Home::with_scripts(&[(ML, script.as_str())]);
	let (weights, momentum) = (vec![1_u8; 1_000], vec![2_u8; 1_000]);
	let index = [blake2_256(&weights), blake2_256(&momentum)].concat();
	let outputs = [weights, momentum, index];
	let output = |bytes: &Vec<u8>| FromEngine::Output { id: 1, bytes: bytes.clone(), last: true };
	let mut messages: Vec<_> = outputs.iter().map(output).collect();
	messages.push(done(blake2_256(&outputs[2])));
	says(&home, &messages);
	let (_worker, mut node) = start_offering(&home, &[EXACT_F64, INTEGER]);
	let job = program(EXACT_F64, 1, [9; 32]);
	assert_eq!(node.submit(&job), JobState::Queued);
	assert!(matches!(node.outcome_of(&job.key), JobState::Done(_)));
	for bytes in &outputs {
		let file = home.dir().join("store").join(hex::encode(blake2_256(bytes)));
		assert_eq!(&fs::read(file).unwrap(), bytes);
	}
}

#[test]
fn submit_should_fail_when_a_program_is_not_in_the_store() {
	let home = Home::new();
	let (_worker, mut node) = start(&home);
	for (task, class) in [(1, EXACT_F64), (2, INTEGER)] {
		let job = program(class, task, [9; 32]);
		assert_eq!(node.submit(&job), JobState::Queued);
		assert_eq!(node.outcome_of(&job.key), JobState::Failed(Failure::BadInput));
	}
}

#[test]
fn a_worker_without_a_store_offers_no_programs() {
	let home = Home::new();
	let worker = home.start();
	let job = program(EXACT_F64, 1, EXAM);
	// What a node is offered, `connect` looks at.
	assert_eq!(worker.connect().submit(&job), JobState::Failed(Failure::Unsupported));
}

#[test]
fn a_worker_without_their_engine_offers_no_programs() {
	let home = Home::with_script("exec \"$REAL\" \"$@\"");
	let (_worker, mut node) = start_offering(&home, &[randomx::CLASS]);
	for (task, class) in [(1, EXACT_F64), (2, INTEGER)] {
		let job = program(class, task, EXAM);
		assert_eq!(node.submit(&job), JobState::Failed(Failure::Unsupported));
	}
}

#[test]
fn a_class_is_not_offered_unless_its_engine_passes_the_exam() {
	let script = format!("{INTEGERS}\n{SAYS}");
	let refused = FromEngine::Refused { id: 1, reason: "not today".into() };
	for answer in [done([9; 32]), refused, FromEngine::Ready { class: EXACT_F64 }] {
		let home = Home::with_scripts(&[(ML, script.as_str())]);
		says(&home, &[answer]);
		let (_worker, mut node) = start_offering(&home, &[INTEGER]);
		let job = program(EXACT_F64, 1, EXAM);
		assert_eq!(node.submit(&job), JobState::Failed(Failure::Unsupported));
		let job = program(INTEGER, 2, EXAM);
		assert_eq!(node.submit(&job), JobState::Queued);
		assert!(matches!(node.outcome_of(&job.key), JobState::Done(_)));
	}
}

#[test]
fn start_should_fail_when_no_engine_passes_the_exam() {
	let home = Home::with_scripts(&[(ML, "exit 1")]);
	let output = home.command().args(["--store", &store(&home)]).output().unwrap();
	assert!(!output.status.success());
	let said = String::from_utf8(output.stderr).unwrap();
	assert!(said.contains("no engine computes right"), "{said}");
}

/// A RandomX engine has neither: it is killed, and so is the next one.
#[test]
fn an_engine_that_asks_for_bytes_or_yields_some_unasked_is_given_up() {
	for said in [
		// Fetch, of the first request: 32 bytes of a hash, and how many bytes at most.
		r"printf '\061\000\000\000\004\001'; head -c 47 /dev/zero",
		// Output, of the first request: no bytes, and no more to come.
		r"printf '\013\000\000\000\005\001\000\000\000\000\000\000\000\000\001'",
	] {
		let home = Home::with_script(&format!(
			"{READY}; head -c 1 >/dev/null; mkdir \"$HERE/asked\"; {said}; exec sleep 1000"
		));
		let worker = home.start();
		let mut node = worker.connect();
		assert_eq!(node.submit(&job(1, 0)), JobState::Queued);
		assert_eq!(node.outcome_of(&key(1, 0)), JobState::Failed(Failure::EngineFailed));
		assert!(home.has("asked"));
	}
}
