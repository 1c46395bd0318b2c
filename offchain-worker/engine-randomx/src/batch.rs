//! Nonces to hash, handed out one by one to as many threads as there are, so that none waits for
//! another one before the end.

use crate::{search::MAX_SHARES, HASH_BYTES};
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 4;

/// A nonce and its hash.
pub type Hashed = (u32, [u8; HASH_BYTES]);

/// Whether a hash is to be kept.
type Keep = Box<dyn Fn(&[u8; HASH_BYTES]) -> bool + Send + Sync>;

/// Which nonces. Ranges end before 2³².
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nonces {
	/// So many from the first on.
	Range {
		/// First nonce.
		start: u32,
		/// Nonces.
		count: u32,
	},
	/// These.
	These(Vec<u32>),
	/// A range without some.
	Without {
		/// First nonce.
		start: u32,
		/// Nonces, those that are left out included.
		count: u32,
		/// What is left out, ascending.
		left_out: Vec<u32>,
	},
}

/// A template, the nonces to hash it with, and which hashes to keep.
pub struct Batch {
	template: Vec<u8>,
	nonce_offset: usize,
	nonces: Nonces,
	keep: Keep,
	/// The next place among the nonces. Wider than those, so that it cannot wrap.
	next: AtomicU64,
	kept: AtomicUsize,
	stopped: AtomicBool,
}

/// The template with a nonce in it.
pub struct Blob {
	bytes: Vec<u8>,
	nonce_offset: usize,
}

impl Nonces {
	/// Places, some of which may be empty.
	pub fn places(&self) -> u64 {
		match self {
			Self::Range { count, .. } | Self::Without { count, .. } => u64::from(*count),
			Self::These(nonces) => u64::try_from(nonces.len()).unwrap_or(u64::MAX),
		}
	}

	/// The nonce at a place, if there is one.
	fn at(&self, place: u64) -> Option<u32> {
		let in_range = |start: &u32| start.checked_add(u32::try_from(place).ok()?);
		match self {
			Self::Range { start, .. } => in_range(start),
			Self::These(nonces) => nonces.get(usize::try_from(place).ok()?).copied(),
			Self::Without { start, left_out, .. } => {
				in_range(start).filter(|nonce| left_out.binary_search(nonce).is_err())
			},
		}
	}
}

impl Batch {
	/// A batch. A nonce that finds no room in the template is not written: requests are checked
	/// for that.
	pub fn new(
		template: &[u8],
		nonce_offset: u16,
		nonces: Nonces,
		keep: impl Fn(&[u8; HASH_BYTES]) -> bool + Send + Sync + 'static,
	) -> Self {
		Self {
			template: template.to_vec(),
			nonce_offset: nonce_offset.into(),
			nonces,
			keep: Box::new(keep),
			next: AtomicU64::new(0),
			kept: AtomicUsize::new(0),
			stopped: AtomicBool::new(false),
		}
	}

	/// A nonce that nobody has hashed yet. None: that was the last one, or more hashes are kept
	/// than [`MAX_SHARES`], or the batch was stopped.
	pub fn next_nonce(&self) -> Option<u32> {
		while self.kept.load(Ordering::Relaxed) <= MAX_SHARES
			&& !self.stopped.load(Ordering::Relaxed)
		{
			let place = self.next.fetch_add(1, Ordering::Relaxed);
			if place >= self.nonces.places() {
				return None;
			}
			if let Some(nonce) = self.nonces.at(place) {
				return Some(nonce);
			}
		}
		None
	}

	/// Whether this hash is to be kept.
	pub fn keeps(&self, hash: &[u8; HASH_BYTES]) -> bool {
		let kept = (self.keep)(hash);
		if kept {
			self.kept.fetch_add(1, Ordering::Relaxed);
		}
		kept
	}

	/// Hands out no more nonces.
	pub fn stop(&self) {
		self.stopped.store(true, Ordering::Relaxed);
	}

	/// The most hashes that it may take.
	pub fn size(&self) -> u64 {
		self.nonces.places()
	}

	/// Its template, for a thread to write nonces into.
	pub fn blob(&self) -> Blob {
		Blob { bytes: self.template.clone(), nonce_offset: self.nonce_offset }
	}
}

impl Blob {
	/// Writes a nonce into it.
	pub fn set(&mut self, nonce: u32) {
		let end = self.nonce_offset.saturating_add(NONCE_BYTES);
		if let Some(room) = self.bytes.get_mut(self.nonce_offset..end) {
			room.copy_from_slice(&nonce.to_le_bytes());
		}
	}

	/// What is hashed.
	pub fn as_bytes(&self) -> &[u8] {
		&self.bytes
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn handed_out(nonces: Nonces) -> Vec<u32> {
		let batch = Batch::new(&[0; 8], 2, nonces, |_| false);
		std::iter::from_fn(|| batch.next_nonce()).collect()
	}

	#[test]
	fn nonces_are_handed_out_once() {
		assert_eq!(handed_out(Nonces::Range { start: 3, count: 4 }), [3, 4, 5, 6]);
		assert_eq!(handed_out(Nonces::These(vec![9, 1, 5])), [9, 1, 5]);
		let without = Nonces::Without { start: 3, count: 4, left_out: vec![1, 4, 6, 7] };
		assert_eq!(handed_out(without), [3, 5]);
		assert!(handed_out(Nonces::These(vec![])).is_empty());
		let last = Nonces::Range { start: u32::MAX - 1, count: 2 };
		assert_eq!(handed_out(last), [u32::MAX - 1, u32::MAX]);
	}

	#[test]
	fn a_batch_that_was_stopped_ends() {
		let batch = Batch::new(&[], 0, Nonces::Range { start: 0, count: 10 }, |_| true);
		assert_eq!(batch.next_nonce(), Some(0));
		batch.stop();
		assert_eq!(batch.next_nonce(), None);
	}

	#[test]
	fn a_batch_that_keeps_too_much_ends() {
		let batch = Batch::new(&[], 0, Nonces::Range { start: 0, count: u32::MAX }, |_| true);
		while batch.next_nonce().is_some() {
			assert!(batch.keeps(&[0; HASH_BYTES]));
		}
		assert_eq!(batch.kept.load(Ordering::Relaxed), MAX_SHARES + 1);
	}

	#[test]
	fn nonces_are_written_little_endian_where_there_is_room() {
		let blob = |offset| {
			let batch = Batch::new(&[9; 6], offset, Nonces::These(vec![]), |_| true);
			let mut blob = batch.blob();
			blob.set(0x0403_0201);
			blob.as_bytes().to_vec()
		};
		assert_eq!(blob(1), [9, 1, 2, 3, 4, 9]);
		assert_eq!(blob(3), [9; 6]);
		assert_eq!(blob(u16::MAX), [9; 6]);
	}
}
