//! Whether an attempt is audited, by whom, and what happens when auditors stay silent.

use crate::{
	agenda::DrawsOf,
	clock::output_of,
	panel::{parties, SEATS_PER_STEP},
	types::{AuditorSlot, Barred, CheckState, Queue},
	verdict::Outcome,
	Agenda, CheckOf, Checks, Config, CurrentRules, Event, Outputs, Pallet,
};
use alloc::vec::Vec;
use frame_support::{defensive, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use tequio_primitives::{
	clock::{Beacon, WorkClock, DRAWN_AFTER},
	draw::{self, AuditDraw, Purpose},
	fifo::{deadline_bucket, wait, DEADLINES},
	opening::ChunkWork,
	search::{Nonce, SearchSpec},
	tasks::{CheckedTasks, UndecidedReason},
	workers::{Candidate, EngageSeats, Need, NoSeat, Seat},
	AttemptId, Duty, Role, WorkHeight,
};

/// Who may be drawn.
#[derive(Clone, Copy)]
pub(crate) struct Circle<'a, AccountId> {
	/// Owners who may not.
	pub excluded: &'a [AccountId],
	/// Owners who are drawn again without being bound once more.
	pub sitting: &'a [AccountId],
}

/// What came of drawing once for each of a few empty places, or open votes.
#[derive(Default)]
pub(crate) struct Filled {
	/// Those that somebody has now.
	pub taken: u32,
	/// Whether somebody who could sit there had no room, or nothing could be drawn.
	pub busy: bool,
	/// Records that were looked at.
	pub looks: u32,
}

impl Filled {
	/// Without randomness to draw with.
	pub const DARK: Self = Self { taken: 0, busy: true, looks: 0 };

	/// The index of the wait before the next draw, after one in vain that came after this one.
	pub fn next_wait(&self, index: u8) -> u8 {
		if self.busy { NoSeat::Busy } else { NoSeat::Unfit }.next_wait(index)
	}
}

impl<T: Config> Pallet<T> {
	/// Decides whether an attempt is audited; its window is over. Returns the records that draws
	/// looked at.
	pub(crate) fn decide_audit(
		id: AttemptId,
		mut check: CheckOf<T>,
		draws: &mut DrawsOf<T>,
	) -> u32 {
		let CheckState::Drawing { due } = check.state else { return 0 };
		// As long as it was when it began, whatever the rules say by now.
		let window = due.saturating_sub(check.committed_at).saturating_sub(1);
		let outputs = Outputs::<T>::get();
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
				check.state = Self::await_outputs(&id, &check.assignment.terms, now);
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
		let Some(work) = T::Tasks::work(&id.chunk) else {
			defensive!("a chunk that is checked has a task");
			Self::end(id, check, Outcome::Undecided(UndecidedReason::NoAuditors));
			return 0;
		};
		check.sub_range = sub_range(&id, &work, vrf);
		let places = check.assignment.terms.auditors;
		check.auditors =
			BoundedVec::truncate_from((0..places).map(|_| AuditorSlot::EMPTY).collect());
		Self::deposit_event(Event::AuditDrawn { id, sub_range: check.sub_range });
		Self::seat_auditors(id, check, vrf, draws)
	}

