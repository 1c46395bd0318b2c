//! Searches that find nothing: work for engines, and tasks for a chain.

use anyhow::{anyhow, Result};
use codec::Encode;
use tequio_interface::randomx::{Puzzle, RandomXJob};
use tequio_primitives::search::SearchSpec;

/// Bytes of the blob, and where its nonce starts: those of a Monero block.
const TEMPLATE: usize = 76;
const NONCE_OFFSET: u16 = 39;

/// The payload of a search of `count` nonces under the key of this number, without a share.
pub fn payload(key: u8, count: u32) -> Vec<u8> {
	let puzzle = Puzzle {
		seed: [key; 32],
		template: vec![0; TEMPLATE],
		nonce_offset: NONCE_OFFSET,
		share_target: target(),
		target: target(),
	};
	RandomXJob::Search { puzzle, start: 0, count }.encode()
}

/// A task of `chunks` chunks of `chunk_size` nonces, each expecting `lambda` shares, that nothing
/// wins.
pub fn spec(chunks: u32, chunk_size: u32, lambda: u16) -> Result<SearchSpec> {
	let count = chunks.checked_mul(chunk_size);
	Ok(SearchSpec {
		seed: [0; 32],
		template: vec![0; TEMPLATE].try_into().map_err(|_| anyhow!("the template is too long"))?,
		nonce_offset: NONCE_OFFSET,
		start: 0,
		count: count.ok_or_else(|| anyhow!("{chunks} chunks are too many"))?,
		target: target(),
		chunk_size,
		lambda,
	})
}

/// Met by one hash in 2¹²⁸.
fn target() -> [u8; 32] {
	let mut target = [0; 32];
	target[16] = 1;
	target
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn tasks_are_taken_by_the_chain() {
		assert_eq!(spec(100, 512, 32).unwrap().validate(), Ok(()));
		assert_eq!(spec(1, 16, 16).unwrap().validate(), Ok(()));
		assert!(spec(u32::MAX, 512, 32).is_err());
	}
}
