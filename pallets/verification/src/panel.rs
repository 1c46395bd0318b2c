//! Panels: calling one, the end of its time, and what it finds.

mod referee;
mod seating;

pub(crate) use referee::outputs;

use crate::{
	agenda::DrawsOf,
	finding::{self, Word},
	types::{Check, CheckState, Panel, Queue, Referee, Seating, Standing, Standings, MIN_REFEREES},
	verdict::Outcome,
	Agenda, CheckOf, Checks, Config, CurrentRules, Event, Pallet, PanelOf, Panels,
};
use alloc::vec::Vec;
use frame_support::defensive;
use tequio_primitives::{
	clock::WorkClock,
	opening::Opening,
	tasks::UndecidedReason,
	workers::{EngageSeats, Seat},
	AttemptId, Duty, Role,
};

/// Votes that one step of the agenda draws for, and places of auditors: the draws of a step weigh no
/// more than those of an audit.
pub(crate) const SEATS_PER_STEP: u32 = 2;
/// Silent referees whom one step of the agenda fines.
pub(crate) const MISSED_PER_STEP: usize = 4;

/// A panel that could be called.
#[derive(Clone, Copy)]
pub(crate) struct Roll {
	/// How it would come by its votes.
	seating: Seating,
	/// Its votes.
	votes: u64,
	/// Its referees, at most.
	pub referees: u32,
}

/// Calling a panel.
impl<T: Config> Pallet<T> {
	/// Calls the first panel over a disagreement, or ends the check undecided where too few could sit
	/// on it. Who was only silent before may.
	pub(crate) fn call_panel(id: AttemptId, mut check: CheckOf<T>) {
		check.barred = Default::default();
		match Self::roll(&check, 0) {
			Some(roll) => Self::summon(id, check, 0, roll),
			None => Self::end(id, check, Outcome::Undecided(UndecidedReason::Disagreement)),
		}
	}

	/// The panel of a level, as it would be called now: everybody who has no other part in the check
	/// where those are no more than it has places. `None` for a level that there is not, and where
	/// they are too few.
	pub(crate) fn roll(check: &CheckOf<T>, level: u8) -> Option<Roll> {
		let most = *CurrentRules::<T>::get().panels.get(usize::from(level))?;
		let excluded = Self::excluded(check);
		let others = DrawsOf::<T>::default().holdings(check.assignment.class, &excluded);
		let roll = if others.owners > most {
			Roll { seating: Seating::Drawn, votes: most.into(), referees: most }
		} else {
			Roll { seating: Seating::Everybody, votes: others.seats, referees: others.owners }
		};
		(others.owners >= MIN_REFEREES).then_some(roll)
	}

	/// The panel of the next level: none after one on which everybody sat.
	pub(crate) fn larger_panel(check: &CheckOf<T>, than: &PanelOf<T>) -> Option<Roll> {
		match than.seating {
			Seating::Drawn => Self::roll(check, check.level.saturating_add(1)),
			Seating::Everybody => None,
		}
	}

	/// Calls the panel of a level. Its first draws use an output that nobody knows yet.
	pub(crate) fn summon(id: AttemptId, mut check: CheckOf<T>, level: u8, roll: Roll) {
		let Roll { seating, votes, .. } = roll;
		let panel = Panel::new(check.assignment.class, seating, votes, Self::now());
		check.level = level;
		check.standings = Default::default();
		Self::deposit_event(Event::PanelCalled { id, level, seating, votes });
		Self::await_referees(id, &mut check, &panel);
		Panels::<T>::insert(id, level, panel);
		Checks::<T>::insert(id.chunk, check);
	}
}

/// The end of a panel.
impl<T: Config> Pallet<T> {
	/// The time of the referees is up: fines the silent, as many as one step may, and opens the
	/// reveals of the others.
	pub(crate) fn end_panel(id: AttemptId, mut check: CheckOf<T>) {
		let Some(mut panel) = Self::panel_of(&id, &check) else {
			return Self::end(id, check, Outcome::Undecided(UndecidedReason::Disagreement));
		};
		if panel.places.is_empty() && Self::now() < Self::patience(&check, &panel) {
			// Blocks were too full to draw for it, or everybody was busy.
			Self::await_referees(id, &mut check, &panel);
			Checks::<T>::insert(id.chunk, check);
			return;
		}
		Self::fine_silent(id, &check, &mut panel);
		let more = panel.places.iter().any(is_silent);
		let committed = panel.places.iter().any(|place| place.commitment.is_some());
		if more || !committed {
			Self::plan_finding(id);
		}
		if committed {
			return Self::open_panel_reveals(id, check);
		}
		// Nobody has anything to reveal.
		let since = frame_system::Pallet::<T>::block_number();
		check.state = CheckState::PanelReveal { due: Self::now(), since };
		Checks::<T>::insert(id.chunk, check);
	}

	/// What was found by the newest panel that was heard, and its level. A panel of which too few
	/// could be drawn, or spoke, leaves in force what the one before it found: else whoever was found
	/// wrong could appeal until nobody is left to judge.
	fn newest_finding(
		id: &AttemptId,
		check: &CheckOf<T>,
		panel: &PanelOf<T>,
		shown: &[bool],
	) -> (u8, Standings) {
		let finds = |panel: &PanelOf<T>| {
			let words = words(panel);
			(finding::is_heard(&words, panel.votes), finding::tally(&words, shown, panel.votes))
		};
		let (heard, own) = finds(panel);
		let before = (0..check.level).rev().filter(|_| !heard).find_map(|level| {
			let (heard, found) = finds(&Panels::<T>::get(id, level)?);
			heard.then_some((level, found))
		});
		before.unwrap_or((check.level, own))
	}

