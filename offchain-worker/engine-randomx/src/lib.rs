//! # RandomX engine
//!
//! Computes the RandomX search class: searches ranges of nonces for shares and winners, and audits
//! such searches. The binary `tequio-engine-randomx` does it for `tequio-worker`, which runs it
//! without network; the library is the same code for tests and tools.
//!
//! ```text
//! stdin ─▶ serve ─▶ request (checks) ─▶ machine (VMs of the seed) ─▶ search (threads) ─▶ stdout
//!                                         └─ memory, vm ─ ffi ─▶ RandomX (C++)
//! ```
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`search`] | search and audit over anything that hashes |
//! | [`request`] | what the engine takes, and the bounds it checks first |
//! | [`serve`] | the conversation with the worker process |
//! | [`machine`] | one virtual machine per thread, kept while the seed stays |
//! | [`vm`] | a virtual machine, which hashes |
//! | [`memory`] | cache (256 MiB) and dataset (2 080 MiB) |
//! | [`flags`] | choices of implementation; none of them changes a hash |
//! | `ffi` | the C functions |
//!
//! ## The library underneath
//! `randomx-rs` 1.6.0 is a dependency for one reason: its build script compiles the reference
//! implementation (tevador's RandomX v1.2.3) and links it. The functions are declared here once
//! more, because that crate fills a dataset on one thread, cannot share its caches between threads,
//! does not notice when a virtual machine could not be made, and writes its output through a shared
//! reference.
//!
//! A C++ exception that reaches the border to Rust aborts the process. That is meant: the engine is
//! a process of its own so that it may end at any time.

mod ffi;
pub mod flags;
pub mod machine;
pub mod memory;
pub mod request;
pub mod search;
pub mod serve;
pub mod vm;

pub use flags::Flags;
pub use memory::{Cache, Dataset};
pub use vm::{Memory, Vm};

/// Why RandomX cannot run here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RandomXError {
	/// A key must have this length for all implementations to agree on its hashes.
	#[error("the key has {0} bytes; RandomX takes 1 to {MAX_KEY}")]
	KeyLength(usize),
	/// The cache was not allocated.
	#[error("no cache: its 256 MiB cannot be had, or the machine lacks what the flags ask for")]
	NoCache,
	/// The dataset was not allocated.
	#[error("no dataset: its 2 080 MiB cannot be had; `--mode light` needs 256 MiB")]
	NoDataset,
	/// The virtual machine was not made.
	#[error(
		"no virtual machine: its memory cannot be had, or the machine lacks what the flags ask for"
	)]
	NoVm,
}

/// Bytes that a key may have.
pub const MAX_KEY: usize = 60;
/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// Hashes one input, in light mode. For a single hash: making the cache takes half a second.
///
/// `key`: 1 to [`MAX_KEY`] bytes. Monero's key is the block hash that it calls seed hash.
pub fn hash_once(key: &[u8], input: &[u8]) -> Result<[u8; HASH_BYTES], RandomXError> {
	let flags = Flags::recommended();
	let cache = Cache::new(flags, key)?;
	Ok(Vm::new(flags, Memory::Light(cache.into()))?.hash(input))
}
