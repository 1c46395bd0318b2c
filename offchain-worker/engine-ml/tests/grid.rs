//! The grid: rounding, distances, digests and the bytes of a change.

#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*};
use sp_crypto_hashing::blake2_256;
use tequio_engine_ml::{
	grid::{
		from_units, grid_digest, state_digest, to_units, GridError, GridState, GridTensor,
		MAX_UNITS, UNITS_PER_ONE,
	},
	safetensors::{write_state, Dtype, SafetensorsError},
	tensor::{State, Tensor},
};

/// One unit.
const UNIT: f64 = 1.0 / 1_048_576.0;

fn doubles(name: &str, elements: &[f64]) -> State {
	let tensor = Tensor::new(vec![elements.len()], elements.to_vec()).unwrap();
	State(vec![(name.into(), tensor)])
}

fn units(name: &str, elements: &[i64]) -> GridState {
	let tensor = GridTensor::new(vec![elements.len()], elements.to_vec()).unwrap();
	GridState(vec![(name.into(), tensor)])
}

/// Two tensors, one at the edge of the grid.
fn change() -> GridState {
	let weight = GridTensor::new(vec![2, 2], vec![1, -2, 0, MAX_UNITS]).unwrap();
	let bias = GridTensor::new(vec![1], vec![7]).unwrap();
	GridState(vec![("0.weight".into(), weight), ("0.bias".into(), bias)])
}

fn hex(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_unit_is_two_to_the_minus_twenty() {
	assert_eq!(UNITS_PER_ONE, 1_048_576);
	assert_eq!(to_units(1.0), Some(1_048_576));
	assert_eq!(to_units(-0.5), Some(-524_288));
	assert_eq!(from_units(-3), -3.0 * UNIT);
}

#[test]
fn ties_go_to_the_even_unit() {
	for (halves, units) in [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2), (-5, -2)] {
		assert_eq!(to_units(f64::from(halves) * UNIT / 2.0), Some(units), "{halves} halves");
	}
	let above = f64::from_bits((UNIT / 2.0).to_bits() + 1);
	let below = f64::from_bits((UNIT / 2.0).to_bits() - 1);
	assert_eq!((to_units(above), to_units(below)), (Some(1), Some(0)));
}

#[test]
fn the_grid_has_an_edge() {
	assert_eq!(to_units(1_048_576.0), Some(MAX_UNITS));
	assert_eq!(to_units(-1_048_576.0), Some(-MAX_UNITS));
	assert_eq!(to_units(1_048_576.0 + UNIT), None);
	for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -1e7] {
		assert_eq!(to_units(odd), None, "{odd}");
		let refused = GridError::OutOfRange { name: "w".into(), index: 1 };
		assert_eq!(GridState::round(&doubles("w", &[0.0, odd])), Err(refused));
	}
	assert_eq!(GridTensor::new(vec![1], vec![MAX_UNITS + 1]), None);
	assert_eq!(GridTensor::new(vec![1], vec![i64::MIN]), None);
	assert_eq!(GridTensor::new(vec![2], vec![0]), None);
	assert_eq!(GridTensor::new(vec![usize::MAX, 2], vec![]), None);
}

#[test]
fn distance_is_where_two_are_furthest_apart() {
	let one = units("w", &[5, -5]);
	assert_eq!(one.distance(&one), Some(0));
	assert_eq!(one.distance(&units("w", &[4, -4])), Some(1));
	assert_eq!(one.distance(&units("w", &[5, -3])), Some(2));
	assert_eq!(one.distance(&units("w", &[5, 5])), Some(10));
	let (low, high) = (units("w", &[-MAX_UNITS]), units("w", &[MAX_UNITS]));
	assert_eq!(low.distance(&high), Some(1 << 41));
	assert_eq!(GridState::default().distance(&GridState::default()), Some(0));
	let column = GridTensor::new(vec![2, 1], vec![5, -5]).unwrap();
	let column = GridState(vec![("w".into(), column)]);
	for other in [units("v", &[5, -5]), units("w", &[5]), GridState::default(), column] {
		assert_eq!(one.distance(&other), None);
		assert_eq!(other.distance(&one), None);
	}
}

