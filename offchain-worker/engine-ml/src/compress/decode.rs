//! Reading a compressed change that somebody else wrote.

use super::{max_bytes, CompressError, MAX_SCALE, MAX_STEPS};
use crate::{
	grid::{in_range, GridState, GridTensor},
	tensor::State,
};
use codec::{Compact, Decode};
use std::iter;

/// Bytes that a kept element takes at least: one of its gap, one of its steps.
const LEAST_BYTES: usize = 2;

/// Reads a change to a model of these weights.
///
/// Takes memory for one change of the model, whatever the bytes claim. Bytes that are longer than
/// [`max_bytes`] are refused unread.
pub fn decode(bytes: &[u8], weights: &State) -> Result<GridState, CompressError> {
	let trailing = bytes.len().saturating_sub(max_bytes(weights));
	if trailing > 0 {
		return Err(CompressError::Trailing(trailing));
	}
	let mut rest = bytes;
	let mut state = GridState::default();
	for (name, weight) in &weights.0 {
		let units = read_tensor(&mut rest, name, weight.len())?;
		let tensor = GridTensor::new(weight.shape().to_vec(), units);
		state.0.push((name.clone(), tensor.ok_or(CompressError::OtherShapes)?));
	}
	match rest.len() {
		0 => Ok(state),
		trailing => Err(CompressError::Trailing(trailing)),
	}
}

/// Reads one tensor, and leaves what follows it.
fn read_tensor(rest: &mut &[u8], name: &str, elements: usize) -> Result<Vec<i64>, CompressError> {
	let malformed = |error| CompressError::Malformed { name: name.to_owned(), error };
	let Compact(scale) = Compact::<u64>::decode(rest).map_err(malformed)?;
	let Compact(kept) = Compact::<u32>::decode(rest).map_err(malformed)?;
	let count = check_count(name, kept, elements, rest.len())?;
	let scale = check_scale(name, kept, scale)?;
	let mut gaps = *rest;
	skip_gaps(rest, count).map_err(malformed)?;
	let Some((steps, after)) = rest.split_at_checked(count) else {
		return Err(malformed("the steps are cut".into()));
	};
	*rest = after;
	let mut units = vec![0; elements];
	let mut targets = units.iter_mut();
	for byte in steps {
		let Compact(gap) = Compact::<u32>::decode(&mut gaps).map_err(malformed)?;
		let target = usize::try_from(gap).ok().and_then(|gap| targets.nth(gap));
		let target = target.ok_or_else(|| CompressError::Place(name.to_owned()))?;
		*target = check_steps(name, i8::from_le_bytes([*byte]), scale)?;
	}
	Ok(units)
}

/// Reads over so many gaps.
fn skip_gaps(rest: &mut &[u8], count: usize) -> Result<(), codec::Error> {
	iter::repeat_with(|| Compact::<u32>::decode(rest)).take(count).try_for_each(|gap| gap.map(drop))
}

/// The number of kept elements, if the tensor has as many and the bytes may hold them.
fn check_count(
	name: &str,
	claimed: u32,
	elements: usize,
	left: usize,
) -> Result<usize, CompressError> {
	let count = usize::try_from(claimed).ok();
	count.filter(|count| *count <= elements && *count <= left / LEAST_BYTES).ok_or_else(|| {
		CompressError::TooManyKept { name: name.to_owned(), claimed, elements, left }
	})
}

/// The scale, if it is one that is written for so many elements.
fn check_scale(name: &str, kept: u32, scale: u64) -> Result<i64, CompressError> {
	let refusal = || CompressError::Scale { name: name.to_owned(), kept, scale };
	let bounded = i64::try_from(scale).ok().filter(|scale| *scale <= MAX_SCALE);
	bounded.filter(|scale| (*scale == 0) == (kept == 0)).ok_or_else(refusal)
}

/// The units of so many steps, if those are written and stay on the grid.
fn check_steps(name: &str, steps: i8, scale: i64) -> Result<i64, CompressError> {
	let units = i64::from(steps).saturating_mul(scale);
	let written = steps != 0 && i64::from(steps).abs() <= MAX_STEPS;
	(written && in_range(units)).then_some(units).ok_or_else(|| CompressError::Steps {
		name: name.to_owned(),
		steps,
		scale,
	})
}
