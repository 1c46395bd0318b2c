//! The safetensors format: the reference's files, round trips, and bytes that are no files.

#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*, sample::Index};
use tequio_engine_ml::{
	safetensors::{
		read_state, write, write_state, Archive, Dtype, NotFinite, SafetensorsError, Source,
		Values, MAX_DIMENSIONS, MAX_HEADER, MAX_NAME, MAX_TENSORS,
	},
	tensor::{State, Tensor},
};
use SafetensorsError::*;

/// Written by the Python package `safetensors` 0.8 from `a`, 2 × 2 doubles, and `b`, an integer.
const REFERENCE: &[u8] = b"\x70\0\0\0\0\0\0\0\
	{\"b\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]},\
	\"a\":{\"dtype\":\"F64\",\"shape\":[2,2],\"data_offsets\":[8,40]}}  \
	\x07\0\0\0\0\0\0\0\
	\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\x04\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x08\x40";

/// The same, from floats, bytes and a text about the file.
const REFERENCE_WITH_METADATA: &[u8] = b"\x90\0\0\0\0\0\0\0\
	{\"__metadata__\":{\"format\":\"np\"},\
	\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\
	\"y\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]}}      \
	\0\0\xc0\x3f\0\0\0\xc0\x03\0\xff";

/// A file of this header, unpadded, and these elements.
fn file(header: &str, elements: &[u8]) -> Vec<u8> {
	let length = u64::try_from(header.len()).unwrap().to_le_bytes();
	[&length[..], header.as_bytes(), elements].concat()
}

