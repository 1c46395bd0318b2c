//! A family of queues kept in storage, each first in first out.
//!
//! Every stage of a chunk's life has a constant length, so the entries of its queue are sorted by
//! deadline without ever being sorted: the next one due is always at the head, and a look at it
//! costs two reads however long the queue is. An entry may be out of date when it is reached (the
//! chunk has moved on); whoever takes it checks and drops it.
//!
//! Entries lie in pages of [`PAGE`], and the ends of all queues of a family in one item: what many
//! chunks put into queues, or take out of them, in one block is a handful of writes. A queue
//! without entries leaves nothing in storage.

use crate::WorkHeight;
use alloc::vec::Vec;
use codec::{Decode, Encode, FullCodec, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::{
	defensive,
	storage::{IterableStorageDoubleMap, StorageDoubleMap, StorageValue, TryAppendDoubleMap},
	traits::ConstU32,
	BoundedBTreeMap, BoundedVec,
};
use scale_info::TypeInfo;

/// Entries in a page.
pub const PAGE: u32 = 64;
/// Queues in a family, at most.
pub const MAX_QUEUES: u32 = 48;
/// Steps that one call which moves an agenda on may take.
pub const MAX_STEPS: u32 = 64;

/// An entry of a queue.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub struct Due<Subject> {
	/// What it is about.
	pub subject: Subject,
	/// First height at which the step may be taken.
	pub at: WorkHeight,
}

/// Entries that lie together.
pub type Page<Subject> = BoundedVec<Due<Subject>, ConstU32<PAGE>>;

/// Where a queue begins and ends: the place of its head and the place after its last entry.
pub type Bounds = (u64, u64);

/// The bounds of every queue of a family that has entries.
pub type Ends<Name> = BoundedBTreeMap<Name, Bounds, ConstU32<MAX_QUEUES>>;

/// Queues named by `Name` whose entries lie in `Pages` and whose bounds in `Bounded`.
pub struct Fifo<Name, Subject, Pages, Bounded>(PhantomData<(Name, Subject, Pages, Bounded)>);

impl<Name, Subject, Pages, Bounded> Fifo<Name, Subject, Pages, Bounded>
where
	Name: FullCodec + Copy + Ord,
	Subject: FullCodec + Clone,
	Pages: StorageDoubleMap<Name, u64, Page<Subject>, Query = Page<Subject>>
		+ TryAppendDoubleMap<Name, u64, Page<Subject>, Due<Subject>>,
	Bounded: StorageValue<Ends<Name>, Query = Ends<Name>>,
{
	/// Adds an entry behind the last one.
	pub fn push(name: Name, subject: Subject, at: WorkHeight) {
		let mut ends = Bounded::get();
		let (head, end) = bounds(&ends, &name);
		if ends.try_insert(name, (head, end.saturating_add(1))).is_err() {
			defensive!("a family has fewer queues than there is room for bounds");
			return;
		}
		if Pages::try_append(name, page_of(end), Due { subject, at }).is_err() {
			defensive!("a page has as many entries as places before the end");
			return;
		}
		Bounded::put(ends);
	}

	/// The entry at the head, left where it is.
	pub fn peek(name: Name) -> Option<Due<Subject>> {
		let (head, end) = bounds(&Bounded::get(), &name);
		(head < end).then(|| Self::entry(name, head)).flatten()
	}

	/// The entry at the head if its height has come, left where it is.
	pub fn due(name: Name, now: WorkHeight) -> Option<Due<Subject>> {
		Self::peek(name).filter(|due| due.at <= now)
	}

	/// Takes the entry at the head.
	pub fn pop(name: Name) -> Option<Due<Subject>> {
		let mut ends = Bounded::get();
		let (head, end) = bounds(&ends, &name);
		if head >= end {
			return None;
		}
		let entry = Self::entry(name, head);
		let next = head.saturating_add(1);
		if next == end || page_of(next) != page_of(head) {
			Pages::remove(name, page_of(head));
		}
		// A queue that is empty starts over.
		if next == end {
			ends.remove(&name);
		} else if let Some(bounds) = ends.get_mut(&name) {
			bounds.0 = next;
		}
		if ends.is_empty() {
			Bounded::kill();
		} else {
			Bounded::put(ends);
		}
		entry
	}

	/// Entries in the queue, those out of date included.
	pub fn len(name: Name) -> u64 {
		let (head, end) = bounds(&Bounded::get(), &name);
		end.saturating_sub(head)
	}

	fn entry(name: Name, place: u64) -> Option<Due<Subject>> {
		let within = usize::try_from(place % u64::from(PAGE)).ok()?;
		Pages::get(name, page_of(place)).get(within).cloned()
	}
}

impl<Name, Subject, Pages, Bounded> Fifo<Name, Subject, Pages, Bounded>
where
	Name: FullCodec + Copy + Ord,
	Subject: FullCodec + Clone,
	Pages: IterableStorageDoubleMap<Name, u64, Page<Subject>, Query = Page<Subject>>,
	Bounded: StorageValue<Ends<Name>, Query = Ends<Name>>,
{
	/// All entries of a queue, head first. `None` if a page is missing, has other entries than the
	/// bounds say, or lies outside of them. For checks: it reads the whole queue.
	pub fn entries(name: Name) -> Option<Vec<Due<Subject>>> {
		let (head, end) = bounds(&Bounded::get(), &name);
		let mut all = Vec::new();
		let mut pages: u64 = 0;
		let mut place = head;
		while place < end {
			let next = page_of(place).saturating_add(1).saturating_mul(u64::from(PAGE)).min(end);
			let first = page_of(place).saturating_mul(u64::from(PAGE));
			let page = Pages::get(name, page_of(place));
			if u64::try_from(page.len()).ok()? != next.saturating_sub(first) {
				return None;
			}
			let passed = usize::try_from(place.saturating_sub(first)).ok()?;
			all.extend(page.into_iter().skip(passed));
			pages = pages.saturating_add(1);
			place = next;
		}
		let present = Pages::iter_key_prefix(name).count();
		(u64::try_from(present) == Ok(pages)).then_some(all)
	}
}

fn bounds<Name: Ord>(ends: &Ends<Name>, name: &Name) -> Bounds {
	ends.get(name).copied().unwrap_or_default()
}

/// The page that a place lies on.
fn page_of(place: u64) -> u64 {
	place / u64::from(PAGE)
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

/// Blocks until something is drawn for, by how often in a row it was drawn for in vain: longer each
/// time, so that what nobody takes costs less and less. Another queue for each. Which of them comes
/// next: [`crate::workers::NoSeat::next_wait`].
pub const WAITS: [u32; 6] = [crate::clock::DRAWN_AFTER, 4, 8, 16, 32, 64];

/// The wait of an index: the index of its queue and its length. After the last one it grows no more.
pub fn wait(index: u8) -> (u8, u32) {
	let last = WAITS.len().saturating_sub(1);
	let index = usize::from(index).min(last);
	(u8::try_from(index).unwrap_or(u8::MAX), WAITS[index])
}
