//! *Near*: which outputs of others differ from one's own by what honest machines differ by. Only in
//! [`BandedF32`](crate::Class::BandedF32) do they: elsewhere outputs are equal, or one of them is
//! wrong.
//!
//! An output is near where
//! - it is a projection, and names a file of 32-bit floats whose change is at most [`BAND`] of
//!   one's own scale away in L2 norm, or [`FLOOR`];
//! - its scale is no further from one's own;
//! - it is the projection of that file by the seed that all of an attempt were given.
//!
//! Only referees judge, and of outputs that are not their own. Bytes that are there and do not fit
//! are not near. Bytes that are not to be had, or too long, end the job: nobody is found wrong
//! because bytes are withheld. Divergence is equal or it is not.

use crate::{
	backend::Descent,
	blobs::{Blobs, FetchError},
	grid::UNITS_PER_ONE,
	handed_over::HandedOver,
	projection::{is_by, scale_of},
	tensor::State,
};
use tequio_interface::program::Projection;

/// Share of the scale within which results of [`BandedF32`](crate::Class::BandedF32) are near: a
/// ten-thousandth.
pub const BAND: f64 = 1e-4;
/// Distance that makes no difference, whatever the scale: one grid unit in all.
pub const FLOOR: f64 = 1.0 / UNITS_PER_ONE as f64;
/// What is fetched of others, for a log.
const CALLED: (&str, &str) = ("output of another", "change of another");
/// Share of the band that a backend in 32-bit floats may be off by itself: two that are off in
/// opposite directions are within the band, whatever their projections make of the distance.
const OWN_SHARE: f64 = 0.25;

/// Those of the others' outputs, named by hash, that are near one's own, in their order. `weights`
/// are those that all of them started from, `seed` is what all of them project by.
pub fn judge<'o>(
	blobs: &mut impl Blobs,
	own: &Descent,
	weights: &State,
	seed: &[u8; 32],
	others: impl Iterator<Item = &'o [u8; 32]>,
) -> Result<Vec<[u8; 32]>, FetchError> {
	let mut near = Vec::new();
	for other in others {
		let Some(step) = HandedOver::fetch(blobs, other, weights, CALLED)? else { continue };
		if is_near(own, &step.claimed, &step.change, seed) {
			near.push(*other);
		}
	}
	Ok(near)
}

/// Whether a projection is that of this change by the seed, and both are within the band around
/// one's own.
fn is_near(own: &Descent, claimed: &Projection, change: &State, seed: &[u8; 32]) -> bool {
	let band = band(own.scale);
	scale_of(claimed).is_some_and(|scale| (scale - own.scale).abs() <= band)
		&& are_within(&own.change, change, band)
		&& is_by(claimed, change, seed)
}

/// Whether another change of the same shapes lies within the band around one's own.
pub fn within_band(own: &State, scale: f64, other: &State) -> bool {
	are_within(own, other, band(scale))
}

/// Whether a step in 32-bit floats is so close to the same step in doubles that no honest machine
/// would call it wrong: changes and scales are at most a quarter of the band apart. The band is
/// that of the `other`'s scale, which is the step in doubles.
pub fn is_well_conditioned(one: &Descent, other: &Descent) -> bool {
	let most = OWN_SHARE * band(other.scale);
	(one.scale - other.scale).abs() <= most && are_within(&one.change, &other.change, most)
}

/// How far a change, or its scale, may be from one of this scale.
fn band(scale: f64) -> f64 {
	(BAND * scale).max(FLOOR)
}

/// Whether two changes have the same shapes and are so close in L2 norm.
fn are_within(one: &State, other: &State, most: f64) -> bool {
	if !one.same_shapes(other) {
		return false;
	}
	let mut squares = 0.0_f64;
	for ((_, one), (_, other)) in one.0.iter().zip(&other.0) {
		for (one, other) in one.data().iter().zip(other.data()) {
			squares += (one - other) * (one - other);
		}
	}
	squares.sqrt() <= most
}
