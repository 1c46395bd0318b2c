//! A cheap hash in RandomX's place, and tasks over it. The chain cannot tell: it compares hashes
//! and never computes one.

use codec::Encode;
use frame_support::BoundedVec;
use pallet_tasks::TaskSpec;
use sp_core::U256;
use sp_io::hashing::blake2_256;
use tequio_primitives::search::{
	meets, unclaimed, ChunkRange, Fault, Nonce, SearchOpening, SearchSpec, Shares, Winner,
};

/// The hash of a nonce.
pub fn hash(seed: &[u8; 32], nonce: Nonce) -> [u8; 32] {
	blake2_256(&(seed, nonce).encode())
}

/// A search of `count` nonces from 0 in chunks of `chunk_size`, each expecting `lambda` shares,
/// whose target only the best nonce of all meets.
pub fn task(seed: u8, count: u32, chunk_size: u32, lambda: u16) -> TaskSpec {
	let best = (0..count).map(|nonce| hash(&[seed; 32], nonce)).min_by_key(integer);
	task_for(best.unwrap_or_default(), seed, count, chunk_size, lambda)
}

/// The same with a target that no hash is known to meet, so that none has to be computed.
pub fn barren_task(seed: u8, count: u32, chunk_size: u32, lambda: u16) -> TaskSpec {
	task_for(U256::one().to_little_endian(), seed, count, chunk_size, lambda)
}

fn task_for(target: [u8; 32], seed: u8, count: u32, chunk_size: u32, lambda: u16) -> TaskSpec {
	TaskSpec::RandomXSearch(SearchSpec {
		seed: [seed; 32],
		template: BoundedVec::truncate_from(vec![0; 76]),
		nonce_offset: 39,
		start: 0,
		count,
		target,
		chunk_size,
		lambda,
	})
}

/// The nonces of the range that are shares.
pub fn shares(spec: &SearchSpec, range: &ChunkRange) -> Shares {
	let nonces = (0..range.count).map(|place| range.start + place);
	Shares::truncate_from(nonces.filter(|nonce| is_share(spec, range, *nonce)).collect())
}

/// Every nonce of the range, share or not.
pub fn everything(range: &ChunkRange) -> Shares {
	Shares::truncate_from((0..range.count).map(|place| range.start + place).collect())
}

/// What a worker shows for the shares that it claims.
pub fn opening(spec: &SearchSpec, shares: &[Nonce]) -> SearchOpening {
	let hashes: Vec<[u8; 32]> = shares.iter().map(|nonce| hash(&spec.seed, *nonce)).collect();
	let winners = shares
		.iter()
		.zip(&hashes)
		.filter(|(_, hash)| meets(hash, &spec.target))
		.map(|(nonce, hash)| Winner { nonce: *nonce, hash: *hash })
		.collect();
	SearchOpening {
		shares: blake2_256(&hashes.concat()).into(),
		winners: BoundedVec::truncate_from(winners),
		faults: BoundedVec::new(),
	}
}

/// What an auditor shows for the shares that somebody claims and the sub-range that it looked at.
pub fn audit(
	spec: &SearchSpec,
	range: &ChunkRange,
	shares: &[Nonce],
	(start, count): (Nonce, u32),
) -> SearchOpening {
	let wrong = shares.iter().filter(|nonce| !is_share(spec, range, **nonce));
	let missing = unclaimed(shares, start, count);
	let missing = missing.into_iter().filter(|nonce| is_share(spec, range, *nonce));
	let faults = wrong.copied().map(Fault::FalseShare).chain(missing.map(Fault::UnclaimedShare));
	SearchOpening { faults: BoundedVec::truncate_from(faults.collect()), ..opening(spec, shares) }
}

fn is_share(spec: &SearchSpec, range: &ChunkRange, nonce: Nonce) -> bool {
	meets(&hash(&spec.seed, nonce), &range.share_target())
}

fn integer(hash: &[u8; 32]) -> U256 {
	U256::from_little_endian(hash)
}
