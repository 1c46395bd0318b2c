//! An engine as a process: its start, two of them at once, and its memory.

use super::{
	chunk::Chunk,
	conversation::{Engine, Launch},
	models,
	sides::Sides,
	Effort,
};
use crate::{
	figure::{Figure, Report, Sense},
	memory,
	samples::{abba, median, Side},
};
use anyhow::{Context, Result};
use std::time::Instant;

/// Two engines in chunks per second of one.
const TWO: f64 = 1.8;
/// Seconds from the start of an engine until it takes requests.
const READY: f64 = 0.6;
/// How often an engine is started.
const STARTS: usize = 5;
/// Bytes that a worker process reckons an engine with libtorch at.
const WITH_LIBTORCH: u64 = 7 << 29;

/// From the start of an engine until it takes requests.
pub async fn ready(report: &mut Report, name: &str, launch: &Launch) -> Result<()> {
	let mut taken = Vec::new();
	for _ in 0..STARTS {
		let start = Instant::now();
		let engine = Engine::start(launch).await?;
		taken.push(start.elapsed().as_secs_f64());
		drop(engine);
	}
	report.figure(Figure {
		name: format!("ml/{name}, start of an engine until it is ready"),
		ours: median(&taken).context("nothing was started")?,
		anchor: READY,
		unit: "s",
		goal: 1.0,
		sense: Sense::Max,
	});
	Ok(())
}

/// Two engines that have the same chunk at the same time, beside one.
pub async fn two_engines(
	report: &mut Report,
	name: &str,
	launch: &Launch,
	effort: &Effort,
) -> Result<()> {
	if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
		report.note("there is one processor: two engines are not measured");
		return Ok(());
	}
	let chunk = Chunk::new(&models::perceptron(), launch.profile(), effort.multiply_adds)?;
	let mut one = Engine::start(launch).await?;
	let mut other = Engine::start(launch).await?;
	tokio::try_join!(one.compute(&chunk), other.compute(&chunk))?;
	let mut sides = Sides::default();
	for side in abba(effort.pairs) {
		let start = Instant::now();
		let chunks = match side {
			Side::Ours => {
				tokio::try_join!(one.compute(&chunk), other.compute(&chunk))?;
				2.0
			},
			Side::Anchor => {
				one.compute(&chunk).await?;
				1.0
			},
		};
		sides.push(side, chunks / start.elapsed().as_secs_f64());
	}
	report.figure(sides.figure(format!("ml/{name}, two engines beside one"), "chunks/s", TWO)?);
	Ok(())
}

/// The most memory of an engine in plain Rust, beside what the model costs by its card.
pub async fn peak_of_rust(report: &mut Report, launch: &Launch, effort: &Effort) -> Result<()> {
	let chunk = Chunk::new(&models::lenet(), launch.profile(), effort.multiply_adds)?;
	let allowance = chunk.model.cost().peak_bytes(chunk.schedule.micro_batch);
	report.note(
		"memory of plain Rust is held against `Cost::peak_bytes`, by which an engine refuses models: \
		 data and the program itself are not in it",
	);
	peak(report, "plain Rust", launch, &chunk, allowance).await
}

/// The most memory of an engine with libtorch, beside what a worker process reckons with: most of it
/// is the library.
pub async fn peak_of_libtorch(report: &mut Report, launch: &Launch, effort: &Effort) -> Result<()> {
	let chunk = Chunk::new(&models::lenet(), launch.profile(), effort.by_libtorch)?;
	peak(report, "libtorch", launch, &chunk, WITH_LIBTORCH).await
}

async fn peak(
	report: &mut Report,
	name: &str,
	launch: &Launch,
	chunk: &Chunk,
	allowance: u64,
) -> Result<()> {
	let mut engine = Engine::start(launch).await?;
	engine.compute(chunk).await?;
	let name = format!("ml/LeNet, {name}, memory of an engine");
	report.figure(memory::figure(&name, engine.peak()?, allowance));
	Ok(())
}
