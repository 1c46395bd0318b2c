//! What a process may do because of who it is.

use anyhow::Context;
use nix::{
	errno::Errno,
	sys::prctl::{set_dumpable, set_no_new_privs},
	unistd::{geteuid, setgroups, setresgid, setresuid, Gid, Uid},
};
use std::{
	fs::{self, File},
	os::unix::fs::PermissionsExt,
};

/// The user and the group that own nothing.
const NOBODY: u32 = 65_534;
/// Rights by which root becomes somebody else (CAP_SETGID, CAP_SETUID) and stops processes of
/// others (CAP_KILL), which the worker has to be able to.
const NEEDED: u64 = (1 << 6) | (1 << 7) | (1 << 5);
/// Read and execute, for everybody.
const BY_ALL: u32 = 0o005;

/// Whether this is root, who could run the engine as nobody.
pub fn can_become_nobody(engine: &File) -> anyhow::Result<bool> {
	Ok(engine.metadata()?.permissions().mode() & BY_ALL == BY_ALL && is_able_root()?)
}

/// Whether this is root with the rights that it takes to become somebody else.
pub fn is_able_root() -> anyhow::Result<bool> {
	if !geteuid().is_root() {
		return Ok(false);
	}
	let status = fs::read_to_string("/proc/self/status")?;
	let rights = rights_in(&status).context("the kernel does not tell what rights we have")?;
	Ok(rights & NEEDED == NEEDED)
}

/// Becomes nobody. Inside a container there may be no such user: then nothing changes but groups.
pub fn become_nobody() -> anyhow::Result<()> {
	let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
	let become_so = || {
		setgroups(&[])?;
		setresgid(group, group, group)?;
		setresuid(user, user, user)
	};
	match become_so() {
		// Not mapped, or nobody may change groups.
		Ok(()) | Err(Errno::EINVAL | Errno::EPERM) => {},
		Err(e) => return Err(e).context("root cannot become nobody"),
	}
	// Otherwise this process may not even write its own files in /proc.
	set_dumpable(true)?;
	Ok(())
}

/// Gives up all rights for good: neither this process nor what it executes has any, or gets any.
pub fn renounce() -> anyhow::Result<()> {
	set_no_new_privs()?;
	drop_capabilities().context("rights cannot be given up")?;
	Ok(())
}

/// `struct __user_cap_header_struct` of the kernel.
#[repr(C)]
struct Header {
	version: u32,
	process: i32,
}

/// `struct __user_cap_data_struct` of the kernel; a set of 64 has two.
#[repr(C)]
#[derive(Clone, Copy)]
struct Sets {
	effective: u32,
	permitted: u32,
	inheritable: u32,
}

fn drop_capabilities() -> Result<(), Errno> {
	let mut header = Header { version: 0x2008_0522, process: 0 };
	let none = [Sets { effective: 0, permitted: 0, inheritable: 0 }; 2];
	// SAFETY: both structures have the layout of the kernel's third version, which the header names,
	// and live until the call returns.
	let done = unsafe { libc::syscall(libc::SYS_capset, &raw mut header, none.as_ptr()) };
	Errno::result(done).map(drop)
}

/// The rights in force, from `/proc/self/status`.
fn rights_in(status: &str) -> Option<u64> {
	let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
	u64::from_str_radix(line.trim(), 16).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn rights_are_read() {
		let status = "Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t00000000000000e0\nCapBnd:\t0\n";
		assert_eq!(rights_in(status), Some(NEEDED));
		assert_eq!(rights_in("CapEff:\tnonsense\n"), None);
		assert_eq!(rights_in(""), None);
		assert!(rights_in(&fs::read_to_string("/proc/self/status").unwrap()).is_some());
	}
}
