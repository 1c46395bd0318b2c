//! Inputs and outputs of programs, by the blake2_256 hash of their bytes.
//!
//! An engine has neither files nor a network: what it needs is fetched from a [`Store`] and handed
//! in through its pipe, and what it yields is put there. Whoever asks names a hash, so that nobody
//! can hand in anything else.

use sp_crypto_hashing::blake2_256;
use std::{
	fmt,
	fs::{self, File, OpenOptions, Permissions},
	io::{self, ErrorKind, Read, Write},
	os::unix::fs::{OpenOptionsExt, PermissionsExt},
	path::{Path, PathBuf},
	process,
	sync::atomic::{AtomicU64, Ordering},
	time::Duration,
};

/// Bytes that a folder may come to hold.
const MOST_BYTES: u64 = 64 << 30;
/// Names that are tried for a file that is being written.
const TRIES: u32 = 8;
/// How the name of such a file begins and ends.
const UNFINISHED: (&str, &str) = (".", ".new");
/// Age at which nobody writes to it any more.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// Where bytes are found by their hash.
pub trait Store: fmt::Debug + Send + Sync {
	/// The bytes with this blake2_256 hash, if there are at most `most` of them.
	fn get(&self, hash: &[u8; 32], most: u64) -> Result<Vec<u8>, StoreError>;

	/// Keeps bytes for whoever asks for them later. Returns their blake2_256 hash.
	fn put(&self, bytes: &[u8]) -> Result<[u8; 32], StoreError>;
}

/// Why bytes cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
	/// Nothing has this hash, given in hexadecimal.
	#[error("{0} is not in the store")]
	Missing(String),
	/// There is more than was asked for.
	#[error("{name} has {length} bytes; {most} are the most")]
	TooLong {
		/// Hash in hexadecimal.
		name: String,
		/// Its bytes.
		length: u64,
		/// Bytes that were asked for.
		most: u64,
	},
	/// What has the name is a folder, a link, a pipe or the like.
	#[error("{0:?} is no file")]
	NoFile(PathBuf),
	/// The file has other bytes than its name says.
	#[error("{0:?} does not hold the bytes that its name says")]
	Damaged(PathBuf),
	/// There is no room.
	#[error("{length} bytes find no room: the store holds {held}, and {most} are the most")]
	Full {
		/// Bytes to keep.
		length: u64,
		/// Bytes that are there.
		held: u64,
		/// Bytes that there may be.
		most: u64,
	},
	/// The disk failed, or does not let us.
	#[error("{path:?}: {error}")]
	Io {
		/// The file.
		path: PathBuf,
		/// Why.
		error: io::Error,
	},
}

impl StoreError {
	/// Whether the store is at fault: the bytes may be there nevertheless.
	pub fn is_fault(&self) -> bool {
		matches!(self, Self::Io { .. } | Self::Full { .. })
	}
}

/// A folder with a file for each piece, named by its hash in hexadecimal. Several workers may share
/// it: a file is there as a whole or not at all. Files of other names do no harm.
#[derive(Debug)]
pub struct Folder {
	path: PathBuf,
	/// Bytes that it may hold. Workers that write at the same time may pass it by what they write.
	most: u64,
}

impl Folder {
	/// Uses a folder. It has to be there: an empty one in place of a share that is not mounted would
	/// have us say that inputs are missing.
	pub fn open(path: &Path) -> Result<Self, StoreError> {
		Self::with_room(path, MOST_BYTES)
	}

	fn with_room(path: &Path, most: u64) -> Result<Self, StoreError> {
		let failed = |error| StoreError::Io { path: path.to_path_buf(), error };
		if !fs::metadata(path).map_err(failed)?.is_dir() {
			return Err(failed(ErrorKind::NotADirectory.into()));
		}
		let folder = Self { path: path.canonicalize().map_err(failed)?, most };
		folder.remove_left_behind();
		Ok(folder)
	}

	fn path_of(&self, hash: &[u8; 32]) -> PathBuf {
		self.path.join(hex::encode(hash))
	}

