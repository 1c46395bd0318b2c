//! Search and audit, over anything that hashes.
//!
//! The nonces of a request are handed out one by one to as many threads as there are hashers, so
//! that no thread waits for another one before the end. Results do not depend on their number: what
//! is found is sorted by nonce.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use sp_crypto_hashing::blake2_256;
use std::thread;
use tequio_interface::randomx::{AuditResult, Puzzle, SearchResult, Winner};

/// Shares that one request may find. The chain derives share targets that 256 nonces of a chunk are
/// expected to meet, and takes claims of 384; a request that finds more than this was not made by
/// it, and could fill the memory.
pub const MAX_SHARES: usize = 1024;

/// Hashes a blob.
pub trait Hasher {
	/// The hash of `input`, a little-endian integer.
	fn hash(&mut self, input: &[u8]) -> [u8; 32];
}

/// More than [`MAX_SHARES`] nonces meet the share target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_SHARES} nonces of the range are shares: the share target is too easy")]
pub struct TooManyShares;

/// A nonce and its hash.
type Hashed = (u32, [u8; 32]);

/// Finds the shares and winners of `count` nonces from `start` on. The range ends before 2³².
pub fn search<H: Hasher + Send>(
	hashers: &mut [H],
	puzzle: &Puzzle,
	start: u32,
	count: u32,
) -> Result<SearchResult, TooManyShares> {
	let range = |place: u32| start.checked_add(place);
	let shares = hash_all(hashers, puzzle, count, range, |hash| meets(hash, &puzzle.share_target))?;
	Ok(SearchResult {
		claim: shares.iter().map(|(nonce, _)| *nonce).collect(),
		shares: digest(&shares),
		winners: winners(&shares, puzzle),
	})
}

/// Checks `claim`, which is ascending and has [`MAX_SHARES`] nonces at most, and looks for
/// unclaimed shares among the `count` nonces from `start` on. The range ends before 2³².
pub fn audit<H: Hasher + Send>(
	hashers: &mut [H],
	puzzle: &Puzzle,
	claim: &[u32],
	start: u32,
	count: u32,
) -> Result<AuditResult, TooManyShares> {
	let claims = u32::try_from(claim.len()).map_err(|_| TooManyShares)?;
	let claimed = |place: u32| claim.get(usize::try_from(place).ok()?).copied();
	let claimed = hash_all(hashers, puzzle, claims, claimed, |_| true)?;

	let range =
		|place: u32| start.checked_add(place).filter(|nonce| claim.binary_search(nonce).is_err());
	let unclaimed =
		hash_all(hashers, puzzle, count, range, |hash| meets(hash, &puzzle.share_target))?;
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

/// Hashes the nonces that `nonce_at` names for the places below `count`, and returns those with a
/// hash to `keep`, ascending. A place without a nonce is left out.
fn hash_all<H: Hasher + Send>(
	hashers: &mut [H],
	puzzle: &Puzzle,
	count: u32,
	nonce_at: impl Fn(u32) -> Option<u32> + Sync,
	keep: impl Fn(&[u8; 32]) -> bool + Sync,
) -> Result<Vec<Hashed>, TooManyShares> {
	// Wider than the places, so that it cannot wrap.
	let next = AtomicU64::new(0);
	let kept = AtomicUsize::new(0);
	let work = |hasher: &mut H| {
		let mut found = Vec::new();
		while kept.load(Ordering::Relaxed) <= MAX_SHARES {
			let place = u32::try_from(next.fetch_add(1, Ordering::Relaxed));
			let Some(place) = place.ok().filter(|place| *place < count) else { break };
			let Some(nonce) = nonce_at(place) else { continue };
			let hash = hasher.hash(&blob(puzzle, nonce));
			if keep(&hash) {
				kept.fetch_add(1, Ordering::Relaxed);
				found.push((nonce, hash));
			}
		}
		found
	};
	let work = &work;
	let mut found = thread::scope(|scope| {
		let threads: Vec<_> =
			hashers.iter_mut().map(|hasher| scope.spawn(move || work(hasher))).collect();
		let mut found = Vec::new();
		for thread in threads {
			// A panic of a thread is one of the engine.
			found.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
		}
		found
	});
	if found.len() > MAX_SHARES {
		return Err(TooManyShares);
	}
	found.sort_unstable_by_key(|(nonce, _)| *nonce);
	Ok(found)
}

/// The template with the nonce written into it. A nonce that finds no room is not written: requests
/// are checked for that.
fn blob(puzzle: &Puzzle, nonce: u32) -> Vec<u8> {
	let mut blob = puzzle.template.clone();
	let offset = usize::from(puzzle.nonce_offset);
	let bytes = nonce.to_le_bytes();
	if let Some(room) = blob.get_mut(offset..offset.saturating_add(bytes.len())) {
		room.copy_from_slice(&bytes);
	}
	blob
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

	/// Reads the nonce back and multiplies it: hashes whose order everybody can work out.
	#[derive(Clone)]
	struct Fake;

	impl Hasher for Fake {
		fn hash(&mut self, input: &[u8]) -> [u8; 32] {
			let nonce = u32::from_le_bytes(input[3..7].try_into().unwrap());
			fake_hash(nonce)
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
			let found = search(&mut vec![Fake; threads], &puzzle(), 25, 20).unwrap();
			assert_eq!(found, expected, "{threads} threads");
		}
	}

	#[test]
	fn search_reaches_the_last_nonce() {
		let found = search(&mut [Fake], &puzzle(), u32::MAX - 4, 5).unwrap();
		// 4 294 967 291 to 4 294 967 295.
		assert_eq!(found.claim, vec![u32::MAX - 4, u32::MAX - 3]);
	}

	#[test]
	fn search_should_fail_when_everything_is_a_share() {
		let easy = Puzzle { share_target: [255; 32], ..puzzle() };
		let most = u32::try_from(MAX_SHARES).unwrap();
		assert_eq!(search(&mut [Fake, Fake], &easy, 0, most).unwrap().claim.len(), MAX_SHARES);
		assert_eq!(search(&mut [Fake, Fake], &easy, 0, u32::MAX), Err(TooManyShares));
	}

	#[test]
	fn audit_finds_nothing_in_an_honest_claim() {
		let honest = search(&mut [Fake], &puzzle(), 0, 100).unwrap();
		let audited = audit(&mut [Fake, Fake], &puzzle(), &honest.claim, 40, 13).unwrap();
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
		let audited = audit(&mut [Fake], &puzzle(), &claim, 15, 10).unwrap();
		assert_eq!(audited.shares, digest_of(&claim));
		assert_eq!(audited.false_shares, vec![5, 17]);
		assert_eq!(audited.unclaimed_shares, vec![21, 22]);
		let winners: Vec<_> = audited.winners.iter().map(|winner| winner.nonce).collect();
		assert_eq!(winners, vec![0, 20, 30]);
	}

	#[test]
	fn audit_of_an_empty_claim_works() {
		let audited = audit(&mut [Fake], &puzzle(), &[], 8, 3).unwrap();
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
