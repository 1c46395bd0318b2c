//! Limits that count launcher and engine together, where the worker has a cgroup (version 2) of its
//! own to divide: memory with the kernel's share, processes, processor time.
//!
//! ```text
//! the worker's group ┬─ tequio-worker-PID: the worker, because a group with limits for its
//!                    │   children has no processes of its own
//!                    └─ tequio-engine-PID: a launcher and its engine
//! ```
//!
//! The last worker that ends makes it one group again. What one leaves behind that is killed, the
//! next one removes.

use super::Limits;
use anyhow::{ensure, Context};
use std::{
	fs, io,
	path::{Path, PathBuf},
	process, thread,
	time::Duration,
};

/// Names of groups begin with one of these.
const WORKER: &str = "tequio-worker-";
const ENGINE: &str = "tequio-engine-";
/// What has to be at hand.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];
/// The file of a group that tells, and takes, its processes.
const PROCESSES: &str = "cgroup.procs";
/// The file of a group that tells, and takes, what controls its parts.
const CONTROL: &str = "cgroup.subtree_control";
/// Bytes beside an engine's own memory: launcher, page tables, stacks in the kernel.
const OTHER_MEMORY: u64 = 64 << 20;
/// Microseconds over which processor time is counted.
const PERIOD: u64 = 100_000;
/// How often a group is made again that somebody removed before it was used.
const TRIES: usize = 8;
/// How often, and how long after each other, the groups of engines are looked at that are about to
/// end with this process.
const PARTING: (u32, Duration) = (100, Duration::from_millis(10));

/// A group that is divided. When this is dropped it is one again, unless somebody else needs it as it
/// is.
#[derive(Debug)]
pub struct Claim {
	group: PathBuf,
	/// That of this process.
	own: PathBuf,
	/// What did not control its parts before.
	added: Vec<&'static str>,
}

impl Claim {
	/// The group.
	pub fn group(&self) -> &Path {
		&self.group
	}
}

impl Drop for Claim {
	/// What the kernel does not allow is left: an empty folder, which the next worker removes.
	fn drop(&mut self) {
		let Self { group, own, added } = self;
		if are_alone(group, own) && !added.is_empty() {
			let _ = control(group, '-', added);
		}
		let moved = fs::write(group.join(PROCESSES), process::id().to_string());
		let _ = moved.and_then(|()| fs::remove_dir(own));
	}
}

/// Divides the group of this process.
pub fn claim() -> anyhow::Result<Claim> {
	let mounts = fs::read_to_string("/proc/self/mountinfo")?;
	let groups = fs::read_to_string("/proc/self/cgroup")?;
	let group = folder(&mounts, &groups).context("there is no cgroup v2 here")?;
	let own = format!("{WORKER}{}", process::id());
	// Divided before.
	if let Some(parent) = group.parent().filter(|_| group.ends_with(&own)) {
		return Ok(Claim { group: parent.into(), own: group.clone(), added: vec![] });
	}
	let there = fs::read_to_string(group.join("cgroup.controllers"))
		.with_context(|| format!("the cgroup {group:?} cannot be read"))?;
	let is_there = |wanted: &&str| there.split_whitespace().any(|name| name == *wanted);
	let lacking: Vec<_> = CONTROLLERS.into_iter().filter(|wanted| !is_there(wanted)).collect();
	ensure!(lacking.is_empty(), "the cgroup {group:?} does not control {}", lacking.join(", "));
	let own = group.join(own);
	let added =
		divide(&group, &own).with_context(|| format!("the cgroup {group:?} is not ours"))?;
	Ok(Claim { group, own, added })
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

/// Moves this process into `own`, so that `group` can limit its children. Returns the controllers
/// that did not do so before.
fn divide(group: &Path, own: &Path) -> io::Result<Vec<&'static str>> {
	make(own)?;
	let before = fs::read_to_string(group.join(CONTROL)).unwrap_or_default();
	let is_new = |name: &&str| !before.split_whitespace().any(|old| old == *name);
	let added: Vec<_> = CONTROLLERS.into_iter().filter(is_new).collect();
	let divided = fs::write(own.join(PROCESSES), process::id().to_string())
		.and_then(|()| control(group, '+', &CONTROLLERS));
	if divided.is_err() {
		// As it was. What cannot be undone was not done.
		let _ = fs::write(group.join(PROCESSES), process::id().to_string());
		let _ = fs::remove_dir(own);
	}
	divided.map(|()| added)
}

