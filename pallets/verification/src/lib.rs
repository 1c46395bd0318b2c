//! # Verification
//!
//! Checks results: commit, draw, reveal, verdict. It keeps the part of a chunk's life between the
//! worker's commit and the verdict (see `tequio_primitives::stage`), and the work clock and the
//! beacon that all deadlines and draws stand on.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`types`] | a check and its states, entries of calls, queues |
//! | `rules.rs` | the numbers by which results are checked |
//! | `clock.rs` | the work clock; the outputs of past blocks |
//! | `commitment.rs` | commits of workers and auditors |
//! | `draw.rs` | the decision on an audit, its auditors, redraws, a second auditor |
//! | `reveal.rs` | openings, and what follows from the last one |
//! | `opening.rs` | which openings are well formed: pure |
//! | [`verdict`] | what follows from the openings without a panel: pure |
//! | `settlement.rs` | the end of a check: who is released, paid, slashed |
//! | `panel.rs` | calling a panel, giving out its votes, commits and reveals, its finding |
//! | [`finding`] | how referees' openings become a finding, and who pays for it: pure |
//! | `appeal.rs` | appeals to a larger panel |
//! | `challenge.rs` | challenges of accepted results |
//! | `bad_input.rs` | input that auditors and referees cannot have |
//! | `dismissal.rs` | referees after the verdict: paid, unpaid or slashed |
//! | `agenda.rs` | queues, and what is done when it is due |
//! | `batch.rs` | calls whose entries stand for themselves |
//! | `free.rs` | which calls are free of fees, and taken at all |
//! | `policy.rs` | the terms on which work is assigned |
//! | [`offchain`] | the node's hook: hands duties to the worker process, commits and reveals |
//! | `try_state.rs` | every invariant |
//! | [`weights`] | estimates until benchmarks exist |
//!
//! ## Flow
//! 1. A device **commits** its claim and a hiding digest. The attempt is *drawing* for m blocks.
//! 2. The outputs of those m blocks decide on an audit. Without one, reveals open at once. With
//!    one, a sub-range and the auditors are drawn; places that stay empty are drawn for again.
//! 3. **Auditors commit.** Who is silent at the deadline is fined and replaced; who cannot have the
//!    input says so early, and is replaced. After the last redraw the attempt ends undecided. When
//!    all have committed, reveals open. Before that one more auditor may be drawn, by the output of
//!    the next block, which nobody but its author could know.
//! 4. Everybody **reveals**. The verdict is given at the last reveal, or without those who are
//!    missing when the period ends: a worker who is missing is rejected, an auditor slashed. What
//!    every auditor calls equal or near is accepted.
//! 5. If they do not, a **panel** of referees is called, who compute, commit and reveal like
//!    auditors. Its votes are drawn among all seats of the class; where it has room for all owners,
//!    each has a vote for each seat. A party whom two thirds of the votes that are heard call equal
//!    or near is right, one whom two thirds call wrong is wrong, and of others nothing is known. Who
//!    was not found right may **appeal** to a larger panel, with a bond. What the last panel found
//!    is final; one of which less than half is heard leaves in force what the one before it found.
//! 6. The **verdict** slashes who is wrong and ends all duties except an accepted worker's, and
//!    `tasks` pays, reopens or refunds. Where nothing is known of the worker, the requester is
//!    refunded and the worker is not slashed. Who is slashed pays for the referees, who are
//!    dismissed one after the other.
//! 7. Until it is paid, anybody may **challenge** an accepted result, once and with a bond.
//!
//! Deadlines are fixed by the event that starts them, and a decision on an audit by the outputs of
//! its window, however late it is made. An empty place is drawn for with the newest output, and only
//! by the agenda: whoever could choose the moment would know that output. Something done at or after
//! its deadline is refused even if the agenda is late.
//!
//! ## Invariants
//! They are the sentences of `try_state.rs`. The main ones: a check exists from the worker's commit
//! to its verdict, or to the payment of what was accepted; its parties have different owners, and
//! each owes its duty until that is ended, once; the end of its state is on the agenda.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod agenda;
mod appeal;
mod bad_input;
mod batch;
mod challenge;
mod clock;
mod commitment;
mod dismissal;
mod draw;
pub mod finding;
mod free;
pub mod offchain;
mod opening;
mod panel;
mod policy;
mod reveal;
mod rules;
mod settlement;
mod try_state;
pub mod types;
pub mod verdict;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use batch::REFEREE_LOOKUP;
pub use pallet::*;
pub use rules::{AuditRules, Rules};
pub use types::{LEVELS, MAX_BARRED, MAX_REFEREES, RING};
pub use weights::WeightInfo;

