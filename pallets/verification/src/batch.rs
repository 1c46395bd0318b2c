//! Calls with many entries: each stands for itself.

use crate::{types::Batch, Config, Error, Event, Pallet};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, ensure};
use tequio_primitives::{Duty, MAX_BATCH};

impl<T: Config> Pallet<T> {
	/// Takes the entries that can be taken and names the others in events. Where none can be taken,
	/// fails with the error of the first; `take` changes nothing when it fails.
	pub(crate) fn take_each<Item>(
		items: Batch<Item>,
		duty_of: impl Fn(&Item) -> Duty,
		take: impl Fn(Item) -> DispatchResult,
	) -> DispatchResult {
		ensure!(!items.is_empty(), Error::<T>::NothingToDo);
		let offered = items.len();
		let mut refused = Vec::new();
		for item in items {
			let duty = duty_of(&item);
			if let Err(error) = take(item) {
				refused.push((duty, error));
			}
		}
		if let Some((_, first)) = refused.first().filter(|_| refused.len() == offered) {
			return Err(*first);
		}
		for (Duty { id, role }, error) in refused {
			Self::deposit_event(Event::ItemRefused { id, role, error });
		}
		Ok(())
	}
}

/// Entries in a batch.
pub(crate) fn length<Item>(items: &Batch<Item>) -> u32 {
	u32::try_from(items.len()).unwrap_or(MAX_BATCH)
}
