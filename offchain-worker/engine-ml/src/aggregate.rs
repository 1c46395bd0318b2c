//! One change of weights from many: the average of what the workers of a round have trained.
//!
//! ```text
//! changes ─▶ clip (always) ─▶ mean │ trimmed mean │ multi-Krum ─▶ outer (Nesterov) ─▶ new weights
//! ```
//!
//! All changes were computed for us and may be recomputed: they are verified first and averaged
//! second. So norms are clipped always, which costs honest work least, and the rules that throw
//! work away are a choice. Where workers have different data they throw away honest work: with two
//! labels a worker and nobody cheating, a perceptron on scikit-learn's digits reached 0.88 with
//! clipping and 0.49 with a trimmed mean (research note on machine learning, 3.1).
//!
//! Sums run in the order of the contributions, and every operation is one that IEEE 754 defines to
//! the bit. So whoever has the same contributions in the same order gets the same result.

mod clip;
mod krum;
pub mod outer;
mod trimmed;

pub use clip::{Clip, Clipping};

use crate::{
	safetensors::{check_finite, NotFinite},
	tensor::State,
};
use serde::{Deserialize, Serialize};
use std::iter;

/// Contributions that one aggregation may have: multi-Krum compares each with each.
pub const MAX_CONTRIBUTIONS: usize = 256;

/// What one worker has trained.
#[derive(Clone, Copy, Debug)]
pub struct Contribution<'a> {
	/// New weights less old ones.
	pub change: &'a State,
	/// Samples that it was trained on, repetitions included: its weight in averages.
	pub samples: u32,
}

/// How clipped changes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
	/// The mean, weighted by samples.
	Mean,
	/// For each element the mean without the largest and the smallest values. It knows no samples:
	/// a value's place among the others does not depend on them.
	TrimmedMean {
		/// Values left out on each side. There are more than twice as many contributions.
		trim: u16,
	},
	/// The mean, weighted by samples, of the `n − faulty − 2` contributions that are closest to
	/// others.
	MultiKrum {
		/// Contributions that may be false. There are at least `2 · faulty + 3` contributions.
		faulty: u16,
	},
}

impl Rule {
	/// Says whether the rule takes so few contributions.
	pub fn check(&self, given: usize) -> Result<(), AggregateError> {
		let least = match *self {
			Self::Mean => 1,
			Self::TrimmedMean { trim } => 2 * usize::from(trim) + 1,
			Self::MultiKrum { faulty } => 2 * usize::from(faulty) + 3,
		};
		(given >= least).then_some(()).ok_or(AggregateError::TooFew { given, least })
	}
}

/// How contributions become one: clipped, then by a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
	/// What norms are clipped to.
	pub clip: Clip,
	/// The rule.
	pub rule: Rule,
}

impl From<Rule> for Method {
	/// Clipped to the median.
	fn from(rule: Rule) -> Self {
		Self { clip: Clip::MEDIAN, rule }
	}
}

impl Method {
	/// Says whether so many contributions can be aggregated like this.
	pub fn check(&self, given: usize) -> Result<(), AggregateError> {
		self.clip.check()?;
		self.rule.check(given)
	}
}

/// What came of an aggregation.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
	/// The change of weights.
	pub change: State,
	/// How the norms were clipped.
	pub clipping: Clipping,
	/// Contributions that went into it, ascending: all but what multi-Krum left out.
	pub kept: Vec<usize>,
}