	/// Draws for empty places and gives whoever sits now, or will sit there later, time to commit.
	fn seat_auditors(
		id: AttemptId,
		mut check: CheckOf<T>,
		vrf: &[u8; 32],
		draws: &mut DrawsOf<T>,
	) -> u32 {
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
			None => Filled::DARK,
		};
		if filled.taken > 0 {
			Self::await_audits(id, &mut check);
		} else {
			let vacant = Self::plan_draw(id, &check, filled.next_wait(index));
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
			bar(&mut check.barred, seat.owner);
		}
		if check.redraws >= rules.max_redraws {
			return Self::end(id, check, Outcome::Undecided(UndecidedReason::NoAuditors));
		}
		check.redraws = check.redraws.saturating_add(1);
		Self::await_audits(id, &mut check);
		Checks::<T>::insert(id.chunk, check);
	}

	/// Every auditor has committed. There may be one more: that is decided by the output of the
	/// height after this one, which nobody knows yet but the author of that block.
	pub(crate) fn end_commits(id: AttemptId, mut check: CheckOf<T>) {
		if check.second_decided || check.assignment.terms.second.is_zero() {
			return Self::open_reveals(id, check);
		}
		check.state = Self::await_output(id);
		Checks::<T>::insert(id.chunk, check);
	}

	fn await_output(id: AttemptId) -> CheckState<BlockNumberFor<T>> {
		let due = Self::now().saturating_add(DRAWN_AFTER);
		Agenda::<T>::push(Queue::Second, id, due);
		CheckState::Second { due }
	}

	/// Decides whether one more auditor looks at an attempt, and draws it. The output that it takes
	/// for both is fixed, however late this is. Returns the records that the draw looked at.
	pub(crate) fn decide_second(
		id: AttemptId,
		mut check: CheckOf<T>,
		draws: &mut DrawsOf<T>,
	) -> u32 {
		let CheckState::Second { due } = check.state else { return 0 };
		let Some(vrf) = due.checked_sub(1).and_then(<Self as Beacon>::at) else {
			// It is lost; the next one is as unknown as that one was.
			check.state = Self::await_output(id);
			Checks::<T>::insert(id.chunk, check);
			return 0;
		};
		check.second_decided = true;
		let chance = check.assignment.terms.second;
		let hit = draw::hits(&draw::seed(&vrf, Purpose::Second, &id), chance);
		// Terms leave room for it, so there is no place only where it is not hit.
		if !hit || check.auditors.try_push(AuditorSlot::EMPTY).is_err() {
			Self::open_reveals(id, check);
			return 0;
		}
		Self::deposit_event(Event::SecondAuditDrawn { id });
		Self::seat_auditors(id, check, &vrf, draws)
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
		let (index, length) = Self::deadline_of(check);
		let due = Self::now().saturating_add(length);
		Agenda::<T>::push(Queue::Auditing(index), id, due);
		check.state = CheckState::Auditing { due, vacant: Self::plan_draw(id, check, 0) };
	}

	/// The time that auditors and referees have for the work: the index of its queue among those of
	/// a stage, and its length in blocks.
	pub(crate) fn deadline_of(check: &CheckOf<T>) -> (u8, u32) {
		deadline_bucket(check.assignment.deadline).unwrap_or_else(|| {
			defensive!("an assignment's deadline is one of the eight");
			(7, DEADLINES[7])
		})
	}

	/// Puts a draw on the agenda, after the wait of this index, where places are empty, and says when
	/// it is.
	pub(crate) fn plan_draw(id: AttemptId, check: &CheckOf<T>, index: u8) -> Option<WorkHeight> {
		check.auditors.iter().any(|slot| slot.seat.is_none()).then(|| {
			let (index, blocks) = wait(index);
			let at = Self::now().saturating_add(blocks);
			Agenda::<T>::push(Queue::Vacant(index), id, at);
			at
		})
	}

	/// Draws once for each of the first empty places. Further ones are drawn for in later steps: one
	/// step must not weigh more than a block has for it.
	fn fill_places(
		id: AttemptId,
		check: &mut CheckOf<T>,
		vrf: &[u8; 32],
		draws: &mut DrawsOf<T>,
	) -> Filled {
		let mut filled = Filled::default();
		let empty = (0u8..).zip(&check.auditors).filter(|(_, slot)| slot.seat.is_none());
		let places: Vec<(u8, u32)> = empty.map(|(place, _)| place).zip(0..SEATS_PER_STEP).collect();
		for (place, _) in places {
			let purpose = Purpose::Auditor { place, redraw: check.redraws };
			let seed = draw::seed(vrf, purpose, &id);
			let (seat, looks) = Self::draw_auditor(id, check, seed, draws);
			filled.looks = filled.looks.saturating_add(looks);
			match (seat, check.auditors.get_mut(usize::from(place))) {
				(Ok(seat), Some(slot)) => {
					*slot = AuditorSlot::taken(seat);
					filled.taken = filled.taken.saturating_add(1);
				},
				(Err(reason), _) => filled.busy |= reason == NoSeat::Busy,
				(Ok(_), None) => {},
			}
		}
		filled
	}

	/// Draws one auditor among the owners who have no part in the attempt and did not stay silent.
	fn draw_auditor(
		id: AttemptId,
		check: &CheckOf<T>,
		seed: H256,
		draws: &mut DrawsOf<T>,
	) -> (Result<Seat<T::AccountId>, NoSeat>, u32) {
		let duty = Duty { id, role: Role::Auditor };
		let circle = Circle { excluded: &Self::excluded(check), sitting: &[] };
		let (seat, looks) = Self::draw_seat(duty, check, circle, seed, draws);
		if let Ok(Seat { owner, device }) = seat.clone() {
			Self::deposit_event(Event::AuditorDrawn { id, owner, device });
		}
		(seat, looks)
	}

	/// Owners who may be drawn for no part in a check any more: its parties, who is barred from it,
	/// and who challenges it.
	pub(crate) fn excluded(check: &CheckOf<T>) -> Vec<T::AccountId> {
		let involved = parties(check).filter_map(|(seat, _)| seat).map(|seat| &seat.owner);
		let challenger = check.challenge.iter().map(|challenge| &challenge.challenger);
		involved.chain(&check.barred).chain(challenger).cloned().collect()
	}

	/// Draws a seat that computes again what a check is about, as auditor or as referee, and binds
	/// it to that duty with the collateral that the worker has. Beside it the records that were
	/// looked at.
	pub(crate) fn draw_seat(
		duty: Duty,
		check: &CheckOf<T>,
		Circle { excluded, sitting }: Circle<T::AccountId>,
		seed: H256,
		draws: &mut DrawsOf<T>,
	) -> (Result<Seat<T::AccountId>, NoSeat>, u32) {
		let assignment = &check.assignment;
		let terms = |_: &Candidate| Some(assignment.terms);
		let need = Need {
			class: assignment.class,
			price: assignment.price,
			units: Self::units_of(&duty.id, check),
			deadline: assignment.deadline,
			terms: &terms,
			excluded,
			sitting,
			audit: true,
		};
		let drawn = draws.draw(seed, &need);
		let engaged = drawn.seat.and_then(|(seat, terms)| {
			// A seat that lost its collateral since is as good as none: the place is drawn for
			// again.
			T::Workers::engage(&seat, duty, assignment.class, terms.collateral)
				.map_err(|_| NoSeat::Busy)?;
			Ok(seat)
		});
		(engaged, drawn.looks)
	}

	/// Units of work in computing a result again: of a search what was claimed and the sub-range, of
	/// a program all of the chunk.
	fn units_of(id: &AttemptId, check: &CheckOf<T>) -> u64 {
		let audited = check.sub_range.map_or(0, |(_, count)| u64::from(count));
		let claimed = u64::try_from(check.claim.shares().len()).unwrap_or(u64::MAX);
		match T::Tasks::work(&id.chunk) {
			Some(ChunkWork::Recompute(spec)) => spec.units.into(),
			Some(ChunkWork::Search(..)) | None => claimed.saturating_add(audited),
		}
	}
}

/// Sees to it that an owner is not drawn for a check any more. Where more are to be remembered than
/// there is room for, the last ones may be drawn again.
pub(crate) fn bar<AccountId>(barred: &mut Barred<AccountId>, owner: AccountId) {
	let _ = barred.try_push(owner);
}

/// What is hashed of a search besides the claimed nonces: first nonce and number. `None` for
/// programs.
pub(crate) fn sub_range(id: &AttemptId, work: &ChunkWork, vrf: &[u8; 32]) -> Option<(Nonce, u32)> {
	let ChunkWork::Search(_, range) = work else { return None };
	let place = draw::number(&draw::seed(vrf, Purpose::SubRange, id), 0);
	Some(SearchSpec::audited(range, place))
}
