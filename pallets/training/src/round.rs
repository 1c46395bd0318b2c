//! The state machine: what is to be done about a training, and how its record changes with what is
//! done or heard. Pure.

use crate::types::{
	Evaluating, Ordered, Outputs, Phase, Scores, Step, StopReason, StopRule, Training, MAX_LIVE,
};
use alloc::vec::Vec;
use sp_core::H256;
use tequio_primitives::{
	recompute::Output,
	training::{Counts, DIVERGED},
	ChunkId, ChunkIndex, TaskId, WorkHeight,
};

/// What is to be done about a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
	/// Nothing before something is heard or due.
	Wait,
	/// Order the task of this step.
	Order(Step),
	/// Go on with this state: a round is done.
	Adopt(H256),
	/// Close the aggregation, and go on waiting for it.
	Close,
	/// Enter what an evaluation has counted; `None` where it failed.
	Score(Option<Counts>),
	/// Order nothing more.
	Stop(StopReason),
	/// Return what is left: it was stopped for this, and nothing is in hand.
	End(StopReason),
}

/// What is to be done about a training at a height. Whatever it is, doing it brings another answer.
pub(crate) fn next<AccountId>(training: &Training<AccountId>, now: WorkHeight) -> Next {
	match &training.phase {
		Phase::Closing if training.live == 0 => training.reason.map_or(Next::Wait, Next::End),
		Phase::Closing | Phase::Ended => Next::Wait,
		_ => aggregated(training)
			.map(Next::Adopt)
			.or_else(|| evaluated(training, now))
			.or_else(|| reached(training))
			.unwrap_or_else(|| stepped(training, now)),
	}
}

/// The state that was paid for and is not gone on with yet. It comes first: a training that stops
/// has the last one that it paid for.
pub(crate) fn aggregated<AccountId>(training: &Training<AccountId>) -> Option<H256> {
	match &training.phase {
		Phase::Aggregating { output, .. } => {
			(!output.is_zero() && *output != diverged()).then_some(*output)
		},
		_ => None,
	}
}

/// What follows from an evaluation that is over.
fn evaluated<AccountId>(training: &Training<AccountId>, now: WorkHeight) -> Option<Next> {
	let evaluating = training.evaluation.as_ref()?;
	let chunks = training.plan.evaluate.map_or(0, |evaluation| evaluation.chunks);
	evaluating.ordered.is_over(now).then(|| Next::Score(evaluating.result(chunks)))
}

/// What follows from what evaluations found.
fn reached<AccountId>(training: &Training<AccountId>) -> Option<Next> {
	let StopRule { target, plateau } = training.plan.stop;
	let Scores { last, since_best, .. } = training.scores;
	let (_, last) = last?;
	if target.is_some_and(|target| last.reaches(target)) {
		return Some(Next::Stop(StopReason::Target));
	}
	(plateau > 0 && since_best >= plateau).then_some(Next::Stop(StopReason::Plateau))
}

/// What follows from where the round is. There is one evaluation at a time: the state of a round
/// waits until that of the round before was evaluated. After the last round, or where no other one
/// can begin, the evaluation is waited for.
fn stepped<AccountId>(training: &Training<AccountId>, now: WorkHeight) -> Next {
	let idle = training.evaluation.is_none();
	match &training.phase {
		Phase::Fresh if idle && training.has_room() => Next::Order(Step::Evaluate),
		Phase::Between if training.barred.is_none() && training.round < training.plan.rounds => {
			if training.has_room() {
				Next::Order(Step::Train)
			} else {
				Next::Wait
			}
		},
		Phase::Between if idle => Next::Stop(training.barred.unwrap_or(StopReason::Rounds)),
		Phase::Training { ordered, outputs } if ordered.is_over(now) => {
			if kept(outputs) >= training.plan.quorum {
				Next::Order(Step::Aggregate)
			} else {
				Next::Stop(StopReason::QuorumMissed)
			}
		},
		Phase::Aggregating { output, .. } if *output == diverged() => {
			Next::Stop(StopReason::Diverged)
		},
		Phase::Aggregating { ordered, .. } => late(ordered, now),
		_ => Next::Wait,
	}
}

/// What follows from an aggregation that has given nothing. All of a round hangs on it, so it is not
/// left behind: once it is due it is closed, and what is in hand may still give the state.
fn late(ordered: &Ordered, now: WorkHeight) -> Next {
	if ordered.ended {
		Next::Stop(StopReason::NotAggregated)
	} else if now >= ordered.due && !ordered.closed {
		Next::Close
	} else {
		Next::Wait
	}
}

/// Shards that gave something.
pub(crate) fn kept(outputs: &[H256]) -> u32 {
	let number = outputs.iter().filter(|output| !output.is_zero()).count();
	u32::try_from(number).unwrap_or(u32::MAX)
}

/// Hash of what a run gives whose numbers are not finite any more.
pub(crate) fn diverged() -> H256 {
	Output::of(DIVERGED).hash
}

