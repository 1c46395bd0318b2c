//! Which calls are free: those whose every entry would be taken.

use crate::{Call, Config, Pallet};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::Encode;
use tequio_primitives::{stage::Stage, AttemptId, Role};

impl<T: Config> Pallet<T> {
	/// The tags of a call that pays no fee: one for each entry, made of chunk, attempt, stage and
	/// device, so that a transaction pool keeps one call for each thing that is owed. `None` where
	/// the call pays: it is not a commit or a reveal, it is empty, names something twice, or has an
	/// entry that would be refused now.
	pub fn free_call_tags(device: &T::AccountId, call: &Call<T>) -> Option<Vec<Vec<u8>>> {
		let tag = |id: &AttemptId, stage: Stage| (id.chunk, id.attempt, stage, device).encode();
		let tags = match call {
			Call::commit { items } => items
				.iter()
				.map(|item| {
					let stage = match item.role {
						Role::Worker => Stage::Assigned,
						Role::Auditor | Role::Referee { .. } => Stage::Auditing,
					};
					Self::can_commit(device, item).then(|| tag(&item.id, stage))
				})
				.collect::<Option<Vec<_>>>()?,
			Call::reveal { items } => items
				.iter()
				.map(|item| Self::can_reveal(device, item).then(|| tag(&item.id, Stage::Revealing)))
				.collect::<Option<Vec<_>>>()?,
			_ => return None,
		};
		let distinct = tags.iter().collect::<BTreeSet<_>>().len();
		(!tags.is_empty() && distinct == tags.len()).then_some(tags)
	}
}
