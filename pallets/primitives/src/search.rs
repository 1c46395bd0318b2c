//! RandomX search: parameters, share arithmetic, claimed shares and openings.
//!
//! A task names a RandomX key, a blob with room for a 4-byte little-endian nonce, a range of nonces
//! and a 256-bit target. Its hash is read as a little-endian integer, as Monero does, and meets a
//! target when it is **not above** it.
//!
//! To pay for searching rather than for luck, the chain derives an easier *share target* per chunk,
//! so that a chunk of `n` nonces expects about λ shares: each share is worth `D = ⌈n / λ⌉` expected
//! hashes, the unit of pay. A worker claims the nonces of its shares. Shares are Poisson
//! distributed, therefore pay is capped at `λ + 4√λ` of them, and with fewer than `λ − 4√λ` the
//! shares are paid but the range is searched once more by somebody else.
//!
//! Auditors hash the claimed nonces and a drawn sub-range. A claimed nonce whose hash misses the
//! share target is a *false* share; a share in the sub-range that is not claimed is an *unclaimed*
//! one. Somebody who hides a single share is caught with the probability that the sub-range covers
//! it ([`SearchSpec::audited`]).
//!
//! Source of the algorithm: RandomX v1 (`rx/0`),
//! <https://github.com/tevador/RandomX/blob/master/doc/specs.md>.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::{H256, U256};
use sp_runtime::traits::IntegerSquareRoot;

/// Bytes that a blob template may have.
pub const MAX_TEMPLATE: u32 = 512;
/// Shares that one claim may name. A chunk expects 256 at most; more than this is a matter of
/// 10⁻¹³.
pub const MAX_CLAIM: u32 = 384;
/// Winners that one opening names: those with the smallest nonces.
pub const MAX_WINNERS: u32 = 8;
/// Faults that one audit names: those with the smallest nonces.
pub const MAX_FAULTS: u32 = 16;
/// Smallest λ, and the smallest number of nonces in a chunk.
pub const MIN_LAMBDA: u32 = 16;
/// Largest λ.
pub const MAX_LAMBDA: u32 = 256;
/// Auditors hash one of this many nonces of the range, in one piece, besides the claimed ones. So
/// few that both audits of a chunk of 2¹⁸ nonces cost less than a two-hundredth of the work: the
/// sub-range does not guard pay, since each paid share is checked, but what somebody could keep.
pub const AUDITED_PART: u32 = 512;
/// Bytes of the nonce in the blob.
pub const NONCE_BYTES: usize = 4;

/// A nonce of a search range, as the 32-bit integer that the blob holds in little-endian order.
pub type Nonce = u32;
/// The nonces of the shares that are claimed, ascending. See [`crate::claim::Claim`].
pub type Shares = BoundedVec<Nonce, ConstU32<MAX_CLAIM>>;

/// What is searched, for a whole task.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SearchSpec {
	/// The RandomX key (Monero: the seed hash).
	pub seed: [u8; 32],
	/// The blob that is hashed; the bytes of the nonce are overwritten.
	pub template: BoundedVec<u8, ConstU32<MAX_TEMPLATE>>,
	/// Where the nonce starts in the blob, in bytes (Monero: 39).
	pub nonce_offset: u16,
	/// First nonce of the range.
	pub start: Nonce,
	/// Nonces in the range.
	pub count: u32,
	/// The target, a 256-bit little-endian integer: a hash that is not above it wins.
	pub target: [u8; 32],
	/// Nonces in a chunk; the last chunk may have fewer.
	pub chunk_size: u32,
	/// Shares that a full chunk expects at most, from 16 to 256.
	pub lambda: u16,
}

/// Why a search cannot be a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchError {
	/// The range has no nonces.
	EmptyRange,
	/// The range goes on past the largest 32-bit nonce.
	RangeOverflows,
	/// The template has no room for a nonce at the offset.
	NonceOutsideTemplate,
	/// The target is zero: no hash meets it.
	ZeroTarget,
	/// λ is below 16 or above 256.
	LambdaOutOfBounds,
	/// A chunk, or the last chunk, has fewer than 16 nonces.
	ChunkTooSmall,
	/// The target is easier than a share: the task would be all winners.
	TargetTooEasy,
}

/// A piece of the range, and what its shares are.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ChunkRange {
	/// First nonce.
	pub start: Nonce,
	/// Nonces in it.
	pub count: u32,
	/// Expected hashes per share.
	pub share_difficulty: u32,
}

impl SearchSpec {
	/// Says whether this can be searched and paid by shares.
	pub fn validate(&self) -> Result<(), SearchError> {
		use SearchError::*;
		let last = self.count.checked_sub(1).ok_or(EmptyRange)?;
		self.start.checked_add(last).ok_or(RangeOverflows)?;
		if usize::from(self.nonce_offset) + NONCE_BYTES > self.template.len() {
			return Err(NonceOutsideTemplate);
		}
		if !(MIN_LAMBDA..=MAX_LAMBDA).contains(&u32::from(self.lambda)) {
			return Err(LambdaOutOfBounds);
		}
		if self.chunk_size < MIN_LAMBDA || self.range(self.chunks() - 1).count < MIN_LAMBDA {
			return Err(ChunkTooSmall);
		}
		let target = U256::from_little_endian(&self.target);
		if target.is_zero() {
			return Err(ZeroTarget);
		}
		if target > share_target(self.share_difficulty()) {
			return Err(TargetTooEasy);
		}
		Ok(())
	}

