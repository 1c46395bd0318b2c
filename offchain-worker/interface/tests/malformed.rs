//! Bytes that are no messages, at every parser of this crate: ten thousand and more for each. None
//! panics, none reserves more than a few frames, none keeps anything, and whatever is understood
//! would be written with the very bytes it was read from.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "malformed/allocator.rs"]
mod allocator;
#[path = "malformed/program.rs"]
mod program;

use allocator::{held, measured};
use codec::{Codec, DecodeAll, Encode};
use proptest::{
	collection::vec,
	prelude::*,
	sample::Index,
	test_runner::{TestCaseResult, TestRunner},
};
use std::{fmt::Debug, io::ErrorKind};
use tequio_interface::{
	engine::{FromEngine, ToEngine},
	greeting::{Greeting, Welcome},
	job::{Capability, Failure, Job, JobKey, JobState},
	randomx::{AuditResult, Puzzle, RandomXJob, SearchResult, Winner},
	wire::{
		read_frame, write_frame, FrameError, FromWorker, Refusal, ToWorker, MAX_FRAME, VERSION,
	},
};

/// Inputs for each parser.
const CASES: u32 = 12_000;
/// Bytes that reading one frame may reserve at a time: the frame, and a vector made from it that
/// moves while it grows.
const MOST_RESERVED: usize = 6 * MAX_FRAME;

/// Damage to bytes that were whole.
#[derive(Clone, Debug)]
enum Damage {
	Change(Index, u8),
	/// Four bytes are where lengths are.
	Length(Index, u32),
	Cut(Index),
	Insert(Index, Vec<u8>),
	Remove(Index),
}

impl Damage {
	fn on(self, bytes: &mut Vec<u8>) {
		let place = |at: Index| at.index(bytes.len() + 1);
		match self {
			Self::Change(at, byte) => {
				let at = place(at);
				drop(bytes.splice(at..(at + 1).min(bytes.len()), [byte]));
			},
			Self::Length(at, length) => {
				let at = place(at);
				let end = (at + 4).min(bytes.len());
				drop(bytes.splice(at..end, length.to_le_bytes()));
			},
			Self::Cut(at) => {
				let at = place(at);
				bytes.truncate(at);
			},
			Self::Insert(at, more) => {
				let at = place(at);
				drop(bytes.splice(at..at, more));
			},
			Self::Remove(at) => {
				let at = place(at);
				drop(bytes.drain(at..(at + 1).min(bytes.len())));
			},
		}
	}
}

fn damage() -> impl Strategy<Value = Damage> {
	prop_oneof![
		3 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
		1 => (any::<Index>(), any::<u32>()).prop_map(|(at, length)| Damage::Length(at, length)),
		1 => any::<Index>().prop_map(Damage::Cut),
		1 => (any::<Index>(), vec(any::<u8>(), 1..20))
			.prop_map(|(at, more)| Damage::Insert(at, more)),
		1 => any::<Index>().prop_map(Damage::Remove),
	]
}

fn damaged(whole: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
	(whole, vec(damage(), 1..4)).prop_map(|(mut bytes, damages)| {
		damages.into_iter().for_each(|damage| damage.on(&mut bytes));
		bytes
	})
}

/// Random bytes of which the first may well be the number of a message.
fn noise() -> impl Strategy<Value = Vec<u8>> {
	(0..6_u8, vec(any::<u8>(), 0..200)).prop_map(|(first, rest)| [vec![first], rest].concat())
}

fn framed(message: &[u8]) -> Vec<u8> {
	let length = u32::try_from(message.len()).unwrap();
	[length.to_le_bytes().as_slice(), message].concat()
}

/// Frames around noise and around damaged messages, and damaged frames.
fn frames(messages: impl Strategy<Value = Vec<u8>> + Clone) -> impl Strategy<Value = Vec<u8>> {
	prop_oneof![
		1 => vec(any::<u8>(), 0..200),
		2 => noise().prop_map(|message| framed(&message)),
		4 => damaged(messages.clone()).prop_map(|message| framed(&message)),
		3 => damaged(messages.prop_map(|message| framed(&message))),
	]
}

