//! Softmax, cross-entropy and the highest score: known values and properties.
#![allow(clippy::unwrap_used, missing_docs)]

use proptest::{collection::vec, prelude::*};
use std::f64::consts::LN_2;
use tequio_engine_ml::loss::{argmax, cross_entropy, softmax, NoSuchClass};

fn near(found: f64, expected: f64) {
	assert!((found - expected).abs() < 1e-14, "{found} is not {expected}");
}

#[test]
fn cross_entropy_has_its_known_values() {
	let (loss, gradient) = cross_entropy(&[0.0, 0.0], 1).unwrap();
	near(loss, LN_2);
	assert_eq!(gradient, [0.5, -0.5]);
	// ln(1 + e⁻¹ + e⁻²), with the shares e⁻², e⁻¹ and 1 of that sum.
	let (loss, gradient) = cross_entropy(&[1.0, 2.0, 3.0], 2).unwrap();
	near(loss, 0.407_605_964_444_380_4);
	near(gradient[0], 0.090_030_573_170_380_46);
	near(gradient[1], 0.244_728_471_054_797_64);
	near(gradient[2], 0.665_240_955_774_821_8 - 1.0);
}

#[test]
fn scores_far_apart_overflow_nothing() {
	assert_eq!(cross_entropy(&[1000.0, 0.0], 0).unwrap(), (0.0, vec![0.0, 0.0]));
	assert_eq!(cross_entropy(&[1000.0, 0.0], 1).unwrap(), (1000.0, vec![1.0, -1.0]));
	assert_eq!(cross_entropy(&[-1000.0, -1000.0], 0).unwrap().1, [-0.5, 0.5]);
}

#[test]
fn what_is_not_finite_shows_in_the_loss() {
	for wrong in [f64::NAN, f64::INFINITY] {
		assert!(!cross_entropy(&[wrong, 0.0], 1).unwrap().0.is_finite());
		assert!(!cross_entropy(&[0.0, wrong], 1).unwrap().0.is_finite());
	}
}

#[test]
fn cross_entropy_should_fail_when_there_is_no_such_class() {
	assert_eq!(cross_entropy(&[0.0; 3], 3), Err(NoSuchClass { label: 3, classes: 3 }));
	assert_eq!(cross_entropy(&[], 0), Err(NoSuchClass { label: 0, classes: 0 }));
}

#[test]
fn softmax_gives_nothing_to_minus_infinity() {
	let mut scores = [0.0, f64::NEG_INFINITY, 0.0];
	softmax(&mut scores);
	assert_eq!(scores, [0.5, 0.0, 0.5]);
}

#[test]
fn the_lowest_of_equal_classes_wins() {
	assert_eq!(argmax(&[1.0, 3.0, 3.0]), Some(1));
	assert_eq!(argmax(&[-0.0, 0.0]), Some(0));
	assert_eq!(argmax(&[f64::NEG_INFINITY; 2]), Some(0));
	assert_eq!(argmax(&[]), None);
	assert_eq!(argmax(&[1.0, f64::NAN]), None);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn the_gradient_is_that_of_the_loss(logits in vec(-5.0..5.0, 2..6), label in 0_u32..2) {
		let (_, gradient) = cross_entropy(&logits, label).unwrap();
		for (place, slope) in gradient.iter().enumerate() {
			let moved = |by: f64| {
				let mut moved = logits.clone();
				moved[place] += by;
				cross_entropy(&moved, label).unwrap().0
			};
			let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
			prop_assert!((slope - expected).abs() < 1e-8, "{slope} is not {expected}");
		}
	}

	#[test]
	fn losses_are_not_negative_and_gradients_sum_to_zero(
		logits in vec(-800.0..800.0, 2..9),
		label in 0_u32..2,
	) {
		let (loss, gradient) = cross_entropy(&logits, label).unwrap();
		prop_assert!(loss >= 0.0);
		prop_assert!(gradient.iter().sum::<f64>().abs() < 1e-14);
	}
}
