//! System: what a block may hold, and the types that everything is built of.
//!
//! A block has one second of computation in a slot of three, so that the slowest machine we take
//! for a validator keeps its pace, and a finite proof size, so that the pallets could move under a
//! relay chain.

use crate::{
	AccountId, Block, Nonce, PalletInfo, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
	RuntimeTask, VERSION,
};
use frame_support::{
	derive_impl,
	dispatch::DispatchClass,
	parameter_types,
	weights::{
		constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND},
		Weight,
	},
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::Perbill;
use sp_version::RuntimeVersion;

/// The part of a block that ordinary transactions may fill, of its weight and of its bytes. The
/// rest is for hooks and operational calls.
///
/// Operational are the calls by which devices deliver results: commits, reveals, declines and
/// signals. A quarter of a block is theirs even if ordinary transactions and hooks have filled it
/// (`CheckWeight` lets them go beyond the whole by that much), so no load of others makes a device
/// miss a deadline. That holds only because the same calls cannot be had for money:
/// [`crate::extensions`] takes a signed operational call only where its signer owes it. Full batches
/// fit the quarter: the integrity test of `pallet-verification` says so.
pub const NORMAL_RATIO: Perbill = Perbill::from_percent(75);
/// Bytes that a block may have.
const BLOCK_BYTES: u32 = 5 * 1024 * 1024;
/// Computation of one block, and bytes of state that its proof may have.
pub const BLOCK_WEIGHT: Weight = Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND, 10 * 1024 * 1024);

parameter_types! {
	/// Blocks whose hash stays readable: two hours, the longest life of a mortal transaction.
	pub const BlockHashCount: u32 = 2_400;
	/// The runtime's version.
	pub const Version: RuntimeVersion = VERSION;
	/// Prefix of addresses: that of any Substrate chain.
	pub const SS58Prefix: u16 = 42;
	/// See [`BLOCK_WEIGHT`] and [`NORMAL_RATIO`].
	pub Weights: BlockWeights = BlockWeights::with_sensible_defaults(BLOCK_WEIGHT, NORMAL_RATIO);
	/// See [`NORMAL_RATIO`].
	pub Length: BlockLength = BlockLength::builder()
		.max_length(BLOCK_BYTES)
		.modify_max_length_for_class(DispatchClass::Normal, |bytes| *bytes = NORMAL_RATIO * *bytes)
		.build();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type Block = Block;
	type BlockWeights = Weights;
	type BlockLength = Length;
	type BlockHashCount = BlockHashCount;
	type DbWeight = ParityDbWeight;
	type Version = Version;
	type SS58Prefix = SS58Prefix;
	type AccountId = AccountId;
	type Nonce = Nonce;
	type AccountData = pallet_balances::AccountData<crate::Balance>;
	type MaxConsumers = frame_support::traits::ConstU32<16>;
	type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
	type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
	type SingleBlockMigrations = ();
}
