//! The virtual machines of one seed, one per thread. They are kept as long as the next request has
//! the same seed, because making them takes half a second in light mode and the better part of a
//! minute in fast mode.

use crate::{search::Hasher, Cache, Dataset, Flags, Memory, RandomXError, Vm};
use core::num::NonZeroUsize;
use std::sync::Arc;
use tequio_interface::engine::Mode;

/// How to compute.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
	/// Memory against speed.
	pub mode: Mode,
	/// Threads, each with a virtual machine of its own.
	pub threads: NonZeroUsize,
	/// Choices of implementation.
	pub flags: Flags,
}

/// Hashes with any seed, quickly with the one it had last.
#[derive(Debug)]
pub struct Machine {
	settings: Settings,
	seed: Option<[u8; 32]>,
	vms: Vec<Vm>,
}

impl Machine {
	/// A machine without a seed, and without memory.
	pub fn new(settings: Settings) -> Self {
		Self { settings, seed: None, vms: Vec::new() }
	}

	/// The virtual machines of `seed`, at least one.
	pub fn vms(&mut self, seed: &[u8; 32]) -> Result<&mut [Vm], RandomXError> {
		if self.seed.as_ref() != Some(seed) {
			// The old memory goes before the new comes: there may be no room for both.
			self.seed = None;
			self.vms.clear();
			self.vms = self.make(seed)?;
			self.seed = Some(*seed);
		}
		Ok(&mut self.vms)
	}

	fn make(&self, seed: &[u8; 32]) -> Result<Vec<Vm>, RandomXError> {
		let Settings { mode, threads, flags } = self.settings;
		let cache = Cache::new(flags, seed)?;
		let memory = match mode {
			Mode::Light => Memory::Light(Arc::new(cache)),
			Mode::Fast => Memory::Fast(Arc::new(Dataset::new(&cache, threads)?)),
		};
		(0..threads.get()).map(|_| Vm::new(flags, memory.clone())).collect()
	}
}

impl Hasher for Vm {
	fn hash(&mut self, input: &[u8]) -> [u8; 32] {
		Vm::hash(self, input)
	}
}
