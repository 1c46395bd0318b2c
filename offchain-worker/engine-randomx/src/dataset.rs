//! The dataset of a key: 2 080 MiB that are made from its cache, and that fast mode reads instead.
//!
//! There is one [`DatasetMemory`] in a process. A [`Filling`] has it while threads write items into
//! it, piece by piece and whenever they find time; the one that writes the last piece makes it a
//! [`Dataset`]. Either gives the memory back for the next key once nobody else holds it.

use crate::{
	ffi,
	pages::{self, Pages},
	Cache, Flags, Key, RandomXError,
};
use core::{
	ffi::c_ulong,
	ptr::NonNull,
	sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use std::sync::Arc;

/// Bytes of an item.
const ITEM_BYTES: usize = 64;
/// Items that are written at a time, 1 MiB: it takes about as long as a hash in light mode, and two
/// threads seldom touch one huge page for the first time at once.
const PIECE: usize = 1 << 14;

/// Memory for a dataset.
#[derive(Debug)]
pub struct DatasetMemory {
	raw: NonNull<ffi::RandomXDataset>,
	items: usize,
	pages: Pages,
}

// SAFETY: the structure has no tie to the thread that made it.
unsafe impl Send for DatasetMemory {}
// SAFETY: a `Filling` has threads write to ranges that do not overlap, and nobody reads before all
// of them are written; afterwards the library only reads.
unsafe impl Sync for DatasetMemory {}

impl DatasetMemory {
	/// Allocates it. The kernel lends the memory when it is filled, but for pages of the pool.
	pub fn new(wanted: Option<Pages>) -> Result<Self, RandomXError> {
		let make = |flags: Flags| NonNull::new(ffi::randomx_alloc_dataset(flags.bits()));
		let (raw, in_pool) =
			pages::allocate(wanted, Flags::NONE, make).ok_or(RandomXError::NoDataset)?;
		let items = usize::try_from(ffi::randomx_dataset_item_count()).unwrap_or(0);
		let mut memory = Self { raw, items, pages: Pages::Huge };
		if !in_pool {
			let bytes = items.saturating_mul(ITEM_BYTES);
			memory.pages = pages::advise(wanted, memory.start(), bytes);
		}
		Ok(memory)
	}

	/// What it lies on.
	pub fn pages(&self) -> Pages {
		self.pages
	}

	/// Start of the items.
	fn start(&self) -> *mut u8 {
		// SAFETY: `raw` is live; the function reads a member.
		unsafe { ffi::randomx_get_dataset_memory(self.raw.as_ptr()).cast() }
	}
}

impl Drop for DatasetMemory {
	fn drop(&mut self) {
		// SAFETY: `raw` is live, and whatever reads or fills it holds a reference to `self`.
		unsafe { ffi::randomx_release_dataset(self.raw.as_ptr()) }
	}
}

/// A filled dataset.
#[derive(Clone, Debug)]
pub struct Dataset {
	key: Key,
	memory: Arc<DatasetMemory>,
}

impl Dataset {
	/// Whose dataset it is.
	pub fn key(&self) -> &Key {
		&self.key
	}

	/// What it lies on.
	pub fn pages(&self) -> Pages {
		self.memory.pages()
	}

	/// The memory, unless others read it still.
	pub fn into_memory(self) -> Option<DatasetMemory> {
		Arc::into_inner(self.memory)
	}

	/// For C. The library does not write to it, see [`DatasetMemory`].
	pub(crate) fn as_ptr(&self) -> *mut ffi::RandomXDataset {
		self.memory.raw.as_ptr()
	}
}

/// A dataset that is being filled: the better part of a minute of processor time.
#[derive(Debug)]
pub struct Filling {
	cache: Arc<Cache>,
	memory: Arc<DatasetMemory>,
	/// Pieces in all.
	pieces: usize,
	/// Pieces that were handed out.
	taken: AtomicUsize,
	/// Pieces that are not written yet.
	missing: AtomicUsize,
	abandoned: AtomicBool,
}

impl Filling {
	/// Nothing is filled yet.
	pub fn new(memory: DatasetMemory, cache: Arc<Cache>) -> Self {
		let pieces = memory.items.div_ceil(PIECE);
		Self {
			cache,
			memory: Arc::new(memory),
			pieces,
			taken: AtomicUsize::new(0),
			missing: AtomicUsize::new(pieces),
			abandoned: AtomicBool::new(false),
		}
	}

	/// Fills a piece. False: there is none left, though others may still be at theirs.
	pub fn fill_piece(&self) -> bool {
		if self.is_abandoned() {
			return false;
		}
		let piece = self.taken.fetch_add(1, Ordering::Relaxed);
		if piece >= self.pieces {
			return false;
		}
		let start = piece * PIECE;
		let count = PIECE.min(self.memory.items - start);
		self.fill(start, count);
		// Whoever sees that nothing is missing sees all that was written.
		self.missing.fetch_sub(1, Ordering::AcqRel);
		true
	}

	/// Computes items. Only for [`Self::fill_piece`].
	fn fill(&self, start: usize, count: usize) {
		let (start, count) = (c_ulong::try_from(start), c_ulong::try_from(count));
		// The library counts the items in this type.
		let (Ok(start), Ok(count)) = (start, count) else { return };
		let (dataset, cache) = (self.memory.raw.as_ptr(), self.cache.as_ptr());
		// SAFETY: both structures are live and the cache is filled. Pieces are inside of the
		// dataset and do not overlap, each is handed out once, and nobody reads them before
		// `dataset` gives access, which it does after the last one.
		unsafe { ffi::randomx_init_dataset(dataset, cache, start, count) }
	}

	/// Whose dataset it will be.
	pub fn key(&self) -> &Key {
		self.cache.key()
	}

	/// The dataset, once it is complete.
	pub fn dataset(&self) -> Option<Dataset> {
		let complete = self.missing.load(Ordering::Acquire) == 0;
		complete.then(|| Dataset { key: *self.key(), memory: self.memory.clone() })
	}

	/// Hands out no more pieces.
	pub fn abandon(&self) {
		self.abandoned.store(true, Ordering::Relaxed);
	}

	/// Whether it was given up.
	pub fn is_abandoned(&self) -> bool {
		self.abandoned.load(Ordering::Relaxed)
	}

	/// The memory, unless it was filled and others read it.
	pub fn into_memory(self) -> Option<DatasetMemory> {
		Arc::into_inner(self.memory)
	}
}