/// Has a group control its parts, `+`, or not, `-`.
fn control(group: &Path, sign: char, controllers: &[&str]) -> io::Result<()> {
	let signed: Vec<_> = controllers.iter().map(|name| format!("{sign}{name}")).collect();
	fs::write(group.join(CONTROL), signed.join(" "))
}

/// Whether a group has no worker but that of `own`, and no engine. Engines of this process that have
/// been killed are waited for, but not for long.
fn are_alone(group: &Path, own: &Path) -> bool {
	for _ in 0..PARTING.0 {
		remove_unused(group);
		let others: Vec<_> = groups(group).into_iter().filter(|other| other != own).collect();
		let is_worker = |other: &PathBuf| name(other).starts_with(WORKER);
		if others.is_empty() || others.iter().any(is_worker) {
			return others.is_empty();
		}
		thread::sleep(PARTING.1);
	}
	false
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
	fs::write(own.join(PROCESSES), process::id().to_string())
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
	for unused in groups(group) {
		let _ = fs::remove_dir(unused);
	}
}

/// The groups of engines and workers.
fn groups(group: &Path) -> Vec<PathBuf> {
	let entries = fs::read_dir(group).into_iter().flatten().filter_map(Result::ok);
	let is_ours = |path: &PathBuf| [WORKER, ENGINE].iter().any(|ours| name(path).starts_with(ours));
	entries.map(|entry| entry.path()).filter(is_ours).collect()
}

fn name(group: &Path) -> String {
	group.file_name().unwrap_or_default().to_string_lossy().into_owned()
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
		let added = divide(group.path(), &group.path().join("worker")).unwrap();
		assert_eq!(added, CONTROLLERS);
		assert_eq!(text("worker/cgroup.procs"), own);
		assert_eq!(text("cgroup.subtree_control"), "+cpu +memory +pids");
		join(group.path(), &limits(Some(100))).unwrap();
		let engine = format!("{ENGINE}{own}");
		assert_eq!(text(&format!("{engine}/cgroup.procs")), own);
		assert_eq!(text(&format!("{engine}/cpu.max")), "400000 100000");
	}

	/// In a folder like a group that was divided, with these others in it.
	fn give_up(added: Vec<&'static str>, others: &[&str]) -> (String, String, bool) {
		let group = tempfile::tempdir().unwrap();
		let path = |name: &str| group.path().join(name);
		let own = path(&format!("{WORKER}1"));
		fs::create_dir(&own).unwrap();
		fs::write(path(CONTROL), "as before").unwrap();
		// The kernel keeps groups with processes; a file system those with files.
		fs::create_dir(path(&format!("{ENGINE}7"))).unwrap();
		for other in others {
			fs::create_dir(path(other)).unwrap();
			fs::write(path(other).join("process"), "").unwrap();
		}
		drop(Claim { group: group.path().into(), own: own.clone(), added });
		assert!(!path(&format!("{ENGINE}7")).exists());
		assert!(others.iter().all(|other| path(other).exists()));
		let text = |name| fs::read_to_string(path(name)).unwrap();
		(text(CONTROL), text(PROCESSES), own.exists())
	}

	#[test]
	fn a_group_is_one_again_when_its_last_worker_ends() {
		let pid = process::id().to_string();
		let undone = give_up(vec!["cpu", "pids"], &["other"]);
		assert_eq!(undone, ("-cpu -pids".into(), pid.clone(), false));
		// Somebody else had it divided.
		assert_eq!(give_up(vec![], &[]), ("as before".into(), pid.clone(), false));
		// Others need it divided.
		let (worker, engine) = (format!("{WORKER}2"), format!("{ENGINE}2"));
		for others in [vec![worker.as_str(), engine.as_str()], vec![engine.as_str()]] {
			let kept = give_up(vec!["cpu"], &others);
			assert_eq!(kept, ("as before".into(), pid.clone(), false));
		}
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
