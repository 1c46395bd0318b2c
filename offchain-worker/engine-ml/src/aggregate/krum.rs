//! Multi-Krum: which contributions have others close by.
//!
//! Source: Blanchard, El Mhamdi, Guerraoui, Stainer, "Machine Learning with Adversaries: Byzantine
//! Tolerant Gradient Descent" (2017). Of `n` contributions, `f` of which may be false, each is
//! scored with the sum of squared distances to its `n − f − 2` nearest others, and as many of the
//! lowest scores are kept. `n ≥ 2f + 3` makes that more than `f`: false contributions that are
//! close to each other alone are too few for a low score.

use super::Clipped;
use std::iter;

/// The `n − faulty − 2` contributions with the lowest scores, ascending by place. Equal scores: the
/// earlier contribution.
pub(super) fn closest(contributions: &[Clipped<'_>], faulty: usize) -> Vec<usize> {
	let wanted = contributions.len().saturating_sub(faulty).saturating_sub(2);
	let mut scored: Vec<(f64, usize)> = distances(contributions)
		.into_iter()
		.enumerate()
		.map(|(place, mut row)| {
			row.sort_unstable_by(f64::total_cmp);
			(row.iter().take(wanted).fold(0.0_f64, |sum, distance| sum + distance), place)
		})
		.collect();
	scored.sort_unstable_by(|one, two| one.0.total_cmp(&two.0).then(one.1.cmp(&two.1)));
	let mut kept: Vec<usize> = scored.into_iter().take(wanted).map(|(_, place)| place).collect();
	kept.sort_unstable();
	kept
}

/// For each contribution, its squared distances to all others, in their order.
fn distances(contributions: &[Clipped<'_>]) -> Vec<Vec<f64>> {
	let mut rows: Vec<Vec<f64>> = vec![Vec::new(); contributions.len()];
	for (place, one) in contributions.iter().enumerate() {
		// The distances to those before were pushed when it was their turn.
		let from_here = rows.get_mut(place..).unwrap_or_default();
		let Some((own, after)) = from_here.split_first_mut() else { break };
		for (row, other) in iter::zip(after, contributions.iter().skip(place + 1)) {
			let distance = squared_distance(one, other);
			own.push(distance);
			row.push(distance);
		}
	}
	rows
}

fn squared_distance(one: &Clipped<'_>, other: &Clipped<'_>) -> f64 {
	let pairs = iter::zip(one.elements(), other.elements());
	pairs.fold(0.0_f64, |sum, (a, b)| sum + (a - b) * (a - b))
}