fn run<V: Debug>(inputs: impl Strategy<Value = V>, test: impl Fn(V) -> TestCaseResult) {
	TestRunner::new(ProptestConfig::with_cases(CASES)).run(&inputs, test).unwrap();
}

/// Reads a frame, and fails unless that is cheap and ends well or with a typed error.
fn read<M: codec::Decode>(bytes: &[u8]) -> Result<Result<(M, usize), FrameError>, TestCaseError> {
	let ((read, left), most) = measured(|| {
		let mut rest = bytes;
		let read = read_frame::<M>(&mut rest);
		(read, rest.len())
	});
	prop_assert!(most <= MOST_RESERVED, "{} bytes were reserved", most);
	match &read {
		Err(FrameError::Io(error)) => prop_assert_eq!(error.kind(), ErrorKind::UnexpectedEof),
		Err(FrameError::TooLong(length)) => {
			prop_assert!(*length > MAX_FRAME);
			prop_assert!(most == 0, "something was reserved for a frame that is too long");
		},
		Err(FrameError::Malformed(_)) | Ok(_) => {},
	}
	Ok(read.map(|message| (message, bytes.len() - left)))
}

/// Frames of messages: a parser of them survives, and accepts only what it would have written.
fn survives<M: Codec + Debug>(messages: impl Strategy<Value = M> + Clone) {
	run(frames(messages.prop_map(|message| message.encode())), |bytes| {
		let before = held();
		if let Ok((message, length)) = read::<M>(&bytes)? {
			let mut written = Vec::new();
			write_frame(&mut written, &message).unwrap();
			prop_assert_eq!(&bytes[..length], written.as_slice());
		}
		prop_assert_eq!(held(), before, "something is kept");
		Ok(())
	});
}

/// The same for what lies within messages, in a class's own encoding.
fn survives_within<M: Codec + Debug>(values: impl Strategy<Value = M>) {
	let inputs = prop_oneof![noise(), damaged(values.prop_map(|value| value.encode()))];
	run(inputs, |bytes| {
		let before = held();
		let (read, most) = measured(|| M::decode_all(&mut bytes.as_slice()));
		prop_assert!(most <= MOST_RESERVED, "{} bytes were reserved", most);
		if let Ok(value) = &read {
			prop_assert_eq!(value.encode(), bytes.as_slice());
		}
		drop(read);
		prop_assert_eq!(held(), before, "something is kept");
		Ok(())
	});
}

fn keys() -> impl Strategy<Value = JobKey> + Clone {
	let numbers = any::<(u64, u32, u8, u8)>();
	(any::<[[u8; 32]; 3]>(), numbers).prop_map(|(hashes, (task, chunk, attempt, role))| {
		let [genesis, device, order] = hashes;
		JobKey { genesis, device, task, chunk, attempt, role, order }
	})
}

fn some_bytes() -> impl Strategy<Value = Vec<u8>> + Clone {
	vec(any::<u8>(), 0..100)
}

fn states() -> impl Strategy<Value = JobState> + Clone {
	prop_oneof![
		Just(JobState::Queued),
		Just(JobState::Running),
		some_bytes().prop_map(JobState::Done),
		Just(JobState::Failed(Failure::Unsupported)),
		Just(JobState::Failed(Failure::Busy)),
	]
}

fn capabilities() -> impl Strategy<Value = Vec<Capability>> + Clone {
	let capability = any::<(u16, u16, u64, u64)>()
		.prop_map(|(class, slots, rate, memory)| Capability { class, slots, rate, memory });
	vec(capability, 0..5)
}

