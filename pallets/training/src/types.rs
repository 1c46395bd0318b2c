//! What a training asks for, what is stored of it, and the names of the queues.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::Permill;
use tequio_primitives::{
	fifo::Fifo,
	training::{Counts, TrainingId, MAX_SHARDS},
	Balance, TaskId, WorkClass, WorkHeight,
};

/// Rounds of a training at most.
pub const MAX_ROUNDS: u32 = 100_000;
/// Chunks of one evaluation at most.
pub const MAX_EVALUATION_CHUNKS: u32 = 16;
/// Tasks of a training that have not ended, at most: those of its steps, and those that were closed
/// and whose chunks in hand are being finished.
pub const MAX_LIVE: u32 = 8;

/// A training of this runtime.
pub type TrainingOf<T> = Training<<T as frame_system::Config>::AccountId>;
/// What shards gave, by hash, in their order. Zero: nothing.
pub type Outputs = BoundedVec<H256, ConstU32<MAX_SHARDS>>;
/// The queues of trainings.
pub(crate) type TrainingFifo<T> =
	Fifo<Queue, TrainingId, crate::TrainingPages<T>, crate::TrainingEnds<T>>;

/// A program and the units of pay of each of its chunks.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Stage {
	/// `blake2_256` of the manifest.
	pub program: H256,
	/// Units of pay of a chunk.
	pub units: u32,
}

/// A program that counts how good a state is.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Evaluation {
	/// `blake2_256` of the manifest.
	pub program: H256,
	/// Units of pay of a chunk.
	pub units: u32,
	/// Chunks that the counted rows are cut into: 1 to 16.
	pub chunks: u32,
	/// Rows that a chunk counts, at most: 1 or more. An evaluation of which a chunk claims more is
	/// unsound.
	pub rows: u32,
}

/// When a training stops before its last round.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct StopRule {
	/// The accuracy that is good enough, as a part of the counted rows.
	pub target: Option<Permill>,
	/// Evaluations in a row that bring nothing better than the best one before. Zero: any number.
	pub plateau: u32,
}

/// What a training asks for.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Plan {
	/// Class of training: `ExactF64`, `ExactF32` or `BandedF32`. Aggregation is always of the class
	/// `ExactF64`, evaluation of `Integer`.
	pub class: WorkClass,
	/// Training: one chunk for each shard.
	pub train: Stage,
	/// Shards: 1 to 64.
	pub shards: u32,
	/// Aggregation: one chunk.
	pub aggregate: Stage,
	/// Evaluation; none where nobody needs to know.
	pub evaluate: Option<Evaluation>,
	/// Whether what each shard gave in the round before is an input of its training. Compressed
	/// changes need it.
	pub carry: bool,
	/// Rounds: 1 to 100 000.
	pub rounds: u32,
	/// Shards whose output is enough to go on with: 1 to all.
	pub quorum: u32,
	/// Times that each chunk is computed: 1 to 7. The chunks of a plan with 1 are audited by
	/// chance.
	pub replicas: u8,
	/// Pay per unit, in the token's smallest unit.
	pub price: Balance,
	/// Blocks that a worker has for a chunk, rounded up to one of the eight deadlines.
	pub deadline: u32,
	/// Blocks that training, aggregation and evaluation have each, rounded up to one of the eight
	/// deadlines: more than it takes until a chunk is paid that needs all of its own. Checks and the
	/// challenge period count.
	pub step_deadline: u32,
	/// When to stop before the last round.
	pub stop: StopRule,
}

/// One of the three tasks that a round consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
	/// Every shard is trained on.
	Train,
	/// What the shards gave becomes the state of the next round.
	Aggregate,
	/// How good the new state is, is counted.
	Evaluate,
}

impl Step {
	/// All of them, in the order of a round.
	pub const ALL: [Self; 3] = [Self::Train, Self::Aggregate, Self::Evaluate];
}

/// A task that was ordered for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Ordered {
	/// The task.
	pub task: TaskId,
	/// Height from which it is not waited for. An aggregation is closed then, and still heard.
	pub due: WorkHeight,
	/// Whether it was closed because it is late, and is waited for all the same.
	pub closed: bool,
	/// Whether it has ended.
	pub ended: bool,
}

impl Ordered {
	/// A task that was just ordered.
	pub fn new(task: TaskId, due: WorkHeight) -> Self {
		Self { task, due, closed: false, ended: false }
	}

	/// Whether it has ended or is due.
	pub fn is_over(&self, now: WorkHeight) -> bool {
		self.ended || now >= self.due
	}
}

/// Where a training is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Phase {
	/// Between two rounds: the next one is to begin.
	#[codec(index = 0)]
	Between,
	/// The shards are being trained on.
	#[codec(index = 1)]
	Training {
		/// The task.
		ordered: Ordered,
		/// What was paid so far, by shard.
		outputs: Outputs,
	},
	/// What the shards gave is being aggregated.
	#[codec(index = 2)]
	Aggregating {
		/// The task.
		ordered: Ordered,
		/// Hash of what was paid. Zero: nothing yet.
		output: H256,
	},
	/// A round is done, and the evaluation of its state is to be ordered.
	#[codec(index = 3)]
	Fresh,
	/// Nothing more is ordered; what is in hand is being finished.
	#[codec(index = 4)]
	Closing,
	/// Nothing is in hand, and what was not spent was returned.
	#[codec(index = 5)]
	Ended,
}

