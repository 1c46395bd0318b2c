//! Invariants of panels, appeals and challenges.

use super::{Checked, Entries};
use crate::{
	panel::parties,
	types::{CheckState, Queue, Referee, Seating, MAX_REFEREES, MIN_REFEREES},
	CheckOf, Checks, Config, HoldReason, Pallet, PanelOf, Panels,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::fungible::hold::Inspect};
use tequio_primitives::{workers::InspectWorkers, AttemptId, Balance, Duty, Role};

impl<T: Config> Pallet<T> {
	pub(super) fn try_panels(entries: &Entries) -> Checked {
		for (id, level, panel) in Panels::<T>::iter() {
			panels_are_possible::<T>(&panel)?;
			Self::referees_are_engaged(id, level, &panel)?;
			match &panel.end {
				Some(_) => Self::dismissal_is_on_the_agenda(id, level, &panel, entries)?,
				None => Self::panel_belongs_to_a_check(id, level, &panel)?,
			}
		}
		for (chunk, check) in Checks::<T>::iter() {
			let id = AttemptId { chunk, attempt: check.attempt };
			Self::panel_is_in_the_state_of_its_check(id, &check)?;
			Self::bonds_of_appeals_are_bound(id, &check)?;
		}
		Self::bonds_of_challenges_are_on_hold()
	}

	/// Each referee is bound to its duty until it is dismissed, and owes it until it has revealed.
	fn referees_are_engaged(id: AttemptId, level: u8, panel: &PanelOf<T>) -> Checked {
		let duty = Duty { id, role: Role::Referee { level } };
		let passed = panel.end.as_ref().map_or(0, |end| end.dismissed);
		let passed = usize::try_from(passed).unwrap_or(usize::MAX);
		for place in panel.places.iter().skip(passed) {
			let Some(seat) = place.sitting() else { continue };
			let bound = T::Workers::parts_of(&seat.device).contains(&duty);
			ensure!(bound, "a referee is not bound");
			let owed = place.said.is_some() || T::Workers::duties_of(&seat.device).contains(&duty);
			ensure!(owed, "a referee owes nothing");
		}
		Ok(())
	}

	/// A panel whose end is known has somebody to dismiss, in the next block.
	fn dismissal_is_on_the_agenda(
		id: AttemptId,
		level: u8,
		panel: &PanelOf<T>,
		entries: &Entries,
	) -> Checked {
		let places = u32::try_from(panel.places.len()).unwrap_or(u32::MAX);
		let left = panel.end.as_ref().is_some_and(|end| end.dismissed < places);
		let mut dismissals = entries.iter().filter(|(queue, _)| *queue == Queue::Dismissal(level));
		let listed = dismissals.any(|(_, due)| due.subject == id);
		ensure!(left && listed, "a panel will not be dismissed");
		Ok(())
	}

	/// A panel whose end is not known judges an attempt, or was appealed against. None of its
	/// referees has another part in the attempt, and each says something of every party.
	fn panel_belongs_to_a_check(id: AttemptId, level: u8, panel: &PanelOf<T>) -> Checked {
		let check = Checks::<T>::get(id.chunk)
			.filter(|check| check.attempt == id.attempt)
			.ok_or("a panel judges nothing")?;
		let mut appeals = check.appeals.iter();
		let judges = matches!(
			check.state,
			CheckState::Panel { .. } | CheckState::PanelReveal { .. } | CheckState::Appeal { .. }
		);
		ensure!(
			judges && (check.level == level || appeals.any(|appeal| appeal.level == level)),
			"a panel is not the one that its check is about"
		);
		let excluded = Self::excluded(&check);
		let mut owners = panel.places.iter().map(|place| &place.seat.owner);
		let impartial = !owners.any(|owner| excluded.contains(owner));
		ensure!(impartial || check.barred.is_full(), "a referee has another part");
		let judged = parties(&check).count();
		let mut said = panel.places.iter().filter_map(|place| place.said.as_ref());
		ensure!(said.all(|said| said.findings.len() == judged), "a referee says too little");
		Ok(())
	}

