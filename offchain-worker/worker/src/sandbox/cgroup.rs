//! Limits that count launcher and engine together, where the worker has a cgroup (version 2) of its
//! own to divide: memory with the kernel's share, processes, processor time.
//!
//! ```text
//! the worker's group ┬─ tequio-worker-PID: the worker, because a group with limits for its
//!                    │   children has no processes of its own
//!                    └─ tequio-engine-PID: a launcher and its engine
//! ```

use super::Limits;
use anyhow::{ensure, Context};
use std::{
	fs, io,
	path::{Path, PathBuf},
	process,
};

/// Names of groups begin with one of these.
const WORKER: &str = "tequio-worker-";
const ENGINE: &str = "tequio-engine-";
/// What has to be at hand.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];
/// Bytes beside an engine's own memory: launcher, page tables, stacks in the kernel.
const OTHER_MEMORY: u64 = 64 << 20;
/// Microseconds over which processor time is counted.
const PERIOD: u64 = 100_000;
/// How often a group is made again that somebody removed before it was used.
const TRIES: usize = 8;

/// Divides the group of this process, and returns it.
pub fn claim() -> anyhow::Result<PathBuf> {
	let mounts = fs::read_to_string("/proc/self/mountinfo")?;
	let groups = fs::read_to_string("/proc/self/cgroup")?;
	let group = folder(&mounts, &groups).context("there is no cgroup v2 here")?;
	let own = format!("{WORKER}{}", process::id());
	// Divided before.
	if let Some(parent) = group.parent().filter(|_| group.ends_with(&own)) {
		return Ok(parent.into());
	}
	let there = fs::read_to_string(group.join("cgroup.controllers"))
		.with_context(|| format!("the cgroup {group:?} cannot be read"))?;
	let is_there = |wanted: &&str| there.split_whitespace().any(|name| name == *wanted);
	let lacking: Vec<_> = CONTROLLERS.into_iter().filter(|wanted| !is_there(wanted)).collect();
	ensure!(lacking.is_empty(), "the cgroup {group:?} does not control {}", lacking.join(", "));
	divide(&group, &group.join(own))
		.with_context(|| format!("the cgroup {group:?} is not ours"))?;
	Ok(group)
}

/// Puts this process into a group of its own making: its memory, processes and processor time are
/// limited together with those of its children.
pub fn join(group: &Path, limits: &Limits) -> anyhow::Result<()> {
	remove_unused(group);
	let own = group.join(format!("{ENGINE}{}", process::id()));
	for _ in 0..TRIES {
		match enter(&own, limits) {
			// Another launcher took it for one that is not used any more.
			Err(e) if is_gone(&e) => {},
			entered => return entered.with_context(|| format!("the cgroup {own:?}")),
		}
	}
	anyhow::bail!("the cgroup {own:?} vanishes")
}

/// Moves this process into `own`, so that `group` can limit its children.
fn divide(group: &Path, own: &Path) -> io::Result<()> {
	make(own)?;
	let wanted = CONTROLLERS.map(|name| format!("+{name}")).join(" ");
	let divided = fs::write(own.join("cgroup.procs"), process::id().to_string())
		.and_then(|()| fs::write(group.join("cgroup.subtree_control"), wanted));
	if divided.is_err() {
		// As it was. What cannot be undone was not done.
		let _ = fs::write(group.join("cgroup.procs"), process::id().to_string());
		let _ = fs::remove_dir(own);
	}
	divided
}

fn enter(own: &Path, limits: &Limits) -> io::Result<()> {
	make(own)?;
	for (file, value) in settings(limits) {
		fs::write(own.join(file), value)?;
	}
	// Not on every machine: memory that is swapped out would not count; and all go together.
	for (file, value) in [("memory.swap.max", "0"), ("memory.oom.group", "1")] {
		let _ = fs::write(own.join(file), value);
	}
	fs::write(own.join("cgroup.procs"), process::id().to_string())
}

/// Whether a group is not there any more, or went while its file was open.
fn is_gone(error: &io::Error) -> bool {
	error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENODEV)
}

fn make(group: &Path) -> io::Result<()> {
	match fs::create_dir(group) {
		Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
		made => made,
	}
}

/// Files of a group, and what is written to them.
fn settings(limits: &Limits) -> Vec<(&'static str, String)> {
	let memory = limits.memory.saturating_add(OTHER_MEMORY);
	// The launcher is one more.
	let tasks = limits.tasks().saturating_add(1);
	let mut settings = vec![("memory.max", memory.to_string()), ("pids.max", tasks.to_string())];
	if let Some(percent) = limits.cpu_percent {
		let share = u64::from(percent).saturating_mul(PERIOD / 100);
		let time = share.saturating_mul(limits.threads.into());
		settings.push(("cpu.max", format!("{time} {PERIOD}")));
	}
	settings
}

