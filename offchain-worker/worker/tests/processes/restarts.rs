//! Workers that are killed and started again.

use crate::setup::*;
use nix::sys::{
	resource::{setrlimit, Resource},
	signal::{signal, SigHandler, Signal},
};
use std::{
	io::{BufRead, BufReader},
	os::unix::process::CommandExt,
	process::Stdio,
	sync::mpsc,
	thread,
};
use tequio_interface::{
	job::JobState,
	wire::{FromWorker, Refusal, ToWorker, VERSION},
};

#[test]
fn a_job_survives_its_worker() {
	let home = Home::new();
	let worker = home.start();
	let mut node = worker.connect();
	let job = mainnet_search(1, 450, 600);
	node.submit(&job);
	assert_eq!(node.state_of(&job.key), JobState::Running);
	let engine = worker.engine();
	let_it_compute(engine);
	assert!(!worker.end(Signal::SIGKILL).success());
	eventually("the engine dies with its worker", || (!is_alive(engine)).then_some(()));

	// The next worker resumes the job by itself, and the node finds it under way.
	let worker = home.start();
	worker.engine();
	let mut node = worker.connect();
	assert_found(match node.submit(&job) {
		JobState::Queued | JobState::Running => node.outcome_of(&job.key),
		// It takes seconds; this machine is busy.
		ended => ended,
	});

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
	eventually("the engine ends with its worker", || (!is_alive(engine)).then_some(()));
}

/// A worker, and its log. What it writes to a file ends after a hundred bytes, as on a disk that is
/// full: there is room for the journal's first record, and for no job.
fn start_without_room(home: &Home) -> (Worker, mpsc::Receiver<String>) {
	let mut command = home.command();
	// SAFETY: between fork and exec, the closure makes two system calls and nothing else.
	unsafe {
		command.pre_exec(|| {
			signal(Signal::SIGXFSZ, SigHandler::SigIgn)?;
			setrlimit(Resource::RLIMIT_FSIZE, 100, 100).map_err(Into::into)
		});
	}
	let mut worker = home.start_by(command.stderr(Stdio::piped()));
	let (sender, lines) = mpsc::channel();
	let log = BufReader::new(worker.process.stderr.take().unwrap());
	thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
	(worker, lines)
}

#[test]
fn a_full_disk_keeps_no_worker_from_starting() {
	let home = Home::new();
	let worker = home.start();
	let mut node = worker.connect();
	let job = mainnet_search(1, 1, 3);
	node.submit(&job);
	assert_found(node.outcome_of(&job.key));
	assert!(worker.end(Signal::SIGTERM).success());

	let (worker, lines) = start_without_room(&home);
	while !lines.recv_timeout(PATIENCE).unwrap().contains("cannot be written anew") {}
	assert_found(worker.connect().submit(&job));
	assert!(worker.end(Signal::SIGTERM).success());
	// All of the old journal is there.
	assert_found(home.start().connect().submit(&job));
}

#[test]
fn a_full_disk_stops_no_work() {
	let home = Home::new();
	let (worker, lines) = start_without_room(&home);
	let mut node = worker.connect();
	let job = mainnet_search(1, 1, 3);
	assert_eq!(node.submit(&job), JobState::Queued);
	while !lines.recv_timeout(PATIENCE).unwrap().contains("base/journal: File too large") {}
	assert_found(node.outcome_of(&job.key));
	assert_found(worker.connect().submit(&job));
	assert!(!worker.end(Signal::SIGKILL).success());

	// The next worker, which has room, knows nothing of it but its chain, and computes it again.
	let worker = home.start();
	let told = worker.stranger().hello(VERSION, [8; 32]);
	assert_eq!(told, FromWorker::Refused(Refusal::OtherChain));
	let mut node = worker.connect();
	assert_eq!(node.submit(&job), JobState::Queued);
	assert_found(node.outcome_of(&job.key));
}
