//! How two claims of a step are compared.

use crate::{chunks::Chunk, claims::Step};
use sp_crypto_hashing::blake2_256;
use std::fmt;
use tequio_engine_ml::{
	near::within_band,
	payload::write_single,
	projection::{project, seed_of},
	Class, Reference,
};
use tequio_interface::program::{Projection, PROJECTED};

/// The band: one part in so many of the scale.
const PARTS: u128 = 10_000;
/// `64 · 2⁻⁴⁰`, a grid unit's square times the numbers of a projection, as a power of two.
const FLOOR: i32 = -34;

/// The rule of the chain, in integers alone: whether the worker's projection is near the auditor's,
/// and the square of their distance in parts of what it may be.
pub fn near(auditor: &Projection, worker: &Projection) -> (bool, f64) {
	let zero = |one: &Projection| one.scale == 0 && one.numbers == [0; PROJECTED];
	let exponent = match (zero(auditor), zero(worker)) {
		(true, _) => worker.exponent,
		(_, true) => auditor.exponent,
		_ => auditor.exponent.max(worker.exponent),
	};
	let aligned = |number: i64, own: i16| {
		number.checked_shr(u32::try_from(exponent - own).unwrap_or(0)).unwrap_or(0)
	};
	let apart = |own: i64, other: i64| {
		let own = aligned(own, auditor.exponent);
		u128::from(own.abs_diff(aligned(other, worker.exponent))).pow(2)
	};
	let pairs = auditor.numbers.iter().zip(&worker.numbers);
	let distance: u128 = pairs.map(|(own, other)| apart((*own).into(), (*other).into())).sum();
	let scales = 64 * apart(auditor.scale.into(), worker.scale.into());
	let band =
		64 * u128::from(aligned(auditor.scale.into(), auditor.exponent).unsigned_abs()).pow(2);
	let floor = match u32::try_from(FLOOR - 2 * i32::from(exponent)) {
		Ok(shift) => 1_u128.checked_shl(shift).unwrap_or(u128::MAX),
		Err(_) => 0,
	};
	let little = |squares: u128| squares <= floor || squares * PARTS * PARTS <= band;
	let allowed = (band as f64 / (PARTS * PARTS) as f64).max(floor as f64);
	(little(distance) && little(scales), distance.max(scales) as f64 / allowed)
}

/// What came of many comparisons.
#[derive(Default)]
pub struct Verdict {
	pub chunks: usize,
	/// By projections, against the auditor.
	pub near: usize,
	/// By bytes, against the reference.
	pub near_by_bytes: usize,
	/// Chunks in which the band is wider than the floor.
	banded: usize,
	/// Distance of the projections in parts of what it may be: the least, and the most.
	least: Option<f64>,
	most: f64,
}

impl Verdict {
	/// Compares a worker's step with an auditor's, and with the reference's.
	pub fn compare(&mut self, chunk: &Chunk, claimed: &Step, own: &Step) {
		let [file, other] =
			[claimed, own].map(|step| blake2_256(&write_single(&step.change).unwrap()));
		let seed = seed_of(&file);
		let worker = project(file, &claimed.change, claimed.scale, &seed).unwrap();
		let auditor = project(other, &own.change, own.scale, &seed).unwrap();
		let (is_near, square) = near(&auditor, &worker);
		let (change, scale) = chunk.compute(Class::BandedF32, &Reference);
		self.chunks += 1;
		self.near += usize::from(is_near);
		self.near_by_bytes += usize::from(within_band(&change, scale, &claimed.change));
		self.banded += usize::from(own.scale * 1e-4 > 1.0 / f64::from(1 << 20));
		let part = square.sqrt();
		self.least = Some(self.least.map_or(part, |least| least.min(part)));
		self.most = self.most.max(part);
	}
}

impl fmt::Display for Verdict {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { chunks, near, near_by_bytes, banded, least, most } = self;
		let least = least.unwrap_or_default();
		write!(
			f,
			"{near} of {chunks} near, {near_by_bytes} by bytes; {banded} by the band, not the floor; \
			 distances in parts of what is allowed: {least:.1e} to {most:.1e}"
		)
	}
}

#[test]
fn the_rule_is_that_of_the_chain() {
	let of = |exponent, scale, first| {
		let mut numbers = [0; PROJECTED];
		numbers[0] = first;
		Projection { change: [0; 32], exponent, scale, numbers }
	};
	// 64 · 10 000² / 10⁸ is 64: a distance of 8 is the last that is near.
	assert!(near(&of(20, 10_000, 100), &of(20, 10_000, 108)).0);
	assert!(!near(&of(20, 10_000, 100), &of(20, 10_000, 109)).0);
	// Scales have to agree as well.
	assert!(near(&of(20, 10_000, 100), &of(20, 10_001, 100)).0);
	assert!(!near(&of(20, 10_000, 100), &of(20, 10_002, 100)).0);
	// In units twice as large, odd numbers are rounded down.
	assert!(near(&of(21, 10_000, 50), &of(20, 20_000, 117)).0);
	assert!(!near(&of(21, 10_000, 50), &of(20, 20_000, 118)).0);
	// Nobody gets near by units in which everything is nothing.
	assert!(!near(&of(20, 1 << 30, 100), &of(1_000, 1 << 30, 0)).0);
	// The floor: 2⁻³⁴ is one unit of 2⁻¹⁷ squared.
	assert!(near(&of(-17, 0, 1), &of(-17, 0, 2)).0);
	assert!(!near(&of(-17, 0, 1), &of(-17, 0, 3)).0);
	assert!(!near(&of(-16, 0, 1), &of(-16, 0, 2)).0);
	assert!(near(&of(-1_000, 0, i32::MIN), &of(-1_000, 0, i32::MAX)).0);
}
