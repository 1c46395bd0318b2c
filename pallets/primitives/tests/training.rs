//! Counts of evaluations: what is read, added up and compared.

use codec::Encode;
use proptest::prelude::*;
use sp_runtime::Permill;
use tequio_primitives::{
	recompute::{Output, MAX_SHOWN},
	training::{Counts, DIVERGED},
};

fn counts(right: u64, rows: u64, loss: u64) -> Counts {
	Counts { right, rows, loss }
}

#[test]
fn what_says_that_a_run_diverged_is_shown_and_counts_nothing() {
	assert!(DIVERGED.len() <= MAX_SHOWN as usize);
	assert_eq!(Output::of(DIVERGED).shown.as_slice(), DIVERGED);
	assert_eq!(Counts::read(DIVERGED), None);
}

#[test]
fn counts_are_read_only_from_24_bytes_that_can_be_counts() {
	let bytes = counts(3, 4, 5).encode();
	assert_eq!(bytes.len(), 24);
	assert_eq!(Counts::read(&bytes), Some(counts(3, 4, 5)));
	assert_eq!(Counts::read(&bytes[..23]), None);
	assert_eq!(Counts::read(&[bytes, vec![0]].concat()), None);
	assert_eq!(Counts::read(&[]), None);
	assert_eq!(Counts::read(&counts(5, 4, 0).encode()), None);
	assert_eq!(Counts::read(&counts(4, 4, 0).encode()), Some(counts(4, 4, 0)));
}

#[test]
fn a_higher_accuracy_beats_whatever_the_loss_and_the_rows() {
	assert!(counts(9, 10, 900).beats(&counts(80, 100, 1)));
	assert!(!counts(80, 100, 1).beats(&counts(9, 10, 900)));
}

#[test]
fn at_the_same_accuracy_the_lower_mean_loss_beats() {
	// A mean of two against one of three.
	assert!(counts(5, 10, 20).beats(&counts(50, 100, 300)));
	assert!(!counts(50, 100, 300).beats(&counts(5, 10, 20)));
	assert!(!counts(5, 10, 20).beats(&counts(50, 100, 200)));
}

#[test]
fn no_rows_beat_nothing_and_reach_nothing() {
	let (none, some) = (counts(0, 0, 0), counts(0, 1, 9));
	assert!(some.beats(&none) && !none.beats(&some) && !none.beats(&none));
	assert!(!none.reaches(Permill::zero()));
	assert!(some.reaches(Permill::zero()));
}

#[test]
fn a_target_is_reached_exactly_at_its_share() {
	let target = Permill::from_percent(75);
	assert!(counts(3, 4, 0).reaches(target));
	assert!(!counts(749_999, 1_000_000, 0).reaches(target));
	assert!(counts(u64::MAX, u64::MAX, 0).reaches(Permill::one()));
	assert!(!counts(u64::MAX - 1, u64::MAX, 0).reaches(Permill::one()));
}

#[test]
fn sums_saturate() {
	let most = counts(u64::MAX, u64::MAX, u64::MAX);
	assert_eq!(most.plus(counts(1, 1, 1)), most);
	assert_eq!(counts(1, 2, 3).plus(counts(10, 20, 30)), counts(11, 22, 33));
}

prop_compose! {
	/// Counts of a few rows, among which many are as good as others.
	fn few()(rows in 0u64..5)(right in 0..=rows, rows in Just(rows), loss in 0u64..5) -> Counts {
		counts(right, rows, loss)
	}
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn what_is_written_is_read(right in any::<u64>(), more in any::<u64>(), loss in any::<u64>()) {
		let written = counts(right, right.saturating_add(more), loss);
		prop_assert_eq!(Counts::read(&written.encode()), Some(written));
	}

	#[test]
	fn never_do_two_beat_each_other(one in few(), other in few()) {
		prop_assert!(!(one.beats(&other) && other.beats(&one)));
		prop_assert!(!one.beats(&one));
	}

	#[test]
	fn who_beats_who_beats_beats(one in few(), two in few(), three in few()) {
		if one.beats(&two) && two.beats(&three) {
			prop_assert!(one.beats(&three));
		}
	}

	#[test]
	fn who_beats_who_reaches_a_target_reaches_it(
		one in few(),
		other in few(),
		target in 0u32..=1_000_000,
	) {
		let target = Permill::from_parts(target);
		if one.beats(&other) && other.reaches(target) {
			prop_assert!(one.reaches(target));
		}
	}
}
