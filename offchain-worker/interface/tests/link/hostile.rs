//! Worker processes that are broken, slow, old, new or out to hurt. The node hangs up on each, and
//! serves the next one.

use crate::stage::*;
use std::{io::Write, os::unix::net::UnixStream, thread, time::Duration};
use tequio_interface::{
	host::ComputeService,
	job::{JobState, MAX_RESULT},
	link::MAX_JOBS,
	wire::{write_frame, FromWorker, ToWorker, MAX_FRAME, VERSION},
};

/// For frames that are to be late.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn an_oversized_frame_ends_the_connection() {
	let stage = Stage::new();
	for announced in [MAX_FRAME + 1, 1 << 30, usize::try_from(u32::MAX).unwrap()] {
		let mut worker = stage.worker();
		worker.write_all(&u32::try_from(announced).unwrap().to_le_bytes()).unwrap();
		assert!(ends(&mut worker));
	}
	stage.expect_service(0);
}

#[test]
fn nonsense_ends_the_connection() {
	let stage = Stage::new();
	for message in [[255_u8; 4].as_slice(), &[], &[2, 0, 0]] {
		let mut worker = stage.worker();
		say_raw(&mut worker, message);
		assert!(ends(&mut worker));
	}
	stage.expect_service(0);
}

#[test]
fn messages_out_of_turn_end_the_connection() {
	let stage = Stage::new();
	let hello = FromWorker::Hello { version: VERSION, capabilities: able() };
	for message in [hello, FromWorker::Status(b"{}".to_vec())] {
		let mut worker = stage.worker();
		write_frame(&mut worker, &message).unwrap();
		assert!(ends(&mut worker));
	}
	for first in [
		FromWorker::Status(vec![]),
		FromWorker::State(key(0), JobState::Running),
		FromWorker::Capabilities(able()),
	] {
		let mut worker = stage.accept();
		write_frame(&mut worker, &first).unwrap();
		assert!(ends(&mut worker));
		assert!(stage.link.capabilities().is_empty());
	}
	stage.expect_service(0);
}

/// As bytes, because this release cannot write them.
#[test]
fn workers_of_other_versions_are_not_served() {
	let stage = Stage::new();
	assert!(stage.link.submit(job(1)));
	let hellos: [&[u8]; 4] = [
		// The first release: it refuses, or says hello with capabilities of class and slots.
		&[1, 0, 1, 0],
		&[0, 1, 0, 4, 0, 0, 1, 0],
		// A later one, whose hello is longer.
		&[0, 3, 0, 4, 0, 0, 1, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
		&[1, 0, 3, 0],
	];
	for hello in hellos {
		let mut worker = stage.accept();
		say_raw(&mut worker, hello);
		assert!(ends(&mut worker));
		assert!(stage.link.capabilities().is_empty());
	}
	stage.expect_service(0);
}

#[test]
fn half_a_frame_ends_the_connection() {
	let stage = Stage::with_patience(SOON);
	let mut silent = stage.accept();
	assert!(ends(&mut silent));
	let mut slow = stage.worker();
	slow.write_all(&[9, 0]).unwrap();
	assert!(ends(&mut slow));
	let mut gone = stage.worker();
	gone.write_all(&[9, 0, 0, 0, 2, 1]).unwrap();
	drop(gone);
	drop(stage.worker());
}

#[test]
fn a_dripping_frame_ends_the_connection() {
	let stage = Stage::with_patience(SOON);
	let mut worker = stage.worker();
	worker.write_all(&u32::try_from(MAX_FRAME).unwrap().to_le_bytes()).unwrap();
	// Hours of it; the node does not take that long.
	let ended = (0..MAX_FRAME).find_map(|_| {
		thread::sleep(Duration::from_millis(50));
		worker.write_all(&[0]).err()
	});
	assert!(ended.is_some());
	drop(stage.worker());
}

#[test]
fn a_worker_that_does_not_read_is_hung_up_on() {
	let stage = Stage::with_patience(SOON);
	// More than the socket holds.
	for chunk in 0..u32::try_from(MAX_JOBS).unwrap() {
		let mut job = job(chunk);
		job.payload = vec![0; 60_000];
		assert!(stage.link.submit(job));
	}
	let mut worker = stage.worker();
	// The node is as it was meanwhile.
	assert_eq!(stage.link.poll(&key(0)), Some(JobState::Queued));
	// It hangs up and comes back, and has lost nothing.
	let mut next_worker = stage.worker();
	assert!(matches!(next(&mut next_worker), ToWorker::Submit(_)));
	assert!(ends(&mut worker));
}

#[test]
fn a_flood_of_states_is_endured() {
	let stage = Stage::new();
	let worker = stage.worker();
	assert!(stage.link.submit(job(0)));
	let mut flooding = worker.try_clone().unwrap();
	let flood = thread::spawn(move || {
		for number in 0..4_000_u32 {
			let state = match number % 4 {
				0 => JobState::Done(vec![1; MAX_RESULT]),
				1 => JobState::Queued,
				_ => JobState::Running,
			};
			write_frame(&mut flooding, &FromWorker::State(key(1 + number % 7), state)).unwrap();
		}
		write_frame(&mut flooding, &FromWorker::State(key(0), JobState::Done(vec![3]))).unwrap();
		flooding
	});
	stage.wait_for(|link| link.poll(&key(0)) == Some(JobState::Done(vec![3])));
	assert_eq!(stage.link.poll(&key(1)), None);
	drop::<UnixStream>(flood.join().unwrap());
}

#[test]
fn a_worker_that_comes_and_goes_is_served_whenever_it_is_there() {
	let stage = Stage::new();
	for _ in 0..4 {
		drop(stage.worker());
	}
	stage.expect_service(0);
}
