//! Peers that are broken, slow, old, new or out to hurt. The worker hangs up on each, and serves
//! whoever comes next.

use crate::setup::*;
use codec::Encode;
use nix::unistd::geteuid;
use std::{
	fs,
	io::Read,
	os::unix::{fs::PermissionsExt, net::UnixStream},
	thread,
	time::Duration,
};
use tequio_interface::{
	job::{Job, JobState, MAX_RESULT},
	wire::{write_frame, FromWorker, Refusal, ToWorker, MAX_FRAME, VERSION},
};

/// Bytes of memory that no peer makes a worker take.
const MOST_MEMORY: u64 = 256 << 20;
/// What a worker answers to every other version, in all versions.
const OTHER_VERSION: [u8; 8] =
	[4, 0, 0, 0, 1, 0, VERSION.to_le_bytes()[0], VERSION.to_le_bytes()[1]];

/// A home whose engine takes a job and never ends it.
fn endless() -> Home {
	Home::with_script(&format!("{READY}; exec sleep 1000"))
}

fn frame(message: &impl Encode) -> Vec<u8> {
	let mut bytes = Vec::new();
	write_frame(&mut bytes, message).unwrap();
	bytes
}

/// A frame of bytes that this release may not be able to write.
fn raw(message: &[u8]) -> Vec<u8> {
	let length = u32::try_from(message.len()).unwrap();
	[length.to_le_bytes().as_slice(), message].concat()
}

fn hello() -> ToWorker {
	ToWorker::Hello { version: VERSION, genesis: GENESIS }
}

fn status(mut node: Node) -> serde_json::Value {
	node.say(&ToWorker::Status);
	let FromWorker::Status(json) = node.hear().unwrap() else { panic!("no status") };
	node.expect_end();
	serde_json::from_slice(&json).unwrap()
}

/// Waits until the worker tells of so many nodes: a node has its hello before it counts.
fn eventually_nodes(worker: &Worker, nodes: u64) {
	let are_there = || (status(worker.stranger())["nodes"] == nodes).then_some(());
	eventually("the nodes are there", are_there);
}

#[test]
fn half_a_first_frame_harms_nobody() {
	let home = endless();
	let worker = home.start();
	let whole = frame(&hello());
	for length in 0..whole.len() {
		worker.stranger().write(&whole[..length]).unwrap();
	}
	worker.connect();
}

#[test]
fn frames_that_are_too_long_end_the_connection() {
	let home = endless();
	let worker = home.start();
	let too_long = u32::try_from(MAX_FRAME + 1).unwrap();
	for announced in [too_long, 1 << 30, u32::MAX] {
		let bytes = announced.to_le_bytes();
		for mut peer in [worker.stranger(), worker.connect()] {
			peer.write(&bytes).unwrap();
			peer.expect_end();
		}
	}
	worker.connect();
	assert!(worker.most_memory() < MOST_MEMORY);
}

#[test]
fn noise_ends_the_connection() {
	let home = endless();
	let worker = home.start();
	let mut seed = 1_u64;
	let mut noise = |most: usize| -> Vec<u8> {
		let mut byte = || {
			seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
			seed.to_le_bytes()[7]
		};
		let length = usize::from(byte()) % most;
		(0..length).map(|_| byte()).collect()
	};
	for _ in 0..60 {
		// It may hang up before all of it is written.
		drop(worker.stranger().write(&noise(200)));
		let mut framed = worker.stranger();
		drop(framed.write(&raw(&noise(60))));
		drop(worker.connect().write(&noise(200)));
		let mut node = worker.connect();
		// No message begins like this.
		node.write(&raw(&[vec![9], noise(60)].concat())).unwrap();
		node.expect_end();
	}
	worker.connect();
}

#[test]
fn slow_peers_are_hung_up_on_and_idle_ones_are_not() {
	let home = endless();
	let worker = home.start();
	let mut idle = worker.connect();
	let mut silent = worker.stranger();
	let mut stopped = worker.connect();
	stopped.write(&[9, 0]).unwrap();
	let mut dripping = worker.connect();
	dripping.write(&u32::try_from(MAX_FRAME).unwrap().to_le_bytes()).unwrap();
	let drip = thread::spawn(move || {
		// There are hours of it, so only the worker can end it.
		(0..MAX_FRAME).find_map(|_| {
			thread::sleep(Duration::from_millis(50));
			dripping.write(&[0]).err()
		})
	});
	silent.expect_end();
	stopped.expect_end();
	assert!(drip.join().unwrap().is_some());
	// It has said nothing for longer than they.
	assert_eq!(idle.submit(&job(1, 0)), JobState::Queued);
}

#[test]
fn whoever_does_not_read_is_hung_up_on() {
	// The first request has as long a result as there may be.
	let answer = r"printf '\015\000\001\000\001\001\000\000\000\000\000\000\000\002\000\004\000'";
	let home = Home::with_script(&format!(
		"{READY}; head -c 1 >/dev/null; {answer}; head -c {MAX_RESULT} /dev/zero; exec sleep 1000"
	));
	let worker = home.start();
	let mut node = worker.connect();
	node.submit(&job(1, 0));
	let result = JobState::Done(vec![0; MAX_RESULT]);
	assert_eq!(node.outcome_of(&key(1, 0)), result);

	let mut deaf = worker.connect();
	let question = frame(&ToWorker::Submit(job(1, 0)));
	assert!((0..1_000_000).any(|_| deaf.write(&question).is_err()));
	assert_eq!(node.submit(&job(1, 0)), result);
	assert!(worker.most_memory() < MOST_MEMORY);
}

