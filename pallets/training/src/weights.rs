//! Weights of the calls and of the steps of the agenda.
//!
//! Estimates until benchmarks exist: database accesses counted by hand, each with the proof it
//! adds, over a base for the computation. What orders and closes touch in `tasks` is counted here.
//!
//! What all steps of a block share (clock, rules, next number of tasks, ends and heads of the
//! queues) is counted once, with the look at the heads of the queues.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights that the pallet asks for.
pub trait WeightInfo {
	/// A submission.
	fn submit_training() -> Weight;
	/// A cancellation.
	fn cancel_training() -> Weight;
	/// A look at every queue, and `steps` of the largest step.
	fn advance_trainings(steps: u32) -> Weight;
	/// A look at the head of every queue, and what all steps share.
	fn agenda_heads() -> Weight;
	/// All that may be to be done about a training at once.
	fn visit_training() -> Weight;
	/// An entry of a queue whose training has nothing to be done.
	fn drop_entry() -> Weight;
	/// The removal of a record.
	fn prune_training() -> Weight;

	/// The largest step of the agenda.
	fn largest_step() -> Weight {
		Self::visit_training().max(Self::drop_entry()).max(Self::prune_training())
	}
}

/// Weights from counted database accesses.
pub struct Estimated<T>(PhantomData<T>);

/// Proof that one read adds at most on average: a trie path and a small record, in bytes.
const PROOF_PER_READ: u64 = 2_048;
/// Bytes that the record of a training may have beyond that: two hashes for each of 64 shards, and
/// its plan.
const RECORD_PROOF: u64 = 4_096;

impl<T: frame_system::Config> Estimated<T> {
	/// `base` in microseconds of ref time.
	fn weight(base: u64, reads: u64, writes: u64) -> Weight {
		let computation = Weight::from_parts(
			base.saturating_mul(1_000_000),
			reads.saturating_mul(PROOF_PER_READ),
		);
		computation.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}

	fn record() -> Weight {
		Weight::from_parts(0, RECORD_PROOF)
	}
}

impl<T: frame_system::Config> WeightInfo for Estimated<T> {
	// Next training, training, its step, ends and page; next task, task, its arguments, ends and
	// two pages; account and holds. The clock and three rules are only read.
	fn submit_training() -> Weight {
		Self::weight(120, 18, 14).saturating_add(Self::record())
	}

	// Training, ends and two pages; of two tasks the step, the task and its arguments; their ends
	// and page; account and holds. The clock and two rules are only read.
	fn cancel_training() -> Weight {
		Self::weight(150, 18, 15).saturating_add(Self::record())
	}

	fn advance_trainings(steps: u32) -> Weight {
		Self::weight(20, 0, 0)
			.saturating_add(Self::agenda_heads())
			.saturating_add(Self::largest_step().saturating_mul(u64::from(steps)))
	}

	// Ends and the heads of ten queues; ends and next number of tasks. The clock and three rules
	// are only read. Queues take turns, so each head is looked at in every turn, and read once.
	fn agenda_heads() -> Weight {
		Self::weight(20, 17, 13)
	}

	// Training, and three pages that entries are added to; two tasks are closed and two ordered: of
	// each the step, the task and its arguments; three pages of tasks; account and holds.
	fn visit_training() -> Weight {
		Self::weight(250, 21, 21).saturating_add(Self::record())
	}

	// Training.
	fn drop_entry() -> Weight {
		Self::weight(5, 1, 0).saturating_add(Self::record())
	}

	// Training.
	fn prune_training() -> Weight {
		Self::weight(10, 1, 1).saturating_add(Self::record())
	}
}
