//! # Rewards
//!
//! Where the protocol's part of a payment goes, what is kept for owners whose pay could not be
//! delivered or comes out of somebody's collateral, and who did what for which task.
//!
//! The pallet moves no money of a requester: it says how large a fee is and whom it belongs to, and
//! `tasks` pays. What cannot be delivered, because the payout account is gone and the amount is
//! below the existential deposit, `tasks` pays into the *pot* and accrues here; the owner, or
//! anybody for it, claims it once it can be delivered. The pot also keeps the pay of referees, which
//! `verification` has moved there out of the collateral of who was wrong.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`types`] | rules and contribution |
//! | [`math`] | the parts of a fee: pure |
//! | `payout` | accruing and claiming: the only file that moves the pot |
//! | `distribution` | what `tasks` and `verification` ask for |
//! | `try_state` | the invariants |
//! | [`weights`] | weights: estimates, until benchmarks exist |
//!
//! ## Design
//! Pot and treasury start with the existential deposit: the token refuses a smaller payment to an
//! account without one, and sub-deposit pay is just what the pot is for. Both also hold a reference
//! of their own, so that nothing can reap them.
//!
//! ## Invariants
//! 1. What the pot holds beyond the existential deposit covers all that is accrued.
//! 2. The total is the sum over the owners, and no owner is listed with nothing.
//! 3. The rules are within their bounds.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod distribution;
pub mod math;
mod payout;
mod try_state;
pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{Contribution, Rules};
pub use weights::WeightInfo;

/// The pallet.
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{Inspect, Mutate},
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::traits::AccountIdConversion;
	use tequio_primitives::{workers::InspectWorkers, Balance, TaskId};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Owns the treasury: the account that `pallet-treasury` uses by convention, so that it can
	/// take over.
	pub const TREASURY: PalletId = PalletId(*b"py/trsry");
	/// Owns the pot.
	pub const POT: PalletId = PalletId(*b"teq/rwrd");

	/// Fees, undelivered pay and contributions.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the pallet needs from the runtime.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The token that is paid in.
		type Currency: Mutate<Self::AccountId, Balance = Balance>;
		/// Says where pay for an owner goes.
		type Workers: InspectWorkers<Self::AccountId>;
		/// The author of this block, if it is known.
		type Author: Get<Option<Self::AccountId>>;
		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// What the pot keeps, by owner, in the token's smallest unit.
	#[pallet::storage]
	pub type Accrued<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Balance, ValueQuery>;

	/// All that the pot keeps for owners.
	#[pallet::storage]
	pub type TotalAccrued<T: Config> = StorageValue<_, Balance, ValueQuery>;

	/// What owners did, by task and owner. A task has as many entries as owners took part in it,
	/// until `tasks` takes them to fold them into the task's root.
	#[pallet::storage]
	pub type Contributions<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		TaskId,
		Blake2_128Concat,
		T::AccountId,
		Contribution,
		ValueQuery,
	>;

	/// The rules in force.
	#[pallet::storage]
	pub type CurrentRules<T: Config> = StorageValue<_, Rules, ValueQuery>;

	/// The rules that the chain starts with.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Fee and its split.
		pub rules: Rules,
		/// Ties the configuration to its runtime.
		#[serde(skip)]
		pub _runtime: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		/// Needs the genesis of the token before its own: it gives pot and treasury what they lack
		/// of a deposit.
		fn build(&self) {
			assert!(
				self.rules.are_sound(),
				"the rules of rewards are out of the bounds that their documentation names"
			);
			CurrentRules::<T>::put(self.rules);
			let deposit = T::Currency::minimum_balance();
			for account in [Pallet::<T>::treasury(), Pallet::<T>::pot_account()] {
				frame_system::Pallet::<T>::inc_providers(&account);
				let lacking = deposit.saturating_sub(T::Currency::balance(&account));
				let minted = T::Currency::mint_into(&account, lacking);
				assert!(minted.is_ok(), "genesis leaves no room for two existential deposits");
			}
		}
	}

	/// What happened. Amounts are in the token's smallest unit.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Pay that could not be delivered, or a referee's, is kept for its owner.
		PayKept {
			/// The owner.
			owner: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// Pay that was kept has been delivered.
		PayClaimed {
			/// The owner.
			owner: T::AccountId,
			/// The account that got it.
			payout: T::AccountId,
			/// How much.
			amount: Balance,
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
		/// Nothing is kept for this owner. There is nothing to claim.
		NothingAccrued,
		/// The rules are out of the bounds that their documentation names. Nothing was changed.
		RulesUnsound,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_n: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Sends all that is kept for `owner` to the account where its pay goes. Signed by anyone.
		///
		/// Fails with the token's `BelowMinimum` while that account does not exist and the amount
		/// is too small to create it: send it the existential deposit first.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::claim_accrued())]
		pub fn claim_accrued(origin: OriginFor<T>, owner: T::AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim_accrued(owner)
		}

		/// Changes the rules: the fee for tasks submitted from now on, its parts for all that is
		/// paid from now on. Only root.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::set_rules())]
		pub fn set_rules(origin: OriginFor<T>, rules: Rules) -> DispatchResult {
			ensure_root(origin)?;
			ensure!(rules.are_sound(), Error::<T>::RulesUnsound);
			CurrentRules::<T>::put(rules);
			Self::deposit_event(Event::RulesChanged { rules });
			Ok(())
		}
	}

	#[pallet::extra_constants]
	impl<T: Config> Pallet<T> {
		/// The account that gets the treasury's part of fees.
		pub fn treasury() -> T::AccountId {
			TREASURY.into_account_truncating()
		}

		/// The account that keeps pay which could not be delivered.
		pub fn pot_account() -> T::AccountId {
			POT.into_account_truncating()
		}
	}
}
