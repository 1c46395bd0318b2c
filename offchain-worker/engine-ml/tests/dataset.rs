//! Shards: what is read, what is refused, and rows by an index list.

#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*, sample};
use tequio_engine_ml::{
	dataset::{DatasetError, Samples, Shard, MAX_CLASSES, MAX_PICKED},
	safetensors::{write, NotFinite, SafetensorsError, Source, Values},
	tensor::Tensor,
};
use DatasetError::*;

/// Three rows of 2 × 2 numbers.
const X: [f64; 12] = [0.0, 0.1, 0.2, 0.3, 1.0, 1.1, 1.2, 1.3, 2.0, 2.1, 2.2, 2.3];

fn file(x_shape: &[usize], x: &[f64], y_shape: &[usize], y: Values<'_>) -> Vec<u8> {
	let x = Source { name: "x", shape: x_shape, values: Values::F64(x) };
	let y = Source { name: "y", shape: y_shape, values: y };
	write(&[x, y]).unwrap()
}

fn read(bytes: &[u8]) -> Result<Shard, DatasetError> {
	Shard::read(bytes, bytes.len(), 3)
}

fn shard() -> Shard {
	read(&file(&[3, 2, 2], &X, &[3], Values::I64(&[2, 0, 1]))).unwrap()
}

#[test]
fn a_shard_is_read() {
	let shard = shard();
	assert_eq!((shard.rows(), shard.classes(), shard.sample_shape()), (3, 3, &[2, 2][..]));
	assert_eq!(shard.samples().x, Tensor::new(vec![3, 2, 2], X.to_vec()).unwrap());
	assert_eq!(shard.samples().y, [2, 0, 1]);
	assert_eq!(read(&file(&[3, 2, 2], &X, &[3], Values::U8(&[2, 0, 1]))).unwrap(), shard);
}

#[test]
fn single_floats_and_the_other_order_are_read() {
	// As the Python package `safetensors` writes them, but for the padding.
	let header = concat!(
		r#"{"y":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"#,
		r#""x":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}"#,
	);
	let elements = [1.5f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat();
	let length = (header.len() as u64).to_le_bytes();
	let bytes = [&length[..], header.as_bytes(), &1i64.to_le_bytes()[..], &elements[..]].concat();
	let samples = Samples { x: Tensor::new(vec![1, 2], vec![1.5, -2.0]).unwrap(), y: vec![1] };
	assert_eq!(read(&bytes).unwrap().samples(), &samples);
}

#[test]
fn rows_are_picked_in_the_order_of_the_list() {
	let picked = shard().pick(&[2, 0, 2]).unwrap();
	let rows = [&X[8..], &X[..4], &X[8..]].concat();
	let expected = Samples { x: Tensor::new(vec![3, 2, 2], rows).unwrap(), y: vec![1, 2, 1] };
	assert_eq!(picked, expected);
}

#[test]
fn pick_should_fail_when_a_row_is_not_there() {
	let shard = shard();
	assert_eq!(shard.pick(&[]), Err(NoIndices));
	assert_eq!(shard.pick(&[2, 3]), Err(Index { place: 1, index: 3, rows: 3 }));
	assert_eq!(shard.check(&[u32::MAX]), Err(Index { place: 0, index: u32::MAX, rows: 3 }));
	assert_eq!(shard.check(&[0, 1, 2]), Ok(()));
}

#[test]
fn pick_should_fail_when_it_is_too_much_at_once() {
	let width = 1 << 16;
	let x = vec![0.0; width];
	let wide = read(&file(&[1, width], &x, &[1], Values::U8(&[0]))).unwrap();
	let rows = MAX_PICKED / width + 1;
	let indices = vec![0; rows];
	assert_eq!(wide.check(&indices), Ok(()));
	assert_eq!(wide.pick(&indices), Err(TooMuch { rows, width }));
}

#[test]
fn read_should_fail_when_shapes_do_not_fit() {
	let y = Values::U8(&[0; 3]);
	for (x_shape, x) in
		[(vec![3], &X[..3]), (vec![], &X[..1]), (vec![3, 0], &X[..0]), (vec![0, 4], &X[..0])]
	{
		assert_eq!(read(&file(&x_shape, x, &[3], y)), Err(RowShape(x_shape)));
	}
	for found in [vec![3, 1], vec![1, 3]] {
		let bytes = file(&[3, 4], &X, &found, y);
		assert_eq!(read(&bytes), Err(LabelShape { found, rows: 3 }));
	}
	let bytes = file(&[4, 3], &X, &[3], y);
	assert_eq!(read(&bytes), Err(LabelShape { found: vec![3], rows: 4 }));
}

#[test]
fn read_should_fail_when_a_label_is_no_class() {
	for label in [3, -1, i64::MAX, i64::MIN] {
		let bytes = file(&[3, 4], &X, &[3], Values::I64(&[0, label, 1]));
		assert_eq!(read(&bytes), Err(Label { row: 1, label, classes: 3 }));
	}
	let bytes = file(&[3, 4], &X, &[3], Values::U8(&[0; 3]));
	for classes in [0, MAX_CLASSES + 1] {
		assert_eq!(Shard::read(&bytes, bytes.len(), classes), Err(Classes(classes)));
	}
}

#[test]
fn read_should_fail_when_tensors_are_others() {
	let numbers = |name| Source { name, shape: &[1, 1], values: Values::F64(&[0.5]) };
	let labels = Source { name: "y", shape: &[1], values: Values::U8(&[0]) };
	for (tensors, refused) in [
		(vec![labels], Missing("x")),
		(vec![numbers("x")], Missing("y")),
		(vec![numbers("x"), labels, numbers("z")], Unexpected("z".into())),
	] {
		assert_eq!(read(&write(&tensors).unwrap()), Err(refused));
	}
	let floats = Source { name: "y", shape: &[1], values: Values::F64(&[0.0]) };
	let bytes = write(&[numbers("x"), floats]).unwrap();
	assert!(matches!(read(&bytes), Err(Safetensors(SafetensorsError::WrongDtype { .. }))));
	let whole = file(&[3, 4], &X, &[3], Values::U8(&[0; 3]));
	let too_long = SafetensorsError::TooLong { length: whole.len(), limit: 8 };
	assert_eq!(Shard::read(&whole, 8, 3), Err(too_long.into()));
}

#[test]
fn read_should_fail_when_a_sample_is_no_number() {
	// The samples are the first elements of the file: the labels after them take three bytes.
	let mut bytes = file(&[3, 4], &X, &[3], Values::U8(&[0; 3]));
	let place = bytes.len() - 3 - 8;
	bytes[place..place + 8].copy_from_slice(&f64::NAN.to_le_bytes());
	assert_eq!(read(&bytes), Err(NotFinite { name: "x".into(), index: 11 }.into()));
}

proptest! {
	#[test]
	fn damaged_shards_are_read_or_refused(edits in vec((any::<sample::Index>(), any::<u8>()), 0..8)) {
		let mut bytes = file(&[3, 4], &X, &[3], Values::U8(&[0, 1, 2]));
		for (place, byte) in edits {
			let place = place.index(bytes.len());
			bytes[place] = byte;
		}
		if let Ok(shard) = read(&bytes) {
			prop_assert!(shard.rows() > 0);
			prop_assert!(shard.samples().y.iter().all(|label| *label < 3));
			prop_assert!(shard.samples().x.data().iter().all(|number| number.is_finite()));
		}
	}
}
