//! Connections whose other side is slow, silent or a flood. Nothing here depends on how fast this
//! machine is: what has to be late is late for as long as it takes.

#![allow(clippy::unwrap_used, missing_docs)]

use codec::Encode;
use std::{
	io::{ErrorKind, Read, Write},
	os::unix::net::UnixStream,
	thread,
	time::{Duration, Instant},
};
use tequio_interface::{
	peer::{is_trusted, may_serve, own_user, user, Pace, Peer},
	wire::{FrameError, MAX_FRAME},
};

/// For frames that are to be late.
const SOON: Duration = Duration::from_millis(300);
/// For frames that are not.
const PATIENT: Duration = Duration::from_secs(120);

fn pair(patience: Duration) -> (Peer, UnixStream) {
	let (ours, theirs) = UnixStream::pair().unwrap();
	theirs.set_read_timeout(Some(PATIENT)).unwrap();
	(Peer::new(ours, patience), theirs)
}

fn frame(message: &impl Encode) -> Vec<u8> {
	let message = message.encode();
	let length = u32::try_from(message.len()).unwrap();
	[length.to_le_bytes().as_slice(), &message].concat()
}

fn is_late<T>(read: Result<T, FrameError>) -> bool {
	matches!(read, Err(FrameError::Io(error)) if error.kind() == ErrorKind::TimedOut)
}

#[test]
fn frames_pass_both_ways() {
	let (mut ours, theirs) = pair(PATIENT);
	let mut theirs = Peer::new(theirs, PATIENT);
	let large = vec![7_u8; MAX_FRAME - 4];
	let expected = large.clone();
	let reader = thread::spawn(move || {
		assert_eq!(theirs.read::<Vec<u8>>().unwrap(), expected);
		assert_eq!(theirs.read_due::<u32>().unwrap(), 5);
		theirs.write(&6_u32).unwrap();
		theirs
	});
	ours.write(&large).unwrap();
	ours.write(&5_u32).unwrap();
	assert_eq!(ours.read::<u32>().unwrap(), 6);
	reader.join().unwrap().hang_up();
	assert!(matches!(ours.read::<u32>(), Err(FrameError::Io(_))));
}

#[test]
fn a_frame_that_stops_anywhere_is_late() {
	let whole = frame(&(1_u64, 2_u64));
	for length in [1, 3, 4, 5, whole.len() - 1] {
		let (mut ours, mut theirs) = pair(SOON);
		theirs.write_all(&whole[..length]).unwrap();
		assert!(is_late(ours.read::<(u64, u64)>()), "{length} bytes");
	}
	let (mut ours, _theirs) = pair(SOON);
	assert!(is_late(ours.read_due::<u64>()), "nothing at all");
}

#[test]
fn a_frame_that_drips_is_late() {
	let (mut ours, mut theirs) = pair(SOON);
	let dripping = thread::spawn(move || {
		let bytes = frame(&vec![0_u8; MAX_FRAME - 4]);
		// There are hours of these, so only hanging up ends it.
		bytes.iter().find_map(|byte| {
			thread::sleep(Duration::from_millis(20));
			theirs.write_all(&[*byte]).err()
		})
	});
	assert!(is_late(ours.read::<Vec<u8>>()));
	ours.hang_up();
	assert!(dripping.join().unwrap().is_some());
}

#[test]
fn whoever_does_not_read_is_late() {
	let (mut ours, _theirs) = pair(SOON);
	let message = vec![0_u8; MAX_FRAME - 4];
	// What fits into the socket is written.
	let written = (0..1000).find_map(|_| ours.write(&message).err());
	assert!(is_late(written.map_or(Ok(()), Err)));
}

#[test]
fn whoever_reads_in_drips_is_late() {
	let (mut ours, mut theirs) = pair(SOON);
	let reader = thread::spawn(move || loop {
		thread::sleep(Duration::from_millis(20));
		match theirs.read(&mut [0; 64]) {
			Ok(0) | Err(_) => return,
			Ok(_) => {},
		}
	});
	let message = vec![0_u8; MAX_FRAME - 4];
	let written = (0..1000).find_map(|_| ours.write(&message).err());
	assert!(is_late(written.map_or(Ok(()), Err)));
	ours.hang_up();
	// It may still have much to read, slowly.
	drop(reader);
}

#[test]
fn a_connection_may_be_idle_between_frames() {
	let patience = Duration::from_secs(5);
	let (mut ours, mut theirs) = pair(patience);
	let writer = thread::spawn(move || {
		theirs.write_all(&frame(&0_u32)).unwrap();
		thread::sleep(patience + Duration::from_secs(1));
		theirs.write_all(&frame(&1_u32)).unwrap();
		theirs
	});
	assert_eq!(ours.read::<u32>().unwrap(), 0);
	// This one begins after the time for a frame has passed.
	assert_eq!(ours.read::<u32>().unwrap(), 1);
	drop(writer.join().unwrap());
}

#[test]
fn hanging_up_wakes_whoever_reads() {
	let (mut ours, _theirs) = pair(PATIENT);
	let other = ours.try_clone().unwrap();
	let reader = thread::spawn(move || ours.read::<u32>());
	other.hang_up();
	assert!(matches!(reader.join().unwrap(), Err(FrameError::Io(_))));
}

#[test]
fn only_ourselves_and_root_are_trusted() {
	let (ours, theirs) = UnixStream::pair().unwrap();
	assert_eq!(user(&ours).unwrap(), own_user());
	assert_eq!(user(&theirs).unwrap(), own_user());
	for (own, other, trusted, served) in [
		(1000, 1000, true, true),
		(1000, 0, true, true),
		(1000, 1001, false, false),
		(0, 1001, false, true),
		(0, 0, true, true),
	] {
		assert_eq!(is_trusted(own, other), trusted, "{own} asked about {other}");
		assert_eq!(may_serve(own, other), served, "{own} asked about {other}");
	}
}

#[test]
fn a_burst_passes_and_a_flood_waits() {
	let start = Instant::now();
	let at = |milliseconds| start + Duration::from_millis(milliseconds);
	let mut pace = Pace::new(3, 10);
	for _ in 0..3 {
		assert_eq!(pace.pause(start), Duration::ZERO);
	}
	assert_eq!(pace.pause(start), Duration::from_millis(100));
	// Whoever waits as told waits the same each time.
	assert_eq!(pace.pause(at(100)), Duration::from_millis(100));
	// After a second without any the burst is there again, and no more than that.
	for _ in 0..3 {
		assert_eq!(pace.pause(at(9_000)), Duration::ZERO);
	}
	assert_eq!(pace.pause(at(9_000)), Duration::from_millis(100));
}
