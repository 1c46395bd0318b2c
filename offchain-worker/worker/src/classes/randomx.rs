//! RandomX search. A unit is a hash.

use super::Class;
use codec::{DecodeAll, Encode};
use hex_literal::hex;
use sp_crypto_hashing::blake2_256;
use std::time::Duration;
use tequio_interface::{
	engine::Mode,
	randomx::{self, Puzzle, RandomXJob, SearchResult, Winner},
};

/// The class.
pub const CLASS: Class = Class {
	number: randomx::CLASS,
	name: "RandomX search",
	unit: "hashes",
	program: "tequio-engine-randomx",
	arguments: &[],
	units,
	// Light mode, interpreted.
	time_per_unit: Duration::from_millis(200),
	telling_time: Duration::ZERO,
	need,
	sample,
	exam,
	output: None,
	has_profile: false,
	needs_libtorch: false,
	needs_avx2: false,
};

/// Bytes of a dataset.
const DATASET: u64 = 2080 << 20;
/// Bytes of a cache.
const CACHE: u64 = 256 << 20;
/// Bytes for a thread: its scratchpad, and its virtual machine.
const THREAD: u64 = 3 << 20;
/// Bytes for the process itself.
const PROCESS: u64 = 16 << 20;

/// Monero mainnet block 3456098: its key, its hashing blob without the nonce, the nonce that mined
/// it, and the hash.
const SEED: [u8; 32] = hex!("11186f5a8473d8dc7a0d3a0bf25834a07b1dffe8741d53cd543a8708c2e8b2a9");
const TEMPLATE: [u8; 76] = hex!(
	"1010c5fed8c306463a9d1a264ef7e82daf3ff45ca4c66c4df8fa8f3d2a43b735cf2da5b275144300000000ca"
	"a9d243ae12b374d9c0fcf710078adf906edfd068f05a59dee09ac4fbf8ad1901"
);
const NONCE_OFFSET: u16 = 39;
const NONCE: u32 = 3_999_811;
const HASH: [u8; 32] = hex!("aa1ade04f8266a5d9d0eb2c843dc87a27bc5ddb6f0f900682a46760000000000");

fn units(payload: &[u8]) -> u32 {
	match RandomXJob::decode_all(&mut &*payload) {
		Ok(RandomXJob::Search { count, .. }) => count,
		Ok(RandomXJob::Audit { claim, count, .. }) => {
			count.saturating_add(u32::try_from(claim.len()).unwrap_or(u32::MAX))
		},
		Err(_) => 0,
	}
}

fn need(mode: Mode, threads: u64, caches: u64) -> u64 {
	let dataset = match mode {
		Mode::Light => 0,
		Mode::Fast => DATASET,
	};
	let for_threads = THREAD.saturating_mul(threads);
	let for_caches = CACHE.saturating_mul(caches);
	PROCESS.saturating_add(dataset).saturating_add(for_caches).saturating_add(for_threads)
}

/// Hashes of the block with other nonces, none of which is a share.
fn sample(start: u32, count: u32) -> Vec<u8> {
	search(start.min(u32::MAX.saturating_sub(count)), count, [0; 32])
}

/// The block with its nonce, which is the only share and the winner.
fn exam() -> (Vec<u8>, Vec<u8>) {
	let result = SearchResult {
		claim: vec![NONCE],
		shares: blake2_256(&HASH),
		winners: vec![Winner { nonce: NONCE, hash: HASH }],
	};
	(search(NONCE, 1, HASH), result.encode())
}

fn search(start: u32, count: u32, target: [u8; 32]) -> Vec<u8> {
	let puzzle = Puzzle {
		seed: SEED,
		template: TEMPLATE.to_vec(),
		nonce_offset: NONCE_OFFSET,
		share_target: target,
		target,
	};
	RandomXJob::Search { puzzle, start, count }.encode()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_audit_hashes_the_claim_and_the_sub_range() {
		let puzzle = Puzzle {
			seed: SEED,
			template: vec![],
			nonce_offset: 0,
			share_target: [0; 32],
			target: [0; 32],
		};
		let audit = RandomXJob::Audit { puzzle, claim: vec![1, 2], start: 0, count: 3 };
		assert_eq!(units(&audit.encode()), 5);
	}

	#[test]
	fn light_peers_take_what_was_promised() {
		let most = (256 << 20) + 2 * (3 << 20) + (50 << 20);
		assert!(need(Mode::Light, 2, 1) <= most);
		assert!(need(Mode::Fast, 2, 1) >= (2336 << 20) + 2 * (2 << 20));
	}
}
