//! Weights of the calls and of the steps of the agenda.
//!
//! Estimates until benchmarks exist: database accesses counted by hand, each with the proof it
//! adds, over a base for the computation.
//!
//! A key that several steps of one block touch is read from the database and written to it once.
//! Where the design makes that sure, it is counted once: what all steps share (rules, clock, the ends
//! and the last pages of the queues, the ledger, treasury and author) with the look at the heads of
//! the queues, what the chunks of one task share ([`WeightInfo::touch_task`]) with the first of
//! them. Owners, devices and accounts that are paid may be others each time, and are counted each
//! time.
//!
//! The pallet that follows a task is told of every end of a chunk, and of its own. What it touches
//! then is counted here too ([`WeightInfo::tell_follower`]): with the record of the task, where that
//! is at hand to say whether it is followed, and always in calls.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};
use tequio_primitives::workers::MAX_LOOKS;

/// Weights that the pallet asks for.
pub trait WeightInfo {
	/// A submission.
	fn submit_task() -> Weight;
	/// A cancellation.
	fn cancel_task() -> Weight;
	/// A decline.
	fn decline() -> Weight;
	/// A look at every queue, and `steps` of the largest step.
	fn advance_agenda(steps: u32) -> Weight;
	/// A look at the head of every queue, and what all steps share.
	fn agenda_heads() -> Weight;
	/// The record of a task and its requester's money.
	fn touch_task() -> Weight;
	/// What the follower of a task touches when it is told of the ends of chunks and of the task.
	fn tell_follower() -> Weight;
	/// The payment of a chunk.
	fn pay_chunk() -> Weight;
	/// The end of an assignment that missed its deadline.
	fn miss_chunk() -> Weight;
	/// The closing of a task.
	fn expire_task() -> Weight;
	/// A change of the rules.
	fn set_rules() -> Weight;
	/// The removal of so many contributions to a task that ended long ago, and of its record.
	fn prune_task(contributions: u32) -> Weight;
	/// An entry of the agenda whose chunk has moved on.
	fn drop_entry() -> Weight;
	/// A look at an open task.
	fn visit_task() -> Weight;
	/// A draw that looks at so many owners and devices.
	fn draw(looks: u32) -> Weight;
	/// The assignment of a chunk to the seat that was drawn, or its refund.
	fn assign_chunk() -> Weight;

	/// The largest step of the agenda.
	fn largest_step() -> Weight {
		let assign = Self::draw(MAX_LOOKS).saturating_add(Self::assign_chunk());
		let of_a_chunk = Self::pay_chunk().max(Self::miss_chunk()).max(assign);
		of_a_chunk
			.saturating_add(Self::touch_task())
			.max(Self::expire_task())
			.saturating_add(Self::tell_follower())
			.max(Self::prune_task(crate::history::PIECE))
	}
}

/// Weights from counted database accesses.
pub struct Estimated<T>(PhantomData<T>);

/// Proof that one read adds at most on average: a trie path and a small record, in bytes.
const PROOF_PER_READ: u64 = 2_048;
/// Proof of the seats of a class, those in force and the coming ones, in bytes.
const SEATS_PROOF: u64 = 2 * 36_000;
/// Bytes that a check may have beyond that: the shares that it claims, or a projection, and its
/// opening.
const CHECK_PROOF: u64 = 3_072;
/// Bytes that the record may have beyond that for which a task was ordered: the outputs of two
/// rounds.
const FOLLOWER_PROOF: u64 = 4_096;
/// Queues of tasks and of chunks. A block touches the first page of each, and the last; others only
/// for every 64 entries, which is in the base of each step.
const QUEUES: u64 = 24;

impl<T: frame_system::Config> Estimated<T> {
	/// `base` in microseconds of ref time.
	fn weight(base: u64, reads: u64, writes: u64) -> Weight {
		let computation = Weight::from_parts(
			base.saturating_mul(1_000_000),
			reads.saturating_mul(PROOF_PER_READ),
		);
		computation.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}
}

impl<T: frame_system::Config> WeightInfo for Estimated<T> {
	// Reads: next task, three rules, clock, account, holds, ends, two pages. Writes: next task,
	// task, account, holds, ends, two pages.
	fn submit_task() -> Weight {
		Self::weight(60, 10, 7)
	}

	// Task, account, holds, ends and page of the ended; two rules and the clock are only read. The
	// refund and the remainder both move the same account. And the follower.
	fn cancel_task() -> Weight {
		Self::weight(60, 8, 5).saturating_add(Self::tell_follower())
	}

	// Chunk, task, device and owner of the duty, ledger, ends and page; requester's account and
	// holds and another page where the task ends. Two rules and the clock are only read. Where it
	// stops the task: owner, account and what is kept of each of three who are paid; treasury,
	// author's account, pot and total of what it keeps, issuance; a rule and the author only read.
	// And the follower.
	fn decline() -> Weight {
		Self::weight(120, 29, 18).saturating_add(Self::tell_follower())
	}

	// Rules.
	fn set_rules() -> Weight {
		Self::weight(10, 0, 1)
	}

	fn advance_agenda(steps: u32) -> Weight {
		Self::weight(20, 0, 0)
			.saturating_add(Self::agenda_heads())
			.saturating_add(Self::largest_step().saturating_mul(u64::from(steps)))
	}

	// Both ends, ledger, treasury, author's account, pot and total of what it keeps, issuance, coming
	// seats; only read: clock, outputs, four rules, author, seats. And the pages.
	fn agenda_heads() -> Weight {
		Self::weight(20, 17 + QUEUES, 9 + QUEUES).saturating_add(Weight::from_parts(0, SEATS_PROOF))
	}

	// Task, requester's account and holds.
	fn touch_task() -> Weight {
		Self::weight(5, 3, 3)
	}

	// Which of its records the task belongs to, that record, and the ends and two pages of the queue
	// of those that it goes on with; and a write to spare. The money that is held again is the
	// requester's, which the task has touched.
	fn tell_follower() -> Weight {
		Self::weight(10, 5, 6).saturating_add(Weight::from_parts(0, FOLLOWER_PROOF))
	}

	// Chunk, check, owner, device, contribution, and the account that is paid; what it cannot take
	// is kept for the owner instead.
	fn pay_chunk() -> Weight {
		Self::weight(60, 7, 6).saturating_add(Weight::from_parts(0, CHECK_PROOF))
	}

	// Chunk, owner, device, the owner's account and holds.
	fn miss_chunk() -> Weight {
		Self::weight(60, 5, 5)
	}

	// Task, requester's account and holds.
	fn expire_task() -> Weight {
		Self::weight(60, 3, 3)
	}

	// Task, its arguments, root, how far it is folded, and the contributions.
	fn prune_task(contributions: u32) -> Weight {
		let contributions = u64::from(contributions);
		let base = contributions.saturating_mul(5).saturating_add(20);
		let keys = contributions.saturating_add(4);
		Self::weight(base, keys, keys)
	}

	// Chunk.
	fn drop_entry() -> Weight {
		Self::weight(5, 1, 0)
	}

	// Task.
	fn visit_task() -> Weight {
		Self::weight(10, 1, 1)
	}

	// An owner or a device for each look.
	fn draw(looks: u32) -> Weight {
		let looks = u64::from(looks);
		Self::weight(looks.saturating_mul(2).saturating_add(10), looks, 0)
	}

	// Chunk; owner and device were read by the draw.
	fn assign_chunk() -> Weight {
		Self::weight(40, 1, 3)
	}
}
