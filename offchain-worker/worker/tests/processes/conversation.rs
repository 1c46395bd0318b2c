//! What a node may say, and what it hears.

use crate::setup::*;
use nix::sys::signal::Signal;
use std::{
	io::Write,
	os::unix::{
		fs::PermissionsExt,
		net::{UnixListener, UnixStream},
	},
	process::Stdio,
};
use tequio_interface::{
	job::{Failure, Job, JobState, MAX_PAYLOAD},
	wire::{FromWorker, Refusal, ToWorker, VERSION},
};

#[test]
fn a_job_is_computed() {
	let home = Home::new();
	let worker = home.start();
	let mut node = worker.connect();
	let job = mainnet_search(1, 3, 8);
	assert_eq!(node.submit(&job), JobState::Queued);
	assert_eq!(node.state_of(&job.key), JobState::Running);
	assert_found(node.outcome_of(&job.key));
	// Known, and not computed again; to every node that asks.
	assert_found(node.submit(&job));
	assert_found(worker.connect().submit(&job));
}

#[test]
fn submit_should_fail_when_the_job_cannot_be_computed() {
	let home = Home::new();
	let worker = home.start();
	let mut node = worker.connect();
	let other_class = Job { class: 9, ..job(1, 0) };
	let mut other_chain = job(2, 0);
	other_chain.key.genesis = [8; 32];
	let too_long = Job { payload: vec![0; MAX_PAYLOAD + 1], ..job(3, 0) };
	for (job, failure) in [
		(other_class, Failure::Unsupported),
		(other_chain, Failure::BadInput),
		(too_long, Failure::BadInput),
	] {
		assert_eq!(node.submit(&job), JobState::Failed(failure));
	}
	let nonsense = Job { payload: vec![255; 9], ..job(4, 0) };
	assert_eq!(node.submit(&nonsense), JobState::Queued);
	assert_eq!(node.outcome_of(&nonsense.key), JobState::Failed(Failure::BadInput));
}

#[test]
fn submit_should_fail_when_the_queue_is_full() {
	let home = Home::with_script(&format!("{READY}; exec sleep 1000"));
	let worker = home.start();
	let mut node = worker.connect();
	assert_eq!(node.submit(&job(0, 0)), JobState::Queued);
	assert_eq!(node.state_of(&key(0, 0)), JobState::Running);
	for task in 1..=256 {
		assert_eq!(node.submit(&job(task, 0)), JobState::Queued);
	}
	assert_eq!(node.submit(&job(257, 0)), JobState::Failed(Failure::Busy));
	node.say(&ToWorker::Cancel(key(9, 0)));
	assert_eq!(node.submit(&job(257, 0)), JobState::Queued);
}

#[test]
fn nodes_that_cannot_be_served_are_refused() {
	let home = Home::new();
	let worker = home.start();
	drop(worker.connect());

	let mut newer = worker.stranger();
	let refused = FromWorker::Refused(Refusal::Version { worker: VERSION });
	assert_eq!(newer.hello(VERSION + 1, GENESIS), refused);
	newer.expect_end();

	let mut elsewhere = worker.stranger();
	assert_eq!(elsewhere.hello(VERSION, [8; 32]), FromWorker::Refused(Refusal::OtherChain));
	elsewhere.expect_end();

	let mut rude = worker.stranger();
	rude.say(&ToWorker::Submit(job(1, 0)));
	rude.expect_end();

	let mut repetitive = worker.connect();
	repetitive.say(&ToWorker::Hello { version: VERSION, genesis: GENESIS });
	repetitive.expect_end();

	let mut flooding = UnixStream::connect(home.socket()).unwrap();
	flooding.write_all(&u32::MAX.to_le_bytes()).unwrap();
	drop(worker.connect());
}

#[test]
fn the_chain_of_the_first_node_is_remembered() {
	let home = Home::new();
	let worker = home.start();
	drop(worker.connect());
	assert!(worker.end(Signal::SIGTERM).success());
	let worker = home.start();
	let told = worker.stranger().hello(VERSION, [8; 32]);
	assert_eq!(told, FromWorker::Refused(Refusal::OtherChain));
	worker.connect();
}

#[test]
fn the_socket_is_private_and_goes_with_the_worker() {
	let home = Home::new();
	for signal in [Signal::SIGTERM, Signal::SIGINT] {
		let worker = home.start();
		let mode = home.socket().metadata().unwrap().permissions().mode();
		assert_eq!(mode & 0o777, 0o600);
		assert!(worker.end(signal).success());
		assert!(!home.socket().exists());
	}
}

#[test]
fn start_should_fail_when_somebody_else_has_the_socket_or_the_folder() {
	let home = Home::new();
	let fails = || !home.command().stderr(Stdio::null()).status().unwrap().success();

	// Another process listens.
	let other = UnixListener::bind(home.socket()).unwrap();
	assert!(fails());
	// It has died, and left the file: the worker takes its place, and keeps it.
	drop(other);
	let _worker = home.start();
	assert!(fails());

	// Something that is no socket is not touched.
	let home = Home::new();
	std::fs::write(home.socket(), "mine").unwrap();
	assert!(!home.command().stderr(Stdio::null()).status().unwrap().success());
	assert_eq!(std::fs::read(home.socket()).unwrap(), b"mine");
}
