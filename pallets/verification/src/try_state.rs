//! Every invariant: a sentence and a check.

mod panels;

use crate::{
	commitment::may_claim,
	opening::fits,
	panel::parties,
	types::{Check, CheckState, Queue},
	Agenda, CheckOf, Checks, Config, CurrentRules, Now, Outputs, Pallet, LEVELS, RING,
};
use alloc::{collections::BTreeSet, vec::Vec};
use core::iter;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use tequio_primitives::{
	clock::WorkClock,
	fifo::{deadline_bucket, Due, WAITS},
	tasks::CheckedTasks,
	workers::{InspectWorkers, Seat},
	AttemptId, ChunkId, Duty, Role, WorkClass, WorkHeight,
};

type Checked = Result<(), TryRuntimeError>;

/// Every entry of the agenda.
type Entries = BTreeSet<(Queue, Due<AttemptId>)>;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	pub fn do_try_state() -> Checked {
		Self::outputs_are_of_the_last_heights()?;
		let entries = Self::queues_are_whole()?;
		for (chunk, check) in Checks::<T>::iter() {
			let id = AttemptId { chunk, attempt: check.attempt };
			states_are_possible(&check)?;
			panels_come_last(&check)?;
			Self::parts_have_different_owners(&check)?;
			Self::those_who_owe_are_engaged(id, &check)?;
			Self::attempt_has_left_tasks(id)?;
			Self::end_is_on_the_agenda(id, &check, &entries)?;
			Self::claim_is_of_the_chunk(chunk, &check)?;
		}
		Self::try_panels(&entries)
	}

	/// Outputs are those of past heights within the last 64, ascending.
	fn outputs_are_of_the_last_heights() -> Checked {
		let now = Now::<T>::get();
		let outputs = Outputs::<T>::get();
		let ascending = outputs.windows(2).all(|pair| pair[0].height < pair[1].height);
		// An old output is dropped when the next one comes, so it may be older where blocks carry
		// none.
		let span = outputs.first().zip(outputs.last());
		let recent =
			span.is_none_or(|(first, last)| last.height.saturating_sub(first.height) < RING);
		ensure!(ascending && recent, "outputs are not in order");
		ensure!(outputs.iter().all(|output| output.height < now), "an output is not past");
		Ok(())
	}

	/// A queue has an entry at each place between its ends and nowhere else. It is sorted by when it
	/// is due, except for a while after Root has shortened the stage that it is about.
	fn queues_are_whole() -> Result<Entries, TryRuntimeError> {
		let mut all = BTreeSet::new();
		for queue in Queue::all() {
			let entries = Agenda::<T>::entries(queue).ok_or("a queue has gaps or strays")?;
			let by_rules = matches!(
				queue,
				Queue::Drawing
					| Queue::Chance | Queue::Revealing
					| Queue::PanelReveal
					| Queue::Appeal
			);
			ensure!(
				by_rules || entries.windows(2).all(|pair| pair[0].at <= pair[1].at),
				"a queue is not sorted"
			);
			all.extend(entries.into_iter().map(|due| (queue, due)));
		}
		Ok(all)
	}

	/// Worker and auditors of an attempt belong to different owners, and nobody has a part in it
	/// who is barred from it.
	fn parts_have_different_owners(check: &CheckOf<T>) -> Checked {
		let owners: Vec<_> =
			parties(check).filter_map(|(seat, _)| seat).map(|seat| &seat.owner).collect();
		let distinct = owners.iter().collect::<BTreeSet<_>>().len();
		ensure!(distinct == owners.len(), "an owner has two parts in an attempt");
		ensure!(
			check.barred.is_full() || !owners.iter().any(|owner| check.barred.contains(owner)),
			"an owner was drawn who is barred"
		);
		Ok(())
	}

	/// Whoever has still to commit or to reveal owes that duty in `workers`, and the collateral of
	/// worker and auditors is bound as long as they have a part in the check.
	fn those_who_owe_are_engaged(id: AttemptId, check: &CheckOf<T>) -> Checked {
		let mut parts = parties(check);
		let worker = parts.next().map(|part| (part, Role::Worker));
		let auditors = parts.map(|part| (part, Role::Auditor));
		for ((seat, opening), role) in worker.into_iter().chain(auditors) {
			let Some(Seat { device, .. }) = seat else { continue };
			let duty = Duty { id, role };
			ensure!(T::Workers::parts_of(device).contains(&duty), "a party is not bound");
			let owed = opening.is_some() || T::Workers::duties_of(device).contains(&duty);
			ensure!(owed, "a party owes nothing");
		}
		Ok(())
	}

	/// An attempt that is checked is not being computed any more.
	fn attempt_has_left_tasks(id: AttemptId) -> Checked {
		ensure!(T::Tasks::assigned(&id).is_none(), "an attempt is computed and checked at once");
		Ok(())
	}

	/// The end of a check's state is in the queue of that state, and so is the draw for empty
	/// places. What is accepted is ended by `tasks`. Where everybody has revealed, or nobody has
	/// anything to, that is looked at in the next block.
	fn end_is_on_the_agenda(id: AttemptId, check: &CheckOf<T>, entries: &Entries) -> Checked {
		let listed = |queue, at| entries.contains(&(queue, Due { subject: id, at }));
		let drawn_for = |queue: fn(u8) -> Queue, at: Option<WorkHeight>| {
			at.is_none_or(|at| (0u8..).take(WAITS.len()).any(|wait| listed(queue(wait), at)))
		};
		let ends = |queue: fn(u8) -> Queue, at| {
			let bucket = deadline_bucket(check.assignment.deadline);
			bucket.is_some_and(|(index, _)| listed(queue(index), at))
		};
		let is_found = || {
			let mut findings = entries.iter().filter(|(queue, _)| *queue == Queue::Finding);
			findings.any(|(_, due)| due.subject == id)
		};
		let found = match check.state {
			CheckState::Drawing { due } => {
				let rate = check.assignment.terms.audit_rate;
				listed(CurrentRules::<T>::get().window(rate).1, due)
			},
			CheckState::Auditing { due, vacant } => {
				ends(Queue::Auditing, due) && drawn_for(Queue::Vacant, vacant)
			},
			CheckState::Second { due } => listed(Queue::Second, due),
			CheckState::Revealing { due, .. } => {
				let all = parties(check).all(|(_, opening)| opening.is_some());
				listed(Queue::Revealing, due) && (!all || is_found())
			},
			CheckState::Panel { due, vacant } => {
				ends(Queue::Panel, due) && drawn_for(Queue::Seating, vacant)
			},
			CheckState::PanelReveal { due, .. } => listed(Queue::PanelReveal, due) || is_found(),
			CheckState::Appeal { due } => listed(Queue::Appeal, due),
			CheckState::Settled => true,
		};
		ensure!(found, "the end of a check is not on the agenda");
		ensure!(check.committed_at <= Self::now(), "a check is from the future");
		Ok(())
	}

	/// A claim is of the kind of its class, and nonces that are claimed are within the range of the
	/// chunk. What worker and auditors have revealed could be revealed again.
	fn claim_is_of_the_chunk(chunk: ChunkId, check: &CheckOf<T>) -> Checked {
		let work = T::Tasks::work(&chunk).ok_or("a check is of no task")?;
		ensure!(may_claim(&work, &check.claim), "a claim is malformed");
		let roles = iter::once(Role::Worker).chain(iter::repeat(Role::Auditor));
		for ((_, opening), role) in parties(check).zip(roles) {
			let fits = |opening| fits(opening, role, &check.claim, &work, check.sub_range, &[]);
			ensure!(opening.is_none_or(fits), "something was revealed that cannot be right");
		}
		Ok(())
	}
}

