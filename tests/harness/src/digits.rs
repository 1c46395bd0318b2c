//! Digits written by hand: 1,797 pictures of 8 × 8 pixels, which `scripts/setup` fetches.
//!
//! They are the test set of UCI's "Optical Recognition of Handwritten Digits" (E. Alpaydin and C.
//! Kaynak, 1998), as scikit-learn ships it under BSD-3-Clause. Everything here is the same each
//! time: the same rows are trained on and the same are kept back.

use crate::{cache, numbers::SplitMix64};
use anyhow::{anyhow, ensure, Context, Result};
use sp_crypto_hashing::sha2_256;
use std::{array, fs, path::Path};
use tequio_engine_ml::safetensors::{write, Source, Values};

/// Pixels of a picture.
pub const PIXELS: usize = 64;
/// Digits that there are.
pub const CLASSES: u32 = 10;
/// The darkest pixel; the brightest is 0.
const DARKEST: u8 = 16;
/// SHA-256 of the file.
const HASH: &str = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8";
/// Where the order of the rows comes from.
const SEED: u64 = 1;
/// One row in so many is kept back.
const KEPT_BACK: usize = 5;

/// A picture, its pixels from 0 to 16, and the digit that it shows.
pub type Row = ([u8; PIXELS], u8);

/// Pictures and what they show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digits {
	rows: Vec<Row>,
}

/// What is trained on, and what is kept back to see what was learnt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
	/// To train on: four fifths of each digit.
	pub train: Digits,
	/// Kept back: the rest.
	pub test: Digits,
}

impl Digits {
	/// Reads the file that `scripts/setup` has fetched.
	pub fn load() -> Result<Self> {
		let path = cache::folder()?.join("digits.csv");
		Self::read(&path)
			.with_context(|| format!("{}: run scripts/setup, which fetches it", path.display()))
	}

	fn read(path: &Path) -> Result<Self> {
		let bytes = fs::read(path)?;
		let hash = hex::encode(sha2_256(&bytes));
		ensure!(hash == HASH, "the file is another one, of the SHA-256 {hash}");
		Self::parse(&String::from_utf8(bytes)?)
	}

	/// Reads a line for each row: 64 pixels and the digit, divided by commas.
	fn parse(text: &str) -> Result<Self> {
		let rows = text.lines().enumerate().map(|(place, line)| {
			parse_row(line).with_context(|| format!("line {}", place.saturating_add(1)))
		});
		Ok(Self { rows: rows.collect::<Result<_>>()? })
	}

	/// The rows.
	pub fn rows(&self) -> &[Row] {
		&self.rows
	}

	/// Divides them, each digit alike. What is trained on comes in the order of the digits.
	pub fn split(&self) -> Split {
		let mut rows = self.rows.clone();
		SplitMix64::new(SEED).shuffle(&mut rows);
		// A stable sort: rows of one digit stay in the order of the shuffle.
		rows.sort_by_key(|row| row.1);
		let (test, train): (Vec<_>, Vec<_>) =
			rows.into_iter().enumerate().partition(|(place, _)| place.is_multiple_of(KEPT_BACK));
		let rows = |numbered: Vec<(usize, Row)>| Self {
			rows: numbered.into_iter().map(|(_, row)| row).collect(),
		};
		Split { train: rows(train), test: rows(test) }
	}

	/// Deals the rows out to so many shards, in turn: shards of a split have each digit alike.
	pub fn shards(&self, shards: usize) -> Vec<Self> {
		let dealt = |shard| self.rows.iter().skip(shard).step_by(shards.max(1)).copied().collect();
		(0..shards).map(|shard| Self { rows: dealt(shard) }).collect()
	}

	/// Shards that have only `labels_each` digits each: the first those from 0 on, the second those
	/// that follow, and so on around the ten. Rows of a digit that several shards have are dealt out
	/// among them; of one that none has, they are left out.
	pub fn label_shards(&self, shards: usize, labels_each: usize) -> Vec<Self> {
		let mut holders: [Vec<usize>; CLASSES as usize] = array::from_fn(|_| Vec::new());
		for shard in 0..shards {
			for place in 0..labels_each.min(holders.len()) {
				let label = (shard * labels_each + place) % holders.len();
				holders.get_mut(label).into_iter().for_each(|holders| holders.push(shard));
			}
		}
		let mut dealt = vec![Self::default(); shards];
		let mut turns = [0_usize; CLASSES as usize];
		for row in &self.rows {
			let label = usize::from(row.1);
			let (Some(holders), Some(turn)) = (holders.get(label), turns.get_mut(label)) else {
				continue;
			};
			let holder = turn.checked_rem(holders.len()).and_then(|turn| holders.get(turn));
			*turn = turn.saturating_add(1);
			let shard = holder.and_then(|holder| dealt.get_mut(*holder));
			shard.into_iter().for_each(|shard| shard.rows.push(*row));
		}
		dealt
	}

