//! Bytes by their hash. Whoever hands them over is not trusted: every blob is hashed here.

use sp_crypto_hashing::blake2_256;
use tequio_interface::{engine::MAX_PART, wire::FrameError};

/// Where blobs come from.
pub trait Blobs {
	/// The bytes that are said to have this `blake2_256` hash: at most `most` of them.
	fn fetch(&mut self, hash: &[u8; 32], most: u64) -> Result<Vec<u8>, Unavailable>;
}

/// Why the conversation with the worker process ended.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
	/// A frame cannot be read or written.
	#[error(transparent)]
	Frame(#[from] FrameError),
	/// There is a part, or a word that there is none, of something else than was asked for last.
	#[error("bytes come that nobody has asked for")]
	Unasked,
	/// A part is empty and not the last, or too long.
	#[error("a part has {0} bytes; it takes 1 to {MAX_PART}, or none in the last one")]
	PartLength(usize),
	/// The parts go on and on.
	#[error("more than the {0} bytes come that may come at most")]
	TooLong(u64),
	/// There are too many requests while one waits for its bytes.
	#[error("more than {0} requests come while one waits for its bytes")]
	TooManyRequests(usize),
}

/// Why a blob does not come.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
	/// It is not to be had, or longer than asked for.
	#[error("it is not to be had, or longer than asked for")]
	Missing,
	/// Nothing more will come.
	#[error(transparent)]
	Broken(#[from] ConversationError),
}

/// Why there is no blob to compute with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
	/// It is not to be had, or too long.
	#[error("the {what}: not to be had, or longer than {most} bytes")]
	Missing {
		/// What it is.
		what: &'static str,
		/// Bytes that it may have.
		most: u64,
	},
	/// It is something else.
	#[error("the {what}: other bytes than those of this hash")]
	OtherBytes {
		/// What it is.
		what: &'static str,
	},
}

/// Why a checked blob does not come.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
	/// There are no such bytes.
	#[error(transparent)]
	Blob(#[from] BlobError),
	/// Nothing more will come.
	#[error(transparent)]
	Broken(#[from] ConversationError),
}

/// A length as messages count it.
pub(crate) fn wide(length: usize) -> u64 {
	u64::try_from(length).unwrap_or(u64::MAX)
}

/// A blob whose bytes are those of the hash, at most `most` of them; `what` says what it is, for a
/// log.
pub fn fetch(
	blobs: &mut impl Blobs,
	what: &'static str,
	hash: &[u8; 32],
	most: u64,
) -> Result<Vec<u8>, FetchError> {
	let bytes = match blobs.fetch(hash, most) {
		Ok(bytes) => bytes,
		Err(Unavailable::Missing) => return Err(BlobError::Missing { what, most }.into()),
		Err(Unavailable::Broken(error)) => return Err(error.into()),
	};
	let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= most);
	if !fits {
		return Err(BlobError::Missing { what, most }.into());
	}
	if blake2_256(&bytes) != *hash {
		return Err(BlobError::OtherBytes { what }.into());
	}
	Ok(bytes)
}
