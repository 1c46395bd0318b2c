//! Programs: what they need comes from the worker's store, and what they yield is found there.

use crate::setup::*;
use codec::{DecodeAll, Encode};
use sp_crypto_hashing::blake2_256;
use std::fs;
use tequio_interface::{
	job::{Failure, Job, JobState},
	program::{ProgramJob, ProgramResult, EXACT_F64, EXAM, INTEGER},
	randomx,
	wire::{FromWorker, VERSION},
};

/// A worker with a store, and a node that it serves.
fn start(home: &Home) -> (Worker, Node) {
	let store = home.dir().join("store");
	fs::create_dir(&store).unwrap();
	let worker = home.start_with(&["--store", store.to_str().unwrap()]);
	let mut node = worker.stranger();
	let told = node.hello(VERSION, GENESIS);
	let FromWorker::Hello { capabilities, .. } = told else { panic!("{told:?} is no hello") };
	let classes: Vec<_> = capabilities.iter().map(|able| able.class).collect();
	assert_eq!(classes, [randomx::CLASS, EXACT_F64, INTEGER], "build the whole workspace first");
	(worker, node)
}

fn program(class: u16, task: u64, program: [u8; 32]) -> Job {
	let payload = ProgramJob { program, chunk: 3, units: 4, others: vec![] }.encode();
	Job { key: key(task, 0), class, payload }
}

#[test]
fn the_output_of_a_program_is_in_the_store() {
	let home = Home::new();
	let (_worker, mut node) = start(&home);
	for (task, class) in [(1, EXACT_F64), (2, INTEGER)] {
		let job = program(class, task, EXAM);
		assert_eq!(node.submit(&job), JobState::Queued);
		let JobState::Done(result) = node.outcome_of(&job.key) else { panic!("not computed") };
		let ProgramResult { output, near } =
			ProgramResult::decode_all(&mut result.as_slice()).unwrap();
		assert_eq!(near, Vec::<[u8; 32]>::new());
		let bytes = fs::read(home.dir().join("store").join(hex::encode(output))).unwrap();
		assert_eq!(blake2_256(&bytes), output);
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
fn a_worker_without_a_store_computes_no_programs() {
	let home = Home::new();
	let worker = home.start();
	let job = program(EXACT_F64, 1, EXAM);
	assert_eq!(worker.connect().submit(&job), JobState::Failed(Failure::Unsupported));
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
