//! Calls with many entries: each stands for itself.

use crate::{
	types::{Batch, CommitItem, Entry, RevealItem},
	weights::WeightInfo,
	Config, Error, Event, Pallet,
};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{ensure, weights::Weight};
use sp_runtime::DispatchError;
use tequio_primitives::{Duty, Role, MAX_BATCH};

/// Picoseconds that it takes to tell whether one entry of a call is owed, at most: a referee's, whose
/// panel of 99 places is read for it.
pub const REFEREE_LOOKUP: u64 = 60_000_000;

/// What the transaction around the heaviest call adds to it, at most: its own bytes, which count as
/// proof, and what its extensions read and tell of each entry.
pub(crate) const ENVELOPE: Weight =
	Weight::from_parts(REFEREE_LOOKUP * MAX_BATCH as u64, 64 * 1024);

/// Auditors of an attempt that is judged with its last reveal. Where they are more, a full batch of
/// verdicts would be more than full blocks leave to results, and the agenda gives them.
pub(crate) const JUDGED_AT_ONCE: u32 = 2;

impl<T: Config> Pallet<T> {
	/// Takes the entries that can be taken, names the others in events, and returns what came of
	/// those taken. Where none can be taken, fails with the error of the first; `take` changes
	/// nothing when it fails.
	pub(crate) fn take_each<Item: Entry, Taken>(
		items: Batch<Item>,
		take: impl Fn(Item) -> Result<Taken, DispatchError>,
	) -> Result<Vec<Taken>, DispatchError> {
		ensure!(!items.is_empty(), Error::<T>::NothingToDo);
		let mut taken = Vec::new();
		let mut refused = Vec::new();
		for item in items {
			let duty = item.duty();
			match take(item) {
				Ok(one) => taken.push(one),
				Err(error) => refused.push((duty, error)),
			}
		}
		if let Some((_, first)) = refused.first().filter(|_| taken.is_empty()) {
			return Err(*first);
		}
		for (Duty { id, role }, error) in refused {
			Self::deposit_event(Event::ItemRefused { id, role, error });
		}
		Ok(taken)
	}
}

/// How many of the entries of a batch these are.
pub(crate) fn count<One>(some: &[One]) -> u32 {
	u32::try_from(some.len()).unwrap_or(MAX_BATCH)
}

/// Tasks that the entries of a batch are about. What entries of one task share is read and written
/// once.
pub(crate) fn tasks<Item: Entry>(items: &Batch<Item>) -> u32 {
	let distinct: BTreeSet<_> = items.iter().map(|item| item.duty().id.chunk.task).collect();
	u32::try_from(distinct.len()).unwrap_or(MAX_BATCH)
}

/// Entries of a batch that are a referee's.
fn referees<Item: Entry>(items: &Batch<Item>) -> u32 {
	let sits = |item: &&Item| matches!(item.duty().role, Role::Referee { .. });
	u32::try_from(items.iter().filter(sits).count()).unwrap_or(MAX_BATCH)
}

/// The most that these commits weigh.
pub(crate) fn commit_weight<T: Config>(items: &Batch<CommitItem>) -> Weight {
	T::WeightInfo::commit(count(items), tasks(items))
		.saturating_add(T::WeightInfo::panels(referees(items)))
}

/// What these reveals weigh without the verdicts that they bring.
pub(crate) fn reveals_alone<T: Config>(items: &Batch<RevealItem>) -> Weight {
	T::WeightInfo::reveal(count(items), tasks(items))
		.saturating_add(T::WeightInfo::panels(referees(items)))
}

/// The most that these reveals weigh.
pub(crate) fn reveal_weight<T: Config>(items: &Batch<RevealItem>) -> Weight {
	let judging = count(items).saturating_sub(referees(items));
	reveals_alone::<T>(items).saturating_add(judgements::<T>(judging))
}

/// The most that verdicts weigh that so many reveals bring.
fn judgements<T: Config>(reveals: u32) -> Weight {
	let verdicts = T::WeightInfo::judge(JUDGED_AT_ONCE, 0).saturating_mul(reveals.into());
	T::WeightInfo::verdicts().saturating_add(verdicts)
}

/// The most that a call with results weighs: a reveal brings a verdict, or is a referee's.
pub(crate) fn heaviest_call<T: Config>() -> Weight {
	let panels = T::WeightInfo::panels(MAX_BATCH);
	let entries = T::WeightInfo::reveal(MAX_BATCH, MAX_BATCH);
	T::WeightInfo::commit(MAX_BATCH, MAX_BATCH)
		.saturating_add(panels)
		.max(entries.saturating_add(panels.max(judgements::<T>(MAX_BATCH))))
}
