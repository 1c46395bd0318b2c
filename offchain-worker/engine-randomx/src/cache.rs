//! The cache of a key: 256 MiB, of which the items of the dataset are made. All that light mode
//! needs.

use crate::{
	ffi,
	pages::{self, Pages},
	Flags, Key, RandomXError,
};
use core::ptr::NonNull;

/// Bytes of a cache.
const CACHE_BYTES: usize = 256 << 20;

/// A filled cache. It is read-only while it is shared.
#[derive(Debug)]
pub struct Cache {
	raw: NonNull<ffi::RandomXCache>,
	key: Key,
	pages: Pages,
}

// SAFETY: the structure has no tie to the thread that made it.
unsafe impl Send for Cache {}
// SAFETY: the library only reads a cache when it fills datasets, makes machines and hashes; what
// writes to it takes `&mut self`.
unsafe impl Sync for Cache {}

impl Cache {
	/// Fills a new cache for `key`: half a second. `wanted`: the pages to put it on, the best that
	/// there are by default.
	pub fn new(flags: Flags, wanted: Option<Pages>, key: &Key) -> Result<Self, RandomXError> {
		let make = |flags: Flags| NonNull::new(ffi::randomx_alloc_cache(flags.bits()));
		let (raw, in_pool) = pages::allocate(wanted, flags.without(Flags::FULL_MEM), make)
			.ok_or(RandomXError::NoCache)?;
		let mut cache = Self { raw, key: *key, pages: Pages::Huge };
		if !in_pool {
			cache.pages = pages::advise(wanted, cache.start(), CACHE_BYTES);
		}
		cache.fill(key);
		Ok(cache)
	}

	/// Fills it again, for another key.
	pub fn fill(&mut self, key: &Key) {
		let bytes = key.as_bytes();
		// SAFETY: `raw` is live and borrowed exclusively: machines and fillings that read a cache
		// share it. `bytes` is readable for its length.
		unsafe {
			ffi::randomx_init_cache(self.raw.as_ptr(), bytes.as_ptr().cast(), bytes.len());
		}
		self.key = *key;
	}

	/// Whose cache it is.
	pub fn key(&self) -> &Key {
		&self.key
	}

	/// What it lies on.
	pub fn pages(&self) -> Pages {
		self.pages
	}

	/// For C. The library does not write to it, see [`Sync`].
	pub(crate) fn as_ptr(&self) -> *mut ffi::RandomXCache {
		self.raw.as_ptr()
	}

	/// Start of the cache's memory. Version 1.2.3 has no function for it. It does assert that the
	/// structure has standard layout, because its compiled code relies on the first member being
	/// this pointer.
	fn start(&self) -> *mut u8 {
		// SAFETY: `raw` points to a live `randomx_cache`, which is larger than a pointer, aligned
		// for one, and begins with `uint8_t* memory`. The value is only handed to `madvise`, which
		// checks addresses and changes no contents.
		unsafe { self.raw.cast::<*mut u8>().read() }
	}
}

impl Drop for Cache {
	fn drop(&mut self) {
		// SAFETY: `raw` is live, and whatever reads it holds a reference to `self`.
		unsafe { ffi::randomx_release_cache(self.raw.as_ptr()) }
	}
}
