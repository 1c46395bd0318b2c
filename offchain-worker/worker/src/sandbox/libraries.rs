//! The folder of libraries that one engine needs besides those of the system. Wherever it lies, the
//! engine sees it under the same path, reads it, and cannot change it.

use anyhow::Context;
use nix::errno::Errno;
use std::{
	ffi::CString,
	fs,
	os::{
		fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
		unix::{ffi::OsStrExt, fs::PermissionsExt},
	},
	path::{Path, PathBuf},
};

/// List and enter a folder, for everybody.
const FOLDER_BY_ALL: u32 = 0o005;
/// Read a file, for everybody.
const FILE_BY_ALL: u32 = 0o004;
/// Names of the kernel (`linux/mount.h`): copy what is mounted, close the descriptor of the copy in
/// programs that are executed, name it by its descriptor alone.
const OPEN_TREE_CLONE: libc::c_int = 1;
const OPEN_TREE_CLOEXEC: libc::c_int = libc::O_CLOEXEC;
const MOVE_MOUNT_F_EMPTY_PATH: libc::c_int = 4;

/// The folder, and a hold of it where this process could get one.
#[derive(Debug)]
pub struct Libraries {
	dir: PathBuf,
	/// A copy of what is mounted there, which is mounted nowhere yet.
	held: Option<OwnedFd>,
}

impl Libraries {
	/// Finds them. Root takes hold of them here, because nobody may not find the way to them; others
	/// can once they have namespaces.
	pub fn find(dir: &Path) -> Self {
		Self { dir: dir.into(), held: copy(dir).ok() }
	}

	/// The folder.
	pub fn dir(&self) -> &Path {
		&self.dir
	}

	/// The descriptor of the hold.
	pub fn held(&self) -> Option<RawFd> {
		self.held.as_ref().map(OwnedFd::as_raw_fd)
	}

	/// Whether the user who owns nothing may read them. `are_shown`: in a root folder of their own, to
	/// which a hold is the way.
	pub fn are_for_nobody(&self, are_shown: bool) -> bool {
		let folders = if are_shown && self.held.is_some() { 1 } else { usize::MAX };
		self.dir.ancestors().take(folders).all(|dir| allows(dir, FOLDER_BY_ALL))
			&& fs::read_dir(&self.dir)
				.is_ok_and(|files| files.flatten().all(|file| allows(&file.path(), FILE_BY_ALL)))
	}

	/// Takes hold of them, if that is not done. In namespaces of its own any process may.
	pub fn take_hold(&mut self) -> anyhow::Result<()> {
		if self.held.is_none() {
			let held = copy(&self.dir);
			self.held = Some(held.with_context(|| format!("{:?} cannot be shown", self.dir))?);
		}
		Ok(())
	}

	/// Puts what is held there on another folder, which then shows it.
	pub fn put_on(&mut self, folder: &Path) -> anyhow::Result<()> {
		let held = self.held.take().context("the libraries are not held")?;
		let folder = CString::new(folder.as_os_str().as_bytes())?;
		// SAFETY: both paths end with a zero and live until the call returns.
		let done = unsafe {
			libc::syscall(
				libc::SYS_move_mount,
				held.as_raw_fd(),
				c"".as_ptr(),
				libc::AT_FDCWD,
				folder.as_ptr(),
				MOVE_MOUNT_F_EMPTY_PATH,
			)
		};
		Errno::result(done).with_context(|| format!("{folder:?} cannot be mounted"))?;
		Ok(())
	}
}

/// A copy of what is mounted at a folder, below it too.
fn copy(dir: &Path) -> anyhow::Result<OwnedFd> {
	let path = CString::new(dir.as_os_str().as_bytes())?;
	let flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE;
	// SAFETY: the path ends with a zero and lives until the call returns.
	let made = unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) };
	let made = RawFd::try_from(Errno::result(made)?)?;
	// SAFETY: the kernel has just made it, for nobody else.
	Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// Whether everybody may do this with a file or folder, or with what a link leads to.
fn allows(path: &Path, rights: u32) -> bool {
	fs::metadata(path).is_ok_and(|about| about.permissions().mode() & rights == rights)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn what_only_its_owner_reads_is_not_for_nobody() {
		let home = tempfile::tempdir().unwrap();
		let dir = home.path().join("lib");
		fs::create_dir(&dir).unwrap();
		let file = dir.join("libtorch_cpu.so");
		fs::write(&file, "").unwrap();
		let set = |path: &Path, mode| {
			fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
		};
		let libraries = Libraries { dir: dir.clone(), held: None };
		let are_for_nobody = || libraries.are_for_nobody(true);
		for (folder, way, library, expected) in [
			(0o755, 0o755, 0o644, true),
			(0o700, 0o755, 0o644, false),
			(0o755, 0o700, 0o644, false),
			(0o755, 0o755, 0o600, false),
		] {
			set(home.path(), way);
			set(&dir, folder);
			set(&file, library);
			assert_eq!(are_for_nobody(), expected, "{folder:o} {way:o} {library:o}");
		}
	}

	#[test]
	fn a_hold_is_the_way_in_a_root_of_its_own_alone() {
		let home = tempfile::tempdir().unwrap();
		let dir = home.path().join("lib");
		fs::create_dir(&dir).unwrap();
		fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
		fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
		let held = Some(fs::File::open(&dir).unwrap().into());
		let libraries = Libraries { dir, held };
		assert!(libraries.are_for_nobody(true));
		assert!(!libraries.are_for_nobody(false));
	}
}