	/// A check that a panel judges has that panel, without an end; while it computes, somebody has
	/// still to commit, or is to be drawn, or nobody has committed; nobody has revealed, and a draw is
	/// planned only while votes are open.
	fn panel_is_in_the_state_of_its_check(id: AttemptId, check: &CheckOf<T>) -> Checked {
		let panel = Panels::<T>::get(id, check.level).filter(|panel| panel.end.is_none());
		let possible = match check.state {
			CheckState::Panel { vacant, .. } => panel.is_some_and(|panel| {
				let places = &panel.places;
				let owed = |place: &Referee<_>| !place.left && place.commitment.is_none();
				let nobody = places.iter().all(|place| place.commitment.is_none());
				let computing = nobody || vacant.is_some() || places.iter().any(owed);
				let silent = places.iter().all(|place| place.said.is_none());
				computing && silent && (vacant.is_none() || panel.open() > 0)
			}),
			CheckState::PanelReveal { .. } | CheckState::Appeal { .. } => panel.is_some(),
			CheckState::Drawing { .. }
			| CheckState::Auditing { .. }
			| CheckState::Second { .. }
			| CheckState::Revealing { .. }
			| CheckState::Settled => panel.is_none(),
		};
		ensure!(possible, "a panel is not what the state of its check says");
		Ok(())
	}

	/// Each level below the present one was appealed against once at most, by a party, whose bond is
	/// bound.
	fn bonds_of_appeals_are_bound(id: AttemptId, check: &CheckOf<T>) -> Checked {
		let levels: BTreeSet<_> = check.appeals.iter().map(|appeal| appeal.level).collect();
		ensure!(levels.len() == check.appeals.len(), "a panel was appealed against twice");
		for appeal in &check.appeals {
			ensure!(appeal.level < check.level, "a panel that is to come was appealed against");
			let party = parties(check).nth(usize::from(appeal.party));
			let own = party.is_some_and(|(seat, _)| seat == Some(&appeal.seat));
			let duty = Duty { id, role: Role::Appellant { level: appeal.level } };
			let bound = T::Workers::parts_of(&appeal.seat.device).contains(&duty);
			ensure!(own && bound, "an appeal is nobody's");
		}
		Ok(())
	}

	/// What a challenger has on hold is the sum of its challenges that are being judged.
	fn bonds_of_challenges_are_on_hold() -> Checked {
		let mut bonds = BTreeMap::<T::AccountId, Balance>::new();
		for challenge in Checks::<T>::iter_values().filter_map(|check| check.challenge) {
			let sum = bonds.entry(challenge.challenger).or_default();
			*sum = sum.saturating_add(challenge.bond);
		}
		let reason = HoldReason::Challenge.into();
		let held = |who: &T::AccountId| T::Currency::balance_on_hold(&reason, who);
		ensure!(
			bonds.iter().all(|(challenger, sum)| held(challenger) == *sum),
			"a challenger has another sum on hold than its bonds"
		);
		Ok(())
	}
}

/// A panel gives out no more votes than it has, each referee at least one, and one that is drawn has
/// 3 to 99; its places are of different owners; nobody has committed who has left, and nobody has
/// revealed who has not committed.
fn panels_are_possible<T: Config>(panel: &PanelOf<T>) -> Checked {
	ensure!(panel.given() <= panel.votes, "a panel has given out more votes than it has");
	ensure!(panel.places.iter().all(|place| place.votes > 0), "a referee has no vote");
	let sizes = u64::from(MIN_REFEREES)..=u64::from(MAX_REFEREES);
	ensure!(
		panel.seating == Seating::Everybody || sizes.contains(&panel.votes),
		"a panel has too few votes"
	);
	let owners: BTreeSet<_> = panel.places.iter().map(|place| &place.seat.owner).collect();
	ensure!(owners.len() == panel.places.len(), "an owner sits on a panel twice");
	let in_order = panel.places.iter().all(|place| {
		(!place.left || place.commitment.is_none())
			&& (place.commitment.is_some() || place.said.is_none())
	});
	ensure!(in_order, "a referee has revealed before it committed");
	Ok(())
}
