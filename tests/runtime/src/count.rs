//! Counts the keys that a piece of the runtime reads and writes, by the rules by which weights are
//! counted: each key once; a key that was written first is not read; what every block has at hand
//! anyway is left out; and so is what begins and ends within the piece, because no database ever
//! sees it.

use frame_support::traits::{StorageInfoTrait, WhitelistedStorageKeys};
use sp_core::{
	storage::{ChildInfo, StateVersion},
	Blake2Hasher, H256,
};
use sp_externalities::Externalities;
use sp_state_machine::{
	Backend, BackendTransaction, Ext, InMemoryBackend, IterArgs, OverlayedChanges,
	StateMachineStats, StorageIterator, StorageKey, StorageValue, UsageInfo,
};
use sp_trie::MerkleValue;
use std::{cell::RefCell, collections::BTreeSet, fmt, marker::PhantomData};
use tequio_runtime::AllPalletsWithSystem;

/// The state after a block.
pub type State = InMemoryBackend<Blake2Hasher>;

type Fault = <State as Backend<Blake2Hasher>>::Error;
type Root = Option<MerkleValue<H256>>;

/// Keys that were touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
	/// Read before they were written.
	pub reads: BTreeSet<StorageKey>,
	/// Written or removed.
	pub writes: BTreeSet<StorageKey>,
}

impl Keys {
	/// Those that are not in `other`.
	pub fn beyond(&self, other: &Self) -> Self {
		Self {
			reads: self.reads.difference(&other.reads).cloned().collect(),
			writes: self.writes.difference(&other.writes).cloned().collect(),
		}
	}

	/// How many are read and how many are written.
	pub fn number(&self) -> (u64, u64) {
		(self.reads.len() as u64, self.writes.len() as u64)
	}
}

/// Names each storage item with how many of its keys are read and written.
impl fmt::Display for Keys {
	fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
		for item in AllPalletsWithSystem::storage_info() {
			let of = |keys: &BTreeSet<StorageKey>| {
				keys.iter().filter(|key| key.starts_with(&item.prefix)).count()
			};
			let (reads, writes) = (of(&self.reads), of(&self.writes));
			if reads + writes > 0 {
				let pallet = String::from_utf8_lossy(&item.pallet_name);
				let name = String::from_utf8_lossy(&item.storage_name);
				write!(formatter, "{pallet}.{name} r{reads} w{writes}, ")?;
			}
		}
		Ok(())
	}
}

/// Which keys `act` touches in a state. What it changes is forgotten.
pub fn count<R>(state: &State, act: impl FnOnce(&mut dyn Externalities) -> R) -> (R, Keys) {
	let watched = Watched { state, root: None, reads: Some(RefCell::default()) };
	let mut overlay = OverlayedChanges::default();
	let result = act(&mut Ext::new(&mut overlay, &watched, None));
	let at_hand = at_hand();
	let counts = |key: &StorageKey| !key.starts_with(b":") && !at_hand.contains(key);
	let reads = watched.reads.map(RefCell::into_inner).unwrap_or_default();
	let writes = overlay
		.changes_mut()
		.filter_map(|(key, value)| {
			let lasts = value.value().is_some() || state.exists_storage(key) == Ok(true);
			(lasts && counts(key)).then(|| key.clone())
		})
		.collect();
	(result, Keys { reads: reads.into_iter().filter(counts).collect(), writes })
}

/// Runs `act` on a state without counting. What it changes is forgotten. Where the `root` that it
/// leads to is known, it is not computed: weights account for it with each write.
pub fn replay<R>(
	state: &State,
	root: Option<H256>,
	act: impl FnOnce(&mut dyn Externalities) -> R,
) -> R {
	let watched = Watched { state, root, reads: None };
	act(&mut Ext::new(&mut OverlayedChanges::default(), &watched, None))
}

/// What weights leave out.
fn at_hand() -> BTreeSet<StorageKey> {
	AllPalletsWithSystem::whitelisted_storage_keys()
		.into_iter()
		.map(|tracked| tracked.key)
		.collect()
}

