//! RandomX search: what its engine is given and gives back. The meaning of the fields is that of
//! `tequio_primitives::search`; these types repeat them without the chain's bounds, so that an
//! engine needs no FRAME.

use alloc::vec::Vec;
use codec::{Decode, Encode};

/// Number of the class on the chain.
pub const CLASS: u16 = 0;

/// What is hashed.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Puzzle {
	/// RandomX key.
	pub seed: [u8; 32],
	/// Blob with room for the nonce.
	pub template: Vec<u8>,
	/// Where the 4-byte little-endian nonce starts.
	pub nonce_offset: u16,
	/// A hash, as a little-endian integer, that is not above this is a share.
	pub share_target: [u8; 32],
	/// A hash that is not above this is a winner.
	pub target: [u8; 32],
}

/// Payload of the class.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum RandomXJob {
	/// Hash the whole range and name its shares. Result: [`SearchResult`].
	#[codec(index = 0)]
	Search {
		/// What is hashed.
		puzzle: Puzzle,
		/// First nonce.
		start: u32,
		/// Nonces.
		count: u32,
	},
	/// Hash the claimed nonces, then those of a sub-range that are not claimed. Result:
	/// [`AuditResult`].
	#[codec(index = 1)]
	Audit {
		/// What is hashed.
		puzzle: Puzzle,
		/// The claim, ascending.
		claim: Vec<u32>,
		/// First nonce of the sub-range.
		start: u32,
		/// Nonces in the sub-range.
		count: u32,
	},
}

/// A nonce whose hash meets the target.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Winner {
	/// The nonce.
	pub nonce: u32,
	/// Its hash.
	pub hash: [u8; 32],
}

/// Result of a search.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SearchResult {
	/// Nonces of the shares, ascending.
	pub claim: Vec<u32>,
	/// `blake2_256` over the 32-byte hashes of the claimed nonces, in the order of the claim.
	pub shares: [u8; 32],
	/// Winners among them, ascending: all of them.
	pub winners: Vec<Winner>,
}

/// Result of an audit.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AuditResult {
	/// `blake2_256` over the 32-byte hashes of the claimed nonces, in the order of the claim.
	pub shares: [u8; 32],
	/// Winners among the claimed nonces, ascending: all of them.
	pub winners: Vec<Winner>,
	/// Claimed nonces whose hash is above the share target, ascending: all of them.
	pub false_shares: Vec<u32>,
	/// Nonces of the sub-range that are shares and are not claimed, ascending: all of them.
	pub unclaimed_shares: Vec<u32>,
}
