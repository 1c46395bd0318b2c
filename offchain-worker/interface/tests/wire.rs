//! Frames: what is written is read, and nothing that comes in can hurt.

#![allow(clippy::unwrap_used, missing_docs)]

use codec::Encode;
use proptest::prelude::*;
use tequio_interface::{
	job::{Capability, Failure, Job, JobKey, JobState, MAX_PAYLOAD, MAX_RESULT},
	wire::{
		read_frame, write_frame, FrameError, FromWorker, Refusal, ToWorker, MAX_FRAME, VERSION,
	},
};

const KEY: JobKey =
	JobKey { genesis: [1; 32], device: [2; 32], task: 3, chunk: 4, attempt: 5, role: 1 };

fn framed(message: &impl Encode) -> Vec<u8> {
	let mut bytes = Vec::new();
	write_frame(&mut bytes, message).unwrap();
	bytes
}

#[test]
fn every_message_comes_through() {
	let to_worker = [
		ToWorker::Hello { version: VERSION, genesis: [1; 32] },
		ToWorker::Submit(Job { key: KEY, class: 0, payload: vec![7; MAX_PAYLOAD] }),
		ToWorker::Cancel(KEY),
	];
	for message in to_worker {
		assert_eq!(read_frame::<ToWorker>(&mut framed(&message).as_slice()).unwrap(), message);
	}
	let from_worker = [
		FromWorker::Hello {
			version: VERSION,
			capabilities: vec![Capability { class: 0, slots: 2 }],
		},
		FromWorker::Refused(Refusal::Version { worker: 9 }),
		FromWorker::State(KEY, JobState::Queued),
		FromWorker::State(KEY, JobState::Done(vec![8; MAX_RESULT])),
		FromWorker::State(KEY, JobState::Failed(Failure::Busy)),
	];
	for message in from_worker {
		assert_eq!(read_frame::<FromWorker>(&mut framed(&message).as_slice()).unwrap(), message);
	}
}

#[test]
fn a_frame_that_is_too_long_is_neither_written_nor_read() {
	let mut out = Vec::new();
	let written = write_frame(&mut out, &vec![0u8; MAX_FRAME]);
	assert!(matches!(written, Err(FrameError::TooLong(_))));
	assert!(out.is_empty());
	let announced = u32::MAX.to_le_bytes();
	let read = read_frame::<FromWorker>(&mut announced.as_slice());
	assert!(matches!(read, Err(FrameError::TooLong(_))));
}

#[test]
fn a_frame_cut_short_or_too_long_for_its_message_is_an_error() {
	let whole = framed(&ToWorker::Cancel(KEY));
	for length in 0..whole.len() {
		let read = read_frame::<ToWorker>(&mut &whole[..length]);
		assert!(matches!(read, Err(FrameError::Io(_))));
	}
	let longer = framed(&(ToWorker::Cancel(KEY), 0u8));
	let read = read_frame::<ToWorker>(&mut longer.as_slice());
	assert!(matches!(read, Err(FrameError::Malformed(_))));
}

proptest! {
	#[test]
	fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
		let _ = read_frame::<FromWorker>(&mut bytes.as_slice());
		let mut framed = u32::try_from(bytes.len()).unwrap().to_le_bytes().to_vec();
		framed.extend(bytes);
		let _ = read_frame::<ToWorker>(&mut framed.as_slice());
	}
}
