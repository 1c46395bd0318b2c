//! Weights of calls and of steps of the agenda. **Estimates**, counted by hand from the storage
//! items that each touches, until the pallet has benchmarks. They count the worst case of the
//! neighbours too: a verdict pays and slashes.
//!
//! What the entries of one call share by design is counted once: the device that signs, rules,
//! clock, the ends and pages of the queues with the call; the record of a task, its requester's
//! money and its own with the task. Auditors may be others for each entry, and are counted for each.
//!
//! Where a chunk may end without pay, whoever ordered its task may be told, and that is counted too:
//! what all that is told shares with what all verdicts share, the rest for each verdict.

use crate::{
	agenda::LOOKS,
	dismissal::DISMISSED_PER_STEP,
	panel::{MISSED_PER_STEP, SEATS_PER_STEP},
	types::{Queue, LEVELS},
};
use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};
use tequio_primitives::{fifo::MAX_STEPS, WorkClass, MAX_AUDITORS};

/// What calls and agenda steps weigh.
pub trait WeightInfo {
	/// A commit of this many entries about so many tasks.
	fn commit(items: u32, tasks: u32) -> Weight;
	/// A reveal of this many entries about so many tasks, without the verdicts that it brings.
	fn reveal(items: u32, tasks: u32) -> Weight;
	/// What so many entries of a commit or a reveal weigh besides because they are referees'.
	fn panels(items: u32) -> Weight;
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
	/// Deciding on one more auditor, with a look at so many records.
	fn decide_second(looks: u32) -> Weight;
	/// Ending an audit whose time is up.
	fn end_audit() -> Weight;
	/// What all verdicts of one call or block share.
	fn verdicts() -> Weight;
	/// Giving a verdict on a result with so many auditors, so many of those involved being slashed;
	/// or calling a panel over it.
	fn judge(auditors: u32, slashes: u32) -> Weight;
	/// Giving a verdict without those who did not reveal in time, or for the call with the last
	/// reveal, which had no room for it.
	fn judge_late() -> Weight;
	/// Drawing for empty places of a panel, with a look at so many records.
	fn seat_referees(looks: u32) -> Weight;
	/// Ending the work of a panel whose time is up.
	fn end_panel() -> Weight;
	/// Tallying what a panel says, and settling what it is about where that is final.
	fn find() -> Weight;
	/// Settling what a panel has found, once nobody may appeal any more.
	fn end_appeal() -> Weight;
	/// Dismissing a few referees.
	fn dismiss() -> Weight;
	/// An appeal.
	fn appeal() -> Weight;
	/// A challenge.
	fn challenge() -> Weight;
	/// A report of bad input.
	fn report_bad_input() -> Weight;
	/// Changing the rules.
	fn set_rules() -> Weight;
	/// Forgetting an accepted check that `tasks` has paid.
	fn forget() -> Weight;
}

/// Hand-counted weights.
pub struct Estimated<T>(PhantomData<T>);

