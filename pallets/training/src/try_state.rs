//! The invariants, each as a sentence and a check.

use crate::{
	plan::can_train,
	round::{self, Next},
	types::{Phase, Queue, Scores, Training, TrainingFifo, MAX_LIVE},
	Config, HoldReason, NextTraining, Pallet, Steps, TrainingEnds, TrainingPages, Trainings,
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use frame_support::{ensure, traits::fungible::hold::Inspect};
use sp_runtime::TryRuntimeError;
use tequio_primitives::{
	clock::WorkClock,
	fifo::{deadline_bucket, Due},
	training::TrainingId,
	Balance, TaskId,
};

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet. For tests and try-runtime: it reads all there is.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		for (id, training) in Trainings::<T>::iter() {
			ensure!(
				id < NextTraining::<T>::get(),
				"a training has a number that was not given yet"
			);
			check_plan(&training)?;
			check_phase(&training)?;
			check_scores(&training)?;
			check_money(&training)?;
		}
		Self::check_holds()?;
		Self::check_steps()?;
		Self::check_queues()?;
		Self::check_entries()
	}

	/// For each requester the hold is the sum of what its trainings hold.
	fn check_holds() -> Result<(), TryRuntimeError> {
		let mut sums = BTreeMap::<T::AccountId, Balance>::new();
		for (_, training) in Trainings::<T>::iter() {
			let sum = sums.entry(training.requester).or_default();
			let held = training.money.held;
			*sum = sum.checked_add(held).ok_or("the budgets of a requester overflow")?;
		}
		for (requester, sum) in sums {
			let held = T::Currency::balance_on_hold(&HoldReason::Budget.into(), &requester);
			ensure!(held == sum, "a requester's hold differs from what its trainings hold");
		}
		Ok(())
	}

	/// Every training counts its tasks that have not ended, and no more than it may have; those of
	/// its steps are among them until they end.
	fn check_steps() -> Result<(), TryRuntimeError> {
		let mut tasks = BTreeMap::<TrainingId, BTreeSet<TaskId>>::new();
		for (task, id) in Steps::<T>::iter() {
			ensure!(Trainings::<T>::contains_key(id), "a task belongs to no training");
			tasks.entry(id).or_default().insert(task);
		}
		for (id, training) in Trainings::<T>::iter() {
			let own = tasks.remove(&id).unwrap_or_default();
			let number = u32::try_from(own.len());
			ensure!(number == Ok(training.live), "the tasks of a training are miscounted");
			ensure!(training.live <= MAX_LIVE, "a training has more tasks than may be");
			for ordered in training.under_way() {
				let lives = own.contains(&ordered.task);
				ensure!(lives != ordered.ended, "a step waits for a task that is not there");
			}
		}
		Ok(())
	}

	/// Every queue has its entries between its ends and nowhere else; those of a length that is
	/// never changed are sorted by height.
	fn check_queues() -> Result<(), TryRuntimeError> {
		let mut queues: BTreeSet<Queue> = TrainingEnds::<T>::get().keys().copied().collect();
		queues.extend(TrainingPages::<T>::iter_keys().map(|(queue, _)| queue));
		for queue in queues {
			let entries = TrainingFifo::<T>::entries(queue);
			let entries = entries.ok_or("a queue of trainings has gaps or strays")?;
			let fixed = queue != Queue::Ended;
			ensure!(!fixed || is_sorted(&entries), "a queue of trainings is not sorted");
		}
		Ok(())
	}

	/// Every step that is waited for stands in the queue of its deadline, at its height, unless it
	/// was closed since it is late: that brings its end about. Whatever has something to be done
	/// stands in a queue that is due. Ended trainings, and no others, wait for their removal, each
	/// once.
	fn check_entries() -> Result<(), TryRuntimeError> {
		let now = T::Clock::now();
		let entries = Self::all_entries();
		for (id, training) in Trainings::<T>::iter() {
			let (bucket, _) = deadline_bucket(training.plan.step_deadline)
				.ok_or("a plan has no deadline for its steps")?;
			for ordered in training.under_way().into_iter().filter(|ordered| !ordered.ended) {
				let due = Due { subject: id, at: ordered.due };
				let queued = entries.contains(&(Queue::Due(bucket), due));
				ensure!(queued || ordered.closed, "a step would be waited for without end");
				let late = ordered.due <= now;
				ensure!(late || !ordered.closed, "a step was closed before it was due");
			}
			let own: Vec<&(Queue, Due<TrainingId>)> =
				entries.iter().filter(|(_, due)| due.subject == id).collect();
			let visited = own.iter().any(|(queue, due)| *queue != Queue::Ended && due.at <= now);
			let waits = round::next(&training, now) == Next::Wait;
			ensure!(waits || visited, "a training would never go on");
			let removals = own.iter().filter(|(queue, _)| *queue == Queue::Ended).count();
			let over = training.phase == Phase::Ended;
			ensure!(
				removals == usize::from(over),
				"the record of a training would never be removed"
			);
		}
		Ok(())
	}

	fn all_entries() -> Vec<(Queue, Due<TrainingId>)> {
		let mut all = Vec::new();
		for queue in TrainingEnds::<T>::get().keys() {
			let entries = TrainingFifo::<T>::entries(*queue).unwrap_or_default();
			all.extend(entries.into_iter().map(|due| (*queue, due)));
		}
		all
	}
}

