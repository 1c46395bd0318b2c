//! Bytes that an engine asks for, and bytes that it yields, while it computes one request.
//!
//! What it asks for is read, handed over and forgotten, one blob after the other. What it yields is
//! held until the result is there: nothing is stored for a request that comes to nothing.

use super::EngineError;
use crate::store::Store;
use sp_crypto_hashing::blake2_256;
use std::{io::Write, mem};
use tequio_interface::{
	engine::{ToEngine, MAX_BLOBS, MAX_PART},
	wire::{write_frame, FrameError},
};
use tracing::warn;

/// Bytes that an engine gets at once, at most, however many it asks for.
const MAX_GIVEN: u64 = 256 << 20;
/// Bytes that the outputs of a request may have together: they are held until its result is there.
const MAX_YIELDED: usize = 256 << 20;
/// Times that an engine may ask in one request: an index and what it names of each of 64 shards,
/// and room for what comes before them.
const MAX_FETCHES: u32 = 256;

/// What an engine may ask for and yield.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
	/// Nothing.
	None,
	/// It may yield outputs, which are dropped: the request is none of a node.
	Trial,
	/// What is in this store. Its outputs are put there.
	Of(&'a dyn Store),
}

/// What went to and fro for one request. Whatever an engine may not do is
/// [`EngineError::OffTopic`].
#[derive(Debug)]
pub struct Exchange<'a> {
	data: Data<'a>,
	request: u64,
	fetches: u32,
	/// Outputs that are whole, [`MAX_BLOBS`] at most.
	outputs: Vec<Vec<u8>>,
	/// The output that has begun, as far as it has come; empty between outputs.
	begun: Vec<u8>,
	/// Bytes of all of them.
	yielded: usize,
	fault: Option<String>,
}

impl<'a> Exchange<'a> {
	/// Nothing yet. `request`: its id.
	pub fn new(request: u64, data: Data<'a>) -> Self {
		let (outputs, begun) = (Vec::new(), Vec::new());
		Self { data, request, fetches: 0, outputs, begun, yielded: 0, fault: None }
	}

	/// The engine asks for the bytes with this hash, of which it takes `most`: they are written `to`
	/// it, or that they are not to be had.
	pub fn give(
		&mut self,
		to: &mut impl Write,
		id: u64,
		hash: [u8; 32],
		most: u64,
	) -> Result<(), EngineError> {
		self.fetches = self.fetches.saturating_add(1);
		let Data::Of(store) = self.data else { return Err(EngineError::OffTopic) };
		if id != self.request || self.fetches > MAX_FETCHES {
			return Err(EngineError::OffTopic);
		}
		match store.get(&hash, most.min(MAX_GIVEN)) {
			Ok(bytes) => write_parts(to, hash, &bytes)?,
			Err(e) => {
				warn!("an engine does not get what it asks for: {e}");
				if e.is_fault() {
					self.fault = Some(e.to_string());
				}
				write_frame(to, &ToEngine::Missing { hash })?;
			},
		}
		Ok(())
	}

	/// The engine yields a piece of an output. The `last` one ends it; the next piece begins another.
	pub fn take(&mut self, id: u64, bytes: &[u8], last: bool) -> Result<(), EngineError> {
		let yielded = self.yielded.saturating_add(bytes.len());
		let is_too_long = bytes.len() > MAX_PART || yielded > MAX_YIELDED;
		let is_nothing = bytes.is_empty() && !last;
		let is_unasked = id != self.request || matches!(self.data, Data::None);
		if is_too_long || is_nothing || is_unasked || self.outputs.len() >= MAX_BLOBS {
			return Err(EngineError::OffTopic);
		}
		self.yielded = yielded;
		self.begun.extend_from_slice(bytes);
		if last {
			self.outputs.push(mem::take(&mut self.begun));
		}
		Ok(())
	}

	/// The request is computed, and its result names one of the outputs: all of them are put into the
	/// store, if there is one. Where that fails, the result stands all the same unless the outputs are
	/// wanted.
	pub fn keep(&mut self, named: Option<[u8; 32]>, is_wanted: bool) -> Result<(), EngineError> {
		let Data::Of(store) = self.data else { return Ok(()) };
		// Of several, the last one is short and names the others.
		let is_named = self.outputs.iter().rev().any(|output| named == Some(blake2_256(output)));
		if !self.begun.is_empty() || !is_named {
			return Err(EngineError::OffTopic);
		}
		for output in self.outputs.drain(..) {
			if let Err(e) = store.put(&output) {
				warn!("an output is not kept: {e}");
				if is_wanted {
					self.fault = Some(e.to_string());
				}
			}
		}
		Ok(())
	}

	/// What the store failed at. The engine is not to blame for what came of it.
	pub fn into_fault(self) -> Option<String> {
		self.fault
	}
}

