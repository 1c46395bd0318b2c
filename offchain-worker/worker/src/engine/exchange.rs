//! Bytes that an engine asks for, and bytes that it yields, while it computes one request.

use super::EngineError;
use crate::store::Store;
use sp_crypto_hashing::blake2_256;
use std::io::Write;
use tequio_interface::{
	engine::{ToEngine, MAX_PART},
	wire::{write_frame, FrameError},
};
use tracing::warn;

/// Bytes that an engine gets at once, at most, however many it asks for.
const MAX_BLOB: u64 = 256 << 20;
/// Bytes that the output of a request may have.
const MAX_OUTPUT: usize = 256 << 20;
/// Times that an engine may ask in one request.
const MAX_FETCHES: u32 = 64;

/// What an engine may ask for and yield.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
	/// Nothing.
	None,
	/// It may yield an output, which is dropped: the request is none of a node.
	Trial,
	/// What is in this store. Its output is put there.
	Of(&'a dyn Store),
}

/// What went to and fro for one request. Whatever an engine may not do is
/// [`EngineError::OffTopic`].
#[derive(Debug)]
pub struct Exchange<'a> {
	data: Data<'a>,
	request: u64,
	fetches: u32,
	/// The output, as far as it has come.
	output: Vec<u8>,
	is_whole: bool,
	fault: Option<String>,
}

impl<'a> Exchange<'a> {
	/// Nothing yet. `request`: its id.
	pub fn new(request: u64, data: Data<'a>) -> Self {
		Self { data, request, fetches: 0, output: Vec::new(), is_whole: false, fault: None }
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
		match store.get(&hash, most.min(MAX_BLOB)) {
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

	/// The engine yields a piece of its output.
	pub fn take(&mut self, id: u64, bytes: &[u8], last: bool) -> Result<(), EngineError> {
		let length = self.output.len().saturating_add(bytes.len());
		let is_too_long = bytes.len() > MAX_PART || length > MAX_OUTPUT;
		let is_nothing = bytes.is_empty() && !last;
		let is_unasked = id != self.request || matches!(self.data, Data::None);
		if is_too_long || is_nothing || is_unasked || self.is_whole {
			return Err(EngineError::OffTopic);
		}
		self.output.extend_from_slice(bytes);
		self.is_whole = last;
		Ok(())
	}

	/// The request is computed, and its result names this output: it is put into the store, if there
	/// is one. Where that fails, the result stands all the same unless the output `is_wanted`.
	pub fn keep(&mut self, named: Option<[u8; 32]>, is_wanted: bool) -> Result<(), EngineError> {
		let Data::Of(store) = self.data else { return Ok(()) };
		if !self.is_whole || named != Some(blake2_256(&self.output)) {
			return Err(EngineError::OffTopic);
		}
		if let Err(e) = store.put(&self.output) {
			warn!("an output is not kept: {e}");
			if is_wanted {
				self.fault = Some(e.to_string());
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
	use std::io::ErrorKind;
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
		// There is one output.
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
	fn an_output_is_bounded() {
		let mut exchange = Exchange::new(ID, Data::Trial);
		let part = vec![0; MAX_PART];
		for _ in 0..MAX_OUTPUT / MAX_PART {
			exchange.take(ID, &part, false).unwrap();
		}
		assert!(is_off_topic(exchange.take(ID, b"x", true)));
	}
}