	/// The rows as a shard of a data set: a safetensors file. Pixels are divided by 16, which is
	/// exact.
	pub fn bytes(&self) -> Result<Vec<u8>> {
		let pixels = self.rows.iter().flat_map(|row| row.0);
		let x: Vec<f64> = pixels.map(|pixel| f64::from(pixel) / f64::from(DARKEST)).collect();
		let y: Vec<u8> = self.rows.iter().map(|row| row.1).collect();
		let (pictures, labels) = ([y.len(), PIXELS], [y.len()]);
		Ok(write(&[
			Source { name: "x", shape: &pictures, values: Values::F64(&x) },
			Source { name: "y", shape: &labels, values: Values::U8(&y) },
		])?)
	}
}

fn parse_row(line: &str) -> Result<Row> {
	let numbers = line.split(',').map(str::parse::<u8>).collect::<Result<Vec<_>, _>>()?;
	let found = numbers.len();
	let (label, pixels) = numbers.split_last().context("it is empty")?;
	let pixels: [u8; PIXELS] = pixels
		.try_into()
		.map_err(|_| anyhow!("{found} numbers; a row has {PIXELS} pixels and a digit"))?;
	ensure!(pixels.iter().all(|pixel| *pixel <= DARKEST), "a pixel is above {DARKEST}");
	ensure!(u32::from(*label) < CLASSES, "{label} is no digit");
	Ok((pixels, *label))
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use std::collections::BTreeSet;
	use tequio_engine_ml::dataset::Shard;

	/// Rows that can be told apart, ten of each digit.
	fn digits() -> Digits {
		let row = |number: u8| {
			let mut pixels = [0; PIXELS];
			pixels[usize::from(number % 64)] = 1 + number / 64;
			(pixels, number % 10)
		};
		Digits { rows: (0..100).map(row).collect() }
	}

	fn labels(digits: &Digits) -> Vec<u8> {
		digits.rows.iter().map(|row| row.1).collect()
	}

	fn together(shards: &[Digits]) -> BTreeSet<Row> {
		shards.iter().flat_map(|shard| shard.rows.clone()).collect()
	}

	#[test]
	fn rows_are_read_and_wrong_ones_are_named() {
		let line = |first: &str| format!("{first}{}", ",0".repeat(64));
		let text = format!("{}\n{}\n", line("16"), line("3"));
		let read = Digits::parse(&text).unwrap();
		assert_eq!((read.rows.len(), read.rows[0].0[0], read.rows[0].1), (2, 16, 0));
		for wrong in ["17", "-1", "x", "", "1,1"] {
			let refused = Digits::parse(&format!("{}\n{}", line("1"), line(wrong))).unwrap_err();
			assert!(refused.to_string().contains("line 2"), "{wrong}: {refused:#}");
		}
		assert!(Digits::parse(&format!("{}10", "0,".repeat(64))).is_err());
	}

	#[test]
	fn every_fifth_row_of_each_digit_is_kept_back() {
		let split = digits().split();
		assert_eq!(split, digits().split());
		assert_eq!((split.train.rows.len(), split.test.rows.len()), (80, 20));
		let twice: Vec<u8> = (0..20).map(|place| place / 2).collect();
		assert_eq!(labels(&split.test), twice);
		let all = together(&[split.train, split.test]);
		assert_eq!(all, together(&[digits()]));
	}

	#[test]
	fn shards_are_dealt_alike() {
		let shards = digits().split().train.shards(4);
		assert!(shards.iter().all(|shard| shard.rows.len() == 20));
		for digit in 0..10 {
			let of_it = |shard: &Digits| labels(shard).iter().filter(|at| **at == digit).count();
			assert!(shards.iter().all(|shard| of_it(shard) == 2));
		}
		assert_eq!(together(&shards), together(&[digits().split().train]));
		assert!(digits().shards(0).is_empty());
	}

	#[test]
	fn label_shards_have_few_digits_and_lose_no_row() {
		let shards = digits().label_shards(5, 2);
		for (place, shard) in (0_u8..).zip(&shards) {
			let found: BTreeSet<u8> = labels(shard).into_iter().collect();
			assert_eq!(found, BTreeSet::from([2 * place, 2 * place + 1]));
		}
		assert_eq!(together(&shards), together(&[digits()]));
		// Two shards have the digits from 0 to 5.
		let shards = digits().label_shards(8, 2);
		assert_eq!(
			(shards[0].rows.len(), shards[5].rows.len(), shards[3].rows.len()),
			(10, 10, 20)
		);
		assert_eq!(together(&shards), together(&[digits()]));
	}

	#[test]
	fn bytes_are_a_shard() {
		let bytes = digits().bytes().unwrap();
		let shard = Shard::read(&bytes, bytes.len(), CLASSES).unwrap();
		assert_eq!((shard.rows(), shard.sample_shape()), (100, [PIXELS].as_slice()));
		let picked = shard.pick(&[65]).unwrap();
		assert_eq!((picked.x.data()[1], picked.y), (0.125, vec![5]));
	}
}
