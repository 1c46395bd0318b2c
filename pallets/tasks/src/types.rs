//! Rules, tasks, chunks, their states, and the names of the queues.

use crate::{pricing::Tariff, spec::TaskSpec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::Perquintill;
use tequio_primitives::{
	api::{Books, ChunkCounts, TaskStatus},
	fifo::Fifo,
	rewards::FeeTerms,
	search::Winners,
	tasks::{Assignment, Delivered, UndecidedReason},
	Attempt, AttemptId, Balance, ChunkIndex, Duty, Role, TaskId, WorkHeight, TEQ,
};

/// Attempts at a chunk at most, whatever the rules say.
pub const MAX_ATTEMPTS: u8 = 8;
/// Owners excluded from a chunk at most: one for each attempt.
pub const MAX_EXCLUDED: u32 = 8;
/// Owners who have to find the input of a task bad before it is stopped: each of them is paid the
/// fetch fee.
pub const MAX_FETCH_FEES: u32 = 3;

/// A task of this runtime.
pub type TaskOf<T> = Task<<T as frame_system::Config>::AccountId>;
/// A chunk of this runtime.
pub type ChunkOf<T> = Chunk<<T as frame_system::Config>::AccountId>;
/// The queues of tasks.
pub(crate) type TaskFifo<T> = Fifo<TaskQueue, TaskId, crate::TaskPages<T>, crate::TaskEnds<T>>;
/// The queues of chunks.
pub(crate) type ChunkFifo<T> =
	Fifo<ChunkQueue, AttemptId, crate::ChunkPages<T>, crate::ChunkEnds<T>>;

/// Periods in blocks of the work clock, limits and fines.
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
	serde::Serialize,
	serde::Deserialize,
)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
	/// Blocks between acceptance and payment.
	pub challenge_period: u32,
	/// Blocks after which a task gives out no more chunks.
	pub task_lifetime: u32,
	/// Blocks for which a task that has ended stays readable. Then its root is all that is left.
	pub keep_ended: u32,
	/// Least that a task locks, in the token's smallest unit: its place in the queues, which all
	/// tasks share, binds money until the task ends.
	pub min_lock: Balance,
	/// Attempts at a chunk before it is refunded; 8 at most.
	pub max_attempts: u8,
	/// Declines by different owners before a chunk is refunded, those of who was busy not counted;
	/// 3 at most.
	pub max_declines: u8,
	/// Part of a chunk's pay cap that a missed deadline costs.
	pub miss_fine: Perquintill,
	/// Paid to each owner who tried in vain to fetch the input of a task that is stopped for it, in
	/// the token's smallest unit. For tasks submitted from now on.
	pub fetch_fee: Balance,
}

impl Default for Rules {
	/// Production, at three seconds a block: five minutes of challenge, a week for a task, a day to
	/// read how it ended.
	fn default() -> Self {
		Self {
			challenge_period: 100,
			task_lifetime: 201_600,
			keep_ended: 28_800,
			min_lock: 10 * TEQ,
			max_attempts: MAX_ATTEMPTS,
			max_declines: 3,
			miss_fine: Perquintill::from_percent(5),
			fetch_fee: TEQ / 100,
		}
	}
}

impl Rules {
	/// Whether a chain can run by these numbers.
	pub fn are_sound(&self) -> bool {
		(1..=MAX_ATTEMPTS).contains(&self.max_attempts)
			&& (1..=MAX_FETCH_FEES).contains(&u32::from(self.max_declines))
	}
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Task<AccountId> {
	/// Who pays.
	pub requester: AccountId,
	/// What is asked for.
	pub spec: TaskSpec,
	/// Pay per unit.
	pub price: Balance,
	/// The protocol fee, as it was at submission.
	pub fee: FeeTerms,
	/// Auditors that one result may have to pay at most, as it was at submission.
	pub most_audits: u8,
	/// Pay of who tried in vain to fetch the input, as it was at submission.
	pub fetch_fee: Balance,
	/// Blocks for a chunk: one of the eight deadlines.
	pub deadline: u32,
	/// Which of the eight.
	pub bucket: u8,
	/// Finder's bonus that was not paid yet.
	pub bonus: Balance,
	/// Chunks in the task.
	pub chunks: u32,
	/// First chunk that was never given out.
	pub next_chunk: ChunkIndex,
	/// Chunks by where they are.
	pub counts: ChunkCounts,
	/// The money.
	pub books: Books,
	/// Whether chunks are still given out.
	pub status: TaskStatus,
	/// Height from which no more chunks are given out.
	pub expires_at: WorkHeight,
	/// Nonces that meet the target, in the order in which they were found.
	pub winners: Winners,
	/// Whether a worker has committed to any result: the input can be had.
	pub committed: bool,
	/// Owners who found the input bad, the first of them.
	pub decliners: BoundedVec<AccountId, ConstU32<MAX_FETCH_FEES>>,
	/// Whether the pallet that ordered it is told how it goes.
	pub followed: bool,
}

impl<AccountId> Task<AccountId> {
	/// What its prices follow from.
	pub fn tariff(&self) -> Tariff {
		Tariff {
			price: self.price,
			fee: self.fee,
			most_audits: self.most_audits,
			fetch_fee: self.fetch_fee,
		}
	}

	/// Chunks that have not ended.
	pub fn live(&self) -> u32 {
		let ChunkCounts { open, assigned, checking, accepted, .. } = self.counts;
		open.saturating_add(assigned).saturating_add(checking).saturating_add(accepted)
	}

	/// Chunks that were never given out.
	pub fn untouched(&self) -> u32 {
		self.chunks.saturating_sub(self.next_chunk)
	}

