//! A disk that is played: it can be full, fail, and lose its power, and then keeps of what was not
//! synced whatever a real one might.

use crate::journal::{disk::Disk, read, Record, NAME};
use std::{
	cell::{RefCell, RefMut},
	collections::{BTreeMap, BTreeSet},
	io::{self, ErrorKind, Read},
	path::PathBuf,
	rc::Rc,
};

/// The disk. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Played(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
	/// By inode.
	files: Vec<Content>,
	names: Names,
	/// What the disk has of the names, and what it may not have yet, oldest first.
	durable_names: Names,
	renamed: Vec<Change>,
	/// Calls so far.
	calls: usize,
	/// Calls that fail.
	failing: BTreeSet<usize>,
	/// Calls until the power is gone.
	power: Option<usize>,
	/// Bytes for which there is room.
	room: Option<usize>,
	dice: Dice,
}

type Names = BTreeMap<String, usize>;

/// Bytes of a file, and those of them that are on the disk.
#[derive(Clone, Debug, Default)]
struct Content {
	now: Vec<u8>,
	durable: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Change {
	Create(String, usize),
	Rename(String, String),
	Remove(String),
}

impl Change {
	fn on(&self, names: &mut Names) {
		match self {
			Self::Create(name, inode) => {
				names.insert(name.clone(), *inode);
			},
			Self::Rename(from, to) => {
				if let Some(inode) = names.remove(from) {
					names.insert(to.clone(), inode);
				}
			},
			Self::Remove(name) => {
				names.remove(name);
			},
		}
	}
}

/// Chance, the same each time from the same seed.
#[derive(Clone, Debug, Default)]
struct Dice(u64);

impl Dice {
	/// Up to and with `most`.
	fn roll(&mut self, most: usize) -> usize {
		self.0 =
			self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
		usize::try_from(self.0 >> 33).unwrap() % (most + 1)
	}
}

impl Content {
	/// What a power loss leaves: what is the same now and on the disk, then some of the bytes that
	/// were written since, then some of those that were there before, or zeros.
	fn after_power_loss(&self, dice: &mut Dice) -> Vec<u8> {
		let Self { now, durable } = self;
		let same = now.iter().zip(durable).take_while(|(now, durable)| now == durable).count();
		let written = same + dice.roll(now.len() - same);
		let end = written + dice.roll(now.len().max(durable.len()) - written);
		let mut left = now[..written].to_vec();
		left.extend((written..end).map(|place| durable.get(place).copied().unwrap_or(0)));
		left
	}
}

impl Played {
	/// A disk of which these calls fail, and whose power is gone after so many.
	pub fn new(seed: u64, failing: BTreeSet<usize>, power: usize) -> Self {
		let disk = Self::default();
		*disk.0.borrow_mut() =
			Inner { failing, power: Some(power), dice: Dice(seed), ..Inner::default() };
		disk
	}

	/// A disk with these bytes for a journal.
	pub fn holding(journal: Vec<u8>) -> Self {
		let names = Names::from([(NAME.into(), 0)]);
		let files = vec![Content { now: journal.clone(), durable: journal }];
		let inner = Inner { files, names: names.clone(), durable_names: names, ..Inner::default() };
		Self(Rc::new(RefCell::new(inner)))
	}

	/// A disk that has room for so many bytes from now on.
	pub fn set_room(&self, bytes: usize) {
		self.0.borrow_mut().room = Some(bytes);
	}

	/// Whether the power is gone.
	pub fn is_dark(&self) -> bool {
		let inner = self.0.borrow();
		inner.power.is_some_and(|power| inner.calls >= power)
	}

	/// The disk when the power is back. It does not fail any more.
	pub fn after_power_loss(&self) -> Self {
		let mut inner = self.0.borrow_mut();
		let Inner { files, durable_names, renamed, dice, .. } = &mut *inner;
		let mut names = durable_names.clone();
		let kept = dice.roll(renamed.len());
		renamed[..kept].iter().for_each(|change| change.on(&mut names));
		let files = files.iter().map(|content| {
			let left = content.after_power_loss(dice);
			Content { now: left.clone(), durable: left }
		});
		let files = files.collect();
		let dice = dice.clone();
		let back =
			Inner { files, names: names.clone(), durable_names: names, dice, ..Inner::default() };
		Self(Rc::new(RefCell::new(back)))
	}

