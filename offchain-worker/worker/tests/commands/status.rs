//! What `tequio-worker status` tells.

use crate::setup::*;
use nix::sys::signal::{kill, Signal};
use serde_json::{json, Value};
use std::process::Command;
use tequio_interface::{job::JobState, wire::ToWorker};

#[test]
fn a_worker_that_has_done_nothing_tells_how_it_is_set_up() {
	let home = Home::new();
	let worker = home.start(&LIGHT);
	let status = worker.status();
	assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
	assert_eq!(
		(&status["chain"], &status["nodes"], &status["queue"]),
		(&Value::Null, &json!(0), &json!(0))
	);
	assert_eq!(status["mode"], "light");
	assert!(status["mode_reason"].as_str().unwrap().contains("--mode"));
	assert!(status["memory_bytes"].as_u64().unwrap() > 0);
	let parts = status["sandbox"].as_array().unwrap();
	assert_eq!(parts.len(), 5);
	for part in parts {
		let state = part["state"].as_str().unwrap();
		assert!(["active", "missing"].contains(&state), "{part}");
		assert_eq!(part["hint"].is_null(), state == "active", "{part}");
	}
	let class = &status["classes"][0];
	assert_eq!((&class["class"], &class["threads"]), (&json!(0), &json!(2)));
	assert_eq!(class["engine"], ENGINE);
	assert_eq!((&class["rate"], &class["units"]), (&json!(0.0), &json!(0)));
	assert_eq!(class["setup"], json!(["not running"]));
	assert_eq!(class["jobs"], json!({ "done": 0, "failed": 0, "cancelled": 0 }));
	let none = json!({ "crashed": 0, "hung": 0, "nonsense": 0, "unstartable": 0 });
	assert_eq!(class["restarts"], none);
}

#[test]
fn work_is_counted_and_its_speed_is_remembered() {
	let home = Home::new();
	let worker = home.start(&LIGHT);
	let mut node = worker.connect();
	assert_eq!(node.rate, 0);
	node.compute(&search(1, 40));
	// It need not connect again to be told.
	assert!(node.rate > 0);

	let status = worker.status();
	assert_eq!(status["nodes"], 1);
	assert_eq!(status["chain"], format!("0x{}", "07".repeat(32)));
	let class = &status["classes"][0];
	assert_eq!(class["jobs"]["done"], 1);
	assert_eq!(class["units"], 40);
	assert!(class["rate"].as_f64().unwrap() > 0.0);
	assert!(class["seconds"]["computing"].as_f64().unwrap() > 0.0);
	// The cache of a key.
	assert!(class["memory_bytes"].as_u64().unwrap() >= 256 << 20);
	let text = worker.ask(&[]);
	assert!(text.contains("1 done with 40 units"), "{text}");

	// Whoever connects later is told, after a restart too.
	assert!(worker.connect().rate > 0);
	worker.end();
	let worker = home.start(&LIGHT);
	assert!(worker.connect().rate > 0);
}

#[test]
fn a_worker_measures_itself_while_there_is_nothing_to_do() {
	let home = Home::new();
	let worker = home.start(&[&LIGHT[..], &["--measure", "true"]].concat());
	worker.connect().await_rate();
	let measured = eventually("the speed is known", || {
		let status = worker.status();
		let class = status["classes"][0].clone();
		(class["rate"].as_f64()? > 0.0).then_some(class)
	});
	// Nobody is paid for it.
	assert_eq!((&measured["units"], &measured["jobs"]["done"]), (&json!(0), &json!(0)));
	let mut node = worker.connect();
	assert!(node.rate > 0);
	node.compute(&search(1, 4));
}

#[test]
fn engines_that_die_and_jobs_that_are_cancelled_are_counted() {
	let home = Home::new();
	let worker = home.start(&LIGHT);
	let mut node = worker.connect();
	// Hours of work.
	let long = search(1, 1 << 20);
	node.submit(&long);
	node.await_state(&long.key, |state| *state == JobState::Running);
	let class = || worker.status()["classes"][0].clone();
	// The status knows the engine once it is asked.
	eventually("the engine computes", || {
		(class()["seconds"]["computing"].as_f64()? > 0.0).then_some(())
	});
	kill(worker.child(), Signal::SIGKILL).unwrap();
	eventually("its end is noticed", || (class()["restarts"]["crashed"] == 1).then_some(()));
	node.say(&ToWorker::Cancel(long.key));
	eventually("the job is gone", || (class()["jobs"]["cancelled"] == 1).then_some(()));
	// The slot is free.
	node.compute(&search(2, 4));
	assert_eq!(class()["jobs"], json!({ "done": 1, "failed": 0, "cancelled": 1 }));
}

#[test]
fn a_mode_is_chosen_with_a_reason() {
	let home = Home::new();
	let worker = home.start(&["--sandbox", "available", "--measure", "false"]);
	let status = worker.status();
	assert!(["light", "fast"].contains(&status["mode"].as_str().unwrap()));
	let reason = status["mode_reason"].as_str().unwrap();
	assert!(reason.contains("free") || reason.contains("memory"), "{reason}");
	assert!(reason.contains("threads: "), "{reason}");
}

#[test]
fn status_should_fail_when_no_worker_listens() {
	let home = Home::new();
	let mut command = Command::new(env!("CARGO_BIN_EXE_tequio-worker"));
	let output = command.arg("status").arg("--socket").arg(home.socket()).output().unwrap();
	assert!(!output.status.success());
	let said = String::from_utf8(output.stderr).unwrap();
	assert!(said.contains("no worker listens") && said.contains("--socket"), "{said}");
}
