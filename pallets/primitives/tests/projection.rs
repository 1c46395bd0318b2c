//! Projections: their one form, and what is near.

use proptest::prelude::*;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use tequio_primitives::projection::{seed_of, Projection, PROJECTED};

/// The scale of most projections here, and the least that the largest number of one may be.
const SCALE: u32 = 1 << 30;
/// How far apart all numbers may be beside [`SCALE`]: a ten-thousandth of it.
const BAND: i32 = 107_374;
/// An exponent so high that the grid is of no account.
const COARSE: i16 = 0;

/// All numbers alike.
fn flat(exponent: i16, scale: u32, number: i32) -> Projection {
	let change = H256::repeat_byte(7);
	Projection { change, exponent, scale, numbers: [number; PROJECTED] }
}

/// Zeros.
fn nothing() -> Projection {
	Projection::nothing(H256::repeat_byte(7))
}

/// The same but for one number.
fn with(projection: &Projection, place: usize, number: i32) -> Projection {
	let mut changed = projection.clone();
	changed.numbers[place] = number;
	changed
}

fn near(one: &Projection, other: &Projection) -> bool {
	assert_eq!(one.is_near(other), other.is_near(one), "{one:?} and {other:?}");
	one.is_near(other)
}

#[test]
fn a_seed_is_the_hash_of_the_domain_and_the_file() {
	let output = H256::repeat_byte(7);
	let bytes = [&b"tequio/projection"[..], &[7; 32]].concat();
	assert_eq!(bytes.len(), 17 + 32);
	assert_eq!(seed_of(&output), H256(blake2_256(&bytes)));
	assert_ne!(seed_of(&output), seed_of(&H256::repeat_byte(8)));
}

#[test]
fn numbers_are_near_up_to_a_ten_thousandth_of_the_scale() {
	let own = flat(COARSE, SCALE, 0);
	for (number, expected) in [(0, true), (BAND, true), (BAND + 1, false), (i32::MAX, false)] {
		for number in [number, -number] {
			assert_eq!(near(&own, &flat(COARSE, SCALE, number)), expected, "{number}");
		}
	}
	// One number may be as far away as all of them together: eight times, since 64 is its square.
	assert!(near(&own, &with(&own, 5, 8 * BAND)));
	assert!(!near(&own, &with(&own, 5, 8 * (BAND + 1))));
	// It is the difference that counts, not where the numbers are.
	let (high, low) = (flat(COARSE, SCALE, 1_000_000_000), flat(COARSE, SCALE, -1_000_000_000));
	assert!(near(&high, &flat(COARSE, SCALE, 1_000_000_000 - BAND)));
	assert!(!near(&high, &low));
}

#[test]
fn the_band_is_as_wide_as_the_scale_of_whoever_judges() {
	let judge = flat(COARSE, 2 * SCALE - 1, 0);
	assert!(near(&judge, &flat(COARSE, 2 * SCALE - 1, 2 * BAND)));
	assert!(!near(&judge, &flat(COARSE, 2 * SCALE - 1, 2 * BAND + 2)));
}

#[test]
fn scales_have_to_agree_as_well() {
	let own = flat(COARSE, SCALE, 0);
	let band = BAND.unsigned_abs();
	for (scale, expected) in [
		(SCALE + band, true),
		(SCALE + band + 100, false),
		(SCALE - band + 100, true),
		(SCALE - band - 100, false),
		(SCALE / 2, false),
		(2 * SCALE - 1, false),
	] {
		assert_eq!(near(&own, &flat(COARSE, scale, 0)), expected, "{scale}");
	}
}

#[test]
fn who_has_not_computed_is_near_nobody_whatever_scale_is_claimed() {
	let honest = flat(-25, SCALE, 77_000_000);
	assert!(honest.is_well_formed());
	for exponent in [-1_000, -60, -26, -25, -24, 0, 7, 1_000] {
		for scale in [SCALE, 2 * SCALE - 1] {
			let blind = flat(exponent, scale, 0);
			assert!(blind.is_well_formed());
			assert!(!blind.is_near(&honest) && !honest.is_near(&blind), "{exponent}: {scale}");
		}
	}
	assert!(!nothing().is_near(&honest) && !honest.is_near(&nothing()));
}

