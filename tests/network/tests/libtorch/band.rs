//! What a chunk of the banded profile gives in 64-bit floats, and what is near that.

use anyhow::{bail, Result};
use tequio_engine_ml::{
	backend::{Backend, Reference},
	safetensors::read_state,
	Rule, State, Steps,
};
use tequio_network_tests::lesson::Lesson;

/// Distance that is near, in parts of how large gradients are.
const BAND: f64 = 1e-4;
/// Distance that is near in any case: a unit of the grid.
const FLOOR: f64 = 1.0 / (1_u64 << 20) as f64;

/// The change that a chunk makes.
pub struct Truth {
	change: State,
	/// Distance that is near.
	tolerance: f64,
}

impl Truth {
	/// Those of all chunks.
	pub fn of(lesson: &Lesson) -> Result<Vec<Self>> {
		let shard = lesson.shard()?;
		let schedule = &lesson.method.schedule;
		let Rule::Sgd { learning_rate } = lesson.method.rule else { bail!("no plain descent") };
		let mut truths = Vec::new();
		for rows in &lesson.rows {
			let (model, weights, shard) = (&lesson.model, &lesson.weights, &shard);
			let step = Steps { model, weights, schedule, shard, rows };
			let found = Reference.descend(learning_rate, &step)?;
			let tolerance = FLOOR.max(BAND * found.scale);
			truths.push(Self { change: found.change, tolerance });
		}
		Ok(truths)
	}

	/// Whether these bytes are a change that is near this one.
	pub fn is_near(&self, bytes: &[u8]) -> bool {
		let Ok(mut difference) = read_state(bytes, bytes.len()) else { return false };
		if !difference.same_shapes(&self.change) {
			return false;
		}
		for ((_, tensor), (_, own)) in difference.0.iter_mut().zip(&self.change.0) {
			for (value, less) in tensor.data_mut().iter_mut().zip(own.data()) {
				*value -= less;
			}
		}
		difference.norm() <= self.tolerance
	}
}
