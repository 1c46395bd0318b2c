//! Compressed changes of weights: the largest elements of each tensor, in a byte each.
//!
//! ```text
//! change + residual ─▶ the k largest ─▶ value ÷ scale, to the nearest of −127 … 127 ─▶ bytes
//!                       what was left out or rounded off is the next residual ◀───┘
//! ```
//!
//! All of it happens in grid units, so in integers: what is decoded lies on the grid, it and the
//! residual add up to the input to the last unit, and every machine gets the same. The residual is
//! added to the next change of the same worker, so nothing is lost, only late (*error feedback*,
//! Seide et al. 2014, Karimireddy et al. 2019).
//!
//! ## Encoding
//! One piece for each tensor, in the order of the model. The integers are SCALE's compact ones.
//!
//! | part | what it is |
//! | --- | --- |
//! | `scale` | grid units of one step; 0 exactly where nothing is kept |
//! | `count` | elements kept |
//! | `count` gaps | elements skipped before each kept one, row-major |
//! | `count` bytes | steps, as i8: −127 to 127 without 0 |
//!
//! Names and shapes are not sent: they are the model's, not the sender's to choose.

mod decode;

pub use decode::decode;

use crate::{
	grid::{in_range, GridState, GridTensor, MAX_UNITS},
	tensor::State,
};
use codec::{Compact, Encode};
use std::{
	cmp::{Ordering, Reverse},
	iter,
};

/// Parts per million in one.
pub const MILLION: u32 = 1_000_000;
/// Steps that an element may have in both directions.
const MAX_STEPS: i64 = i8::MAX as i64;
/// The largest scale: that of the largest element.
const MAX_SCALE: i64 = MAX_UNITS / MAX_STEPS + 1;

/// Why a change is not compressed, or bytes are no change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompressError {
	/// The share to keep is out of bounds.
	#[error("{0} parts per million cannot be kept; 1 to {MILLION} can")]
	Keep(u32),
	/// Change and residual are not of one model.
	#[error("change and residual differ in names, order or shapes")]
	OtherShapes,
	/// Change and residual together are beyond the grid.
	#[error(
		"element {index} of `{name}` and its residual are together beyond the grid's 2^40 units"
	)]
	OutOfRange {
		/// Name of the tensor.
		name: String,
		/// Place of the element, row-major, from 0.
		index: usize,
	},
	/// The tensor has more elements than places can be written for.
	#[error("`{name}` has {elements} elements; 2^32 - 1 are the most")]
	TooManyElements {
		/// Name of the tensor.
		name: String,
		/// Its elements.
		elements: usize,
	},
	/// The bytes end early, or an integer is not written as it should be.
	#[error("in `{name}`: {error}")]
	Malformed {
		/// Name of the tensor.
		name: String,
		/// What the decoder says.
		error: codec::Error,
	},
	/// More is kept than is there.
	#[error("`{name}` claims {claimed} kept elements; it has {elements}, and {left} bytes follow")]
	TooManyKept {
		/// Name of the tensor.
		name: String,
		/// Elements that were claimed.
		claimed: u32,
		/// Elements that the model has.
		elements: usize,
		/// Bytes that follow, of which each kept element takes two or more.
		left: usize,
	},
	/// The scale is too large, or there is one without elements, or the other way round.
	#[error("`{name}` keeps {kept} elements at a scale of {scale} units")]
	Scale {
		/// Name of the tensor.
		name: String,
		/// Elements kept.
		kept: u32,
		/// Grid units of one step.
		scale: u64,
	},
	/// A place is behind the last element.
	#[error("`{0}` keeps an element behind its last one")]
	Place(String),
	/// A number of steps that is not written, or leads beyond the grid.
	#[error("`{name}` has an element of {steps} steps of {scale} units")]
	Steps {
		/// Name of the tensor.
		name: String,
		/// The steps.
		steps: i8,
		/// Grid units of one step.
		scale: i64,
	},
	/// There are bytes that belong to no tensor.
	#[error("{0} bytes follow the last tensor")]
	Trailing(usize),
}

/// A compressed change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compressed {
	/// The encoding; its length is what is sent.
	pub bytes: Vec<u8>,
	/// Elements that were kept.
	pub kept: usize,
	/// What [`decode()`] makes of the bytes.
	pub change: GridState,
	/// What was left out, for the next change.
	pub residual: GridState,
}

/// Says whether so many parts per million can be kept: 1 to [`MILLION`].
pub fn check_keep(keep: u32) -> Result<(), CompressError> {
	(1..=MILLION).contains(&keep).then_some(()).ok_or(CompressError::Keep(keep))
}

