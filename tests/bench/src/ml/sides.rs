//! What was measured of ours and of its anchor, in turn.

use super::{
	chunk::Chunk,
	conversation::{Engine, Launch},
};
use crate::{
	figure::{Figure, Sense},
	samples::{abba, median, Side},
};
use anyhow::{ensure, Context, Result};
use serde_json::Value;

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

/// Samples per second of an engine and of its anchor, in turn.
pub async fn in_turn(
	launch: &Launch,
	chunk: &Chunk,
	pairs: usize,
	mut anchor: impl AsyncFnMut() -> Result<f64>,
) -> Result<Sides> {
	let mut engine = Engine::start(launch).await?;
	// It begins with something that does not count. So do anchors, by themselves.
	engine.compute(chunk).await?;
	let mut sides = Sides::default();
	for side in abba(pairs) {
		let rate = match side {
			Side::Ours => chunk.samples() / engine.compute(chunk).await?.seconds,
			Side::Anchor => anchor().await?,
		};
		sides.push(side, rate);
	}
	Ok(sides)
}

/// Samples per second that an anchor tells of, if the model that it trained is that of the chunk.
pub fn rate_of(told: &Value, model: &str, chunk: &Chunk) -> Result<f64> {
	let parameters = told.get("parameters").and_then(Value::as_u64);
	let ours = chunk.model.cost().parameters;
	ensure!(parameters == Some(ours), "the anchor's {model} is another model: {told}");
	let rate = told.get("samples_per_second").and_then(Value::as_f64);
	rate.with_context(|| format!("no rate in {told}"))
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

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
