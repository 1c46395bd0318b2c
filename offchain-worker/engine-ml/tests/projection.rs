//! Projections: the signs, the sums and the integers that they become.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use proptest::{array::uniform32, collection::vec, prelude::*};
use sp_crypto_hashing::blake2_256;
use support::signs;
use tequio_engine_ml::{
	projection::{
		canonical, is_by, is_of, project, read, scale_of, seed_of, sums, write, MAX_EXPONENT,
		PROJECTION_BYTES,
	},
	State, Tensor,
};
use tequio_interface::program::{Projection, PROJECTED};

/// The hash of a change's file.
const FILE: [u8; 32] = [7; 32];

/// A change of two tensors, of which the first has up to three elements.
fn change(elements: &[f64]) -> State {
	let (first, second) = elements.split_at(elements.len().min(3));
	let tensor = |part: &[f64]| Tensor::new(vec![part.len()], part.to_vec()).unwrap();
	State(vec![("a".into(), tensor(first)), ("b".into(), tensor(second))])
}

#[test]
fn signs_are_the_published_key_stream() {
	// The first bytes of ChaCha20 with a key and a nonce of zeros (RFC 8439, A.1, number 1).
	let stream = u64::from_le_bytes([0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90]);
	assert_eq!(signs(&[0; 32], 0), stream);
	let found = project(FILE, &change(&[1.0]), 0.0, &[0; 32]).unwrap();
	for (place, number) in found.numbers.into_iter().enumerate() {
		let expected = if (stream >> place) & 1 == 1 { 1 << 30 } else { -(1 << 30) };
		assert_eq!(number, expected, "{place}");
	}
	assert_eq!((found.exponent, found.scale), (-30, 0));
}

#[test]
fn a_seed_is_drawn_from_the_file_of_the_change() {
	let file = blake2_256(b"file");
	let bytes = [b"tequio/projection".as_slice(), &file].concat();
	assert_eq!(seed_of(&file), blake2_256(&bytes));
	assert_ne!(seed_of(&file), seed_of(&[0; 32]));
}

/// Numbers that are all zero but for the first.
fn first(number: f64) -> [f64; PROJECTED] {
	let mut numbers = [0.0; PROJECTED];
	numbers[0] = number;
	numbers
}

/// Exponent, scale and first number.
fn form(number: f64, scale: f64) -> (i16, u32, i32) {
	let Projection { change, exponent, scale, numbers } =
		canonical(FILE, &first(number), scale).unwrap();
	assert_eq!(change, FILE);
	assert!(numbers[1..].iter().all(|number| *number == 0));
	(exponent, scale, numbers[0])
}

#[test]
fn numbers_have_the_form_that_a_hand_finds() {
	assert_eq!(form(0.0, 0.0), (0, 0, 0));
	assert_eq!(form(-0.0, -0.0), (0, 0, 0));
	assert_eq!(form(1.0, 0.0), (-30, 0, 1 << 30));
	assert_eq!(form(-1.0, 0.5), (-30, 1 << 29, -(1 << 30)));
	// The scale alone may be what is largest.
	assert_eq!(form(-1.0, 4.0), (-28, 1 << 30, -(1 << 28)));
	// The largest that fits, and one that is rounded up to more.
	let largest = f64::from(i32::MAX);
	assert_eq!(form(largest, 0.0), (0, 0, i32::MAX));
	assert_eq!(form(-largest, 0.0), (0, 0, -i32::MAX));
	assert_eq!(form(largest + 0.25, 0.0), (0, 0, i32::MAX));
	assert_eq!(form(largest + 0.75, 0.0), (1, 0, 1 << 30));
	assert_eq!(form(0.0, largest + 0.75), (1, 1 << 30, 0));
	// Ties go to the even one.
	let one = 1.0 / f64::from(1 << 30);
	assert_eq!(form(2.5 * one, 1.0), (-30, 1 << 30, 2));
	assert_eq!(form(-3.5 * one, 1.0), (-30, 1 << 30, -4));
}

