//! A virtual machine: the part of RandomX that hashes. One per thread.

use crate::{ffi, Cache, Dataset, Flags, RandomXError, HASH_BYTES};
use core::ptr::{self, NonNull};
use std::sync::Arc;

/// What a virtual machine reads.
#[derive(Clone, Debug)]
pub enum Memory {
	/// Light mode: items of the dataset are computed when they are needed.
	Light(Arc<Cache>),
	/// Fast mode: they are read.
	Fast(Arc<Dataset>),
}

/// A virtual machine. It keeps alive what it reads.
#[derive(Debug)]
pub struct Vm {
	raw: NonNull<ffi::RandomXVm>,
	// Read by the library through `raw`.
	_memory: Memory,
}

// SAFETY: a machine owns its scratchpad and code, shares read-only memory that is `Sync`, and has
// no tie to the thread that made it. It is not `Sync`: hashing changes it.
unsafe impl Send for Vm {}

impl Vm {
	/// Makes a machine over `memory`.
	pub fn new(flags: Flags, memory: Memory) -> Result<Self, RandomXError> {
		let (flags, cache, dataset) = match &memory {
			Memory::Light(cache) => {
				(flags.without(Flags::FULL_MEM), cache.as_ptr(), ptr::null_mut())
			},
			Memory::Fast(dataset) => (flags | Flags::FULL_MEM, ptr::null_mut(), dataset.as_ptr()),
		};
		// SAFETY: the flag for a full memory is set exactly if there is a dataset, otherwise there
		// is a cache; both are live, filled, and kept in `_memory` for as long as the machine
		// lives.
		let raw = unsafe { ffi::randomx_create_vm(flags.bits(), cache, dataset) };
		let raw = NonNull::new(raw).ok_or(RandomXError::NoVm)?;
		Ok(Self { raw, _memory: memory })
	}

	/// The RandomX hash of `input`, which Monero reads as a little-endian integer.
	pub fn hash(&mut self, input: &[u8]) -> [u8; HASH_BYTES] {
		let mut output = [0; HASH_BYTES];
		// SAFETY: `raw` is live and borrowed exclusively, `input` is readable for its length,
		// `output` writable for 32 bytes.
		unsafe {
			ffi::randomx_calculate_hash(
				self.raw.as_ptr(),
				input.as_ptr().cast(),
				input.len(),
				output.as_mut_ptr().cast(),
			)
		}
		output
	}
}

impl Drop for Vm {
	fn drop(&mut self) {
		// SAFETY: `raw` is live and owned; what it reads is dropped after this.
		unsafe { ffi::randomx_destroy_vm(self.raw.as_ptr()) }
	}
}
