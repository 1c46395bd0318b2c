//! The files of a folder, as the journal needs them. A trait, because what happens to them when the
//! power goes can only be tried out on a disk that is played.

use super::JournalError;
use std::{
	fmt::Debug,
	fs::{self, File, OpenOptions, TryLockError},
	io::{self, Read, Seek, SeekFrom, Write},
	path::{Path, PathBuf},
};

/// Files by name. What is written, cut off, renamed or removed is certain to outlive a power loss
/// only once it was synced: bytes of a file by `sync`, names by `sync_names`.
pub trait Disk: Debug {
	/// An open file. It is read from its start.
	type File: Debug + Read;

	/// Opens a file that is there.
	fn open(&self, name: &str) -> io::Result<Self::File>;

	/// Makes a file that is not there.
	fn create(&self, name: &str) -> io::Result<Self::File>;

	/// Writes where the last one ended. After an error any part of the bytes may be in the file.
	fn append(&self, file: &mut Self::File, bytes: &[u8]) -> io::Result<()>;

	/// Makes the file end here, and what is appended begin here.
	fn cut(&self, file: &mut Self::File, size: u64) -> io::Result<()>;

	/// Waits until the bytes of a file are on the disk.
	fn sync(&self, file: &Self::File) -> io::Result<()>;

	/// Gives a file another name, and takes the name from the one that has it.
	fn rename(&self, from: &str, to: &str) -> io::Result<()>;

	/// Removes a file.
	fn remove(&self, name: &str) -> io::Result<()>;

	/// Waits until the names of all files are on the disk.
	fn sync_names(&self) -> io::Result<()>;

	/// Where a file lies, for people.
	fn path(&self, name: &str) -> PathBuf;
}

/// A folder that no other process uses meanwhile.
#[derive(Debug)]
pub struct Folder {
	path: PathBuf,
	_lock: File,
}

impl Folder {
	/// Keeps other workers out of a folder.
	pub fn lock(path: &Path) -> Result<Self, JournalError> {
		let lock_path = path.join("lock");
		let failed = |error| JournalError::Io { path: lock_path.clone(), error };
		let lock = files().create(true).truncate(false).open(&lock_path).map_err(failed)?;
		lock.try_lock().map_err(|e| match e {
			TryLockError::WouldBlock => JournalError::InUse(path.to_path_buf()),
			TryLockError::Error(error) => failed(error),
		})?;
		Ok(Self { path: path.to_path_buf(), _lock: lock })
	}
}

impl Disk for Folder {
	type File = File;

	fn open(&self, name: &str) -> io::Result<File> {
		files().open(self.path(name))
	}

	fn create(&self, name: &str) -> io::Result<File> {
		files().create_new(true).open(self.path(name))
	}

	fn append(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
		file.write_all(bytes)
	}

	fn cut(&self, file: &mut File, size: u64) -> io::Result<()> {
		file.set_len(size)?;
		file.seek(SeekFrom::Start(size)).map(drop)
	}

	fn sync(&self, file: &File) -> io::Result<()> {
		file.sync_data()
	}

	fn rename(&self, from: &str, to: &str) -> io::Result<()> {
		fs::rename(self.path(from), self.path(to))
	}

	fn remove(&self, name: &str) -> io::Result<()> {
		fs::remove_file(self.path(name))
	}

	fn sync_names(&self) -> io::Result<()> {
		File::open(&self.path)?.sync_all()
	}

	fn path(&self, name: &str) -> PathBuf {
		self.path.join(name)
	}
}

fn files() -> OpenOptions {
	let mut options = OpenOptions::new();
	options.read(true).write(true);
	options
}
