//! What must outlive the process: jobs that were taken, and their results.
//!
//! The journal is a file to which records are appended, each written through to the disk before
//! anybody is told. At every start, and when it has grown to twice its size, it is written anew with
//! what still counts.
//!
//! ```text
//! file   = "tequio journal 2\n" record*
//! record = length (u32, little-endian)  twox_64 of the body (8 bytes)  body (Record in SCALE)
//! ```
//!
//! ## What can happen to it
//! - The process or the power goes while a record is written: the file ends with a part of it, or
//!   with zeros. Records are read up to the first that is not whole, and the rest is cut off.
//! - It goes while the journal is written anew: that is a file of its own, `journal.new`, which takes
//!   the name once it is on the disk. Until then the old one counts, and it lacks nothing, because
//!   nothing is appended to the new one before its name is on the disk too. A `journal.new` that is
//!   left over is never read.
//! - The disk is full, or fails: what was half written is cut off before the next record, because it
//!   would hide all that comes after it. Each call says why it failed; once a record can be written
//!   again, the journal is due to be written anew, with all that was missed.

mod disk;

use codec::{Decode, DecodeAll, Encode};
use disk::{Disk, Folder};
use sp_crypto_hashing::twox_64;
use std::{
	io::{self, BufReader, ErrorKind, Read},
	path::{Path, PathBuf},
};
use tequio_interface::job::{Job, JobKey};
use tracing::warn;

const HEADER: &[u8] = b"tequio journal 2\n";
/// Bytes that a record may have: a payload or a result, and its key.
const MAX_BODY: usize = 128 * 1024;
/// Bytes before the body.
const PREFIX: usize = 4 + 8;
/// The file is not written anew before it has this many bytes.
const MIN_REWRITE: u64 = 4 << 20;
/// When that fails, it is tried again after so many bytes more.
const RETRY_REWRITE: u64 = 256 << 10;
/// Bytes that are looked at to tell an empty journal from another file.
const LOOK: usize = 4096;
/// Name of the journal.
const NAME: &str = "journal";
/// Name of the next one while it is written.
const NEW_NAME: &str = "journal.new";

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
	/// The record could not be read back.
	#[error("a record of {0} bytes; {MAX_BODY} is the most")]
	TooLong(usize),
	/// The file system fails, or is full.
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
pub struct Journal<D: Disk = Folder> {
	disk: D,
	file: D::File,
	/// Bytes of whole records in the file, and of its header.
	size: u64,
	/// Bytes at which it is written anew.
	rewrite_at: u64,
	state: State,
	/// Whether the disk knows the file by its name.
	is_named: bool,
}

/// What is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
	/// All that was appended.
	Whole,
	/// Not all of it.
	Lacking,
	/// Not all of it, and perhaps a part of a record at the end.
	Torn,
}

impl Journal {
	/// Opens or makes the journal of a folder, and reads it.
	pub fn open(dir: &Path) -> Result<(Self, Vec<Record>), JournalError> {
		Self::on(Folder::lock(dir)?)
	}
}

impl<D: Disk> Journal<D> {
	/// Opens or makes the journal of a disk, and reads it. All that is found is on the disk.
	fn on(disk: D) -> Result<(Self, Vec<Record>), JournalError> {
		let failed = |error| JournalError::Io { path: disk.path(NAME), error };
		let mut found = Found::default();
		match disk.open(NAME) {
			Ok(mut file) => {
				let read = read(&mut BufReader::new(&mut file)).map_err(failed)?;
				found = read.ok_or_else(|| JournalError::Foreign(disk.path(NAME)))?;
				if found.is_damaged {
					let (path, count) = (disk.path(NAME), found.records.len());
					warn!("{path:?} ends with something that is no record; {count} are before it");
				}
				if found.size > 0 {
					// The process before may have ended between writing and syncing.
					let cut = disk.cut(&mut file, found.size).and_then(|()| disk.sync(&file));
					cut.and_then(|()| disk.sync_names()).map_err(failed)?;
					return Ok((Self::new(disk, file, found.size), found.records));
				}
			},
			Err(e) if e.kind() == ErrorKind::NotFound => {},
			Err(e) => return Err(failed(e)),
		}
		let (file, size) = replace(&disk, &[]).map_err(failed)?;
		let mut journal = Self::new(disk, file, size);
		journal.is_named = false;
		journal.mend()?;
		Ok((journal, found.records))
	}

	fn new(disk: D, file: D::File, size: u64) -> Self {
		let rewrite_at = grown(size);
		Self { disk, file, size, rewrite_at, state: State::Whole, is_named: true }
	}

	/// Appends a record. It is on the disk when this returns; after an error it is not, and what was
	/// appended before is.
	pub fn append(&mut self, record: &Record) -> Result<(), JournalError> {
		let bytes = framed(record)?;
		if let Err(e) = self.mend() {
			self.state = self.state.without_a_record();
			return Err(e);
		}
		let written = self.disk.append(&mut self.file, &bytes);
		if let Err(error) = written.and_then(|()| self.disk.sync(&self.file)) {
			self.state = State::Torn;
			// If this fails too, nothing is appended until it does not.
			let _ = self.mend();
			return Err(self.failed(error));
		}
		self.size = self.size.saturating_add(length(&bytes));
		if self.state == State::Lacking {
			// There is room again.
			self.state = State::Whole;
			self.rewrite_at = 0;
		}
		Ok(())
	}

	/// Repairs what an earlier failure left behind, before anything is built on it.
	fn mend(&mut self) -> Result<(), JournalError> {
		if self.state == State::Torn {
			self.disk.cut(&mut self.file, self.size).map_err(|error| self.failed(error))?;
			self.state = State::Lacking;
		}
		if !self.is_named {
			self.disk.sync_names().map_err(|error| self.failed(error))?;
			self.is_named = true;
		}
		Ok(())
	}

