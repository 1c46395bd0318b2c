//! Panels: calling one, seating its referees, and what it finds.

mod referee;

use crate::{
	agenda::DrawsOf,
	finding,
	types::{Check, CheckState, Panel, Queue, Referee, Said, Standing, Standings, MIN_REFEREES},
	verdict::Outcome,
	Agenda, CheckOf, Checks, Config, CurrentRules, Event, Pallet, PanelOf, Panels,
};
use alloc::vec::Vec;
use frame_support::{defensive, BoundedVec};
use tequio_primitives::{
	clock::{Beacon, WorkClock},
	draw::{self, Purpose},
	fifo::wait,
	opening::{ChunkWork, Opening},
	search::SearchSpec,
	tasks::{CheckedTasks, UndecidedReason},
	workers::{EngageSeats, NoSeat, Seat},
	AttemptId, Duty, Role, WorkClass, WorkHeight,
};

/// Empty places that one step of the agenda draws for: the draws of a step weigh no more than
/// those of an audit.
pub(crate) const SEATS_PER_STEP: u32 = 2;
/// Silent referees whom one step of the agenda fines.
pub(crate) const MISSED_PER_STEP: usize = 4;

/// What came of one step that drew for empty places.
#[derive(Default)]
struct Seated {
	/// Whether somebody was seated.
	any: bool,
	/// Whether somebody who could sit there had no room.
	busy: bool,
	/// Records that were looked at.
	looks: u32,
}

/// Calling and seating.
impl<T: Config> Pallet<T> {
	/// Calls the panel of a level, or ends the check undecided where too few could sit on it.
	pub(crate) fn call_panel(id: AttemptId, check: CheckOf<T>, level: u8) {
		match Self::panel_size(&check, level) {
			Some(places) => Self::summon(id, check, level, places),
			None => Self::end(id, check, Outcome::Undecided(UndecidedReason::Disagreement)),
		}
	}

	/// Places of the panel of a level, as it would be called now: no more than there are owners who
	/// are not party to the attempt. `None` for a level that there is not, and where they are too
	/// few.
	pub(crate) fn panel_size(check: &CheckOf<T>, level: u8) -> Option<u32> {
		let most = *CurrentRules::<T>::get().panels.get(usize::from(level))?;
		let owners = DrawsOf::<T>::default().owners(check.assignment.class);
		let involved = parties(check).filter(|(seat, _)| seat.is_some()).count();
		let others = owners.saturating_sub(u32::try_from(involved).unwrap_or(u32::MAX));
		Some(most.min(others)).filter(|size| *size >= MIN_REFEREES)
	}

	/// Places of the panel of the next level, if it is larger than this one.
	pub(crate) fn larger_panel(check: &CheckOf<T>, than: &PanelOf<T>) -> Option<u32> {
		let places = u32::try_from(than.places.len()).unwrap_or(u32::MAX);
		Self::panel_size(check, check.level.saturating_add(1)).filter(|size| *size > places)
	}

	/// Calls the panel of a level with so many places. Its first draws use an output that nobody
	/// knows yet.
	pub(crate) fn summon(id: AttemptId, mut check: CheckOf<T>, level: u8, places: u32) {
		let empty = (0..places).map(|_| Referee::EMPTY).collect();
		let class = check.assignment.class;
		let panel = Panel { class, places: BoundedVec::truncate_from(empty), end: None };
		Panels::<T>::insert(id, level, panel);
		check.level = level;
		check.standings = Default::default();
		check.redraws = 0;
		Self::deposit_event(Event::PanelCalled { id, level, places });
		Self::await_referees(id, &mut check, true);
		Checks::<T>::insert(id.chunk, check);
	}

	/// Draws for empty places of a panel, with the newest output. Only the agenda calls this, so
	/// nobody chooses when. Returns the records that were looked at.
	pub(crate) fn seat_referees(
		id: AttemptId,
		mut check: CheckOf<T>,
		index: u8,
		draws: &mut DrawsOf<T>,
	) -> u32 {
		let CheckState::Panel { due, .. } = check.state else { return 0 };
		let Some(mut panel) = Self::panel_of(&id, &check) else {
			Self::end(id, check, Outcome::Undecided(UndecidedReason::Disagreement));
			return 0;
		};
		let seated = match Self::latest() {
			Some(vrf) => {
				Self::fix_sub_range(id, &mut check, &vrf);
				Self::fill_panel(id, &check, &mut panel, &vrf, draws)
			},
			None => Seated { busy: true, ..Seated::default() },
		};
		if seated.any {
			let empty = panel.places.iter().any(|place| place.seat.is_none());
			Panels::<T>::insert(id, check.level, panel);
			Self::await_referees(id, &mut check, empty);
		} else {
			let found = if seated.busy { NoSeat::Busy } else { NoSeat::Unfit };
			let vacant = Some(Self::plan_seating(id, found.next_wait(index)));
			check.state = CheckState::Panel { due, vacant };
		}
		Checks::<T>::insert(id.chunk, check);
		seated.looks
	}

