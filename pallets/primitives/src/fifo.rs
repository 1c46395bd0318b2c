//! A family of queues kept in storage, each first in first out.
//!
//! Every stage of a chunk's life has a constant length, so the entries of its queue are sorted by
//! deadline without ever being sorted: the next one due is always at the head, and a look at it
//! costs two reads however long the queue is. An entry may be out of date when it is reached (the
//! chunk has moved on); whoever pops it checks and drops it.

use codec::FullCodec;
use core::marker::PhantomData;
use frame_support::storage::{StorageDoubleMap, StorageMap};

/// Where a queue begins and ends: the place of its head and the place after its last entry.
pub type Bounds = (u64, u64);

/// Queues named by `Name` whose entries live in `Entries` and whose ends in `Ends`.
pub struct Fifo<Name, Entry, Entries, Ends>(PhantomData<(Name, Entry, Entries, Ends)>);

impl<Name, Entry, Entries, Ends> Fifo<Name, Entry, Entries, Ends>
where
	Name: FullCodec + Copy,
	Entry: FullCodec,
	Entries: StorageDoubleMap<Name, u64, Entry, Query = Option<Entry>>,
	Ends: StorageMap<Name, Bounds, Query = Bounds>,
{
	/// Adds an entry behind the last one.
	pub fn push(name: Name, entry: Entry) {
		Ends::mutate(name, |(_, end)| {
			Entries::insert(name, *end, entry);
			*end = end.saturating_add(1);
		});
	}

	/// The entry at the head, left where it is.
	pub fn peek(name: Name) -> Option<Entry> {
		let (head, end) = Ends::get(name);
		(head < end).then(|| Entries::get(name, head)).flatten()
	}

	/// Takes the entry at the head.
	pub fn pop(name: Name) -> Option<Entry> {
		let (head, end) = Ends::get(name);
		if head >= end {
			return None;
		}
		Ends::insert(name, (head.saturating_add(1), end));
		Entries::take(name, head)
	}

	/// Entries in the queue, those out of date included.
	pub fn len(name: Name) -> u64 {
		let (head, end) = Ends::get(name);
		end.saturating_sub(head)
	}
}

/// The lengths that deadlines are rounded up to, in blocks: eight, so that eight queues hold every
/// deadline.
pub const DEADLINES: [u32; 8] = [16, 32, 64, 128, 512, 2_048, 8_192, 28_800];

/// The queue for a deadline of `blocks`: its index and its length. `None` for zero and for more
/// than the longest.
pub fn deadline_bucket(blocks: u32) -> Option<(u8, u32)> {
	if blocks == 0 {
		return None;
	}
	let index = DEADLINES.iter().position(|length| blocks <= *length)?;
	Some((u8::try_from(index).ok()?, DEADLINES[index]))
}
