//! Calls with many entries: each stands for itself.

use crate::{
	types::{Batch, Entry},
	weights::WeightInfo,
	Config, Error, Event, Pallet,
};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{ensure, weights::Weight};
use sp_runtime::DispatchError;
use tequio_primitives::{search::AUDITORS, Duty, MAX_BATCH};

/// What the transaction around the heaviest call adds to it, at most: its own bytes, which count as
/// proof, and what its extensions read.
pub(crate) const ENVELOPE: Weight = Weight::from_parts(0, 64 * 1024);

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

/// The most that a reveal of so many entries about so many tasks weighs: each brings a verdict that
/// costs its worker the collateral.
pub(crate) fn reveal_weight<T: Config>(items: u32, tasks: u32) -> Weight {
	let verdicts = T::WeightInfo::judge(AUDITORS, 1).saturating_mul(items.into());
	T::WeightInfo::reveal(items, tasks)
		.saturating_add(T::WeightInfo::verdicts())
		.saturating_add(verdicts)
}

/// The most that a call with results weighs.
pub(crate) fn heaviest_call<T: Config>() -> Weight {
	T::WeightInfo::commit(MAX_BATCH, MAX_BATCH).max(reveal_weight::<T>(MAX_BATCH, MAX_BATCH))
}
