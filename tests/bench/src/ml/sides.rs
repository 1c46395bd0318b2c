//! What was measured of ours and of its anchor, in turn.

use crate::{
	figure::{Figure, Sense},
	samples::{median, Side},
};
use anyhow::{Context, Result};

/// Measurements of both.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sides {
	ours: Vec<f64>,
	anchor: Vec<f64>,
}

impl Sides {
	/// Adds a measurement.
	pub fn push(&mut self, side: Side, measured: f64) {
		match side {
			Side::Ours => self.ours.push(measured),
			Side::Anchor => self.anchor.push(measured),
		}
	}

	/// The middle of each. The more the better.
	pub fn figure(&self, name: String, unit: &'static str, goal: f64) -> Result<Figure> {
		let middle = |measured: &[f64]| median(measured).context("nothing was measured");
		let (ours, anchor) = (middle(&self.ours)?, middle(&self.anchor)?);
		Ok(Figure { name, ours, anchor, unit, goal, sense: Sense::Min })
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use crate::samples::abba;

	#[test]
	fn each_side_has_its_own_middle() {
		let mut sides = Sides::default();
		for (side, measured) in abba(2).zip([10.0, 1.0, 3.0, 20.0]) {
			sides.push(side, measured);
		}
		let figure = sides.figure("speed".into(), "samples/s", 0.95).unwrap();
		assert_eq!((figure.ours, figure.anchor), (15.0, 2.0));
		assert!(Sides::default().figure("speed".into(), "samples/s", 0.95).is_err());
	}
}
