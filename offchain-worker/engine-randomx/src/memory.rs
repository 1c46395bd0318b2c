//! The memory that hashing reads: a cache, and in fast mode the dataset that is made from it. Both
//! are filled in `new`, read-only from then on, and therefore shared between threads.
//!
//! ## Huge pages
//! Hashing reads this memory at random, so with 4 KiB pages a good part of the time goes into
//! address translation. Both allocations are asked to use transparent 2 MiB pages before they are
//! filled (`madvise`; no privilege needed). A kernel that does not grant them costs speed and
//! nothing else.

use crate::{ffi, Flags, RandomXError, MAX_KEY};
use core::{ffi::c_ulong, num::NonZeroUsize, ptr::NonNull};
use std::thread;

/// Bytes of a cache.
const CACHE_BYTES: usize = 256 << 20;
/// Bytes of an item of the dataset.
const ITEM_BYTES: usize = 64;
/// Bytes of a huge page.
const HUGE_PAGE: usize = 2 << 20;

/// The cache of one key: all that light mode needs.
#[derive(Debug)]
pub struct Cache {
	raw: NonNull<ffi::RandomXCache>,
	huge_pages: bool,
}

// SAFETY: the structure has no tie to the thread that made it.
unsafe impl Send for Cache {}
// SAFETY: after `new` the library only reads a cache: when it fills datasets, makes machines and
// hashes.
unsafe impl Sync for Cache {}

impl Cache {
	/// Fills a cache for `key`. Half a second.
	pub fn new(flags: Flags, key: &[u8]) -> Result<Self, RandomXError> {
		if !(1..=MAX_KEY).contains(&key.len()) {
			return Err(RandomXError::KeyLength(key.len()));
		}
		let raw = ffi::randomx_alloc_cache(flags.without(Flags::FULL_MEM).bits());
		let raw = NonNull::new(raw).ok_or(RandomXError::NoCache)?;
		let mut cache = Self { raw, huge_pages: false };
		cache.huge_pages = advise_huge_pages(cache.start(), CACHE_BYTES);
		// SAFETY: `raw` was allocated above and nobody else has it; `key` is readable for its
		// length.
		unsafe { ffi::randomx_init_cache(raw.as_ptr(), key.as_ptr().cast(), key.len()) };
		Ok(cache)
	}

	/// Whether the kernel took the advice to use huge pages.
	pub fn huge_pages(&self) -> bool {
		self.huge_pages
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

/// The dataset of one key: what fast mode reads instead of the cache.
#[derive(Debug)]
pub struct Dataset {
	raw: NonNull<ffi::RandomXDataset>,
	huge_pages: bool,
}

// SAFETY: the structure has no tie to the thread that made it.
unsafe impl Send for Dataset {}
// SAFETY: after `new` the library only reads a dataset; in `new`, threads write to ranges that do
// not overlap.
unsafe impl Sync for Dataset {}

impl Dataset {
	/// Fills a dataset from `cache`, on `threads` threads. The better part of a minute of CPU time.
	pub fn new(cache: &Cache, threads: NonZeroUsize) -> Result<Self, RandomXError> {
		let raw = ffi::randomx_alloc_dataset(Flags::NONE.bits());
		let raw = NonNull::new(raw).ok_or(RandomXError::NoDataset)?;
		let mut dataset = Self { raw, huge_pages: false };
		let items = ffi::randomx_dataset_item_count();
		let bytes = usize::try_from(items).unwrap_or(0).saturating_mul(ITEM_BYTES);
		dataset.huge_pages = advise_huge_pages(dataset.start(), bytes);

		let threads = c_ulong::try_from(threads.get()).unwrap_or(1).min(items);
		let share = items.div_ceil(threads);
		thread::scope(|scope| {
			let dataset = &dataset;
			for thread in 0..threads {
				let start = share.saturating_mul(thread).min(items);
				let count = share.min(items - start);
				scope.spawn(move || dataset.fill(cache, start, count));
			}
		});
		Ok(dataset)
	}

	/// Whether the kernel took the advice to use huge pages.
	pub fn huge_pages(&self) -> bool {
		self.huge_pages
	}

	/// For C. The library does not write to it, see [`Sync`].
	pub(crate) fn as_ptr(&self) -> *mut ffi::RandomXDataset {
		self.raw.as_ptr()
	}

	/// Computes items. Only for `new`, where ranges are inside the dataset and do not overlap.
	fn fill(&self, cache: &Cache, start: c_ulong, count: c_ulong) {
		if count == 0 {
			return;
		}
		// SAFETY: both structures are live, the cache is filled, and the range is inside the
		// dataset and written by this thread alone.
		unsafe { ffi::randomx_init_dataset(self.as_ptr(), cache.as_ptr(), start, count) }
	}

	/// Start of the items.
	fn start(&self) -> *mut u8 {
		// SAFETY: `raw` is live; the function reads a member.
		unsafe { ffi::randomx_get_dataset_memory(self.as_ptr()).cast() }
	}
}

impl Drop for Dataset {
	fn drop(&mut self) {
		// SAFETY: `raw` is live, and whatever reads it holds a reference to `self`.
		unsafe { ffi::randomx_release_dataset(self.raw.as_ptr()) }
	}
}

/// Asks for huge pages in the part of the memory that whole huge pages cover. The library's
/// allocations come from `malloc` and start a few bytes after a page, where `madvise` would refuse
/// them.
fn advise_huge_pages(start: *mut u8, bytes: usize) -> bool {
	let skipped = start.align_offset(HUGE_PAGE);
	let Some(inner) = bytes.checked_sub(skipped).map(|rest| rest - rest % HUGE_PAGE) else {
		return false;
	};
	let inner_start = start.wrapping_add(skipped).cast();
	// SAFETY: `madvise` with MADV_HUGEPAGE keeps the contents and meaning of all memory, and fails
	// on what is not mapped.
	unsafe { libc::madvise(inner_start, inner, libc::MADV_HUGEPAGE) == 0 }
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn keys_without_an_agreed_hash_are_refused() {
		for length in [0, MAX_KEY + 1] {
			let refused = Cache::new(Flags::NONE, &vec![0; length]).map(drop);
			assert_eq!(refused, Err(RandomXError::KeyLength(length)));
		}
	}
}