use frame_system::pallet_prelude::BlockNumberFor;
use tequio_primitives::{fifo::Fifo, AttemptId};

/// A check with the types of a runtime.
pub type CheckOf<T> = types::Check<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;
/// A panel with the types of a runtime.
pub type PanelOf<T> = types::Panel<<T as frame_system::Config>::AccountId>;
pub(crate) type Agenda<T> = Fifo<types::Queue, AttemptId, AgendaPages<T>, AgendaEnds<T>>;

#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use crate::{
		types::{Batch, CommitItem, Output, Queue, RevealItem, Seating, Standings},
		verdict::Outcome,
	};
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{hold::Mutate as HoldMutate, Inspect},
		weights::{Weight, WeightMeter},
	};
	use frame_system::{
		offchain::{AppCrypto, CreateSignedTransaction},
		pallet_prelude::*,
	};
	use sp_core::H256;
	use sp_runtime::DispatchError;
	use tequio_primitives::{
		device::DeviceId,
		fifo::{Ends, Page, MAX_STEPS},
		rewards::DistributeRewards,
		search::Nonce,
		tasks::CheckedTasks,
		workers::{DrawSeats, EngageSeats, InspectWorkers},
		Balance, ChunkId, Role, WorkHeight,
	};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Pallet of checks.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the pallet needs of a runtime.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<Hash = H256, AccountId: Into<[u8; 32]>>
		+ CreateSignedTransaction<Call<Self>>
	{
		/// The VRF output of the block before this one.
		type Randomness: Get<Option<[u8; 32]>>;

		/// Who has been assigned what, and what follows from a verdict.
		type Tasks: CheckedTasks<Self::AccountId>;

		/// Seats to draw auditors from, and the duties of those drawn.
		type Workers: DrawSeats<Self::AccountId>
			+ EngageSeats<Self::AccountId>
			+ InspectWorkers<Self::AccountId>;

		/// The token that challenges put at stake.
		type Currency: HoldMutate<Self::AccountId, Reason: From<HoldReason>>
			+ Inspect<Self::AccountId, Balance = Balance>;

		/// Where referees' pay waits until they are dismissed.
		type Rewards: DistributeRewards<Self::AccountId>;

		/// The agenda's share of a block.
		#[pallet::constant]
		type AgendaBudget: Get<Weight>;

		/// Signs with the device keys of this node; `offchain::DeviceCrypto` in a runtime with
		/// `MultiSigner`.
		type DeviceCrypto: AppCrypto<Self::Public, Self::Signature, RuntimeAppPublic = DeviceId>;

		/// Milliseconds between two blocks, by which a device's node tells whether work can be done
		/// by its deadline.
		#[pallet::constant]
		type BlockMilliseconds: Get<u64>;

		/// Calls of other pallets that a device makes: to decline, and to say that it accepts work.
		type Outbound: offchain::OutboundCalls<Self::AccountId, offchain::OutboundCall<Self>>;

		/// Weights.
		type WeightInfo: WeightInfo;
	}

	/// The work clock: blocks that were polled.
	#[pallet::storage]
	pub type Now<T: Config> = StorageValue<_, WorkHeight, ValueQuery>;

	/// VRF outputs of the last 64 heights, oldest first. A height whose block carried none has no
	/// entry.
	#[pallet::storage]
	pub type Outputs<T: Config> = StorageValue<_, BoundedVec<Output, ConstU32<RING>>, ValueQuery>;

	/// The rules in force.
	#[pallet::storage]
	pub type CurrentRules<T: Config> = StorageValue<_, Rules, ValueQuery>;

	/// Attempts being checked, and those accepted that may still be challenged. A chunk has one
	/// attempt at a time.
	#[pallet::storage]
	pub type Checks<T: Config> = StorageMap<_, Twox64Concat, ChunkId, CheckOf<T>>;

	/// Panels by attempt and level, until their last referee is dismissed.
	#[pallet::storage]
	pub type Panels<T: Config> =
		StorageDoubleMap<_, Twox64Concat, AttemptId, Twox64Concat, u8, PanelOf<T>>;

	/// Entries of the agenda's queues, in pages of 64.
	#[pallet::storage]
	pub type AgendaPages<T: Config> =
		StorageDoubleMap<_, Twox64Concat, Queue, Twox64Concat, u64, Page<AttemptId>, ValueQuery>;

	/// Where the agenda's queues begin and end.
	#[pallet::storage]
	pub type AgendaEnds<T: Config> = StorageValue<_, Ends<Queue>, ValueQuery>;

	/// Why money is on hold here.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Bond of a challenge that is being judged.
		Challenge,
	}

	/// Rules at the start of the chain.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// The rules. The default ones are those of production.
		pub rules: Rules,
		/// Holds the type parameter.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(
				self.rules.are_sound(),
				"the rules of verification are out of the bounds that their documentation names"
			);
			CurrentRules::<T>::put(self.rules);
		}
	}

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A device has committed.
		Committed {
			/// The attempt.
			id: AttemptId,
			/// As what.
			role: Role,
			/// The device.
			device: T::AccountId,
		},
		/// The attempt is audited.
		AuditDrawn {
			/// The attempt.
			id: AttemptId,
			/// In a search, the nonces that auditors hash besides the claimed ones: the first one
			/// and their number.
			sub_range: Option<(Nonce, u32)>,
		},
		/// The attempt is not audited.
		AuditSpared {
			/// The attempt.
			id: AttemptId,
		},
		/// An auditor was drawn.
		AuditorDrawn {
			/// The attempt.
			id: AttemptId,
			/// The auditor.
			owner: T::AccountId,
			/// Its device that has to commit.
			device: T::AccountId,
		},
		/// An auditor has not committed in time and was fined.
		AuditorMissed {
			/// The attempt.
			id: AttemptId,
			/// The auditor.
			owner: T::AccountId,
			/// The fine, burned, in the token's smallest unit.
			fine: Balance,
		},
		/// Everybody has committed; openings are due.
		RevealsOpened {
			/// The attempt.
			id: AttemptId,
		},
		/// A device has revealed.
		Revealed {
			/// The attempt.
			id: AttemptId,
			/// As what.
			role: Role,
			/// The device.
			device: T::AccountId,
		},
		/// An attempt was judged.
		Judged {
			/// The attempt.
			id: AttemptId,
			/// The judgement.
			outcome: Outcome,
		},
		/// One more auditor looks at the attempt.
		SecondAuditDrawn {
			/// The attempt.
			id: AttemptId,
		},
		/// A panel judges the attempt.
		PanelCalled {
			/// The attempt.
			id: AttemptId,
			/// The panel's level.
			level: u8,
			/// How it comes by its votes.
			seating: Seating,
			/// Its votes.
			votes: u64,
		},
		/// A referee was drawn, or drawn again.
		RefereeDrawn {
			/// The attempt.
			id: AttemptId,
			/// The panel's level.
			level: u8,
			/// The referee.
			owner: T::AccountId,
			/// Its device that has to commit.
			device: T::AccountId,
			/// Votes that it has now.
			votes: u64,
		},
		/// A referee has not committed in time and was fined.
		RefereeMissed {
			/// The attempt.
			id: AttemptId,
			/// The panel's level.
			level: u8,
			/// The referee.
			owner: T::AccountId,
			/// The fine, burned, in the token's smallest unit.
			fine: Balance,
		},
		/// Every referee has committed or was too late; their openings are due.
		PanelRevealsOpened {
			/// The attempt.
			id: AttemptId,
			/// The panel's level.
			level: u8,
		},
		/// A panel has found.
		PanelFound {
			/// The attempt.
			id: AttemptId,
			/// The panel's level.
			level: u8,
			/// What it found: about the worker, then about each auditor.
			standings: Standings,
		},
		/// A party has appealed to a larger panel.
		Appealed {
			/// The attempt.
			id: AttemptId,
			/// The level of the panel that is doubted.
			level: u8,
			/// The party.
			owner: T::AccountId,
			/// What it put at stake, out of its stake.
			bond: Balance,
		},
		/// The bond of an appeal is free again: the party was not found wrong.
		BondFreed {
			/// The attempt.
			id: AttemptId,
			/// The level of the panel that was doubted.
			level: u8,
			/// The party.
			owner: T::AccountId,
		},
		/// An accepted result was challenged.
		Challenged {
			/// The attempt.
			id: AttemptId,
			/// Who doubts it.
			challenger: T::AccountId,
			/// What the challenger put at stake.
			bond: Balance,
		},
		/// A challenge was judged.
		ChallengeJudged {
			/// The attempt.
			id: AttemptId,
			/// Who had doubted it.
			challenger: T::AccountId,
			/// What the challenger got back of the bond.
			returned: Balance,
		},
		/// A referee's part has ended.
		RefereeDismissed {
			/// The attempt.
			id: AttemptId,
			/// The panel's level.
			level: u8,
			/// The referee.
			owner: T::AccountId,
			/// Its pay, kept for it in the pot of `rewards`, from where `claim_accrued` delivers it.
			pay: Balance,
		},
		/// An auditor or a referee cannot have the input, and hands its part back.
		BadInputReported {
			/// The attempt.
			id: AttemptId,
			/// The part.
			role: Role,
			/// Who had it.
			owner: T::AccountId,
		},
		/// The rules were changed.
		RulesChanged {
			/// The rules now in force.
			rules: Rules,
		},
		/// An entry of a call was refused; others of the same call were taken.
		ItemRefused {
			/// The attempt that the entry names.
			id: AttemptId,
			/// The role that it names.
			role: Role,
			/// Why it was refused.
			error: DispatchError,
		},
	}

	/// Why a call, or an entry of one, changed nothing.
	#[pallet::error]
	pub enum Error<T> {
		/// The call has no entries. Name at least one attempt.
		NothingToDo,
		/// The signing account does not have this role in this attempt now. Sign with the device
		/// that was drawn, and name the attempt and role of its duty.
		NotAssigned,
		/// The claim is not of the kind of the class, has a nonce twice, out of order or outside the
		/// chunk, or is an auditor's or a referee's, who claim nothing.
		MalformedClaim,
		/// This device has committed to this attempt already, and a commitment cannot be replaced.
		/// Wait for the reveals.
		AlreadyCommitted,
		/// The deadline has passed: that for a commit or a reveal, or, to report bad input, the first
		/// quarter of it. The attempt goes on without this device.
		TooLate,
		/// Reveals are not open: somebody has still to commit, or the draw is still to come. Wait
		/// for `RevealsOpened`.
		NotRevealing,
		/// This device has revealed already. Nothing is left to do.
		AlreadyRevealed,
		/// The opening and the salt do not hash to what this device committed for this duty on this
		/// chain. Reveal what was committed.
		OpeningMismatch,
		/// The opening cannot be right whatever was computed: it is of another class, names faults or
		/// winners where none can be, shows what is not its output, calls near what nobody has
		/// revealed, has entries that are not ascending, has no projection or a malformed one where
		/// the class needs one, one where it does not, or is not what its output and claim say.
		MalformedOpening,
		/// The limit is zero or above 64: ask for 1 to 64 steps.
		LimitOutOfBounds,
		/// The agenda is on time: nothing is left for a call to do.
		NothingLate,
		/// There is no finding of a panel that may be appealed against now.
		NothingToAppeal,
		/// The signing account is no party that was found wrong or unclear. Only those may appeal,
		/// by their device or by its owner.
		NotALoser,
		/// The owner has less free stake than an appeal puts at stake. Add stake, or wait until
		/// other duties end.
		BondUnavailable,
		/// This attempt is not one that may be challenged: it is not accepted, was paid already, was
		/// challenged before, or has too few owners who could judge it. Where a panel has judged it
		/// already, wait until all of its referees are dismissed.
		NotChallengeable,
		/// The account has less free money than a challenge puts at stake.
		InsufficientFunds,
		/// All that a search needs is on the chain, so its input cannot be missing. Compute it.
		NoInput,
		/// The rules are out of the bounds that their documentation names. Nothing was changed.
		RulesUnsound,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_block: BlockNumberFor<T>, meter: &mut WeightMeter) {
			// Time goes on in every polled block, even in one with no weight left to do anything.
			Self::tick();
			if meter.try_consume(T::WeightInfo::tick()).is_ok() {
				Self::run_agenda(meter);
			}
		}

		fn offchain_worker(block: BlockNumberFor<T>) {
			offchain::run::<T>(block)
		}

		fn integrity_test() {
			Self::ensure_budgets_suffice();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_block: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Commits results. The origin is a device; each entry is one attempt that it computes or
		/// audits. Entries that cannot be taken are named in `ItemRefused`; the call fails only if
		/// none can be taken. Free of fees, and taken as a transaction only where at least half of
		/// the entries are owed.
		#[pallet::call_index(0)]
		#[pallet::weight((batch::commit_weight::<T>(items), DispatchClass::Operational))]
		pub fn commit(origin: OriginFor<T>, items: Batch<CommitItem>) -> DispatchResult {
			let device = ensure_signed(origin)?;
			Self::do_commit(device, items)
		}

		/// Reveals what was committed, once everybody in the attempt has committed. The origin is a
		/// device. Entries are treated as in `commit`.
		#[pallet::call_index(1)]
		#[pallet::weight((batch::reveal_weight::<T>(items), DispatchClass::Operational))]
		pub fn reveal(
			origin: OriginFor<T>,
			items: Batch<RevealItem>,
		) -> DispatchResultWithPostInfo {
			let device = ensure_signed(origin)?;
			Self::do_reveal(device, items)
		}

		/// Does up to `limit` (at most 64) steps that are due and that blocks had no room for.
		/// Anybody may call it.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::advance_agenda((*limit).min(MAX_STEPS)))]
		pub fn advance_agenda(origin: OriginFor<T>, limit: u32) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_advance_agenda(limit)
		}

		/// Appeals against what a panel found, to a larger one. Signed by the device of the worker
		/// or auditor that was found wrong or unclear, or by its owner. Puts free stake of the owner
		/// at stake, which is lost if the party is found wrong in the end. One appeal is taken
		/// for each panel. Free of fees.
		#[pallet::call_index(3)]
		#[pallet::weight((T::WeightInfo::appeal(), DispatchClass::Operational))]
		pub fn appeal(origin: OriginFor<T>, id: AttemptId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_appeal(who, id)
		}

		/// Has an accepted result judged by a panel before it is paid. Signed by anyone. Puts a bond
		/// on hold that returns, with a bounty out of the worker's collateral, if the result is
		/// found wrong, and pays for the panel if it is found right. A result is challenged once.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::challenge())]
		pub fn challenge(origin: OriginFor<T>, id: AttemptId) -> DispatchResult {
			let challenger = ensure_signed(origin)?;
			Self::do_challenge(challenger, id)
		}

		/// Changes the rules, for work assigned and steps begun from now on. Only root.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::set_rules())]
		pub fn set_rules(origin: OriginFor<T>, rules: Rules) -> DispatchResult {
			ensure_root(origin)?;
			Self::do_set_rules(rules)
		}

		/// Hands an audit of a program, or a place on a panel about one, back, because its input cannot
		/// be had or is not what the task says. Signed by the device that was drawn, within the first
		/// quarter of its time. It is not fined, and gets no work until it signals again. Somebody else
		/// is drawn to audit; a referee's votes are lost. Free of fees.
		#[pallet::call_index(6)]
		#[pallet::weight((T::WeightInfo::report_bad_input(), DispatchClass::Operational))]
		pub fn report_bad_input(origin: OriginFor<T>, id: AttemptId, role: Role) -> DispatchResult {
			let device = ensure_signed(origin)?;
			Self::do_report_bad_input(&device, id, role)
		}
	}
}
