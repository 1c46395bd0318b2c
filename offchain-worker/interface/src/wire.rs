//! Messages between node and worker process.
//!
//! Each side sends frames: a little-endian `u32` length, then that many bytes of one message in
//! SCALE. A frame above [`MAX_FRAME`] ends the connection, before anything is read or reserved for
//! it, and so does one that has begun and is not whole in time ([`crate::peer`]). Between frames a
//! connection may be idle for ever.
//!
//! The node connects, both say hello, and both go on only if they speak the same [`VERSION`]. A
//! first message that asks for the status instead is answered in any version, and the connection
//! ends. What first messages have in common in all versions is written in [`crate::greeting`].

use crate::job::{Capability, Job, JobKey, JobState};
use codec::{Decode, DecodeAll, Encode};
use std::io::{self, Read, Write};

/// Version of this protocol. Messages of another version are not understood.
pub const VERSION: u16 = 3;
/// Bytes that a frame may have.
pub const MAX_FRAME: usize = 256 * 1024;

/// From the node.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum ToWorker {
	/// The first message.
	#[codec(index = 0)]
	Hello {
		/// [`VERSION`] of the node.
		version: u16,
		/// Genesis hash of the node's chain.
		genesis: [u8; 32],
	},
	/// Compute this, unless its key is known already; answer with its state.
	#[codec(index = 1)]
	Submit(Job),
	/// Forget this job and stop it if it runs.
	#[codec(index = 2)]
	Cancel(JobKey),
	/// Tell how you are: the first and only message of `tequio-worker status`.
	#[codec(index = 3)]
	Status,
}

/// Why a worker process hangs up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
pub enum Refusal {
	/// The versions differ.
	#[codec(index = 0)]
	#[error(
		"the worker speaks version {worker} of the protocol, the node {VERSION}: install the same \
		 release of both"
	)]
	Version {
		/// The worker's version.
		worker: u16,
	},
	/// The journal belongs to another chain.
	#[codec(index = 1)]
	#[error(
		"the worker's journal belongs to another chain: give the worker another --base-path or the \
		 node another --chain"
	)]
	OtherChain,
}

/// From the worker process.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum FromWorker {
	/// The answer to a hello.
	#[codec(index = 0)]
	Hello {
		/// [`VERSION`] of the worker.
		version: u16,
		/// What it can do.
		capabilities: Vec<Capability>,
	},
	/// The answer to a hello that cannot be served.
	#[codec(index = 1)]
	Refused(Refusal),
	/// A job has come to this state.
	#[codec(index = 2)]
	State(JobKey, JobState),
	/// The answer to a question about the status: a JSON object in UTF-8.
	#[codec(index = 3)]
	Status(Vec<u8>),
	/// What it can do has changed since its hello: all of it, as it is now.
	#[codec(index = 4)]
	Capabilities(Vec<Capability>),
}

/// Why a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
	/// The connection failed or ended.
	#[error(transparent)]
	Io(#[from] io::Error),
	/// The other side announces more than [`MAX_FRAME`].
	#[error("a frame of {0} bytes is announced; {MAX_FRAME} is the most")]
	TooLong(usize),
	/// The bytes are not a message.
	#[error("a frame is not a message of this protocol: {0}")]
	Malformed(#[from] codec::Error),
}

/// Writes one message.
pub fn write_frame(to: &mut impl Write, message: &impl Encode) -> Result<(), FrameError> {
	let bytes = message.encode();
	let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= MAX_FRAME);
	let length = length.ok_or(FrameError::TooLong(bytes.len()))?;
	to.write_all(&length.to_le_bytes())?;
	to.write_all(&bytes)?;
	to.flush()?;
	Ok(())
}

/// Reads one message.
pub fn read_frame<M: Decode>(from: &mut impl Read) -> Result<M, FrameError> {
	let mut length = [0; 4];
	from.read_exact(&mut length)?;
	let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
	if length > MAX_FRAME {
		return Err(FrameError::TooLong(length));
	}
	let mut bytes = vec![0; length];
	from.read_exact(&mut bytes)?;
	Ok(M::decode_all(&mut bytes.as_slice())?)
}
