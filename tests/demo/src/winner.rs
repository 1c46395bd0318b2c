//! Checks what the network found with a RandomX of the demo's own, against the target and against
//! the block.

use crate::args::{block, bytes32, Order};
use anyhow::{ensure, Result};
use sp_core::U256;
use tequio_engine_randomx::hash_once;
use tequio_primitives::search::{meets, Nonce, Winner, NONCE_BYTES};

impl Order {
	/// The nonce that this search must find: that of the known block, if its range holds it and its
	/// target takes it.
	pub fn known_nonce(&self) -> Result<Option<Nonce>> {
		let blob = hex::decode(block::BLOB)?;
		let same_block =
			self.spec.template.as_slice() == blob && self.spec.seed == bytes32(block::SEED)?;
		let held =
			block::NONCE.checked_sub(self.spec.start).is_some_and(|place| place < self.spec.count);
		let wins = meets(&bytes32(block::HASH)?, &self.spec.target);
		Ok((same_block && held && wins).then_some(block::NONCE))
	}

	/// Hashes a winner's nonce and says what it is worth; fails if the network reported something
	/// else.
	pub fn check(&self, winner: &Winner) -> Result<String> {
		let mut input = self.spec.template.to_vec();
		let place = usize::from(self.spec.nonce_offset);
		input[place..place + NONCE_BYTES].copy_from_slice(&winner.nonce.to_le_bytes());
		let hash = hash_once(&self.spec.seed, &input)?;
		let Winner { nonce, hash: reported } = winner;
		ensure!(
			hash == *reported,
			"nonce {nonce}: the network reported {}, its hash is {}",
			hex::encode(reported),
			hex::encode(hash)
		);
		ensure!(
			meets(&hash, &self.spec.target),
			"nonce {nonce}: its hash {} is above the target",
			hex::encode(hash)
		);
		let mut text = format!(
			"found nonce {nonce}, hash {}, difficulty {}",
			hex::encode(hash),
			difficulty(&hash)
		);
		if self.known_nonce()? == Some(*nonce) {
			ensure!(
				hash == bytes32(block::HASH)?,
				"the hash is not that of the block, {}",
				block::HASH
			);
			text += ": the nonce and the hash of Monero block 3456098";
		}
		Ok(text)
	}
}

/// The largest difficulty that a hash meets.
fn difficulty(hash: &[u8; 32]) -> U256 {
	U256::MAX.checked_div(U256::from_little_endian(hash)).unwrap_or(U256::MAX)
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use crate::args::Args;
	use clap::Parser;

	fn order(flags: &[&str]) -> Order {
		Args::try_parse_from(["tequio-demo"].iter().chain(flags)).unwrap().order().unwrap()
	}

	#[test]
	fn the_known_nonce_is_asked_for_only_where_it_can_be_found() {
		assert_eq!(order(&[]).known_nonce().unwrap(), Some(block::NONCE));
		assert_eq!(order(&["--start", "0"]).known_nonce().unwrap(), None);
		assert_eq!(
			order(&["--target", &("01".to_owned() + &"00".repeat(31))]).known_nonce().unwrap(),
			None
		);
		assert_eq!(order(&["--seed", &"00".repeat(32)]).known_nonce().unwrap(), None);
	}

	#[test]
	fn the_block_is_checked_by_hashing_it() {
		let order = order(&[]);
		let mut winner = Winner { nonce: block::NONCE, hash: bytes32(block::HASH).unwrap() };
		assert!(order.check(&winner).unwrap().contains("3456098"));
		winner.nonce += 1;
		assert!(order.check(&winner).is_err());
	}
}