/// Proof that one read adds at most on average: a trie path and a small record, in bytes.
const PROOF_PER_READ: u64 = 2_048;
/// Bytes that a check may have beyond that: the shares that it claims and the openings of a few, or
/// the openings of eight with their projections.
const CHECK_PROOF: u64 = 5_120;
/// Bytes that a panel of 99 places may have beyond that.
const PANEL_PROOF: u64 = 15_360;
/// Bytes of a list of a thousand owners with their seats.
const SEATS_PROOF: u64 = 36_000;
/// Bytes of the seats of every class.
const CLASSES_PROOF: u64 = WorkClass::ALL.len() as u64 * SEATS_PROOF;
/// Keys that entries of one call share: device, clock, rules, genesis hash, ends, and two pages of
/// one queue.
const CALL: (u64, u64) = (7, 4);
/// Keys of a task that its entries share: its record, its requester's account and holds.
const TASK: u64 = 3;
/// Keys that every verdict may touch: the ledger, treasury, author and pot, the ends and two pages
/// of the queues of `tasks`, those of a panel's first draw, and those of who follows tasks, seats in
/// force and coming ones, issuance; and a few rules, only read.
const VERDICTS: (u64, u64) = (25, 17);
/// Keys that are touched to tell who ordered a task that a chunk, or all of it, has ended: which
/// record it belongs to, and that record; and a write to spare.
const FOLLOWER: (u64, u64) = (2, 3);
/// Bytes that the record may have beyond the average: the outputs of two rounds.
const FOLLOWER_PROOF: u64 = 4_096;
/// Keys of one who has a duty: device and owner.
const SEAT: u64 = 2;
/// Keys of one who is paid: the account, and the contribution.
const PAYEE: u64 = 2;
/// Keys of one who is slashed: the owner's account and holds.
const SLASHED: u64 = 2;
/// Keys of one whose bond is on hold: the account and its holds.
const BONDED: u64 = 2;

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

	/// Reading a panel, decoding its places and writing it back.
	fn panel() -> Weight {
		Self::weight(20, 1, 1).saturating_add(Weight::from_parts(0, PANEL_PROOF))
	}

	/// A few draws with a look at an owner or a device each, and the owners and devices of those who
	/// are bound; check and task.
	fn draws(looks: u32) -> Weight {
		let looks = u64::from(looks);
		let bound = u64::from(SEATS_PER_STEP) * SEAT;
		Self::weight(looks.saturating_mul(2).saturating_add(40), looks.saturating_add(1), 1 + bound)
	}

	/// Telling who follows a task that a chunk of it ended without pay.
	fn told() -> Weight {
		let (reads, writes) = FOLLOWER;
		Self::weight(5, reads, writes).saturating_add(Weight::from_parts(0, FOLLOWER_PROOF))
	}

	/// Fines or slashes of so many who have a duty.
	fn losses(count: u64) -> Weight {
		let keys = count.saturating_mul(SEAT + SLASHED);
		Self::weight(count.saturating_mul(10), keys, keys)
	}

	/// The end of a check on which every panel has sat: check, chunk, task, pot; worker, auditors
	/// and appellants slashed or paid, the challenger; the panels; who follows the task.
	fn settled() -> Weight {
		let losses = Self::losses(u64::from(1 + MAX_AUDITORS) + u64::from(LEVELS));
		let keys = 3 + TASK + u64::from(MAX_AUDITORS) * PAYEE + BONDED;
		Self::weight(60, keys, keys)
			.saturating_add(losses)
			.saturating_add(Self::panel().saturating_mul(LEVELS.into()))
			.saturating_add(Self::told())
	}

	/// Putting a panel in the place of another one: check, clock, rules, ends and two pages each of
	/// two queues, the seats of the class, of which those who may sit are counted; the new panel, and
	/// the one before.
	fn called() -> Weight {
		Self::weight(300, 9, 6)
			.saturating_add(Self::check())
			.saturating_add(Self::panel().saturating_mul(2))
			.saturating_add(Weight::from_parts(0, SEATS_PROOF))
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

	// Panel of each.
	fn panels(items: u32) -> Weight {
		Self::panel().saturating_mul(items.into())
	}

	fn advance_agenda(limit: u32) -> Weight {
		let steps = [
			Self::draw_auditors(LOOKS),
			Self::decide_second(LOOKS),
			Self::end_audit(),
			Self::judge_late(),
			Self::end_panel(),
			Self::find(),
			Self::end_appeal(),
			Self::dismiss(),
		];
		let step = steps.into_iter().fold(Weight::zero(), |heaviest, step| heaviest.max(step));
		let step = step.saturating_add(Self::agenda_look());
		Self::agenda_heads().saturating_add(step.saturating_mul(limit.min(MAX_STEPS).into()))
	}

	// Clock and outputs; the output of the last block.
	fn tick() -> Weight {
		Self::weight(5, 3, 2)
	}

	// Ends, outputs, clock, rules; the first page of each queue, and the last. Who is slashed loses
	// seats to come in every class.
	fn agenda_heads() -> Weight {
		let queues = u64::try_from(Queue::all().count()).unwrap_or(u64::MAX);
		Self::weight(20, queues.saturating_add(4), queues.saturating_add(1))
			.saturating_add(Self::verdicts())
			.saturating_add(Weight::from_parts(0, CLASSES_PROOF))
	}

	// Check.
	fn agenda_look() -> Weight {
		Self::weight(5, 1, 0).saturating_add(Self::check())
	}

	fn draw_auditors(looks: u32) -> Weight {
		Self::draws(looks)
	}

	fn decide_second(looks: u32) -> Weight {
		Self::draws(looks)
	}

	// Check, chunk and task; each auditor is fined or released; then the worker is released, and the
	// chunk ends with the attempt.
	fn end_audit() -> Weight {
		let keys = 2 + TASK + SEAT;
		Self::weight(60, keys, keys)
			.saturating_add(Self::losses(MAX_AUDITORS.into()))
			.saturating_add(Self::told())
	}

	// The seats in force are those by which the size of a panel is told.
	fn verdicts() -> Weight {
		let (reads, writes) = VERDICTS;
		Self::weight(5, reads, writes).saturating_add(Weight::from_parts(0, CLASSES_PROOF))
	}

	// Chunk, or panel; the seats of worker and auditors. Then either auditors are paid, or, where
	// nobody can judge a quarrel, the chunk ends without pay. Check and task are counted with the
	// reveal.
	fn judge(auditors: u32, slashes: u32) -> Weight {
		let auditors = u64::from(auditors);
		let slashes = u64::from(slashes).saturating_mul(SLASHED);
		let bound = auditors.saturating_mul(SEAT).saturating_add(slashes);
		let keys = bound.saturating_add(1 + SEAT);
		let pay = auditors.saturating_mul(PAYEE);
		let paid = Self::weight(5, pay, pay);
		Self::weight(55, keys, keys).saturating_add(paid.max(Self::told()))
	}

	// The same with check and task, at worst with everybody slashed.
	fn judge_late() -> Weight {
		Self::judge(MAX_AUDITORS, MAX_AUDITORS + 1).saturating_add(Self::weight(10, TASK, 1 + TASK))
	}

	fn seat_referees(looks: u32) -> Weight {
		// Seats of those who may not be drawn are left out, for each draw.
		let others = Self::weight(300, 0, 0);
		Self::draws(looks).saturating_add(Self::panel()).saturating_add(others)
	}

	// Check and panel; four are fined.
	fn end_panel() -> Weight {
		let silent = u64::try_from(MISSED_PER_STEP).unwrap_or(u64::MAX);
		Self::weight(30, 1, 1).saturating_add(Self::panel()).saturating_add(Self::losses(silent))
	}

	// The panel, of which four more may be fined first, but not with the end of the check.
	fn find() -> Weight {
		Self::settled().max(Self::end_panel()).saturating_add(Self::weight(30, 0, 0))
	}

	fn end_appeal() -> Weight {
		Self::settled()
	}

	// Panel; pay of each is accrued: its own record and the total.
	fn dismiss() -> Weight {
		let count = u64::from(DISMISSED_PER_STEP);
		Self::weight(10, count.saturating_add(1), count.saturating_add(1))
			.saturating_add(Self::panel())
			.saturating_add(Self::losses(count))
	}

	// Device, owner and ledger.
	fn appeal() -> Weight {
		Self::called().saturating_add(Self::weight(20, SEAT + 1, SEAT + 1))
	}

	// Chunk and task; the challenger; a look for panels of every level.
	fn challenge() -> Weight {
		let keys = 1 + TASK + BONDED;
		let levels = u64::from(LEVELS);
		Self::called().saturating_add(Self::weight(20, keys.saturating_add(levels), keys))
	}

	// Device, owner; clock, rules, ends and two pages of a queue; check, panel, task. After the last
	// report the check ends with a verdict.
	fn report_bad_input() -> Weight {
		Self::weight(30, 10, 7)
			.saturating_add(Self::check())
			.saturating_add(Self::panel())
			.saturating_add(Self::verdicts())
			.saturating_add(Self::end_audit())
	}

	fn set_rules() -> Weight {
		Self::weight(10, 1, 1)
	}

	fn forget() -> Weight {
		Self::weight(10, 1, 1).saturating_add(Self::check())
	}
}
