//! Engines that crash, hang, talk nonsense or are killed.

use crate::setup::*;
use nix::sys::signal::{kill, Signal};
use tequio_interface::{
	job::{Failure, JobState},
	wire::ToWorker,
};

#[test]
fn a_job_survives_its_engine() {
	let home = Home::new();
	let worker = home.start();
	let mut node = worker.connect();
	let job = mainnet_search(1, 450, 600);
	node.submit(&job);
	assert_eq!(node.state_of(&job.key), JobState::Running);
	let engine = worker.engine();
	let_it_compute(engine);
	kill(engine, Signal::SIGKILL).unwrap();
	assert_found(node.outcome_of(&job.key));
	assert_ne!(worker.engine(), engine);
}

#[test]
fn a_job_survives_an_engine_that_crashes_at_the_start() {
	let home = Home::with_script("mkdir \"$HERE/crashed\" && exit 1\nexec \"$REAL\" \"$@\"");
	let worker = home.start();
	let mut node = worker.connect();
	let job = mainnet_search(1, 1, 3);
	node.submit(&job);
	assert_found(node.outcome_of(&job.key));
	assert!(home.has("crashed"));
}

#[test]
fn a_job_fails_when_its_engine_crashes_each_time() {
	// Each engine makes the first of four folders that is not there yet.
	let count = "for n in 1 2 3 4 5; do mkdir \"$HERE/run$n\" && break; done 2>/dev/null";
	let home = Home::with_script(&format!("{count}\n{READY}\nexit 1"));
	let worker = home.start();
	let mut node = worker.connect();
	node.submit(&job(1, 0));
	assert_eq!(node.outcome_of(&key(1, 0)), JobState::Failed(Failure::EngineFailed));
	assert!(home.has("run4") && !home.has("run5"), "once, and three times again");
}

#[test]
fn a_job_survives_an_engine_that_hangs() {
	let home = Home::with_script(&format!(
		"mkdir \"$HERE/hung\" 2>/dev/null && {{ {READY}; exec sleep 1000; }}\nexec \"$REAL\" \"$@\""
	));
	let worker = home.start_with(&["--job-timeout", "30"]);
	let mut node = worker.connect();
	let job = mainnet_search(1, 1, 3);
	node.submit(&job);
	assert_found(node.outcome_of(&job.key));
	assert!(home.has("hung"));
}

/// It has a minute to be ready; nobody waits for that who does not want it any more.
#[test]
fn an_engine_that_hangs_at_the_start_is_killed_when_nobody_wants_it() {
	let home = Home::with_script("mkdir \"$HERE/$$\"; exec sleep 1000");
	let worker = home.start();
	let mut node = worker.connect();
	let mut gone = vec![];
	for task in 1..3 {
		node.submit(&job(task, 0));
		assert_eq!(node.state_of(&key(task, 0)), JobState::Running);
		let engine = eventually("another engine starts", || {
			Some(worker.engine())
				.filter(|engine| !gone.contains(engine) && home.has(&engine.to_string()))
		});
		node.say(&ToWorker::Cancel(key(task, 0)));
		soon("the engine is gone", || (!is_alive(engine)).then_some(()));
		gone.push(engine);
	}
	node.submit(&job(3, 0));
	let last = eventually("the last engine starts", || {
		Some(worker.engine()).filter(|engine| home.has(&engine.to_string()))
	});
	assert!(worker.end_soon().success());
	soon("the engine is gone", || (!is_alive(last)).then_some(()));
}

#[test]
fn an_engine_that_talks_nonsense_is_none() {
	for nonsense in
		["printf 'hello, world'; sleep 1", r"printf '\003\000\000\000\000\011\000'; sleep 1"]
	{
		let home = Home::with_script(nonsense);
		let worker = home.start();
		let mut node = worker.connect();
		node.submit(&job(1, 0));
		assert_eq!(node.outcome_of(&key(1, 0)), JobState::Failed(Failure::EngineFailed));
	}
}

#[test]
fn cancel_stops_a_running_job_and_the_next_one_runs() {
	let asked = "head -c 1 >/dev/null; mkdir \"$HERE/asked\"";
	let home = Home::with_script(&format!("{READY}; {asked}; exec sleep 1000"));
	let worker = home.start();
	let mut node = worker.connect();
	node.submit(&job(1, 0));
	assert_eq!(node.state_of(&key(1, 0)), JobState::Running);
	// An engine that has not been asked yet would be kept for the next job.
	eventually("the engine was asked", || home.has("asked").then_some(()));
	let engine = worker.engine();
	// An audit overtakes work that came earlier.
	assert_eq!(node.submit(&job(2, 0)), JobState::Queued);
	assert_eq!(node.submit(&job(3, 1)), JobState::Queued);
	node.say(&ToWorker::Cancel(key(1, 0)));
	assert_eq!(node.state_of(&key(3, 1)), JobState::Running);
	eventually("the engine is gone", || (!is_alive(engine)).then_some(()));
	node.say(&ToWorker::Cancel(key(3, 1)));
	assert_eq!(node.state_of(&key(2, 0)), JobState::Running);
}
