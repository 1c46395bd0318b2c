//! Flags of the demo, and the task they describe. Everything that can be wrong with them is found
//! here, before a process is started.

use anyhow::{anyhow, ensure, Context, Result};
use clap::Parser;
use sp_core::U256;
use std::path::PathBuf;
use tequio_primitives::{
	fifo::DEADLINES,
	search::{Nonce, SearchError, SearchSpec, MAX_TEMPLATE, NONCE_BYTES},
	Balance, TEQ,
};

/// Where the nonce starts in a Monero hashing blob, in bytes.
pub const NONCE_OFFSET: u16 = 39;
/// What finding a nonce earns on top, in the token's smallest unit.
pub const BONUS: Balance = TEQ;
/// Largest `--count`: a minute and a half for each thousand nonces on two cores, so two hours.
const MAX_COUNT: u32 = 65_536;
/// Largest `--price`: with more the owners of the demo could not stake for their work.
const MAX_PRICE: Balance = TEQ / 100;
/// Shares that a chunk is expected to hold.
const LAMBDA: u32 = 32;
/// Hashes per block that the owners of the demo advertise. Two owners share an engine of some 30
/// hashes a second, and an engine the machine with everything else.
pub const RATE: u32 = 32;

/// Monero mainnet block 3456098, id
/// 0b050b3beba22d7a46f55d8c062cd5561054a5ed9e7fda9e83cf905bb6a93523.
pub mod block {
	/// Its hashing blob with the four bytes of the nonce zeroed.
	pub const BLOB: &str = "1010c5fed8c306463a9d1a264ef7e82daf3ff45ca4c66c4df8fa8f3d2a43b735cf2da5b275144300000000caa9d243ae12b374d9c0fcf710078adf906edfd068f05a59dee09ac4fbf8ad1901";
	/// Its seed hash.
	pub const SEED: &str = "11186f5a8473d8dc7a0d3a0bf25834a07b1dffe8741d53cd543a8708c2e8b2a9";
	/// Its nonce.
	pub const NONCE: u32 = 3_999_811;
	/// Its RandomX hash.
	pub const HASH: &str = "aa1ade04f8266a5d9d0eb2c843dc87a27bc5ddb6f0f900682a46760000000000";
	/// The network's difficulty at the time, rounded down.
	pub const DIFFICULTY: u64 = 660_000_000_000;
}

