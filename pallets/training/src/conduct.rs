//! Carries out what the state machine says: orders, closes, enters, stops.
//!
//! A task that is closed may end before `close` returns, and this pallet is told so at once. So
//! every record is written before anything is closed, and read again after.

use crate::{
	round::{self, Next},
	types::{
		Ordered, Outputs, Phase, Plan, Queue, Step, StopReason, Training, TrainingFifo, TrainingOf,
	},
	Config, Error, Event, NextTraining, Pallet, Steps, Trainings,
};
use frame_support::{dispatch::DispatchResult, ensure, storage::with_storage_layer, traits::Get};
use sp_core::H256;
use tequio_primitives::{
	clock::WorkClock,
	fifo::deadline_bucket,
	orders::{OrderTasks, TaskOrder},
	training::{Counts, TrainingId},
	Balance, TaskId,
};

/// Actions of one visit at most. More than five never follow each other: a state is adopted, an
/// evaluation entered, the next one ordered or done without, then a round is ordered, or the training
/// stops and ends.
const MAX_ACTIONS: u32 = 8;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_submit(
		requester: T::AccountId,
		plan: Plan,
		budget: Balance,
	) -> DispatchResult {
		plan.validate::<T>()?;
		let plan = plan.rounded().ok_or(Error::<T>::DeadlineOutOfBounds)?;
		let least = T::Tasks::least_time(plan.deadline);
		ensure!(plan.step_deadline > least, Error::<T>::StepTooShort);
		ensure!(budget >= Self::round_cost(&plan)?, Error::<T>::BudgetTooSmall);
		let cost = Self::cost(&plan, Step::Train).ok_or(Error::<T>::NotOrderable)?;
		let id = NextTraining::<T>::get();
		let next = id.checked_add(1).ok_or(Error::<T>::NoTrainingNumber)?;

		Self::lock(&requester, budget)?;
		NextTraining::<T>::put(next);
		Self::deposit_event(Event::TrainingSubmitted {
			training: id,
			requester: requester.clone(),
			rounds: plan.rounds,
			shards: plan.shards,
			locked: budget,
		});
		Self::place(id, Training::new(requester, plan, budget), Step::Train, cost)
	}

	/// A state that was paid for is adopted first.
	pub(crate) fn do_cancel(who: &T::AccountId, id: TrainingId) -> DispatchResult {
		let training = Trainings::<T>::get(id).ok_or(Error::<T>::NotFound)?;
		ensure!(training.requester == *who, Error::<T>::NotRequester);
		ensure!(training.reason.is_none(), Error::<T>::NotRunning);
		if let Some(state) = round::aggregated(&training) {
			Self::adopt(id, training, state);
		}
		Self::stop(id, StopReason::Cancelled);
		Self::advance(id);
		Ok(())
	}

	/// Does all that is to be done about a training now.
	pub(crate) fn advance(id: TrainingId) {
		let now = T::Clock::now();
		for _ in 0..MAX_ACTIONS {
			let Some(training) = Trainings::<T>::get(id) else { return };
			match round::next(&training, now) {
				Next::Wait => return,
				Next::Order(step) => Self::order(id, step),
				Next::Adopt(state) => Self::adopt(id, training, state),
				Next::Close => Self::close_late(id, training),
				Next::Score(counts) => Self::score(id, training, counts),
				Next::Stop(reason) => Self::stop(id, reason),
				Next::End(reason) => Self::end(id, training, reason),
			}
		}
		TrainingFifo::<T>::push(Queue::Ready, id, now);
	}

	/// What the task of a step would lock now.
	fn cost(plan: &Plan, step: Step) -> Option<Balance> {
		T::Tasks::cost(&plan.spec(step)?, plan.price, plan.deadline)
	}

	/// What the tasks of one round would lock now, all of them.
	fn round_cost(plan: &Plan) -> Result<Balance, Error<T>> {
		let mut sum: Balance = 0;
		for step in Step::ALL.into_iter().filter(|step| plan.spec(*step).is_some()) {
			let cost = Self::cost(plan, step).ok_or(Error::<T>::NotOrderable)?;
			sum = sum.checked_add(cost).ok_or(Error::<T>::BudgetTooSmall)?;
		}
		Ok(sum)
	}

	/// Orders the task of a step, or does without it where that cannot be. Training that is not
	/// waited for any longer is closed before its aggregation is ordered.
	fn order(id: TrainingId, step: Step) {
		let Some(training) = Trainings::<T>::get(id) else { return };
		if let Some(before) = training.phase.ordered() {
			Self::close(before);
		}
		let Some(training) = Trainings::<T>::get(id) else { return };
		let placed = match Self::cost(&training.plan, step) {
			None => Err(StopReason::NotOrdered),
			Some(cost) if cost > training.money.held => Err(StopReason::OutOfBudget),
			Some(cost) => with_storage_layer(|| Self::place(id, training, step, cost))
				.map_err(|_| StopReason::NotOrdered),
		};
		if let Err(reason) = placed {
			Self::do_without(id, step, reason);
		}
	}

	/// Goes on where the task of a step cannot be ordered. An evaluation has failed then, and the
	/// training goes on. Without another round it stops, but not before the evaluation that is out is
	/// over, which was paid for. Without an aggregation it stops at once.
	fn do_without(id: TrainingId, step: Step, reason: StopReason) {
		let Some(mut training) = Trainings::<T>::get(id) else { return };
		match step {
			Step::Evaluate => {
				let round = training.last_round();
				Self::deposit_event(Event::EvaluationFailed { training: id, round });
				training.phase = Phase::Between;
			},
			Step::Train if training.evaluation.is_some() => training.barred = Some(reason),
			Step::Train | Step::Aggregate => return Self::stop(id, reason),
		}
		Trainings::<T>::insert(id, training);
	}

	/// Orders the task of a step with money that is held, and enters it.
	fn place(
		id: TrainingId,
		mut training: TrainingOf<T>,
		step: Step,
		cost: Balance,
	) -> DispatchResult {
		let plan = &training.plan;
		let (bucket, blocks) =
			deadline_bucket(plan.step_deadline).ok_or(Error::<T>::DeadlineOutOfBounds)?;
		let order = TaskOrder {
			requester: training.requester.clone(),
			spec: plan.spec(step).ok_or(Error::<T>::NotOrderable)?,
			arguments: training.arguments(step),
			price: plan.price,
			deadline: plan.deadline,
		};
		Self::spare(&mut training, cost)?;
		let task = T::Tasks::order(order)?;
		let due = T::Clock::now().saturating_add(blocks);
		Steps::<T>::insert(task, id);
		TrainingFifo::<T>::push(Queue::Due(bucket), id, due);
		Self::deposit_event(begun::<T>(id, &training, step, task));
		training.begin(step, Ordered::new(task, due));
		Trainings::<T>::insert(id, training);
		Ok(())
	}

	/// Goes on with the state that a round has given.
	fn adopt(id: TrainingId, mut training: TrainingOf<T>, state: H256) {
		Self::deposit_event(Event::RoundAggregated { training: id, round: training.round, state });
		training.adopt(state);
		Trainings::<T>::insert(id, training);
	}

	/// Closes an aggregation that is late, and goes on waiting for it.
	fn close_late(id: TrainingId, mut training: TrainingOf<T>) {
		let late = training.phase.ordered().copied();
		training.close();
		Trainings::<T>::insert(id, training);
		if let Some(late) = late {
			Self::close(&late);
		}
	}

	/// Enters what an evaluation has counted, and closes it where it is late.
	fn score(id: TrainingId, mut training: TrainingOf<T>, counts: Option<Counts>) {
		let Some(evaluating) = training.evaluation.take() else { return };
		let round = evaluating.round;
		Self::deposit_event(match counts {
			Some(counts) => Event::RoundEvaluated { training: id, round, counts },
			None => Event::EvaluationFailed { training: id, round },
		});
		if let Some(counts) = counts {
			training.scores.note(round, counts);
		}
		Trainings::<T>::insert(id, training);
		Self::close(&evaluating.ordered);
	}

	/// Orders nothing more for a training, and closes what is under way.
	fn stop(id: TrainingId, reason: StopReason) {
		let Some(mut training) = Trainings::<T>::get(id) else { return };
		let under_way = training.under_way();
		training.phase = Phase::Closing;
		training.evaluation = None;
		training.reason = Some(reason);
		Trainings::<T>::insert(id, training);
		Self::deposit_event(Event::TrainingClosing { training: id, reason });
		for ordered in &under_way {
			Self::close(ordered);
		}
	}

	/// Returns what a training has not spent, of which nothing is in hand any more.
	fn end(id: TrainingId, mut training: TrainingOf<T>, reason: StopReason) {
		Self::give_back(&mut training);
		training.phase = Phase::Ended;
		// Nobody needs it any more, and it is most of the record.
		training.previous = Outputs::new();
		let at = T::Clock::now().saturating_add(T::KeepEnded::get());
		TrainingFifo::<T>::push(Queue::Ended, id, at);
		Self::deposit_event(Event::TrainingEnded {
			training: id,
			reason,
			rounds: training.round,
			state: training.state,
			money: training.money,
		});
		Trainings::<T>::insert(id, training);
	}

	fn close(ordered: &Ordered) {
		if !ordered.ended {
			T::Tasks::close(ordered.task);
		}
	}
}

/// What is told of a task that was ordered for a training, whose record does not know of it yet.
fn begun<T: Config>(
	id: TrainingId,
	training: &TrainingOf<T>,
	step: Step,
	task: TaskId,
) -> Event<T> {
	let round = training.round;
	match step {
		Step::Train => Event::RoundBegan { training: id, round, task },
		Step::Aggregate => {
			let kept = round::kept(training.phase.outputs());
			let missing = training.plan.shards.saturating_sub(kept);
			Event::RoundTrained { training: id, round, task, kept, missing }
		},
		Step::Evaluate => {
			let round = training.last_round();
			Event::EvaluationBegan { training: id, round, task }
		},
	}
}
