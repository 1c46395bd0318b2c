//! Claims: what a worker says openly when it commits, for auditors to look at.

use crate::{
	search::{Nonce, Shares},
	WorkClass,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// What is said openly with a commitment. Auditors and referees say [`Claim::Nothing`].
#[derive(
	Clone,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Claim {
	/// Nothing: of programs that everybody gets to the same bit.
	#[default]
	#[codec(index = 0)]
	Nothing,
	/// The nonces that a search has found to be shares; there may be none.
	#[codec(index = 1)]
	Shares(Shares),
	/// The seed of the projection of what was computed, of work in [`WorkClass::BandedF32`]. See
	/// [`crate::projection::seed_of`].
	#[codec(index = 2)]
	Seed(H256),
}

impl Claim {
	/// The nonces that are claimed; none where something else is.
	pub fn shares(&self) -> &[Nonce] {
		match self {
			Self::Shares(shares) => shares,
			Self::Nothing | Self::Seed(_) => &[],
		}
	}

	/// The seed that is claimed, where one is.
	pub fn seed(&self) -> Option<H256> {
		match self {
			Self::Seed(seed) => Some(*seed),
			Self::Nothing | Self::Shares(_) => None,
		}
	}

	/// Whether a worker in this class claims something of this kind.
	pub fn is_of(&self, class: WorkClass) -> bool {
		match class {
			WorkClass::RandomXSearch => matches!(self, Self::Shares(_)),
			WorkClass::BandedF32 => matches!(self, Self::Seed(_)),
			WorkClass::ExactF64 | WorkClass::ExactF32 | WorkClass::Integer => {
				*self == Self::Nothing
			},
		}
	}
}
