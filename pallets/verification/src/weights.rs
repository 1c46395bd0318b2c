//! Weights of calls and of steps of the agenda. **Estimates**, counted by hand from the storage
//! items that each touches, until the pallet has benchmarks. They count the worst case of the
//! neighbours too: a verdict pays and slashes.
//!
//! What the entries of one call share by design is counted once: the device that signs, rules,
//! clock, the ends and pages of the queues with the call; the record of a task, its requester's
//! money and its own with the task. Auditors may be others for each entry, and are counted for each.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};
use tequio_primitives::{fifo::MAX_STEPS, search::AUDITORS, workers::MAX_LOOKS};

/// What calls and agenda steps weigh.
pub trait WeightInfo {
	/// A commit of this many entries about so many tasks.
	fn commit(items: u32, tasks: u32) -> Weight;
	/// A reveal of this many entries about so many tasks, without the verdicts that it brings.
	fn reveal(items: u32, tasks: u32) -> Weight;
	/// Moving on this many late entries.
	fn advance_agenda(limit: u32) -> Weight;
	/// Moving the clock on.
	fn tick() -> Weight;
	/// A look at the queues, and what all steps of a block share.
	fn agenda_heads() -> Weight;
	/// Looking at the entry at the head of a queue, and taking it out.
	fn agenda_look() -> Weight;
	/// Deciding on an audit, or drawing for its empty places, with a look at so many records.
	fn draw_auditors(looks: u32) -> Weight;
	/// Ending an audit whose time is up.
	fn end_audit() -> Weight;
	/// What all verdicts of one call or block share.
	fn verdicts() -> Weight;
	/// Giving a verdict on a result with so many auditors, so many of those involved being slashed.
	fn judge(auditors: u32, slashes: u32) -> Weight;
	/// Giving a verdict without those who did not reveal in time.
	fn judge_late() -> Weight;
}

/// Hand-counted weights.
pub struct Estimated<T>(PhantomData<T>);

/// Proof that one read adds at most on average: a trie path and a small record, in bytes.
const PROOF_PER_READ: u64 = 2_048;
/// Bytes that a check may have beyond that: its claim and its openings.
const CHECK_PROOF: u64 = 3_072;
/// Proof of the seats of a class, those in force and the coming ones, in bytes.
const SEATS_PROOF: u64 = 2 * 36_000;
/// Queues of the agenda. A block touches the first page of each, and the last; others only for
/// every 64 entries.
const QUEUES: u64 = 16;
/// Keys that entries of one call share: device, clock, rules, genesis hash, ends, and two pages of
/// one queue.
const CALL: (u64, u64) = (7, 4);
/// Keys of a task that its entries share: its record, its requester's account and holds.
const TASK: u64 = 3;
/// Keys that every verdict may touch: the ledger, treasury and author, the ends and two pages of
/// the queues of `tasks`, coming seats, issuance; and a few rules, only read.
const VERDICTS: (u64, u64) = (14, 9);
/// Keys of one who has a duty: device and owner.
const SEAT: u64 = 2;
/// Keys of one who is paid: the account, and the contribution.
const PAYEE: u64 = 2;
/// Keys of one who is slashed: the owner's account and holds.
const SLASHED: u64 = 2;

impl<T: frame_system::Config> Estimated<T> {
	/// `base` in microseconds of ref time.
	fn weight(base: u64, reads: u64, writes: u64) -> Weight {
		let computation = Weight::from_parts(
			base.saturating_mul(1_000_000),
			reads.saturating_mul(PROOF_PER_READ),
		);
		computation.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}

	fn check() -> Weight {
		Weight::from_parts(0, CHECK_PROOF)
	}
}

impl<T: frame_system::Config> WeightInfo for Estimated<T> {
	// Check and chunk of each.
	fn commit(items: u32, tasks: u32) -> Weight {
		let (reads, writes) = CALL;
		let entry = Self::weight(30, 2, 2).saturating_add(Self::check());
		Self::weight(10, reads, writes)
			.saturating_add(Self::weight(5, 1, 1).saturating_mul(tasks.into()))
			.saturating_add(entry.saturating_mul(items.into()))
	}

	// Check of each.
	fn reveal(items: u32, tasks: u32) -> Weight {
		let (reads, writes) = CALL;
		let entry = Self::weight(30, 1, 1).saturating_add(Self::check());
		Self::weight(10, reads, writes)
			.saturating_add(Self::weight(5, TASK, TASK).saturating_mul(tasks.into()))
			.saturating_add(entry.saturating_mul(items.into()))
	}

	fn advance_agenda(limit: u32) -> Weight {
		let step = Self::draw_auditors(AUDITORS * MAX_LOOKS)
			.max(Self::end_audit())
			.max(Self::judge_late())
			.saturating_add(Self::agenda_look());
		Self::agenda_heads().saturating_add(step.saturating_mul(limit.min(MAX_STEPS).into()))
	}

	// Clock and outputs; the output of the last block.
	fn tick() -> Weight {
		Self::weight(5, 3, 2)
	}

	// Ends, outputs, clock, rules, and the pages.
	fn agenda_heads() -> Weight {
		Self::weight(20, 4 + QUEUES, 1 + QUEUES).saturating_add(Self::verdicts())
	}

	// Check.
	fn agenda_look() -> Weight {
		Self::weight(5, 1, 0).saturating_add(Self::check())
	}

	// Check and task; an owner or a device for each look; owners and devices of those bound.
	fn draw_auditors(looks: u32) -> Weight {
		let looks = u64::from(looks);
		let bound = u64::from(AUDITORS) * SEAT;
		Self::weight(looks.saturating_mul(2).saturating_add(40), looks.saturating_add(1), 1 + bound)
	}

	// Check, chunk and task; each auditor is fined or released; then the worker is released and the
	// attempt ends.
	fn end_audit() -> Weight {
		let keys = 2 + TASK + u64::from(AUDITORS) * (SEAT + SLASHED) + SEAT;
		Self::weight(60, keys, keys)
	}

	fn verdicts() -> Weight {
		let (reads, writes) = VERDICTS;
		Self::weight(5, reads, writes).saturating_add(Weight::from_parts(0, SEATS_PROOF))
	}

	// Chunk; the seats of worker and auditors, the pay of auditors. Check and task are counted with
	// the reveal.
	fn judge(auditors: u32, slashes: u32) -> Weight {
		let auditors = u64::from(auditors).saturating_mul(SEAT + PAYEE);
		let slashes = u64::from(slashes).saturating_mul(SLASHED);
		let keys = auditors.saturating_add(slashes).saturating_add(1 + SEAT);
		Self::weight(60, keys, keys)
	}

	// The same with check and task, at worst with everybody slashed.
	fn judge_late() -> Weight {
		Self::judge(AUDITORS, AUDITORS + 1).saturating_add(Self::weight(10, TASK, 1 + TASK))
	}
}
