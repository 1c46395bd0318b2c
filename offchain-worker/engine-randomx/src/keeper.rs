//! Caches and dataset: which there are, who builds them, and for which key. Shared by the thread
//! that answers requests, the one that reads them, and those that hash.
//!
//! ```text
//! request ──▶ cache ready? ──no──▶ built now, while nobody hashes
//!                │ yes ◀── built ahead, beside the hashing, for the key that is expected
//!                ▼
//!         light mode ──fast mode wanted──▶ dataset filled by the hashing threads ──▶ fast mode
//! ```

use crate::{
	dataset::{Dataset, DatasetMemory, Filling},
	formers::Formers,
	machine::{Listener, Settings},
	pages::Pages,
	setup::{Phase, Setup},
	shelf::{Found, Reserved, Shelf},
	Cache, Flags, Key, RandomXError,
};
use core::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tequio_interface::engine::Mode;

/// All memory of an engine but the scratchpads.
pub struct Keeper {
	settings: Settings,
	listener: Listener,
	store: Mutex<Store>,
	/// A cache or a dataset has become ready, or was let go; or something new is expected.
	changed: Condvar,
}

/// What there is.
struct Store {
	shelf: Shelf<Cache>,
	dataset: State,
	formers: Formers,
	/// Whose hashes are computed.
	current: Option<Key>,
	/// Whether the threads are between two keys: how they are set up is not worth telling.
	moving: bool,
	/// Whose hashes will probably be asked next.
	expected: Option<Key>,
	scratchpads: Option<Pages>,
	/// The setup that the listener knows.
	told: Option<Setup>,
	closing: bool,
}

/// What the memory for a dataset holds.
enum State {
	/// Light mode has none.
	Unwanted,
	/// It cannot be had.
	Unavailable,
	/// Nothing of use.
	Empty(DatasetMemory),
	/// A part of a dataset.
	Filling(Arc<Filling>),
	/// A dataset.
	Full(Dataset),
}

/// How to hash under a key.
pub enum Plan {
	/// With the dataset.
	Fast(Dataset),
	/// With the cache.
	Light {
		/// Whether to begin to fill the dataset.
		fill: bool,
	},
}

impl State {
	/// Whose dataset it is or will be.
	fn key(&self) -> Option<&Key> {
		match self {
			Self::Unwanted | Self::Unavailable | Self::Empty(_) => None,
			Self::Filling(filling) => Some(filling.key()),
			Self::Full(dataset) => Some(dataset.key()),
		}
	}

	/// Gives up what the memory holds. The threads have let go of it.
	fn empty(&mut self) {
		let memory = match mem::replace(self, Self::Unavailable) {
			Self::Empty(memory) => Some(memory),
			Self::Filling(filling) => {
				filling.abandon();
				Arc::into_inner(filling).and_then(Filling::into_memory)
			},
			Self::Full(dataset) => dataset.into_memory(),
			none @ (Self::Unwanted | Self::Unavailable) => {
				*self = none;
				return;
			},
		};
		// Nobody else holds it, so that there is never need for a second one.
		*self = memory.map_or(Self::Unavailable, Self::Empty);
	}
}

impl Keeper {
	/// Has no cache. In fast mode it has memory for a dataset, unless that cannot be had.
	pub fn new(settings: Settings, listener: Listener) -> Self {
		let dataset = match settings.mode {
			Mode::Light => State::Unwanted,
			Mode::Fast => {
				DatasetMemory::new(settings.pages).map_or(State::Unavailable, State::Empty)
			},
		};
		let store = Store {
			shelf: Shelf::new(settings.caches),
			dataset,
			formers: Formers::default(),
			current: None,
			moving: false,
			expected: None,
			scratchpads: None,
			told: None,
			closing: false,
		};
		let keeper = Self { settings, listener, store: store.into(), changed: Condvar::new() };
		keeper.tell(&mut keeper.store());
		keeper
	}

	/// How to hash under `key` now.
	pub fn plan(&self, key: &Key) -> Plan {
		let mut store = self.store();
		self.settle(&mut store);
		match &store.dataset {
			State::Full(dataset) if dataset.key() == key => Plan::Fast(dataset.clone()),
			State::Filling(filling) if filling.key() == key => Plan::Light { fill: false },
			State::Unwanted | State::Unavailable => Plan::Light { fill: false },
			_ => Plan::Light { fill: store.formers.deserves(key) },
		}
	}