#[test]
fn less_than_a_unit_of_the_grid_is_no_difference() {
	// In units of 2⁻³⁰ a unit of the grid is 1024.
	let nothing = flat(-30, 0, 0);
	assert!(near(&nothing, &flat(-30, 0, 1_024)));
	assert!(!near(&nothing, &flat(-30, 0, 1_025)));
	assert!(near(&nothing, &with(&nothing, 63, 8 * 1_024)));
	assert!(!near(&nothing, &with(&nothing, 63, 8 * 1_024 + 1)));
	assert!(near(&nothing, &flat(-30, 1_024, 0)));
	assert!(!nothing.is_near(&flat(-30, 1_025, 0)));
	// In units of the grid it is 1, and above that nothing.
	assert!(near(&flat(-20, 0, 5), &flat(-20, 0, 6)));
	assert!(!near(&flat(-20, 0, 5), &flat(-20, 0, 7)));
	for exponent in [-17, -16, 0, 1_000] {
		assert!(near(&flat(exponent, 0, 5), &flat(exponent, 0, 5)));
		assert!(!near(&flat(exponent, 0, 5), &flat(exponent, 0, 6)), "{exponent}");
	}
	// Far below it everything is near.
	assert!(near(&flat(-200, SCALE, i32::MAX), &flat(-100, SCALE, i32::MIN)));
}

#[test]
fn numbers_are_compared_in_the_larger_unit() {
	let fine = flat(-1, 2 * SCALE - 2, 2_000_000_000);
	assert!(near(&fine, &flat(0, SCALE - 1, 1_000_000_000)));
	assert!(near(&fine, &flat(0, SCALE - 1, 1_000_000_000 + BAND / 2)));
	assert!(!near(&fine, &flat(0, SCALE - 1, 1_000_000_000 + 2 * BAND)));
}

#[test]
fn exponents_that_are_far_apart_are_never_near() {
	let own = flat(COARSE, SCALE, 0);
	for exponent in [-1_000, -64, -33, -32, -31, -2, 2, 31, 32, 33, 1_000] {
		assert!(!near(&own, &flat(exponent, SCALE, 0)), "{exponent}");
	}
}

#[test]
fn zeros_are_compared_in_the_units_of_the_other() {
	// All of it is less than 1, and 2¹⁹ units of the grid.
	let half = flat(-31, 0, SCALE as i32);
	assert!(!near(&nothing(), &half));
	assert!(near(&nothing(), &nothing()));
	assert!(near(&nothing(), &flat(-51, 0, SCALE as i32)), "half a unit of the grid");
}

#[test]
fn numbers_have_one_form() {
	let most = i32::MAX.unsigned_abs();
	for (projection, expected) in [
		(nothing(), true),
		(flat(1, 0, 0), false),
		(flat(-1, 0, 0), false),
		(flat(0, SCALE, 0), true),
		(flat(0, SCALE - 1, 0), false),
		(flat(0, SCALE - 1, SCALE as i32), true),
		(flat(0, SCALE - 1, -(SCALE as i32)), true),
		(flat(0, most, i32::MAX), true),
		(flat(0, most + 1, 0), false),
		(flat(0, u32::MAX, 0), false),
		(flat(0, 0, i32::MIN), false),
		(flat(0, 0, -i32::MAX), true),
		(flat(1_000, SCALE, 0), true),
		(flat(1_001, SCALE, 0), false),
		(flat(i16::MAX, SCALE, 0), false),
		(flat(-1_000, SCALE, 0), true),
		(flat(-1_001, SCALE, 0), false),
		(flat(i16::MIN, SCALE, 0), false),
		// At the least exponent numbers are as small as they are.
		(flat(-1_000, 1, 0), true),
		(flat(-1_000, 0, 0), false),
	] {
		assert_eq!(projection.is_well_formed(), expected, "{projection:?}");
	}
}

