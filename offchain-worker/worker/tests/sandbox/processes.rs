//! Processes as the kernel tells of them.

use nix::unistd::Pid;
use std::fs;

/// A process as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
	pub id: Pid,
	pub parent: Pid,
}

impl Process {
	/// What it was started as: the first word of its command line.
	pub fn program(&self) -> String {
		let line = fs::read_to_string(format!("/proc/{}/cmdline", self.id)).unwrap_or_default();
		line.split('\0').next().unwrap_or_default().into()
	}

	/// A line of its status.
	pub fn status(&self, name: &str) -> String {
		let status = fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap();
		let value = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
		value.unwrap_or_default().trim().into()
	}
}

/// All processes but those that have ended and are not collected.
pub fn processes() -> Vec<Process> {
	let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
	let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
	let seen = |id: i32| {
		let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
		// After the name, in parentheses: state, parent.
		let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
		let is_there = !matches!(fields.next()?, "Z" | "X");
		let parent = Pid::from_raw(fields.next()?.parse().ok()?);
		is_there.then_some(Process { id: Pid::from_raw(id), parent })
	};
	ids.filter_map(seen).collect()
}

/// Whether one process was started by another, or by one that was.
pub fn descends(all: &[Process], process: &Process, from: Pid) -> bool {
	let parent = all.iter().find(|other| other.id == process.parent);
	process.parent == from || parent.is_some_and(|parent| descends(all, parent, from))
}

pub fn is_alive(id: Pid) -> bool {
	processes().iter().any(|process| process.id == id)
}