	/// Draws once for each of the first empty places.
	fn fill_panel(
		id: AttemptId,
		check: &CheckOf<T>,
		panel: &mut PanelOf<T>,
		vrf: &[u8; 32],
		draws: &mut DrawsOf<T>,
	) -> Seated {
		let level = check.level;
		let duty = Duty { id, role: Role::Referee { level } };
		let involved = parties(check).filter_map(|(seat, _)| seat);
		let sitting = panel.places.iter().filter_map(|place| place.seat.as_ref());
		let mut excluded: Vec<T::AccountId> =
			involved.chain(sitting).map(|seat| seat.owner.clone()).collect();
		let mut seated = Seated::default();
		let empty = (0u8..).zip(panel.places.iter_mut()).filter(|(_, place)| place.seat.is_none());
		for ((number, place), _) in empty.zip(0..SEATS_PER_STEP) {
			// Who sat down and stayed silent is not replaced.
			let purpose = Purpose::Referee { level, place: number, redraw: 0 };
			let seed = draw::seed(vrf, purpose, &id);
			let (drawn, looks) = Self::draw_seat(id, duty, check, &excluded, seed, draws);
			seated.looks = seated.looks.saturating_add(looks);
			match drawn {
				Ok(seat) => {
					let Seat { owner, device } = seat.clone();
					excluded.push(owner.clone());
					*place = Referee::taken(seat);
					seated.any = true;
					Self::deposit_event(Event::RefereeDrawn { id, level, owner, device });
				},
				Err(reason) => seated.busy |= reason == NoSeat::Busy,
			}
		}
		seated
	}

	/// Draws the sub-range for referees of a search that was never audited, so that they look beyond
	/// the claim as auditors would have.
	fn fix_sub_range(id: AttemptId, check: &mut CheckOf<T>, vrf: &[u8; 32]) {
		if check.assignment.class != WorkClass::RandomXSearch || check.sub_range.is_some() {
			return;
		}
		if let Some(ChunkWork::Search(_, range)) = T::Tasks::work(&id.chunk) {
			let place = draw::number(&draw::seed(vrf, Purpose::SubRange, &id), 0);
			check.sub_range = Some(SearchSpec::audited(&range, place));
		}
	}

	/// Gives the referees a full deadline from now, so that one who was drawn late has as long as
	/// the others had.
	fn await_referees(id: AttemptId, check: &mut CheckOf<T>, empty: bool) {
		let (index, length) = Self::deadline_of(check);
		let due = Self::now().saturating_add(length);
		Agenda::<T>::push(Queue::Panel(index), id, due);
		check.state = CheckState::Panel { due, vacant: empty.then(|| Self::plan_seating(id, 0)) };
	}

	/// Puts draws for empty places on the agenda, after the wait of this index, and says when they
	/// are.
	fn plan_seating(id: AttemptId, index: u8) -> WorkHeight {
		let (index, blocks) = wait(index);
		let at = Self::now().saturating_add(blocks);
		Agenda::<T>::push(Queue::Seating(index), id, at);
		at
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
		let nobody = panel.places.iter().all(|place| place.seat.is_none());
		if nobody && check.redraws < CurrentRules::<T>::get().max_redraws {
			// Blocks were too full to draw for it, or everybody was busy.
			check.redraws = check.redraws.saturating_add(1);
			Self::await_referees(id, &mut check, true);
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
			let (said, places) = (said(panel), panel.places.len());
			(finding::is_heard(&said, places), finding::tally(&said, shown, places))
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
		for seat in silent.filter_map(|place| place.seat.take()).take(MISSED_PER_STEP) {
			T::Workers::miss(&seat, duty, fine);
			Self::deposit_event(Event::RefereeMissed { id, level, owner: seat.owner, fine });
		}
		Panels::<T>::insert(id, level, &*panel);
	}

	/// Everybody has committed or was too late: openings are due.
	fn open_panel_reveals(id: AttemptId, mut check: CheckOf<T>) {
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
	place.seat.is_some() && place.commitment.is_none()
}

/// Whether nobody who committed has still to reveal.
fn everybody_revealed<AccountId>(panel: &Panel<AccountId>) -> bool {
	panel.places.iter().all(|place| place.commitment.is_none() || place.said.is_some())
}

/// What the referees of a panel have revealed.
fn said<AccountId>(panel: &Panel<AccountId>) -> Vec<&Said> {
	panel.places.iter().filter_map(|place| place.said.as_ref()).collect()
}
