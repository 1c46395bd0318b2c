//! What `tequio-worker doctor` finds.

use crate::setup::*;
use serde_json::Value;
use std::{fs, process::Output};

/// Name, verdict and finding of each check.
fn checks(output: &Output) -> Vec<(String, String, String)> {
	let report: Value = serde_json::from_slice(&output.stdout).unwrap();
	let text = |value: &Value| value.as_str().unwrap().to_string();
	let checks = report["checks"].as_array().unwrap();
	let read = |check: &Value| {
		// What is not well has a remedy.
		assert_eq!(check["remedy"].is_null(), check["verdict"] == "ok", "{check}");
		(text(&check["name"]), text(&check["verdict"]), text(&check["finding"]))
	};
	checks.iter().map(read).collect()
}

fn run(home: &Home, more: &[&str]) -> Output {
	let (socket, base) = (home.socket(), home.path("base"));
	let places =
		["--socket", socket.to_str().unwrap(), "--base-path", base.to_str().unwrap(), "--json"];
	home.run("doctor", &[&LIGHT[..], &places, more].concat())
}

fn verdict<'a>(checks: &'a [(String, String, String)], name: &str) -> &'a str {
	&checks.iter().find(|(found, ..)| found == name).unwrap().1
}

#[test]
fn a_machine_that_can_compute_is_told_so() {
	let home = Home::new();
	let output = run(&home, &[]);
	let checks = checks(&output);
	assert!(output.status.success(), "{checks:?}");
	for name in ["engine", "memory", "base path", "socket"] {
		assert_eq!(verdict(&checks, name), "ok", "{checks:?}");
	}
	for name in ["sandbox", "huge pages", "processor", "clock"] {
		assert_ne!(verdict(&checks, name), "problem", "{checks:?}");
	}
	// It has left nothing behind.
	assert!(!home.path("base").exists() && !home.socket().exists());
}

#[test]
fn a_worker_that_runs_is_found() {
	let home = Home::new();
	let _worker = home.start(&LIGHT);
	let output = run(&home, &[]);
	let checks = checks(&output);
	assert!(output.status.success(), "{checks:?}");
	let findings = |name: &str| {
		let of_name = checks.iter().filter(|(found, ..)| found == name);
		of_name.map(|(.., finding)| finding.clone()).collect::<Vec<_>>().join(", ")
	};
	assert!(findings("base path").contains("a worker uses"));
	let (socket, version) = (findings("socket"), env!("CARGO_PKG_VERSION"));
	assert!(socket.contains(&format!("a worker {version} listens")), "{socket}");
	assert!(socket.contains("alone"), "{socket}");
}

#[test]
fn doctor_should_fail_when_something_is_wrong() {
	let home = Home::with_engine(None);
	fs::write(home.socket(), "mine").unwrap();
	fs::create_dir(home.path("base")).unwrap();
	fs::write(home.path("base").join("journal"), "Dear diary, today I learned to count.").unwrap();
	let output = run(&home, &[]);
	assert!(!output.status.success());
	let checks = checks(&output);
	for name in ["engine", "base path", "socket"] {
		assert_eq!(verdict(&checks, name), "problem", "{checks:?}");
	}
}

#[test]
fn a_folder_without_libtorch_is_a_problem() {
	let home = Home::new();
	let store = home.path("store");
	fs::create_dir(&store).unwrap();
	let store = store.to_str().unwrap();
	let output = run(&home, &["--store", store, "--libtorch", store]);
	assert!(!output.status.success());
	let checks = checks(&output);
	assert_eq!(verdict(&checks, "libtorch"), "problem", "{checks:?}");
}

#[test]
fn programs_that_take_libtorch_are_told_of_with_a_store() {
	let home = Home::new();
	let store = home.path("store");
	fs::create_dir(&store).unwrap();
	let checks = checks(&run(&home, &["--store", store.to_str().unwrap()]));
	assert_eq!(verdict(&checks, "libtorch"), "warning", "{checks:?}");
}

#[test]
fn an_engine_that_is_none_is_a_problem() {
	let home = Home::with_engine(Some("exit 3"));
	let output = run(&home, &[]);
	assert!(!output.status.success());
	assert_eq!(verdict(&checks(&output), "engine"), "problem");
	// For people: a line, and what to do about it.
	let output = home.run("doctor", &LIGHT);
	let said = String::from_utf8(output.stdout).unwrap();
	assert!(said.lines().any(|line| line.starts_with("problem  engine: ")), "{said}");
}
