//! Work classes: which kinds of work the chain knows.
//!
//! A class fixes what a result is, what a unit of pay counts, and how a result is checked. A new
//! class is one variant here, its parameter types in a file of their own, and an engine that serves
//! it.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A kind of work that tasks ask for and workers offer.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	serde::Serialize,
	serde::Deserialize,
)]
pub enum WorkClass {
	/// Hash a range of nonces with RandomX v1 and name those under a target. The unit of pay is one
	/// expected hash.
	#[codec(index = 0)]
	RandomXSearch,
}

impl WorkClass {
	/// Every class, in the order of its index.
	pub const ALL: [Self; 1] = [Self::RandomXSearch];

	/// The number by which worker processes know the class: its codec index.
	pub const fn id(self) -> u16 {
		match self {
			Self::RandomXSearch => 0,
		}
	}
}
