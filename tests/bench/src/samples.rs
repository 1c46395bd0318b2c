//! Repeated measurements: their order, their middle, and how many are enough.

/// The middle of the samples, or the mean of the two in the middle. `None` of nothing.
pub fn median(samples: &[f64]) -> Option<f64> {
	let mut sorted = samples.to_vec();
	sorted.sort_by(f64::total_cmp);
	let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
	Some((sorted.get(low)? + sorted.get(high)?) / 2.0)
}

/// Which of two things that are compared is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
	/// Of ours.
	Ours,
	/// What it is held against.
	Anchor,
}

/// The order of `pairs` measurements of each side: ours, anchor, anchor, ours, and so on, so that a
/// machine that becomes slower or faster favours neither.
pub fn abba(pairs: usize) -> impl Iterator<Item = Side> {
	use Side::{Anchor, Ours};
	let orders = [[Ours, Anchor], [Anchor, Ours]];
	orders.into_iter().cycle().take(pairs).flatten()
}

/// A number of things that take some time: a whole one, and at least one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Such casts saturate.
pub fn whole(number: f64) -> u32 {
	(number.ceil() as u32).max(1)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn whole_numbers_are_rounded_up() {
		assert_eq!((whole(0.0), whole(0.5), whole(41.2)), (1, 1, 42));
		assert_eq!(whole(f64::INFINITY), u32::MAX);
	}

	#[test]
	fn median_is_in_the_middle() {
		assert_eq!(median(&[]), None);
		assert_eq!(median(&[7.0]), Some(7.0));
		assert_eq!(median(&[9.0, 1.0, 5.0]), Some(5.0));
		assert_eq!(median(&[4.0, 1.0, 100.0, 2.0]), Some(3.0));
	}

	#[test]
	fn neither_side_is_always_first() {
		use Side::{Anchor, Ours};
		let order: Vec<_> = abba(3).collect();
		assert_eq!(order, [Ours, Anchor, Anchor, Ours, Ours, Anchor]);
	}
}
