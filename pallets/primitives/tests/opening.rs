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
	projection::{Projection, PROJECTED},
	recompute::{Output, OutputOpening},
	search::{Fault, SearchOpening, Winner},
	training::DIVERGED,
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
	let near = near.try_into().unwrap();
	Opening::Output(OutputOpening { near, ..OutputOpening::showing(output) })
}

/// What somebody shows of an output, all of whose sums are this many units.
fn projected(output: Output, number: i32) -> Opening {
	let (exponent, scale, numbers) = (0, 1 << 30, [number; PROJECTED]);
	let projection = Projection { change: output.hash, exponent, scale, numbers };
	Opening::Output(OutputOpening::projecting(output, projection))
}

/// The same of an output of which nothing but the hash is shown.
fn banded(own: u8, number: i32) -> Opening {
	projected(Output::hidden(H256::repeat_byte(own)), number)
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
		banded(1, 0),
		banded(1, 1),
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
	let own = OutputOpening::showing(Output::of(b"others"));
	let referee = Opening::Output(OutputOpening { near, ..own });
	assert_eq!(referee.judges(&shown(b"counts")), Near);
	assert_eq!(referee.judges(&Opening::Output(OutputOpening::own(other.hash))), Near);
}

#[test]
fn outputs_are_near_where_their_projections_are() {
	let worker = banded(1, 0);
	assert_eq!(banded(2, 100_000).judges(&worker), Near);
	assert_eq!(worker.judges(&banded(2, 100_000)), Near);
	assert_eq!(banded(2, 200_000).judges(&worker), Wrong);
	// The same output is equal, whatever is said to be its projection.
	assert_eq!(banded(1, 200_000).judges(&worker), Equal);
	// Where one has no projection, the other's says nothing.
	assert_eq!(banded(2, 0).judges(&output(1, &[])), Wrong);
	assert_eq!(output(2, &[]).judges(&worker), Wrong);
	assert_eq!(output(2, &[1]).judges(&worker), Near);
}

#[test]
fn what_has_diverged_is_equal_or_wrong() {
	let diverged = projected(Output::of(DIVERGED), 0);
	assert_eq!(diverged.judges(&diverged), Equal);
	assert_eq!(diverged.judges(&banded(1, 0)), Wrong);
	assert_eq!(banded(1, 0).judges(&diverged), Wrong);
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
