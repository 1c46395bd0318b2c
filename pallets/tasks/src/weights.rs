//! Weights of the calls and of the steps of the agenda.
//!
//! Estimates until benchmarks exist: database accesses counted by hand, each with the proof it
//! adds, over a base for the computation.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

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
	/// A look at the head of every queue.
	fn agenda_heads() -> Weight;
	/// The payment of a chunk.
	fn pay_chunk() -> Weight;
	/// The end of an assignment that missed its deadline.
	fn miss_chunk() -> Weight;
	/// The closing of a task.
	fn expire_task() -> Weight;
	/// An entry of the agenda whose chunk has moved on.
	fn drop_entry() -> Weight;
	/// A look at an open task.
	fn visit_task() -> Weight;
	/// A draw for a chunk, and its assignment or its refund.
	fn assign_chunk() -> Weight;

	/// The largest step of the agenda.
	fn largest_step() -> Weight {
		Self::pay_chunk().max(Self::miss_chunk()).max(Self::expire_task()).max(Self::assign_chunk())
	}
}

/// Weights from counted database accesses.
pub struct Estimated<T>(PhantomData<T>);

/// Proof that one read adds at most on average: a trie path and a small record, in bytes.
const PROOF_PER_READ: u64 = 2_048;
/// Reads that one draw makes at most: the class's seats, 16 owners, and 32 devices and the other
/// 15 of the owner that reaches these.
const DRAW_READS: u64 = 1 + 16 + 32 + 15;

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
	// Reads: next task, rules, clock, audit rules, account, holds, two queue ends. Writes: next
	// task, task, account, holds, two entries with their ends.
	fn submit_task() -> Weight {
		Self::weight(60, 8, 8)
	}

	// Task, account, holds, fee rule; the refund and the remainder both move the same account.
	fn cancel_task() -> Weight {
		Self::weight(60, 4, 3)
	}

	// Chunk, task, clock, rules, device and owner of the duty, queue end; entry with its end,
	// chunk, task, device, owner, account and holds where the task ends.
	fn decline() -> Weight {
		Self::weight(60, 10, 8)
	}

	fn advance_agenda(steps: u32) -> Weight {
		Self::weight(20, 0, 0)
			.saturating_add(Self::agenda_heads())
			.saturating_add(Self::largest_step().saturating_mul(u64::from(steps)))
	}

	// Clock, beacon, and end and head of the twelve queues, and one chunk with its task.
	fn agenda_heads() -> Weight {
		Self::weight(20, 4 + 2 * 12, 0)
	}

	// Entry and end, chunk, task, rules, clock, owner, device, payout, pot or accrual, requester
	// and holds, treasury, author, contribution, ledger, and the entry of a reopening.
	fn pay_chunk() -> Weight {
		Self::weight(150, 18, 17)
	}

	// Entry and end, chunk, task, rules, clock, owner, device, stake and its holds, seats, and the
	// entry of a reopening.
	fn miss_chunk() -> Weight {
		Self::weight(100, 14, 13)
	}

	// Entry and end, task, fee rule, account, holds.
	fn expire_task() -> Weight {
		Self::weight(60, 6, 5)
	}

	// Entry and end, chunk.
	fn drop_entry() -> Weight {
		Self::weight(10, 3, 2)
	}

	// Entry and end, twice for the way back to the tail; task.
	fn visit_task() -> Weight {
		Self::weight(20, 4, 5)
	}

	// The draw; entry and end, chunk, task, audit rules, owner, device, ledger, and the entry of
	// the deadline.
	fn assign_chunk() -> Weight {
		Self::weight(80, DRAW_READS + 10, 10)
	}
}