/// Why there is no aggregate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AggregateError {
	/// There is nothing to aggregate, or too much.
	#[error("there are {0} contributions; 1 to {MAX_CONTRIBUTIONS} are aggregated")]
	Contributions(usize),
	/// The rule would throw away more than it leaves.
	#[error("there are {given} contributions; the rule takes {least} or more")]
	TooFew {
		/// Contributions.
		given: usize,
		/// Contributions that the rule takes.
		least: usize,
	},
	/// A contribution has no samples.
	#[error("contribution {0} was trained on no samples")]
	NoSamples(usize),
	/// A contribution is one to another model.
	#[error("contribution {0} differs from the first one in names, order or shapes")]
	OtherShapes(usize),
	/// A contribution has an element that is no number.
	#[error("contribution {contribution}: {source}")]
	NotFinite {
		/// The contribution, from 0.
		contribution: usize,
		/// The element.
		source: NotFinite,
	},
	/// Norms would be clipped to less than their median, or hardly ever.
	#[error(
		"norms are clipped to {0} millionths of their median; 1000000 to 1000000000 are allowed"
	)]
	Clip(u32),
	/// The squares of a contribution's elements are too large to be added up.
	#[error("contribution {0} is too large to have a norm")]
	NormOverflows(usize),
}

/// Makes one change of many, in the order given. What comes out is finite.
pub fn aggregate(
	contributions: &[Contribution<'_>],
	method: impl Into<Method>,
) -> Result<Aggregate, AggregateError> {
	let method = method.into();
	check(contributions)?;
	method.check(contributions.len())?;
	let Method { clip, rule } = method;
	let clipping = clip::to_median(contributions, clip)?;
	let clipped = clipping.apply(contributions);
	let kept = match rule {
		Rule::Mean | Rule::TrimmedMean { .. } => (0..clipped.len()).collect(),
		Rule::MultiKrum { faulty } => krum::closest(&clipped, usize::from(faulty)),
	};
	let change = match rule {
		Rule::TrimmedMean { trim } => trimmed::mean(&clipped, usize::from(trim)),
		Rule::Mean | Rule::MultiKrum { .. } => {
			weighted_mean(kept.iter().filter_map(|place| clipped.get(*place)))
		},
	};
	Ok(Aggregate { change, clipping, kept })
}

/// A contribution and what clipping makes of it. Elements are scaled as they are read: a copy of
/// all changes would be as large as they are.
#[derive(Clone, Copy, Debug)]
struct Clipped<'a> {
	change: &'a State,
	samples: u32,
	scale: f64,
}

impl Clipped<'_> {
	/// All elements in order, scaled.
	fn elements(&self) -> impl Iterator<Item = f64> + '_ {
		let scale = self.scale;
		let elements = self.change.0.iter().flat_map(|(_, tensor)| tensor.data());
		elements.map(move |element| element * scale)
	}
}

fn check(contributions: &[Contribution<'_>]) -> Result<(), AggregateError> {
	let number = contributions.len();
	let first = match contributions.first() {
		Some(first) if number <= MAX_CONTRIBUTIONS => first.change,
		_ => return Err(AggregateError::Contributions(number)),
	};
	for (contribution, Contribution { change, samples }) in contributions.iter().enumerate() {
		if *samples == 0 {
			return Err(AggregateError::NoSamples(contribution));
		}
		if !change.same_shapes(first) {
			return Err(AggregateError::OtherShapes(contribution));
		}
		check_finite(change)
			.map_err(|source| AggregateError::NotFinite { contribution, source })?;
	}
	Ok(())
}

/// `Σ samples · change / Σ samples`.
fn weighted_mean<'c, 's: 'c>(contributions: impl Iterator<Item = &'c Clipped<'s>>) -> State {
	let mut sum = State::default();
	let mut samples = 0u64;
	for clipped in contributions {
		if samples == 0 {
			sum = clipped.change.zeros_like();
		}
		samples = samples.saturating_add(u64::from(clipped.samples));
		let weight = f64::from(clipped.samples);
		let totals = sum.0.iter_mut().flat_map(|(_, tensor)| tensor.data_mut());
		for (total, element) in iter::zip(totals, clipped.elements()) {
			*total += element * weight;
		}
	}
	let totals = sum.0.iter_mut().flat_map(|(_, tensor)| tensor.data_mut());
	for total in totals {
		*total /= samples as f64;
	}
	sum
}
