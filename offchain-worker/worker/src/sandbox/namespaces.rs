//! A world of its own: no network, no other processes, and a root folder that holds nothing but
//! libraries, a few facts about the processors, and `/proc` of that world.

use super::{files::VISIBLE, libraries::Libraries};
use anyhow::{ensure, Context};
use nix::{
	errno::Errno,
	mount::{mount, umount2, MntFlags, MsFlags},
	sched::{unshare, CloneFlags},
	unistd::{getegid, geteuid, pivot_root},
};
use std::{
	env,
	ffi::CString,
	fmt, fs, io,
	os::unix::fs::symlink,
	path::{Path, PathBuf},
};

/// How to get namespaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
	/// In a user namespace, as most kernels allow everybody. Whoever is in there is the same user,
	/// and is nobody in particular to everything outside.
	User,
	/// Without one; takes CAP_SYS_ADMIN.
	Plain,
}

/// Where the new root is put together, out of sight of everybody else.
const ROOT: &str = "/tmp";

impl Way {
	/// All that this process can try.
	pub fn all() -> &'static [Self] {
		// An error of root's way would tell others nothing.
		if geteuid().is_root() {
			&[Self::User, Self::Plain]
		} else {
			&[Self::User]
		}
	}
}

impl fmt::Display for Way {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(match self {
			Self::User => "user",
			Self::Plain => "plain",
		})
	}
}

/// Takes this process out of all namespaces but that of files. Its next child is the first process
/// of its own namespace.
pub fn separate(way: Way) -> anyhow::Result<()> {
	let (user, group) = (geteuid(), getegid());
	let apart = CloneFlags::CLONE_NEWNET
		| CloneFlags::CLONE_NEWPID
		| CloneFlags::CLONE_NEWIPC
		| CloneFlags::CLONE_NEWUTS
		| CloneFlags::CLONE_NEWCGROUP;
	match way {
		Way::Plain => unshare(apart).context("no namespaces as root"),
		Way::User => {
			unshare(apart | CloneFlags::CLONE_NEWUSER).context("no user namespace")?;
			// The kernel lets nobody map groups who could still shed them.
			write("/proc/self/setgroups", "deny")?;
			write("/proc/self/uid_map", &format!("{user} {user} 1"))?;
			write("/proc/self/gid_map", &format!("{group} {group} 1"))
		},
	}
}

/// Puts this process, the first of its namespace, under a root of its own, which cannot be written
/// to. `libraries`: what it shows besides those of the system.
pub fn change_root(mut libraries: Option<Libraries>) -> anyhow::Result<()> {
	unshare(CloneFlags::CLONE_NEWNS).context("no namespace of files")?;
	// Whatever is mounted from now on is seen by nobody else.
	let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
	attach(None, Path::new("/"), None, private, None)?;
	// Before the new root hides them, which may be the case.
	libraries.as_mut().map_or(Ok(()), Libraries::take_hold)?;
	let root = Path::new(ROOT);
	let tmpfs = Some("tmpfs");
	attach(tmpfs, root, tmpfs, bare(), Some("size=1m,mode=755"))?;
	for place in VISIBLE {
		reproduce(Path::new(place), root).with_context(|| format!("{place} in the new root"))?;
	}
	if let Some(libraries) = &mut libraries {
		show(libraries, root).with_context(|| format!("{:?} in the new root", libraries.dir()))?;
	}
	let proc = root.join("proc");
	fs::create_dir(&proc)?;
	// A container that hides parts of its own /proc does not allow a fresh one. Then there is none.
	let fresh = Some("proc");
	match mount(fresh, &proc, fresh, bare(), None::<&str>) {
		Ok(()) | Err(Errno::EPERM) => {},
		Err(e) => return Err(e).context("no /proc in the new root"),
	}
	forbid_writing()?;
	env::set_current_dir(root)?;
	pivot_root(".", ".").context("the root cannot be changed")?;
	// The old root lies on the new one.
	umount2(".", MntFlags::MNT_DETACH).context("the old root cannot be left")?;
	Ok(env::set_current_dir("/")?)
}

