//! Which calls are free: those whose entries are owed, appeals, and reports of bad input.

use crate::{Call, Config, Pallet};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::Encode;
use tequio_primitives::{stage::Stage, AttemptId, Duty, Role};

impl<T: Config> Pallet<T> {
	/// The tags of a call that pays no fee: one for each entry that would be taken now, made of
	/// chunk, attempt, stage and device, so that a transaction pool keeps one call for each thing
	/// that is owed.
	///
	/// An entry may go out of date on the way into a block, and the others must not suffer for it.
	/// So up to half of the entries may be refused; what they weigh is thus bounded by what is owed.
	/// `None` where more would be, and for every other call but an appeal or a report of bad input
	/// that would be taken. An entry that is there twice is taken once.
	pub fn free_call_tags(device: &T::AccountId, call: &Call<T>) -> Option<Vec<Vec<u8>>> {
		let tag = |id: &AttemptId, stage: Stage| (id.chunk, id.attempt, stage, device).encode();
		let (entries, tags): (usize, BTreeSet<Vec<u8>>) = match call {
			Call::commit { items } => {
				let owed = items.iter().filter(|item| Self::can_commit(device, item));
				let tags = owed.map(|item| match item.role {
					Role::Worker => tag(&item.id, Stage::Assigned),
					Role::Auditor => tag(&item.id, Stage::Auditing),
					Role::Referee { .. } | Role::Appellant { .. } => tag(&item.id, Stage::Panel),
				});
				(items.len(), tags.collect())
			},
			Call::reveal { items } => {
				let owed = items.iter().filter(|item| Self::can_reveal(device, item));
				let tags = owed.map(|item| match item.role {
					Role::Worker | Role::Auditor => tag(&item.id, Stage::Revealing),
					Role::Referee { .. } | Role::Appellant { .. } => {
						tag(&item.id, Stage::PanelReveal)
					},
				});
				(items.len(), tags.collect())
			},
			Call::appeal { id } => {
				let owed = Self::can_appeal(device, id).then(|| tag(id, Stage::Appeal));
				(1, owed.into_iter().collect())
			},
			Call::report_bad_input { id, role } => {
				let stage = match role {
					Role::Referee { .. } => Stage::Panel,
					Role::Worker | Role::Auditor | Role::Appellant { .. } => Stage::Auditing,
				};
				let duty = Duty { id: *id, role: *role };
				let owed = Self::can_report_bad_input(device, duty).then(|| tag(id, stage));
				(1, owed.into_iter().collect())
			},
			_ => return None,
		};
		let refused = entries.saturating_sub(tags.len());
		(!tags.is_empty() && refused <= tags.len()).then(|| tags.into_iter().collect())
	}
}
