//! Workers that are killed and started again.

use crate::setup::*;
use nix::sys::signal::Signal;
use std::{thread, time::Duration};
use tequio_interface::{job::JobState, wire::ToWorker};

#[test]
fn a_job_survives_its_worker() {
	let home = Home::new();
	let worker = home.start();
	let mut node = worker.connect();
	let job = mainnet_search(1, 150, 200);
	node.submit(&job);
	assert_eq!(node.state_of(&job.key), JobState::Running);
	let engine = worker.engine();
	thread::sleep(Duration::from_secs(1));
	assert!(!worker.end(Signal::SIGKILL).success());
	eventually("the engine dies with its worker", || (!is_alive(engine)).then_some(()));

	// The next worker resumes the job by itself, and the node finds it under way.
	let worker = home.start();
	worker.engine();
	let mut node = worker.connect();
	assert!(matches!(node.submit(&job), JobState::Queued | JobState::Running));
	assert_found(node.outcome_of(&job.key));

	// The one after that has the result.
	worker.end(Signal::SIGKILL);
	let worker = home.start();
	assert_found(worker.connect().submit(&job));
}

#[test]
fn a_cancelled_job_stays_cancelled() {
	let home = Home::with_script(&format!("{READY}; exec sleep 1000"));
	let worker = home.start();
	let mut node = worker.connect();
	node.submit(&job(1, 0));
	assert_eq!(node.state_of(&key(1, 0)), JobState::Running);
	node.submit(&job(2, 0));
	node.say(&ToWorker::Cancel(key(1, 0)));
	assert_eq!(node.state_of(&key(2, 0)), JobState::Running);
	worker.end(Signal::SIGKILL);

	let worker = home.start();
	let mut node = worker.connect();
	let mut other = node.submit(&job(2, 0));
	while other == JobState::Queued {
		other = node.state_of(&key(2, 0));
	}
	assert_eq!(other, JobState::Running);
	// Unknown: it would be running otherwise, being older.
	assert_eq!(node.submit(&job(1, 0)), JobState::Queued);
}

#[test]
fn a_worker_that_is_asked_to_end_leaves_nothing_running() {
	let home = Home::with_script(&format!("{READY}; exec sleep 1000"));
	let worker = home.start();
	let mut node = worker.connect();
	node.submit(&job(1, 0));
	let engine = worker.engine();
	assert!(worker.end(Signal::SIGTERM).success());
	assert!(!is_alive(engine));
}