/// A state that notes which keys are read.
#[derive(Debug)]
struct Watched<'a> {
	state: &'a State,
	/// The root afterwards, where it is known.
	root: Option<H256>,
	reads: Option<RefCell<BTreeSet<StorageKey>>>,
}

impl Watched<'_> {
	fn note(&self, key: &[u8]) {
		if let Some(reads) = &self.reads {
			reads.borrow_mut().insert(key.to_vec());
		}
	}
}

impl<'a> Backend<Blake2Hasher> for Watched<'a> {
	type Error = Fault;
	type TrieBackendStorage = <State as Backend<Blake2Hasher>>::TrieBackendStorage;
	type RawIter = WatchedIter<'a>;

	fn storage(&self, key: &[u8]) -> Result<Option<StorageValue>, Fault> {
		self.note(key);
		self.state.storage(key)
	}

	fn storage_hash(&self, key: &[u8]) -> Result<Option<H256>, Fault> {
		self.note(key);
		self.state.storage_hash(key)
	}

	fn closest_merkle_value(&self, key: &[u8]) -> Result<Root, Fault> {
		self.state.closest_merkle_value(key)
	}

	fn child_closest_merkle_value(&self, child: &ChildInfo, key: &[u8]) -> Result<Root, Fault> {
		self.state.child_closest_merkle_value(child, key)
	}

	fn child_storage(&self, child: &ChildInfo, key: &[u8]) -> Result<Option<StorageValue>, Fault> {
		self.state.child_storage(child, key)
	}

	fn child_storage_hash(&self, child: &ChildInfo, key: &[u8]) -> Result<Option<H256>, Fault> {
		self.state.child_storage_hash(child, key)
	}

	fn next_storage_key(&self, key: &[u8]) -> Result<Option<StorageKey>, Fault> {
		let next = self.state.next_storage_key(key)?;
		next.iter().for_each(|key| self.note(key));
		Ok(next)
	}

	fn next_child_storage_key(
		&self,
		child: &ChildInfo,
		key: &[u8],
	) -> Result<Option<StorageKey>, Fault> {
		self.state.next_child_storage_key(child, key)
	}

	fn storage_root<'b>(
		&self,
		delta: impl Iterator<Item = (&'b [u8], Option<&'b [u8]>)>,
		version: StateVersion,
	) -> (H256, BackendTransaction<Blake2Hasher>) {
		match self.root {
			Some(root) => (root, Default::default()),
			None => self.state.storage_root(delta, version),
		}
	}

	fn child_storage_root<'b>(
		&self,
		child: &ChildInfo,
		delta: impl Iterator<Item = (&'b [u8], Option<&'b [u8]>)>,
		version: StateVersion,
	) -> (H256, bool, BackendTransaction<Blake2Hasher>) {
		self.state.child_storage_root(child, delta, version)
	}

	fn raw_iter(&self, args: IterArgs) -> Result<WatchedIter<'a>, Fault> {
		Ok(WatchedIter { keys: self.state.raw_iter(args)?, of: PhantomData })
	}

	fn register_overlay_stats(&self, _: &StateMachineStats) {}

	fn usage_info(&self) -> UsageInfo {
		self.state.usage_info()
	}
}

/// Keys of a state that are looked at one after the other.
struct WatchedIter<'a> {
	keys: <State as Backend<Blake2Hasher>>::RawIter,
	of: PhantomData<&'a State>,
}

impl<'a> StorageIterator<Blake2Hasher> for WatchedIter<'a> {
	type Backend = Watched<'a>;
	type Error = Fault;

	fn next_key(&mut self, backend: &Watched<'a>) -> Option<Result<StorageKey, Fault>> {
		let next = self.keys.next_key(backend.state);
		if let Some(Ok(key)) = &next {
			backend.note(key);
		}
		next
	}

	fn next_pair(
		&mut self,
		backend: &Watched<'a>,
	) -> Option<Result<(StorageKey, StorageValue), Fault>> {
		let next = self.keys.next_pair(backend.state);
		if let Some(Ok((key, _))) = &next {
			backend.note(key);
		}
		next
	}

	fn was_complete(&self) -> bool {
		self.keys.was_complete()
	}
}