	/// The threads are about to leave the key that they hash under.
	pub fn leave(&self) {
		self.store().moving = true;
	}

	/// The cache of `key`, if it is ready.
	pub fn ready(&self, key: &Key) -> Option<Arc<Cache>> {
		match self.store().shelf.find(key) {
			Found::Ready(cache) => Some(cache),
			Found::Building | Found::Absent => None,
		}
	}

	/// The cache of `key`: built here, unless somebody else does, whom this waits for. The threads
	/// have let go of all others. `fill`: the dataset will be this key's, too.
	pub fn cache(&self, key: &Key, fill: bool) -> Result<Arc<Cache>, RandomXError> {
		let mut store = self.store();
		store.make_way(key, fill, self.settings.caches.get() == 1);
		let reserved = loop {
			match store.shelf.find(key) {
				Found::Ready(cache) => return Ok(cache),
				Found::Building => {},
				Found::Absent => {
					if let Some(reserved) = store.shelf.reserve(*key) {
						break reserved;
					}
				},
			}
			store = self.changed.wait(store).unwrap_or_else(PoisonError::into_inner);
		};
		drop(store);
		self.build(key, reserved)
	}

	/// Begins to fill the dataset from `cache`, where there is memory for it.
	pub fn begin_filling(&self, cache: &Arc<Cache>) {
		let mut store = self.store();
		if let State::Empty(memory) = mem::replace(&mut store.dataset, State::Unavailable) {
			let filling = Filling::new(memory, cache.clone());
			store.dataset = State::Filling(Arc::new(filling));
			store.formers.regained(cache.key());
		}
	}

	/// The dataset that is being filled.
	pub fn filling(&self) -> Option<Arc<Filling>> {
		match &self.store().dataset {
			State::Filling(filling) => Some(filling.clone()),
			_ => None,
		}
	}

	/// The threads hash under `key` from now on.
	pub fn arrive(&self, key: &Key, scratchpads: Pages) {
		let mut store = self.store();
		(store.current, store.moving) = (Some(*key), false);
		store.scratchpads = Some(scratchpads);
		self.tell(&mut store);
		drop(store);
		// What was read before may give way to what is expected.
		self.changed.notify_all();
	}

	/// So many hashes under `key` were computed in light mode.
	pub fn hashed_light(&self, key: &Key, hashes: u64) {
		self.store().formers.hashed(key, hashes);
	}

	/// A thread has noticed that the dataset is complete, and let go of its cache.
	pub fn filled(&self) {
		let mut store = self.store();
		self.settle(&mut store);
		self.tell(&mut store);
		drop(store);
		self.changed.notify_all();
	}

	/// Waits until the dataset that is being filled is complete.
	pub fn await_dataset(&self) -> Result<Dataset, RandomXError> {
		let mut store = self.store();
		loop {
			self.settle(&mut store);
			match &store.dataset {
				State::Full(dataset) => return Ok(dataset.clone()),
				State::Filling(_) => {},
				_ => return Err(RandomXError::NoDataset),
			}
			store = self.changed.wait(store).unwrap_or_else(PoisonError::into_inner);
		}
	}

	/// Has the cache of `key` built when there is a place for it, beside the hashing.
	pub fn expect(&self, key: Key) {
		self.store().expected = Some(key);
		self.changed.notify_all();
	}

	/// Builds caches for keys that are expected, until the engine ends.
	pub fn build_ahead(&self) {
		let mut store = self.store();
		while !store.closing {
			let Some((key, reserved)) = store.reserve_ahead() else {
				store = self.changed.wait(store).unwrap_or_else(PoisonError::into_inner);
				continue;
			};
			drop(store);
			let built = self.build(&key, reserved).map(drop);
			store = self.store();
			// Whoever waits for a place may have found this one still held here.
			self.changed.notify_all();
			match built {
				Ok(()) => self.tell(&mut store),
				// Another try would end the same way. The request will say why.
				Err(_) => store.expected = store.expected.filter(|expected| *expected != key),
			}
		}
	}