impl<AccountId> Training<AccountId> {
	/// Whether an evaluation or a round may begin: one task after it finds a place, too.
	fn has_room(&self) -> bool {
		self.live.saturating_add(2) <= MAX_LIVE
	}

	/// The number of the round that was done last.
	pub(crate) fn last_round(&self) -> u32 {
		self.round.saturating_sub(1)
	}

	/// Enters that the task of a step was ordered.
	pub(crate) fn begin(&mut self, step: Step, ordered: Ordered) {
		self.live = self.live.saturating_add(1);
		match step {
			Step::Train => {
				let none: Vec<H256> = (0..self.plan.shards).map(|_| H256::zero()).collect();
				let outputs = Outputs::truncate_from(none);
				self.phase = Phase::Training { ordered, outputs };
			},
			Step::Aggregate => {
				self.carry_over();
				self.phase = Phase::Aggregating { ordered, output: H256::zero() };
			},
			Step::Evaluate => {
				let round = self.last_round();
				self.evaluation = Some(Evaluating {
					round,
					ordered,
					counts: Counts::default(),
					heard: 0,
					unsound: false,
				});
				self.phase = Phase::Between;
			},
		}
	}

	/// Keeps what shards gave for their next training. Who gave nothing begins anew: were what it gave
	/// before kept, whoever withholds the bytes of that would keep the shard from ever being trained
	/// on.
	fn carry_over(&mut self) {
		if self.plan.carry {
			self.previous = Outputs::truncate_from(self.phase.outputs().to_vec());
		}
	}

	/// Enters the state that a round has given.
	pub(crate) fn adopt(&mut self, state: H256) {
		self.state = state;
		self.round = self.round.saturating_add(1);
		self.phase = if self.plan.evaluate.is_some() { Phase::Fresh } else { Phase::Between };
	}

	/// Enters that the aggregation was closed.
	pub(crate) fn close(&mut self) {
		if let Phase::Aggregating { ordered, .. } = &mut self.phase {
			ordered.closed = true;
		}
	}

	/// Notes what a chunk has given that was paid. False where nothing waits for it: a shard that
	/// comes after the step was due is not waited for, even if the agenda is late.
	pub(crate) fn hear(&mut self, chunk: &ChunkId, given: &Output, now: WorkHeight) -> bool {
		match &mut self.phase {
			Phase::Training { ordered, outputs } if ordered.task == chunk.task => {
				let timely = now <= ordered.due;
				if timely {
					hear_shard(outputs, chunk.index, given);
				}
				return timely;
			},
			Phase::Aggregating { ordered, output } if ordered.task == chunk.task => {
				*output = given.hash;
				return true;
			},
			_ => {},
		}
		let rows = self.plan.evaluate.map_or(0, |evaluation| evaluation.rows);
		match &mut self.evaluation {
			Some(evaluating) if evaluating.ordered.task == chunk.task => {
				evaluating.hear(given, rows);
				true
			},
			_ => false,
		}
	}

	/// Notes that a task has ended.
	pub(crate) fn hear_end(&mut self, task: TaskId) {
		self.live = self.live.saturating_sub(1);
		if let Phase::Training { ordered, .. } | Phase::Aggregating { ordered, .. } =
			&mut self.phase
		{
			ordered.ended |= ordered.task == task;
		}
		if let Some(Evaluating { ordered, .. }) = &mut self.evaluation {
			ordered.ended |= ordered.task == task;
		}
	}
}

/// Notes what a shard has given. Numbers that are not finite are nothing to go on with.
fn hear_shard(outputs: &mut Outputs, shard: ChunkIndex, given: &Output) {
	let place = usize::try_from(shard).ok().and_then(|shard| outputs.get_mut(shard));
	if let Some(output) = place.filter(|_| given.hash != diverged()) {
		*output = given.hash;
	}
}

impl Evaluating {
	/// Notes what a chunk has counted, which are so many rows at most.
	fn hear(&mut self, given: &Output, rows: u32) {
		match Counts::read(&given.shown).filter(|counts| counts.rows <= u64::from(rows)) {
			Some(counts) => self.counts = self.counts.plus(counts),
			None => self.unsound = true,
		}
		self.heard = self.heard.saturating_add(1);
	}

	/// What was counted; `None` unless all chunks showed counts, and of one row or more.
	fn result(&self, chunks: u32) -> Option<Counts> {
		let whole = self.heard == chunks && !self.unsound && self.counts.rows > 0;
		whole.then_some(self.counts)
	}
}

impl Scores {
	/// Enters what was counted after a round.
	pub(crate) fn note(&mut self, round: u32, counts: Counts) {
		self.last = Some((round, counts));
		match &self.best {
			Some((_, best)) if !counts.beats(best) => {
				self.since_best = self.since_best.saturating_add(1);
			},
			_ => {
				self.best = Some((round, counts));
				self.since_best = 0;
			},
		}
	}
}
