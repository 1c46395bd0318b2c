//! Weights of calls and of steps of the agenda. **Estimates**, counted by hand from the storage
//! items that each touches, until the pallet has benchmarks. They count the worst case of the
//! neighbours too: a verdict pays and slashes.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};
use tequio_primitives::search::AUDITORS;

/// What calls and agenda steps weigh.
pub trait WeightInfo {
	/// A commit of this many entries.
	fn commit(items: u32) -> Weight;
	/// A reveal of this many entries, each of which may bring a verdict.
	fn reveal(items: u32) -> Weight;
	/// Moving on this many late entries.
	fn advance_agenda(limit: u32) -> Weight;
	/// Moving the clock on.
	fn tick() -> Weight;
	/// Looking at the head of a queue.
	fn agenda_look() -> Weight;
	/// Taking an entry out.
	fn agenda_drop() -> Weight;
	/// Deciding on an audit and drawing its auditors.
	fn decide_audit() -> Weight;
	/// Drawing for empty places.
	fn draw_vacant() -> Weight;
	/// Ending an audit whose time is up.
	fn end_audit() -> Weight;
	/// Giving a verdict.
	fn judge() -> Weight;
}

/// Hand-counted weights.
pub struct Estimated<T>(PhantomData<T>);

/// Picoseconds for decoding, hashing and deciding on one entry.
const ENTRY: u64 = 30_000_000;
/// Bytes of proof for one entry: its check, its task and the records beside them.
const ENTRY_PROOF: u64 = 16 * 1024;
/// Reads of one draw: the seats of a class, 16 owners, and 32 devices and the other 15 of the owner
/// that reaches these.
const DRAW_READS: u64 = 1 + 16 + 32 + 15;
/// Reads, and writes, of binding a seat to a duty or of releasing it.
const ENGAGE: u64 = 4;
/// Reads, and writes, of a slash: owner, device, seats, ledger, and the held and free balances of
/// those paid.
const SLASH: u64 = 14;
/// Reads, and writes, of what `tasks` does on a verdict: its records and queues, the pay of the
/// auditors and the fees.
const CONCLUDE: u64 = 30;

impl<T: frame_system::Config> Estimated<T> {
	fn entry(reads: u64, writes: u64) -> Weight {
		Weight::from_parts(ENTRY, ENTRY_PROOF)
			.saturating_add(T::DbWeight::get().reads_writes(reads, writes))
	}
}

impl<T: frame_system::Config> WeightInfo for Estimated<T> {
	fn commit(items: u32) -> Weight {
		// Check, task, chunk, rules, bounds and entry of a queue.
		Self::entry(9, 8).saturating_mul(items.into())
	}

	fn reveal(items: u32) -> Weight {
		// Check, task, genesis hash, device; then the verdict.
		Self::entry(4 + ENGAGE, 1 + ENGAGE)
			.saturating_add(Self::judge())
			.saturating_mul(items.into())
	}

	fn advance_agenda(limit: u32) -> Weight {
		let step = Self::decide_audit()
			.max(Self::draw_vacant())
			.max(Self::end_audit())
			.max(Self::judge())
			.saturating_add(Self::agenda_drop())
			.saturating_add(Self::agenda_look());
		// Each queue is looked at once more than it has entries taken.
		let looks = u64::try_from(crate::types::Queue::ALL.len()).unwrap_or(u64::MAX);
		step.saturating_mul(limit.into()).saturating_add(Self::agenda_look().saturating_mul(looks))
	}

	fn tick() -> Weight {
		Weight::from_parts(5_000_000, 2 * 1024)
			.saturating_add(T::DbWeight::get().reads_writes(3, 2))
	}

	fn agenda_look() -> Weight {
		Weight::from_parts(2_000_000, ENTRY_PROOF)
			.saturating_add(T::DbWeight::get().reads_writes(3, 0))
	}

	fn agenda_drop() -> Weight {
		Weight::from_parts(1_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(1, 2))
	}

	fn decide_audit() -> Weight {
		// Outputs, rules and task; then the draws; then a deadline and a further draw on the
		// agenda.
		let auditors = u64::from(AUDITORS);
		let draws = Weight::from_parts(auditors * ENTRY, auditors * ENTRY_PROOF);
		Self::entry(8 + auditors * (DRAW_READS + ENGAGE), 6 + auditors * ENGAGE)
			.saturating_add(draws)
	}

	fn draw_vacant() -> Weight {
		Self::decide_audit()
	}

	fn end_audit() -> Weight {
		// Each auditor is fined or released; then others are drawn later, or the worker is released
		// and the attempt ends.
		let ends = u64::from(AUDITORS) * SLASH + ENGAGE + CONCLUDE;
		Self::entry(4 + ends, 4 + ends)
	}

	fn judge() -> Weight {
		let slashes = (1 + u64::from(AUDITORS)) * SLASH;
		Self::entry(2 + slashes + CONCLUDE, 1 + slashes + CONCLUDE)
	}
}
