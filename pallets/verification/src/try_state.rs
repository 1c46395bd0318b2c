//! Every invariant: a sentence and a check.

use crate::{
	types::{Check, CheckState, Queue},
	Agenda, CheckOf, Checks, Config, Now, Outputs, Pallet, RING,
};
use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use tequio_primitives::{
	clock::WorkClock,
	fifo::{deadline_bucket, Due, WAITS},
	search::AUDITORS,
	tasks::CheckedTasks,
	workers::{InspectWorkers, Seat},
	AttemptId, ChunkId, Duty, Role,
};

type Checked = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	pub fn do_try_state() -> Checked {
		Self::outputs_are_of_the_last_heights()?;
		let entries = Self::queues_are_whole()?;
		for (chunk, check) in Checks::<T>::iter() {
			let id = AttemptId { chunk, attempt: check.attempt };
			states_are_possible(&check)?;
			Self::parts_have_different_owners(&check)?;
			Self::those_who_owe_are_engaged(id, &check)?;
			Self::attempt_has_left_tasks(id)?;
			Self::end_is_on_the_agenda(id, &check, &entries)?;
			Self::claim_is_of_the_chunk(chunk, &check)?;
		}
		Ok(())
	}

	/// Outputs are those of past heights within the last 16, ascending.
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

	/// A queue has an entry at each place between its ends and nowhere else, sorted by when it is
	/// due.
	fn queues_are_whole() -> Result<BTreeSet<(Queue, Due<AttemptId>)>, TryRuntimeError> {
		let mut all = BTreeSet::new();
		for queue in Queue::all() {
			let entries = Agenda::<T>::entries(queue).ok_or("a queue has gaps or strays")?;
			ensure!(
				entries.windows(2).all(|pair| pair[0].at <= pair[1].at),
				"a queue is not sorted"
			);
			all.extend(entries.into_iter().map(|due| (queue, due)));
		}
		Ok(all)
	}

	/// Worker and auditors of an attempt belong to different owners, and nobody is drawn again
	/// after having been silent.
	fn parts_have_different_owners(check: &CheckOf<T>) -> Checked {
		let seated = check.auditors.iter().filter_map(|slot| slot.seat.as_ref());
		let mut owners: Vec<_> = seated.map(|seat| &seat.owner).collect();
		owners.push(&check.assignment.seat.owner);
		let distinct = owners.iter().collect::<BTreeSet<_>>().len();
		ensure!(distinct == owners.len(), "an owner has two parts in an attempt");
		ensure!(
			check.silent.is_full() || !owners.iter().any(|owner| check.silent.contains(owner)),
			"an owner who was silent was drawn again"
		);
		Ok(())
	}

	/// Whoever has still to commit or to reveal owes that duty in `workers`.
	fn those_who_owe_are_engaged(id: AttemptId, check: &CheckOf<T>) -> Checked {
		let owes = |seat: &Seat<T::AccountId>, role: Role| {
			T::Workers::duties_of(&seat.device).contains(&Duty { id, role })
		};
		if check.worker_opening.is_none() {
			ensure!(owes(&check.assignment.seat, Role::Worker), "a worker owes nothing");
		}
		for slot in check.auditors.iter().filter(|slot| slot.opening.is_none()) {
			let engaged = slot.seat.as_ref().is_none_or(|seat| owes(seat, Role::Auditor));
			ensure!(engaged, "an auditor owes nothing");
		}
		Ok(())
	}

	/// An attempt that is checked is not being computed any more.
	fn attempt_has_left_tasks(id: AttemptId) -> Checked {
		ensure!(T::Tasks::assigned(&id).is_none(), "an attempt is computed and checked at once");
		Ok(())
	}

	/// The end of a check's state is in the queue of that state, and so is the draw for empty
	/// places.
	fn end_is_on_the_agenda(
		id: AttemptId,
		check: &CheckOf<T>,
		entries: &BTreeSet<(Queue, Due<AttemptId>)>,
	) -> Checked {
		let listed = |queue, at| entries.contains(&(queue, Due { subject: id, at }));
		let drawn_for = |at| (0u8..).take(WAITS.len()).any(|wait| listed(Queue::Vacant(wait), at));
		let found = match check.state {
			CheckState::Drawing { due } => listed(Queue::Drawing, due),
			CheckState::Auditing { due, vacant } => {
				let bucket = deadline_bucket(check.assignment.deadline);
				bucket.is_some_and(|(index, _)| listed(Queue::Auditing(index), due))
					&& vacant.is_none_or(drawn_for)
			},
			CheckState::Revealing { due, .. } => listed(Queue::Revealing, due),
		};
		ensure!(found, "the end of a check is not on the agenda");
		ensure!(check.committed_at <= Self::now(), "a check is from the future");
		Ok(())
	}

	/// A claim is well formed within the range of its chunk.
	fn claim_is_of_the_chunk(chunk: ChunkId, check: &CheckOf<T>) -> Checked {
		let (_, range) = T::Tasks::search(&chunk).ok_or("a check is of no task")?;
		ensure!(range.contains_claim(&check.claim), "a claim is malformed");
		Ok(())
	}
}

/// A check has what its state needs and nothing more: without an audit no sub-range and no places;
/// before the reveals no opening and somebody who has still to commit, and a draw is planned
/// exactly while a place is empty; while revealing, everybody has committed and somebody has still
/// to reveal.
fn states_are_possible<AccountId, BlockNumber>(check: &Check<AccountId, BlockNumber>) -> Checked {
	let slots = &check.auditors;
	let audited = check.sub_range.is_some();
	let places = if audited { AUDITORS } else { 0 };
	ensure!(u32::try_from(slots.len()) == Ok(places), "an audit has other places than its class");
	ensure!(
		slots.iter().all(|slot| slot.seat.is_some() || slot.commitment.is_none()),
		"nobody has committed"
	);
	let opened = slots.iter().filter(|slot| slot.opening.is_some()).count();
	let committed = slots.iter().filter(|slot| slot.commitment.is_some()).count();
	let untouched = opened == 0 && check.worker_opening.is_none();
	let possible = match check.state {
		CheckState::Drawing { .. } => !audited && untouched,
		CheckState::Auditing { vacant, .. } => {
			let empty = slots.iter().any(|slot| slot.seat.is_none());
			audited && untouched && committed < slots.len() && vacant.is_some() == empty
		},
		CheckState::Revealing { .. } => {
			let all = opened == slots.len() && check.worker_opening.is_some();
			committed == slots.len() && !all
		},
	};
	ensure!(possible, "a check has what its state cannot have");
	Ok(())
}
