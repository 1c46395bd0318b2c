//! Libraries that one engine needs: what it can do with their folder, and with what lies around it.

use crate::{
	libtorch::{folder, pretend, TORCH},
	setup::*,
};
use codec::Encode;
use nix::unistd::geteuid;
use std::{
	fs::{self, Permissions},
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
};
use tequio_interface::{
	job::JobState,
	program::{ProgramJob, BANDED_F32, EXACT_F32, EXAM},
};

/// A folder of libraries, in which everybody may do anything as far as the file system goes. The way
/// to it is the user's alone, and others lie beside it.
fn libraries(home: &Home) -> PathBuf {
	let lib = home.own_path("home").join("libtorch").join("lib");
	pretend(&lib);
	fs::write(lib.join("there"), "there").unwrap();
	fs::set_permissions(&lib, Permissions::from_mode(0o777)).unwrap();
	for name in ["there", "libtorch_cpu.so"] {
		fs::set_permissions(lib.join(name), Permissions::from_mode(0o666)).unwrap();
	}
	for neighbour in [lib.with_file_name("secret"), home.own_path("home").join("secret")] {
		fs::write(neighbour, "secret").unwrap();
	}
	lib.canonicalize().unwrap()
}

/// A worker with the hostile engine in the place of the one that needs libraries. None, which is said,
/// where the machine has none of these parts of the sandbox.
fn start(home: &Home, lib: &Path, parts: &[&str]) -> Option<Worker> {
	let worker = home.start_with_libtorch("available", lib);
	let has_any = worker.has_any(parts);
	if !has_any {
		skip("libraries", &worker);
	}
	has_any.then_some(worker)
}

/// Fails unless nothing around a folder is seen: on the way to it there is nothing else.
fn assert_alone(home: &Home, worker: &Worker, lib: &Path) {
	let folders: Vec<_> = lib.ancestors().skip(1).filter(|dir| dir.parent().is_some()).collect();
	let words: Vec<_> = folders.iter().map(|dir| dir.to_str().unwrap()).collect();
	let lines = home.attack_by_program(worker, &format!("list {}", words.join(" "))).lines();
	assert_eq!(lines.len(), folders.len());
	for (line, below) in lines.iter().zip(lib.ancestors()) {
		let name = below.file_name().unwrap().to_str().unwrap();
		let is_alone = line.contains(": refused, ") || line.ends_with(&format!(": holds {name}"));
		assert!(is_alone, "{line}\nof\n{}", lines.join("\n"));
	}
}

#[test]
fn libraries_are_read_and_mapped_and_nothing_around_them_is_seen() {
	let home = Home::hostile_with_libtorch();
	let lib = libraries(&home);
	let Some(worker) = start(&home, &lib, &["files", "namespaces"]) else { return };
	let (shown, around) = (lib.display(), lib.parent().unwrap().display());
	for words in [
		format!("read {shown} {shown}/libtorch_cpu.so {shown}/there"),
		format!("map {shown}/libtorch_cpu.so"),
	] {
		for line in home.attack_by_program(&worker, &words).lines() {
			assert!(line.ends_with(": succeeded"), "{line}");
		}
	}
	let secrets = format!("{around}/secret {around}/../secret {shown}/../secret");
	let places = format!("{} {} /home /etc/passwd", home.open_path(""), home.open_path("secret"));
	home.attack_by_program(&worker, &format!("read {secrets} {places}")).assert_refused();
	assert_alone(&home, &worker, &lib);
}

#[test]
fn libraries_cannot_be_changed() {
	let home = Home::hostile_with_libtorch();
	let lib = libraries(&home);
	let parts = ["filter", "files", "namespaces"];
	let Some(worker) = start(&home, &lib, &parts) else { return };
	let around = lib.parent().unwrap().display();
	let words = format!("write {} {around} {around}/..", lib.display());
	home.attack_by_program(&worker, &words).assert_refused();
	let mut names: Vec<_> =
		fs::read_dir(&lib).unwrap().map(|entry| entry.unwrap().file_name()).collect();
	names.sort();
	assert_eq!(names, ["libtorch_cpu.so", "there"]);
	assert_eq!(fs::read_to_string(lib.join("there")).unwrap(), "there");
}