/// Writes bytes in as many pieces as they take: at least one.
fn write_parts(to: &mut impl Write, hash: [u8; 32], bytes: &[u8]) -> Result<(), FrameError> {
	let mut parts = bytes.chunks(MAX_PART).peekable();
	loop {
		let bytes = parts.next().unwrap_or_default().to_vec();
		let last = parts.peek().is_none();
		write_frame(to, &ToEngine::Part { hash, bytes, last })?;
		if last {
			return Ok(());
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::store::{Folder, StoreError};
	use std::{fs, io::ErrorKind, os::unix::fs::MetadataExt};
	use tequio_interface::wire::read_frame;

	const ID: u64 = 5;

	/// A disk that fails.
	#[derive(Debug)]
	struct Broken;

	impl Store for Broken {
		fn get(&self, _: &[u8; 32], _: u64) -> Result<Vec<u8>, StoreError> {
			Err(StoreError::Io { path: "broken".into(), error: ErrorKind::Other.into() })
		}

		fn put(&self, _: &[u8]) -> Result<[u8; 32], StoreError> {
			self.get(&[0; 32], 0).map(|_| [0; 32])
		}
	}

	fn heard(pipe: &[u8]) -> Vec<ToEngine> {
		let mut rest = pipe;
		let mut messages = Vec::new();
		while !rest.is_empty() {
			messages.push(read_frame(&mut rest).unwrap());
		}
		messages
	}

	fn is_off_topic(said: Result<(), EngineError>) -> bool {
		matches!(said, Err(EngineError::OffTopic))
	}

	#[test]
	fn an_engine_gets_what_it_asks_for_in_parts() {
		let dir = tempfile::tempdir().unwrap();
		let folder = Folder::open(dir.path()).unwrap();
		for length in [0, 1, MAX_PART, MAX_PART + 1, 3 * MAX_PART] {
			let whole = vec![7; length];
			let hash = folder.put(&whole).unwrap();
			let (mut exchange, mut pipe) = (Exchange::new(ID, Data::Of(&folder)), Vec::new());
			exchange.give(&mut pipe, ID, hash, u64::MAX).unwrap();
			let messages = heard(&pipe);
			assert_eq!(messages.len(), length.div_ceil(MAX_PART).max(1));
			let mut got = Vec::new();
			for (number, message) in messages.iter().enumerate() {
				let ToEngine::Part { hash: of, bytes, last } = message else { panic!("no part") };
				assert_eq!((*of, *last), (hash, number + 1 == messages.len()));
				got.extend_from_slice(bytes);
			}
			assert_eq!(got, whole);
			assert_eq!(exchange.into_fault(), None);
		}
	}

	#[test]
	fn what_is_not_to_be_had_is_missing() {
		let dir = tempfile::tempdir().unwrap();
		let folder = Folder::open(dir.path()).unwrap();
		let hash = folder.put(b"four").unwrap();
		let (mut exchange, mut pipe) = (Exchange::new(ID, Data::Of(&folder)), Vec::new());
		exchange.give(&mut pipe, ID, hash, 3).unwrap();
		exchange.give(&mut pipe, ID, [1; 32], 3).unwrap();
		let missing = |hash| ToEngine::Missing { hash };
		assert_eq!(heard(&pipe), vec![missing(hash), missing([1; 32])]);
		assert_eq!(exchange.into_fault(), None);
	}

	#[test]
	fn the_fault_of_a_store_is_not_that_of_the_engine() {
		let (mut exchange, mut pipe) = (Exchange::new(ID, Data::Of(&Broken)), Vec::new());
		exchange.give(&mut pipe, ID, [1; 32], 3).unwrap();
		assert_eq!(heard(&pipe), vec![ToEngine::Missing { hash: [1; 32] }]);
		assert!(exchange.into_fault().unwrap().contains("broken"));

		let mut exchange = Exchange::new(ID, Data::Of(&Broken));
		exchange.take(ID, b"output", true).unwrap();
		exchange.keep(Some(blake2_256(b"output")), true).unwrap();
		assert!(exchange.into_fault().is_some());

		// Of those who check, nobody wants it.
		let mut exchange = Exchange::new(ID, Data::Of(&Broken));
		exchange.take(ID, b"output", true).unwrap();
		exchange.keep(Some(blake2_256(b"output")), false).unwrap();
		assert!(exchange.into_fault().is_none());
	}

	#[test]
	fn an_output_is_kept_once_its_result_names_it() {
		let dir = tempfile::tempdir().unwrap();
		let folder = Folder::open(dir.path()).unwrap();
		let hash = blake2_256(b"output");
		let mut exchange = Exchange::new(ID, Data::Of(&folder));
		exchange.take(ID, b"out", false).unwrap();
		assert!(is_off_topic(exchange.keep(Some(blake2_256(b"out")), true)));
		exchange.take(ID, b"put", true).unwrap();
		for other in [None, Some([0; 32]), Some(blake2_256(b"out"))] {
			assert!(is_off_topic(exchange.keep(other, true)));
		}
		assert!(folder.get(&hash, 6).is_err());
		exchange.keep(Some(hash), true).unwrap();
		assert_eq!(folder.get(&hash, 6).unwrap(), b"output");
	}

	/// Yields an output in two parts.
	fn yield_whole(exchange: &mut Exchange, output: &[u8]) {
		let (head, tail) = output.split_at(output.len() / 2);
		if !head.is_empty() {
			exchange.take(ID, head, false).unwrap();
		}
		exchange.take(ID, tail, true).unwrap();
	}

	#[test]
	fn all_outputs_are_kept_whichever_is_named() {
		let outputs = [&b"payload"[..], b"residual", b"", b"index"];
		for named in outputs {
			let dir = tempfile::tempdir().unwrap();
			let folder = Folder::open(dir.path()).unwrap();
			let mut exchange = Exchange::new(ID, Data::Of(&folder));
			outputs.iter().for_each(|output| yield_whole(&mut exchange, output));
			// They are outputs of their own, not pieces of one.
			let all = blake2_256(&outputs.concat());
			assert!(is_off_topic(exchange.keep(Some(all), true)));
			exchange.keep(Some(blake2_256(named)), true).unwrap();
			for output in outputs {
				assert_eq!(folder.get(&blake2_256(output), 8).unwrap(), output);
			}
			assert!(folder.get(&all, u64::MAX).is_err());
			assert_eq!(exchange.into_fault(), None);
		}
	}

	#[test]
	fn an_output_that_is_there_is_not_written_again() {
		let dir = tempfile::tempdir().unwrap();
		let folder = Folder::open(dir.path()).unwrap();
		let hash = folder.put(b"payload").unwrap();
		let file = dir.path().join(hex::encode(hash));
		// A file that is written takes the place of the old one.
		let place = || fs::metadata(&file).unwrap().ino();
		let before = place();
		let mut exchange = Exchange::new(ID, Data::Of(&folder));
		for output in [&b"payload"[..], b"index"] {
			yield_whole(&mut exchange, output);
		}
		exchange.keep(Some(blake2_256(b"index")), true).unwrap();
		assert_eq!(place(), before);
	}

	#[test]
	fn an_output_without_an_end_is_off_topic() {
		let dir = tempfile::tempdir().unwrap();
		let folder = Folder::open(dir.path()).unwrap();
		let mut exchange = Exchange::new(ID, Data::Of(&folder));
		assert!(is_off_topic(exchange.keep(Some(blake2_256(b"")), true)));
		exchange.take(ID, b"whole", true).unwrap();
		exchange.take(ID, b"half", false).unwrap();
		assert!(is_off_topic(exchange.keep(Some(blake2_256(b"whole")), true)));
		assert!(folder.get(&blake2_256(b"whole"), 5).is_err());
	}

	#[test]
	fn outputs_are_counted() {
		let mut exchange = Exchange::new(ID, Data::Trial);
		for _ in 0..MAX_BLOBS {
			yield_whole(&mut exchange, b"output");
		}
		assert!(is_off_topic(exchange.take(ID, b"x", false)));
		assert!(is_off_topic(exchange.take(ID, b"", true)));
	}

	#[test]
	fn whatever_an_engine_may_not_do_is_off_topic() {
		let dir = tempfile::tempdir().unwrap();
		let folder = Folder::open(dir.path()).unwrap();
		let mut pipe = Vec::new();
		let mut none = Exchange::new(ID, Data::None);
		assert!(is_off_topic(none.give(&mut pipe, ID, [0; 32], 1)));
		assert!(is_off_topic(none.take(ID, b"x", true)));
		let mut trial = Exchange::new(ID, Data::Trial);
		assert!(is_off_topic(trial.give(&mut pipe, ID, [0; 32], 1)));
		trial.take(ID, b"x", true).unwrap();
		trial.keep(None, true).unwrap();

		let mut exchange = Exchange::new(ID, Data::Of(&folder));
		assert!(is_off_topic(exchange.give(&mut pipe, ID + 1, [0; 32], 1)));
		assert!(is_off_topic(exchange.take(ID + 1, b"x", true)));
		assert!(is_off_topic(exchange.take(ID, b"", false)));
		assert!(is_off_topic(exchange.take(ID, &vec![0; MAX_PART + 1], true)));
		assert!(pipe.is_empty());
		// One was off topic already.
		for _ in 1..MAX_FETCHES {
			exchange.give(&mut pipe, ID, [0; 32], 1).unwrap();
		}
		assert!(is_off_topic(exchange.give(&mut pipe, ID, [0; 32], 1)));
	}

	#[test]
	fn outputs_are_bounded_together() {
		let mut exchange = Exchange::new(ID, Data::Trial);
		let part = vec![0; MAX_PART];
		let parts = MAX_YIELDED / MAX_PART;
		for number in 1..=parts {
			exchange.take(ID, &part, number == parts / 2).unwrap();
		}
		assert!(is_off_topic(exchange.take(ID, b"x", true)));
		exchange.take(ID, b"", true).unwrap();
		assert!(is_off_topic(exchange.take(ID, b"x", true)));
	}
}
