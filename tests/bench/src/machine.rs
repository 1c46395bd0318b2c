//! The machine: what a reader of figures has to know of it, and the memory of processes on it.

use crate::figure::Report;
use anyhow::{Context, Result};
use std::{fs, ops::Add};

/// A mebibyte.
pub const MIB: u64 = 1 << 20;

/// Notes the machine and what runs on it.
pub fn describe(report: &mut Report) {
	let read = |path| fs::read_to_string(path).unwrap_or_default();
	let (processors, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
	let model = labelled(&processors, "model name").unwrap_or("an unnamed processor");
	let cores = std::thread::available_parallelism().map_or(1, usize::from);
	let gib = |label| bytes(&memory, label).unwrap_or_default() / (1024 * MIB);
	let (total, free) = (gib("MemTotal"), gib("MemAvailable"));
	report.note(&format!("{model}, {cores} processors, {total} GiB of memory, {free} GiB free"));
	report.note(&format!(
		"tequio {}, Linux {}, load {}, transparent huge pages {}",
		env!("CARGO_PKG_VERSION"),
		read("/proc/sys/kernel/osrelease").trim(),
		read("/proc/loadavg").trim(),
		read(TRANSPARENT).trim(),
	));
}

const TRANSPARENT: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Who gets transparent huge pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransparentPages {
	/// Nobody, or the kernel has none.
	Nobody,
	/// Programs that ask.
	WhoAsks,
	/// Everybody, asked or not.
	Everybody,
}

/// Who gets transparent huge pages on this machine.
pub fn transparent_pages() -> TransparentPages {
	let choice = fs::read_to_string(TRANSPARENT).unwrap_or_default();
	if choice.contains("[always]") {
		TransparentPages::Everybody
	} else if choice.contains("[madvise]") {
		TransparentPages::WhoAsks
	} else {
		TransparentPages::Nobody
	}
}

/// Memory that a new program could have, in bytes.
pub fn available() -> u64 {
	let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
	bytes(&memory, "MemAvailable").unwrap_or_default()
}

/// Memory of one or more processes, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
	/// Pages in memory, those included that others use too.
	pub resident: u64,
	/// The same, each page divided by those who use it.
	pub proportional: u64,
	/// The part that lies on transparent huge pages.
	pub huge: u64,
}

impl Add for Memory {
	type Output = Self;

	fn add(self, other: Self) -> Self {
		Self {
			resident: self.resident + other.resident,
			proportional: self.proportional + other.proportional,
			huge: self.huge + other.huge,
		}
	}
}

impl Memory {
	/// Of one process. Where only its owner may read the shares, all it uses counts as its own.
	/// Nothing if it has ended.
	pub fn of(process: i32) -> Self {
		if let Ok(text) = fs::read_to_string(format!("/proc/{process}/smaps_rollup")) {
			let field = |label| bytes(&text, label).unwrap_or_default();
			return Self {
				resident: field("Rss"),
				proportional: field("Pss"),
				huge: field("AnonHugePages"),
			};
		}
		let text = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
		let resident = bytes(&text, "VmRSS").unwrap_or_default();
		Self { resident, proportional: resident, huge: 0 }
	}

	/// Of a process and of all that it started, directly or not.
	pub fn of_family(process: i32) -> Result<Self> {
		let mut family = vec![process];
		let table = process_table()?;
		let mut next = 0;
		while let Some(parent) = family.get(next).copied() {
			next += 1;
			family.extend(table.iter().filter(|row| row.parent == parent).map(|row| row.process));
		}
		Ok(family.into_iter().map(Self::of).fold(Self::default(), Self::add))
	}
}

/// The most that a process has had in memory since it began, in bytes. None if it has ended.
pub fn peak(process: u32) -> Option<u64> {
	let text = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
	bytes(&text, "VmHWM")
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
	process: i32,
	parent: i32,
}

fn process_table() -> Result<Vec<Row>> {
	let folders = fs::read_dir("/proc").context("reading /proc")?.filter_map(Result::ok);
	let stats = folders.filter_map(|folder| fs::read_to_string(folder.path().join("stat")).ok());
	Ok(stats.filter_map(|stat| row(&stat)).collect())
}

/// From `/proc/PID/stat`: `pid (command) state parent …`, where the command may hold any character.
fn row(stat: &str) -> Option<Row> {
	let (process, _) = stat.split_once(' ')?;
	let (_, rest) = stat.rsplit_once(") ")?;
	Some(Row { process: process.parse().ok()?, parent: rest.split(' ').nth(1)?.parse().ok()? })
}

/// The value of a line `label: value`.
fn labelled<'a>(text: &'a str, label: &str) -> Option<&'a str> {
	text.lines().find_map(|line| {
		let (name, value) = line.split_once(':')?;
		(name.trim() == label).then(|| value.trim())
	})
}

/// The value of a line `label: N kB`, in bytes.
pub fn bytes(text: &str, label: &str) -> Option<u64> {
	let kibibytes: u64 = labelled(text, label)?.strip_suffix("kB")?.trim().parse().ok()?;
	kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn lines_of_the_kernel_are_read() {
		let text = "Rss:  12 kB\nPss_Anon: 1 kB\nPss:     7 kB\nmodel name\t: A chip: fast\n";
		assert_eq!(bytes(text, "Rss"), Some(12 * 1024));
		assert_eq!(bytes(text, "Pss"), Some(7 * 1024));
		assert_eq!(bytes(text, "AnonHugePages"), None);
		assert_eq!(labelled(text, "model name"), Some("A chip: fast"));
	}

	#[test]
	fn a_command_may_hold_anything() {
		let expected = Some(Row { process: 7, parent: 3 });
		assert_eq!(row("7 (a) b (c)) S 3 7 7 0"), expected);
		assert_eq!(row("nonsense"), None);
	}

	#[test]
	fn a_family_has_at_least_the_memory_of_its_head() {
		let own = i32::try_from(std::process::id()).unwrap();
		assert!(Memory::of(own).resident > 0);
		assert!(Memory::of_family(own).unwrap().resident > 0);
	}

	#[test]
	fn a_process_has_had_memory() {
		assert!(peak(std::process::id()).unwrap() > 0);
		assert_eq!(peak(u32::MAX), None);
	}
}
