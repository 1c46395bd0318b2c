//! Input that an auditor or a referee cannot have. It says so early, instead of being fined for its
//! silence: the place goes to somebody else, and the requester pays for what the chain does in vain.

use crate::{
	draw::bar,
	panel::everybody_committed,
	types::{AuditorSlot, CheckState},
	verdict::Outcome,
	CheckOf, Checks, Config, CurrentRules, Error, Event, Pallet, PanelOf, Panels,
};
use frame_support::{dispatch::DispatchResult, ensure};
use tequio_primitives::{
	clock::WorkClock,
	opening::ChunkWork,
	tasks::{CheckedTasks, UndecidedReason},
	workers::{EngageSeats, Seat},
	AttemptId, Duty, Role, WorkHeight,
};

/// What is handed back.
enum Place<T: Config> {
	/// That of an auditor, by its index.
	Audit(CheckOf<T>, usize),
	/// That of a referee, by its index.
	Panel(CheckOf<T>, PanelOf<T>, usize),
}

impl<T: Config> Pallet<T> {
	/// Hands an audit, or a place on a panel, back.
	pub(crate) fn do_report_bad_input(
		device: &T::AccountId,
		id: AttemptId,
		role: Role,
	) -> DispatchResult {
		match Self::reportable(device, Duty { id, role })? {
			Place::Audit(check, index) => Self::leave_audit(id, check, index),
			Place::Panel(check, panel, index) => Self::leave_panel(id, check, panel, index),
		}
		Ok(())
	}

	/// Whether a device may hand this duty back now.
	pub(crate) fn can_report_bad_input(device: &T::AccountId, duty: Duty) -> bool {
		Self::reportable(device, duty).is_ok()
	}

	fn reportable(device: &T::AccountId, duty: Duty) -> Result<Place<T>, Error<T>> {
		let (place, committed) = match duty.role {
			Role::Auditor => {
				let check = Self::check_of(&duty.id).ok_or(Error::<T>::NotAssigned)?;
				let (index, slot) = check.auditor(device).ok_or(Error::<T>::NotAssigned)?;
				let committed = slot.commitment.is_some();
				(Place::Audit(check, index), committed)
			},
			Role::Referee { .. } => {
				let (check, panel, index) = Self::referee(device, duty)?;
				let place = panel.places.get(index);
				let committed = place.is_some_and(|place| place.commitment.is_some());
				(Place::Panel(check, panel, index), committed)
			},
			Role::Worker | Role::Appellant { .. } => return Err(Error::<T>::NotAssigned),
		};
		ensure!(!committed, Error::<T>::AlreadyCommitted);
		let check = match &place {
			Place::Audit(check, _) | Place::Panel(check, ..) => check,
		};
		let due = match check.state {
			CheckState::Auditing { due, .. } | CheckState::Panel { due, .. } => due,
			_ => return Err(Error::<T>::TooLate),
		};
		let program = matches!(T::Tasks::work(&duty.id.chunk), Some(ChunkWork::Recompute(_)));
		ensure!(program, Error::<T>::NoInput);
		ensure!(Self::now() <= Self::report_until(check, due), Error::<T>::TooLate);
		Ok(place)
	}

	/// Last height at which bad input may be reported: a quarter of the deadline after the last one
	/// was drawn.
	fn report_until(check: &CheckOf<T>, due: WorkHeight) -> WorkHeight {
		let (_, length) = Self::deadline_of(check);
		due.saturating_sub(length).saturating_add(length / 4)
	}

	/// Empties the place of an auditor, to draw for it again. After so many reports that it can hardly
	/// be all of them who lie, the check ends.
	fn leave_audit(id: AttemptId, mut check: CheckOf<T>, index: usize) {
		let slot = check.auditors.get_mut(index);
		let Some(seat) = slot.and_then(|slot: &mut AuditorSlot<_>| slot.seat.take()) else {
			return;
		};
		Self::hand_back(&mut check, id, Role::Auditor, seat);
		let most = usize::from(CurrentRules::<T>::get().max_redraws);
		if check.barred.len() > check.auditors.len().saturating_add(most) {
			return Self::end(id, check, Outcome::Undecided(UndecidedReason::NoAuditors));
		}
		if let CheckState::Auditing { due, vacant: None } = check.state {
			let vacant = Self::plan_draw(id, &check, 0);
			check.state = CheckState::Auditing { due, vacant };
		}
		Checks::<T>::insert(id.chunk, check);
	}

	/// Takes a referee off its panel; its votes are given to others while there is time.
	fn leave_panel(id: AttemptId, mut check: CheckOf<T>, mut panel: PanelOf<T>, index: usize) {
		if index >= panel.places.len() {
			return;
		}
		let level = check.level;
		if let Some(seat) = panel.places.remove(index).seat {
			Self::hand_back(&mut check, id, Role::Referee { level }, seat);
		}
		if let CheckState::Panel { due, vacant: None } = check.state {
			let vacant = Self::may_seat(&check, &panel).then(|| Self::plan_seating(id, 0));
			check.state = CheckState::Panel { due, vacant };
		}
		let all = everybody_committed(&check, &panel);
		Panels::<T>::insert(id, level, panel);
		if all {
			Self::open_panel_reveals(id, check);
		} else {
			Checks::<T>::insert(id.chunk, check);
		}
	}

	fn hand_back(check: &mut CheckOf<T>, id: AttemptId, role: Role, seat: Seat<T::AccountId>) {
		T::Workers::hand_back(&seat, Duty { id, role });
		Self::deposit_event(Event::BadInputReported { id, role, owner: seat.owner.clone() });
		bar(&mut check.barred, seat.owner);
	}
}
