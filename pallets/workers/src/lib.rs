//! # Workers
//!
//! Who does the work: owners with a held stake, their device keys, the seats that draws fall on,
//! the collateral that each duty binds, and the reputation that it adds to.
//!
//! An *owner* is a cold account. It stakes, says which classes of work it serves and from which
//! price on, names where pay goes, and registers *devices*: hot accounts that commit and reveal and
//! hold no money. A registered device has a reference of its own on its account, so that it exists
//! without a balance. All money that moves here is the owner's stake.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`types`] | owner, device, offer, duty, rules, and what follows from them alone |
//! | [`seats`] | seats from stake, and picking one by a number: pure |
//! | `registry` | registering, offers, payout, devices, leaving |
//! | `availability` | whether a device wants work: its signal, the owner's pause, suspension after misses |
//! | `period` | which seats are in force, and from when; changes of the rules |
//! | `draw` | drawing a seat that can do what is needed |
//! | `duties` | binding a seat to a duty, how far its device is, and the four ways a duty ends |
//! | `stake` | the only file that moves stake |
//! | `try_state` | the invariants |
//! | [`weights`] | weights: estimates, until benchmarks exist |
//!
//! ## Flow
//! ```text
//! register ─▶ add_device ─▶ set_accepting ─▶ (seats are fixed) ─▶ draw
//! draw ─▶ engage ─▶ commit ─▶ complete ─▶ release
//!            │         └───────────┴─────▶ slash
//!            └─ miss, hand_back
//!         stand_for ─────────────────────▶ release, slash
//! drain ─▶ (duties end, seats run out) ─▶ unbond ─▶ withdraw
//! ```
//!
//! ## Design
//! Seats follow from the *total* stake, not from the part that is free, so that who works is drawn
//! as often as who idles. They are fixed for a period: buying stake after the randomness of a draw
//! is known does not help.
//!
//! Reputation is a part of an owner's record, which the end of a duty writes anyway. Draws hand it to
//! whoever sets the terms, as it is at that height; nothing else here looks at it.
//!
//! ## Invariants
//! 1. The stake of an owner is what is on hold for it; the collateral bound to the duties of its
//!    devices is a part of it.
//! 2. `engaged = released + compensation + bounty + burned + bound now`, summed over all collateral
//!    ever.
//! 3. Each device belongs to one owner and is nobody's owner account; each owner knows its devices.
//! 4. The seats of the next period are what stakes and offers come to, less what a change of the
//!    stake of a seat rounded off; an unbonding owner has none, in force or coming.
//! 5. An owner has one reputation in a class, of the past, in which it passed no more audits than it
//!    delivered results.
//! 6. Whoever stands for an appeal has nothing to do for it.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod availability;
mod draw;
mod duties;
mod period;
mod registry;
pub mod seats;
mod stake;
mod try_state;
pub mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use seats::{SeatHolder, SeatHolders};
pub use types::{
	Availability, CollateralLedger, Device, Engagement, Offer, Offers, Progress, Reputations,
	Rules, Worker, WorkerState,
};
pub use weights::WeightInfo;