/// A header entry for doubles.
fn listed(name: &str, shape: &str, begin: u64, end: u64) -> String {
	format!(r#""{name}":{{"dtype":"F64","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
}

fn refusal(header: &str, elements: usize) -> SafetensorsError {
	let bytes = file(header, &vec![0; elements]);
	Archive::parse(&bytes, usize::MAX).unwrap_err()
}

fn tensor(shape: &[usize], elements: &[f64]) -> Tensor {
	Tensor::new(shape.to_vec(), elements.to_vec()).unwrap()
}

fn state() -> State {
	State(vec![
		("10.weight".into(), tensor(&[2, 3], &[1.0, -2.5, 0.0, f64::MIN_POSITIVE, 1e300, -1e-300])),
		("2.bias".into(), tensor(&[1], &[0.1])),
		("\"quoted\" µ".into(), tensor(&[], &[7.0])),
		("none".into(), tensor(&[3, 0], &[])),
	])
}

#[test]
fn files_of_the_reference_are_read() {
	let archive = Archive::parse(REFERENCE, REFERENCE.len()).unwrap();
	let names: Vec<_> = archive.entries().iter().map(|entry| entry.name()).collect();
	assert_eq!(names, ["b", "a"]);
	assert_eq!(archive.get("b").unwrap().integers().unwrap(), [7]);
	assert_eq!(
		archive.get("a").unwrap().floats().unwrap(),
		tensor(&[2, 2], &[1.0, -2.5, 0.0, 3.0])
	);
	assert_eq!(archive.get("c"), None);

	let archive = Archive::parse(REFERENCE_WITH_METADATA, usize::MAX).unwrap();
	let (w, y) = (archive.get("w").unwrap(), archive.get("y").unwrap());
	assert_eq!((w.dtype(), y.dtype()), (Dtype::F32, Dtype::U8));
	assert_eq!(w.floats().unwrap(), tensor(&[2], &[1.5, -2.0]));
	assert_eq!(y.integers().unwrap(), [3, 0, 255]);
	assert_eq!(y.shape(), [3]);
}

#[test]
fn files_are_those_that_the_reference_writes() {
	let b = Source { name: "b", shape: &[1], values: Values::I64(&[7]) };
	let a = Source { name: "a", shape: &[2, 2], values: Values::F64(&[1.0, -2.5, 0.0, 3.0]) };
	assert_eq!(write(&[b, a]).unwrap(), REFERENCE);
}

#[test]
fn what_was_written_is_read() {
	let bytes = write_state(&state()).unwrap();
	assert_eq!(read_state(&bytes, bytes.len()).unwrap(), state());
	let nothing = write_state(&State::default()).unwrap();
	assert_eq!(nothing, file("{}      ", &[]));
	assert_eq!(read_state(&nothing, nothing.len()).unwrap(), State::default());
}

#[test]
fn parse_should_fail_when_lengths_lie() {
	let parse = |bytes: &[u8], limit| Archive::parse(bytes, limit).unwrap_err();
	assert_eq!(parse(&[0; 9], 8), TooLong { length: 9, limit: 8 });
	assert_eq!(parse(&[0; 7], 8), NoLength(7));
	assert_eq!(parse(&[255; 8], 8), HeaderTooLong(u64::MAX));
	let longest = u64::try_from(MAX_HEADER).unwrap();
	assert_eq!(parse(&(longest + 1).to_le_bytes(), 8), HeaderTooLong(longest + 1));
	let cut = HeaderCut { claimed: MAX_HEADER, left: 0 };
	assert_eq!(parse(&longest.to_le_bytes(), 8), cut);
	assert!(matches!(parse(&[0; 8], 8), Malformed(_)), "a header of no bytes");
}

#[test]
fn parse_should_fail_when_elements_are_not_where_they_should_be() {
	let name = || "b".to_owned();
	let with = |second: &str| format!("{{{},{second}}}", listed("a", "[2]", 0, 16));
	for (second, refused) in [
		(listed("b", "[1]", 8, 16), OutOfPlace { name: name(), begin: 8, expected: 16 }),
		(listed("b", "[1]", 24, 32), OutOfPlace { name: name(), begin: 24, expected: 16 }),
		(listed("b", "[1]", 0, 8), OutOfPlace { name: name(), begin: 0, expected: 16 }),
		(listed("b", "[1]", 16, 32), WrongSize { name: name(), found: 16, needed: 8 }),
		(listed("b", "[1]", 16, 8), WrongSize { name: name(), found: 0, needed: 8 }),
		(listed("b", "[0]", 16, 8), Cut { name: name(), end: 8, length: 32 }),
		(listed("b", "[3]", 16, 40), Cut { name: name(), end: 40, length: 32 }),
		(listed("b", "[1]", 16, 24), Trailing(8)),
		(listed("a", "[2]", 16, 32), Duplicate("a".into())),
		(listed("b", "[4611686018427387904,4]", 16, 32), Uncountable(name())),
		(listed("b", "[2305843009213693952]", 16, 32), Uncountable(name())),
	] {
		assert_eq!(refusal(&with(&second), 32), refused);
	}
}

#[test]
fn parse_should_fail_when_there_is_too_much() {
	let name = "n".repeat(MAX_NAME);
	let longest = file(&format!("{{{}}}", listed(&name, "[1,1,1,1,1,1,1,1]", 0, 8)), &[0; 8]);
	assert_eq!(Archive::parse(&longest, usize::MAX).unwrap().entries().len(), 1);
	let longer = listed(&format!("{name}n"), "[1]", 0, 8);
	assert_eq!(refusal(&format!("{{{longer}}}"), 8), NameLength(MAX_NAME + 1));
	assert_eq!(refusal(&format!("{{{}}}", listed("", "[1]", 0, 8)), 8), NameLength(0));

	let dimensions = MAX_DIMENSIONS + 1;
	let deep = listed("deep", "[1,1,1,1,1,1,1,1,1]", 0, 8);
	let refused = TooManyDimensions { name: "deep".into(), dimensions };
	assert_eq!(refusal(&format!("{{{deep}}}"), 8), refused);

	let tensors = |number: usize| -> String {
		let entries = (0..number).map(|place| listed(&place.to_string(), "[0]", 0, 0));
		format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
	};
	let most = file(&tensors(MAX_TENSORS), &[]);
	assert_eq!(Archive::parse(&most, usize::MAX).unwrap().entries().len(), MAX_TENSORS);
	assert_eq!(refusal(&tensors(MAX_TENSORS + 1), 0), TooManyTensors(MAX_TENSORS + 1));
}

#[test]
fn parse_should_fail_when_the_header_is_something_else() {
	for header in [
		" {}",
		"[]",
		"{",
		"{}{}",
		r#"{"a":1}"#,
		r#"{"a":{"dtype":"F64","shape":[1]}}"#,
		r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0]}}"#,
		r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8,16]}}"#,
		r#"{"a":{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}}"#,
		r#"{"a":{"dtype":"F64","shape":[1.5],"data_offsets":[0,8]}}"#,
		r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,18446744073709551616]}}"#,
		r#"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8],"more":0}}"#,
		r#"{"__metadata__":{"format":1}}"#,
		r#"{"__metadata__":{},"__metadata__":{}}"#,
	] {
		assert!(matches!(refusal(header, 8), Malformed(_)), "{header}");
	}
	let unknown = UnknownDtype { name: "a".into(), dtype: "BF16".into() };
	let header = r#"{"a":{"dtype":"BF16","shape":[4],"data_offsets":[0,8]}}"#;
	assert_eq!(refusal(header, 8), unknown);
	let long = format!(r#"{{"{}":0}}"#, "x".repeat(10_000));
	assert!(refusal(&long, 0).to_string().len() < 1_000, "errors do not repeat whole headers");
}

