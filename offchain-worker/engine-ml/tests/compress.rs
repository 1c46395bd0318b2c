//! Compression: what is kept, what is late, and bytes that are no change.

#![allow(clippy::unwrap_used)]

use codec::{Compact, Encode};
use proptest::{collection::vec, prelude::*, sample::Index};
use tequio_engine_ml::{
	compress::{compress, decode, max_bytes, CompressError, MILLION},
	grid::{GridState, GridTensor, MAX_UNITS},
	tensor::State,
};
use CompressError::*;

/// A change of one tensor `w`.
fn change(units: &[i64]) -> GridState {
	let tensor = GridTensor::new(vec![units.len()], units.to_vec()).unwrap();
	GridState(vec![("w".into(), tensor)])
}

/// Weights of the same shapes.
fn weights(change: &GridState) -> State {
	change.to_state()
}

fn zeros(change: &GridState) -> GridState {
	GridState::zeros_like(&weights(change))
}

fn units(state: &GridState) -> &[i64] {
	state.0[0].1.units()
}

/// The encoding of one tensor.
fn encoded(scale: u64, count: u32, gaps: &[u32], steps: &[i8]) -> Vec<u8> {
	let mut bytes = (Compact(scale), Compact(count)).encode();
	gaps.iter().for_each(|gap| Compact(*gap).encode_to(&mut bytes));
	steps.iter().for_each(|steps| steps.encode_to(&mut bytes));
	bytes
}

#[test]
fn small_changes_are_kept_as_they_are() {
	let change = change(&[1, 0, -127, 64]);
	let compressed = compress(&change, &zeros(&change), MILLION).unwrap();
	assert_eq!(compressed.change, change);
	assert_eq!(compressed.residual, zeros(&change));
	assert_eq!(compressed.kept, 3);
	assert_eq!(compressed.bytes, encoded(1, 3, &[0, 1, 0], &[1, -127, 64]));
	// One byte for each of scale, count, three gaps and three steps.
	assert_eq!(compressed.bytes.len(), 8);
}

