//! Norm clipping: nobody moves the weights further than most others do.
//!
//! The bound is the median of the norms, or so many times that, so it suits itself to the model and
//! to how far training is, and less than half of the contributions cannot raise it above an honest
//! norm, or so many times that. Of an even number the lower of the two in the middle counts: their
//! mean would let one of two double itself at will.
//!
//! Once the median holds false contributions down best. Where workers have different data, honest
//! norms differ: with two labels a worker, clipping to once the median cost a perceptron on
//! scikit-learn's digits 4 points after 80 rounds, clipping to twice the median none
//! (`tests/learning`).

use super::{
	outer::{fraction, MILLIONTHS},
	AggregateError, Clipped, Contribution,
};
use serde::{Deserialize, Serialize};

/// Most medians that a norm may have: beyond, nothing would be clipped.
const MOST: u32 = 1_000 * MILLIONTHS;

/// Norms are clipped to so many medians, in millionths: one to a thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clip(pub u32);

impl Clip {
	/// To the median itself.
	pub const MEDIAN: Self = Self(MILLIONTHS);

	/// Says whether the number is in bounds.
	pub fn check(self) -> Result<(), AggregateError> {
		let allowed = (MILLIONTHS..=MOST).contains(&self.0);
		allowed.then_some(()).ok_or(AggregateError::Clip(self.0))
	}
}

/// How norms were clipped.
#[derive(Clone, Debug, PartialEq)]
pub struct Clipping {
	/// The norm that none exceeds afterwards, but for rounding.
	pub bound: f64,
	/// What each contribution is multiplied with: 1, or less where its norm is above the bound.
	pub scales: Vec<f64>,
}

impl Clipping {
	/// The contributions with their scales.
	pub(super) fn apply<'a>(&self, contributions: &[Contribution<'a>]) -> Vec<Clipped<'a>> {
		let pairs = contributions.iter().zip(&self.scales);
		pairs
			.map(|(contribution, scale)| Clipped {
				change: contribution.change,
				samples: contribution.samples,
				scale: *scale,
			})
			.collect()
	}
}

/// Clips to so many medians of the norms.
pub(super) fn to_median(
	contributions: &[Contribution<'_>],
	clip: Clip,
) -> Result<Clipping, AggregateError> {
	let norms: Vec<f64> = contributions.iter().map(|one| one.change.norm()).collect();
	if let Some(contribution) = norms.iter().position(|norm| !norm.is_finite()) {
		return Err(AggregateError::NormOverflows(contribution));
	}
	let bound = fraction(clip.0) * lower_median(&norms);
	let scales = norms.iter().map(|norm| if *norm > bound { bound / norm } else { 1.0 });
	Ok(Clipping { bound, scales: scales.collect() })
}

/// The value in the middle; of an even number, the lower of the two. Zero for none.
fn lower_median(values: &[f64]) -> f64 {
	let mut sorted = values.to_vec();
	sorted.sort_unstable_by(f64::total_cmp);
	let middle = sorted.len().saturating_sub(1) / 2;
	sorted.get(middle).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_median_is_the_lower_one_of_two() {
		for (values, median) in [
			(vec![], 0.0),
			(vec![3.0], 3.0),
			(vec![9.0, 1.0], 1.0),
			(vec![9.0, 1.0, 2.0], 2.0),
			(vec![4.0, 3.0, 2.0, 1.0], 2.0),
		] {
			assert_eq!(lower_median(&values), median, "{values:?}");
		}
	}
}