/// Shows a place of the old root in the new one, if there is such a place.
fn reproduce(place: &Path, root: &Path) -> anyhow::Result<()> {
	let about = match fs::symlink_metadata(place) {
		Ok(about) => about,
		Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
		Err(e) => return Err(e.into()),
	};
	let target = within(root, place);
	if let Some(parent) = target.parent() {
		fs::create_dir_all(parent)?;
	}
	if about.is_symlink() {
		return Ok(symlink(fs::read_link(place)?, target)?);
	}
	if about.is_dir() {
		fs::create_dir(&target)?;
	} else {
		fs::write(&target, [])?;
	}
	let whole = MsFlags::MS_BIND | MsFlags::MS_REC;
	attach(place.to_str(), &target, None, whole, None)
}

/// Shows libraries in the new root. The folders on the way to them hold nothing else.
fn show(libraries: &mut Libraries, root: &Path) -> anyhow::Result<()> {
	let dir = libraries.dir();
	ensure!(dir.parent().is_some(), "that is everything");
	if VISIBLE.iter().any(|place| dir.starts_with(place)) {
		return Ok(());
	}
	let target = within(root, dir);
	fs::create_dir_all(&target)?;
	libraries.put_on(&target)
}

/// The path of a place under another root.
fn within(root: &Path, place: &Path) -> PathBuf {
	root.join(place.strip_prefix("/").unwrap_or(place))
}

/// Nothing on it is a program, a device, or gives rights.
fn bare() -> MsFlags {
	MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC
}

/// Makes everything under the new root read-only.
fn forbid_writing() -> anyhow::Result<()> {
	let attributes = libc::mount_attr {
		attr_set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID | libc::MOUNT_ATTR_NODEV,
		attr_clr: 0,
		propagation: 0,
		userns_fd: 0,
	};
	let root = CString::new(ROOT)?;
	// SAFETY: the path ends with a zero, the structure is the kernel's, of the size that is told, and
	// both live until the call returns.
	let done = unsafe {
		libc::syscall(
			libc::SYS_mount_setattr,
			libc::AT_FDCWD,
			root.as_ptr(),
			libc::AT_RECURSIVE,
			&raw const attributes,
			size_of::<libc::mount_attr>(),
		)
	};
	match Errno::result(done) {
		// Before Linux 5.12 the owners of these files, and the filter, keep an engine from writing.
		Ok(_) | Err(Errno::ENOSYS) => Ok(()),
		Err(e) => Err(e).context("the new root stays writable"),
	}
}

fn attach(
	source: Option<&str>,
	target: &Path,
	kind: Option<&str>,
	flags: MsFlags,
	options: Option<&str>,
) -> anyhow::Result<()> {
	mount(source, target, kind, flags, options)
		.with_context(|| format!("{target:?} cannot be mounted"))
}

fn write(path: &str, text: &str) -> anyhow::Result<()> {
	fs::write(path, text).with_context(|| format!("{path} cannot be written"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use clap::ValueEnum;

	#[test]
	fn ways_are_named_as_the_command_line_names_them() {
		for way in [Way::User, Way::Plain] {
			assert_eq!(Way::from_str(&way.to_string(), false), Ok(way));
		}
	}

	#[test]
	fn places_keep_their_paths() {
		let root = Path::new("/tmp");
		assert_eq!(within(root, Path::new("/usr/lib")), Path::new("/tmp/usr/lib"));
		assert_eq!(within(root, Path::new("/lib")), Path::new("/tmp/lib"));
	}

	#[test]
	fn links_are_reproduced_as_links() {
		let folder = tempfile::tempdir().unwrap();
		let place = folder.path().join("lib");
		symlink("usr/lib", &place).unwrap();
		let root = folder.path().join("root");
		reproduce(&place, &root).unwrap();
		assert_eq!(fs::read_link(within(&root, &place)).unwrap(), Path::new("usr/lib"));
		reproduce(&folder.path().join("missing"), &root).unwrap();
		assert!(!within(&root, &folder.path().join("missing")).exists());
	}
}