/// The pallet.
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{pallet_prelude::*, traits::fungible, weights::WeightMeter};
	use frame_system::pallet_prelude::*;
	use sp_core::ed25519;
	use tequio_primitives::{clock::WorkClock, Balance, Duty, WorkClass, WorkHeight};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Owners, devices, seats and collateral.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the pallet needs from the runtime. The 32 bytes of a device's account are its Ed25519
	/// public key.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId: AsRef<[u8; 32]>>
	{
		/// The token that is staked.
		type Currency: fungible::hold::Mutate<
			Self::AccountId,
			Balance = Balance,
			Reason: From<HoldReason>,
		>;
		/// The work clock.
		type Clock: WorkClock;
		/// Weights of the calls and of the hook.
		type WeightInfo: WeightInfo;
	}

	/// Why tokens are on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// They are the stake of an owner and answer for the work of its devices.
		#[codec(index = 0)]
		Stake,
	}

	/// Owners by account.
	#[pallet::storage]
	pub type Workers<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Worker<T::AccountId>>;

	/// Devices by account.
	#[pallet::storage]
	pub type Devices<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Device<T::AccountId>>;

	/// The seats in force, by class: those that draws fall on.
	#[pallet::storage]
	pub type Seats<T: Config> =
		StorageMap<_, Twox64Concat, WorkClass, SeatHolders<T::AccountId>, ValueQuery>;

	/// The seats that will be in force from the next fixing on, by class.
	#[pallet::storage]
	pub type NextSeats<T: Config> =
		StorageMap<_, Twox64Concat, WorkClass, SeatHolders<T::AccountId>, ValueQuery>;

	/// Height at which seats are fixed next.
	#[pallet::storage]
	pub type NextFixing<T: Config> = StorageValue<_, WorkHeight, ValueQuery>;

	/// Where all collateral ever bound went.
	#[pallet::storage]
	pub type Ledger<T: Config> = StorageValue<_, CollateralLedger, ValueQuery>;

	/// The rules in force.
	#[pallet::storage]
	pub type CurrentRules<T: Config> = StorageValue<_, Rules, ValueQuery>;

	/// The rules that the chain starts with.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Seats, delays and periods.
		pub rules: Rules,
		/// Ties the configuration to its runtime.
		#[serde(skip)]
		pub _runtime: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(
				self.rules.are_sound(),
				"the rules of workers are out of the bounds that their documentation names"
			);
			CurrentRules::<T>::put(self.rules);
		}
	}

	/// What happened. Amounts are in the token's smallest unit, heights on the work clock.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An owner has registered. Its seats count from the next fixing on.
		Registered {
			/// The owner.
			owner: T::AccountId,
			/// Its stake, now on hold.
			stake: Balance,
		},
		/// An owner has staked more.
		StakeAdded {
			/// The owner.
			owner: T::AccountId,
			/// How much more.
			amount: Balance,
			/// Its stake now.
			stake: Balance,
		},
		/// An owner has changed what it offers.
		OffersSet {
			/// The owner.
			owner: T::AccountId,
			/// All it offers now.
			offers: Offers,
		},
		/// Pay of an owner will go to another account.
		PayoutChanging {
			/// The owner.
			owner: T::AccountId,
			/// The new account.
			payout: T::AccountId,
			/// From when on.
			at: WorkHeight,
		},
		/// A device may work for an owner.
		DeviceAdded {
			/// The owner.
			owner: T::AccountId,
			/// The device.
			device: T::AccountId,
		},
		/// A device no longer works for an owner.
		DeviceRemoved {
			/// The owner.
			owner: T::AccountId,
			/// The device.
			device: T::AccountId,
		},
		/// A device wants work, or no longer does.
		AvailabilityChanged {
			/// The device.
			device: T::AccountId,
			/// What holds for it now.
			availability: Availability,
		},
		/// An owner gets no new duties.
		Draining {
			/// The owner.
			owner: T::AccountId,
		},
		/// An owner may withdraw its stake later.
		Unbonding {
			/// The owner.
			owner: T::AccountId,
			/// First height at which it may.
			until: WorkHeight,
		},
		/// An owner has left. Its stake is free, its devices are forgotten.
		Withdrawn {
			/// The owner.
			owner: T::AccountId,
			/// The stake.
			amount: Balance,
		},
		/// The seats of a class have been fixed for a period.
		SeatsFixed {
			/// The class.
			class: WorkClass,
			/// How many owners hold seats.
			owners: u32,
			/// How many seats they hold.
			seats: u64,
		},
		/// A device has let a deadline pass before it committed.
		Missed {
			/// The owner.
			owner: T::AccountId,
			/// The device.
			device: T::AccountId,
			/// What it owed.
			duty: Duty,
			/// What the owner lost for it; burned.
			fine: Balance,
		},
		/// An owner has lost the collateral of a duty.
		Slashed {
			/// The owner.
			owner: T::AccountId,
			/// The device.
			device: T::AccountId,
			/// The duty.
			duty: Duty,
			/// What it lost: the sum of the three below.
			amount: Balance,
			/// Paid to those who worked in vain, and for referees.
			compensation: Balance,
			/// Paid to those who proved the result wrong.
			bounty: Balance,
			/// Burned.
			burned: Balance,
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
		/// This account is registered as an owner already. Use `add_stake` and `set_offers` to
		/// change what it has.
		AlreadyRegistered,
		/// This account is not registered as an owner. Call `register` with the account that
		/// stakes.
		NotRegistered,
		/// The owner is leaving. Once it has withdrawn, it may register again.
		NotActive,
		/// A device cannot be an owner. Register with another account.
		OwnerIsDevice,
		/// An owner cannot be a device. Make a key for the device alone.
		DeviceIsOwner,
		/// There must be an offer. Name at least one class.
		NoOffers,
		/// A class is offered twice. Offer each class once.
		DuplicateClass,
		/// The rate of an offer is zero. Say how many units one device does in a block's time, at
		/// least one.
		ZeroRate,
		/// The stake does not make a seat in each class offered. Stake more, or offer fewer
		/// classes.
		StakeTooSmall,
		/// Nothing was added. Name an amount above zero.
		NoAmount,
		/// As many owners as a class can have hold seats in it. Offer another class, or wait until
		/// one leaves.
		ClassFull,
		/// The payout account does not exist. Send it the existential deposit first.
		PayoutNotFound,
		/// The payout account is a device, and devices hold no money. Name another account.
		PayoutIsDevice,
		/// The device has an owner already. That owner must remove it first.
		DeviceTaken,
		/// The owner has as many devices as it can have. Remove one first.
		TooManyDevices,
		/// The proof is not the device's signature for this owner on this chain. Sign
		/// `("tequio/device", genesis hash, owner)` in SCALE with the device's Ed25519 key.
		BadProof,
		/// No such device. A device signs its own signals; an owner names devices of its own.
		DeviceNotFound,
		/// The device is paused. Its owner has to call `resume_device`.
		DevicePaused,
		/// The device is not paused. There is nothing to resume.
		DeviceNotPaused,
		/// The device missed two deadlines in a row. Wait until its suspension is over, or let its
		/// owner pause and resume it.
		DeviceSuspended,
		/// The device has signalled a short while ago. Wait for some blocks.
		SignalTooSoon,
		/// This holds already. Nothing needs to be done.
		Unchanged,
		/// There are duties that have not ended. Wait until they have.
		DutiesOutstanding,
		/// The owner is not draining. Call `drain` first.
		NotDraining,
		/// The owner has seats in force. Wait until seats are fixed again.
		SeatsInForce,
		/// The owner is not unbonding. Call `unbond` first.
		NotUnbonding,
		/// The stake may not be withdrawn yet. Wait until the height that `Unbonding` named.
		StillUnbonding,
		/// The owner's free stake is below the collateral. Another seat has to be drawn.
		CollateralUnavailable,
		/// The device cannot take another duty. Another seat has to be drawn.
		DeviceFull,
		/// The device has this duty already. Another seat has to be drawn.
		AlreadyEngaged,
		/// The rules are out of the bounds that their documentation names. Nothing was changed.
		RulesUnsound,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_n: BlockNumberFor<T>, meter: &mut WeightMeter) {
			Self::poll(meter);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_n: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers the signer as an owner: puts `stake` on hold, offers classes of work, and
		/// names the account that is paid.
		///
		/// The stake must make one seat in each class. Seats count from the next fixing on, once a
		/// device accepts work.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register())]
		pub fn register(
			origin: OriginFor<T>,
			offers: Offers,
			stake: Balance,
			payout: T::AccountId,
		) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_register(owner, offers, stake, payout)
		}

		/// Puts `amount` more on hold as stake. Signed by the owner.
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::add_stake())]
		pub fn add_stake(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_add_stake(owner, amount)
		}

		/// Replaces what the owner offers. Asks and rates count at once, seats from the next fixing
		/// on. Signed by the owner.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::set_offers())]
		pub fn set_offers(origin: OriginFor<T>, offers: Offers) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_set_offers(owner, offers)
		}

		/// Names another account that is paid, after a delay; takes the place of a change that is
		/// still waiting, so that naming the present account undoes it. The account must exist.
		/// Signed by the owner.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::set_payout())]
		pub fn set_payout(origin: OriginFor<T>, payout: T::AccountId) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_set_payout(owner, payout)
		}

		/// Lets a device work for the owner. `proof` is the device's signature over
		/// `("tequio/device", genesis hash, owner)` in SCALE, so that nobody can take another's
		/// key. Signed by the owner.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::add_device())]
		pub fn add_device(
			origin: OriginFor<T>,
			device: T::AccountId,
			proof: ed25519::Signature,
		) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_add_device(owner, device, proof)
		}

		/// Forgets a device that has no duties. Signed by the owner.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::remove_device())]
		pub fn remove_device(origin: OriginFor<T>, device: T::AccountId) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_remove_device(owner, device)
		}

		/// Says whether the device wants work. Signed by the device, free of fees. Taken only where it
		/// would change something and the last signal is some blocks ago.
		#[pallet::call_index(6)]
		#[pallet::weight((T::WeightInfo::set_accepting(), DispatchClass::Operational))]
		pub fn set_accepting(origin: OriginFor<T>, accepting: bool) -> DispatchResult {
			let device = ensure_signed(origin)?;
			Self::do_set_accepting(device, accepting)
		}

		/// Keeps a device from new duties, whatever it signals; those it has go on. Signed by the
		/// owner.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::pause_device())]
		pub fn pause_device(origin: OriginFor<T>, device: T::AccountId) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_pause_device(owner, device)
		}

		/// Lets a paused device signal again that it wants work. Signed by the owner.
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::pause_device())]
		pub fn resume_device(origin: OriginFor<T>, device: T::AccountId) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_resume_device(owner, device)
		}

		/// Begins to leave: the owner gets no new duties, and no seats at the next fixing. Signed
		/// by the owner.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::drain())]
		pub fn drain(origin: OriginFor<T>) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_drain(owner)
		}

		/// Starts the delay after which the stake may be withdrawn. The owner must be draining,
		/// without duties and without seats in force. Signed by the owner.
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::unbond())]
		pub fn unbond(origin: OriginFor<T>) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_unbond(owner)
		}

		/// Frees the stake and forgets the owner and its devices. Signed by the owner, after the
		/// delay.
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::withdraw())]
		pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_withdraw(owner)
		}

		/// Changes the rules, for what begins from now on. Only root.
		///
		/// With the stake of a seat, the seats of the next period are converted, rounded down: what
		/// an owner has besides whole seats of the old kind counts again after its next
		/// `add_stake` or `set_offers`.
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::set_rules())]
		pub fn set_rules(origin: OriginFor<T>, rules: Rules) -> DispatchResult {
			ensure_root(origin)?;
			Self::do_set_rules(rules)
		}
	}
}
