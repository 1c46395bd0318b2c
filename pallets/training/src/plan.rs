//! What can be a training, and the task of each of its steps. Pure.

use crate::{
	types::{Evaluation, Plan, Step, Training, MAX_EVALUATION_CHUNKS, MAX_ROUNDS},
	Config, Error,
};
use alloc::vec::Vec;
use core::iter;
use frame_support::{ensure, BoundedVec};
use sp_core::H256;
use tequio_primitives::{
	fifo::deadline_bucket,
	recompute::{Arguments, RecomputeSpec},
	training::MAX_SHARDS,
	WorkClass,
};

impl Plan {
	/// Says whether this can be a training, deadlines apart: those, [`Self::rounded`] looks at.
	pub(crate) fn validate<T: Config>(&self) -> Result<(), Error<T>> {
		ensure!(can_train(self.class), Error::<T>::NotTrainable);
		ensure!((1..=MAX_SHARDS).contains(&self.shards), Error::<T>::ShardsOutOfBounds);
		ensure!((1..=MAX_ROUNDS).contains(&self.rounds), Error::<T>::RoundsOutOfBounds);
		ensure!((1..=self.shards).contains(&self.quorum), Error::<T>::QuorumOutOfBounds);
		if let Some(Evaluation { chunks, rows, .. }) = self.evaluate {
			let bounded = (1..=MAX_EVALUATION_CHUNKS).contains(&chunks) && rows > 0;
			ensure!(bounded, Error::<T>::EvaluationOutOfBounds);
		}
		let judged = self.stop.target.is_some() || self.stop.plateau > 0;
		ensure!(self.evaluate.is_some() || !judged, Error::<T>::NothingEvaluated);
		ensure!(self.price > 0, Error::<T>::ZeroPrice);
		for spec in Step::ALL.into_iter().filter_map(|step| self.spec(step)) {
			spec.validate()?;
		}
		Ok(())
	}

	/// The same with its deadlines rounded up to those that there are; `None` where one of them is
	/// zero or too long, or where a step has less than a chunk.
	pub(crate) fn rounded(self) -> Option<Self> {
		let (_, deadline) = deadline_bucket(self.deadline)?;
		let (_, step_deadline) = deadline_bucket(self.step_deadline)?;
		(step_deadline >= deadline).then_some(Self { deadline, step_deadline, ..self })
	}

	/// What the task of a step computes; `None` for the evaluation of a plan without one. What shards
	/// gave is aggregated in one way of rounding, whichever they were trained in: all that a round
	/// builds on is the same to the last bit for everybody.
	pub fn spec(&self, step: Step) -> Option<RecomputeSpec> {
		let (class, program, chunks, units) = match step {
			Step::Train => (self.class, self.train.program, self.shards, self.train.units),
			Step::Aggregate => {
				(WorkClass::ExactF64, self.aggregate.program, 1, self.aggregate.units)
			},
			Step::Evaluate => {
				let evaluation = self.evaluate?;
				(WorkClass::Integer, evaluation.program, evaluation.chunks, evaluation.units)
			},
		};
		Some(RecomputeSpec { class, program, chunks, units, replicas: self.replicas })
	}
}

/// Whether there are programs in a class that train.
pub(crate) fn can_train(class: WorkClass) -> bool {
	match class {
		WorkClass::ExactF64 | WorkClass::ExactF32 | WorkClass::BandedF32 => true,
		WorkClass::RandomXSearch | WorkClass::Integer => false,
	}
}

impl<AccountId> Training<AccountId> {
	/// What the task of a step is given: the state that it starts from, then an input for each
	/// shard. Training gets what shards gave in the round before if the plan carries it, aggregation
	/// what they gave in this one. The evaluation belongs to the round before, whose state it is about.
	pub(crate) fn arguments(&self, step: Step) -> Arguments {
		let (round, by_shard): (u32, &[H256]) = match step {
			Step::Train => (self.round, self.previous.as_slice()),
			Step::Aggregate => (self.round, self.phase.outputs()),
			Step::Evaluate => (self.last_round(), &[]),
		};
		let inputs: Vec<H256> = iter::once(self.state).chain(by_shard.iter().copied()).collect();
		Arguments { round, inputs: BoundedVec::truncate_from(inputs) }
	}
}