#[test]
fn exponents_are_bounded() {
	assert_eq!(form(f64::MAX, 0.0), (994, 0, 1 << 30));
	assert_eq!(form(-f64::MAX, f64::MAX), (994, 1 << 30, -(1 << 30)));
	assert_eq!(form(f64::MIN_POSITIVE, 0.0), (0, 0, 0));
	let power = |exponent: i32| 2.0_f64.powi(exponent);
	assert_eq!(form(power(-970), 0.0), (-1_000, 0, 1 << 30));
	assert_eq!(form(power(-971), 0.0), (-1_000, 0, 1 << 29));
	assert_eq!(form(power(-1_000), 0.0), (-MAX_EXPONENT, 0, 1));
	// What is all zero has one form, however it came to that.
	assert_eq!(form(power(-1_001), 0.0), (0, 0, 0));
	assert_eq!(form(f64::from_bits(1), f64::from_bits(1)), (0, 0, 0));
}

#[test]
fn what_is_no_number_has_no_form() {
	for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
		assert_eq!(canonical(FILE, &first(wrong), 1.0), None);
		assert_eq!(canonical(FILE, &first(1.0), wrong), None);
	}
	assert_eq!(canonical(FILE, &first(1.0), -1.0), None);
	assert_eq!(project(FILE, &change(&[f64::MAX, f64::MAX]), 0.0, &[0; 32]), None);
}

#[test]
fn no_change_projects_to_nothing() {
	let nothing = Projection { change: FILE, exponent: 0, scale: 0, numbers: [0; PROJECTED] };
	assert_eq!(project(FILE, &change(&[0.0; 5]), 0.0, &[9; 32]), Some(nothing.clone()));
	assert_eq!(project(FILE, &State::default(), 0.0, &[9; 32]), Some(nothing));
}

/// A change, and its projection by its own seed with a scale.
fn projected(elements: &[f64], scale: f64) -> (State, Projection) {
	let change = change(elements);
	let projection = project(FILE, &change, scale, &seed_of(&FILE)).unwrap();
	(change, projection)
}

#[test]
fn a_projection_is_that_of_its_change_alone() {
	let (change, sound) = projected(&[0.5, -0.1, 0.3, 2e-7], 0.7);
	assert!(is_of(&sound, &change));
	let forged = |forge: fn(&mut Projection)| {
		let mut forged = sound.clone();
		forge(&mut forged);
		forged
	};
	assert!(!is_of(&forged(|one| one.change = [8; 32]), &change), "the seed is another");
	assert!(!is_of(&forged(|one| one.numbers[0] += 1), &change));
	assert!(!is_of(&forged(|one| one.numbers[63] -= 1), &change));
	assert!(!is_of(&sound, &projected(&[0.5, -0.1, 0.3, 3e-7], 0.7).0));
	// The projection by another seed than its own.
	let other = project(FILE, &change, 0.7, &[9; 32]).unwrap();
	assert!(!is_of(&other, &change));
	assert!(is_by(&other, &change, &[9; 32]) && !is_by(&other, &change, &[8; 32]));
	assert!(is_by(&sound, &change, &seed_of(&FILE)) && !is_by(&sound, &change, &[9; 32]));
}

#[test]
fn a_projection_says_its_scale() {
	for scale in [0.0, 0.7, 1e-200, 1e200] {
		let (_, found) = projected(&[0.0], scale);
		let said = scale_of(&found).unwrap();
		assert!((said - scale).abs() <= scale * 2.0_f64.powi(-30), "{said} {scale}");
	}
	let (_, found) = projected(&[1.0], 1.0);
	assert_eq!(scale_of(&Projection { exponent: MAX_EXPONENT + 1, ..found }), None);
}

#[test]
fn a_projection_has_the_one_form() {
	let (change, sound) = projected(&[0.5, -0.1, 0.3, 2e-7], 0.1);
	// The file does not say the scale, so that one may be another, as long as it is not the largest.
	assert!(is_of(&Projection { scale: sound.scale + 1, ..sound.clone() }, &change));
	let halved = Projection {
		exponent: sound.exponent + 1,
		scale: sound.scale / 2,
		numbers: sound.numbers.map(|number| number / 2),
		..sound.clone()
	};
	assert!(!is_of(&halved, &change));
	for scale in [1 << 31, u32::MAX] {
		assert!(!is_of(&Projection { scale, ..sound.clone() }, &change), "{scale}");
	}
	for exponent in [i16::MIN, -1_001, -1_000, 0, 1_000, 1_001, i16::MAX] {
		assert!(!is_of(&Projection { exponent, ..sound.clone() }, &change), "{exponent}");
	}
	let (still, nothing) = projected(&[0.0; 4], 0.0);
	assert!(is_of(&nothing, &still));
	assert!(!is_of(&Projection { exponent: 1, ..nothing.clone() }, &still));
	assert!(!is_of(&nothing, &change));
	// Beyond all doubles.
	let (large, sound) = projected(&[f64::MAX], 0.0);
	assert!(is_of(&sound, &large));
	assert!(!is_of(&Projection { scale: i32::MAX as u32, ..sound }, &large));
}