/// Removes the groups of engines and workers that have ended. The kernel keeps those with processes.
fn remove_unused(group: &Path) {
	let entries = fs::read_dir(group).into_iter().flatten().filter_map(Result::ok);
	for entry in entries {
		let name = entry.file_name().to_string_lossy().into_owned();
		if [WORKER, ENGINE].iter().any(|ours| name.starts_with(ours)) {
			let _ = fs::remove_dir(entry.path());
		}
	}
}

/// The folder of a process's group. `mounts`: its `/proc/self/mountinfo`; `groups`: its
/// `/proc/self/cgroup`.
fn folder(mounts: &str, groups: &str) -> Option<PathBuf> {
	let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
	mounts.lines().find_map(|line| {
		let (place, kind) = line.split_once(" - ")?;
		if kind.split(' ').next() != Some("cgroup2") {
			return None;
		}
		// Of the file system this part is mounted here.
		let mut fields = place.split(' ').skip(3);
		let (part, mounted) = (fields.next()?, fields.next()?);
		let inside = Path::new(group).strip_prefix(part).ok()?;
		Some(Path::new(mounted).join(inside))
	})
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	const MOUNTS: &str = "\
		23 28 0:22 / /sys rw,nosuid - sysfs sysfs rw\n\
		30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

	fn limits(cpu_percent: Option<u32>) -> Limits {
		Limits { memory: 1 << 30, threads: 4, cpu_percent }
	}

	#[test]
	fn the_folder_of_a_group_is_found() {
		let found = |mounts, groups| folder(mounts, groups);
		let unit = "0::/system.slice/tequio.service\n";
		let path = Path::new("/sys/fs/cgroup/system.slice/tequio.service");
		assert_eq!(found(MOUNTS, unit).as_deref(), Some(path));
		assert_eq!(found(MOUNTS, "0::/\n"), Some("/sys/fs/cgroup/".into()));
		let hybrid = "31 23 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
		let both = "4:memory:/a\n0::/b\n";
		assert_eq!(found(hybrid, both), Some("/sys/fs/cgroup/unified/b".into()));
		let part = "31 23 0:27 /pod/one /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
		assert_eq!(found(part, "0::/pod/one/x\n"), Some("/sys/fs/cgroup/x".into()));
		assert_eq!(found(part, "0::/elsewhere\n"), None);
		assert_eq!(found(MOUNTS, "4:memory:/a\n"), None);
		assert_eq!(found("nonsense\n - \n", unit), None);
	}

	#[test]
	fn limits_become_settings() {
		let memory = ((1_u64 << 30) + OTHER_MEMORY).to_string();
		let mut expected = vec![("memory.max", memory), ("pids.max", "29".to_string())];
		assert_eq!(settings(&limits(None)), expected);
		expected.push(("cpu.max", "200000 100000".to_string()));
		assert_eq!(settings(&limits(Some(50))), expected);
	}

	#[test]
	fn a_group_is_divided_and_joined() {
		let group = tempfile::tempdir().unwrap();
		let text = |name: &str| fs::read_to_string(group.path().join(name)).unwrap();
		let own = process::id().to_string();
		divide(group.path(), &group.path().join("worker")).unwrap();
		assert_eq!(text("worker/cgroup.procs"), own);
		assert_eq!(text("cgroup.subtree_control"), "+cpu +memory +pids");
		join(group.path(), &limits(Some(100))).unwrap();
		let engine = format!("{ENGINE}{own}");
		assert_eq!(text(&format!("{engine}/cgroup.procs")), own);
		assert_eq!(text(&format!("{engine}/cpu.max")), "400000 100000");
	}

	#[test]
	fn a_group_that_cannot_be_divided_stays_as_it_was() {
		let group = tempfile::tempdir().unwrap();
		let worker = group.path().join("worker");
		// Like a group that has other processes.
		fs::create_dir(group.path().join("cgroup.subtree_control")).unwrap();
		assert!(divide(group.path(), &worker).is_err());
		let back = fs::read_to_string(group.path().join("cgroup.procs")).unwrap();
		assert_eq!(back, process::id().to_string());
		assert!(divide(&group.path().join("nowhere"), &worker.join("x")).is_err());
	}

	#[test]
	fn groups_that_are_not_used_are_removed() {
		let group = tempfile::tempdir().unwrap();
		let (unused, used) = (format!("{ENGINE}1"), format!("{ENGINE}2"));
		for name in [unused.as_str(), used.as_str(), "other"] {
			fs::create_dir(group.path().join(name)).unwrap();
		}
		fs::write(group.path().join(&used).join("process"), "").unwrap();
		remove_unused(group.path());
		assert!(!group.path().join(&unused).exists());
		assert!(group.path().join(&used).exists() && group.path().join("other").exists());
	}
}
