//! What the audits of a chunk cost beside its search: a chunk of 2¹⁸ nonces that expects 64 shares,
//! each of its two auditors hashing those and the drawn sub-range.

use crate::{
	figure::{Figure, Report, Sense},
	search,
};
use anyhow::Result;
use pallet_verification::Rules;

/// Nonces of the chunk.
const NONCES: u32 = 1 << 18;
/// Shares that it expects.
const LAMBDA: u16 = 64;
/// Hashes of all audits in hashes of the search.
const GOAL: f64 = 0.005;

/// How fast one thread is.
pub struct Speed {
	/// Hashes per second with a dataset.
	pub fast: f64,
	/// Hashes per second with a cache.
	pub light: f64,
	/// Seconds that a cache takes.
	pub cache: f64,
}

/// What is hashed of a chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Hashes {
	auditors: f64,
	/// By each of them.
	audit: f64,
	search: f64,
}

impl Hashes {
	fn count() -> Result<Self> {
		let range = search::spec(1, NONCES, LAMBDA)?.range(0);
		Ok(Self {
			auditors: f64::from(Rules::default().search.auditors),
			audit: f64::from(range.expected_shares() + range.audited_count()),
			search: f64::from(range.count),
		})
	}
}

/// Prints it in hashes, for auditors who have the key at hand, and in seconds, for auditors in light
/// mode who have to build its cache first while the worker has its dataset.
pub fn run(report: &mut Report, speed: &Speed) -> Result<()> {
	let Hashes { auditors, audit, search } = Hashes::count()?;
	report.figure(Figure {
		name: "randomx/verify, hashes of the audits".into(),
		ours: auditors * audit,
		anchor: search,
		unit: "hashes",
		goal: GOAL,
		sense: Sense::Max,
	});
	report.figure(Figure {
		name: "randomx/verify, light and cold".into(),
		ours: auditors * (speed.cache + audit / speed.light),
		anchor: search / speed.fast,
		unit: "s",
		goal: 0.0,
		sense: Sense::Min,
	});
	Ok(())
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn audits_hash_the_shares_and_the_sub_range() {
		let hashes = Hashes::count().unwrap();
		assert_eq!(hashes, Hashes { auditors: 2.0, audit: 64.0 + 512.0, search: 262_144.0 });
		assert!(hashes.auditors * hashes.audit / hashes.search <= GOAL);
	}
}