#[test]
fn types_are_those_that_are_wanted() {
	let archive = Archive::parse(REFERENCE, usize::MAX).unwrap();
	let refused =
		|name: &str, dtype, wanted| Err::<(), _>(WrongDtype { name: name.into(), dtype, wanted });
	let floats = archive.get("b").unwrap().floats().map(drop);
	assert_eq!(floats, refused("b", Dtype::I64, "F64 or F32"));
	let integers = archive.get("a").unwrap().integers().map(drop);
	assert_eq!(integers, refused("a", Dtype::F64, "I64 or U8"));
	assert_eq!(read_state(REFERENCE, usize::MAX).map(drop), refused("b", Dtype::I64, "F64 or F32"));
}

#[test]
fn what_is_no_number_is_neither_read_nor_written() {
	for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
		let refused = NotFinite { name: "w".into(), index: 1 };
		let bad = State(vec![("w".into(), tensor(&[2], &[0.0, odd]))]);
		assert_eq!(write_state(&bad), Err(refused.clone().into()));
		let elements = [0.0f64.to_le_bytes(), odd.to_le_bytes()].concat();
		let bytes = file(&format!("{{{}}}", listed("w", "[2]", 0, 16)), &elements);
		assert_eq!(read_state(&bytes, usize::MAX), Err(refused.into()));
	}
}

fn source<'a>(name: &'a str, shape: &'a [usize], bytes: &'a [u8]) -> Source<'a> {
	Source { name, shape, values: Values::U8(bytes) }
}

#[test]
fn write_should_fail_when_nobody_could_read_it() {
	let long = "n".repeat(MAX_NAME + 1);
	for (tensors, refused) in [
		(vec![source("a", &[0], &[]), source("a", &[0], &[])], Duplicate("a".into())),
		(vec![source("", &[0], &[])], NameLength(0)),
		(vec![source(&long, &[0], &[])], NameLength(MAX_NAME + 1)),
		(vec![source("__metadata__", &[0], &[])], ReservedName),
		(vec![source("a", &[1; 9], &[0])], TooManyDimensions { name: "a".into(), dimensions: 9 }),
		(vec![source("a", &[2], &[1, 2, 3])], WrongSize { name: "a".into(), found: 3, needed: 2 }),
		(vec![source("a", &[usize::MAX, 2], &[])], Uncountable("a".into())),
	] {
		assert_eq!(write(&tensors), Err(refused));
	}
	let many: Vec<_> = (0..=MAX_TENSORS).map(|place| place.to_string()).collect();
	let many: Vec<_> = many.iter().map(|name| source(name, &[0], &[])).collect();
	assert_eq!(write(&many), Err(TooManyTensors(MAX_TENSORS + 1)));
	// 10,000 entries are 1 MiB where each has more than 100 bytes.
	let wordy: Vec<_> = (0..MAX_TENSORS).map(|place| format!("{place:0100}")).collect();
	let wordy: Vec<_> = wordy.iter().map(|name| source(name, &[0], &[])).collect();
	assert!(matches!(write(&wordy), Err(HeaderTooLong(_))));
}

fn states() -> impl Strategy<Value = State> {
	let sizes = vec(0usize..4, 0..4);
	let tensors = sizes.prop_flat_map(|shape| {
		let elements = shape.iter().product::<usize>();
		vec(-1e9..1e9f64, elements)
			.prop_map(move |elements| Tensor::new(shape.clone(), elements).unwrap())
	});
	vec(tensors, 0..6).prop_map(|tensors| {
		State(
			tensors.into_iter().enumerate().map(|(i, tensor)| (format!("{i}.w"), tensor)).collect(),
		)
	})
}

proptest! {
	#[test]
	fn any_state_is_read_as_it_was_written(state in states()) {
		let bytes = write_state(&state).unwrap();
		prop_assert_eq!(bytes.len() % 8, 0);
		prop_assert_eq!(read_state(&bytes, bytes.len()).unwrap(), state);
	}

	#[test]
	fn damaged_files_are_read_or_refused(
		state in states(),
		edits in vec((any::<Index>(), any::<u8>()), 0..8),
		digits in vec((any::<Index>(), b'0'..=b'9'), 0..8),
		cut in proptest::option::of(any::<Index>()),
	) {
		let mut bytes = write_state(&state).unwrap();
		for (place, byte) in edits.into_iter().chain(digits) {
			let place = place.index(bytes.len());
			bytes[place] = byte;
		}
		if let Some(cut) = cut {
			bytes.truncate(cut.index(bytes.len()));
		}
		if let Ok(read) = read_state(&bytes, bytes.len()) {
			let elements: usize = read.0.iter().map(|(_, tensor)| tensor.len()).sum();
			prop_assert!(elements * 4 <= bytes.len(), "no element without its bytes");
		}
	}

	#[test]
	fn any_header_is_read_or_refused(header in vec(any::<u8>(), 0..64), elements in 0usize..32) {
		let length = (header.len() as u64).to_le_bytes();
		let bytes = [&length[..], header.as_slice(), vec![0; elements].as_slice()].concat();
		let _ = Archive::parse(&bytes, bytes.len());
	}
}
