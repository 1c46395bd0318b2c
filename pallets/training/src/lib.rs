//! # Training
//!
//! A training is a series of rounds. Each round is up to three ordinary tasks of `tasks`, which are
//! assigned, checked and paid like any others: *train* has a chunk for each shard of the data,
//! *aggregate* makes one state out of what they gave, *evaluate* counts how good that state is. The
//! pallet orders them out of one budget, hands what was paid on to the next, and stops by rule. The
//! plan says in which class is trained; whichever that is, aggregation is in `ExactF64`.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`types`] | plans, trainings, their phases, scores and money, the names of the queues |
//! | `plan` | what can be a training, and the task of each of its steps: pure |
//! | `round` | the state machine: what is to be done about a training: pure |
//! | `conduct` | carries that out: orders, closes, stops |
//! | `money` | the only file that moves a requester's money |
//! | `notes` | what `tasks` tells of ordered tasks |
//! | `agenda` | which trainings are visited, in which order, within which weight |
//! | `try_state` | the invariants, each as a sentence and a check |
//! | [`weights`] | estimates, counted by hand, until benchmarks exist |
//!
//! ## Flow
//! ```text
//! submit_training ─▶ budget held ─▶ train ─┬─ ended, or due with a quorum ─▶ aggregate ─▶ state
//!                                    ▲     └─ without a quorum ─▶ stop                      │
//!                                    └───── next round ◀──── evaluate beside it ◀───────────┘
//! stop ─▶ tasks closed ─▶ all have ended ─▶ the rest returned ─▶ (KeepEnded) ─▶ record removed
//! ```
//! The evaluation of a state runs beside the training of the next round. There is one evaluation at
//! a time, so training is never more than one round ahead of it. One that fails, or that cannot be
//! ordered, stops nothing. One that is out when no other round can begin is waited for. An
//! aggregation that ends without a state stops the training.
//!
//! ## Design
//! - Only what was paid is used: accepted, and past its challenge period. Verify first, average
//!   second.
//! - The chain knows programs and outputs by their hash. It passes hashes of outputs on as
//!   arguments of later tasks, and reads only what is shown: counts.
//! - `tasks` tells of its chunks in the middle of its own steps. This pallet then only notes, and
//!   puts the training into a queue; it orders and closes in its agenda and in its calls.
//! - What is to be done about a training follows from its record and the height, by one pure
//!   function. An entry of a queue says no more than that it is time to look, so one too many does
//!   no harm: it finds nothing to do and is dropped.
//! - The deadlines of steps are eight, and every step has its due height from when it was ordered,
//!   so each of the queues is sorted. They take turns, so none of them waits for another one that is
//!   always full.
//! - A step has more time than a chunk, its challenge period included, so that a chunk that takes
//!   all of its own can still be used.
//! - What a shard gives after its step was due is paid and not used, whether the agenda has been
//!   there by then or not. Tasks that are closed so, or that a late evaluation leaves behind, may
//!   still have chunks in hand: a round does not begin while [`types::MAX_LIVE`] leaves it no room,
//!   so a training that is always late cannot pile them up.
//! - An aggregation that is late is closed and waited for all the same. It ends by itself, and all
//!   of a round hangs on it. Once it was paid, its state is gone on with before anything else is
//!   looked at.
//! - Whoever made an output that is right may withhold its bytes. Who needs them as inputs then
//!   declines, since they cannot be had: an aggregation, or shards of the next round, end without
//!   pay, and the training stops by rule. It costs the requester what was done, and nobody gains by
//!   it. While all workers share a store, there is nothing to withhold.
//! - What an evaluation claims is believed as far as it can be: no chunk counts more rows than the
//!   plan says.
//! - A failing order leaves nothing behind, and is not tried again: it would fail again. Without an
//!   evaluation the training goes on, without anything else it stops.
//! - The budget is held on the requester's account, and so is what tasks lock. What a task gives
//!   back is free until the training holds it again at the end of the task; what the requester has
//!   spent of it by then is missing, and the training goes on with what is left.
//!
//! ## Invariants
//! - For each training `locked = held + out + spent + returned`; for each requester the hold is the
//!   sum of what its trainings hold.
//! - Every task of a training that has not ended is known by its number, and counted.
//! - A training that stops says why; one that has ended has nothing held, out or live.
//! - Every step that is waited for stands in the queue of its deadline or was closed, and whatever
//!   has something to be done stands in a queue that is due.
//! - Scores are of rounds that are done; what shards gave is listed for no more than the shards.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod agenda;
mod conduct;
mod money;
mod notes;
mod plan;
mod round;
mod try_state;
pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Evaluation, Money, Plan, Scores, Stage, StopReason, StopRule};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{
		types::{Money, Plan, Queue, StopReason, TrainingOf},
		weights::WeightInfo,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{hold::Mutate as HoldMutate, Inspect},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use sp_core::H256;
	use tequio_primitives::{
		clock::WorkClock,
		fifo::{Ends, Page, MAX_STEPS},
		orders::OrderTasks,
		recompute::RecomputeError,
		training::{Counts, TrainingId},
		Balance, TaskId,
	};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Trainings and their budgets.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the pallet needs from the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// The token that trainings are paid in.
		type Currency: HoldMutate<Self::AccountId, Reason: From<HoldReason>>
			+ Inspect<Self::AccountId, Balance = Balance>;

		/// The work clock.
		type Clock: WorkClock;

		/// Takes the tasks of the rounds, and tells this pallet, its follower, what comes of them.
		type Tasks: OrderTasks<Self::AccountId>;

		/// Weight of a block that the agenda may use.
		#[pallet::constant]
		type AgendaBudget: Get<Weight>;

		/// Blocks from the end of a training to the removal of its record.
		#[pallet::constant]
		type KeepEnded: Get<u32>;

		/// Weights of the calls and of the steps of the agenda.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// What a requester's trainings hold for tasks to come.
		#[codec(index = 0)]
		Budget,
	}

	/// The number of the next training.
	#[pallet::storage]
	pub type NextTraining<T: Config> = StorageValue<_, TrainingId, ValueQuery>;

	/// Every training, up to some time after its end.
	#[pallet::storage]
	pub type Trainings<T: Config> = StorageMap<_, Twox64Concat, TrainingId, TrainingOf<T>>;

	/// The training of every ordered task that has not ended.
	#[pallet::storage]
	pub type Steps<T: Config> = StorageMap<_, Twox64Concat, TaskId, TrainingId>;

	/// Entries of the queues, in pages of 64.
	#[pallet::storage]
	pub type TrainingPages<T: Config> =
		StorageDoubleMap<_, Twox64Concat, Queue, Twox64Concat, u64, Page<TrainingId>, ValueQuery>;

	/// Where the queues begin and end.
	#[pallet::storage]
	pub type TrainingEnds<T: Config> = StorageValue<_, Ends<Queue>, ValueQuery>;

	/// What happened. Amounts are in the token's smallest unit, rounds count from 0.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A training was submitted and its budget held.
		TrainingSubmitted {
			/// The training.
			training: TrainingId,
			/// Who pays.
			requester: T::AccountId,
			/// Rounds at most.
			rounds: u32,
			/// Shards.
			shards: u32,
			/// The budget.
			locked: Balance,
		},
		/// The training of all shards was ordered.
		RoundBegan {
			/// The training.
			training: TrainingId,
			/// The round.
			round: u32,
			/// The task that trains.
			task: TaskId,
		},
		/// Enough shards were trained on, and their aggregation was ordered.
		RoundTrained {
			/// The training.
			training: TrainingId,
			/// The round.
			round: u32,
			/// The task that aggregates.
			task: TaskId,
			/// Shards whose output goes into it.
			kept: u32,
			/// Shards that gave nothing in time, or numbers that are not finite.
			missing: u32,
		},
		/// A round is done.
		RoundAggregated {
			/// The training.
			training: TrainingId,
			/// The round.
			round: u32,
			/// Hash of the state that it gave.
			state: H256,
		},
		/// The evaluation of a state was ordered.
		EvaluationBegan {
			/// The training.
			training: TrainingId,
			/// The round that gave the state.
			round: u32,
			/// The task that counts.
			task: TaskId,
		},
		/// A state was evaluated.
		RoundEvaluated {
			/// The training.
			training: TrainingId,
			/// The round that gave the state.
			round: u32,
			/// What was counted.
			counts: Counts,
		},
		/// Not all chunks of an evaluation gave counts in time, or it could not be ordered. The
		/// training goes on without.
		EvaluationFailed {
			/// The training.
			training: TrainingId,
			/// The round that gave the state.
			round: u32,
		},
		/// A training stops: nothing more is ordered, and what is in hand is being finished.
		TrainingClosing {
			/// The training.
			training: TrainingId,
			/// Why.
			reason: StopReason,
		},
		/// The last task of a training that stops has ended, and what it held was returned.
		TrainingEnded {
			/// The training.
			training: TrainingId,
			/// Why.
			reason: StopReason,
			/// Rounds that were done.
			rounds: u32,
			/// Hash of the last state. Zero: no round was done.
			state: H256,
			/// Where the money went.
			money: Money,
		},
		/// The record of a training that ended long ago was removed.
		TrainingPruned {
			/// The training.
			training: TrainingId,
		},
	}

	/// Why a call changed nothing.
	#[pallet::error]
	pub enum Error<T> {
		/// Nothing is trained in this class: name that of the numbers that the program computes with,
		/// `ExactF64`, `ExactF32` or `BandedF32`.
		NotTrainable,
		/// Shards are out of bounds: ask for 1 to 64.
		ShardsOutOfBounds,
		/// Rounds are out of bounds: ask for 1 to 100 000.
		RoundsOutOfBounds,
		/// The quorum is out of bounds: name one from 1 to the number of shards.
		QuorumOutOfBounds,
		/// Replicas are out of bounds: ask for 1 to 7.
		ReplicasOutOfBounds,
		/// Chunks of the evaluation or their rows are out of bounds: ask for 1 to 16 chunks, and for
		/// one row in a chunk or more.
		EvaluationOutOfBounds,
		/// The plan names a target or a plateau, and nothing that it could be told by: name an
		/// evaluation, too.
		NothingEvaluated,
		/// The chunks of a step have no units, so nothing would be paid for them: give them one or
		/// more.
		NoUnits,
		/// The price is zero: name what one unit is worth.
		ZeroPrice,
		/// A deadline is zero or above 28 800 blocks, or a step has less time than a chunk: name
		/// deadlines from 1 to 28 800, that of steps no shorter.
		DeadlineOutOfBounds,
		/// A chunk that takes all of its deadline would be paid after its step is due, and would not
		/// be used: give steps more time, or chunks less. Above the deadline of a chunk, a step needs
		/// the challenge period and a few blocks.
		StepTooShort,
		/// The task of a step would be refused: ask for less or for more work in a chunk, or for
		/// another price, as the same program would need as a task of its own.
		NotOrderable,
		/// The budget does not cover the tasks of one round, all of which may be locked at once:
		/// lock more, or lower price or units.
		BudgetTooSmall,
		/// The free balance does not cover the budget: lower it, or add funds.
		InsufficientFunds,
		/// Training numbers are used up: this chain takes no more trainings.
		NoTrainingNumber,
		/// There is no such training: name one that `TrainingSubmitted` named.
		NotFound,
		/// Only the requester of the training may do this: sign with the account that submitted it.
		NotRequester,
		/// The training is closing or has ended already: there is nothing to cancel.
		NotRunning,
		/// The limit is zero or above 64: ask for 1 to 64 steps.
		LimitOutOfBounds,
		/// No step is late: there is nothing to do.
		NothingLate,
	}

	impl<T> From<RecomputeError> for Error<T> {
		fn from(error: RecomputeError) -> Self {
			match error {
				RecomputeError::NotAProgram => Self::NotTrainable,
				RecomputeError::NoChunks => Self::ShardsOutOfBounds,
				RecomputeError::NoUnits => Self::NoUnits,
				RecomputeError::ReplicasOutOfBounds => Self::ReplicasOutOfBounds,
			}
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_block: BlockNumberFor<T>, meter: &mut WeightMeter) {
			Self::run_agenda(meter);
		}

		fn integrity_test() {
			let least = T::WeightInfo::agenda_heads().saturating_add(T::WeightInfo::largest_step());
			assert!(
				least.all_lte(T::AgendaBudget::get()),
				"the agenda's budget has no room for a single step"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_block: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Submits a training, holds its budget and orders the training of the first round.
		///
		/// - `plan`: what is to be computed, how often, for how much, and when to stop.
		/// - `budget`: the most that the training may cost, in the token's smallest unit. It has to
		///   cover the tasks of one round as they are locked: with every audit that may be needed.
		///   A task takes its cost out of it and gives back what it did not spend; the training
		///   stops where what is there does not cover the next training or aggregation, and does
		///   without an evaluation that it does not cover. The rest returns at the end.
		///
		/// Emits [`Event::TrainingSubmitted`] and [`Event::RoundBegan`].
		#[pallet::call_index(0)]
		pub fn submit_training(
			origin: OriginFor<T>,
			plan: Plan,
			budget: Balance,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_submit(requester, plan, budget)
		}

		/// Stops a training of the caller. Its tasks are closed: chunks in hand are finished and
		/// paid, and when the last task has ended, the rest of the budget returns. A state that was
		/// paid for already is the training's last one.
		///
		/// Emits [`Event::TrainingClosing`], and [`Event::TrainingEnded`] where no chunk is in
		/// hand.
		#[pallet::call_index(1)]
		pub fn cancel_training(origin: OriginFor<T>, training: TrainingId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_cancel(&who, training)
		}

		/// Takes steps that the agenda is late with, as many as weigh no more than `limit` (at most
		/// 64) of the heaviest: rounds that can go on, steps that are due, removal of the records
		/// of ended trainings. Anyone may call; the fee is for the steps taken.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::advance_trainings((*limit).min(MAX_STEPS)))]
		pub fn advance_trainings(origin: OriginFor<T>, limit: u32) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_advance(limit)
		}
	}
}