/// A check has what its state needs and nothing more: without an audit no sub-range and no places;
/// before the reveals no opening and somebody who has still to commit, and a draw is planned
/// exactly while a place is empty; while revealing, everybody has committed; from the panel on, the
/// worker has revealed.
fn states_are_possible<AccountId, BlockNumber>(check: &Check<AccountId, BlockNumber>) -> Checked {
	let slots = &check.auditors;
	places_are_of_the_terms(check)?;
	ensure!(
		slots.iter().all(|slot| slot.seat.is_some() || slot.commitment.is_none()),
		"nobody has committed"
	);
	ensure!(
		slots.iter().all(|slot| slot.commitment.is_some() || slot.opening.is_none()),
		"something was revealed that nobody committed"
	);
	let audited = !slots.is_empty();
	let opened = slots.iter().filter(|slot| slot.opening.is_some()).count();
	let committed = slots.iter().filter(|slot| slot.commitment.is_some()).count();
	let untouched = opened == 0 && check.worker_opening.is_none();
	let possible = match check.state {
		CheckState::Drawing { .. } => !audited && untouched,
		CheckState::Auditing { vacant, .. } => {
			let empty = slots.iter().any(|slot| slot.seat.is_none());
			audited && untouched && committed < slots.len() && vacant.is_some() == empty
		},
		CheckState::Second { .. } => {
			let open = !check.second_decided && !check.assignment.terms.second.is_zero();
			audited && untouched && committed == slots.len() && open
		},
		CheckState::Revealing { .. } => committed == slots.len(),
		CheckState::Panel { .. } | CheckState::PanelReveal { .. } | CheckState::Appeal { .. } => {
			let disagree = opened > 0 || check.challenge.is_some();
			committed == slots.len() && check.worker_opening.is_some() && disagree
		},
		CheckState::Settled => !audited && check.worker_opening.is_some(),
	};
	ensure!(possible, "a check has what its state cannot have");
	Ok(())
}

