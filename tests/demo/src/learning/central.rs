//! The same model on one machine that has all the data: as many samples, the same optimiser, the same
//! starting weights. What the network reaches is measured by that.

use super::lesson::Lesson;
use anyhow::Result;
use tequio_engine_ml::{round::rows_of, State};
use tequio_primitives::training::Counts;

/// Trains, and counts what was learnt after as many samples as each round of the network takes. The
/// optimiser starts anew each time, as in the network.
pub fn train(lesson: &Lesson, rounds: u32) -> Result<Vec<Counts>> {
	let Lesson { course, together, together_schedule: schedule } = lesson;
	let (model, shard) = (course.model()?, course.read(&together.data)?);
	let mut weights = course.weights.clone();
	let mut counts = Vec::new();
	for round in 0..rounds {
		let rows = rows_of(&together.rows, schedule, round)?;
		let trained =
			tequio_engine_ml::train(&model, &weights, course.rule, schedule, &shard, rows)?;
		add(&mut weights, &trained.change);
		counts.push(course.evaluate(&weights)?);
	}
	Ok(counts)
}

fn add(weights: &mut State, change: &State) {
	let weights = weights.0.iter_mut().flat_map(|(_, tensor)| tensor.data_mut());
	let changes = change.0.iter().flat_map(|(_, tensor)| tensor.data());
	weights.zip(changes).for_each(|(weight, change)| *weight += change);
}