	/// Chunks in the task.
	pub fn chunks(&self) -> u32 {
		self.count.div_ceil(self.chunk_size.max(1)).max(1)
	}

	/// Expected hashes per share: `⌈chunk size / λ⌉`, so that a chunk expects no more than λ
	/// shares.
	pub fn share_difficulty(&self) -> u32 {
		self.chunk_size.div_ceil(u32::from(self.lambda).max(1)).max(1)
	}

	/// The nonces of a chunk. `index` is below [`Self::chunks`].
	pub fn range(&self, index: u32) -> ChunkRange {
		let done = self.chunk_size.saturating_mul(index);
		ChunkRange {
			start: self.start.saturating_add(done),
			count: self.count.saturating_sub(done).min(self.chunk_size),
			share_difficulty: self.share_difficulty(),
		}
	}

	/// The nonces that auditors of the range hash whether claimed or not: first one and number.
	/// `draw` is uniform.
	pub fn audited(range: &ChunkRange, draw: u64) -> (Nonce, u32) {
		let length = range.audited_count();
		let places = u64::from(range.count.saturating_sub(length)) + 1;
		let offset = u32::try_from(draw % places).unwrap_or(0);
		(range.start.saturating_add(offset), length)
	}
}

impl ChunkRange {
	/// Shares that the range is expected to hold, rounded up.
	pub fn expected_shares(&self) -> u32 {
		self.count.div_ceil(self.share_difficulty.max(1))
	}

	/// Shares that are paid at most: `λ + 4√λ`, and never more than there are nonces.
	pub fn max_paid_shares(&self) -> u32 {
		let expected = self.expected_shares();
		expected.saturating_add(spread(expected)).min(self.count)
	}

	/// Fewer claimed shares than this are *thin*: paid, and the range searched again. `λ − 4√λ`,
	/// from zero up.
	pub fn min_full_shares(&self) -> u32 {
		let expected = self.expected_shares();
		if self.share_difficulty <= 1 {
			// Every nonce is a share: anything less is not thin but wrong, and the audit finds it.
			return 0;
		}
		expected.saturating_sub(spread(expected))
	}

	/// Length of the drawn sub-range, in nonces.
	pub fn audited_count(&self) -> u32 {
		self.count.div_ceil(AUDITED_PART)
	}

	/// The share target: the largest 256-bit integer that one hash in `share_difficulty` is
	/// expected not to exceed.
	pub fn share_target(&self) -> [u8; 32] {
		share_target(self.share_difficulty).to_little_endian()
	}

	/// Whether a claim is well formed: ascending, without doubles, inside the range.
	pub fn contains_claim(&self, claim: &[Nonce]) -> bool {
		let ascending = claim.windows(2).all(|pair| pair[0] < pair[1]);
		let inside =
			|nonce: &Nonce| nonce.checked_sub(self.start).is_some_and(|place| place < self.count);
		ascending && claim.iter().all(inside)
	}
}

/// `⌊(2²⁵⁶ − 1) / difficulty⌋`.
fn share_target(difficulty: u32) -> U256 {
	U256::MAX / U256::from(difficulty.max(1))
}

/// `⌊√(16 λ)⌋ = 4√λ`, rounded down.
fn spread(expected: u32) -> u32 {
	expected.saturating_mul(16).integer_sqrt()
}

/// Whether a hash meets a target: both little-endian 256-bit integers, compared in full.
pub fn meets(hash: &[u8; 32], target: &[u8; 32]) -> bool {
	U256::from_little_endian(hash) <= U256::from_little_endian(target)
}

/// A nonce whose hash meets the task's own target.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Winner {
	/// The nonce.
	pub nonce: Nonce,
	/// Its RandomX hash.
	pub hash: [u8; 32],
}

/// Winners of a chunk, ascending by nonce, the first [`MAX_WINNERS`] of them.
pub type Winners = BoundedVec<Winner, ConstU32<MAX_WINNERS>>;

/// Something wrong in a claim.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Fault {
	/// This claimed nonce's hash misses the share target.
	#[codec(index = 0)]
	FalseShare(Nonce),
	/// This nonce of the drawn sub-range is a share and is not claimed.
	#[codec(index = 1)]
	UnclaimedShare(Nonce),
}

/// Faults of a claim: false shares by nonce, then unclaimed ones by nonce, the first [`MAX_FAULTS`]
/// of them.
pub type Faults = BoundedVec<Fault, ConstU32<MAX_FAULTS>>;

/// What is shown of a search at the reveal.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SearchOpening {
	/// `blake2_256` over the 32-byte hashes of the claimed nonces, in the order of the claim.
	pub shares: H256,
	/// The winners among the claimed nonces.
	pub winners: Winners,
	/// What an auditor found wrong; empty for the worker itself.
	pub faults: Faults,
}

/// The nonces of `claim` outside of which an auditor looks: the sub-range without what is claimed.
pub fn unclaimed(claim: &[Nonce], start: Nonce, count: u32) -> Vec<Nonce> {
	(0..count)
		.filter_map(|place| start.checked_add(place))
		.filter(|nonce| claim.binary_search(nonce).is_err())
		.collect()
}
