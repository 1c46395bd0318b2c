//! Whether an attempt is audited, by whom, and what happens when auditors stay silent.

use crate::{
	clock::output_of,
	types::{AuditorSlot, CheckState, Due, Queue},
	verdict::Outcome,
	Agenda, CheckOf, Checks, Config, CurrentRules, Event, Outputs, Pallet,
};
use alloc::vec::Vec;
use frame_support::{defensive, BoundedVec};
use sp_core::H256;
use tequio_primitives::{
	clock::{Beacon, WorkClock, DRAWN_AFTER},
	draw::{self, AuditDraw, Purpose},
	fifo::{deadline_bucket, DEADLINES},
	search::{SearchSpec, AUDITORS},
	tasks::{CheckedTasks, UndecidedReason},
	workers::{DrawSeats, EngageSeats, Need},
	AttemptId, Duty, Role, WorkHeight,
};

impl<T: Config> Pallet<T> {
	/// Decides whether an attempt is audited; its window is over.
	pub(crate) fn decide_audit(id: AttemptId, mut check: CheckOf<T>) {
		let outputs = Outputs::<T>::get();
		let window = CurrentRules::<T>::get().draw_window;
		let rate = check.assignment.terms.audit_rate;
		let output = |height| output_of(&outputs, height);
		match draw::audit(&id, check.committed_at, window, rate, output) {
			AuditDraw::Audited(vrf) => Self::begin_audit(id, check, &vrf),
			AuditDraw::Spared => {
				Self::deposit_event(Event::AuditSpared { id });
				Self::open_reveals(id, check);
			},
			AuditDraw::Unknown => {
				// What the window lacks never comes. A new one begins, with outputs that nobody
				// knows yet.
				let now = Self::now();
				check.committed_at = now;
				check.state = Self::await_outputs(&id, now);
				Checks::<T>::insert(id.chunk, check);
			},
		}
	}

	fn begin_audit(id: AttemptId, mut check: CheckOf<T>, vrf: &[u8; 32]) {
		let Some((_, range)) = T::Tasks::search(&id.chunk) else {
			defensive!("a chunk that is checked has a task");
			return Self::end(id, check, Outcome::Undecided(UndecidedReason::NoAuditors));
		};
		let place = draw::number(&draw::seed(vrf, Purpose::SubRange, &id), 0);
		let (start, count) = SearchSpec::audited(&range, place);
		check.sub_range = Some((start, count));
		check.auditors =
			BoundedVec::truncate_from((0..AUDITORS).map(|_| AuditorSlot::EMPTY).collect());
		Self::deposit_event(Event::AuditDrawn { id, start, count });
		Self::fill_places(id, &mut check, vrf);
		Self::await_audits(id, &mut check);
		Checks::<T>::insert(id.chunk, check);
	}

	/// Draws again for the places that are empty, with the newest output: it is of the height after
	/// the plan or later. Only the agenda calls this, so nobody chooses when.
	pub(crate) fn draw_vacant(id: AttemptId, mut check: CheckOf<T>) {
		let CheckState::Auditing { due, .. } = check.state else { return };
		if Self::latest().is_some_and(|vrf| Self::fill_places(id, &mut check, &vrf)) {
			Self::await_audits(id, &mut check);
		} else {
			check.state = CheckState::Auditing { due, vacant: Self::plan_draw(id, &check) };
		}
		Checks::<T>::insert(id.chunk, check);
	}

	/// Ends an audit whose time is up: fines the silent, draws others in their place, or gives up
	/// after the last redraw.
	pub(crate) fn end_audit(id: AttemptId, mut check: CheckOf<T>) {
		let rules = CurrentRules::<T>::get();
		let fine = rules.audit_miss_fine.mul_floor(check.assignment.terms.collateral);
		let duty = Duty { id, role: Role::Auditor };
		for slot in check.auditors.iter_mut().filter(|slot| slot.commitment.is_none()) {
			let Some(seat) = slot.seat.take() else { continue };
			T::Workers::miss(&seat, duty, fine);
			Self::deposit_event(Event::AuditorMissed { id, owner: seat.owner.clone(), fine });
			// Full only under rules that allow more redraws than can be remembered; a silent owner
			// may then be drawn again.
			let _ = check.silent.try_push(seat.owner);
		}
		if check.redraws >= rules.max_redraws {
			return Self::end(id, check, Outcome::Undecided(UndecidedReason::NoAuditors));
		}
		check.redraws = check.redraws.saturating_add(1);
		Self::await_audits(id, &mut check);
		Checks::<T>::insert(id.chunk, check);
	}