#[test]
fn a_flood_keeps_no_other_node_from_its_work() {
	let home = endless();
	let worker = home.start();
	let mut flooding = worker.connect();
	let mut listening = flooding.again();
	let last = Job { class: 9, ..job(1_000, 0) };
	let last_key = last.key;
	let flood = thread::spawn(move || {
		for task in 100..500 {
			flooding.say(&ToWorker::Submit(job(task, 0)));
			flooding.say(&ToWorker::Cancel(key(task, 0)));
		}
		flooding.say(&ToWorker::Submit(last));
	});
	let listener = thread::spawn(move || loop {
		match listening.hear().unwrap() {
			FromWorker::State(told, _) if told == last_key => return,
			_ => {},
		}
	});
	let mut node = worker.connect();
	assert_eq!(node.submit(&job(1, 1)), JobState::Queued);
	assert_eq!(node.state_of(&key(1, 1)), JobState::Running);
	flood.join().unwrap();
	listener.join().unwrap();
	// None of the flood is left.
	assert_eq!(status(worker.stranger())["queue"], 0);
	assert!(worker.most_memory() < MOST_MEMORY);
}

#[test]
fn a_crowd_of_silent_peers_keeps_nobody_out() {
	let home = endless();
	let worker = home.start();
	let mut crowd: Vec<_> = (0..40).map(|_| worker.stranger()).collect();
	let mut node = worker.connect();
	assert_eq!(node.submit(&job(1, 0)), JobState::Queued);
	// Those who were silent for longest have made room.
	crowd.iter_mut().take(20).for_each(Node::expect_end);
}

#[test]
fn nodes_are_bounded_and_the_status_is_told_nevertheless() {
	let home = endless();
	let worker = home.start();
	let mut nodes: Vec<_> = (0..8).map(|_| worker.connect()).collect();
	let mut late = worker.stranger();
	late.say(&hello());
	late.expect_end();
	eventually_nodes(&worker, 8);
	drop(nodes.pop());
	eventually("there is room again", || {
		let mut late = worker.stranger();
		late.say(&hello());
		late.hear().ok()
	});
}

#[test]
fn nodes_of_other_versions_are_told_ours() {
	let home = endless();
	let worker = home.start();
	let [low, high] = (VERSION + 1).to_le_bytes();
	for hello in [
		// The first release.
		[[0_u8, 1, 0].as_slice(), &GENESIS].concat(),
		// Later ones may say more, or less.
		[[0_u8, low, high].as_slice(), &GENESIS, &[7; 50]].concat(),
		vec![0, 255, 255],
	] {
		let mut stream = UnixStream::connect(home.socket()).unwrap();
		let mut node = Node::on(stream.try_clone().unwrap());
		node.write(&raw(&hello)).unwrap();
		let mut answer = Vec::new();
		stream.read_to_end(&mut answer).unwrap();
		assert_eq!(answer, OTHER_VERSION);
	}
	// The first release would understand that.
	let mut old = worker.stranger();
	let told = old.hello(1, GENESIS);
	assert_eq!(told, FromWorker::Refused(Refusal::Version { worker: VERSION }));
}

#[test]
fn whoever_asks_is_told_the_status() {
	let home = endless();
	let worker = home.start();
	let told = status(worker.stranger());
	assert!(told["version"].is_string(), "{told}");
	// In whatever version it is asked for.
	let mut later = worker.stranger();
	later.write(&raw(&[3, 1, 2, 3])).unwrap();
	assert!(matches!(later.hear(), Ok(FromWorker::Status(_))));
	later.expect_end();
	// Nobody runs out of it, and it does not keep a node out.
	let mut node = worker.connect();
	eventually_nodes(&worker, 1);
	for _ in 0..100 {
		assert_eq!(status(worker.stranger())["nodes"], 1);
	}
	// A node does not ask.
	node.say(&ToWorker::Status);
	node.expect_end();
}

#[test]
fn nobody_else_can_ever_connect() {
	let home = endless();
	let socket = home.socket();
	let first_mode = thread::spawn(move || loop {
		match fs::symlink_metadata(&socket) {
			Ok(found) => return found.permissions().mode(),
			Err(_) => thread::yield_now(),
		}
	});
	let _worker = home.start();
	assert_eq!(first_mode.join().unwrap() & 0o077, 0);
}

/// Only root can be somebody else, so this shows something only where root runs it.
#[test]
fn another_user_is_refused_whom_the_file_lets_in() {
	let home = endless();
	let worker = home.start();
	if !geteuid().is_root() {
		return;
	}
	fs::set_permissions(home.dir(), fs::Permissions::from_mode(0o755)).unwrap();
	fs::set_permissions(home.socket(), fs::Permissions::from_mode(0o666)).unwrap();
	let socket = home.socket();
	// Where folders around it do not let them in either, there is nothing to show.
	if let Some(Ok(mut stream)) = as_nobody(move || UnixStream::connect(socket)) {
		let mut node = Node::on(stream.try_clone().unwrap());
		// It may have been hung up on already.
		drop(node.write(&frame(&hello())));
		let mut told = Vec::new();
		drop(stream.read_to_end(&mut told));
		assert!(told.is_empty());
	}
	worker.connect();
}

/// Does something as another user. `None` if this machine has none.
fn as_nobody<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
	const NOBODY: libc::c_long = 65_534;
	let done = thread::spawn(move || {
		// SAFETY: a system call on integers. Without the C library's own function it changes this
		// thread alone, which ends here.
		let changed = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
		(changed == 0).then(work)
	});
	done.join().unwrap()
}
