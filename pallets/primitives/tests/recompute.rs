//! Which computations can be tasks, and what is shown of what they give.

use proptest::prelude::*;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use tequio_primitives::{
	recompute::{
		Arguments, Output, OutputOpening, RecomputeError, RecomputeSpec, Shown, MAX_INPUTS,
		MAX_REPLICAS, MAX_SHOWN,
	},
	training::MAX_SHARDS,
	WorkClass,
};

fn spec() -> RecomputeSpec {
	let (class, program) = (WorkClass::ExactF64, H256::repeat_byte(3));
	RecomputeSpec { class, program, chunks: 4, units: 100, replicas: 1 }
}

#[test]
fn a_program_of_any_class_but_search_is_valid() {
	for class in WorkClass::ALL {
		let expected = match class {
			WorkClass::RandomXSearch => Err(RecomputeError::NotAProgram),
			WorkClass::ExactF64
			| WorkClass::ExactF32
			| WorkClass::BandedF32
			| WorkClass::Integer => Ok(()),
		};
		assert_eq!(RecomputeSpec { class, ..spec() }.validate(), expected);
	}
}

#[test]
fn every_number_of_replicas_up_to_seven_is_valid() {
	for replicas in 1..=MAX_REPLICAS {
		assert_eq!(RecomputeSpec { replicas, ..spec() }.validate(), Ok(()));
	}
}

#[test]
fn what_cannot_be_computed_or_paid_is_not_valid() {
	let refused = |spec: RecomputeSpec, error| assert_eq!(spec.validate(), Err(error));
	refused(RecomputeSpec { chunks: 0, ..spec() }, RecomputeError::NoChunks);
	refused(RecomputeSpec { units: 0, ..spec() }, RecomputeError::NoUnits);
	refused(RecomputeSpec { replicas: 0, ..spec() }, RecomputeError::ReplicasOutOfBounds);
	let too_many = MAX_REPLICAS + 1;
	refused(RecomputeSpec { replicas: too_many, ..spec() }, RecomputeError::ReplicasOutOfBounds);
}

#[test]
fn a_run_has_room_for_a_state_and_an_output_for_each_shard() {
	assert_eq!(MAX_INPUTS, MAX_SHARDS + 1);
	assert_eq!(Arguments::default(), Arguments { round: 0, inputs: Default::default() });
}

#[test]
fn a_hidden_output_is_sound_whatever_its_hash() {
	let output = Output::hidden(H256::repeat_byte(7));
	assert!(output.shown.is_empty() && output.is_sound());
	assert_eq!(OutputOpening::own(output.hash), OutputOpening::showing(output));
}

#[test]
fn an_empty_output_shows_nothing() {
	assert_eq!(Output::of(b""), Output::hidden(blake2_256(b"").into()));
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn an_output_is_shown_where_it_is_short(length in 0usize..200, byte in any::<u8>()) {
		let bytes = vec![byte; length];
		let output = Output::of(&bytes);
		prop_assert_eq!(output.hash, H256(blake2_256(&bytes)));
		let short = length <= MAX_SHOWN as usize;
		prop_assert_eq!(output.shown.as_slice(), if short { bytes.as_slice() } else { &[] });
		prop_assert!(output.is_sound());
	}

	#[test]
	fn what_is_shown_has_to_have_the_hash(
		bytes in proptest::collection::vec(any::<u8>(), 1..=MAX_SHOWN as usize),
		hash in any::<[u8; 32]>(),
	) {
		let output = Output { hash: H256(hash), shown: Shown::truncate_from(bytes.clone()) };
		prop_assert_eq!(output.is_sound(), hash == blake2_256(&bytes));
		let mut other = Output::of(&bytes);
		other.hash.0[0] ^= 1;
		prop_assert!(!other.is_sound());
	}
}
