//! # Tasks
//!
//! A requester locks the most a task can cost. The pallet cuts the task into chunks, has a seat
//! drawn for each, ends what is late, pays what was found right, and returns the rest.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`spec`] | what a task asks for |
//! | [`types`] | rules, tasks, chunks, their states, the names of the queues |
//! | [`pricing`] | what a chunk may cost: pure arithmetic |
//! | `lifecycle` | a task from submission to its end; how a chunk is reopened or ended |
//! | `order` | tasks that another pallet orders, and what it is told of them |
//! | `assignment` | chunks to seats: draws, declines, missed deadlines |
//! | `settlement` | what follows from a verdict or a challenge: the pay of auditors and worker |
//! | `escrow` | the only file that moves a requester's money |
//! | `agenda` | which steps are due, in which order, within which weight |
//! | [`history`] | what stays of a task that has ended: its root, and how that is made |
//! | `inspect` | how tasks and chunks stand, for the runtime API and the transaction pool |
//! | `try_state` | the invariants, each as a sentence and a check |
//! | [`weights`] | estimates, counted by hand, until benchmarks exist |
//!
//! ## Flow
//! `submit_task` → locked, `Open` queue → (two heights later) draw → `Assigned` → `begin_check` by
//! `verification` → `conclude`: accepted → auditors paid → challenge period → worker paid → last
//! chunk ended → remainder returned → (a day later) state removed but for a root of 32 bytes.
//!
//! A chunk whose worker declines, misses its deadline or is rejected goes to another owner; so does
//! a *thin* one, once, after its first worker was paid. A result that is challenged before it was
//! paid is checked once more: found right again it is paid at once, found wrong its chunk goes to
//! another owner. [`tequio_primitives::stage`] draws all of it.
//!
//! A task whose input three owners could not fetch, while nobody ever committed to a result and
//! hardly anybody is still at work, is closed, and each of the three is paid the fetch fee.
//!
//! ## Design
//! - A task of 10⁶ chunks is one record with a cursor. A chunk has a record from its first
//!   assignment to its end.
//! - The escrow of a task is one pool. What an ended chunk left unspent stays in it until the last
//!   chunk has ended; only chunks that were never given out are returned before, when the task
//!   closes.
//! - What a task costs follows from its own record: fee, audits and fetch fee are those of the
//!   block of its submission, so that no change of rules makes it cost more than it has locked.
//! - Auditors are paid at acceptance. Where a challenge then shows the result wrong, the chunk has
//!   used up a round of audits, and ends if there is none left: the requester pays no audits that
//!   were not locked for.
//! - An entry of a queue names an attempt. It is dropped when reached if the chunk has moved on, so
//!   nothing is ever searched for or removed from the middle of a queue. What is left of a task when
//!   its state is removed is such an entry, 12 bytes, in the queue of expiry, until its lifetime is
//!   over.
//! - What nobody takes is drawn for less and less often, and a block draws for a few such things at
//!   most: a thousand tasks below everybody's price delay nobody else's.
//! - `advance_agenda` draws no seats: whoever calls knows the randomness of the last block already,
//!   and could fit the devices that accept work to it.
//!
//! ## Invariants
//! - For each requester the held escrow is the sum of what its tasks have in escrow; an ended task
//!   has nothing there, so that `locked = paid + audit + fee + refunded`.
//! - What a task has in escrow covers the most that its chunks can still cost, the bonus, and the
//!   fetch fees as long as they may fall due.
//! - The counts of a task add up to its chunks and match the records of its chunks.
//! - Every chunk that is open again, assigned or accepted, every running task, and every ended one
//!   that still has its record, has its entry in a queue.
//! - A task has a record or a root, never both.
//! - A task has arguments while it is followed and has a record.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod agenda;
mod assignment;
mod escrow;
pub mod history;
mod inspect;
mod lifecycle;
mod order;
pub mod pricing;
mod settlement;
pub mod spec;
mod try_state;
pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use spec::TaskSpec;
pub use types::{CloseReason, RefundReason, Rules, MAX_FETCH_FEES};
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{
		history::Folded,
		lifecycle::Submission,
		spec::TaskSpec,
		types::{ChunkOf, ChunkQueue, CloseReason, RefundReason, Rules, TaskOf, TaskQueue},
		weights::WeightInfo,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{hold::Mutate as HoldMutate, Inspect},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use tequio_primitives::{
		api::Books,
		clock::{Beacon, WorkClock},
		fifo::{Ends, Page, MAX_STEPS},
		orders::FollowTasks,
		recompute::{Arguments, RecomputeError},
		rewards::DistributeRewards,
		search::{Nonce, SearchError},
		stage::DeclineReason,
		tasks::{Delivered, KeepChecks},
		terms::AuditPolicy,
		workers::{DrawSeats, EngageSeats, InspectWorkers},
		AttemptId, Balance, ChunkId, TaskId, WorkClass, WorkHeight,
	};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Tasks, their chunks and their escrow.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the pallet needs from the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// The token that tasks are paid in.
		type Currency: HoldMutate<Self::AccountId, Reason: From<HoldReason>>
			+ Inspect<Self::AccountId, Balance = Balance>;

		/// The work clock.
		type Clock: WorkClock;

		/// Randomness of past blocks.
		type Beacon: Beacon;

		/// Who computes: draws seats and binds them to chunks.
		type Workers: DrawSeats<Self::AccountId>
			+ EngageSeats<Self::AccountId>
			+ InspectWorkers<Self::AccountId>;

		/// On which terms a chunk is assigned.
		type Policy: AuditPolicy;

		/// What is kept of the check of an accepted chunk until it is paid.
		type Checks: KeepChecks;

		/// The protocol fee, and pay that cannot be delivered.
		type Rewards: DistributeRewards<Self::AccountId>;

		/// The pallet that orders tasks, and is told how they go.
		type Followers: FollowTasks;

		/// Weight of a block that the agenda may use.
		#[pallet::constant]
		type AgendaBudget: Get<Weight>;

		/// Weights of the calls and of the steps of the agenda.
		type WeightInfo: WeightInfo;
	}

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The requester's escrow for its tasks.
		#[codec(index = 0)]
		Escrow,
	}

	/// The numbers that a referendum may change.
	#[pallet::storage]
	pub type CurrentRules<T: Config> = StorageValue<_, Rules, ValueQuery>;

	/// The number of the next task.
	#[pallet::storage]
	pub type NextTask<T: Config> = StorageValue<_, TaskId, ValueQuery>;

	/// Every task, up to some time after its end.
	#[pallet::storage]
	pub type Tasks<T: Config> = StorageMap<_, Twox64Concat, TaskId, TaskOf<T>>;

	/// What runs of ordered tasks are given beside their manifest.
	#[pallet::storage]
	pub type TaskArguments<T: Config> = StorageMap<_, Twox64Concat, TaskId, Arguments>;

	/// Chunks from their first assignment to their end.
	#[pallet::storage]
	pub type Chunks<T: Config> = StorageMap<_, Twox64Concat, ChunkId, ChunkOf<T>>;

	/// The roots of tasks that ended so long ago that nothing else is left of them. See
	/// [`crate::history`] for what they are made of.
	#[pallet::storage]
	pub type Ended<T: Config> = StorageMap<_, Twox64Concat, TaskId, [u8; 32]>;

	/// How far the task is folded whose state is being removed: the one at the head of the queue.
	#[pallet::storage]
	pub type Folding<T: Config> = StorageValue<_, Folded, ValueQuery>;

	/// Entries of the queues of tasks, in pages of 64.
	#[pallet::storage]
	pub type TaskPages<T: Config> =
		StorageDoubleMap<_, Twox64Concat, TaskQueue, Twox64Concat, u64, Page<TaskId>, ValueQuery>;

	/// Where the queues of tasks begin and end.
	#[pallet::storage]
	pub type TaskEnds<T: Config> = StorageValue<_, Ends<TaskQueue>, ValueQuery>;

	/// Entries of the queues of chunks, in pages of 64.
	#[pallet::storage]
	pub type ChunkPages<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		ChunkQueue,
		Twox64Concat,
		u64,
		Page<AttemptId>,
		ValueQuery,
	>;

	/// Where the queues of chunks begin and end.
	#[pallet::storage]
	pub type ChunkEnds<T: Config> = StorageValue<_, Ends<ChunkQueue>, ValueQuery>;

	/// The rules that the chain starts with.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Periods, limits and fines.
		pub rules: Rules,
		/// Binds the runtime's type.
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(self.rules.are_sound(), "max_attempts is 1 to 8, max_declines 1 to 3");
			CurrentRules::<T>::put(self.rules);
		}
	}

	/// What happened. Amounts are in the token's smallest unit, heights on the work clock.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A task was submitted and the most it can cost was locked.
		TaskSubmitted {
			/// The task.
			task: TaskId,
			/// Who pays.
			requester: T::AccountId,
			/// Class of the work.
			class: WorkClass,
			/// Chunks in the task.
			chunks: u32,
			/// What was locked.
			locked: Balance,
		},
		/// A seat was drawn for a chunk.
		ChunkAssigned {
			/// The attempt.
			id: AttemptId,
			/// Whose stake answers for it.
			owner: T::AccountId,
			/// Who computes.
			device: T::AccountId,
			/// What the owner stands to lose.
			collateral: Balance,
			/// Last height at which the device may commit.
			due: WorkHeight,
		},
		/// A device handed a chunk back.
		ChunkDeclined {
			/// The attempt.
			id: AttemptId,
			/// The owner of the device.
			owner: T::AccountId,
			/// Why.
			reason: DeclineReason,
		},
		/// A device let its deadline pass.
		AssignmentMissed {
			/// The attempt.
			id: AttemptId,
			/// The owner of the device.
			owner: T::AccountId,
			/// What is burned of its collateral.
			fine: Balance,
		},
		/// A result was found right; the challenge period runs.
		ChunkAccepted {
			/// The attempt.
			id: AttemptId,
			/// Who will be paid.
			owner: T::AccountId,
			/// What the owner will be paid for.
			delivered: Delivered,
		},
		/// An owner was paid for a chunk.
		ChunkPaid {
			/// The attempt.
			id: AttemptId,
			/// The owner.
			owner: T::AccountId,
			/// Units of work paid, as the class counts them.
			units: u64,
			/// What was paid.
			amount: Balance,
		},
		/// An owner was paid for an audit.
		AuditPaid {
			/// The attempt that was audited.
			id: AttemptId,
			/// The owner.
			owner: T::AccountId,
			/// What was paid.
			amount: Balance,
		},
		/// An owner was paid for trying in vain to fetch the input of a task.
		FetchFeePaid {
			/// The task.
			task: TaskId,
			/// The owner.
			owner: T::AccountId,
			/// What was paid.
			amount: Balance,
		},
		/// The finder's bonus was paid.
		BonusPaid {
			/// The task.
			task: TaskId,
			/// The owner whose device found the first winner.
			owner: T::AccountId,
			/// What was paid.
			amount: Balance,
		},
		/// A chunk waits for another worker.
		ChunkReopened {
			/// The coming attempt.
			id: AttemptId,
		},
		/// A chunk ended without further work. What it did not use returns to the requester with
		/// the task's remainder.
		ChunkRefunded {
			/// The chunk.
			chunk: ChunkId,
			/// Why.
			reason: RefundReason,
		},
		/// A nonce was found that meets the task's target.
		WinnerFound {
			/// The task.
			task: TaskId,
			/// The nonce.
			nonce: Nonce,
			/// Its hash, 32 bytes.
			hash: [u8; 32],
		},
		/// A task gives out no more chunks; those never given out were refunded.
		TaskClosing {
			/// The task.
			task: TaskId,
			/// Why.
			reason: CloseReason,
		},
		/// The last chunk of a task has ended and the remainder was returned.
		TaskEnded {
			/// The task.
			task: TaskId,
			/// Where the locked money went.
			books: Books,
		},
		/// The state of a task that ended long ago was removed.
		TaskPruned {
			/// The task.
			task: TaskId,
			/// What is left: the root of its history, 32 bytes.
			root: [u8; 32],
		},
		/// The rules were changed.
		RulesChanged {
			/// The rules now in force.
			rules: Rules,
		},
	}

	/// Why a call changed nothing.
	#[pallet::error]
	pub enum Error<T> {
		/// The range has no nonces: give a count of at least 16.
		EmptyRange,
		/// The range goes on past the largest 32-bit nonce: lower the start or the count.
		RangeOverflows,
		/// The template ends before the nonce does: give a longer template or a smaller offset.
		NonceOutsideTemplate,
		/// No hash meets a target of zero: give a larger one.
		ZeroTarget,
		/// Shares per chunk are out of bounds: give a lambda from 16 to 256.
		LambdaOutOfBounds,
		/// A chunk, or the last one, has fewer than 16 nonces: choose a chunk size that leaves no
		/// smaller rest.
		ChunkTooSmall,
		/// The target is easier than a share: lower it, or give more shares per chunk.
		TargetTooEasy,
		/// The class is not one of programs: name the class of the program's numbers, or submit a
		/// search.
		NotAProgram,
		/// The program has no chunks: ask for one or more.
		NoChunks,
		/// A chunk has no units, so nothing would be paid for it: give it one or more.
		NoUnits,
		/// Replicas are out of bounds: ask for 1 to 7.
		ReplicasOutOfBounds,
		/// The price is zero: name what one unit is worth.
		ZeroPrice,
		/// The deadline is zero or above 28 800 blocks: name one from 1 to 28 800.
		DeadlineOutOfBounds,
		/// What the task could cost has no place in 128 bits: lower price, range or bonus.
		CostTooHigh,
		/// The chain finds no collateral that would secure such chunks: lower the price or the
		/// chunk size.
		NotAssignable,
		/// The free balance does not cover the most that the task can cost: lower price or range,
		/// or add funds.
		InsufficientFunds,
		/// Task numbers are used up: this chain takes no more tasks.
		NoTaskNumber,
		/// There is no such task: name one that `TaskSubmitted` named.
		NotFound,
		/// Only the requester of the task may do this: sign with the account that submitted it.
		NotRequester,
		/// The task is closing or has ended already: there is nothing to cancel.
		NotRunning,
		/// This attempt is not assigned to this device, or no longer: read the device's duties
		/// again.
		NotAssigned,
		/// The first quarter of the deadline is over: finish the chunk, or let its deadline pass.
		DeclineTooLate,
		/// This attempt does not wait for its payment, or no longer: what is not accepted, or was paid
		/// already, cannot be challenged.
		NotAccepted,
		/// The deadline of the assignment has passed: the chunk goes to somebody else.
		DeadlinePassed,
		/// The task would lock less than `min_lock` of the rules: ask for more work, or pay more.
		TaskTooSmall,
		/// The limit is zero or above 64: ask for 1 to 64 steps.
		LimitOutOfBounds,
		/// No step is late: there is nothing to do.
		NothingLate,
		/// The rules are out of the bounds that their documentation names. Nothing was changed.
		RulesUnsound,
	}

	impl<T> From<SearchError> for Error<T> {
		fn from(error: SearchError) -> Self {
			match error {
				SearchError::EmptyRange => Self::EmptyRange,
				SearchError::RangeOverflows => Self::RangeOverflows,
				SearchError::NonceOutsideTemplate => Self::NonceOutsideTemplate,
				SearchError::ZeroTarget => Self::ZeroTarget,
				SearchError::LambdaOutOfBounds => Self::LambdaOutOfBounds,
				SearchError::ChunkTooSmall => Self::ChunkTooSmall,
				SearchError::TargetTooEasy => Self::TargetTooEasy,
			}
		}
	}

	impl<T> From<RecomputeError> for Error<T> {
		fn from(error: RecomputeError) -> Self {
			match error {
				RecomputeError::NotAProgram => Self::NotAProgram,
				RecomputeError::NoChunks => Self::NoChunks,
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
			let least = T::WeightInfo::agenda_heads()
				.saturating_add(T::WeightInfo::visit_task())
				.saturating_add(T::WeightInfo::largest_step());
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
		/// Submits a task and locks the most it can cost: for each chunk the cap of its pay, the
		/// audits and the protocol fee; the bonus with its fee; and three fetch fees with theirs.
		/// What is not spent returns when the last chunk has ended.
		///
		/// - `spec`: what is to be computed.
		/// - `price`: pay per unit (of a search: one expected hash), in the token's smallest unit.
		///   Workers who ask for more are not drawn.
		/// - `deadline`: blocks that a worker has for a chunk, rounded up to 16, 32, 64, 128, 512,
		///   2 048, 8 192 or 28 800.
		/// - `bonus`: paid once, to whoever finds the first nonce of a search that meets the target;
		///   may be zero.
		///
		/// Emits [`Event::TaskSubmitted`].
		#[pallet::call_index(0)]
		pub fn submit_task(
			origin: OriginFor<T>,
			spec: TaskSpec,
			price: Balance,
			deadline: u32,
			bonus: Balance,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			let submission = Submission { requester, spec, price, deadline, bonus };
			Self::submit(submission, false).map(|_| ())
		}

		/// Closes a task of the caller. Chunks never given out are refunded at once, chunks waiting
		/// for another worker as soon as the agenda reaches them, chunks in hand are finished and
		/// paid.
		///
		/// Emits [`Event::TaskClosing`], and [`Event::TaskEnded`] where no chunk is in hand.
		#[pallet::call_index(1)]
		pub fn cancel_task(origin: OriginFor<T>, task: TaskId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_cancel(&who, task)
		}

		/// Hands an assigned chunk back, within the first quarter of its deadline. Signed by the
		/// device. The collateral is free again and nothing is fined; the owner is not drawn for
		/// this chunk again. Free of fees.
		///
		/// - `reason`: why. `max_declines` of the rules for another reason than `Busy` end the chunk;
		///   any decline uses up one of its attempts. `BadInput` from three owners closes the task,
		///   unless somebody committed to a result of it, or more than one other is at work.
		///
		/// Emits [`Event::ChunkDeclined`], then [`Event::ChunkReopened`], or
		/// [`Event::ChunkRefunded`] where the chunk has ended; [`Event::FetchFeePaid`] and
		/// [`Event::TaskClosing`] where the task is closed.
		#[pallet::call_index(2)]
		#[pallet::weight((T::WeightInfo::decline(), DispatchClass::Operational))]
		pub fn decline(
			origin: OriginFor<T>,
			id: AttemptId,
			reason: DeclineReason,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_decline(&who, id, reason)
		}

		/// Takes steps that the agenda is late with, as many as weigh no more than `limit` (at most
		/// 64) of the heaviest: missed deadlines, payments after the challenge period, expired tasks,
		/// refunds of closing ones, removal of the state of ended ones. Anyone may call; the fee is
		/// for the steps taken.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::advance_agenda((*limit).min(MAX_STEPS)))]
		pub fn advance_agenda(origin: OriginFor<T>, limit: u32) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_advance(limit)
		}

		/// Changes the rules. Only root. What runs keeps its heights: after a period was shortened,
		/// what begins now waits behind what began before.
		///
		/// Emits [`Event::RulesChanged`].
		#[pallet::call_index(4)]
		pub fn set_rules(origin: OriginFor<T>, rules: Rules) -> DispatchResult {
			ensure_root(origin)?;
			ensure!(rules.are_sound(), Error::<T>::RulesUnsound);
			CurrentRules::<T>::put(rules);
			Self::deposit_event(Event::RulesChanged { rules });
			Ok(())
		}
	}
}