	/// Ends [`Self::build_ahead`].
	pub fn close(&self) {
		self.store().closing = true;
		self.changed.notify_all();
	}

	/// How the engine is set up.
	pub fn setup(&self) -> Setup {
		self.setup_of(&self.store())
	}

	/// Builds a cache on the place that was reserved for it.
	fn build(&self, key: &Key, reserved: Reserved<Cache>) -> Result<Arc<Cache>, RandomXError> {
		let built = match reserved {
			Reserved::Room => Cache::new(self.settings.flags, self.settings.pages, key),
			Reserved::Instead(mut cache) => {
				cache.fill(key);
				Ok(cache)
			},
		};
		let mut store = self.store();
		let cache = match built {
			Ok(cache) => Ok(store.shelf.put(key, cache)),
			Err(e) => {
				store.shelf.cancel(key);
				Err(e)
			},
		};
		drop(store);
		self.changed.notify_all();
		cache
	}

	/// Takes a dataset that was completed from those who filled it.
	fn settle(&self, store: &mut Store) {
		if let State::Filling(filling) = &store.dataset {
			if let Some(dataset) = filling.dataset() {
				store.dataset = State::Full(dataset);
			}
		}
		// With room for one cache, memory is scarce; and fast mode needs none.
		if self.settings.caches.get() == 1 && matches!(store.dataset, State::Full(_)) {
			let needed = store.expected.is_some_and(|key| store.shelf.has(&key));
			if !needed {
				store.shelf.clear();
			}
		}
	}

	/// Tells the listener what has changed.
	fn tell(&self, store: &mut Store) {
		let setup = self.setup_of(store);
		if !store.moving && store.told != Some(setup) {
			(self.listener)(&setup.to_string());
			store.told = Some(setup);
		}
	}

	/// Whether the cache of the key that is expected is ready.
	fn is_ahead(&self, store: &Store) -> bool {
		let expected = store.expected.filter(|key| store.current != Some(*key));
		expected.is_some_and(|key| store.shelf.peek(&key).is_some())
	}

	fn setup_of(&self, store: &Store) -> Setup {
		let Settings { threads, flags, percent, .. } = self.settings;
		let phase = store.phase();
		let cache = store.current.and_then(|key| store.shelf.peek(&key).map(Cache::pages));
		let dataset = match &store.dataset {
			State::Full(dataset) => Some(dataset.pages()),
			_ => None,
		};
		Setup {
			phase,
			threads,
			cache: cache.filter(|_| phase != Phase::Fast),
			dataset: dataset.filter(|_| phase == Phase::Fast),
			scratchpads: store.scratchpads,
			ahead: self.is_ahead(store),
			percent,
			secure: flags.contains(Flags::SECURE),
			interpreted: !flags.contains(Flags::JIT),
		}
	}

	fn store(&self) -> MutexGuard<'_, Store> {
		self.store.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Store {
	/// Takes the dataset's memory from another key, if `key` is to have it, or if it is being filled
	/// from the only cache there is room for.
	fn make_way(&mut self, key: &Key, fill: bool, one_cache: bool) {
		let Some(holder) = self.dataset.key().copied().filter(|holder| holder != key) else {
			return;
		};
		if fill {
			self.formers.lost(holder);
			self.dataset.empty();
		} else if one_cache && matches!(self.dataset, State::Filling(_)) {
			self.dataset.empty();
		}
	}

	/// A place for the cache of the key that is expected, if it needs one and there is one.
	fn reserve_ahead(&mut self) -> Option<(Key, Reserved<Cache>)> {
		let key = self.expected?;
		if self.shelf.has(&key) || self.dataset.key() == Some(&key) {
			return None;
		}
		Some((key, self.shelf.reserve(key)?))
	}

	fn phase(&self) -> Phase {
		match (&self.current, &self.dataset) {
			(None, _) => Phase::Waiting,
			(Some(_), State::Unwanted) => Phase::Light,
			(Some(_), State::Unavailable) => Phase::NoRoom,
			(Some(key), State::Full(dataset)) if dataset.key() == key => Phase::Fast,
			(Some(key), State::Filling(filling)) if filling.key() == key => Phase::Filling,
			(Some(_), _) => Phase::Former,
		}
	}
}