fn to_worker() -> impl Strategy<Value = ToWorker> + Clone {
	let job = (keys(), any::<u16>(), some_bytes());
	let versions = prop_oneof![Just(VERSION), any::<u16>()];
	prop_oneof![
		(versions, any::<[u8; 32]>())
			.prop_map(|(version, genesis)| ToWorker::Hello { version, genesis }),
		job.prop_map(|(key, class, payload)| ToWorker::Submit(Job { key, class, payload })),
		keys().prop_map(ToWorker::Cancel),
		Just(ToWorker::Status),
	]
}

fn from_worker() -> impl Strategy<Value = FromWorker> + Clone {
	let versions = prop_oneof![Just(VERSION), any::<u16>()];
	prop_oneof![
		(versions, capabilities())
			.prop_map(|(version, capabilities)| FromWorker::Hello { version, capabilities }),
		any::<u16>().prop_map(|worker| FromWorker::Refused(Refusal::Version { worker })),
		Just(FromWorker::Refused(Refusal::OtherChain)),
		(keys(), states()).prop_map(|(key, state)| FromWorker::State(key, state)),
		some_bytes().prop_map(FromWorker::Status),
		capabilities().prop_map(FromWorker::Capabilities),
	]
}

fn puzzles() -> impl Strategy<Value = Puzzle> {
	let parts = (any::<[[u8; 32]; 3]>(), some_bytes(), any::<u16>());
	parts.prop_map(|([seed, share_target, target], template, nonce_offset)| Puzzle {
		seed,
		template,
		nonce_offset,
		share_target,
		target,
	})
}

fn nonces() -> impl Strategy<Value = Vec<u32>> {
	vec(any::<u32>(), 0..20)
}

fn winners() -> impl Strategy<Value = Vec<Winner>> {
	let winner = any::<(u32, [u8; 32])>().prop_map(|(nonce, hash)| Winner { nonce, hash });
	vec(winner, 0..4)
}

#[test]
fn messages_to_a_worker() {
	survives(to_worker());
}

#[test]
fn messages_from_a_worker() {
	survives(from_worker());
}

#[test]
fn messages_to_an_engine() {
	survives(prop_oneof![
		(any::<u64>(), some_bytes()).prop_map(|(id, payload)| ToEngine::Run { id, payload }),
		some_bytes().prop_map(|payload| ToEngine::Expect { payload }),
		(any::<[u8; 32]>(), some_bytes(), any::<bool>())
			.prop_map(|(hash, bytes, last)| ToEngine::Part { hash, bytes, last }),
		any::<[u8; 32]>().prop_map(|hash| ToEngine::Missing { hash }),
	]);
}

#[test]
fn messages_from_an_engine() {
	let words = "[ -~ä€]{0,40}";
	survives(prop_oneof![
		any::<u16>().prop_map(|class| FromEngine::Ready { class }),
		(any::<u64>(), some_bytes()).prop_map(|(id, result)| FromEngine::Done { id, result }),
		(any::<u64>(), words).prop_map(|(id, reason)| FromEngine::Refused { id, reason }),
		words.prop_map(|about| FromEngine::Setup { about }),
		(any::<u64>(), any::<[u8; 32]>(), any::<u64>())
			.prop_map(|(id, hash, most)| FromEngine::Fetch { id, hash, most }),
		(any::<u64>(), some_bytes(), any::<bool>())
			.prop_map(|(id, bytes, last)| FromEngine::Output { id, bytes, last }),
	]);
}

#[test]
fn randomx_payloads() {
	let ranges = || any::<(u32, u32)>();
	survives_within(prop_oneof![
		(puzzles(), ranges()).prop_map(|(puzzle, (start, count))| RandomXJob::Search {
			puzzle,
			start,
			count
		}),
		(puzzles(), nonces(), ranges()).prop_map(|(puzzle, claim, (start, count))| {
			RandomXJob::Audit { puzzle, claim, start, count }
		}),
	]);
}