#[test]
fn a_projection_is_written_and_read_back() {
	let (_, projection) = projected(&[0.5, -0.1, 0.3], 0.1);
	let bytes = write(&projection);
	assert_eq!((bytes.len(), PROJECTION_BYTES), (294, 294));
	assert_eq!(bytes[..32], FILE);
	assert_eq!(read(&bytes), Ok(projection));
	assert!(read(&bytes[1..]).is_err());
	assert!(read(&[bytes, vec![0]].concat()).is_err());
}

proptest! {
	/// Whoever has the file and what is claimed comes to the same.
	#[test]
	fn honest_projections_hold(
		elements in vec(-1.0..1.0_f64, 0..20),
		scale in 0.0..2.0_f64,
		powers in (-1_100..900_i32, -1_100..900_i32),
	) {
		let power = |exponent: i32| 2.0_f64.powi(exponent / 2) * 2.0_f64.powi(exponent - exponent / 2);
		let elements: Vec<f64> =
			elements.into_iter().map(|element| element * power(powers.0)).collect();
		let (change, sound) = projected(&elements, scale * power(powers.1));
		prop_assert!(is_of(&sound, &change));
	}

	/// Elements of so few bits that no sum is rounded, so that any order and integers find the
	/// same.
	#[test]
	fn sums_are_those_of_a_slow_computation(
		seed in uniform32(any::<u8>()),
		elements in vec(any::<i32>(), 0..40),
	) {
		let doubles: Vec<f64> = elements.iter().map(|units| f64::from(*units) / 1024.0).collect();
		let found = sums(&change(&doubles), &seed);
		for (place, number) in found.into_iter().enumerate() {
			let signed = elements.iter().enumerate().map(|(at, units)| {
				let plus = (signs(&seed, at) >> place) & 1 == 1;
				if plus { i128::from(*units) } else { -i128::from(*units) }
			});
			let sum: i128 = signed.sum();
			prop_assert_eq!(number * 1024.0, sum as f64);
		}
	}

	/// The one form: nothing is larger than it may be, and in half the unit something would be.
	#[test]
	fn the_exponent_is_the_smallest(
		numbers in vec(-1e3..1e3_f64, PROJECTED),
		scale in 0.0..1e3_f64,
		power in -60..60_i32,
	) {
		let factor = 2.0_f64.powi(power);
		let numbers: Vec<f64> = numbers.into_iter().map(|number| number * factor).collect();
		let (numbers, scale) = (<[f64; PROJECTED]>::try_from(numbers).unwrap(), scale * factor);
		let found = canonical(FILE, &numbers, scale).unwrap();
		let units = |number: f64, exponent: i16| {
			(number / 2.0_f64.powi(exponent.into())).round_ties_even()
		};
		for (number, rounded) in numbers.iter().zip(found.numbers) {
			prop_assert_eq!(units(*number, found.exponent), f64::from(rounded));
		}
		prop_assert_eq!(units(scale, found.exponent), f64::from(found.scale));
		prop_assert!(found.scale <= i32::MAX as u32 && !found.numbers.contains(&i32::MIN));
		let all = numbers.iter().map(|number| number.abs()).chain([scale]);
		let largest = all.fold(0.0_f64, f64::max);
		prop_assert!(largest == 0.0 || units(largest, found.exponent - 1) > f64::from(i32::MAX));
	}

	/// The mean square of the numbers' differences is about the square of the distance.
	#[test]
	fn distances_survive(seed in uniform32(any::<u8>()), elements in vec(-1.0..1.0_f64, 30..60)) {
		let change = change(&elements);
		let squares = sums(&change, &seed).into_iter().map(|number| number * number);
		let ratio = squares.sum::<f64>() / PROJECTED as f64 / change.norm().powi(2);
		prop_assert!((0.2..3.0).contains(&ratio), "{}", ratio);
	}
}
