//! Referees after the verdict: paid, unpaid or slashed, a few at a time.

use crate::{
	finding,
	types::{Dismissal, Referee},
	Config, Event, Pallet, PanelOf, Panels,
};
use frame_support::defensive;
use tequio_primitives::{
	reputation::Deed,
	rewards::DistributeRewards,
	workers::{EngageSeats, Penalty},
	AttemptId, Balance, Duty, Role,
};

/// Referees whom one step of the agenda dismisses.
pub(crate) const DISMISSED_PER_STEP: u32 = 4;

impl<T: Config> Pallet<T> {
	/// Dismisses the next referees of a panel. With the last of them the panel is gone.
	pub(crate) fn dismiss(id: AttemptId, level: u8) {
		let Some(mut panel) = Panels::<T>::get(id, level) else { return };
		let Some(mut end) = panel.end.take() else {
			defensive!("referees are dismissed once it is known what is found in the end");
			return;
		};
		Self::dismiss_some(id, level, &panel, &mut end);
		let places = u32::try_from(panel.places.len()).unwrap_or(u32::MAX);
		if end.dismissed >= places {
			Panels::<T>::remove(id, level);
		} else {
			panel.end = Some(end);
			Panels::<T>::insert(id, level, panel);
			Self::plan_dismissal(id, level);
		}
	}

	/// Dismisses as many as one step may. Places that nobody sits on cost nothing.
	fn dismiss_some(id: AttemptId, level: u8, panel: &PanelOf<T>, end: &mut Dismissal) {
		let passed = usize::try_from(end.dismissed).unwrap_or(usize::MAX);
		let mut left = DISMISSED_PER_STEP;
		for place in panel.places.iter().skip(passed) {
			if place.sitting().is_some() {
				if left == 0 {
					return;
				}
				left = left.saturating_sub(1);
				Self::dismiss_one(id, level, place, end);
			}
			end.dismissed = end.dismissed.saturating_add(1);
		}
	}

	/// Ends the duty of a referee. One that did not reveal what it committed loses its collateral,
	/// and so does one that a larger panel found to have been wrong about somebody; nobody else is
	/// to be paid out of it, so it is burned.
	fn dismiss_one(id: AttemptId, level: u8, place: &Referee<T::AccountId>, end: &Dismissal) {
		let Some(seat) = place.sitting() else { return };
		let duty = Duty { id, role: Role::Referee { level } };
		let mut pay: Balance = 0;
		match &place.said {
			Some(said) if finding::agrees(&said.findings, &end.standings) => {
				T::Workers::release(seat, duty, Deed::Nothing);
				pay = end.pay;
			},
			Some(_) if !end.overruled => T::Workers::release(seat, duty, Deed::Nothing),
			Some(_) | None => {
				T::Workers::slash(seat, duty, Penalty::burned());
			},
		}
		if pay > 0 {
			T::Rewards::accrue(&seat.owner, pay);
		}
		let owner = seat.owner.clone();
		Self::deposit_event(Event::RefereeDismissed { id, level, owner, pay });
	}
}
