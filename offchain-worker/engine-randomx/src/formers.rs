//! Which key the dataset is for. A new key gets it at once, because whoever pays for work under a
//! key pays for much more than its dataset costs. A key that has lost it to another one gets it
//! back only after as much work in light mode as filling it would take: so audits of what was
//! before, which come in between, do not make the engine fill datasets instead of hashing.

use crate::Key;
use std::collections::VecDeque;

/// Hashes in light mode that take as long as filling a dataset.
pub const DATASET_COST: u64 = 2048;
/// Keys that are remembered. The ones before count as new.
const MAX_FORMERS: usize = 8;

/// Keys that have lost the dataset, and what was hashed under them in light mode since.
#[derive(Debug, Default)]
pub struct Formers(VecDeque<(Key, u64)>);

impl Formers {
	/// The key has lost the dataset to another one.
	pub fn lost(&mut self, key: Key) {
		self.regained(&key);
		self.0.truncate(MAX_FORMERS - 1);
		self.0.push_front((key, 0));
	}

	/// So many hashes were computed under the key in light mode.
	pub fn hashed(&mut self, key: &Key, hashes: u64) {
		if let Some((_, sum)) = self.0.iter_mut().find(|(former, _)| former == key) {
			*sum = sum.saturating_add(hashes);
		}
	}

	/// Whether the dataset is to be filled for the key.
	pub fn deserves(&self, key: &Key) -> bool {
		let former = self.0.iter().find(|(former, _)| former == key);
		former.is_none_or(|(_, hashes)| *hashes >= DATASET_COST)
	}

	/// The key has the dataset again.
	pub fn regained(&mut self, key: &Key) {
		self.0.retain(|(former, _)| former != key);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn key(number: u8) -> Key {
		Key::from([number; 32])
	}

	#[test]
	fn a_new_key_deserves_the_dataset_and_a_former_one_by_its_work() {
		let mut formers = Formers::default();
		assert!(formers.deserves(&key(1)));
		formers.lost(key(1));
		assert!(!formers.deserves(&key(1)));
		assert!(formers.deserves(&key(2)));
		formers.hashed(&key(1), DATASET_COST - 1);
		formers.hashed(&key(2), DATASET_COST);
		assert!(!formers.deserves(&key(1)));
		formers.hashed(&key(1), 1);
		assert!(formers.deserves(&key(1)));
		formers.regained(&key(1));
		formers.lost(key(1));
		assert!(!formers.deserves(&key(1)));
	}

	#[test]
	fn few_are_remembered() {
		let mut formers = Formers::default();
		for number in 0..100 {
			formers.lost(key(number));
		}
		assert_eq!(formers.0.len(), MAX_FORMERS);
		assert!(!formers.deserves(&key(99)));
		assert!(formers.deserves(&key(0)));
	}
}