	/// Counts `number` chunks at another place.
	pub fn shift(&mut self, number: u32, from: Place, to: Place) {
		let count = self.count(from);
		*count = count.saturating_sub(number);
		let count = self.count(to);
		*count = count.saturating_add(number);
	}

	fn count(&mut self, place: Place) -> &mut u32 {
		match place {
			Place::Open => &mut self.counts.open,
			Place::Assigned => &mut self.counts.assigned,
			Place::Checking => &mut self.counts.checking,
			Place::Accepted => &mut self.counts.accepted,
			Place::Paid => &mut self.counts.paid,
			Place::Refunded => &mut self.counts.refunded,
		}
	}
}

/// Where a chunk is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
	/// Waiting for a worker.
	Open,
	/// Being computed.
	Assigned,
	/// Being checked, or judged again after a challenge.
	Checking,
	/// Found right, not paid yet.
	Accepted,
	/// Ended, paid at least once.
	Paid,
	/// Ended without pay.
	Refunded,
}

/// A chunk that was given out at least once and has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Chunk<AccountId> {
	/// The present attempt.
	pub attempt: Attempt,
	/// Whether a thin search of it was paid, so that this is the second and last search.
	pub thin: bool,
	/// Rounds of audits of it that were paid, out of those that are locked for.
	pub audits: u8,
	/// Times that it was declined by somebody who was not just busy.
	pub declines: u8,
	/// Owners that are not drawn for it again.
	pub excluded: BoundedVec<AccountId, ConstU32<MAX_EXCLUDED>>,
	/// Where it is.
	pub state: ChunkState<AccountId>,
}

impl<AccountId> Default for Chunk<AccountId> {
	/// A chunk that was never given out.
	fn default() -> Self {
		Self {
			attempt: 0,
			thin: false,
			audits: 0,
			declines: 0,
			excluded: BoundedVec::new(),
			state: ChunkState::Open,
		}
	}
}

/// Where a chunk is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum ChunkState<AccountId> {
	/// Waits for another worker.
	#[codec(index = 0)]
	Open,
	/// Is computed.
	#[codec(index = 1)]
	Assigned {
		/// By whom and on which terms.
		assignment: Assignment<AccountId>,
		/// Last height at which the worker may commit.
		due: WorkHeight,
	},
	/// Is checked by `verification`.
	#[codec(index = 2)]
	Checking {
		/// Who computed it and on which terms.
		assignment: Assignment<AccountId>,
	},
	/// Was found right.
	#[codec(index = 3)]
	Accepted {
		/// Who will be paid.
		assignment: Assignment<AccountId>,
		/// What will be paid for.
		delivered: Delivered,
		/// Whether it found a winner.
		won: bool,
		/// Whether auditors looked at it.
		audited: bool,
		/// Height at which it is paid.
		until: WorkHeight,
	},
	/// Was found right, and is judged again by `verification`.
	#[codec(index = 4)]
	Challenged {
		/// Who will be paid if it stays right.
		assignment: Assignment<AccountId>,
		/// What will be paid for.
		delivered: Delivered,
		/// Whether it found a winner.
		won: bool,
		/// Whether auditors looked at it.
		audited: bool,
	},
}

impl<AccountId> ChunkState<AccountId> {
	/// Where a chunk in this state is counted.
	pub fn place(&self) -> Place {
		match self {
			Self::Open => Place::Open,
			Self::Assigned { .. } => Place::Assigned,
			Self::Checking { .. } | Self::Challenged { .. } => Place::Checking,
			Self::Accepted { .. } => Place::Accepted,
		}
	}
}

/// The worker's duty in an attempt.
pub fn worker_duty(id: AttemptId) -> Duty {
	Duty { id, role: Role::Worker }
}

/// Why a chunk ended without further work.
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
pub enum RefundReason {
	/// Its task is cancelled or expired.
	#[codec(index = 0)]
	TaskClosing,
	/// No attempt at it succeeded.
	#[codec(index = 1)]
	AttemptsUsedUp,
	/// Too many owners declined it for what it is.
	#[codec(index = 2)]
	Declined,
	/// Its check came to no verdict.
	#[codec(index = 3)]
	Undecided(UndecidedReason),
	/// A result of it was accepted and then found wrong, and what was locked for audits is spent.
	#[codec(index = 4)]
	AuditsUsedUp,
}

/// Why a task gives out no more chunks.
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
pub enum CloseReason {
	/// Its requester cancelled it.
	#[codec(index = 0)]
	Cancelled,
	/// Its lifetime is over.
	#[codec(index = 1)]
	Expired,
	/// Three owners could not fetch its input, or found another one than it names.
	#[codec(index = 2)]
	BadInput,
}

/// The queues of tasks.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub enum TaskQueue {
	/// With chunks that were never given out, served in turn.
	#[codec(index = 0)]
	Open,
	/// To be served for the first time, or after a wait because nobody takes their chunks: by the
	/// index of the wait.
	#[codec(index = 1)]
	Waiting(u8),
	/// By the end of their lifetime.
	#[codec(index = 2)]
	Expiring,
	/// Ended, by when their state is removed.
	#[codec(index = 3)]
	Ended,
}

/// The queues of chunks.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub enum ChunkQueue {
	/// Waiting for another worker, by the index of the wait.
	#[codec(index = 0)]
	Reopened(u8),
	/// Being computed, by which of the eight deadlines.
	#[codec(index = 1)]
	Assigned(u8),
	/// Waiting for payment.
	#[codec(index = 2)]
	Accepted,
}