	/// Fines who else was silent; or, once nobody is left of those, tallies what the referees have
	/// revealed, if it was the last one or the time is up.
	pub(crate) fn find(id: AttemptId, mut check: CheckOf<T>) {
		let CheckState::PanelReveal { due, .. } = check.state else { return };
		let Some(mut panel) = Self::panel_of(&id, &check) else {
			return Self::end(id, check, Outcome::Undecided(UndecidedReason::Disagreement));
		};
		if panel.places.iter().any(is_silent) {
			Self::fine_silent(id, &check, &mut panel);
			return Self::plan_finding(id);
		}
		if Self::now() < due && !everybody_revealed(&panel) {
			return;
		}
		let shown: Vec<_> = parties(&check).map(|(_, opening)| opening.is_some()).collect();
		let (found_by, standings) = Self::newest_finding(&id, &check, &panel, &shown);
		Self::deposit_event(Event::PanelFound {
			id,
			level: check.level,
			standings: standings.clone(),
		});
		let mut stand = shown.iter().zip(&standings);
		let lost = stand.any(|(shown, standing)| *shown && *standing != Standing::Right);
		check.standings = standings;
		check.found_by = found_by;
		if lost && Self::larger_panel(&check, &panel).is_some() {
			let due = Self::now().saturating_add(CurrentRules::<T>::get().appeal_period);
			Agenda::<T>::push(Queue::Appeal, id, due);
			check.state = CheckState::Appeal { due };
			Checks::<T>::insert(id.chunk, check);
		} else {
			Self::settle(id, check);
		}
	}

	/// The panel that judges an attempt, or has judged it last.
	pub(crate) fn panel_of(id: &AttemptId, check: &CheckOf<T>) -> Option<PanelOf<T>> {
		let panel = Panels::<T>::get(id, check.level);
		if panel.is_none() {
			defensive!("a check in the state of a panel has one");
		}
		panel
	}

	/// Fines referees who have not committed, and takes them off their places: four at most.
	fn fine_silent(id: AttemptId, check: &CheckOf<T>, panel: &mut PanelOf<T>) {
		let level = check.level;
		let duty = Duty { id, role: Role::Referee { level } };
		let part = CurrentRules::<T>::get().audit_miss_fine;
		let fine = part.mul_floor(check.assignment.terms.collateral);
		let silent = panel.places.iter_mut().filter(|place| is_silent(place));
		for place in silent.take(MISSED_PER_STEP) {
			place.left = true;
			T::Workers::miss(&place.seat, duty, fine);
			let owner = place.seat.owner.clone();
			Self::deposit_event(Event::RefereeMissed { id, level, owner, fine });
		}
		Panels::<T>::insert(id, level, &*panel);
	}

	/// Everybody has committed or was too late: openings are due.
	pub(crate) fn open_panel_reveals(id: AttemptId, mut check: CheckOf<T>) {
		let due = Self::now().saturating_add(CurrentRules::<T>::get().reveal_period);
		let since = frame_system::Pallet::<T>::block_number();
		Agenda::<T>::push(Queue::PanelReveal, id, due);
		check.state = CheckState::PanelReveal { due, since };
		Self::deposit_event(Event::PanelRevealsOpened { id, level: check.level });
		Checks::<T>::insert(id.chunk, check);
	}

	fn plan_finding(id: AttemptId) {
		Agenda::<T>::push(Queue::Finding, id, Self::now().saturating_add(1));
	}
}

/// Those whom a panel judges, in the order of its standings: their seats, and what they revealed.
pub(crate) fn parties<AccountId, BlockNumber>(
	check: &Check<AccountId, BlockNumber>,
) -> impl Iterator<Item = (Option<&Seat<AccountId>>, Option<&Opening>)> {
	let worker = (Some(&check.assignment.seat), check.worker_opening.as_ref());
	let auditors = check.auditors.iter().map(|slot| (slot.seat.as_ref(), slot.opening.as_ref()));
	core::iter::once(worker).chain(auditors)
}

/// Whether somebody sits here who has not committed.
fn is_silent<AccountId>(place: &Referee<AccountId>) -> bool {
	!place.left && place.commitment.is_none()
}

/// Whether somebody on a panel has committed, nobody has still to, and nobody will come who has.
pub(crate) fn everybody_committed<AccountId, BlockNumber>(
	check: &Check<AccountId, BlockNumber>,
	panel: &Panel<AccountId>,
) -> bool {
	matches!(check.state, CheckState::Panel { vacant: None, .. })
		&& panel.places.iter().any(|place| place.commitment.is_some())
		&& !panel.places.iter().any(is_silent)
}

/// Whether nobody who committed has still to reveal.
fn everybody_revealed<AccountId>(panel: &Panel<AccountId>) -> bool {
	panel.places.iter().all(|place| place.commitment.is_none() || place.said.is_some())
}

/// What the referees of a panel have revealed.
fn words<AccountId>(panel: &Panel<AccountId>) -> Vec<Word<'_>> {
	panel
		.places
		.iter()
		.filter_map(|place| Some(Word { votes: place.votes, said: place.said.as_ref()? }))
		.collect()
}