impl Phase {
	/// The task that is under way.
	pub fn ordered(&self) -> Option<&Ordered> {
		match self {
			Self::Training { ordered, .. } | Self::Aggregating { ordered, .. } => Some(ordered),
			Self::Between | Self::Fresh | Self::Closing | Self::Ended => None,
		}
	}

	/// What shards gave, while they are being trained on.
	pub fn outputs(&self) -> &[H256] {
		match self {
			Self::Training { outputs, .. } => outputs.as_slice(),
			_ => &[],
		}
	}
}

/// An evaluation that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Evaluating {
	/// The round whose state is evaluated, from 0.
	pub round: u32,
	/// The task.
	pub ordered: Ordered,
	/// What was counted so far.
	pub counts: Counts,
	/// Chunks that were paid.
	pub heard: u32,
	/// Whether one of them showed something else than counts, or more rows than it was to count.
	pub unsound: bool,
}

/// What evaluations found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Scores {
	/// The best round, from 0, and its counts.
	pub best: Option<(u32, Counts)>,
	/// The last round that was evaluated, from 0, and its counts.
	pub last: Option<(u32, Counts)>,
	/// Rounds that were evaluated after the best one.
	pub since_best: u32,
}

/// Where the money of a training is, in the token's smallest unit.
/// `locked = held + out + spent + returned`.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Money {
	/// The budget.
	pub locked: Balance,
	/// Held for the tasks to come.
	pub held: Balance,
	/// Locked by tasks that have not ended.
	pub out: Balance,
	/// Spent by tasks that have ended: pay, audits and fees.
	pub spent: Balance,
	/// Returned to the requester.
	pub returned: Balance,
}

/// Why a training stops.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum StopReason {
	/// Its rounds are done.
	#[codec(index = 0)]
	Rounds,
	/// An evaluation has reached the target.
	#[codec(index = 1)]
	Target,
	/// Evaluations brought nothing better for too long.
	#[codec(index = 2)]
	Plateau,
	/// What is held does not cover the next training or aggregation.
	#[codec(index = 3)]
	OutOfBudget,
	/// Fewer shards than the quorum gave anything in time.
	#[codec(index = 4)]
	QuorumMissed,
	/// The aggregation has ended and gave nothing.
	#[codec(index = 5)]
	NotAggregated,
	/// The numbers of the aggregated state are not finite.
	#[codec(index = 6)]
	Diverged,
	/// The next training or aggregation was refused.
	#[codec(index = 7)]
	NotOrdered,
	/// Its requester cancelled it.
	#[codec(index = 8)]
	Cancelled,
}

/// A training.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Training<AccountId> {
	/// Who pays.
	pub requester: AccountId,
	/// What is asked for, with its deadlines rounded up.
	pub plan: Plan,
	/// Rounds that are done; also the number of the present one.
	pub round: u32,
	/// Hash of what the last aggregation gave. Zero: none yet.
	pub state: H256,
	/// What each shard gave in the last round, where the plan carries it; empty before the first one
	/// is done, and at the end.
	pub previous: Outputs,
	/// Where it is.
	pub phase: Phase,
	/// The evaluation that is under way beside it.
	pub evaluation: Option<Evaluating>,
	/// What evaluations found.
	pub scores: Scores,
	/// Where the money is.
	pub money: Money,
	/// Ordered tasks that have not ended.
	pub live: u32,
	/// Why no other round begins: it stops for this once the evaluation that is out is over.
	pub barred: Option<StopReason>,
	/// Why it stops, once it does.
	pub reason: Option<StopReason>,
}

impl<AccountId> Training<AccountId> {
	/// A training whose budget is held and of which nothing was ordered yet.
	pub fn new(requester: AccountId, plan: Plan, budget: Balance) -> Self {
		Self {
			requester,
			plan,
			round: 0,
			state: H256::zero(),
			previous: Outputs::new(),
			phase: Phase::Between,
			evaluation: None,
			scores: Scores::default(),
			money: Money { locked: budget, held: budget, ..Default::default() },
			live: 0,
			barred: None,
			reason: None,
		}
	}

	/// The tasks of the steps that are under way.
	pub fn under_way(&self) -> Vec<Ordered> {
		let evaluating = self.evaluation.as_ref().map(|evaluating| evaluating.ordered);
		self.phase.ordered().copied().into_iter().chain(evaluating).collect()
	}
}

/// The queues of trainings.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub enum Queue {
	/// With news.
	#[codec(index = 0)]
	Ready,
	/// With a step that is not waited for any longer, by which of the eight deadlines it has.
	#[codec(index = 1)]
	Due(u8),
	/// Ended, by when their record is removed.
	#[codec(index = 2)]
	Ended,
}
