//! What becomes of a confined engine when something else happens to it.

use crate::setup::*;
use nix::{
	sys::signal::{kill, Signal},
	unistd::Pid,
};
use std::{fs, path::Path, process::Stdio};

/// A worker whose engine runs and does nothing.
fn asleep(home: &Home, policy: &str) -> (Worker, Process) {
	let worker = home.start(policy);
	drop(worker.submit(b"sleep".to_vec()));
	let engine = worker.engine();
	(worker, engine)
}

/// Waits until neither engine nor launcher is there.
fn assert_gone(engine: &Process, launcher: Option<Pid>) {
	for id in [engine.id].into_iter().chain(launcher) {
		eventually(&format!("process {id} has ended"), || (!is_alive(id)).then_some(()));
	}
}

/// The process between worker and engine, if the machine has namespaces.
fn launcher(worker: &Worker, engine: &Process) -> Option<Pid> {
	(engine.parent != worker.id()).then_some(engine.parent)
}

#[test]
fn the_real_engine_works_when_it_is_fully_confined() {
	let home = Home::real();
	let is_full = {
		let worker = home.start("available");
		let is_full = worker.has_all(&REQUIRED);
		if !is_full {
			skip("the full sandbox", &worker);
		}
		is_full
	};
	let policy = if is_full { "full" } else { "available" };
	let worker = home.start(policy);
	assert_found(worker.outcome(mainnet_search(20, 40)));
	if !is_full {
		return;
	}
	let engine = worker.engine();
	assert_eq!(engine.status("NoNewPrivs"), "1");
	assert_eq!(engine.status("Seccomp"), "2");
	assert_eq!(engine.status("CapEff").trim_matches('0'), "");
	assert_eq!(engine.status("CapPrm").trim_matches('0'), "");
	// Its number here, and that in its own namespace.
	assert_eq!(engine.status("NSpid").split_whitespace().last(), Some("1"));
	assert_ne!(engine.parent, worker.id());
}

#[test]
fn full_is_refused_where_a_part_is_missing() {
	let home = Home::hostile();
	let worker = home.start("available");
	if worker.has_all(&REQUIRED) {
		skip("a machine that lacks a part", &worker);
		return;
	}
	let sandbox = worker.sandbox();
	drop(worker);
	let output = home.command("full").stderr(Stdio::piped()).output().unwrap();
	assert!(!output.status.success());
	let text = String::from_utf8(output.stderr).unwrap().to_lowercase();
	for part in REQUIRED.iter().filter(|part| sandbox[**part] == "missing") {
		assert!(text.contains(part), "{part} in {text}");
	}
	assert!(text.contains("--sandbox available"), "{text}");
}

#[test]
fn nothing_outlives_a_worker_that_is_killed() {
	let home = Home::hostile();
	for policy in ["available", "none"] {
		let (worker, engine) = asleep(&home, policy);
		let launcher = launcher(&worker, &engine);
		assert!(!worker.end(Signal::SIGKILL).success());
		assert_gone(&engine, launcher);
	}
}

#[test]
fn nothing_outlives_a_worker_that_is_asked_to_end() {
	let home = Home::hostile();
	let (worker, engine) = asleep(&home, "available");
	let launcher = launcher(&worker, &engine);
	assert!(worker.end(Signal::SIGTERM).success());
	assert_gone(&engine, launcher);
}

#[test]
fn the_cgroup_of_a_worker_goes_with_it() {
	let home = Home::hostile();
	let (worker, engine) = asleep(&home, "available");
	if !worker.has_any(&["cgroup"]) {
		skip("cgroups", &worker);
		return;
	}
	let folder = |id: Pid| {
		let groups = fs::read_to_string(format!("/proc/{id}/cgroup")).unwrap();
		let group = groups.lines().find_map(|line| line.strip_prefix("0::/")).unwrap();
		Path::new("/sys/fs/cgroup").join(group)
	};
	let folders = [folder(worker.id()), folder(engine.id)];
	assert!(worker.end(Signal::SIGTERM).success());
	for folder in folders {
		eventually(&format!("{folder:?} is gone"), || (!folder.exists()).then_some(()));
	}
}

#[test]
fn an_engine_ends_with_its_launcher_and_another_one_starts() {
	let home = Home::hostile();
	let (worker, engine) = asleep(&home, "available");
	let launcher = launcher(&worker, &engine);
	if launcher.is_none() {
		skip("a launcher beside its engine", &worker);
	}
	kill(launcher.unwrap_or(engine.id), Signal::SIGKILL).unwrap();
	assert_gone(&engine, launcher);
	assert_ne!(worker.engine().id, engine.id);
}

#[test]
fn a_launcher_ends_with_its_engine() {
	let home = Home::hostile();
	let (worker, engine) = asleep(&home, "available");
	let launcher = launcher(&worker, &engine);
	kill(engine.id, Signal::SIGKILL).unwrap();
	assert_gone(&engine, launcher);
	assert_ne!(worker.engine().id, engine.id);
}

#[test]
fn without_a_sandbox_every_part_is_off() {
	let home = Home::real();
	let worker = home.start("none");
	assert!(worker.sandbox().values().all(|state| state == "off"));
	assert_found(worker.outcome(mainnet_search(1, 3)));
	assert_eq!(worker.engine().parent, worker.id());
}
