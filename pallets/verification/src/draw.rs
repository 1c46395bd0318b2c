//! Whether an attempt is audited, by whom, and what happens when auditors stay silent.

use crate::{
	agenda::DrawsOf,
	clock::output_of,
	types::{AuditorSlot, CheckState, Queue},
	verdict::Outcome,
	Agenda, CheckOf, Checks, Config, CurrentRules, Event, Outputs, Pallet,
};
use alloc::vec::Vec;
use frame_support::{defensive, BoundedVec};
use sp_core::H256;
use tequio_primitives::{
	clock::{Beacon, WorkClock},
	draw::{self, AuditDraw, Purpose},
	fifo::{deadline_bucket, wait, DEADLINES},
	search::{SearchSpec, AUDITORS},
	tasks::{CheckedTasks, UndecidedReason},
	workers::{EngageSeats, Need, NoSeat, Seat},
	AttemptId, Duty, Role, WorkHeight,
};

/// What came of drawing once for each empty place.
#[derive(Default)]
struct Filled {
	/// Places that somebody sits on now.
	taken: u32,
	/// Whether somebody who could sit there had no room.
	busy: bool,
	/// Records that were looked at.
	looks: u32,
}

impl<T: Config> Pallet<T> {
	/// Decides whether an attempt is audited; its window is over. Returns the records that draws
	/// looked at.
	pub(crate) fn decide_audit(
		id: AttemptId,
		mut check: CheckOf<T>,
		draws: &mut DrawsOf<T>,
	) -> u32 {
		let outputs = Outputs::<T>::get();
		let window = CurrentRules::<T>::get().draw_window;
		let rate = check.assignment.terms.audit_rate;
		let output = |height| output_of(&outputs, height);
		match draw::audit(&id, check.committed_at, window, rate, output) {
			AuditDraw::Audited(vrf) => Self::begin_audit(id, check, &vrf, draws),
			AuditDraw::Spared => {
				Self::deposit_event(Event::AuditSpared { id });
				Self::open_reveals(id, check);
				0
			},
			AuditDraw::Unknown => {
				// What the window lacks never comes. A new one begins, with outputs that nobody
				// knows yet.
				let now = Self::now();
				check.committed_at = now;
				check.state = Self::await_outputs(&id, now);
				Checks::<T>::insert(id.chunk, check);
				0
			},
		}
	}

	fn begin_audit(
		id: AttemptId,
		mut check: CheckOf<T>,
		vrf: &[u8; 32],
		draws: &mut DrawsOf<T>,
	) -> u32 {
		let Some((_, range)) = T::Tasks::search(&id.chunk) else {
			defensive!("a chunk that is checked has a task");
			Self::end(id, check, Outcome::Undecided(UndecidedReason::NoAuditors));
			return 0;
		};
		let place = draw::number(&draw::seed(vrf, Purpose::SubRange, &id), 0);
		let (start, count) = SearchSpec::audited(&range, place);
		check.sub_range = Some((start, count));
		check.auditors =
			BoundedVec::truncate_from((0..AUDITORS).map(|_| AuditorSlot::EMPTY).collect());
		Self::deposit_event(Event::AuditDrawn { id, start, count });
		let filled = Self::fill_places(id, &mut check, vrf, draws);
		Self::await_audits(id, &mut check);
		Checks::<T>::insert(id.chunk, check);
		filled.looks
	}

