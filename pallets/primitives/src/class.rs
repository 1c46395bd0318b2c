//! Work classes: which kinds of work the chain knows.
//!
//! A class fixes what a result is, what a unit of pay counts, and how results are compared. Work
//! that computes with fractions has a class for each way of rounding, its *numerics profile*: who
//! rounds otherwise gets other results, so only workers of the same profile can check each other.
//! In one of them not even those get the same: their results are compared within a band.
//! A new class is one variant here, its parameter types in a file of their own, and an engine that
//! serves it.

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
	/// Run a program in 64-bit floats whose results are rounded to a grid of 2⁻²⁰: the same bits
	/// on every machine. The unit of pay is the program's own.
	#[codec(index = 1)]
	ExactF64,
	/// Run a program in 32-bit floats on x86-64 with AVX2, its order of operations pinned: the same
	/// bits on every such machine. The unit of pay is the program's own.
	#[codec(index = 2)]
	ExactF32,
	/// Run one step of plain descent in 32-bit floats, as fast as the machine can: results differ in
	/// their last bits, and are right within a band. The unit of pay is the program's own.
	#[codec(index = 3)]
	BandedF32,
	/// Run a program whose results are integers: counts, labels. The unit of pay is the program's
	/// own.
	#[codec(index = 4)]
	Integer,
}

impl WorkClass {
	/// Every class, in the order of its index.
	pub const ALL: [Self; 5] =
		[Self::RandomXSearch, Self::ExactF64, Self::ExactF32, Self::BandedF32, Self::Integer];

	/// The number by which worker processes know the class: its codec index.
	pub const fn id(self) -> u16 {
		match self {
			Self::RandomXSearch => 0,
			Self::ExactF64 => 1,
			Self::ExactF32 => 2,
			Self::BandedF32 => 3,
			Self::Integer => 4,
		}
	}
}
