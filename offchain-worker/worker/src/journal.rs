//! What must outlive the process: jobs that were taken, and their results.
//!
//! The journal is a file to which records are appended, each written through to the disk before
//! anybody is told. A process that was killed leaves at most one record half-written at the end,
//! which is dropped. At every start, and when it has grown to twice its size, the file is written
//! anew with what still counts.
//!
//! ```text
//! file   = "tequio journal 1\n" record*
//! record = length (u32, little-endian)  twox_64 of the body (8 bytes)  body (Record in SCALE)
//! ```

use codec::{Decode, DecodeAll, Encode};
use sp_crypto_hashing::twox_64;
use std::{
	fs::{File, OpenOptions, TryLockError},
	io::{self, Read, Seek, SeekFrom, Write},
	path::{Path, PathBuf},
};
use tequio_interface::job::{Job, JobKey};
use tracing::warn;

const HEADER: &[u8] = b"tequio journal 1\n";
/// Bytes that a record may have: a payload or a result, and its key.
const MAX_BODY: usize = 128 * 1024;
/// Bytes before the body.
const PREFIX: usize = 4 + 8;
/// The file is not written anew before it has this many bytes.
const MIN_REWRITE: u64 = 4 << 20;

/// Something to remember.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Record {
	/// The journal belongs to the chain with this genesis hash.
	#[codec(index = 0)]
	Chain([u8; 32]),
	/// A job was taken.
	#[codec(index = 1)]
	Taken(Job),
	/// It was computed.
	#[codec(index = 2)]
	Done(JobKey, Vec<u8>),
	/// It is over, and there is nothing to keep: cancelled, or not computable here.
	#[codec(index = 3)]
	Dropped(JobKey),
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
	/// Another process has it.
	#[error("another worker uses {0}: give this one another --base-path")]
	InUse(PathBuf),
	/// The file is something else.
	#[error("{0} is not a journal of this version: move it away")]
	Foreign(PathBuf),
	/// The file system fails.
	#[error("{path}: {error}")]
	Io {
		/// The file.
		path: PathBuf,
		/// Why.
		error: io::Error,
	},
}

/// The journal of a worker. No other process can open it meanwhile.
#[derive(Debug)]
pub struct Journal {
	path: PathBuf,
	file: File,
	/// Bytes of whole records in the file.
	size: u64,
	/// Bytes at which it is written anew.
	rewrite_at: u64,
	_lock: File,
}

impl Journal {
	/// Opens or makes the journal of a folder, and reads it.
	pub fn open(dir: &Path) -> Result<(Self, Vec<Record>), JournalError> {
		let lock_path = dir.join("lock");
		let in_file = |path: &Path| {
			let path = path.to_path_buf();
			move |error| JournalError::Io { path, error }
		};
		let lock = open(&lock_path).map_err(in_file(&lock_path))?;
		lock.try_lock().map_err(|e| match e {
			TryLockError::WouldBlock => JournalError::InUse(dir.to_path_buf()),
			TryLockError::Error(error) => in_file(&lock_path)(error),
		})?;

		let path = dir.join("journal");
		let mut file = open(&path).map_err(in_file(&path))?;
		let mut bytes = Vec::new();
		file.read_to_end(&mut bytes).map_err(in_file(&path))?;
		let records = match bytes.strip_prefix(HEADER) {
			Some(rest) => read_records(rest),
			None if HEADER.starts_with(&bytes) => vec![],
			None => return Err(JournalError::Foreign(path)),
		};
		let mut journal = Self { path, file, size: 0, rewrite_at: 0, _lock: lock };
		journal.rewrite(&records)?;
		Ok((journal, records))
	}

	/// Appends a record. It is on the disk when this returns; on an error it is not in the journal.
	pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
		let bytes = framed(record);
		let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
		match written {
			Ok(()) => {
				self.size = self.size.saturating_add(length(&bytes));
				Ok(())
			},
			Err(error) => {
				self.undo();
				Err(self.io(error))
			},
		}
	}

	/// Cuts off what is half-written: it would hide all that comes after it.
	fn undo(&mut self) {
		let cut = self.file.set_len(self.size);
		if cut.and_then(|()| self.file.seek(SeekFrom::Start(self.size))).is_err() {
			self.rewrite_at = 0;
		}
	}

	/// Whether the file has grown enough to be written anew.
	pub fn is_due(&self) -> bool {
		self.size >= self.rewrite_at
	}

	/// Replaces all records, at once or not at all.
	pub fn rewrite(&mut self, records: &[Record]) -> Result<(), JournalError> {
		let new_path = self.path.with_extension("new");
		let replace = || -> io::Result<(File, u64)> {
			let mut bytes = HEADER.to_vec();
			records.iter().for_each(|record| bytes.extend(framed(record)));
			let mut file = open(&new_path)?;
			file.set_len(0)?;
			file.write_all(&bytes)?;
			file.sync_all()?;
			std::fs::rename(&new_path, &self.path)?;
			// The folder holds the name.
			if let Some(dir) = self.path.parent() {
				File::open(dir)?.sync_all()?;
			}
			Ok((file, length(&bytes)))
		};
		let (file, size) = replace().map_err(|error| self.io(error))?;
		self.file = file;
		self.size = size;
		self.rewrite_at = size.saturating_mul(2).max(MIN_REWRITE);
		Ok(())
	}

	fn io(&self, error: io::Error) -> JournalError {
		JournalError::Io { path: self.path.clone(), error }
	}
}

