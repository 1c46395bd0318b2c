//! Openings: what is shown at the reveal, by class, and how two of them compare.

use crate::{
	recompute::{OutputOpening, RecomputeSpec},
	search::{ChunkRange, SearchOpening, SearchSpec},
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;

/// What a chunk asks for, as far as checking it needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkWork {
	/// A piece of a search.
	Search(SearchSpec, ChunkRange),
	/// A chunk of a program.
	Recompute(RecomputeSpec),
}

/// What is shown at the reveal. Its [`Opening::digest`] is what the commitment hid.
// A projection is large, and there are a few openings at a time: a box for it would save nothing.
#[allow(clippy::large_enum_variant)]
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Opening {
	/// Of a search or of an audit of it.
	#[codec(index = 0)]
	Search(SearchOpening),
	/// Of a program.
	#[codec(index = 1)]
	Output(OutputOpening),
}

/// How one opening stands to another.
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
)]
pub enum Comparison {
	/// The same.
	#[codec(index = 0)]
	Equal,
	/// Within the tolerance of the class: right enough to be paid, and nobody is slashed for it.
	#[codec(index = 1)]
	Near,
	/// Anything else.
	#[codec(index = 2)]
	Wrong,
}

impl Opening {
	/// The digest that is committed to: `blake2_256` of the opening in SCALE.
	pub fn digest(&self) -> H256 {
		sp_io::hashing::blake2_256(&self.encode()).into()
	}

	/// What it says that computing yields: referees agree where this is the same.
	pub fn answer(&self) -> H256 {
		match self {
			Self::Search(_) => self.digest(),
			Self::Output(own) => own.output.hash,
		}
	}

	/// What `self` says of another opening of the same attempt. Outputs are equal where their hashes
	/// are and what is shown of them is; of others [`OutputOpening::is_near`] tells which are near.
	pub fn judges(&self, other: &Self) -> Comparison {
		match (self, other) {
			(Self::Search(own), Self::Search(other)) if own == other => Comparison::Equal,
			(Self::Output(own), Self::Output(other)) if own.output == other.output => {
				Comparison::Equal
			},
			(Self::Output(own), Self::Output(other)) if own.is_near(other) => Comparison::Near,
			_ => Comparison::Wrong,
		}
	}
}
