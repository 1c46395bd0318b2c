//! Projections: a change of weights in 64 numbers, which tell how far two changes are apart.
//!
//! ```text
//! seed     = blake2_256("tequio/projection" ‖ blake2_256 of the change's file)
//! number j = Σ ± element, plus where bit j of the element's u64 of ChaCha20(seed) is set
//! ```
//!
//! Elements run tensor by tensor in the order of the model, row-major, and sums in that order, in
//! doubles. The mean square of the numbers' differences is, in expectation over the signs, the
//! square of the distance of the two changes (Johnson and Lindenstrauss 1984, with signs by
//! Achlioptas 2003).
//!
//! All parties of an attempt project by one seed, that of the worker's file. The worker is bound to
//! its change before the seed is known, since the seed is drawn from it: nobody can hide a
//! difference where the signs do not see it.
//!
//! On the way to the chain they become integers with a common power of two: see [`Projection`]. The
//! chain compares these and never sees the change. So the output of such a chunk is the projection
//! of its change, with the hash of the file: whoever uses the file projects it again, in plain Rust
//! and to the last bit, and takes it only where the same comes of it. Otherwise somebody could show
//! the projection of the true change and hand over any other file. Referees project by the seed
//! that they are given ([`is_by`]); who aggregates takes the worker's output, whose seed is its own
//! ([`is_of`]).

use crate::tensor::State;
use codec::{DecodeAll, Encode};
use rand_chacha::{
	rand_core::{RngCore, SeedableRng},
	ChaCha20Rng,
};
use sp_crypto_hashing::blake2_256;
use tequio_interface::program::{Projection, PROJECTED, SEED_DOMAIN};

/// Exponents that a projection may have, in both directions.
pub const MAX_EXPONENT: i16 = 1_000;
/// Bytes of a projection: hash, exponent, scale and numbers.
pub const PROJECTION_BYTES: usize = 32 + 2 + 4 + 4 * PROJECTED;
/// Explicit bits of a double's mantissa.
const MANTISSA_BITS: u32 = 52;
/// Exponent of the doubles whose exponent bits are zero, negated.
const EXPONENT_BIAS: i16 = 1_023;
/// The largest number that has so many bits before its point fits into an i32, unless it is rounded
/// up.
const BITS_BEFORE_THE_POINT: i16 = 30;

/// The seed of the projection of a change whose file has this hash.
pub fn seed_of(file: &[u8; 32]) -> [u8; 32] {
	blake2_256(&[SEED_DOMAIN, file].concat())
}

/// The projection of a change whose file has this hash. `scale`: how large changes are
/// ([`Descent::scale`](crate::backend::Descent::scale)). None: a number is infinite or NaN, or the
/// scale is negative.
pub fn project(file: [u8; 32], change: &State, scale: f64, seed: &[u8; 32]) -> Option<Projection> {
	canonical(file, &sums(change, seed), scale)
}

/// What is said of a step in which numbers get too large: zeros. There is no file, so its hash is
/// drawn: a worker's claim is the seed that follows from it, and a known one would tell its
/// auditors what they should find.
pub fn nothing() -> Projection {
	let mut change = [0; 32];
	ChaCha20Rng::from_entropy().fill_bytes(&mut change);
	Projection { change, exponent: 0, scale: 0, numbers: [0; PROJECTED] }
}

/// Whether a projection is that of this change by its own seed, as a worker's is: see [`is_by`].
pub fn is_of(claimed: &Projection, change: &State) -> bool {
	is_by(claimed, change, &seed_of(&claimed.change))
}

/// Whether a projection is that of this change by a seed. The change was read from the file that
/// the projection names.
///
/// The scale is not in the file, so it is taken as it is claimed. But a projection has one form,
/// and it has to be in that: rounded as it is, the scale gives the same form as it did before.
pub fn is_by(claimed: &Projection, change: &State, seed: &[u8; 32]) -> bool {
	let Some(scale) = scale_of(claimed) else { return false };
	project(claimed.change, change, scale, seed).as_ref() == Some(claimed)
}