	/// The whole records of the journal as it is now, synced or not.
	pub fn records(&self) -> Vec<Record> {
		let inner = self.0.borrow();
		let Some(inode) = inner.names.get(NAME) else { return vec![] };
		let found = read(&mut inner.files[*inode].now.as_slice()).unwrap();
		found.map(|found| found.records).unwrap_or_default()
	}

	/// Counts a call. `Err` if it fails.
	fn call(&self) -> io::Result<RefMut<'_, Inner>> {
		let mut inner = self.0.borrow_mut();
		inner.calls += 1;
		let call = inner.calls - 1;
		if inner.power.is_some_and(|power| call >= power) {
			return Err(io::Error::other("the power is gone"));
		}
		if inner.failing.contains(&call) {
			return Err(io::Error::other("the disk fails"));
		}
		Ok(inner)
	}
}

/// An open file.
#[derive(Debug)]
pub struct PlayedFile {
	disk: Played,
	inode: usize,
	read: usize,
}

impl Read for PlayedFile {
	fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
		let inner = self.disk.0.borrow();
		let mut rest = inner.files[self.inode].now.get(self.read..).unwrap_or_default();
		let read = rest.read(bytes)?;
		self.read += read;
		Ok(read)
	}
}

impl Inner {
	fn change(&mut self, change: Change) {
		change.on(&mut self.names);
		self.renamed.push(change);
	}

	fn has(&self, name: &str) -> io::Result<usize> {
		self.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
	}
}

impl Disk for Played {
	type File = PlayedFile;

	fn open(&self, name: &str) -> io::Result<PlayedFile> {
		let inode = self.call()?.has(name)?;
		Ok(PlayedFile { disk: self.clone(), inode, read: 0 })
	}

	fn create(&self, name: &str) -> io::Result<PlayedFile> {
		let mut inner = self.call()?;
		if inner.has(name).is_ok() {
			return Err(ErrorKind::AlreadyExists.into());
		}
		let inode = inner.files.len();
		inner.files.push(Content::default());
		inner.change(Change::Create(name.into(), inode));
		Ok(PlayedFile { disk: self.clone(), inode, read: 0 })
	}

	fn append(&self, file: &mut PlayedFile, bytes: &[u8]) -> io::Result<()> {
		let called = self.call().map(|inner| inner.room);
		let mut inner = self.0.borrow_mut();
		let fits = match called {
			Ok(room) => {
				let held: usize =
					inner.names.values().map(|inode| inner.files[*inode].now.len()).sum();
				room.map_or(bytes.len(), |room| room.saturating_sub(held).min(bytes.len()))
			},
			// Some of it may be there nevertheless.
			Err(_) => inner.dice.roll(bytes.len()),
		};
		inner.files[file.inode].now.extend(&bytes[..fits]);
		called?;
		if fits < bytes.len() {
			return Err(ErrorKind::StorageFull.into());
		}
		Ok(())
	}

	fn cut(&self, file: &mut PlayedFile, size: u64) -> io::Result<()> {
		let mut inner = self.call()?;
		inner.files[file.inode].now.resize(usize::try_from(size).unwrap(), 0);
		Ok(())
	}

	fn sync(&self, file: &PlayedFile) -> io::Result<()> {
		let called = self.call().map(drop);
		let mut inner = self.0.borrow_mut();
		let Inner { files, dice, .. } = &mut *inner;
		let content = &mut files[file.inode];
		content.durable = match called {
			Ok(()) => content.now.clone(),
			// Some of it may have arrived nevertheless.
			Err(_) => content.after_power_loss(dice),
		};
		called
	}

	fn rename(&self, from: &str, to: &str) -> io::Result<()> {
		let mut inner = self.call()?;
		inner.has(from)?;
		inner.change(Change::Rename(from.into(), to.into()));
		Ok(())
	}

	fn remove(&self, name: &str) -> io::Result<()> {
		let mut inner = self.call()?;
		inner.has(name)?;
		inner.change(Change::Remove(name.into()));
		Ok(())
	}

	fn sync_names(&self) -> io::Result<()> {
		let mut inner = self.call()?;
		inner.durable_names = inner.names.clone();
		inner.renamed.clear();
		Ok(())
	}

	fn path(&self, name: &str) -> PathBuf {
		PathBuf::from("played").join(name)
	}
}
