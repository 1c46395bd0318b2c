//! Money: the token's holds, and the price of transactions.
//!
//! A second of computation costs one TEQ, and so do five million bytes; each is charged beside the
//! other. The price rises with the load and never falls below this. Fees go to the author of the
//! block; what cannot be paid out is burned.

use crate::{
	AccountId, Authorship, Balance, Balances, Runtime, RuntimeEvent, RuntimeFreezeReason,
	RuntimeHoldReason, System, TEQ,
};
use frame_support::{
	parameter_types,
	traits::{
		fungible::{Balanced, Credit},
		ConstU128, ConstU32, ConstU8, OnUnbalanced, VariantCountOf,
	},
	weights::{ConstantMultiplier, IdentityFee},
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{traits::One, FixedPointNumber, Perquintill};

/// What an account has to hold to exist: a thousandth of a TEQ.
pub const EXISTENTIAL_DEPOSIT: Balance = TEQ / 1_000;
/// Price of a byte of a transaction, in 10⁻¹² TEQ.
pub const BYTE_FEE: Balance = TEQ / 5_000_000;

parameter_types! {
	/// The load of a block's ordinary part at which the price stands still.
	pub const TargetLoad: Perquintill = Perquintill::from_percent(25);
	/// How fast the price follows the load.
	pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(75, 1_000_000);
	/// The price is never below its base.
	pub MinimumMultiplier: Multiplier = Multiplier::one();
	/// Nor above a thousand times its base.
	pub MaximumMultiplier: Multiplier = Multiplier::saturating_from_integer(1_000);
}

impl pallet_balances::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
	type Balance = Balance;
	type DustRemoval = ();
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
	type ReserveIdentifier = [u8; 8];
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ConstU32<0>;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type DoneSlashHandler = ();
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, ToAuthor>;
	/// 1 in 10⁻¹² TEQ a picosecond.
	type WeightToFee = IdentityFee<Balance>;
	type LengthToFee = ConstantMultiplier<Balance, ConstU128<BYTE_FEE>>;
	type FeeMultiplierUpdate = TargetedFeeAdjustment<
		Self,
		TargetLoad,
		AdjustmentVariable,
		MinimumMultiplier,
		MaximumMultiplier,
	>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

/// Gives fees and tips to the author of the block.
pub struct ToAuthor;

impl OnUnbalanced<Credit<AccountId, Balances>> for ToAuthor {
	fn on_nonzero_unbalanced(fee: Credit<AccountId, Balances>) {
		if let Some(author) = Authorship::author() {
			// A fee too small to open the author's account comes back, and is burned as it goes out
			// of scope.
			let _burned = Balances::resolve(&author, fee);
		}
	}
}
