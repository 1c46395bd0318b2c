//! # The Tequio runtime
//!
//! Puts the pallets together. It holds no logic of its own except what lies between two pallets:
//! how they are wired, who signs what, and which transactions are free.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | this one | types, list of pallets, version |
//! | [`configs`] | one file per concern: system, consensus, money, work, utility |
//! | [`extensions`] | what is checked of every transaction; calls that devices owe the chain are free |
//! | [`signing`] | how transactions are put together, by the off-chain worker and by clients |
//! | [`genesis_config_presets`] | the states that a chain may start from |
//! | [`invariants`] | every invariant of our pallets, and those between two of them |
//! | [`apis`] | what a node and its clients ask of the runtime |
//!
//! ## Order of the pallets
//! Hooks and genesis run in the order of the indices. `Verification` winds the work clock and moves
//! the beacon on, so it is polled before `Tasks`, whose draws read both; `Training` is told by
//! `Tasks` what has ended, so it comes after it and goes on in the same block. `Session` and
//! `Rewards` start with accounts that `Balances` has made. The indices are part of every encoded
//! call and never change; a pallet that goes leaves its index unused.
//!
//! ## Units
//! Amounts are in 10⁻¹² TEQ, time in milliseconds, blocks come every [`SLOT_MILLISECONDS`].

#![cfg_attr(not(feature = "std"), no_std)]
// The macros that list pallets and APIs write items without docs.
#![allow(missing_docs)]
// `impl_runtime_apis!` and the outer enums nest deeply.
#![recursion_limit = "256"]

extern crate alloc;

pub mod apis;
pub mod configs;
pub mod extensions;
pub mod genesis_config_presets;
pub mod invariants;
pub mod signing;

#[cfg(feature = "std")]
mod wasm {
	// The file is generated.
	#![allow(missing_docs)]
	include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
}
#[cfg(feature = "std")]
pub use wasm::{WASM_BINARY, WASM_BINARY_BLOATY, WASM_BINARY_PATH};

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
	generic,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

#[cfg(feature = "std")]
pub use apis::RuntimeApi;
pub use apis::RUNTIME_API_VERSIONS;
pub use configs::consensus::{EPOCH_SLOTS, SLOT_MILLISECONDS};
pub use extensions::TxExtension;
pub use invariants::check_invariants;
pub use tequio_primitives::{Balance, TEQ};

/// A signature of any of the kinds that accounts sign with.
pub type Signature = MultiSignature;
/// A public key of any of these kinds.
pub type Signer = <Signature as Verify>::Signer;
/// An account: 32 bytes.
pub type AccountId = <Signer as IdentifyAccount>::AccountId;
/// How transactions name an account.
pub type Address = MultiAddress<AccountId, ()>;
/// Number of transactions that an account has signed.
pub type Nonce = u32;
/// Height of a block.
pub type BlockNumber = u32;
/// Hash of a block, a transaction, a piece of state.
pub type Hash = sp_core::H256;
/// Header of a block.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A transaction or an inherent, as it stands in a block.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a transaction's signature covers.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// Executes blocks.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

/// Types for what handles blocks without understanding their transactions, and the keys of a
/// validator's session.
pub mod opaque {
	use super::{generic, BlakeTwo256, BlockNumber};
	use alloc::vec::Vec;
	use sp_runtime::{impl_opaque_keys, traits::Hash as HashT};

	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// Header of a block.
	pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
	/// A block whose transactions are bytes.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
	/// Hash of a block.
	pub type Hash = <BlakeTwo256 as HashT>::Output;

	impl_opaque_keys! {
		/// What a validator signs with in a session.
		pub struct SessionKeys {
			/// Makes blocks.
			pub babe: super::Babe,
			/// Votes for their finality.
			pub grandpa: super::Grandpa,
		}
	}
}

/// The version of this runtime.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("tequio"),
	impl_name: Cow::Borrowed("tequio"),
	authoring_version: 1,
	spec_version: 1,
	impl_version: 1,
	apis: RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;

	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;

	#[runtime::pallet_index(2)]
	pub type Babe = pallet_babe;

	#[runtime::pallet_index(3)]
	pub type Balances = pallet_balances;

	#[runtime::pallet_index(4)]
	pub type TransactionPayment = pallet_transaction_payment;

	#[runtime::pallet_index(5)]
	pub type Authorship = pallet_authorship;

	#[runtime::pallet_index(6)]
	pub type Session = pallet_session;

	#[runtime::pallet_index(7)]
	pub type Grandpa = pallet_grandpa;

	#[runtime::pallet_index(8)]
	pub type Utility = pallet_utility;

	#[runtime::pallet_index(20)]
	pub type Workers = pallet_workers;

	#[runtime::pallet_index(21)]
	pub type Verification = pallet_verification;

	#[runtime::pallet_index(22)]
	pub type Tasks = pallet_tasks;

	#[runtime::pallet_index(23)]
	pub type Rewards = pallet_rewards;

	#[runtime::pallet_index(24)]
	pub type Training = pallet_training;
}