#[test]
fn an_engine_with_libraries_is_told_where_they_are_and_others_see_none() {
	let home = Home::hostile_with_libtorch();
	let lib = libraries(&home);
	for policy in ["available", "none"] {
		let worker = home.start_with_libtorch(policy, &lib);
		let told = home.attack_by_program(&worker, "self").lines();
		assert_eq!(told[1..3], ["descriptors 0 1 2", "variables 1"], "{policy}");
		assert_eq!(worker.attack("self").lines()[1..3], ["descriptors 0 1 2", "variables 0"]);
		if worker.has_any(&["files", "namespaces"]) {
			worker.attack(&format!("read {} {0}/there", lib.display())).assert_refused();
		}
	}
}

#[test]
fn an_engine_with_libraries_belongs_to_nobody_where_root_starts_it() {
	let home = Home::hostile_with_libtorch();
	let lib = libraries(&home);
	let Some(worker) = start(&home, &lib, &["limits"]) else { return };
	home.attack_by_program(&worker, "self");
	let user = |name| worker.engine_named(name).status("Uid");
	worker.attack("self");
	// Whatever the other engine may be, who needs no libraries.
	if worker.has_any(&["namespaces"]) {
		assert_eq!(user(TORCH), user(ENGINE));
	}
}

#[test]
fn an_engine_whose_libraries_root_alone_reads_stays_root_which_is_said_once() {
	let home = Home::hostile_with_libtorch();
	let lib = libraries(&home);
	fs::set_permissions(lib.join("there"), Permissions::from_mode(0o600)).unwrap();
	let Some(worker) = start(&home, &lib, &["limits"]) else { return };
	home.attack_by_program(&worker, "self");
	worker.attack("self");
	let users = [ENGINE, TORCH].map(|name| worker.engine_named(name).status("Uid"));
	// Where the other one has left root, this one would have.
	let stays = geteuid().is_root() && users[0] != users[1];
	let said = worker.log().matches("the engine with libtorch runs as root").count();
	assert!((usize::from(stays)..=1).contains(&said), "said {said} times, {users:?}");
	assert!(geteuid().is_root() || said == 0);
}

#[test]
fn the_engine_with_libtorch_works_when_it_is_fully_confined() {
	let Some(lib) = folder() else { return };
	let lib = lib.canonicalize().unwrap();
	let home = Home::real_with_libtorch();
	let is_full = {
		let worker = home.start("available");
		let is_full = worker.has_all(&REQUIRED);
		if !is_full {
			skip("the full sandbox", &worker);
		}
		is_full
	};
	let worker = home.start_with_libtorch(if is_full { "full" } else { "available" }, &lib);
	// Offered: each has passed its exam.
	let status = worker.status();
	let offered = status["classes"].as_array().unwrap().iter();
	let offered: Vec<_> = offered.filter(|class| class["engine"] == TORCH).collect();
	let offered: Vec<_> = offered.iter().map(|class| class["class"].as_u64().unwrap()).collect();
	let classes = [EXACT_F32, BANDED_F32];
	assert_eq!(offered, classes.map(u64::from), "{}", worker.log());
	for class in classes {
		let job = ProgramJob {
			program: EXAM,
			chunk: 7,
			round: 0,
			inputs: vec![],
			units: 4,
			others: vec![],
			seed: None,
		};
		let ended = worker.outcome_in(class, job.encode());
		assert!(matches!(ended, JobState::Done(_)), "{ended:?} in class {class}");
	}
	if !is_full {
		return;
	}
	let engine = worker.engine_named(TORCH);
	assert_eq!(engine.status("NoNewPrivs"), "1");
	assert_eq!(engine.status("Seccomp"), "2");
	assert_eq!(engine.status("CapEff").trim_matches('0'), "");
	assert_eq!(engine.status("NSpid").split_whitespace().last(), Some("1"));
}

#[test]
fn the_real_libtorch_is_read_only_and_alone() {
	let Some(lib) = folder() else { return };
	let lib = lib.canonicalize().unwrap();
	let home = Home::hostile_with_libtorch();
	let Some(worker) = start(&home, &lib, &["files", "namespaces"]) else { return };
	let read = home.attack_by_program(&worker, &format!("map {}/libtorch_cpu.so", lib.display()));
	assert!(read.lines()[0].ends_with(": succeeded"));
	assert_alone(&home, &worker, &lib);
	home.attack_by_program(&worker, &format!("write {}", lib.display())).assert_refused();
	assert!(!lib.join("hostile").exists());
}