	/// Whether the file is to be written anew: it has grown enough, or lacks something.
	pub fn is_due(&self) -> bool {
		self.size >= self.rewrite_at
	}

	/// Replaces all records, at once or not at all.
	pub fn rewrite(&mut self, records: &[Record]) -> Result<(), JournalError> {
		match replace(&self.disk, records) {
			Ok((file, size)) => {
				self.file = file;
				self.size = size;
				self.rewrite_at = grown(size);
				self.state = State::Whole;
				self.is_named = false;
				self.mend()
			},
			Err(error) => {
				self.rewrite_at = self.size.saturating_add(RETRY_REWRITE);
				Err(self.failed(error))
			},
		}
	}

	fn failed(&self, error: io::Error) -> JournalError {
		JournalError::Io { path: self.disk.path(NAME), error }
	}
}

impl State {
	/// The state when one more record could not be written.
	fn without_a_record(self) -> Self {
		match self {
			Self::Whole | Self::Lacking => Self::Lacking,
			Self::Torn => Self::Torn,
		}
	}
}

/// Bytes at which a journal of this size is written anew.
fn grown(size: u64) -> u64 {
	size.saturating_mul(2).max(MIN_REWRITE)
}

/// Puts a journal with these records in the place of the present one. Returns it with its size. Its
/// name may still be lost with the power.
fn replace<D: Disk>(disk: &D, records: &[Record]) -> io::Result<(D::File, u64)> {
	let removed = match disk.remove(NEW_NAME) {
		Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
		removed => removed,
	};
	removed?;
	let replaced = write_new(disk, records);
	if replaced.is_err() {
		// It would only take room on a disk that may be full; the next one removes it if need be.
		let _ = disk.remove(NEW_NAME);
	}
	replaced
}

fn write_new<D: Disk>(disk: &D, records: &[Record]) -> io::Result<(D::File, u64)> {
	let mut file = disk.create(NEW_NAME)?;
	disk.append(&mut file, HEADER)?;
	let mut size = length(HEADER);
	for record in records {
		let bytes = framed(record).map_err(io::Error::other)?;
		disk.append(&mut file, &bytes)?;
		size = size.saturating_add(length(&bytes));
	}
	disk.sync(&file)?;
	disk.rename(NEW_NAME, NAME)?;
	Ok((file, size))
}

fn length(bytes: &[u8]) -> u64 {
	u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn framed(record: &Record) -> Result<Vec<u8>, JournalError> {
	let body = record.encode();
	let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_BODY);
	let length = length.ok_or(JournalError::TooLong(body.len()))?;
	let mut bytes = length.to_le_bytes().to_vec();
	bytes.extend(twox_64(&body));
	bytes.extend(body);
	Ok(bytes)
}

/// What is read from a file.
#[derive(Debug, Default)]
struct Found {
	/// All that are whole, up to the first that is not.
	records: Vec<Record>,
	/// Bytes of these records and of the header; zero if there is no header.
	size: u64,
	/// Whether something else comes after them.
	is_damaged: bool,
}

/// Reads a journal. `None`: it is none.
fn read(from: &mut impl Read) -> io::Result<Option<Found>> {
	let header = up_to(HEADER.len(), from)?;
	if header != HEADER {
		// Cut off, or zeros where the disk lost it: then nothing comes after it.
		let said = header.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
		let is_ours = header.get(..said).is_some_and(|said| HEADER.starts_with(said));
		let is_lost = is_ours && up_to(LOOK, from)?.iter().all(|byte| *byte == 0);
		return Ok(is_lost.then(|| Found { is_damaged: !header.is_empty(), ..Found::default() }));
	}
	let mut found = Found { size: length(HEADER), ..Found::default() };
	let is_damaged = loop {
		match read_record(from)? {
			Next::Record(record, size) => {
				found.records.push(record);
				found.size = found.size.saturating_add(size);
			},
			Next::Damage => break true,
			Next::End => break false,
		}
	};
	Ok(Some(Found { is_damaged, ..found }))
}

/// What comes next in a journal.
enum Next {
	/// A record, and its bytes.
	Record(Record, u64),
	/// Something else.
	Damage,
	/// Nothing.
	End,
}

/// Reads a record. Reserves no more than a record may have.
fn read_record(from: &mut impl Read) -> io::Result<Next> {
	let prefix = up_to(PREFIX, from)?;
	if prefix.is_empty() {
		return Ok(Next::End);
	}
	let Some((announced, hash)) = prefix.split_first_chunk::<4>() else { return Ok(Next::Damage) };
	let announced = usize::try_from(u32::from_le_bytes(*announced)).unwrap_or(usize::MAX);
	if announced > MAX_BODY {
		return Ok(Next::Damage);
	}
	let body = up_to(announced, from)?;
	if body.len() < announced || twox_64(&body) != hash {
		return Ok(Next::Damage);
	}
	let size = length(&prefix).saturating_add(length(&body));
	Ok(match Record::decode_all(&mut body.as_slice()) {
		Ok(record) => Next::Record(record, size),
		Err(_) => Next::Damage,
	})
}

/// Reads so many bytes, or fewer if the file ends.
fn up_to(bytes: usize, from: &mut impl Read) -> io::Result<Vec<u8>> {
	let mut read = Vec::new();
	from.take(u64::try_from(bytes).unwrap_or(u64::MAX)).read_to_end(&mut read)?;
	Ok(read)
}

#[cfg(test)]
mod tests;
