//! What an output takes of the time of its chunk: rounding a change to the grid, writing and hashing
//! it.

use super::{
	chunk::Chunk,
	conversation::{Engine, Launch},
	models,
	profile::Profile,
	Effort,
};
use crate::{
	figure::{Figure, Report, Sense},
	samples::{median, whole},
};
use anyhow::{ensure, Context, Result};
use sp_io::hashing::blake2_256;
use std::time::Instant;
use tequio_engine_ml::{grid::GridState, round::Contributed};

/// What an output may take of the time of its chunk.
const OUTPUT: f64 = 0.02;
/// Seconds, at least, of the chunk that this is asked of.
const LONG: f64 = 1.0;

/// Beside a chunk of the library in plain Rust.
pub fn by_rust(report: &mut Report, effort: &Effort) -> Result<()> {
	let mut chunk = Chunk::new(&models::lenet(), Profile::ExactF64, effort.multiply_adds)?;
	let times = times(chunk.by_library()?.seconds);
	if times > 1 {
		let multiply_adds = effort.multiply_adds.saturating_mul(times.into());
		chunk = Chunk::new(&models::lenet(), Profile::ExactF64, multiply_adds)?;
	}
	let (mut outputs, mut chunks) = (Vec::new(), Vec::new());
	for _ in 0..effort.pairs {
		let start = Instant::now();
		let made = chunk.contribute()?;
		chunks.push(start.elapsed().as_secs_f64());
		outputs.push(seconds(&made)?);
	}
	show(report, "plain Rust", &outputs, &chunks)
}

/// Beside a chunk of an engine with libtorch. Its change has as many elements, whatever they are.
pub async fn by_libtorch(report: &mut Report, launch: &Launch, effort: &Effort) -> Result<()> {
	let made = Chunk::new(&models::lenet(), Profile::ExactF64, 0)?.contribute()?;
	let mut engine = Engine::start(launch).await?;
	let mut chunk = Chunk::new(&models::lenet(), launch.profile(), effort.by_libtorch)?;
	let times = times(engine.compute(&chunk).await?.seconds);
	if times > 1 {
		let multiply_adds = effort.by_libtorch.saturating_mul(times.into());
		chunk = Chunk::new(&models::lenet(), launch.profile(), multiply_adds)?;
	}
	let (mut outputs, mut chunks) = (Vec::new(), Vec::new());
	for _ in 0..effort.pairs {
		chunks.push(engine.compute(&chunk).await?.seconds);
		outputs.push(seconds(&made)?);
	}
	show(report, "libtorch", &outputs, &chunks)
}

/// How many times a chunk of so many seconds makes a long one.
fn times(seconds: f64) -> u32 {
	whole(1.2 * LONG / seconds)
}

/// Seconds that it takes to round, write and hash a change.
fn seconds(made: &Contributed) -> Result<f64> {
	// What lies on the grid already is rounded as any other number is.
	let change = made.change.to_state();
	let start = Instant::now();
	let written = GridState::round(&change)?.write()?;
	let hash = blake2_256(&written);
	let taken = start.elapsed().as_secs_f64();
	ensure!(hash == blake2_256(&made.output), "what is rounded twice is another change");
	Ok(taken)
}

fn show(report: &mut Report, engine: &str, outputs: &[f64], chunks: &[f64]) -> Result<()> {
	report.figure(Figure {
		name: format!("ml/LeNet, {engine}, rounding, writing and hashing"),
		ours: median(outputs).context("nothing was written")?,
		anchor: median(chunks).context("nothing was trained")?,
		unit: "s",
		goal: OUTPUT,
		sense: Sense::Max,
	});
	Ok(())
}
