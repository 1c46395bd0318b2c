//! Projections: what is compared of outputs that honest machines do not get to the same bit.
//!
//! A projection is [`PROJECTED`] sums over the elements of an output, each with signs drawn from a
//! seed. It keeps distances: where two changes are close, so are their projections by the same
//! signs, and where they are not, hardly any signs hide it. The seed follows from the worker's own
//! bytes ([`seed_of`]), so that whoever changes them changes the signs. Auditors project what they
//! have computed themselves with the worker's seed.
//!
//! The output of such a run *is* the worker's projection, which names by hash the bytes that were
//! projected. So what is compared here is tied to what is used later: whoever reads the bytes projects
//! them again, and leaves them out where something else comes of it.
//!
//! Two projections are near where they differ by a ten-thousandth of the *scale* at most: of how
//! large the gradients are that went in. A mean of gradients that cancel each other is small, and
//! the rounding of its parts is not; so the mean itself is no measure. The scales have to agree as
//! well as the numbers do. Otherwise whoever has not computed would only have to claim a scale
//! beside which every difference is small. What is less than one unit of the grid of 2⁻²⁰ is no
//! difference.
//!
//! Source of the algorithm: D. Achlioptas, *Database-friendly random projections*, 2003.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_io::hashing::blake2_256;

/// Numbers of a projection.
pub const PROJECTED: usize = 64;
/// What is hashed before the hash of the bytes to get the seed of their projection.
pub const SEED_DOMAIN: &[u8] = b"tequio/projection";

/// Exponents of a projection.
const LEAST_EXPONENT: i16 = -1_000;
const MOST_EXPONENT: i16 = 1_000;
/// The largest number of a projection has to be this large, or its exponent could be less.
const NORMAL: u32 = 1 << 30;
/// The largest number that a projection may have.
const MOST: u32 = i32::MAX.unsigned_abs();
/// What is near differs by one part in so many of the scale at most, in root mean square.
const PARTS: u128 = 10_000;
/// The exponent of what is no difference: for each of 64 numbers, the square of a unit of the grid of
/// 2⁻²⁰.
const FLOOR_EXPONENT: i32 = 6 - 2 * 20;

/// What is shown of an output that is compared within a band.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Projection {
	/// `blake2_256` of the bytes that were projected. Of a run in which numbers got too large there
	/// are none: anything, which keeps the claim from telling that.
	pub change: H256,
	/// Numbers and scale are in units of 2 to the power of this: the least one at which all of them
	/// fit, from -1000 to 1000; 0 where all are zero.
	pub exponent: i16,
	/// Mean norm (L2) of the changes that the micro-batches ask for by themselves: how large
	/// gradients are here. Fits 31 bits.
	pub scale: u32,
	/// The sums.
	pub numbers: [i32; PROJECTED],
}

/// The seed that bytes are projected with, given their hash. It tells nobody the hash.
pub fn seed_of(change: &H256) -> H256 {
	blake2_256(&[SEED_DOMAIN, change.as_bytes()].concat()).into()
}

impl Projection {
	/// What is said of a run in which numbers got too large: zeros, with anything for the bytes.
	pub fn nothing(change: H256) -> Self {
		Self { change, exponent: 0, scale: 0, numbers: [0; PROJECTED] }
	}

	/// The hash of the output that this projection is.
	pub fn output(&self) -> H256 {
		blake2_256(&self.encode()).into()
	}

	/// The seed that the bytes have to be projected with by whoever shows this as its own output.
	pub fn seed(&self) -> H256 {
		seed_of(&self.change)
	}

	/// Whether it says nothing: all of it is zero but for the bytes.
	pub fn is_nothing(&self) -> bool {
		*self == Self::nothing(self.change)
	}

	/// Whether this is how such numbers are written: each list of sums has one form, which keeps as
	/// many digits as there is room for. Comparing relies on it.
	pub fn is_well_formed(&self) -> bool {
		let exponents = LEAST_EXPONENT..=MOST_EXPONENT;
		// At the least exponent numbers may be as small as they are.
		let least = self.exponent == LEAST_EXPONENT;
		match self.largest() {
			0 => self.exponent == 0,
			largest => {
				largest <= MOST
					&& exponents.contains(&self.exponent)
					&& (largest >= NORMAL || least)
			},
		}
	}

	/// Whether another projection by the same signs lies within the band around this one. Both are
	/// well formed.
	pub fn is_near(&self, other: &Self) -> bool {
		let exponent = self.common_exponent(other);
		let (own, other) = (self.aligned(exponent), other.aligned(exponent));
		let numbers = own.numbers.iter().zip(&other.numbers);
		let apart = numbers.map(|(one, other)| square(one.abs_diff(*other)));
		let apart = apart.fold(0, u128::saturating_add);
		let scales_apart = times_projected(square(own.scale.abs_diff(other.scale)));
		let (band, floor) = (times_projected(square(own.scale)), floor(exponent));
		let is_little = |squares: u128| {
			squares <= floor || squares.saturating_mul(PARTS).saturating_mul(PARTS) <= band
		};
		is_little(apart) && is_little(scales_apart)
	}

	/// The largest of all numbers, without signs.
	fn largest(&self) -> u32 {
		let numbers = self.numbers.iter().map(|number| number.unsigned_abs());
		numbers.fold(self.scale, u32::max)
	}

	/// The exponent at which this and another projection are compared: the larger one, since the
	/// larger one of the two has no more digits. Zeros are zeros at any.
	fn common_exponent(&self, other: &Self) -> i16 {
		match (self.largest(), other.largest()) {
			(0, _) => other.exponent,
			(_, 0) => self.exponent,
			_ => self.exponent.max(other.exponent),
		}
	}

	/// The same in units of a larger exponent, rounded down.
	fn aligned(&self, exponent: i16) -> Self {
		let places = i32::from(exponent).saturating_sub(self.exponent.into());
		let places = u32::try_from(places).unwrap_or(0);
		Self {
			change: self.change,
			exponent,
			scale: self.scale.checked_shr(places).unwrap_or(0),
			numbers: self.numbers.map(|number| number.checked_shr(places).unwrap_or(0)),
		}
	}
}

fn square(number: u32) -> u128 {
	u128::from(number).saturating_pow(2)
}

/// What a square comes to in all numbers of a projection.
fn times_projected(square: u128) -> u128 {
	square.saturating_mul(PROJECTED as u128)
}

/// The sum of squares, in units of 2 to the power of twice the exponent, up to which there is no
/// difference.
fn floor(exponent: i16) -> u128 {
	let places = FLOOR_EXPONENT.saturating_sub(i32::from(exponent).saturating_mul(2));
	match u32::try_from(places) {
		Ok(places) => 1u128.checked_shl(places).unwrap_or(u128::MAX),
		Err(_) => 0,
	}
}
