//! What an engine may take of the machine.

use super::{Limits, Way};
use anyhow::Context;
use nix::{
	errno::Errno,
	sys::{
		resource::{getrlimit, setrlimit, Resource},
		utsname::uname,
	},
};
use std::fs;

/// Open files: the three pipes, and what a loader needs at the start.
const OPEN_FILES: u64 = 32;
/// Bytes of the first thread's stack, and the room below it: what is usual.
const STACK: u64 = 8 << 20;
/// The lowest priority.
const NICE: libc::c_int = 19;
/// The kernel that runs out of memory takes these processes first.
const FIRST_TO_GO: &str = "1000";

/// Lets everybody else go first, and leaves no core file. For launcher and engine.
pub fn stand_back() -> anyhow::Result<()> {
	// SAFETY: a system call on integers.
	let done = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
	Errno::result(done).context("the priority cannot be lowered")?;
	// A courtesy, which some containers do not allow.
	let _ = fs::write("/proc/self/oom_score_adj", FIRST_TO_GO);
	limit(Resource::RLIMIT_CORE, 0)
}

/// Limits this process, and what it executes, for good.
pub fn set(limits: &Limits, namespaces: Option<Way>) -> anyhow::Result<()> {
	limit(Resource::RLIMIT_NOFILE, OPEN_FILES)?;
	limit(Resource::RLIMIT_FSIZE, 0)?;
	limit(Resource::RLIMIT_STACK, STACK)?;
	// Elsewhere all processes of the user count, and an engine would be stopped by its owner's.
	let alone = namespaces == Some(Way::User) && counts_by_namespace(&release()?);
	if alone {
		limit(Resource::RLIMIT_NPROC, limits.tasks())?;
	}
	limit(Resource::RLIMIT_AS, limits.memory)
}

/// Limits a resource to what it is limited to already or less.
fn limit(resource: Resource, most: u64) -> anyhow::Result<()> {
	let change = || {
		let (_, now) = getrlimit(resource)?;
		let limit = most.min(now);
		setrlimit(resource, limit, limit)
	};
	change().with_context(|| format!("{resource:?} cannot be lowered"))
}

fn release() -> anyhow::Result<String> {
	let kernel = uname().context("the kernel does not tell its version")?;
	Ok(kernel.release().to_string_lossy().into_owned())
}

/// Whether a kernel counts processes by user *and* user namespace: since Linux 5.14.
fn counts_by_namespace(release: &str) -> bool {
	let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
	match (numbers.next(), numbers.next()) {
		(Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= (5, 14),
		_ => false,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn versions_are_compared_by_number() {
		for (release, counts) in [
			("5.14.0", true),
			("5.13.19-generic", false),
			("6.1.0-28-amd64", true),
			("10.0", true),
			("4.19", false),
			("5.9", false),
			("5.15-rc1", true),
			("", false),
			("nonsense", false),
		] {
			assert_eq!(counts_by_namespace(release), counts, "{release}");
		}
	}
}
