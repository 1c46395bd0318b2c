//! Trimmed mean: for each element, the mean without the values on both ends.
//!
//! Source: Yin, Chen, Ramchandran, Bartlett, "Byzantine-Robust Distributed Learning" (2018),
//! definition 2.

use super::Clipped;
use crate::tensor::State;

/// The mean of each element without its `trim` largest and `trim` smallest values, summed from the
/// smallest on.
pub(super) fn mean(contributions: &[Clipped<'_>], trim: usize) -> State {
	let Some(first) = contributions.first() else { return State::default() };
	let mut result = first.change.zeros_like();
	let mut values = Vec::with_capacity(contributions.len());
	for (place, (_, target)) in result.0.iter_mut().enumerate() {
		let sources: Vec<(&[f64], f64)> = contributions
			.iter()
			.filter_map(|one| Some((one.change.0.get(place)?.1.data(), one.scale)))
			.collect();
		for (index, element) in target.data_mut().iter_mut().enumerate() {
			values.clear();
			values
				.extend(sources.iter().filter_map(|(data, scale)| Some(data.get(index)? * scale)));
			*element = trimmed_mean(&mut values, trim);
		}
	}
	result
}

/// Zero where nothing is left.
fn trimmed_mean(values: &mut [f64], trim: usize) -> f64 {
	values.sort_unstable_by(f64::total_cmp);
	let end = values.len().saturating_sub(trim);
	// Not `sum`, whose zero has had either sign.
	match values.get(trim..end) {
		Some(left) if !left.is_empty() => {
			left.iter().fold(0.0_f64, |sum, value| sum + value) / left.len() as f64
		},
		_ => 0.0,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn both_ends_are_left_out() {
		assert_eq!(trimmed_mean(&mut [1e9, 2.0, -1e9, 4.0], 1), 3.0);
		assert_eq!(trimmed_mean(&mut [5.0, 1.0, 3.0], 0), 3.0);
		assert_eq!(trimmed_mean(&mut [5.0, 1.0], 1), 0.0);
		assert_eq!(trimmed_mean(&mut [], 3), 0.0);
	}
}