	/// Removes what was being written when a worker was killed.
	fn remove_left_behind(&self) {
		for entry in fs::read_dir(&self.path).into_iter().flatten().filter_map(Result::ok) {
			let name = entry.file_name();
			let name = name.to_string_lossy();
			let unfinished = name.starts_with(UNFINISHED.0) && name.ends_with(UNFINISHED.1);
			let written = entry.metadata().and_then(|found| found.modified());
			let age = written.ok().and_then(|written| written.elapsed().ok());
			if unfinished && age.is_some_and(|age| age > LEFT_BEHIND) {
				// The next one tries again.
				let _ = fs::remove_file(entry.path());
			}
		}
	}

	/// Bytes of all files.
	fn held(&self) -> io::Result<u64> {
		let entries = fs::read_dir(&self.path)?.filter_map(Result::ok);
		// Of a link, not of what it leads to. What vanishes meanwhile does not count.
		let files =
			entries.filter_map(|entry| entry.metadata().ok()).filter(|found| found.is_file());
		Ok(files.map(|found| found.len()).fold(0, u64::saturating_add))
	}

	/// A new file under a name that nobody looks for.
	fn unfinished(&self) -> io::Result<(PathBuf, File)> {
		static WRITTEN: AtomicU64 = AtomicU64::new(0);
		let (before, after) = UNFINISHED;
		for _ in 0..TRIES {
			let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
			let path = self.path.join(format!("{before}{}-{number}{after}", process::id()));
			match OpenOptions::new().write(true).create_new(true).open(&path) {
				Err(e) if e.kind() == ErrorKind::AlreadyExists => {},
				made => return made.map(|file| (path, file)),
			}
		}
		Err(ErrorKind::AlreadyExists.into())
	}

	/// Writes a file that is there as a whole or not at all, whatever happens.
	fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
		let (new, mut file) = self.unfinished()?;
		let written = file
			.write_all(bytes)
			// Whoever shares the folder reads it, the requester too.
			.and_then(|()| file.set_permissions(Permissions::from_mode(0o644)))
			.and_then(|()| file.sync_all())
			.and_then(|()| fs::rename(&new, path));
		if written.is_err() {
			// It is what failed that is told.
			let _ = fs::remove_file(&new);
		}
		written?;
		File::open(&self.path)?.sync_all()
	}
}

impl Store for Folder {
	fn get(&self, hash: &[u8; 32], most: u64) -> Result<Vec<u8>, StoreError> {
		let path = self.path_of(hash);
		let failed = |error| StoreError::Io { path: path.clone(), error };
		// Neither through a link, nor waiting for whoever writes to a pipe.
		let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
		let file = match OpenOptions::new().read(true).custom_flags(flags).open(&path) {
			Ok(file) => file,
			// Not there, or not for us.
			Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => {
				return Err(StoreError::Missing(hex::encode(hash)));
			},
			// A link; a socket.
			Err(e) if matches!(e.raw_os_error(), Some(libc::ELOOP | libc::ENXIO)) => {
				return Err(StoreError::NoFile(path.clone()));
			},
			Err(e) => return Err(failed(e)),
		};
		let found = file.metadata().map_err(failed)?;
		if !found.is_file() {
			return Err(StoreError::NoFile(path.clone()));
		}
		let length = found.len();
		if length > most {
			return Err(StoreError::TooLong { name: hex::encode(hash), length, most });
		}
		let mut bytes = Vec::new();
		bytes
			.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX))
			.map_err(|e| failed(io::Error::other(e)))?;
		// One that grows meanwhile has other bytes than its name says.
		file.take(length.saturating_add(1)).read_to_end(&mut bytes).map_err(failed)?;
		if blake2_256(&bytes) != *hash {
			return Err(StoreError::Damaged(path.clone()));
		}
		Ok(bytes)
	}

	fn put(&self, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
		let hash = blake2_256(bytes);
		let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
		let path = self.path_of(&hash);
		let is_there = || {
			fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() == length)
		};
		match self.get(&hash, length) {
			// What is there and sound stays, and so does what another user keeps from us.
			Ok(_) => return Ok(hash),
			Err(StoreError::Missing(_)) if is_there() => return Ok(hash),
			Err(_) => {},
		}
		let failed = |error| StoreError::Io { path: path.clone(), error };
		let (held, most) = (self.held().map_err(failed)?, self.most);
		if held.saturating_add(length) > most {
			return Err(StoreError::Full { length, held, most });
		}
		self.write(&path, bytes).map_err(failed)?;
		Ok(hash)
	}
}

#[cfg(test)]
mod tests;
