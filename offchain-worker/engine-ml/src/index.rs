//! An index: two blobs named by one. What a round hands on has two parts, and a chunk one output.
//!
//! ```text
//! blake2_256 of the first blob ‖ blake2_256 of the second: 64 bytes
//! ```
//!
//! | index of | first | second |
//! | --- | --- | --- |
//! | a state | the weights: safetensors, F64 | the outer momentum: the same names and shapes |
//! | a compressed change | the payload: [`compress`](mod@crate::compress) | the residual: safetensors, I64 |

use sp_crypto_hashing::blake2_256;

/// Bytes of a hash.
const HASH_BYTES: usize = 32;
/// Bytes of an index.
pub const INDEX_BYTES: usize = 2 * HASH_BYTES;

/// Two blobs, by their `blake2_256` hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
	/// Hash of the first.
	pub first: [u8; HASH_BYTES],
	/// Hash of the second.
	pub second: [u8; HASH_BYTES],
}

/// The bytes are no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an index has {0} bytes; it takes exactly {INDEX_BYTES}: two hashes")]
pub struct NotAnIndex(pub usize);

impl Index {
	/// The index of two blobs.
	pub fn of(first: &[u8], second: &[u8]) -> Self {
		Self { first: blake2_256(first), second: blake2_256(second) }
	}

	/// Reads what [`write`](Self::write) wrote. Any two hashes are an index.
	pub fn read(bytes: &[u8]) -> Result<Self, NotAnIndex> {
		match bytes.as_chunks::<HASH_BYTES>() {
			([first, second], []) => Ok(Self { first: *first, second: *second }),
			_ => Err(NotAnIndex(bytes.len())),
		}
	}

	/// Its bytes, of which there are [`INDEX_BYTES`].
	pub fn write(&self) -> Vec<u8> {
		[self.first, self.second].concat()
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::{collection::vec, prelude::*};

	#[test]
	fn an_index_is_two_hashes() {
		let index = Index::of(b"first", b"second");
		let bytes = [blake2_256(b"first"), blake2_256(b"second")].concat();
		assert_eq!(index.write(), bytes);
		assert_eq!(Index::read(&bytes), Ok(index));
	}

	proptest! {
		#[test]
		fn bytes_of_another_length_are_no_index(bytes in vec(any::<u8>(), 0..200)) {
			match Index::read(&bytes) {
				Ok(index) => prop_assert_eq!(index.write(), bytes),
				Err(NotAnIndex(length)) => {
					prop_assert_eq!(length, bytes.len());
					prop_assert_ne!(length, INDEX_BYTES);
				},
			}
		}
	}
}