/// How to read the model elsewhere.
const AFTER_HELP: &str = "\
The weights that --ml makes are a plain safetensors file of 64-bit floats. Python reads them with
`pip install safetensors numpy`:

  from safetensors.numpy import load_file
  w = load_file(\"digits.safetensors\")  # 0.weight [128, 64], 0.bias, 2.weight [10, 128], 2.bias
  digit = lambda x: (w[\"2.weight\"] @ (w[\"0.weight\"] @ x + w[\"0.bias\"]).clip(0) + w[\"2.bias\"]).argmax()

where x are the 64 pixels of a picture, divided by 16.";

/// Starts a chain and its workers on this machine, pays them for finding the nonce of a Monero
/// block, and shows the books.
///
/// Without flags it is mainnet block 3456098 with its nonce removed. With --ml the work is another
/// one: three workers train a model on digits written by hand.
#[derive(Debug, Parser)]
#[command(name = "tequio-demo", version, after_help = AFTER_HELP)]
pub struct Args {
	/// Hashing blob, in hex; the nonce at byte 39 is overwritten
	#[arg(long, value_name = "HEX", default_value = block::BLOB, hide_default_value = true)]
	blob: String,
	/// RandomX key (Monero: the seed hash), 32 bytes in hex
	#[arg(long, value_name = "HEX", default_value = block::SEED, hide_default_value = true)]
	seed: String,
	/// First nonce
	#[arg(long, value_name = "NONCE", default_value_t = 3_999_000)]
	start: Nonce,
	/// Number of nonces
	#[arg(long, value_name = "NONCES", default_value_t = 2_048)]
	count: u32,
	/// Target, a little-endian 256-bit integer in hex: a hash that is not above it wins [default:
	/// difficulty 6.6e11]
	#[arg(long, value_name = "HEX")]
	target: Option<String>,
	/// Nonces in a chunk
	#[arg(long, value_name = "NONCES", default_value_t = 128)]
	chunk: u32,
	/// Pay per hash, in 10^-12 TEQ
	#[arg(long, value_name = "AMOUNT", default_value_t = TEQ / 1_000)]
	price: Balance,
	/// Train a model on digits written by hand, in rounds, instead of searching
	#[arg(long, conflicts_with_all = ["blob", "seed", "start", "count", "target", "chunk", "price"])]
	pub ml: bool,
	/// Rounds of training
	#[arg(long, value_name = "N", default_value_t = 8, requires = "ml")]
	#[arg(value_parser = clap::value_parser!(u32).range(1..=100))]
	pub rounds: u32,
	/// Where the trained weights go [default: digits.safetensors in Tequio's cache folder]
	#[arg(long, value_name = "FILE", requires = "ml")]
	pub weights: Option<PathBuf>,
	/// Where the curve of the training goes, as SVG [default: digits.svg in Tequio's cache folder]
	#[arg(long, value_name = "FILE", requires = "ml")]
	pub plot: Option<PathBuf>,
	/// Keep databases and logs in this new or empty folder
	#[arg(long, value_name = "FOLDER")]
	pub keep: Option<PathBuf>,
	/// Progress goes to stderr; the last line of stdout is one JSON object
	#[arg(long)]
	pub json: bool,
}

/// What the flags ask for.
#[derive(Debug)]
pub struct Order {
	/// What is searched.
	pub spec: SearchSpec,
	/// Pay per hash, in the token's smallest unit.
	pub price: Balance,
	/// Blocks for a chunk.
	pub deadline: u32,
}

impl Order {
	/// A stake that answers for a dozen duties at a time: collateral is less than four times the
	/// pay cap of a chunk, which is twice what it is expected to cost.
	pub fn stake(&self) -> Balance {
		const DUTIES: Balance = 12;
		Balance::from(self.spec.chunk_size).saturating_mul(self.price).saturating_mul(8 * DUTIES)
	}
}

impl Args {
	/// Checks the flags.
	pub fn order(&self) -> Result<Order> {
		ensure!(
			(1..=MAX_COUNT).contains(&self.count),
			"--count {}: between 1 and {MAX_COUNT} nonces can be searched here",
			self.count
		);
		ensure!(
			(1..=MAX_PRICE).contains(&self.price),
			"--price {}: between 1 and {MAX_PRICE} (in 10^-12 TEQ) can be paid for a hash here",
			self.price
		);
		let chunk_size = self.chunk.min(self.count);
		let lambda = LAMBDA.min(chunk_size);
		let spec = SearchSpec {
			seed: bytes32(&self.seed).context("--seed")?,
			template: template(&self.blob).context("--blob")?.try_into().map_err(|_| {
				anyhow!("--blob: longer than the {MAX_TEMPLATE} bytes that a task can carry")
			})?,
			nonce_offset: NONCE_OFFSET,
			start: self.start,
			count: self.count,
			target: self.target()?,
			chunk_size,
			lambda: u16::try_from(lambda)?,
		};
		spec.validate().map_err(|error| anyhow!(self.explain(error)))?;
		Ok(Order { spec, price: self.price, deadline: deadline(chunk_size)? })
	}

	fn target(&self) -> Result<[u8; 32]> {
		match &self.target {
			Some(target) => bytes32(target).context("--target"),
			None => Ok((U256::MAX / U256::from(block::DIFFICULTY)).to_little_endian()),
		}
	}

	/// Says which flag to change.
	fn explain(&self, error: SearchError) -> String {
		let Self { start, count, chunk, .. } = self;
		match error {
			SearchError::EmptyRange => "--count 0: there is nothing to search".into(),
			SearchError::RangeOverflows => {
				format!(
					"--start {start} --count {count}: the range ends above the largest nonce, {}",
					Nonce::MAX
				)
			},
			SearchError::NonceOutsideTemplate => {
				"--blob: too short for the nonce at byte 39".into()
			},
			SearchError::ZeroTarget => "--target: no hash meets zero".into(),
			SearchError::TargetTooEasy => {
				"--target: every share would win; give a harder one".into()
			},
			SearchError::LambdaOutOfBounds | SearchError::ChunkTooSmall => {
				format!("--chunk {chunk}: every chunk of the {count} nonces, the last one too, needs at least 16")
			},
		}
	}
}

/// Four times what two owners with one engine need for a chunk and its audit, and never less than
/// 64 blocks.
fn deadline(chunk_size: u32) -> Result<u32> {
	let needed = chunk_size.saturating_mul(8).div_ceil(RATE).max(64);
	let longest = DEADLINES.last().copied().unwrap_or_default();
	ensure!(
		needed <= longest,
		"--chunk {chunk_size}: no deadline is long enough for so many nonces"
	);
	Ok(needed)
}

fn template(hex_digits: &str) -> Result<Vec<u8>> {
	let mut blob = hex::decode(hex_digits)?;
	let nonce = usize::from(NONCE_OFFSET)..usize::from(NONCE_OFFSET) + NONCE_BYTES;
	blob.get_mut(nonce).context("too short for the nonce at byte 39")?.fill(0);
	Ok(blob)
}

/// 32 bytes from hex.
pub fn bytes32(hex_digits: &str) -> Result<[u8; 32]> {
	let bytes = hex::decode(hex_digits)?;
	let length = bytes.len();
	bytes.try_into().map_err(|_| anyhow!("{length} bytes where 32 are needed"))
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	fn order(flags: &[&str]) -> Result<Order> {
		Args::try_parse_from(["tequio-demo"].iter().chain(flags)).unwrap().order()
	}

	fn refusal(flags: &[&str]) -> String {
		format!("{:#}", order(flags).unwrap_err())
	}

	#[test]
	fn defaults_hold_the_true_nonce_and_do_not_name_it() {
		let spec = order(&[]).unwrap().spec;
		assert!((spec.start..spec.start + spec.count).contains(&block::NONCE));
		assert_eq!(spec.template[39..43], [0; 4]);
		assert!(tequio_primitives::search::meets(&bytes32(block::HASH).unwrap(), &spec.target));
	}

	#[test]
	fn a_nonce_in_the_blob_is_removed() {
		let with_nonce = block::BLOB.replace("4300000000ca", "4343083d00ca");
		assert_ne!(with_nonce, block::BLOB);
		assert_eq!(order(&["--blob", &with_nonce]).unwrap().spec, order(&[]).unwrap().spec);
	}

	#[test]
	fn a_search_and_a_training_do_not_mix() {
		let parse = |flags: &[&str]| Args::try_parse_from(["tequio-demo"].iter().chain(flags));
		assert_eq!(parse(&["--ml", "--rounds", "3"]).unwrap().rounds, 3);
		assert_eq!(parse(&["--ml", "--json"]).unwrap().rounds, 8);
		assert!(!parse(&["--count", "32"]).unwrap().ml);
		for mixed in [&["--ml", "--count", "32"][..], &["--rounds", "3"], &["--plot", "x"]] {
			assert!(parse(mixed).is_err(), "{mixed:?}");
		}
		assert!(parse(&["--ml", "--rounds", "0"]).is_err());
	}

	#[test]
	fn bad_flags_are_named() {
		assert!(refusal(&["--count", "0"]).contains("--count"));
		assert!(refusal(&["--start", "4294967295"]).contains("--start"));
		assert!(refusal(&["--price", "0"]).contains("--price"));
		assert!(refusal(&["--chunk", "8"]).contains("--chunk"));
		assert!(refusal(&["--count", "130"]).contains("the last one too"));
		assert!(refusal(&["--blob", "00"]).contains("--blob"));
		assert!(refusal(&["--blob", &"00".repeat(513)]).contains("512"));
		assert!(refusal(&["--seed", "zz"]).contains("--seed"));
		assert!(refusal(&["--target", &"00".repeat(32)]).contains("--target"));
		assert!(refusal(&["--target", &"ff".repeat(32)]).contains("--target"));
		assert!(refusal(&["--target", "ff"]).contains("32"));
	}
}
