//! What is stored.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::Perquintill;
use tequio_primitives::{Balance, TEQ};

/// The numbers of the protocol fee, which Root may change. The defaults are production numbers.
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
	/// Protocol fee on a payment, as a part of it, on top of it: a half at most.
	pub fee_rate: Perquintill,
	/// Least fee on a payment above zero, in the token's smallest unit. Devices send their results
	/// free of fees, so this is what pays for them when the work itself is worth next to nothing.
	pub min_fee: Balance,
	/// The treasury's part of a fee; the author of the block gets the rest.
	pub treasury_part: Perquintill,
}

impl Default for Rules {
	fn default() -> Self {
		Self {
			fee_rate: Perquintill::from_percent(5),
			min_fee: TEQ / 100,
			treasury_part: Perquintill::from_percent(50),
		}
	}
}

impl Rules {
	/// Whether a chain can run by these numbers.
	pub fn are_sound(&self) -> bool {
		self.fee_rate <= Perquintill::from_percent(50) && self.treasury_part <= Perquintill::one()
	}
}

/// What an owner did for one task, and what it was paid for it in the token's smallest unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Contribution {
	/// Payments for computed chunks.
	pub chunks: u32,
	/// Units paid in them.
	pub units: u64,
	/// Pay for them.
	pub paid: Balance,
	/// Payments for audits, and later for seats on panels.
	pub audits: u32,
	/// Pay for those.
	pub audit_paid: Balance,
}