fn open(path: &Path) -> io::Result<File> {
	OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn length(bytes: &[u8]) -> u64 {
	u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn framed(record: &Record) -> Vec<u8> {
	let body = record.encode();
	// The body of what this process takes fits: payloads and results have bounds.
	let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
	let mut bytes = length.to_le_bytes().to_vec();
	bytes.extend(twox_64(&body));
	bytes.extend(body);
	bytes
}

/// Reads records up to the first one that is not whole.
fn read_records(mut bytes: &[u8]) -> Vec<Record> {
	let mut records = Vec::new();
	while let Some((record, rest)) = read_record(bytes) {
		records.push(record);
		bytes = rest;
	}
	if !bytes.is_empty() {
		warn!("the journal ends with {} bytes that are no record; they are dropped", bytes.len());
	}
	records
}

fn read_record(bytes: &[u8]) -> Option<(Record, &[u8])> {
	let (prefix, rest) = bytes.split_at_checked(PREFIX)?;
	let (length, hash) = prefix.split_at_checked(4)?;
	let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
	let (body, rest) = rest.split_at_checked(length).filter(|_| length <= MAX_BODY)?;
	if twox_64(body) != hash {
		return None;
	}
	let record = Record::decode_all(&mut &*body).ok()?;
	Some((record, rest))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn key(task: u64) -> JobKey {
		JobKey { genesis: [1; 32], device: [2; 32], task, chunk: 3, attempt: 4, role: 0 }
	}

	fn records() -> Vec<Record> {
		let job = Job { key: key(5), class: 0, payload: vec![6; 70] };
		vec![
			Record::Chain([1; 32]),
			Record::Taken(job),
			Record::Done(key(5), vec![7; 40]),
			Record::Dropped(key(8)),
		]
	}

	fn written(dir: &Path) -> Vec<u8> {
		let (mut journal, found) = Journal::open(dir).unwrap();
		assert_eq!(found, vec![]);
		records().iter().for_each(|record| journal.append(record).unwrap());
		std::fs::read(dir.join("journal")).unwrap()
	}

	#[test]
	fn records_are_read_back() {
		let dir = tempfile::tempdir().unwrap();
		written(dir.path());
		for _ in 0..2 {
			let (_, found) = Journal::open(dir.path()).unwrap();
			assert_eq!(found, records());
		}
	}

	#[test]
	fn a_journal_cut_off_anywhere_keeps_its_whole_records() {
		let whole = written(tempfile::tempdir().unwrap().path());
		for cut in HEADER.len()..whole.len() {
			let dir = tempfile::tempdir().unwrap();
			std::fs::write(dir.path().join("journal"), &whole[..cut]).unwrap();
			let (mut journal, found) = Journal::open(dir.path()).unwrap();
			assert!(found.len() < records().len() && records().starts_with(&found), "cut at {cut}");
			// What is appended then is not lost behind the damage.
			journal.append(&Record::Dropped(key(9))).unwrap();
			drop(journal);
			let (_, again) = Journal::open(dir.path()).unwrap();
			assert_eq!(again.len(), found.len() + 1);
		}
	}

	#[test]
	fn a_damaged_record_ends_the_journal() {
		let mut whole = written(tempfile::tempdir().unwrap().path());
		*whole.last_mut().unwrap() ^= 1;
		let dir = tempfile::tempdir().unwrap();
		std::fs::write(dir.path().join("journal"), whole).unwrap();
		assert_eq!(Journal::open(dir.path()).unwrap().1, records()[..3]);
	}

	#[test]
	fn open_should_fail_when_the_folder_is_in_use() {
		let dir = tempfile::tempdir().unwrap();
		let _first = Journal::open(dir.path()).unwrap();
		assert!(matches!(Journal::open(dir.path()), Err(JournalError::InUse(_))));
	}

	#[test]
	fn open_should_fail_when_the_file_is_something_else() {
		let dir = tempfile::tempdir().unwrap();
		std::fs::write(dir.path().join("journal"), "Dear diary, today I learned to count.")
			.unwrap();
		assert!(matches!(Journal::open(dir.path()), Err(JournalError::Foreign(_))));
		let kept = std::fs::read(dir.path().join("journal")).unwrap();
		assert!(kept.starts_with(b"Dear diary"));
	}

	#[test]
	fn a_journal_that_has_grown_is_written_anew() {
		let dir = tempfile::tempdir().unwrap();
		let (mut journal, _) = Journal::open(dir.path()).unwrap();
		let big = Record::Done(key(1), vec![0; 60_000]);
		while !journal.is_due() {
			journal.append(&big).unwrap();
		}
		journal.rewrite(&records()).unwrap();
		assert!(!journal.is_due());
		journal.append(&big).unwrap();
		drop(journal);
		let (_, found) = Journal::open(dir.path()).unwrap();
		assert_eq!(found.len(), records().len() + 1);
	}
}
