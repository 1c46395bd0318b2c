//! What an engine can do with files and folders.

use crate::told;
use std::{
	fs::{self, File, OpenOptions},
	io::{self, Write},
	os::{
		fd::AsRawFd,
		unix::fs::{symlink, OpenOptionsExt},
	},
	path::Path,
	ptr,
};

/// Reads a file, or the names in a folder.
pub fn look(path: &str) -> io::Result<()> {
	if fs::metadata(path)?.is_dir() {
		return fs::read_dir(path).map(drop);
	}
	fs::read(path).map(drop)
}

/// Names in a folder.
pub fn list(folder: &str) -> String {
	let names = fs::read_dir(folder).map(|entries| {
		let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
		names.collect::<Vec<_>>().join(", ")
	});
	match names {
		Ok(names) => format!("{folder}: holds {names}"),
		Err(e) => format!("{folder}: refused, {e}"),
	}
}

/// Maps the start of a file to execute it, as a loader does with a library.
pub fn map(path: &str) -> io::Result<()> {
	let file = File::open(path)?;
	let protection = libc::PROT_READ | libc::PROT_EXEC;
	// SAFETY: a new mapping, at a place that the kernel chooses, which nothing here uses.
	let mapped = unsafe {
		libc::mmap(ptr::null_mut(), 1, protection, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
	};
	if mapped == libc::MAP_FAILED {
		return Err(io::Error::last_os_error());
	}
	Ok(())
}

/// Everything that changes a folder, or fills its disk.
pub fn write(folder: &Path) -> Vec<String> {
	let new = folder.join("hostile");
	let there = folder.join("there");
	let unnamed = || {
		let mut options = OpenOptions::new();
		options.write(true).custom_flags(libc::O_TMPFILE).open(folder)
	};
	let fill = |file: io::Result<File>| file?.write_all(&[7; 1 << 20]);
	let tries = [
		("make", fill(File::create(&new))),
		("append", fill(OpenOptions::new().append(true).open(&there))),
		("unnamed", fill(unnamed())),
		("shorten", OpenOptions::new().write(true).truncate(true).open(&there).map(drop)),
		("folder", fs::create_dir(folder.join("hostile folder"))),
		("link", symlink("/", folder.join("hostile link"))),
		("hard link", fs::hard_link(&there, folder.join("hostile hard link"))),
		("rename", fs::rename(&there, folder.join("hostile name"))),
		("remove", fs::remove_file(&there)),
	];
	let all = tries.into_iter();
	all.map(|(name, done)| told(&format!("{name} in {}", folder.display()), done)).collect()
}