/// Compresses a change to the largest elements of each tensor.
///
/// `residual`: what the last compression left, or zeros ([`GridState::zeros_like`]). `keep`: parts
/// per million of each tensor's elements to keep, 1 to [`MILLION`], rounded up. Elements of equal
/// magnitude: the earlier one is kept. Elements that are rounded to zero are left out.
pub fn compress(
	change: &GridState,
	residual: &GridState,
	keep: u32,
) -> Result<Compressed, CompressError> {
	check_keep(keep)?;
	if !change.same_shapes(residual) {
		return Err(CompressError::OtherShapes);
	}
	let mut compressed = Compressed {
		bytes: Vec::new(),
		kept: 0,
		change: GridState::default(),
		residual: GridState::default(),
	};
	for ((name, tensor), (_, rest)) in iter::zip(&change.0, &residual.0) {
		let wanted = add(name, tensor.units(), rest.units())?;
		let steps = Steps::of(name, &wanted, keep)?;
		steps.encode_to(&mut compressed.bytes);
		compressed.kept = compressed.kept.saturating_add(steps.places.len());
		let sent = steps.expand(wanted.len());
		let left = iter::zip(&wanted, &sent).map(|(wanted, sent)| wanted - sent).collect();
		for (state, units) in [(&mut compressed.change, sent), (&mut compressed.residual, left)] {
			// What is sent is no larger than the scale's steps allow, and what is left no larger
			// than what was wanted: both lie on the grid.
			let tensor = GridTensor::new(tensor.shape().to_vec(), units);
			state.0.extend(tensor.map(|tensor| (name.clone(), tensor)));
		}
	}
	Ok(compressed)
}

/// Change and residual together.
fn add(name: &str, change: &[i64], residual: &[i64]) -> Result<Vec<i64>, CompressError> {
	// Both are on the grid, so the sum does not overflow.
	let sums: Vec<i64> = iter::zip(change, residual).map(|(one, other)| one + other).collect();
	match sums.iter().position(|sum| !in_range(*sum)) {
		Some(index) => Err(CompressError::OutOfRange { name: name.to_owned(), index }),
		None => Ok(sums),
	}
}

/// The kept elements of a tensor.
struct Steps {
	/// Grid units of one step; 0 without elements.
	scale: i64,
	/// Where the elements are, ascending, and how many steps they have.
	places: Vec<(u32, i8)>,
}

impl Steps {
	/// Chooses and rounds.
	fn of(name: &str, units: &[i64], keep: u32) -> Result<Self, CompressError> {
		let places = largest(units, keep).ok_or_else(|| CompressError::TooManyElements {
			name: name.to_owned(),
			elements: units.len(),
		})?;
		let kept = places.iter().filter_map(|place| Some((*place, *units.get(*place as usize)?)));
		let magnitude = kept.clone().map(|(_, units)| units.unsigned_abs()).max().unwrap_or(0);
		// Magnitudes lie on the grid, so they fit.
		let scale =
			i64::try_from(magnitude.div_ceil(MAX_STEPS.unsigned_abs())).unwrap_or(MAX_SCALE);
		if scale == 0 {
			return Ok(Self { scale, places: Vec::new() });
		}
		// At the very edge of the grid, the last step would lead beyond it.
		let most = MAX_STEPS.min(MAX_UNITS / scale);
		let rounded = kept.filter_map(|(place, units)| {
			let steps = divide_to_even(units, scale).clamp(-most, most);
			i8::try_from(steps).ok().filter(|steps| *steps != 0).map(|steps| (place, steps))
		});
		Ok(Self { scale, places: rounded.collect() })
	}

	/// Appends the encoding.
	fn encode_to(&self, bytes: &mut Vec<u8>) {
		Compact(self.scale.unsigned_abs()).encode_to(bytes);
		// Places are u32 and ascending, so there are no more than u32 counts.
		Compact(self.places.len() as u32).encode_to(bytes);
		let mut next = 0;
		for (place, _) in &self.places {
			Compact(place.saturating_sub(next)).encode_to(bytes);
			next = place.saturating_add(1);
		}
		bytes.extend(self.places.iter().map(|(_, steps)| steps.to_le_bytes()[0]));
	}

	/// The tensor that is decoded: zeros but for the kept elements.
	fn expand(&self, elements: usize) -> Vec<i64> {
		let mut units = vec![0; elements];
		for (place, steps) in &self.places {
			if let Some(target) = units.get_mut(*place as usize) {
				*target = i64::from(*steps) * self.scale;
			}
		}
		units
	}
}

/// Places of the largest elements, ascending; of equal ones, the earlier. None: there are more
/// elements than u32 counts.
fn largest(units: &[i64], keep: u32) -> Option<Vec<u32>> {
	let elements = u32::try_from(units.len()).ok()?;
	let share = (u64::from(elements) * u64::from(keep)).div_ceil(u64::from(MILLION));
	let wanted = usize::try_from(share).ok()?;
	let mut places: Vec<u32> = (0..elements).collect();
	let rank = |place: &u32| {
		let magnitude = units.get(*place as usize).map_or(0, |units| units.unsigned_abs());
		(Reverse(magnitude), *place)
	};
	if wanted < places.len() {
		places.select_nth_unstable_by_key(wanted, rank);
		places.truncate(wanted);
	}
	places.sort_unstable();
	Some(places)
}

/// The nearest integer to `number ÷ divisor`, ties to even. The divisor is positive.
fn divide_to_even(number: i64, divisor: i64) -> i64 {
	let (floor, rest) = (number.div_euclid(divisor), number.rem_euclid(divisor));
	let above = match rest.cmp(&(divisor - rest)) {
		Ordering::Less => 0,
		Ordering::Equal => floor & 1,
		Ordering::Greater => 1,
	};
	floor + above
}

/// The most bytes that a change to a model of these weights takes.
pub fn max_bytes(weights: &State) -> usize {
	// A compact u64 of up to 2^34 takes nine bytes at most, a compact u32 five, steps one.
	let tensors = weights.0.iter().map(|(_, tensor)| tensor.len().saturating_mul(6));
	tensors.fold(0, |sum, elements| sum.saturating_add(elements).saturating_add(14))
}