	/// Draws again for the places that are empty, with the newest output: it is of the height after
	/// the plan or later. Only the agenda calls this, so nobody chooses when. Returns the records
	/// that were looked at.
	///
	/// Where nobody was found, the next draw waits longer than this one did, so that attempts which
	/// nobody will ever audit cost little until they end; much longer only where nobody audits such
	/// work at all.
	pub(crate) fn draw_vacant(
		id: AttemptId,
		mut check: CheckOf<T>,
		index: u8,
		draws: &mut DrawsOf<T>,
	) -> u32 {
		let CheckState::Auditing { due, .. } = check.state else { return 0 };
		let filled = match Self::latest() {
			Some(vrf) => Self::fill_places(id, &mut check, &vrf, draws),
			None => Filled { busy: true, ..Filled::default() },
		};
		if filled.taken > 0 {
			Self::await_audits(id, &mut check);
		} else {
			let found = if filled.busy { NoSeat::Busy } else { NoSeat::Unfit };
			let vacant = Self::plan_draw(id, &check, found.next_wait(index));
			check.state = CheckState::Auditing { due, vacant };
		}
		Checks::<T>::insert(id.chunk, check);
		filled.looks
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
		Agenda::<T>::push(Queue::Revealing, id, due);
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
		Agenda::<T>::push(Queue::Auditing(index), id, due);
		check.state = CheckState::Auditing { due, vacant: Self::plan_draw(id, check, 0) };
	}

	/// Puts a draw on the agenda, after the wait of this index, where places are empty, and says when
	/// it is.
	fn plan_draw(id: AttemptId, check: &CheckOf<T>, index: u8) -> Option<WorkHeight> {
		check.auditors.iter().any(|slot| slot.seat.is_none()).then(|| {
			let (index, blocks) = wait(index);
			let at = Self::now().saturating_add(blocks);
			Agenda::<T>::push(Queue::Vacant(index), id, at);
			at
		})
	}

	/// Draws for each empty place once.
	fn fill_places(
		id: AttemptId,
		check: &mut CheckOf<T>,
		vrf: &[u8; 32],
		draws: &mut DrawsOf<T>,
	) -> Filled {
		let mut filled = Filled::default();
		for (place, index) in (0u8..).zip(0..check.auditors.len()) {
			let purpose = Purpose::Auditor { place, redraw: check.redraws };
			let empty = check.auditors.get(index).is_some_and(|slot| slot.seat.is_none());
			if !empty {
				continue;
			}
			let seed = draw::seed(vrf, purpose, &id);
			let (seat, looks) = Self::draw_auditor(id, check, seed, draws);
			filled.looks = filled.looks.saturating_add(looks);
			match (seat, check.auditors.get_mut(index)) {
				(Ok(seat), Some(place)) => {
					*place = AuditorSlot::taken(seat);
					filled.taken = filled.taken.saturating_add(1);
				},
				(Err(reason), _) => filled.busy |= reason == NoSeat::Busy,
				(Ok(_), None) => {},
			}
		}
		filled
	}

	/// Draws one auditor and binds it to the audit. Beside it the records that were looked at.
	fn draw_auditor(
		id: AttemptId,
		check: &CheckOf<T>,
		seed: H256,
		draws: &mut DrawsOf<T>,
	) -> (Result<Seat<T::AccountId>, NoSeat>, u32) {
		let audited = check.sub_range.map_or(0, |(_, count)| u64::from(count));
		let claimed = u64::try_from(check.claim.len()).unwrap_or(u64::MAX);
		let seated = check.auditors.iter().filter_map(|slot| slot.seat.as_ref());
		let mut excluded: Vec<_> = seated.map(|seat| seat.owner.clone()).collect();
		excluded.push(check.assignment.seat.owner.clone());
		excluded.extend(check.silent.iter().cloned());
		let collateral = check.assignment.terms.collateral;
		let need = Need {
			class: check.assignment.class,
			price: check.assignment.price,
			units: claimed.saturating_add(audited),
			deadline: check.assignment.deadline,
			collateral,
			excluded: &excluded,
			audit: true,
		};
		let drawn = draws.draw(seed, &need);
		let engaged = drawn.seat.and_then(|seat| {
			// A seat that lost its collateral since is as good as none: the place is drawn for
			// again.
			let duty = Duty { id, role: Role::Auditor };
			T::Workers::engage(&seat, duty, collateral).map_err(|_| NoSeat::Busy)?;
			Self::deposit_event(Event::AuditorDrawn {
				id,
				owner: seat.owner.clone(),
				device: seat.device.clone(),
			});
			Ok(seat)
		});
		(engaged, drawn.looks)
	}
}