#[test]
fn randomx_results() {
	survives_within(
		(nonces(), any::<[u8; 32]>(), winners())
			.prop_map(|(claim, shares, winners)| SearchResult { claim, shares, winners }),
	);
	survives_within((any::<[u8; 32]>(), winners(), nonces(), nonces()).prop_map(
		|(shares, winners, false_shares, unclaimed_shares)| AuditResult {
			shares,
			winners,
			false_shares,
			unclaimed_shares,
		},
	));
}

#[test]
fn program_payloads_and_results() {
	survives_within(program::payloads());
	survives_within(program::results());
}

/// A first message is read as the message that it is; but the version is looked at first.
#[test]
fn first_messages_to_a_worker() {
	run(frames(to_worker().prop_map(|message| message.encode())), |bytes| {
		let whole = read::<ToWorker>(&bytes)?.map(|(message, _)| message);
		let Ok((greeting, length)) = read::<Greeting>(&bytes)? else {
			prop_assert!(whole.is_err());
			return Ok(());
		};
		let expected = match (whole, &bytes[4..length]) {
			(_, [3, ..]) => Greeting::Status,
			(_, [0, low, high, ..]) if u16::from_le_bytes([*low, *high]) != VERSION => {
				Greeting::OtherVersion(u16::from_le_bytes([*low, *high]))
			},
			(Ok(ToWorker::Hello { genesis, .. }), _) => Greeting::Node { genesis },
			(Ok(_), _) => Greeting::OutOfTurn,
			(Err(error), _) => return Err(TestCaseError::fail(format!("{greeting:?}, {error}"))),
		};
		prop_assert_eq!(greeting, expected);
		Ok(())
	});
}

#[test]
fn first_messages_from_a_worker() {
	run(frames(from_worker().prop_map(|message| message.encode())), |bytes| {
		let whole = read::<FromWorker>(&bytes)?.map(|(message, _)| message);
		let Ok((welcome, length)) = read::<Welcome>(&bytes)? else {
			prop_assert!(whole.is_err());
			return Ok(());
		};
		let expected = match (whole, &bytes[4..length]) {
			(_, [0, low, high, ..] | [1, 0, low, high, ..])
				if u16::from_le_bytes([*low, *high]) != VERSION =>
			{
				Welcome::OtherVersion(u16::from_le_bytes([*low, *high]))
			},
			(Ok(FromWorker::Hello { capabilities, .. }), _) => Welcome::Worker { capabilities },
			(Ok(FromWorker::Refused(refusal)), _) => Welcome::Refused(refusal),
			(Ok(_), _) => Welcome::OutOfTurn,
			(Err(error), _) => return Err(TestCaseError::fail(format!("{welcome:?}, {error}"))),
		};
		prop_assert_eq!(welcome, expected);
		Ok(())
	});
}

/// Lengths that promise more than there is, in the largest frame there may be.
#[test]
fn a_large_frame_costs_no_more_than_its_bytes() {
	let announced = |first: &[u8]| {
		// A compact length of 2³⁰ − 1.
		let mut message = [first, &[0xfe, 0xff, 0xff, 0xff]].concat();
		message.resize(MAX_FRAME, 1);
		framed(&message)
	};
	// A submission up to its payload: message, key, class.
	let submission = announced(&[[1_u8].as_slice(), &[0; 110], &[0; 2]].concat());
	assert!(matches!(read::<ToWorker>(&submission), Ok(Err(FrameError::Malformed(_)))));
	let hello = announced(&[0, VERSION.to_le_bytes()[0], VERSION.to_le_bytes()[1]]);
	assert!(matches!(read::<FromWorker>(&hello), Ok(Err(FrameError::Malformed(_)))));
	let gigabyte = (1_u32 << 30).to_le_bytes();
	assert!(matches!(read::<FromWorker>(&gigabyte), Ok(Err(FrameError::TooLong(_)))));
}