/// The class is one to train in. No more rounds are done than were asked for; there is a state once
/// one is done. What shards gave is listed for every shard or for none, and what they gave before only
/// where the plan carries it.
fn check_plan<AccountId>(training: &Training<AccountId>) -> Result<(), TryRuntimeError> {
	let Training { plan, round, state, previous, phase, .. } = training;
	ensure!(can_train(plan.class), "nothing is trained in the class of a plan");
	ensure!(*round <= plan.rounds, "more rounds are done than were asked for");
	ensure!(state.is_zero() == (*round == 0), "a state belongs to a round that is done");
	let shards = usize::try_from(plan.shards).map_err(|_| "shards do not fit")?;
	ensure!(previous.is_empty() || plan.carry, "outputs are kept that nobody needs");
	ensure!(previous.is_empty() || previous.len() == shards, "outputs of no shard are kept");
	let outputs = phase.outputs().len();
	let trained = matches!(phase, Phase::Training { .. });
	ensure!(outputs == if trained { shards } else { 0 }, "outputs of no shard are listed");
	Ok(())
}

/// A training says why it stops exactly when it does, and then waits for nothing. Where no other
/// round begins, none is under way. What is evaluated is a round that is done, by no more chunks
/// than the plan has.
fn check_phase<AccountId>(training: &Training<AccountId>) -> Result<(), TryRuntimeError> {
	let stops = matches!(training.phase, Phase::Closing | Phase::Ended);
	ensure!(stops == training.reason.is_some(), "a training stops for a reason, and only then");
	ensure!(!stops || training.evaluation.is_none(), "a training stops and is evaluated");
	let rests = stops || training.phase == Phase::Between;
	ensure!(rests || training.barred.is_none(), "a round has begun that none was to follow");
	if let Some(evaluating) = &training.evaluation {
		let plan = training.plan.evaluate.ok_or("an evaluation was never asked for")?;
		ensure!(evaluating.round < training.round, "a round is evaluated before it is done");
		ensure!(evaluating.heard <= plan.chunks, "an evaluation has more chunks than it has");
	}
	let fresh = training.phase == Phase::Fresh;
	ensure!(!fresh || training.plan.evaluate.is_some(), "a state waits for no evaluation");
	Ok(())
}

/// There is a best round exactly when there is a last one; both are done, the best is no later, and
/// as many were evaluated since as lie between them at most.
fn check_scores<AccountId>(training: &Training<AccountId>) -> Result<(), TryRuntimeError> {
	match training.scores {
		Scores { best: None, last: None, since_best: 0 } => Ok(()),
		Scores { best: Some((best, _)), last: Some((last, _)), since_best } => {
			ensure!(last < training.round, "a round has a score before it is done");
			let between = last.checked_sub(best).ok_or("the best round comes after the last")?;
			ensure!(since_best <= between, "more rounds were evaluated than there were");
			Ok(())
		},
		_ => Err("scores are incomplete".into()),
	}
}

/// `locked = held + out + spent + returned`; nothing is out without a task, and nothing is held,
/// out or live once a training has ended.
fn check_money<AccountId>(training: &Training<AccountId>) -> Result<(), TryRuntimeError> {
	let money = &training.money;
	let sum = [money.out, money.spent, money.returned]
		.into_iter()
		.try_fold(money.held, Balance::checked_add);
	ensure!(sum == Some(money.locked), "the money of a training does not add up");
	ensure!(training.live > 0 || money.out == 0, "money is out without a task");
	if training.phase == Phase::Ended {
		ensure!(training.live == 0, "a training ended before its tasks");
		ensure!(money.held == 0 && money.out == 0, "an ended training has money left");
	}
	Ok(())
}

fn is_sorted(entries: &[Due<TrainingId>]) -> bool {
	entries.iter().zip(entries.iter().skip(1)).all(|(one, next)| one.at <= next.at)
}
