//! # RandomX engine
//!
//! Computes the RandomX search class: searches ranges of nonces for shares and winners, and audits
//! such searches. The binary `tequio-engine-randomx` does it for `tequio-worker`, which runs it in a
//! sandbox; the library is the same code for tests and tools.
//!
//! ```text
//! stdin ─▶ serve ─▶ request (checks) ─▶ search ─▶ machine ─▶ crew (threads, a VM each) ─▶ stdout
//!            └─ what is expected ───────────────▶ keeper (caches, dataset)
//! ```
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`search`] | search and audit over anything that hashes |
//! | [`batch`] | nonces to hash, handed out one by one |
//! | [`request`] | what the engine takes, and the bounds it checks first |
//! | [`serve`] | the conversation with the worker process |
//! | [`machine`] | hashing under any key, and changing keys |
//! | [`crew`] | the threads that hash, and fill datasets |
//! | `keeper` | which caches and which dataset there are; `shelf` and `formers` decide |
//! | [`vm`] | a virtual machine, which hashes |
//! | [`cache`], [`dataset`] | what it reads: 256 MiB, 2 080 MiB |
//! | [`pages`] | what that lies on |
//! | [`pace`] | less than all of a processor |
//! | [`processors`] | how many threads suit this machine |
//! | [`setup`] | how the engine is set up, for its owner |
//! | [`bench`](mod@bench) | the reference's benchmark, on the engine's path |
//! | [`flags`], [`key`] | choices of implementation, none of which changes a hash; what does |
//! | `ffi` | the C functions |
//!
//! ## Keys
//! Making a cache takes half a second, making a dataset the better part of a minute. Whoever asks
//! for hashes under another key waits for neither, if there is room for two caches and the worker
//! process says in time what is coming: the cache is built beside the hashing before. Fast mode
//! begins in light mode, while the threads fill the dataset between hashes, into the memory of the
//! one before, and goes over to it in the middle of a request. Work under a key of before is done
//! in light mode then, with its cache if that is still there.
//!
//! ## Threads
//! As many hashing threads as the owner says, which also do the filling; one that reads requests,
//! one that answers them, and one that builds caches ahead, which sleep almost always.
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

pub mod batch;
pub mod bench;
pub mod cache;
pub mod crew;
pub mod dataset;
mod ffi;
pub mod flags;
mod formers;
mod keeper;
pub mod key;
pub mod machine;
pub mod pace;
pub mod pages;
pub mod processors;
pub mod request;
pub mod search;
pub mod serve;
pub mod setup;
mod shelf;
pub mod vm;

pub use cache::Cache;
pub use dataset::Dataset;
pub use flags::Flags;
pub use key::{Key, MAX_KEY};
pub use vm::{Memory, Vm};

/// Why RandomX cannot run here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RandomXError {
	/// A key must have this length for all implementations to agree on its hashes.
	#[error("the key has {0} bytes; RandomX takes 1 to {MAX_KEY}")]
	KeyLength(usize),
	/// The cache was not allocated.
	#[error(
		"no cache: its 256 MiB cannot be had on the pages that are wanted, or the machine lacks \
		 what the flags ask for"
	)]
	NoCache,
	/// The dataset was not allocated.
	#[error(
		"no dataset: its 2 080 MiB cannot be had on the pages that are wanted; `--mode light` needs \
		 256 MiB"
	)]
	NoDataset,
	/// The virtual machine was not made.
	#[error(
		"no virtual machine: its memory cannot be had on the pages that are wanted, or the machine \
		 lacks what the flags ask for"
	)]
	NoVm,
	/// The system starts no more threads.
	#[error("no thread: the system starts no more of them, or their memory cannot be had")]
	NoThread,
	/// A thread of ours has ended in the middle of its work.
	#[error("a thread has ended in the middle of its work")]
	LostThread,
}

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;

/// Hashes one input, in light mode. For a single hash: making the cache takes half a second.
///
/// `key`: 1 to [`MAX_KEY`] bytes. Monero's key is the block hash that it calls seed hash.
pub fn hash_once(key: &[u8], input: &[u8]) -> Result<[u8; HASH_BYTES], RandomXError> {
	let flags = Flags::recommended();
	let cache = Cache::new(flags, None, &Key::new(key)?)?;
	Ok(Vm::new(flags, None, Memory::Light(cache.into()))?.hash(input))
}
