//! Openings: their digests, and how two of them compare.
#![allow(clippy::unwrap_used)]

use codec::Encode;
use proptest::prelude::*;
use sp_core::H256;
use std::collections::BTreeSet;
use tequio_primitives::{
	opening::{
		Comparison::{Equal, Near, Wrong},
		Opening,
	},
	recompute::{Output, OutputOpening},
	search::{Fault, SearchOpening, Winner},
};

fn search(shares: u8) -> SearchOpening {
	SearchOpening {
		shares: H256::repeat_byte(shares),
		winners: Default::default(),
		faults: Default::default(),
	}
}

fn output(own: u8, near: &[u8]) -> Opening {
	let near: Vec<H256> = near.iter().map(|byte| H256::repeat_byte(*byte)).collect();
	let output = Output::hidden(H256::repeat_byte(own));
	Opening::Output(OutputOpening { output, near: near.try_into().unwrap() })
}

/// What somebody shows whose output were these bytes.
fn shown(bytes: &[u8]) -> Opening {
	Opening::Output(OutputOpening::showing(Output::of(bytes)))
}

#[test]
fn a_digest_is_the_hash_of_the_opening() {
	let opening = output(1, &[2]);
	let expected = sp_io::hashing::blake2_256(&opening.encode());
	assert_eq!(opening.digest(), H256(expected));
}

#[test]
fn digests_differ_by_everything_that_is_shown() {
	let winner = Winner { nonce: 7, hash: [1; 32] };
	let fault = Fault::FalseShare(7);
	let openings = [
		Opening::Search(search(1)),
		Opening::Search(search(2)),
		Opening::Search(SearchOpening { winners: vec![winner].try_into().unwrap(), ..search(1) }),
		Opening::Search(SearchOpening { faults: vec![fault].try_into().unwrap(), ..search(1) }),
		output(1, &[]),
		output(2, &[]),
		output(1, &[2]),
		shown(b"counts"),
		Opening::Output(OutputOpening::own(Output::of(b"counts").hash)),
	];
	let digests: BTreeSet<H256> = openings.iter().map(Opening::digest).collect();
	assert_eq!(digests.len(), openings.len());
}

#[test]
fn searches_are_equal_or_wrong() {
	let fault = vec![Fault::UnclaimedShare(7)].try_into().unwrap();
	let right = Opening::Search(search(1));
	let faulted = Opening::Search(SearchOpening { faults: fault, ..search(1) });
	assert_eq!(right.judges(&right), Equal);
	assert_eq!(faulted.judges(&faulted), Equal);
	for other in [&faulted, &Opening::Search(search(2)), &output(1, &[])] {
		assert_eq!(right.judges(other), Wrong);
		assert_eq!(other.judges(&right), Wrong);
	}
}

#[test]
fn outputs_are_near_where_the_judge_says_so() {
	let referee = output(1, &[2, 3]);
	assert_eq!(referee.judges(&output(1, &[])), Equal);
	assert_eq!(referee.judges(&output(2, &[])), Near);
	assert_eq!(referee.judges(&output(3, &[])), Near);
	assert_eq!(referee.judges(&output(4, &[])), Wrong);
	// What the other finds near does not matter.
	assert_eq!(output(2, &[]).judges(&referee), Wrong);
	assert_eq!(output(4, &[]).judges(&output(1, &[4])), Wrong);
}

#[test]
fn the_answer_of_a_program_is_the_hash_of_its_output() {
	assert_eq!(output(1, &[2]).answer(), H256::repeat_byte(1));
	assert_eq!(shown(b"counts").answer(), H256(sp_io::hashing::blake2_256(b"counts")));
}

#[test]
fn who_shows_less_of_the_same_output_is_wrong() {
	let whole = shown(b"counts");
	let hidden = Opening::Output(OutputOpening::own(Output::of(b"counts").hash));
	assert_eq!(whole.judges(&shown(b"counts")), Equal);
	assert_eq!(whole.judges(&hidden), Wrong);
	assert_eq!(hidden.judges(&whole), Wrong);
	assert_eq!(whole.judges(&shown(b"others")), Wrong);
}

#[test]
fn near_outputs_are_known_by_their_hash() {
	let other = Output::of(b"counts");
	let near = vec![other.hash].try_into().unwrap();
	let referee = Opening::Output(OutputOpening { output: Output::of(b"others"), near });
	assert_eq!(referee.judges(&shown(b"counts")), Near);
	assert_eq!(referee.judges(&Opening::Output(OutputOpening::own(other.hash))), Near);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn who_shows_nothing_near_is_equal_or_wrong_both_ways(own in 0u8..4, other in 0u8..4) {
		let (own, other) = (output(own, &[]), output(other, &[]));
		let expected = if own == other { Equal } else { Wrong };
		prop_assert_eq!(own.judges(&other), expected);
		prop_assert_eq!(other.judges(&own), expected);
	}

	#[test]
	fn own_outputs_are_equal_whatever_is_near(own in any::<u8>(), near in any::<u8>()) {
		prop_assert_eq!(output(own, &[near]).judges(&output(own, &[])), Equal);
		prop_assert_eq!(OutputOpening::own(H256::repeat_byte(own)).near.len(), 0);
	}
}
