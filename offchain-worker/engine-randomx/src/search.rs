//! Search and audit, over anything that hashes.
//!
//! Results do not depend on the number of threads: what is found is sorted by nonce.

use crate::{
	batch::{Batch, Hashed, Nonces},
	RandomXError,
};
use sp_crypto_hashing::blake2_256;
use tequio_interface::randomx::{AuditResult, Puzzle, SearchResult, Winner};

/// Shares that one request may find. The chain derives share targets that 256 nonces of a chunk are
/// expected to meet, and takes claims of 384; a request that finds more than this was not made by
/// it, and could fill the memory.
pub const MAX_SHARES: usize = 1024;

/// Hashes nonces, on however many threads.
pub trait Hashers {
	/// Hashes all nonces of a batch; what it keeps, in any order.
	fn hash_all(&mut self, batch: Batch) -> Result<Vec<Hashed>, RandomXError>;
}

/// More than [`MAX_SHARES`] nonces meet the share target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_SHARES} nonces of the range are shares: the share target is too easy")]
pub struct TooManyShares;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
	/// The request is at fault.
	#[error(transparent)]
	TooManyShares(#[from] TooManyShares),
	/// This machine is.
	#[error(transparent)]
	RandomX(#[from] RandomXError),
}

/// Finds the shares and winners of `count` nonces from `start` on. The range ends before 2³².
pub fn search(
	hashers: &mut impl Hashers,
	puzzle: &Puzzle,
	start: u32,
	count: u32,
) -> Result<SearchResult, SearchError> {
	let shares = shares_among(hashers, puzzle, Nonces::Range { start, count })?;
	Ok(SearchResult {
		claim: shares.iter().map(|(nonce, _)| *nonce).collect(),
		shares: digest(&shares),
		winners: winners(&shares, puzzle),
	})
}

/// Checks `claim`, which is ascending and has [`MAX_SHARES`] nonces at most, and looks for
/// unclaimed shares among the `count` nonces from `start` on. The range ends before 2³².
pub fn audit(
	hashers: &mut impl Hashers,
	puzzle: &Puzzle,
	claim: &[u32],
	start: u32,
	count: u32,
) -> Result<AuditResult, SearchError> {
	let claimed = hash_all(hashers, puzzle, Nonces::These(claim.to_vec()), |_| true)?;
	let others = Nonces::Without { start, count, left_out: claim.to_vec() };
	let unclaimed = shares_among(hashers, puzzle, others)?;
	let misses = claimed.iter().filter(|(_, hash)| !meets(hash, &puzzle.share_target));
	Ok(AuditResult {
		shares: digest(&claimed),
		winners: winners(&claimed, puzzle),
		false_shares: misses.map(|(nonce, _)| *nonce).collect(),
		unclaimed_shares: unclaimed.into_iter().map(|(nonce, _)| nonce).collect(),
	})
}

/// Whether a hash, as a little-endian integer, is not above the target.
pub fn meets(hash: &[u8; 32], target: &[u8; 32]) -> bool {
	hash.iter().rev().le(target.iter().rev())
}

fn shares_among(
	hashers: &mut impl Hashers,
	puzzle: &Puzzle,
	nonces: Nonces,
) -> Result<Vec<Hashed>, SearchError> {
	let target = puzzle.share_target;
	hash_all(hashers, puzzle, nonces, move |hash| meets(hash, &target))
}

/// Hashes nonces and returns those with a hash to `keep`, ascending.
fn hash_all(
	hashers: &mut impl Hashers,
	puzzle: &Puzzle,
	nonces: Nonces,
	keep: impl Fn(&[u8; 32]) -> bool + Send + Sync + 'static,
) -> Result<Vec<Hashed>, SearchError> {
	let batch = Batch::new(&puzzle.template, puzzle.nonce_offset, nonces, keep);
	let mut found = hashers.hash_all(batch)?;
	if found.len() > MAX_SHARES {
		return Err(TooManyShares.into());
	}
	found.sort_unstable_by_key(|(nonce, _)| *nonce);
	Ok(found)
}

fn digest(hashed: &[Hashed]) -> [u8; 32] {
	let bytes: Vec<u8> = hashed.iter().flat_map(|(_, hash)| *hash).collect();
	blake2_256(&bytes)
}

fn winners(hashed: &[Hashed], puzzle: &Puzzle) -> Vec<Winner> {
	let wins = hashed.iter().filter(|(_, hash)| meets(hash, &puzzle.target));
	wins.map(|(nonce, hash)| Winner { nonce: *nonce, hash: *hash }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::thread;

	/// Reads the nonce back and multiplies it: hashes whose order everybody can work out. On so
	/// many threads.
	struct Fake(usize);

	impl Hashers for Fake {
		fn hash_all(&mut self, batch: Batch) -> Result<Vec<Hashed>, RandomXError> {
			let work = || {
				let mut blob = batch.blob();
				let mut found = Vec::new();
				while let Some(nonce) = batch.next_nonce() {
					blob.set(nonce);
					let read = u32::from_le_bytes(blob.as_bytes()[3..7].try_into().unwrap());
					let hash = fake_hash(read);
					if batch.keeps(&hash) {
						found.push((nonce, hash));
					}
				}
				found
			};
			Ok(thread::scope(|scope| {
				let threads: Vec<_> = (0..self.0).map(|_| scope.spawn(work)).collect();
				threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
			}))
		}
	}

	/// The nonce modulo 10 is the most significant byte.
	fn fake_hash(nonce: u32) -> [u8; 32] {
		let mut hash = [7; 32];
		hash[..4].copy_from_slice(&nonce.to_le_bytes());
		hash[31] = u8::try_from(nonce % 10).unwrap();
		hash
	}

	/// Shares end in 0 to 2, winners in 0.
	fn puzzle() -> Puzzle {
		let up_to = |top: u8| {
			let mut target = [255; 32];
			target[31] = top;
			target
		};
		Puzzle {
			seed: [0; 32],
			template: vec![9; 10],
			nonce_offset: 3,
			share_target: up_to(2),
			target: up_to(0),
		}
	}

	fn digest_of(nonces: &[u32]) -> [u8; 32] {
		blake2_256(&nonces.iter().flat_map(|nonce| fake_hash(*nonce)).collect::<Vec<_>>())
	}

	#[test]
	fn search_works() {
		let claim = vec![30, 31, 32, 40, 41, 42];
		let expected = SearchResult {
			shares: digest_of(&claim),
			winners: [30, 40].map(|nonce| Winner { nonce, hash: fake_hash(nonce) }).to_vec(),
			claim,
		};
		for threads in 1..4 {
			let found = search(&mut Fake(threads), &puzzle(), 25, 20).unwrap();
			assert_eq!(found, expected, "{threads} threads");
		}
	}

	#[test]
	fn search_reaches_the_last_nonce() {
		let found = search(&mut Fake(1), &puzzle(), u32::MAX - 4, 5).unwrap();
		// 4 294 967 291 to 4 294 967 295.
		assert_eq!(found.claim, vec![u32::MAX - 4, u32::MAX - 3]);
	}

	#[test]
	fn search_should_fail_when_everything_is_a_share() {
		let easy = Puzzle { share_target: [255; 32], ..puzzle() };
		let most = u32::try_from(MAX_SHARES).unwrap();
		assert_eq!(search(&mut Fake(2), &easy, 0, most).unwrap().claim.len(), MAX_SHARES);
		let refused = search(&mut Fake(2), &easy, 0, u32::MAX);
		assert_eq!(refused, Err(SearchError::TooManyShares(TooManyShares)));
	}

	#[test]
	fn search_should_fail_when_nobody_hashes() {
		struct Broken;
		impl Hashers for Broken {
			fn hash_all(&mut self, _: Batch) -> Result<Vec<Hashed>, RandomXError> {
				Err(RandomXError::NoVm)
			}
		}
		let failed = search(&mut Broken, &puzzle(), 0, 1);
		assert_eq!(failed, Err(SearchError::RandomX(RandomXError::NoVm)));
	}

	#[test]
	fn audit_finds_nothing_in_an_honest_claim() {
		let honest = search(&mut Fake(1), &puzzle(), 0, 100).unwrap();
		let audited = audit(&mut Fake(2), &puzzle(), &honest.claim, 40, 13).unwrap();
		let expected = AuditResult {
			shares: honest.shares,
			winners: honest.winners,
			false_shares: vec![],
			unclaimed_shares: vec![],
		};
		assert_eq!(audited, expected);
	}

	#[test]
	fn audit_finds_false_and_unclaimed_shares() {
		// 5 and 17 are no shares; 21 and 22 are left out, 31 too but outside of the sub-range.
		let claim = [0, 5, 17, 20, 30];
		let audited = audit(&mut Fake(1), &puzzle(), &claim, 15, 10).unwrap();
		assert_eq!(audited.shares, digest_of(&claim));
		assert_eq!(audited.false_shares, vec![5, 17]);
		assert_eq!(audited.unclaimed_shares, vec![21, 22]);
		let winners: Vec<_> = audited.winners.iter().map(|winner| winner.nonce).collect();
		assert_eq!(winners, vec![0, 20, 30]);
	}

	#[test]
	fn audit_of_an_empty_claim_works() {
		let audited = audit(&mut Fake(1), &puzzle(), &[], 8, 3).unwrap();
		assert_eq!(audited.shares, blake2_256(&[]));
		assert_eq!(audited.unclaimed_shares, vec![10]);
	}

	#[test]
	fn targets_are_compared_in_full_as_little_endian_integers() {
		let mut low = [255; 32];
		low[31] = 1;
		let mut high = [0; 32];
		high[31] = 2;
		assert!(meets(&low, &high) && !meets(&high, &low));
		assert!(meets(&low, &low), "a hash that equals the target meets it");
		let mut above = low;
		(above[0], above[31]) = (0, 2);
		assert!(!meets(&above, &low));
	}
}
