//! Monero mainnet block 3456098, which real engines search.

use codec::{DecodeAll, Encode};
use tequio_interface::{
	job::JobState,
	randomx::{Puzzle, RandomXJob, SearchResult},
};

const NONCE: u32 = 3_999_811;

/// The payload of a search around the nonce that mined the block. Only that nonce meets the targets.
pub fn search(before: u32, count: u32) -> Vec<u8> {
	let mut target = [0; 32];
	target[16..].copy_from_slice(&(u128::MAX / 660_000_000_000).to_le_bytes());
	let seed = bytes("11186f5a8473d8dc7a0d3a0bf25834a07b1dffe8741d53cd543a8708c2e8b2a9");
	let template = bytes(
		"1010c5fed8c306463a9d1a264ef7e82daf3ff45ca4c66c4df8fa8f3d2a43b735cf2da5b275144300000000ca\
		 a9d243ae12b374d9c0fcf710078adf906edfd068f05a59dee09ac4fbf8ad1901",
	);
	let puzzle = Puzzle {
		seed: seed.try_into().unwrap(),
		template,
		nonce_offset: 39,
		share_target: target,
		target,
	};
	RandomXJob::Search { puzzle, start: NONCE - before, count }.encode()
}

/// Fails unless a [`search`] has found the nonce, with the hash that mined the block.
pub fn assert_found(state: JobState) {
	let JobState::Done(result) = state else { panic!("{state:?}") };
	let result = SearchResult::decode_all(&mut result.as_slice()).unwrap();
	assert_eq!(result.claim, [NONCE]);
	let hash = bytes("aa1ade04f8266a5d9d0eb2c843dc87a27bc5ddb6f0f900682a46760000000000");
	assert_eq!(result.winners[0].hash.to_vec(), hash);
}

fn bytes(hex: &str) -> Vec<u8> {
	hex::decode(hex).unwrap()
}
