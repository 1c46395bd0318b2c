//! Consensus: slots, epochs, sessions, finality, and who made a block.
//!
//! Every slot has a block with a VRF output, by the primary lottery or by the secondary turn; the
//! draws of the work rest on those outputs. The set of validators is that of genesis. Reports of
//! equivocation are switched off: without a stake there is nothing to slash.

use crate::{opaque::SessionKeys, AccountId, Babe, Balances, Runtime, RuntimeEvent, Session, TEQ};
use frame_support::{
	parameter_types,
	traits::{ConstU32, ConstU64},
};
use sp_core::Void;
use sp_runtime::traits::{ConvertInto, OpaqueKeys};

/// Length of a slot, and the time between two blocks.
pub const SLOT_MILLISECONDS: u64 = 3_000;
/// Slots in an epoch, which is a session: ten minutes.
pub const EPOCH_SLOTS: u64 = 200;
/// Validators at most.
type MaxAuthorities = ConstU32<1_000>;

parameter_types! {
	/// What registering session keys holds of an account.
	pub const KeyDeposit: crate::Balance = TEQ;
}

impl pallet_timestamp::Config for Runtime {
	type Moment = u64;
	type OnTimestampSet = Babe;
	/// BABE takes a slot to be twice this.
	type MinimumPeriod = ConstU64<{ SLOT_MILLISECONDS / 2 }>;
	type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_babe::Config for Runtime {
	type EpochDuration = ConstU64<EPOCH_SLOTS>;
	type ExpectedBlockTime = ConstU64<SLOT_MILLISECONDS>;
	type EpochChangeTrigger = pallet_babe::ExternalTrigger;
	type DisabledValidators = Session;
	type WeightInfo = ();
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type KeyOwnerProof = Void;
	type EquivocationReportSystem = ();
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<0>;
	type KeyOwnerProof = Void;
	type EquivocationReportSystem = ();
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
	type EventHandler = ();
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	/// A validator goes by its account.
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Babe;
	type NextSessionRotation = Babe;
	type SessionManager = ();
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	type DisablingStrategy = ();
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = KeyDeposit;
}