	/// Everybody has committed, or there is nobody to wait for: openings are due.
	pub(crate) fn open_reveals(id: AttemptId, mut check: CheckOf<T>) {
		let due = Self::now().saturating_add(CurrentRules::<T>::get().reveal_period);
		let since = frame_system::Pallet::<T>::block_number();
		Agenda::<T>::push(Queue::Revealing, Due { at: due, id });
		check.state = CheckState::Revealing { due, since };
		Checks::<T>::insert(id.chunk, check);
		Self::deposit_event(Event::RevealsOpened { id });
	}

	/// Gives the auditors a full deadline from now, so that one who was drawn late has as long as
	/// the others had.
	fn await_audits(id: AttemptId, check: &mut CheckOf<T>) {
		let (index, length) = deadline_bucket(check.assignment.deadline).unwrap_or_else(|| {
			defensive!("an assignment's deadline is one of the eight");
			(7, DEADLINES[7])
		});
		let due = Self::now().saturating_add(length);
		Agenda::<T>::push(Queue::Auditing(index), Due { at: due, id });
		check.state = CheckState::Auditing { due, vacant: Self::plan_draw(id, check) };
	}

	/// Puts a draw on the agenda where places are empty, and says when it is.
	fn plan_draw(id: AttemptId, check: &CheckOf<T>) -> Option<WorkHeight> {
		check.auditors.iter().any(|slot| slot.seat.is_none()).then(|| {
			let at = Self::now().saturating_add(DRAWN_AFTER);
			Agenda::<T>::push(Queue::Vacant, Due { at, id });
			at
		})
	}

	/// Draws for each empty place once. Whether any was filled.
	fn fill_places(id: AttemptId, check: &mut CheckOf<T>, vrf: &[u8; 32]) -> bool {
		let mut filled = false;
		for (place, index) in (0u8..).zip(0..check.auditors.len()) {
			let purpose = Purpose::Auditor { place, redraw: check.redraws };
			let empty = check.auditors.get(index).is_some_and(|slot| slot.seat.is_none());
			if !empty {
				continue;
			}
			let Some(slot) = Self::draw_auditor(id, check, draw::seed(vrf, purpose, &id)) else {
				continue;
			};
			if let Some(place) = check.auditors.get_mut(index) {
				*place = slot;
				filled = true;
			}
		}
		filled
	}

	/// Draws one auditor and binds it to the audit.
	fn draw_auditor(
		id: AttemptId,
		check: &CheckOf<T>,
		seed: H256,
	) -> Option<AuditorSlot<T::AccountId>> {
		let (_, sub_range) = check.sub_range?;
		let claimed = u64::try_from(check.claim.len()).ok()?;
		let seated = check.auditors.iter().filter_map(|slot| slot.seat.as_ref());
		let mut excluded: Vec<_> = seated.map(|seat| seat.owner.clone()).collect();
		excluded.push(check.assignment.seat.owner.clone());
		excluded.extend(check.silent.iter().cloned());
		let collateral = check.assignment.terms.collateral;
		let need = Need {
			class: check.assignment.class,
			price: check.assignment.price,
			units: claimed.saturating_add(sub_range.into()),
			deadline: check.assignment.deadline,
			collateral,
			excluded: &excluded,
			audit: true,
		};
		let seat = T::Workers::draw(seed, &need)?;
		// A seat that lost its collateral since is as good as none: the place is drawn for again.
		T::Workers::engage(&seat, Duty { id, role: Role::Auditor }, collateral).ok()?;
		Self::deposit_event(Event::AuditorDrawn {
			id,
			owner: seat.owner.clone(),
			device: seat.device.clone(),
		});
		Some(AuditorSlot::taken(seat))
	}
}
