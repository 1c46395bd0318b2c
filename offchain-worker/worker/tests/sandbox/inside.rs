//! What the hostile engine gets when it tries.

use crate::setup::*;
use nix::unistd::{close, dup};
use std::{
	fs::{self, File},
	io::ErrorKind,
	net::TcpListener,
	os::{
		fd::AsRawFd,
		linux::net::SocketAddrExt,
		unix::net::{SocketAddr, UnixListener},
	},
	process,
};
use tequio_interface::job::Failure;

/// Fails unless an attack is refused in each way in which it is tried, and the worker is well
/// afterwards. Any of the parts is enough for that.
fn assert_refused(words: &str, parts: &[&str]) {
	let home = Home::hostile();
	let worker = home.start("available");
	if worker.has_any(parts) {
		worker.attack(words).assert_refused();
		worker.assert_well();
	} else {
		skip(words, &worker);
	}
}

#[test]
fn sockets_are_refused() {
	assert_refused("sockets", &["filter"]);
}

#[test]
fn programs_are_refused() {
	assert_refused("exec", &["filter"]);
}

#[test]
fn processes_are_refused() {
	assert_refused("fork", &["filter"]);
}

#[test]
fn doors_into_the_kernel_are_refused() {
	assert_refused("kernel", &["filter"]);
}

#[test]
fn rights_are_refused() {
	assert_refused("rights", &["filter"]);
}

#[test]
fn the_supervisor_is_out_of_reach() {
	let home = Home::hostile();
	let worker = home.start("available");
	let id = worker.id();
	if worker.has_any(&["filter"]) {
		worker.attack(&format!("supervisor {id}")).assert_refused();
		worker.assert_well();
	} else {
		skip("supervisor", &worker);
	}
}

#[test]
fn nobody_is_reached_over_a_network() {
	let home = Home::hostile();
	let worker = home.start("available");
	let port = TcpListener::bind("127.0.0.1:0").unwrap();
	let name = format!("tequio-{}", process::id());
	let unseen = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
	let path = home.open_path("listens");
	let seen = UnixListener::bind(&path).unwrap();
	if !worker.has_any(&["filter", "namespaces"]) {
		skip("connect", &worker);
		return;
	}
	let number = port.local_addr().unwrap().port();
	worker.attack(&format!("connect {number} {name} {path}")).assert_refused();
	port.set_nonblocking(true).unwrap();
	assert_eq!(port.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
	for listener in [unseen, seen] {
		listener.set_nonblocking(true).unwrap();
		assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
	}
}

#[test]
fn files_of_others_cannot_be_read() {
	let home = Home::hostile();
	let worker = home.start("available");
	if !worker.has_any(&["files", "namespaces"]) {
		skip("read", &worker);
		return;
	}
	let mut paths: Vec<String> =
		["/etc/shadow", "/etc/passwd", "/home", "/tmp", "/usr/bin", "/var", "/dev"]
			.map(String::from)
			.to_vec();
	paths.extend([home.open_path("secret"), home.open_path("")]);
	worker.attack("self");
	for process in [worker.id(), worker.engine().parent] {
		let files = ["environ", "cmdline", "maps", "mem", "fd", "root", "cwd"];
		paths.extend(files.map(|file| format!("/proc/{process}/{file}")));
	}
	worker.attack(&format!("read {}", paths.join(" "))).assert_refused();
}

#[test]
fn nothing_can_be_written() {
	let home = Home::hostile();
	let worker = home.start("available");
	if !worker.has_any(&["filter", "files", "namespaces"]) {
		skip("write", &worker);
		return;
	}
	let open = home.open_path("");
	let folders = format!("{open} /tmp /var/tmp /dev/shm /proc/self /usr/lib .");
	worker.attack(&format!("write {folders}")).assert_refused();
	let names = fs::read_dir(home.open.path()).unwrap();
	let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
	names.sort();
	assert_eq!(names, ["secret", "there"]);
	assert_eq!(fs::read_to_string(home.open_path("there")).unwrap(), "there");
}

#[test]
fn threads_are_bounded() {
	let home = Home::hostile();
	let worker = home.start("available");
	if !worker.has_any(&["limits"]) {
		skip("threads", &worker);
		return;
	}
	match worker.attack("threads") {
		// Without memory for another thread a program may have to give up.
		Outcome::Failed(failure) => assert_eq!(failure, Failure::EngineFailed),
		told => told.assert_refused(),
	}
	worker.assert_well();
}

#[test]
fn memory_is_bounded() {
	let home = Home::hostile();
	let worker = home.start("available");
	if !worker.has_any(&["limits"]) {
		skip("memory", &worker);
		return;
	}
	match worker.attack("memory") {
		Outcome::Failed(failure) => assert_eq!(failure, Failure::EngineFailed),
		told => told.assert_refused(),
	}
	worker.assert_well();
}

#[test]
fn an_engine_that_dies_harms_nobody_else() {
	let home = Home::hostile();
	let worker = home.start("available");
	let outcome = worker.attack("die");
	assert!(matches!(outcome, Outcome::Failed(Failure::EngineFailed)), "{outcome:?}");
	worker.assert_well();
}

#[test]
fn an_engine_inherits_nothing_but_its_pipes() {
	// Whoever starts the worker may have left a descriptor open in it.
	let kept = dup(File::open("/dev/null").unwrap().as_raw_fd()).unwrap();
	let home = Home::hostile();
	for policy in ["available", "none"] {
		let worker = home.start(policy);
		let told = worker.attack("self").lines();
		assert_eq!(told[1..3], ["descriptors 0 1 2", "variables 0"], "{policy}");
		if worker.has_any(&["namespaces"]) {
			assert_eq!(told[0], "process 1 of 0");
		}
		if policy == "available" && worker.has_any(&REQUIRED) {
			assert_eq!(told[3], "folder Some(\"/\")");
		}
	}
	close(kept).unwrap();
}

#[test]
fn what_an_engine_complains_about_is_logged() {
	let home = Home::hostile();
	let worker = home.start("available");
	worker.attack("complain");
	let complaint = "the hostile engine complains";
	eventually("the complaint is logged", || worker.log().contains(complaint).then_some(()));
}
