//! Work classes: which engine computes a class, how much work a payload is, and how much memory
//! that may take.

use codec::DecodeAll;
use std::{num::NonZeroUsize, path::Path, time::Duration};
use tequio_interface::{
	engine::Mode,
	randomx::{self, RandomXJob},
};

/// A class that this release knows.
#[derive(Debug)]
pub struct Class {
	/// Its number on the chain.
	pub number: u16,
	/// File name of its engine.
	pub program: &'static str,
	/// Units of work in a payload; 0 for what cannot be read, which the engine refuses at once.
	units: fn(&[u8]) -> u32,
	/// The time that the slowest machine we serve needs for a unit.
	time_per_unit: Duration,
	/// Bytes that an engine maps in a mode, besides those for each thread.
	memory: fn(Mode) -> u64,
}

/// All of them.
pub static CLASSES: [Class; 1] = [Class {
	number: randomx::CLASS,
	program: "tequio-engine-randomx",
	units: randomx_units,
	// Light mode, interpreted.
	time_per_unit: Duration::from_millis(200),
	memory: randomx_memory,
}];

/// Address space for a thread: stack, 2 MiB of scratchpad, and the 128 MiB that glibc's allocator
/// reserves at once.
const THREAD_MEMORY: u64 = 192 << 20;

impl Class {
	/// The class of this number.
	pub fn of(number: u16) -> Option<&'static Self> {
		CLASSES.iter().find(|class| class.number == number)
	}

	/// Whether its engine lies in `dir`.
	pub fn is_in(&self, dir: &Path) -> bool {
		dir.join(self.program).is_file()
	}

	/// The time that the work of a payload may take.
	pub fn time(&self, payload: &[u8]) -> Duration {
		self.time_per_unit.saturating_mul((self.units)(payload))
	}

	/// Bytes of address space that its engine may have.
	pub fn memory(&self, mode: Mode, threads: NonZeroUsize) -> u64 {
		let threads = u64::try_from(threads.get()).unwrap_or(u64::MAX);
		(self.memory)(mode).saturating_add(THREAD_MEMORY.saturating_mul(threads.saturating_add(1)))
	}
}

/// Hashes.
fn randomx_units(payload: &[u8]) -> u32 {
	match RandomXJob::decode_all(&mut &*payload) {
		Ok(RandomXJob::Search { count, .. }) => count,
		Ok(RandomXJob::Audit { claim, count, .. }) => {
			count.saturating_add(u32::try_from(claim.len()).unwrap_or(u32::MAX))
		},
		Err(_) => 0,
	}
}

/// Cache, dataset in fast mode, and as much again as the cache for everything else.
fn randomx_memory(mode: Mode) -> u64 {
	match mode {
		Mode::Light => 512 << 20,
		Mode::Fast => (512 + 2080) << 20,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;
	use tequio_interface::randomx::Puzzle;

	#[test]
	fn time_grows_with_the_work() {
		let puzzle = Puzzle {
			seed: [0; 32],
			template: vec![],
			nonce_offset: 0,
			share_target: [0; 32],
			target: [0; 32],
		};
		let class = &CLASSES[0];
		let search = RandomXJob::Search { puzzle: puzzle.clone(), start: 0, count: 50 };
		assert_eq!(class.time(&search.encode()), Duration::from_secs(10));
		let audit = RandomXJob::Audit { puzzle, claim: vec![1, 2], start: 0, count: 3 };
		assert_eq!(class.time(&audit.encode()), Duration::from_secs(1));
		assert_eq!(class.time(b"nonsense"), Duration::ZERO);
	}
}
