//! Memory of processes, from `/proc`.

use crate::machine::bytes;
use std::{collections::BTreeSet, fs};

/// Which process descends from which, as it was at a moment.
#[derive(Debug)]
pub struct Processes {
	/// Ids, each with that of its parent.
	parents: Vec<(u32, u32)>,
}

impl Processes {
	/// Looks.
	pub fn look() -> Self {
		let entries = fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
		let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
		let parent = |id: u32| {
			let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
			Some((id, parent_in(&stat)?))
		};
		Self { parents: ids.filter_map(parent).collect() }
	}

	/// Bytes of memory that a process and all that descend from it hold.
	pub fn memory(&self, root: u32) -> u64 {
		self.family(root).iter().map(|id| memory_of(&id.to_string())).sum()
	}

	/// A process and all that descend from it.
	fn family(&self, root: u32) -> BTreeSet<u32> {
		let mut family = BTreeSet::from([root]);
		loop {
			let known = family.len();
			let children = self.parents.iter().filter(|(_, parent)| family.contains(parent));
			let children: Vec<u32> = children.map(|(id, _)| *id).collect();
			family.extend(children);
			if family.len() == known {
				return family;
			}
		}
	}
}

/// Bytes of memory that this process holds.
pub fn own_memory() -> u64 {
	memory_of("self")
}

/// What a process holds; nothing once it has ended. Huge pages from the pool are counted apart by
/// the kernel.
fn memory_of(process: &str) -> u64 {
	let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
	held(&status)
}

fn held(status: &str) -> u64 {
	let part = |name| bytes(status, name).unwrap_or(0);
	part("VmRSS").saturating_add(part("HugetlbPages"))
}

/// The parent in a `/proc/PID/stat`. The name before it, in parentheses, may hold anything.
fn parent_in(stat: &str) -> Option<u32> {
	let (_, after_name) = stat.rsplit_once(')')?;
	after_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_family_is_all_that_descend() {
		let parents = vec![(5, 4), (2, 1), (4, 2), (3, 1), (6, 3), (1, 0)];
		let processes = Processes { parents };
		assert_eq!(processes.family(2), BTreeSet::from([2, 4, 5]));
		assert_eq!(processes.family(9), BTreeSet::from([9]));
	}

	#[test]
	fn files_of_the_kernel_are_understood() {
		assert_eq!(parent_in("7 (a) b (c) S 3 7 7"), Some(3));
		assert_eq!(parent_in("nonsense"), None);
		let status = "Name:\tx\nVmRSS:\t    1688 kB\nHugetlbPages:\t    2048 kB\n";
		assert_eq!(held(status), (1688 + 2048) * 1024);
		assert_eq!(held(""), 0);
	}

	#[test]
	fn this_process_holds_memory() {
		assert!(own_memory() > 0);
		assert!(Processes::look().memory(std::process::id()) > 0);
	}
}
