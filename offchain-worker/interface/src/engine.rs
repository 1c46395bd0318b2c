//! Messages between the worker process and an engine, over the engine's standard input and output.
//!
//! Frames are those of [`crate::wire`]. An engine says once that it is [`FromEngine::Ready`], then
//! answers each request with one message of the same id, in the order of the requests. At any time
//! it may say how it is set up ([`FromEngine::Setup`]). It ends when its input ends. There is no
//! message to stop: whoever wants an engine to stop kills its process, which loses nothing but time.
//!
//! An engine has neither files nor network. What a request names by hash it asks for
//! ([`FromEngine::Fetch`]), one blob at a time and only while it computes that request. The worker
//! sends the bytes in order and in parts of at most [`MAX_PART`], the last of them marked
//! ([`ToEngine::Part`]), or says that there are none ([`ToEngine::Missing`]); it does not vouch for
//! them. What a request makes comes back in parts as well ([`FromEngine::Output`]), right before the
//! answer: one blob or several, at most [`MAX_BLOBS`], and 256 MiB together. The result names the
//! `blake2_256` hash of one of them, its output; the others are what the output names.
//!
//! The worker starts an engine as `tequio-engine-CLASS --mode MODE --threads N --caches N`, with
//! `--cpu-percent P` where its owner wants less than all of the processors, and `--class CLASS`
//! where the program computes several classes. An engine writes nothing but frames to its standard
//! output; what it writes to its standard error ends up in the worker's log.

use codec::{Decode, Encode};
use std::{fmt, str::FromStr};

/// To an engine.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ToEngine {
	/// Compute this.
	#[codec(index = 0)]
	Run {
		/// Names the request; the answer repeats it.
		id: u64,
		/// Parameters, in the class's own encoding: [`crate::job::MAX_PAYLOAD`] bytes at most.
		payload: Vec<u8>,
	},
	/// This will probably be asked next: make ready what it needs, beside the present request. No
	/// answer; what cannot be used is ignored.
	#[codec(index = 1)]
	Expect {
		/// Parameters of the coming request.
		payload: Vec<u8>,
	},
	/// A piece of what was fetched; the pieces come in order.
	#[codec(index = 2)]
	Part {
		/// What was asked for.
		hash: [u8; 32],
		/// The next bytes of it: 1 to [`MAX_PART`], or none in the last part.
		bytes: Vec<u8>,
		/// Whether that is all.
		last: bool,
	},
	/// What the engine wants to fetch is not to be had, or is longer than it takes.
	#[codec(index = 3)]
	Missing {
		/// What was asked for.
		hash: [u8; 32],
	},
}

/// From an engine.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum FromEngine {
	/// The first message: the engine takes requests.
	#[codec(index = 0)]
	Ready {
		/// The work class that it computes, by its number on the chain.
		class: u16,
	},
	/// The request is computed.
	#[codec(index = 1)]
	Done {
		/// The request.
		id: u64,
		/// Result, in the class's own encoding: [`crate::job::MAX_RESULT`] bytes at most.
		result: Vec<u8>,
	},
	/// The payload asks for something that cannot be computed; another try would end the same way.
	#[codec(index = 2)]
	Refused {
		/// The request.
		id: u64,
		/// What is wrong with it, for a log.
		reason: String,
	},
	/// How the engine is set up now, for its owner. Not an answer.
	#[codec(index = 3)]
	Setup {
		/// One line, such as `fast, 2 threads, dataset on transparent huge pages`: [`MAX_SETUP`]
		/// bytes at most.
		about: String,
	},
	/// The request needs these bytes. Not an answer to it.
	#[codec(index = 4)]
	Fetch {
		/// The request.
		id: u64,
		/// The `blake2_256` hash of the bytes.
		hash: [u8; 32],
		/// Bytes that there may be, at most.
		most: u64,
	},
	/// A piece of a blob that the request has made; the pieces come in order, before the answer, and
	/// so do the blobs. After the last piece of one the next message begins another.
	#[codec(index = 5)]
	Output {
		/// The request.
		id: u64,
		/// The next bytes of the blob: 1 to [`MAX_PART`], or none in the last part.
		bytes: Vec<u8>,
		/// Whether that is all of the blob.
		last: bool,
	},
}

/// Bytes that an engine may say about its setup.
pub const MAX_SETUP: usize = 1024;
/// Bytes of a blob that one message carries: half a frame.
pub const MAX_PART: usize = 128 << 10;
/// Blobs that an engine may hand over for one request.
pub const MAX_BLOBS: usize = 4;

/// How much memory an engine may trade for speed. The results are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
	/// Little memory. RandomX: 256 MiB, and some 30 hashes a second and core.
	#[default]
	Light,
	/// Much memory. RandomX: 2 336 MiB while it starts, 2 080 MiB later, and some 300 hashes a
	/// second and core.
	Fast,
}

impl fmt::Display for Mode {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(match self {
			Self::Light => "light",
			Self::Fast => "fast",
		})
	}
}

/// The name of a mode is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the modes are `light` and `fast`")]
pub struct UnknownMode;

impl FromStr for Mode {
	type Err = UnknownMode;

	fn from_str(name: &str) -> Result<Self, UnknownMode> {
		match name {
			"light" => Ok(Self::Light),
			"fast" => Ok(Self::Fast),
			_ => Err(UnknownMode),
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::wire::{read_frame, write_frame};

	#[test]
	fn messages_survive_the_pipe() {
		let said = [
			FromEngine::Ready { class: 0 },
			FromEngine::Done { id: 7, result: vec![1, 2, 3] },
			FromEngine::Refused { id: 8, reason: "the range is empty".into() },
			FromEngine::Fetch { id: 9, hash: [4; 32], most: 1 << 28 },
			FromEngine::Output { id: 9, bytes: vec![], last: true },
		];
		let mut pipe = Vec::new();
		for message in &said {
			write_frame(&mut pipe, message).unwrap();
		}
		let mut rest = pipe.as_slice();
		for message in said {
			assert_eq!(read_frame::<FromEngine>(&mut rest).unwrap(), message);
		}
	}

	#[test]
	fn the_largest_parts_fit_into_frames() {
		let bytes = vec![7; MAX_PART];
		let mut pipe = Vec::new();
		let part = ToEngine::Part { hash: [1; 32], bytes: bytes.clone(), last: false };
		write_frame(&mut pipe, &part).unwrap();
		assert_eq!(read_frame::<ToEngine>(&mut pipe.as_slice()).unwrap(), part);
		pipe.clear();
		let output = FromEngine::Output { id: u64::MAX, bytes, last: true };
		write_frame(&mut pipe, &output).unwrap();
		assert_eq!(read_frame::<FromEngine>(&mut pipe.as_slice()).unwrap(), output);
	}

	#[test]
	fn names_of_modes_are_read_back() {
		for mode in [Mode::Light, Mode::Fast] {
			assert_eq!(mode.to_string().parse::<Mode>(), Ok(mode));
		}
		assert_eq!("slow".parse::<Mode>(), Err(UnknownMode));
	}
}
