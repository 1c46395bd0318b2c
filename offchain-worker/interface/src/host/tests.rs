//! Nonsense at the boundary: whatever bytes and numbers cross it, each side gets a code or a whole
//! value, and reserves no more than an answer may have.

#![allow(clippy::unwrap_used)]

use super::*;
use alloc::sync::Arc;
use proptest::{
	collection::vec as bytes,
	prelude::*,
	sample::Index,
	test_runner::{TestCaseResult, TestRunner},
};
use sp_io::TestExternalities;
use std::cell::Cell;

/// Inputs for each function.
const CASES: u32 = 10_000;
/// Bytes of a key.
const KEY_BYTES: usize = 32 + 32 + 8 + 4 + 1 + 1 + 32;

/// Takes every job, and has a result for every other chunk.
struct Desk;

impl ComputeService for Desk {
	fn submit(&self, _: Job) -> bool {
		true
	}

	fn poll(&self, key: &JobKey) -> Option<JobState> {
		key.chunk.is_multiple_of(2).then(|| JobState::Done(vec![7; 100]))
	}

	fn cancel(&self, _: &JobKey) {}

	fn capabilities(&self) -> Vec<Capability> {
		vec![]
	}

	fn finalized(&self) -> u64 {
		1
	}
}

/// Random bytes, and bytes of these values with some of them changed and the end cut off.
fn malformed(values: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
	let changes = bytes((any::<Index>(), any::<u8>()), 0..4);
	let damaged = (values, changes, any::<bool>(), any::<Index>()).prop_map(
		|(mut value, changes, cut, at)| {
			for (place, byte) in changes {
				if let Some(place) = place_in(&value, place) {
					value[place] = byte;
				}
			}
			if cut {
				value.truncate(at.index(value.len() + 1));
			}
			value
		},
	);
	prop_oneof![bytes(any::<u8>(), 0..200), damaged]
}

fn place_in(value: &[u8], place: Index) -> Option<usize> {
	(!value.is_empty()).then(|| place.index(value.len()))
}

fn jobs() -> impl Strategy<Value = Vec<u8>> {
	let parts = (any::<[u8; 32]>(), any::<(u64, u32, u8, u8)>(), bytes(any::<u8>(), 0..100));
	parts.prop_map(|(device, (task, chunk, attempt, role), payload)| {
		let key = JobKey { genesis: [1; 32], device, task, chunk, attempt, role, order: [2; 32] };
		Job { key, class: 0, payload }.encode()
	})
}

/// Runs a test in an off-chain worker.
fn offchain(inputs: impl Strategy<Value = Vec<u8>>, test: impl Fn(&[u8]) -> TestCaseResult) {
	let mut externalities = TestExternalities::new_empty();
	externalities.register_extension(ComputeExt(Arc::new(Desk)));
	externalities.execute_with(|| {
		let mut runner = TestRunner::new(ProptestConfig::with_cases(CASES));
		runner.run(&inputs, |input| test(&input)).unwrap();
	});
}

#[test]
fn submit_should_fail_when_the_bytes_are_no_job() {
	offchain(malformed(jobs()), |input| {
		let is_job = Job::decode_all(&mut &*input).is_ok();
		prop_assert_eq!(compute::submit(input), if is_job { 0 } else { MALFORMED });
		Ok(())
	});
}

#[test]
fn poll_and_cancel_should_fail_when_the_bytes_are_no_key() {
	let keys = jobs().prop_map(|job| job[..KEY_BYTES].to_vec());
	offchain(malformed(keys), |input| {
		let key = JobKey::decode_all(&mut &*input).ok();
		prop_assert_eq!(compute::cancel(input), if key.is_some() { 0 } else { MALFORMED });
		let mut out = [9; 50];
		let known = key.map(|key| Desk.poll(&key));
		let expected = match &known {
			None => MALFORMED,
			Some(None) => UNKNOWN,
			Some(Some(state)) => u32::try_from(state.encoded_size()).unwrap(),
		};
		prop_assert_eq!(compute::poll(input, &mut out), expected);
		// There is no room for the result, so nothing of it is written.
		prop_assert_eq!(out, [9; 50]);
		Ok(())
	});
}

/// Reads an answer of these bytes, of which the other side says that they have this length.
fn read_answer<M: Decode + Encode>(input: &[u8], said: u32) -> TestCaseResult {
	let most = Cell::new(0);
	let read = answer::<M>(|out| {
		most.set(most.get().max(out.len()));
		let length = input.len().min(out.len());
		out[..length].copy_from_slice(&input[..length]);
		said
	});
	prop_assert!(most.get() <= MAX_ANSWER);
	match read {
		Ok(value) => {
			let value = value.encode();
			prop_assert_eq!(value.len(), usize::try_from(said).unwrap());
			let padding = value.len().saturating_sub(input.len());
			prop_assert!(input.starts_with(&value[..value.len() - padding]));
		},
		Err(code) => prop_assert!(code >= LOWEST_CODE),
	}
	Ok(())
}

#[test]
fn an_answer_is_whole_or_a_code() {
	let states = bytes(any::<u8>(), 0..100).prop_map(|result| JobState::Done(result).encode());
	let capabilities = any::<[(u16, u16, u64, u64); 3]>().prop_map(|all| {
		let all = all.map(|(class, slots, rate, memory)| Capability { class, slots, rate, memory });
		all.to_vec().encode()
	});
	// The true length, or another one.
	let said = prop_oneof![Just(None), any::<u32>().prop_map(Some), (0..300_u32).prop_map(Some)];
	let inputs = (malformed(states), malformed(capabilities), said);
	let mut runner = TestRunner::new(ProptestConfig::with_cases(CASES));
	let tested = runner.run(&inputs, |(state, capabilities, said)| {
		let length = |bytes: &[u8]| said.unwrap_or(u32::try_from(bytes.len()).unwrap());
		read_answer::<JobState>(&state, length(&state))?;
		read_answer::<Vec<Capability>>(&capabilities, length(&capabilities))
	});
	tested.unwrap();
}
