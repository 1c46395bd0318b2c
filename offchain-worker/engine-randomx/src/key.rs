//! Keys: what makes a cache, and with it every hash, differ from another's.

use crate::RandomXError;

/// Bytes that a key may have.
pub const MAX_KEY: usize = 60;

/// A key of a length on whose hashes all implementations agree. Monero's is the hash of a block,
/// which it calls seed hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
	bytes: [u8; MAX_KEY],
	length: usize,
}

impl Key {
	/// A key of 1 to [`MAX_KEY`] bytes.
	pub fn new(key: &[u8]) -> Result<Self, RandomXError> {
		let length = key.len();
		if !(1..=MAX_KEY).contains(&length) {
			return Err(RandomXError::KeyLength(length));
		}
		let mut bytes = [0; MAX_KEY];
		bytes[..length].copy_from_slice(key);
		Ok(Self { bytes, length })
	}

	/// The key.
	pub fn as_bytes(&self) -> &[u8] {
		&self.bytes[..self.length]
	}
}

impl From<[u8; 32]> for Key {
	fn from(seed: [u8; 32]) -> Self {
		let mut bytes = [0; MAX_KEY];
		bytes[..seed.len()].copy_from_slice(&seed);
		Self { bytes, length: seed.len() }
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn keys_without_an_agreed_hash_are_refused() {
		for length in [0, MAX_KEY + 1] {
			assert_eq!(Key::new(&vec![0; length]), Err(RandomXError::KeyLength(length)));
		}
		let longest = [7; MAX_KEY];
		assert_eq!(Key::new(&longest).unwrap().as_bytes(), longest);
	}

	#[test]
	fn keys_of_zeros_differ_by_their_length() {
		assert_ne!(Key::new(&[0]).unwrap(), Key::new(&[0; 2]).unwrap());
		assert_eq!(Key::new(&[3; 32]).unwrap(), Key::from([3; 32]));
	}
}
