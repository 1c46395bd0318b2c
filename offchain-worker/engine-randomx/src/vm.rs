//! A virtual machine: the part of RandomX that hashes. One per thread.

use crate::{
	ffi,
	pages::{self, Pages},
	Cache, Dataset, Flags, Key, RandomXError, HASH_BYTES,
};
use core::{
	mem,
	ptr::{self, NonNull},
};
use std::sync::Arc;

/// What a virtual machine reads.
#[derive(Clone, Debug)]
pub enum Memory {
	/// Light mode: items of the dataset are computed when they are needed.
	Light(Arc<Cache>),
	/// Fast mode: they are read.
	Fast(Dataset),
}

impl Memory {
	/// Whose memory it is.
	pub fn key(&self) -> &Key {
		match self {
			Self::Light(cache) => cache.key(),
			Self::Fast(dataset) => dataset.key(),
		}
	}
}

/// A virtual machine. It keeps alive what it reads.
#[derive(Debug)]
pub struct Vm {
	raw: NonNull<ffi::RandomXVm>,
	/// Whether a hash was begun and not ended.
	begun: bool,
	scratchpad: Pages,
	// Read by the library through `raw`.
	memory: Memory,
}

// SAFETY: a machine owns its scratchpad and code, shares read-only memory that is `Sync`, and has
// no tie to the thread that made it. It is not `Sync`: hashing changes it.
unsafe impl Send for Vm {}

impl Vm {
	/// Makes a machine over `memory`. `wanted`: what to put its scratchpad on, the pool where there
	/// is one by default; see [`crate::pages`].
	pub fn new(flags: Flags, wanted: Option<Pages>, memory: Memory) -> Result<Self, RandomXError> {
		let (flags, cache, dataset) = match &memory {
			Memory::Light(cache) => {
				(flags.without(Flags::FULL_MEM), cache.as_ptr(), ptr::null_mut())
			},
			Memory::Fast(dataset) => (flags | Flags::FULL_MEM, ptr::null_mut(), dataset.as_ptr()),
		};
		let make = |flags: Flags| {
			// SAFETY: the flag for a full memory is set exactly if there is a dataset, otherwise
			// there is a cache; both are live, filled, and kept in `memory` for as long as the
			// machine lives.
			NonNull::new(unsafe { ffi::randomx_create_vm(flags.bits(), cache, dataset) })
		};
		let (raw, in_pool) = pages::allocate(wanted, flags, make).ok_or(RandomXError::NoVm)?;
		let scratchpad = if in_pool { Pages::Huge } else { Pages::Small };
		Ok(Self { raw, begun: false, scratchpad, memory })
	}

	/// What it reads.
	pub fn memory(&self) -> &Memory {
		&self.memory
	}

	/// What its scratchpad lies on.
	pub fn scratchpad(&self) -> Pages {
		self.scratchpad
	}

	/// The RandomX hash of `input`, which Monero reads as a little-endian integer.
	pub fn hash(&mut self, input: &[u8]) -> [u8; HASH_BYTES] {
		self.begun = false;
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

	/// Ends the hash of the input before, which is returned, and begins that of `next`. The end of
	/// one and the beginning of the other go through the scratchpad together, which makes a fast
	/// hash one per cent cheaper than [`Self::hash`].
	pub fn pipe(&mut self, next: Option<&[u8]>) -> Option<[u8; HASH_BYTES]> {
		let begun = mem::replace(&mut self.begun, next.is_some());
		let raw = self.raw.as_ptr();
		if !begun {
			if let Some(input) = next {
				// SAFETY: `raw` is live and borrowed exclusively, `input` is readable for its
				// length.
				unsafe {
					ffi::randomx_calculate_hash_first(raw, input.as_ptr().cast(), input.len());
				}
			}
			return None;
		}
		let mut output = [0; HASH_BYTES];
		let to = output.as_mut_ptr().cast();
		keep_float_state(|| match next {
			// SAFETY: as above; a hash was begun, `output` is writable for 32 bytes.
			Some(input) => unsafe {
				ffi::randomx_calculate_hash_next(raw, input.as_ptr().cast(), input.len(), to);
			},
			// SAFETY: as above.
			None => unsafe { ffi::randomx_calculate_hash_last(raw, to) },
		});
		Some(output)
	}
}

impl Drop for Vm {
	fn drop(&mut self) {
		// SAFETY: `raw` is live and owned; what it reads is dropped after this.
		unsafe { ffi::randomx_destroy_vm(self.raw.as_ptr()) }
	}
}

/// Does `work`, and puts the floating-point state of this thread back. Programs change rounding and
/// the treatment of tiny numbers, on which Rust relies.
fn keep_float_state(work: impl FnOnce()) {
	let mut state = ffi::FloatState::default();
	// SAFETY: there is room for the platform's `fenv_t`, aligned.
	let stored = unsafe { ffi::fegetenv(&mut state) } == 0;
	work();
	if stored {
		// SAFETY: `fegetenv` wrote it, on this thread.
		unsafe { ffi::fesetenv(&state) };
	}
}
