//! Giving out the votes of a panel.

use super::{everybody_committed, SEATS_PER_STEP};
use crate::{
	agenda::DrawsOf,
	draw::{sub_range, Circle, Filled},
	types::{CheckState, Queue, Referee, Seating, MAX_REFEREES},
	verdict::Outcome,
	Agenda, CheckOf, Checks, Config, CurrentRules, Event, Pallet, PanelOf, Panels,
};
use alloc::vec::Vec;
use tequio_primitives::{
	clock::{Beacon, WorkClock},
	draw::{self, Purpose},
	fifo::wait,
	tasks::{CheckedTasks, UndecidedReason},
	workers::{NoSeat, Seat},
	AttemptId, Duty, Role, WorkClass, WorkHeight,
};

/// Blocks in which the votes of the largest panel are given out, if everybody has room: two every
/// second block.
const SEATING: u32 = MAX_REFEREES + 1;

impl<T: Config> Pallet<T> {
	/// Draws for votes that nobody has, with the newest output. Only the agenda calls this, so nobody
	/// chooses when. Returns the records that were looked at.
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
		let filled = match Self::latest() {
			Some(vrf) => {
				Self::fix_sub_range(id, &mut check, &vrf);
				Self::fill_panel(id, &check, &mut panel, &vrf, draws)
			},
			None => Filled::DARK,
		};
		if filled.taken > 0 {
			Self::await_referees(id, &mut check, &panel);
			Panels::<T>::insert(id, check.level, &panel);
		} else {
			let next = filled.next_wait(index);
			let vacant = Self::may_seat(&check, &panel).then(|| Self::plan_seating(id, next));
			check.state = CheckState::Panel { due, vacant };
		}
		if everybody_committed(&check, &panel) {
			// The last votes fell on those who are done.
			Self::open_panel_reveals(id, check);
		} else {
			Checks::<T>::insert(id.chunk, check);
		}
		filled.looks
	}

	/// Draws for the next open votes, until one falls on nobody.
	fn fill_panel(
		id: AttemptId,
		check: &CheckOf<T>,
		panel: &mut PanelOf<T>,
		vrf: &[u8; 32],
		draws: &mut DrawsOf<T>,
	) -> Filled {
		let mut filled = Filled::default();
		for _ in 0..SEATS_PER_STEP {
			if panel.open() == 0 {
				break;
			}
			let (drawn, looks) = Self::draw_referee(id, check, panel, vrf, draws);
			filled.looks = filled.looks.saturating_add(looks);
			match drawn {
				Ok(seat) => Self::seat_referee(id, check, panel, seat, draws),
				Err(NoSeat::Sits(index)) => Self::add_vote(id, check.level, panel, index),
				Err(reason) => {
					filled.busy = reason == NoSeat::Busy;
					break;
				},
			}
			filled.taken = filled.taken.saturating_add(1);
		}
		filled
	}

	/// Draws whom the next vote falls on: among all seats, or among those of owners who do not sit
	/// yet where all are to.
	fn draw_referee(
		id: AttemptId,
		check: &CheckOf<T>,
		panel: &PanelOf<T>,
		vrf: &[u8; 32],
		draws: &mut DrawsOf<T>,
	) -> (Result<Seat<T::AccountId>, NoSeat>, u32) {
		let level = check.level;
		let mut sitting: Vec<_> =
			panel.places.iter().map(|place| place.seat.owner.clone()).collect();
		let mut excluded = Self::excluded(check);
		let number = match panel.seating {
			Seating::Drawn => panel.given(),
			Seating::Everybody => {
				let number = u64::try_from(sitting.len()).unwrap_or(u64::MAX);
				excluded.append(&mut sitting);
				number
			},
		};
		let number = u8::try_from(number).unwrap_or(u8::MAX);
		let seed = draw::seed(vrf, Purpose::Referee { level, number }, &id);
		let duty = Duty { id, role: Role::Referee { level } };
		let circle = Circle { excluded: &excluded, sitting: &sitting };
		Self::draw_seat(duty, check, circle, seed, draws)
	}

	/// Gives a place to somebody who was drawn, with one vote, or with one for each of its seats.
	fn seat_referee(
		id: AttemptId,
		check: &CheckOf<T>,
		panel: &mut PanelOf<T>,
		seat: Seat<T::AccountId>,
		draws: &mut DrawsOf<T>,
	) {
		let level = check.level;
		let votes = match panel.seating {
			Seating::Drawn => 1,
			Seating::Everybody => draws.held_by(panel.class, &seat.owner).min(panel.open()),
		};
		let Seat { owner, device } = seat.clone();
		Self::deposit_event(Event::RefereeDrawn { id, level, owner, device, votes });
		// Votes are open only where there is a place for whoever gets them.
		let _ = panel.places.try_push(Referee::taken(seat, votes, Self::now()));
	}

	/// Gives another vote to somebody who was drawn before.
	fn add_vote(id: AttemptId, level: u8, panel: &mut PanelOf<T>, index: usize) {
		let Some(place) = panel.places.get_mut(index) else { return };
		place.votes = place.votes.saturating_add(1);
		let Seat { owner, device } = place.seat.clone();
		Self::deposit_event(Event::RefereeDrawn { id, level, owner, device, votes: place.votes });
	}

	/// Draws the sub-range for referees of a search that was never audited, so that they look beyond
	/// the claim as auditors would have.
	fn fix_sub_range(id: AttemptId, check: &mut CheckOf<T>, vrf: &[u8; 32]) {
		if check.assignment.class != WorkClass::RandomXSearch || check.sub_range.is_some() {
			return;
		}
		let work = T::Tasks::work(&id.chunk);
		check.sub_range = work.and_then(|work| sub_range(&id, &work, vrf));
	}

	/// Gives the referees a full deadline from now, so that one who was drawn late has as long as
	/// the others had.
	pub(super) fn await_referees(id: AttemptId, check: &mut CheckOf<T>, panel: &PanelOf<T>) {
		let (index, length) = Self::deadline_of(check);
		let due = Self::now().saturating_add(length);
		Agenda::<T>::push(Queue::Panel(index), id, due);
		let vacant = Self::may_seat(check, panel).then(|| Self::plan_seating(id, 0));
		check.state = CheckState::Panel { due, vacant };
	}

	/// Whether votes are open and still given out. Else owners who come one by one could make a panel
	/// last for ever.
	pub(crate) fn may_seat(check: &CheckOf<T>, panel: &PanelOf<T>) -> bool {
		let until = Self::patience(check, panel).saturating_add(SEATING);
		panel.open() > 0 && Self::now() < until
	}

	/// Until when a panel is waited for on which nobody sits: for a deadline after the call, and one
	/// more for each redraw of auditors that there may be.
	pub(super) fn patience(check: &CheckOf<T>, panel: &PanelOf<T>) -> WorkHeight {
		let (_, length) = Self::deadline_of(check);
		let times = u32::from(CurrentRules::<T>::get().max_redraws).saturating_add(1);
		panel.called.saturating_add(length.saturating_mul(times))
	}

	/// Puts draws for open votes on the agenda, after the wait of this index, and says when they are.
	pub(crate) fn plan_seating(id: AttemptId, index: u8) -> WorkHeight {
		let (index, blocks) = wait(index);
		let at = Self::now().saturating_add(blocks);
		Agenda::<T>::push(Queue::Seating(index), id, at);
		at
	}
}