/// An audit has as many places as its terms say, or one more where that was decided. A sub-range
/// belongs to an audit, or a panel, of a search.
fn places_are_of_the_terms<AccountId, BlockNumber>(
	check: &Check<AccountId, BlockNumber>,
) -> Checked {
	let places = check.auditors.len();
	let least = usize::from(check.assignment.terms.auditors);
	let one_more = check.second_decided && places == least.saturating_add(1);
	ensure!(
		places == 0 || places == least || one_more,
		"an audit has other places than its terms say"
	);
	let search = check.assignment.class == WorkClass::RandomXSearch;
	let fixed = check.sub_range.is_some();
	ensure!(search || !fixed, "a program has a sub-range");
	let early = match check.state {
		CheckState::Drawing { .. } | CheckState::Revealing { .. } => fixed && places == 0,
		_ => false,
	};
	ensure!(!early, "a sub-range is of no audit");
	ensure!(!search || fixed || places == 0, "an audit of a search has no sub-range");
	Ok(())
}

/// Nothing of a panel, an appeal or a challenge is there before the first panel is called, or after
/// the last one was settled; what a panel has found is there exactly while an appeal may be made;
/// and nobody but the worker is judged after a challenge.
fn panels_come_last<AccountId, BlockNumber>(check: &Check<AccountId, BlockNumber>) -> Checked {
	ensure!(check.level < LEVELS, "a panel has no level");
	let found = match check.state {
		CheckState::Panel { .. } | CheckState::PanelReveal { .. } => 0,
		CheckState::Appeal { .. } => check.auditors.len().saturating_add(1),
		CheckState::Drawing { .. }
		| CheckState::Auditing { .. }
		| CheckState::Second { .. }
		| CheckState::Revealing { .. }
		| CheckState::Settled => {
			let none = check.appeals.is_empty() && check.challenge.is_none() && check.level == 0;
			ensure!(none, "a check without a panel knows of one");
			0
		},
	};
	ensure!(check.standings.len() == found, "a check has other standings than parties");
	ensure!(
		check.challenge.is_none() || check.auditors.is_empty(),
		"auditors are judged after a challenge"
	);
	Ok(())
}