#[test]
fn the_largest_are_kept_and_of_equals_the_earlier() {
	let change = change(&[5, -9, 9, 2, -5, 0, 1, 3]);
	// 375,000 of a million parts of 8 are 3.
	let compressed = compress(&change, &zeros(&change), 375_000).unwrap();
	assert_eq!(units(&compressed.change), [5, -9, 9, 0, 0, 0, 0, 0]);
	assert_eq!(units(&compressed.residual), [0, 0, 0, 2, -5, 0, 1, 3]);
	// A part of an element more is an element more.
	let compressed = compress(&change, &zeros(&change), 375_001).unwrap();
	assert_eq!(units(&compressed.change), [5, -9, 9, 0, -5, 0, 0, 0]);
	let compressed = compress(&change, &zeros(&change), 1).unwrap();
	assert_eq!(units(&compressed.change), [0, -9, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn large_changes_are_rounded_to_steps_and_ties_to_even() {
	// The largest is 4 · 127, so a step is 4 units.
	let change = change(&[508, 6, 10, -6, 3, 2, -2, 1]);
	let compressed = compress(&change, &zeros(&change), MILLION).unwrap();
	assert_eq!(units(&compressed.change), [508, 8, 8, -8, 4, 0, 0, 0]);
	assert_eq!(units(&compressed.residual), [0, -2, 2, 2, -1, 2, -2, 1]);
	assert_eq!(compressed.kept, 5, "what is rounded to zero is not sent");
	assert_eq!(compressed.bytes, encoded(4, 5, &[0; 5], &[127, 2, 2, -2, 1]));
}

#[test]
fn what_was_left_out_comes_later() {
	let still = change(&[0, 0]);
	let first = compress(&change(&[9, 7]), &still, 1).unwrap();
	assert_eq!((units(&first.change), units(&first.residual)), (&[9, 0][..], &[0, 7][..]));
	let second = compress(&still, &first.residual, 1).unwrap();
	assert_eq!((units(&second.change), units(&second.residual)), (&[0, 7][..], &[0, 0][..]));
}

#[test]
fn no_change_takes_two_bytes() {
	let still = change(&[0; 100]);
	let compressed = compress(&still, &still, MILLION).unwrap();
	assert_eq!((compressed.bytes, compressed.kept), (vec![0, 0], 0));
	let nothing = GridState::default();
	assert!(compress(&nothing, &nothing, 1).unwrap().bytes.is_empty());
	assert_eq!(decode(&[], &State::default()), Ok(nothing));
}

#[test]
fn the_edge_of_the_grid_is_kept() {
	let change = change(&[MAX_UNITS, -MAX_UNITS, 1]);
	let compressed = compress(&change, &zeros(&change), MILLION).unwrap();
	assert_eq!(decode(&compressed.bytes, &weights(&change)), Ok(compressed.change.clone()));
	for (place, wanted) in units(&change).iter().enumerate() {
		let together = units(&compressed.change)[place] + units(&compressed.residual)[place];
		assert_eq!(together, *wanted);
	}
}

#[test]
fn one_element_in_a_hundred_takes_a_fraction_of_the_bytes() {
	let change =
		change(&(0..100_000).map(|i| (i * 7_919) % 100_003 - 50_000).collect::<Vec<i64>>());
	let compressed = compress(&change, &zeros(&change), 10_000).unwrap();
	assert_eq!(compressed.kept, 1_000);
	// Steps take a byte, and gaps of about a hundred mostly take two.
	assert!(compressed.bytes.len() <= 4 * 1_000 + 14, "{}", compressed.bytes.len());
	assert!(compressed.bytes.len() <= max_bytes(&weights(&change)));
}

#[test]
fn compress_should_fail_when_its_input_does_not_fit() {
	let one = change(&[1]);
	for keep in [0, MILLION + 1] {
		assert_eq!(compress(&one, &one, keep), Err(Keep(keep)));
	}
	assert_eq!(compress(&one, &change(&[1, 2]), 1), Err(CompressError::OtherShapes));
	let (most, least) = (change(&[0, MAX_UNITS]), change(&[0, -MAX_UNITS]));
	let beyond = OutOfRange { name: "w".into(), index: 1 };
	assert_eq!(compress(&most, &change(&[0, 1]), 1), Err(beyond.clone()));
	assert_eq!(compress(&least, &change(&[0, -1]), 1), Err(beyond));
	assert!(compress(&most, &least, 1).is_ok());
}

#[test]
fn decode_should_fail_when_bytes_are_no_change() {
	let weights = weights(&change(&[0; 4]));
	let name = || "w".to_owned();
	let too_many = |claimed, left| TooManyKept { name: name(), claimed, elements: 4, left };
	let scale = |kept, scale| Scale { name: name(), kept, scale };
	let steps = |steps, scale| Steps { name: name(), steps, scale };
	let (edge, least) = (MAX_UNITS.unsigned_abs() / 127 + 1, i8::MIN);
	for (bytes, refused) in [
		(encoded(1, 5, &[0; 5], &[1; 5]), too_many(5, 10)),
		(encoded(1, 2, &[0], &[1, 1]), too_many(2, 3)),
		(encoded(1, u32::MAX, &[], &[]), too_many(u32::MAX, 0)),
		(encoded(0, 1, &[0], &[1]), scale(1, 0)),
		(encoded(1, 0, &[], &[]), scale(0, 1)),
		(encoded(edge + 1, 1, &[0], &[1]), scale(1, edge + 1)),
		(encoded(u64::MAX, 1, &[0], &[1]), scale(1, u64::MAX)),
		(encoded(1, 1, &[4], &[1]), Place(name())),
		(encoded(1, 2, &[1, 2], &[1, 1]), Place(name())),
		(encoded(1, 1, &[u32::MAX], &[1]), Place(name())),
		(encoded(1, 1, &[0], &[0]), steps(0, 1)),
		(encoded(1, 1, &[0], &[least]), steps(least, 1)),
		(encoded(edge, 1, &[0], &[127]), steps(127, MAX_UNITS / 127 + 1)),
		(encoded(0, 0, &[7], &[]), Trailing(1)),
		(vec![0; max_bytes(&weights) + 2], Trailing(2)),
	] {
		assert_eq!(decode(&bytes, &weights), Err(refused), "{bytes:?}");
	}
	// Cut in the scale, in the count, in a gap; and a scale that is written too long.
	for bytes in [vec![], vec![1], vec![4, 2], vec![4, 4, 1], vec![4, 4, 3, 0], vec![1, 0, 4, 0, 1]]
	{
		let refused = decode(&bytes, &weights).unwrap_err();
		assert!(matches!(refused, Malformed { .. } | TooManyKept { .. }), "{bytes:?}: {refused}");
	}
}

#[test]
fn tensors_follow_each_other() {
	let two = GridState([change(&[1, 2]).0, change(&[-300]).0, change(&[]).0].concat());
	let compressed = compress(&two, &zeros(&two), MILLION).unwrap();
	let pieces =
		[encoded(1, 2, &[0, 0], &[1, 2]), encoded(3, 1, &[0], &[-100]), encoded(0, 0, &[], &[])];
	assert_eq!(compressed.bytes, pieces.concat());
	assert_eq!(decode(&compressed.bytes, &weights(&two)), Ok(two));
	assert_eq!(compressed.kept, 3);
}

/// Changes of two tensors, most of them small.
fn changes(largest: i64) -> impl Strategy<Value = GridState> {
	let element = prop_oneof![4 => -100..=100i64, 1 => -largest..=largest];
	(vec(element.clone(), 0..40), vec(element, 6)).prop_map(|(first, second)| {
		let first = GridTensor::new(vec![first.len()], first).unwrap();
		let second = GridTensor::new(vec![2, 3], second).unwrap();
		GridState(vec![("a".into(), first), ("b".into(), second)])
	})
}

proptest! {
	#[test]
	fn nothing_is_lost(change in changes(MAX_UNITS), keep in 1..=MILLION) {
		let compressed = compress(&change, &zeros(&change), keep).unwrap();
		let decoded = decode(&compressed.bytes, &weights(&change)).unwrap();
		prop_assert_eq!(&decoded, &compressed.change);
		prop_assert!(compressed.bytes.len() <= max_bytes(&weights(&change)));
		let mut kept = 0;
		for (place, (_, tensor)) in change.0.iter().enumerate() {
			let (sent, left) = (&decoded.0[place].1, &compressed.residual.0[place].1);
			for (index, wanted) in tensor.units().iter().enumerate() {
				prop_assert_eq!(sent.units()[index] + left.units()[index], *wanted);
				kept += usize::from(sent.units()[index] != 0);
			}
		}
		prop_assert_eq!(compressed.kept, kept);
	}

	#[test]
	fn rounding_is_off_by_half_a_step_at_most(change in changes(1 << 30)) {
		let compressed = compress(&change, &zeros(&change), MILLION).unwrap();
		for ((_, tensor), (_, left)) in change.0.iter().zip(&compressed.residual.0) {
			let largest = tensor.units().iter().map(|units| units.abs()).max().unwrap_or(0);
			let step = largest.unsigned_abs().div_ceil(127);
			prop_assert!(left.units().iter().all(|left| 2 * left.unsigned_abs() <= step));
		}
	}

	#[test]
	fn everything_arrives_in_the_end(change in changes(1_000)) {
		let still = zeros(&change);
		let (mut sum, mut residual) = (weights(&still), change.clone());
		for _ in 0..200 {
			let compressed = compress(&still, &residual, 100_000).unwrap();
			for ((_, total), (_, sent)) in sum.0.iter_mut().zip(&compressed.change.to_state().0) {
				for (total, sent) in total.data_mut().iter_mut().zip(sent.data()) {
					*total += sent;
				}
			}
			residual = compressed.residual;
		}
		prop_assert_eq!(residual, still);
		prop_assert_eq!(sum, weights(&change));
	}

	#[test]
	fn damaged_bytes_are_read_or_refused(
		change in changes(1 << 30),
		edits in vec((any::<Index>(), any::<u8>()), 1..8),
		cut in proptest::option::of(any::<Index>()),
	) {
		let mut bytes = compress(&change, &zeros(&change), MILLION).unwrap().bytes;
		for (place, byte) in edits {
			let place = place.index(bytes.len());
			bytes[place] = byte;
		}
		if let Some(cut) = cut {
			bytes.truncate(cut.index(bytes.len()));
		}
		if let Ok(decoded) = decode(&bytes, &weights(&change)) {
			prop_assert!(decoded.same_shapes(&change));
		}
	}

	#[test]
	fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..40), elements in 0usize..20) {
		let change = change(&vec![0; elements]);
		if let Ok(decoded) = decode(&bytes, &weights(&change)) {
			prop_assert!(decoded.same_shapes(&change));
		}
	}
}