/// Computed with Python's `hashlib.blake2b` from the definition.
#[test]
fn digests_are_those_of_the_definition() {
	let expected = "365917a8805a21f8dca0c236b620ce300d44a1cc35a8a1a60084a9df6be1b4f0";
	assert_eq!(hex(&grid_digest(&change())), expected);
	let expected = "41e040ae176aba8928454cb1d5efd3cb1c5bddd74918f8257906fcab88af562f";
	assert_eq!(hex(&state_digest(&doubles("w", &[1.5, -0.25]))), expected);
	let nothing = [&b"tequio-state\x01"[..], &[0; 8]].concat();
	assert_eq!(grid_digest(&GridState::default()), blake2_256(&nothing));
}

#[test]
fn digests_tell_names_shapes_order_and_kinds_apart() {
	let flat = |name: &str, elements: &[i64]| units(name, elements).0;
	let row = GridTensor::new(vec![1, 2], vec![1, 2]).unwrap();
	let states = [
		flat("a", &[1, 2]),
		flat("b", &[1, 2]),
		flat("a", &[2, 1]),
		vec![("a".into(), row)],
		[flat("a", &[1]), flat("a", &[2])].concat(),
		[flat("a", &[1]), flat("b", &[2])].concat(),
		[flat("b", &[2]), flat("a", &[1])].concat(),
		[flat("a", &[1, 2]), flat("", &[])].concat(),
	];
	let mut digests: Vec<_> =
		states.into_iter().map(|tensors| grid_digest(&GridState(tensors))).collect();
	let zeros = [state_digest(&doubles("a", &[0.0])), state_digest(&doubles("a", &[-0.0]))];
	digests.extend(zeros);
	digests.push(grid_digest(&units("a", &[0])));
	let number = digests.len();
	digests.sort_unstable();
	digests.dedup();
	assert_eq!(digests.len(), number);
}

#[test]
fn a_change_is_read_as_it_was_written() {
	let weights = change().to_state();
	let bytes = change().write().unwrap();
	assert_eq!(GridState::read(&bytes, bytes.len(), &weights), Ok(change()));
	assert!(GridState::zeros_like(&weights).fits(&weights));
	assert_eq!(GridState::zeros_like(&weights).to_state(), weights.zeros_like());
}

#[test]
fn read_should_fail_when_it_is_no_change_of_the_model() {
	let weights = change().to_state();
	let read = |bytes: &[u8]| GridState::read(bytes, usize::MAX, &weights).unwrap_err();
	assert_eq!(read(&units("0.weight", &[1]).write().unwrap()), GridError::OtherShapes);
	assert_eq!(read(&GridState::default().write().unwrap()), GridError::OtherShapes);
	let refused =
		SafetensorsError::WrongDtype { name: "0.weight".into(), dtype: Dtype::F64, wanted: "I64" };
	assert_eq!(read(&write_state(&weights).unwrap()), GridError::Safetensors(refused));
	assert_eq!(read(&[]), GridError::Safetensors(SafetensorsError::NoLength(0)));

	// The last eight bytes are the bias.
	let mut bytes = change().write().unwrap();
	let place = bytes.len() - 8;
	bytes[place..].copy_from_slice(&(MAX_UNITS + 1).to_le_bytes());
	assert_eq!(read(&bytes), GridError::OutOfRange { name: "0.bias".into(), index: 0 });
}

proptest! {
	#[test]
	fn what_lies_on_the_grid_stays(elements in vec(-MAX_UNITS..=MAX_UNITS, 0..20)) {
		let state = units("w", &elements);
		prop_assert_eq!(GridState::round(&state.to_state()), Ok(state));
	}

	#[test]
	fn rounding_moves_by_half_a_unit_at_most(elements in vec(-1e6..1e6f64, 1..20)) {
		let state = doubles("w", &elements);
		let rounded = GridState::round(&state).unwrap().to_state();
		for (element, rounded) in elements.iter().zip(rounded.0[0].1.data()) {
			prop_assert!((element - rounded).abs() <= UNIT / 2.0);
		}
	}

	#[test]
	fn noise_below_a_unit_moves_results_by_one_at_most(
		pairs in vec((-1e3..1e3f64, -UNIT..UNIT), 1..20),
	) {
		let clean: Vec<_> = pairs.iter().map(|(element, _)| *element).collect();
		let noisy: Vec<_> = pairs.iter().map(|(element, noise)| element + noise / 2.0).collect();
		let clean = GridState::round(&doubles("w", &clean)).unwrap();
		let noisy = GridState::round(&doubles("w", &noisy)).unwrap();
		prop_assert!(clean.distance(&noisy).unwrap() <= 1);
	}
}
