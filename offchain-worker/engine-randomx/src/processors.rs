//! How many threads suit this machine. Each has a scratchpad of 2 MiB that should stay in the
//! processor's cache; more threads than fit are slower together than fewer.
//!
//! A thread is worth 2 MiB of the third level and 256 KiB of the second. What the kernel tells of
//! the first processor is taken for all of them.

use core::num::NonZeroUsize;
use std::{fs, path::Path, thread};

/// Bytes of the third level that a thread needs.
const THIRD_LEVEL: usize = 2 << 20;
/// Bytes of the second level that a thread needs.
const SECOND_LEVEL: usize = 256 << 10;
/// Folder about the caches of the first processor: `index0`, `index1` and so on.
const CACHES: &str = "/sys/devices/system/cpu/cpu0/cache";
/// Caches that a processor may have.
const MAX_CACHES: usize = 16;

/// A cache of a processor for data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
	/// First, second, third.
	pub level: u32,
	/// Its size.
	pub bytes: usize,
	/// Processors that share it.
	pub sharers: NonZeroUsize,
}

/// Threads for this machine.
pub fn recommended() -> NonZeroUsize {
	let processors = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
	threads(&levels(Path::new(CACHES)), processors)
}

/// Threads for `processors` processors with caches like these. A level that is not known, or not
/// there, sets no limit.
pub fn threads(levels: &[Level], processors: NonZeroUsize) -> NonZeroUsize {
	let fitting = levels.iter().filter_map(|cache| {
		let need = match cache.level {
			2 => SECOND_LEVEL,
			3 => THIRD_LEVEL,
			_ => return None,
		};
		Some(cache.bytes.saturating_mul(processors.get()) / cache.sharers / need)
	});
	let most = fitting.min().unwrap_or(usize::MAX);
	NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN).min(processors)
}

/// What the kernel tells about the caches in a folder.
fn levels(folder: &Path) -> Vec<Level> {
	let folders = (0..MAX_CACHES).map(|index| folder.join(format!("index{index}")));
	folders.filter_map(|cache| level(|name| fs::read_to_string(cache.join(name)).ok())).collect()
}

/// A cache by its files. None: it holds instructions, or the files are not understood.
fn level(file: impl Fn(&str) -> Option<String>) -> Option<Level> {
	if file("type")?.trim() == "Instruction" {
		return None;
	}
	let level = file("level")?.trim().parse().ok()?;
	let bytes = bytes(file("size")?.trim())?;
	let sharers = NonZeroUsize::new(members(file("shared_cpu_list")?.trim())?)?;
	Some(Level { level, bytes, sharers })
}

/// `1024K` or `32M`.
fn bytes(size: &str) -> Option<usize> {
	let (number, unit) = match size.strip_suffix('K') {
		Some(number) => (number, 1 << 10),
		None => (size.strip_suffix('M')?, 1 << 20),
	};
	number.parse::<usize>().ok()?.checked_mul(unit)
}

/// Numbers in a list like `0-3,8`.
fn members(list: &str) -> Option<usize> {
	let count = |range: &str| {
		let (first, last) = range.split_once('-').unwrap_or((range, range));
		let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
		last.checked_sub(first)?.checked_add(1)
	};
	list.split(',').try_fold(0_usize, |sum, range| sum.checked_add(count(range)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	const KIB: usize = 1 << 10;
	const MIB: usize = 1 << 20;

	fn count(number: usize) -> NonZeroUsize {
		NonZeroUsize::new(number).unwrap()
	}

	fn cache(level: u32, bytes: usize, sharers: usize) -> Level {
		Level { level, bytes, sharers: count(sharers) }
	}

	#[test]
	fn caches_limit_the_threads() {
		for (processors, levels, expected) in [
			// As many as there are processors: eight cores of a desktop with two threads each.
			(16, vec![cache(1, 48 * KIB, 2), cache(2, MIB, 2), cache(3, 32 * MIB, 16)], 16),
			// The third level is small.
			(8, vec![cache(2, 256 * KIB, 2), cache(3, 6 * MIB, 8)], 3),
			// The second level is: one core with two threads has room for one.
			(8, vec![cache(2, 256 * KIB, 2), cache(3, 64 * MIB, 8)], 4),
			// Two groups of processors, each with a third level of its own.
			(16, vec![cache(2, 512 * KIB, 2), cache(3, 8 * MIB, 8)], 8),
			// No third level.
			(4, vec![cache(2, MIB, 4)], 4),
			// Nothing is known.
			(6, vec![], 6),
			// At least one.
			(4, vec![cache(2, 128 * KIB, 4), cache(3, MIB, 4)], 1),
		] {
			assert_eq!(threads(&levels, count(processors)), count(expected), "{levels:?}");
		}
	}

	#[test]
	fn the_kernels_files_are_read() {
		let files = |kind: &'static str| {
			move |name: &str| {
				let text = match name {
					"type" => kind,
					"level" => "3",
					"size" => "32768K",
					"shared_cpu_list" => "0-3,8-11",
					_ => return None,
				};
				Some(format!("{text}\n"))
			}
		};
		assert_eq!(level(files("Unified")), Some(cache(3, 32 * MIB, 8)));
		assert_eq!(level(files("Instruction")), None);
		assert_eq!(level(|_| None), None);
		assert_eq!(level(|_| Some("?".into())), None);
	}

	#[test]
	fn sizes_and_lists_are_read() {
		assert_eq!(bytes("48K"), Some(48 * KIB));
		assert_eq!(bytes("2M"), Some(2 * MIB));
		for nonsense in ["", "K", "2", "-1K", "99999999999999999999K"] {
			assert_eq!(bytes(nonsense), None, "{nonsense}");
		}
		assert_eq!(members("0"), Some(1));
		assert_eq!(members("0,4"), Some(2));
		for nonsense in ["", "3-1", "a", "0-", "0-18446744073709551615"] {
			assert_eq!(members(nonsense), None, "{nonsense}");
		}
	}

	#[test]
	fn this_machine_gets_at_least_a_thread() {
		assert!(recommended() >= NonZeroUsize::MIN);
		assert_eq!(levels(Path::new("/nowhere")), vec![]);
	}
}
