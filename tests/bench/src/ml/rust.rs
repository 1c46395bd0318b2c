//! The engine in plain Rust: samples per second by a process, with all that goes to it and comes
//! back, beside the library in this process.

use super::{
	chunk::Chunk,
	conversation::{Engine, Launch},
	models::{self, Subject},
	sides::Sides,
	Effort, SPEED,
};
use crate::{
	figure::Report,
	samples::{abba, Side},
};
use anyhow::{ensure, Result};

/// Measures each model.
pub async fn run(report: &mut Report, launch: &Launch, effort: &Effort) -> Result<()> {
	for subject in models::all() {
		beside_library(report, launch, &subject, effort).await?;
	}
	Ok(())
}

async fn beside_library(
	report: &mut Report,
	launch: &Launch,
	subject: &Subject,
	effort: &Effort,
) -> Result<()> {
	let chunk = Chunk::new(subject, launch.profile(), effort.multiply_adds)?;
	let mut engine = Engine::start(launch).await?;
	// Both sides begin with something that does not count.
	engine.compute(&chunk).await?;
	let expected = chunk.by_library()?.output;
	let mut sides = Sides::default();
	for side in abba(effort.pairs) {
		let outcome = match side {
			Side::Ours => engine.compute(&chunk).await?,
			Side::Anchor => chunk.by_library()?,
		};
		ensure!(outcome.output == expected, "{}: the outputs differ", subject.name);
		sides.push(side, chunk.samples() / outcome.seconds);
	}
	let (steps, batch) = (chunk.schedule.steps, chunk.schedule.batch);
	let parameters = chunk.model.cost().parameters;
	report.note(&format!(
		"{}: {parameters} parameters, steps of {batch} samples, {steps} of them in a chunk",
		subject.name
	));
	let name = format!("ml/{}, engine beside library", subject.name);
	report.figure(sides.figure(name, "samples/s", SPEED)?);
	Ok(())
}
