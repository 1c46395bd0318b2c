//! The C functions of `randomx.h`, version 1.2.3, and two of `fenv.h`.

use core::ffi::{c_int, c_uint, c_ulong, c_void};

// The crate is named so that its static library is linked.
use randomx_rs as _;

/// Owner of the cache's memory and programs.
#[repr(C)]
pub struct RandomXCache {
	_opaque: [u8; 0],
}

/// Owner of the dataset's memory.
#[repr(C)]
pub struct RandomXDataset {
	_opaque: [u8; 0],
}

/// A virtual machine.
#[repr(C)]
pub struct RandomXVm {
	_opaque: [u8; 0],
}

// SAFETY: the signatures are those of `randomx.h` in the sources of `randomx-rs` 1.6.0.
// `randomx_flags` is a C enum without negative values, which the C ABI passes as an `unsigned int`.
unsafe extern "C" {
	/// Flags that suit this CPU: JIT, AES, Argon2.
	pub safe fn randomx_get_flags() -> c_uint;

	/// Null without memory or support.
	pub safe fn randomx_alloc_cache(flags: c_uint) -> *mut RandomXCache;
	/// Fills the cache for the key.
	pub fn randomx_init_cache(cache: *mut RandomXCache, key: *const c_void, size: usize);
	/// Frees the cache.
	pub fn randomx_release_cache(cache: *mut RandomXCache);

	/// Null without memory.
	pub safe fn randomx_alloc_dataset(flags: c_uint) -> *mut RandomXDataset;
	/// Number of 64-byte items.
	pub safe fn randomx_dataset_item_count() -> c_ulong;
	/// Computes `count` items from `start` on.
	pub fn randomx_init_dataset(
		dataset: *mut RandomXDataset,
		cache: *mut RandomXCache,
		start: c_ulong,
		count: c_ulong,
	);
	/// Start of the items.
	pub fn randomx_get_dataset_memory(dataset: *mut RandomXDataset) -> *mut c_void;
	/// Frees the dataset.
	pub fn randomx_release_dataset(dataset: *mut RandomXDataset);

	/// Null without memory or support.
	pub fn randomx_create_vm(
		flags: c_uint,
		cache: *mut RandomXCache,
		dataset: *mut RandomXDataset,
	) -> *mut RandomXVm;
	/// Frees the machine.
	pub fn randomx_destroy_vm(vm: *mut RandomXVm);
	/// Writes 32 bytes to `output`. Restores the floating-point state of the thread.
	pub fn randomx_calculate_hash(
		vm: *mut RandomXVm,
		input: *const c_void,
		size: usize,
		output: *mut c_void,
	);
	/// Begins a hash.
	pub fn randomx_calculate_hash_first(vm: *mut RandomXVm, input: *const c_void, size: usize);
	/// Ends the hash that was begun, writes its 32 bytes to `output`, and begins another. Leaves
	/// the floating-point state of the thread as the program left it.
	pub fn randomx_calculate_hash_next(
		vm: *mut RandomXVm,
		input: *const c_void,
		size: usize,
		output: *mut c_void,
	);
	/// Ends the hash that was begun and writes its 32 bytes to `output`. Leaves the floating-point
	/// state of the thread as the program left it.
	pub fn randomx_calculate_hash_last(vm: *mut RandomXVm, output: *mut c_void);
}

/// Room for a `fenv_t`, of which the largest that we know has 32 bytes.
#[repr(C, align(16))]
#[derive(Default)]
pub struct FloatState([u64; 8]);

// SAFETY: the signatures are those of C99. A `fenv_t` is only written and read by these functions.
#[link(name = "m")]
unsafe extern "C" {
	/// Stores the floating-point state of this thread: rounding, exceptions, treatment of tiny
	/// numbers. Zero on success.
	pub fn fegetenv(state: *mut FloatState) -> c_int;
	/// Restores what `fegetenv` stored. Zero on success.
	pub fn fesetenv(state: *const FloatState) -> c_int;
}
