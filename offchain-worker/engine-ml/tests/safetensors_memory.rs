//! What reading files costs in memory, whatever they claim.

#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*, sample::Index};
use std::{
	alloc::{GlobalAlloc, Layout, System},
	cell::Cell,
};
use tequio_engine_ml::{
	safetensors::{write_state, Archive, MAX_HEADER, MAX_TENSORS},
	tensor::{State, Tensor},
};

/// The system's allocator, which counts what the thread asks for.
struct Counting;

thread_local! {
	/// Bytes that this thread has asked for, whether or not it has given them back.
	static ASKED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it is; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		ASKED.with(|asked| asked.set(asked.get().saturating_add(layout.size())));
		// SAFETY: the caller keeps the contract of this very function.
		unsafe { System.alloc(layout) }
	}

	unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
		// SAFETY: the pointer came from `alloc` above, so from the system's allocator.
		unsafe { System.dealloc(pointer, layout) }
	}
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that were asked for while reading a file.
fn asked_by_parsing(bytes: &[u8]) -> usize {
	let before = ASKED.with(Cell::get);
	drop(Archive::parse(bytes, bytes.len()));
	ASKED.with(Cell::get) - before
}

/// What a file may cost: some multiple of its own length, and an error.
fn allowance(bytes: &[u8]) -> usize {
	64 * bytes.len() + 16 * 1024
}

fn file(header: &str) -> Vec<u8> {
	[&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
}

#[test]
fn files_that_claim_a_lot_cost_little() {
	for header in [
		r#"{"a":{"dtype":"F64","shape":[1099511627776],"data_offsets":[0,8796093022208]}}"#,
		r#"{"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}}"#,
		r#"{"a":{"dtype":"F64","shape":[0,9223372036854775807],"data_offsets":[0,0]}}"#,
	] {
		let bytes = file(header);
		assert!(asked_by_parsing(&bytes) <= allowance(&bytes), "{header}");
	}
}

#[test]
fn the_longest_headers_cost_some_multiple_of_themselves() {
	let entry = |place: usize| {
		format!(r#""{place}":{{"dtype":"U8","shape":[1,1,1,1,1,1,1,0],"data_offsets":[0,0]}}"#)
	};
	let entries: Vec<_> = (0..MAX_TENSORS).map(entry).collect();
	let long_shape = format!(
		r#"{{"a":{{"dtype":"U8","shape":[{}1],"data_offsets":[0,1]}}}}"#,
		"1,".repeat(MAX_HEADER / 2 - 64)
	);
	let long_text =
		format!(r#"{{"__metadata__":{{"a":"{}"}}}}"#, "\\n".repeat(MAX_HEADER / 2 - 64));
	for header in [format!("{{{}}}", entries.join(",")), long_shape, long_text] {
		assert!(header.len() <= MAX_HEADER);
		let bytes = file(&header);
		assert!(asked_by_parsing(&bytes) <= allowance(&bytes), "{} bytes", bytes.len());
	}
}

proptest! {
	#[test]
	fn damaged_files_cost_some_multiple_of_their_length(
		elements in vec(-1.0..1.0f64, 0..20),
		edits in vec((any::<Index>(), any::<u8>()), 0..8),
		digits in vec((any::<Index>(), b'0'..=b'9'), 0..8),
	) {
		let tensor = Tensor::new(vec![elements.len()], elements).unwrap();
		let mut bytes = write_state(&State(vec![("w".into(), tensor)])).unwrap();
		for (place, byte) in edits.into_iter().chain(digits) {
			let place = place.index(bytes.len());
			bytes[place] = byte;
		}
		let asked = asked_by_parsing(&bytes);
		prop_assert!(asked <= allowance(&bytes), "{asked} bytes for {}", bytes.len());
	}
}
