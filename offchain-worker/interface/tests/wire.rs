//! Frames: what is written is read, and nothing that comes in can hurt.

#![allow(clippy::unwrap_used, missing_docs)]

use codec::Encode;
use tequio_interface::{
	greeting::{Greeting, Welcome},
	job::{Capability, Failure, Job, JobKey, JobState, MAX_PAYLOAD, MAX_RESULT},
	wire::{
		read_frame, write_frame, FrameError, FromWorker, Refusal, ToWorker, MAX_FRAME, VERSION,
	},
};

const KEY: JobKey = JobKey {
	genesis: [1; 32],
	device: [2; 32],
	task: 3,
	chunk: 4,
	attempt: 5,
	role: 1,
	order: [6; 32],
};

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
		ToWorker::Status,
	];
	for message in to_worker {
		assert_eq!(read_frame::<ToWorker>(&mut framed(&message).as_slice()).unwrap(), message);
	}
	let from_worker = [
		FromWorker::Hello {
			version: VERSION,
			capabilities: vec![Capability { class: 0, slots: 2, rate: 30_000, memory: 256 << 20 }],
		},
		FromWorker::Refused(Refusal::Version { worker: 9 }),
		FromWorker::State(KEY, JobState::Queued),
		FromWorker::State(KEY, JobState::Done(vec![8; MAX_RESULT])),
		FromWorker::State(KEY, JobState::Failed(Failure::Busy)),
		FromWorker::Status(b"{}".to_vec()),
		FromWorker::Capabilities(vec![Capability { class: 1, slots: 1, rate: 7, memory: 8 }]),
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

/// These are promises to every other version, past and future.
#[test]
fn first_messages_have_the_bytes_that_every_version_knows() {
	let [low, high] = VERSION.to_le_bytes();
	let hello = framed(&ToWorker::Hello { version: VERSION, genesis: [7; 32] });
	assert_eq!(hello, [[35_u8, 0, 0, 0, 0, low, high].as_slice(), &[7; 32]].concat());
	assert_eq!(framed(&ToWorker::Status), [1, 0, 0, 0, 3]);
	let refused = framed(&FromWorker::Refused(Refusal::Version { worker: VERSION }));
	assert_eq!(refused, [4, 0, 0, 0, 1, 0, low, high]);
	let welcome = framed(&FromWorker::Hello { version: VERSION, capabilities: vec![] });
	assert_eq!(welcome, [4, 0, 0, 0, 0, low, high, 0]);
}

#[test]
fn other_versions_are_recognised_by_their_first_message() {
	let greeting = |message: &[u8]| read_frame::<Greeting>(&mut raw(message).as_slice()).unwrap();
	// The first release's hello.
	assert_eq!(greeting(&[[0_u8, 1, 0].as_slice(), &[7; 32]].concat()), Greeting::OtherVersion(1));
	// Later ones may say more, or less.
	assert_eq!(greeting(&[0, 9, 1]), Greeting::OtherVersion(265));
	assert_eq!(
		greeting(&[[0_u8, 9, 1].as_slice(), &[3; 99]].concat()),
		Greeting::OtherVersion(265)
	);
	assert_eq!(greeting(&[3]), Greeting::Status);
	assert_eq!(greeting(&[3, 1, 2]), Greeting::Status);

	let welcome = |message: &[u8]| read_frame::<Welcome>(&mut raw(message).as_slice()).unwrap();
	// The first release's hello with one capability of class and slots, and its refusal.
	assert_eq!(welcome(&[0, 1, 0, 4, 0, 0, 1, 0]), Welcome::OtherVersion(1));
	assert_eq!(welcome(&[1, 0, 1, 0]), Welcome::OtherVersion(1));
	assert_eq!(welcome(&[1, 0, 9, 1, 5, 5]), Welcome::OtherVersion(265));
	assert_eq!(welcome(&[1, 1]), Welcome::Refused(Refusal::OtherChain));
	assert_eq!(welcome(&[3, 8, b'{', b'}']), Welcome::OutOfTurn);
	assert_eq!(welcome(&[4, 0]), Welcome::OutOfTurn);
}

fn raw(message: &[u8]) -> Vec<u8> {
	let length = u32::try_from(message.len()).unwrap();
	[length.to_le_bytes().as_slice(), message].concat()
}