/// The scale that a projection claims. None: its exponent is that of no projection.
pub fn scale_of(claimed: &Projection) -> Option<f64> {
	Some(f64::from(claimed.scale) * power_of_two(claimed.exponent)?)
}

/// A projection as an output: its SCALE encoding, of [`PROJECTION_BYTES`].
pub fn write(projection: &Projection) -> Vec<u8> {
	projection.encode()
}

/// Reads what [`write()`] wrote. Any bytes of that length are a projection of something.
pub fn read(mut bytes: &[u8]) -> Result<Projection, codec::Error> {
	Projection::decode_all(&mut bytes)
}

/// The sums of the signed elements.
pub fn sums(change: &State, seed: &[u8; 32]) -> [f64; PROJECTED] {
	let mut numbers = [0.0_f64; PROJECTED];
	let mut signs = ChaCha20Rng::from_seed(*seed);
	for element in change.0.iter().flat_map(|(_, tensor)| tensor.data()) {
		let (minus, bits) = (!signs.next_u64(), element.to_bits());
		for (place, number) in numbers.iter_mut().enumerate() {
			// The sign bit of a double is its highest one. A set bit of `minus` turns it over.
			*number += f64::from_bits(bits ^ (((minus >> place) & 1) << 63));
		}
	}
	numbers
}

/// Real numbers and their scale as integers in the one form that they have, of a change whose file
/// has this hash. None: one of them is infinite or NaN, or the scale is negative.
pub fn canonical(file: [u8; 32], numbers: &[f64; PROJECTED], scale: f64) -> Option<Projection> {
	if !(scale >= 0.0 && scale.is_finite() && numbers.iter().all(|number| number.is_finite())) {
		return None;
	}
	let largest = numbers.iter().fold(scale, |most, number| most.max(number.abs()));
	// 2^magnitude is at most the number: too small an exponent for zero and subnormal ones, which are
	// far below the bound.
	let magnitude = i16::try_from(largest.to_bits() >> MANTISSA_BITS).ok()? - EXPONENT_BIAS;
	let least = magnitude - BITS_BEFORE_THE_POINT;
	let first = least.clamp(-MAX_EXPONENT, MAX_EXPONENT);
	// In the first, the largest may be rounded up to 2³¹; in the second it is half of that.
	let exponent = (first..=first + 1).find(|exponent| in_units(largest, *exponent).is_some())?;
	let mut units = [0; PROJECTED];
	for (unit, number) in units.iter_mut().zip(numbers) {
		*unit = in_units(*number, exponent)?;
	}
	let scale = u32::try_from(in_units(scale, exponent)?).ok()?;
	// At the least exponent, numbers that are not zero may have become it.
	let is_nothing = scale == 0 && units.iter().all(|unit| *unit == 0);
	let exponent = if is_nothing { 0 } else { exponent };
	Some(Projection { change: file, exponent, scale, numbers: units })
}

/// A number in units of `2^exponent`, to the nearest, ties to even. None: it is beyond `2³¹ − 1`.
/// The exponent is that of a projection.
fn in_units(number: f64, exponent: i16) -> Option<i32> {
	// Multiplying with a power of two moves the exponent alone, but for results that are rounded to
	// zero anyway.
	let units = (number * power_of_two(-exponent)?).round_ties_even();
	(units.abs() <= f64::from(i32::MAX)).then_some(units as i32)
}

/// `2^exponent`, which is a normal number. None: the exponent is that of no projection.
fn power_of_two(exponent: i16) -> Option<f64> {
	if !(-MAX_EXPONENT..=MAX_EXPONENT).contains(&exponent) {
		return None;
	}
	let biased = u64::try_from(EXPONENT_BIAS + exponent).ok()?;
	Some(f64::from_bits(biased << MANTISSA_BITS))
}
