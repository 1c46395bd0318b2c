//! Input that an auditor or a referee cannot have. It says so early, instead of being fined for its
//! silence. The place of an auditor goes to somebody else. The votes of a referee are lost, so that
//! nobody who keeps the input from some has the others decide alone; where too few are left, nothing
//! is found.

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
	AttemptId, Duty, Role,
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
		let check = Self::check_of(&duty.id).ok_or(Error::<T>::NotAssigned)?;
		let (_, length) = Self::deadline_of(&check);
		let (place, since, committed) = match (duty.role, &check.state) {
			(Role::Auditor, state) => {
				let (index, slot) = check.auditor(device).ok_or(Error::<T>::NotAssigned)?;
				// The time begins anew when another one is drawn.
				let since = match state {
					CheckState::Auditing { due, .. } => due.saturating_sub(length),
					_ => 0,
				};
				let committed = slot.commitment.is_some();
				(Place::Audit(check, index), since, committed)
			},
			(Role::Referee { .. }, _) => {
				let (check, panel, index) = Self::referee(device, duty)?;
				let place = panel.places.get(index).ok_or(Error::<T>::NotAssigned)?;
				let (since, committed) = (place.since, place.commitment.is_some());
				(Place::Panel(check, panel, index), since, committed)
			},
			(Role::Worker | Role::Appellant { .. }, _) => return Err(Error::<T>::NotAssigned),
		};
		ensure!(!committed, Error::<T>::AlreadyCommitted);
		let program = matches!(T::Tasks::work(&duty.id.chunk), Some(ChunkWork::Recompute(_)));
		ensure!(program, Error::<T>::NoInput);
		ensure!(Self::now() <= since.saturating_add(length / 4), Error::<T>::TooLate);
		Ok(place)
	}

	/// Empties the place of an auditor, to draw for it again. After so many reports that it can hardly
	/// be all of them who lie, the check ends.
	fn leave_audit(id: AttemptId, mut check: CheckOf<T>, index: usize) {
		let slot = check.auditors.get_mut(index);
		let Some(seat) = slot.and_then(|slot: &mut AuditorSlot<_>| slot.seat.take()) else {
			return;
		};
		Self::hand_back(id, Role::Auditor, &seat);
		bar(&mut check.barred, seat.owner);
		check.reports = check.reports.saturating_add(1);
		let most = usize::from(CurrentRules::<T>::get().max_redraws);
		if usize::from(check.reports) > check.auditors.len().saturating_add(most) {
			return Self::end(id, check, Outcome::Undecided(UndecidedReason::NoAuditors));
		}
		if let CheckState::Auditing { due, vacant: None } = check.state {
			let vacant = Self::plan_draw(id, &check, 0);
			check.state = CheckState::Auditing { due, vacant };
		}
		Checks::<T>::insert(id.chunk, check);
	}

	/// Takes a referee off its panel. Its votes are lost, as if it had stayed silent.
	fn leave_panel(id: AttemptId, check: CheckOf<T>, mut panel: PanelOf<T>, index: usize) {
		let level = check.level;
		let Some(place) = panel.places.get_mut(index) else { return };
		place.left = true;
		Self::hand_back(id, Role::Referee { level }, &place.seat);
		let all = everybody_committed(&check, &panel);
		Panels::<T>::insert(id, level, panel);
		if all {
			Self::open_panel_reveals(id, check);
		}
	}

	fn hand_back(id: AttemptId, role: Role, seat: &Seat<T::AccountId>) {
		T::Workers::hand_back(seat, Duty { id, role });
		Self::deposit_event(Event::BadInputReported { id, role, owner: seat.owner.clone() });
	}
}