/// Any projection, well formed or not: as often with extreme numbers as with others.
fn any_projection() -> impl Strategy<Value = Projection> {
	let exponent = prop_oneof![
		any::<i16>(),
		-60i16..60,
		prop::sample::select(vec![i16::MIN, -1_000, 0, 1_000, i16::MAX]),
	];
	let scale = prop_oneof![any::<u32>(), prop::sample::select(vec![0, SCALE, u32::MAX])];
	let number =
		prop_oneof![any::<i32>(), prop::sample::select(vec![i32::MIN, -1, 0, 1, i32::MAX])];
	let numbers = prop::collection::vec(number, PROJECTED);
	(exponent, scale, numbers).prop_map(|(exponent, scale, numbers)| {
		let numbers = core::array::from_fn(|place| numbers[place]);
		Projection { change: H256::repeat_byte(7), exponent, scale, numbers }
	})
}

/// A projection as an engine writes it, of gradients that do not cancel each other altogether.
fn usual_projection() -> impl Strategy<Value = Projection> {
	let numbers = prop::collection::vec(-(1i32 << 29)..1 << 29, PROJECTED);
	(-60i16..60, SCALE..2 * SCALE, numbers).prop_map(|(exponent, scale, numbers)| {
		let numbers = core::array::from_fn(|place| numbers[place]);
		Projection { change: H256::repeat_byte(7), exponent, scale, numbers }
	})
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn everything_is_near_itself(projection in any_projection()) {
		prop_assert!(projection.is_near(&projection));
	}

	/// Whatever is compared, nothing overflows.
	#[test]
	fn extremes_can_be_compared(one in any_projection(), other in any_projection()) {
		let _ = (one.is_well_formed(), one.is_near(&other), other.is_near(&one));
	}

	#[test]
	fn what_is_within_the_band_is_near(
		projection in usual_projection(),
		away in prop::collection::vec(-BAND..=BAND, PROJECTED),
	) {
		prop_assert!(projection.is_well_formed());
		let mut other = projection.clone();
		for (number, away) in other.numbers.iter_mut().zip(away) {
			*number += away;
		}
		prop_assert!(projection.is_near(&other) && other.is_near(&projection));
	}

	#[test]
	fn what_is_twice_outside_the_band_is_not_near(
		projection in usual_projection(),
		minus in prop::collection::vec(any::<bool>(), PROJECTED),
	) {
		prop_assume!(projection.exponent >= -30);
		let mut other = projection.clone();
		for (number, minus) in other.numbers.iter_mut().zip(minus) {
			// The scale is below twice that which the band is of.
			*number += if minus { -4 * BAND } else { 4 * BAND };
		}
		prop_assert!(!projection.is_near(&other) && !other.is_near(&projection));
	}

	/// What one machine rounds into the one unit and another machine into the other one.
	#[test]
	fn the_unit_makes_no_difference(projection in usual_projection(), odd in any::<u32>()) {
		let numbers = projection.numbers.map(|number| number / 2);
		let scale = (projection.scale - odd % 2) / 2;
		let exponent = projection.exponent + 1;
		let coarse = Projection { exponent, scale, numbers, ..projection.clone() };
		prop_assert!(projection.is_near(&coarse) && coarse.is_near(&projection));
	}

	#[test]
	fn scaling_everything_scales_the_band(
		projection in usual_projection(),
		away in -4 * BAND..4 * BAND,
		exponent in 0i16..900,
	) {
		// Above the grid, what is near does not depend on the unit.
		let other = with(&projection, 0, projection.numbers[0] + away);
		let moved = |it: &Projection| Projection { exponent, ..it.clone() };
		let low = moved(&projection).is_near(&moved(&other));
		let high = |it: &Projection| Projection { exponent: exponent + 100, ..it.clone() };
		prop_assert_eq!(low, high(&projection).is_near(&high(&other)));
	}
}
