//! The machine learning engine: its process beside the library that it is made of, and the library
//! beside PyTorch. Weights and samples are drawn, so that nothing has to be fetched.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`models`] | what is trained: four model cards |
//! | [`chunk`] | a chunk of training, for an engine and for the library |
//! | [`conversation`] | talking to an engine as the worker process does |
//! | [`sides`] | what was measured of ours and of its anchor |
//! | [`pytorch`] | the same models in PyTorch |

mod chunk;
mod conversation;
mod models;
mod pytorch;
mod sides;

use crate::{
	figure::{Figure, Report, Sense},
	memory,
	samples::{abba, median, whole, Side},
};
use anyhow::{ensure, Context, Result};
use chunk::Chunk;
use conversation::Engine;
use models::Subject;
use sides::Sides;
use sp_io::hashing::blake2_256;
use std::{path::Path, time::Instant};
use tequio_engine_ml::grid::GridState;
use tequio_harness::process::binary;

/// Samples per second in those of the anchor.
const SPEED: f64 = 0.95;
/// Two engines in chunks per second of one.
const TWO: f64 = 1.8;
/// What an output may take of the time of its chunk.
const OUTPUT: f64 = 0.02;
/// Seconds, at least, of the chunk that this is asked of.
const LONG: f64 = 1.0;
/// Seconds from the start of an engine until it takes requests.
const READY: f64 = 0.6;
/// How often an engine is started.
const STARTS: usize = 5;

/// How long chunks are, and repetitions.
struct Effort {
	/// Multiply-adds of a chunk, about.
	multiply_adds: u64,
	pairs: usize,
}

impl Effort {
	/// Some seconds, as chunks on a chain take; a tenth of that to be quick.
	fn new(quick: bool) -> Self {
		if quick {
			Self { multiply_adds: 1_000_000_000, pairs: 1 }
		} else {
			Self { multiply_adds: 10_000_000_000, pairs: 3 }
		}
	}
}

/// Measures everything about programs.
pub async fn run(report: &mut Report, quick: bool) -> Result<()> {
	let program = binary("tequio-engine-ml")?;
	let effort = Effort::new(quick);
	for subject in models::all() {
		beside_library(report, &program, &subject, &effort).await?;
	}
	pytorch::run(report, &program, &effort).await?;
	output(report, &effort)?;
	ready(report, &program).await?;
	two_engines(report, &program, &effort).await?;
	peak(report, &program, &effort).await
}

/// Samples per second by a process, with all that goes to it and comes back, beside the library.
async fn beside_library(
	report: &mut Report,
	program: &Path,
	subject: &Subject,
	effort: &Effort,
) -> Result<()> {
	let chunk = Chunk::new(subject, effort.multiply_adds)?;
	let mut engine = Engine::start(program).await?;
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

/// Rounding a change to the grid, writing and hashing it, beside the chunk that it comes from.
fn output(report: &mut Report, effort: &Effort) -> Result<()> {
	let chunk = long_chunk(&models::lenet(), effort)?;
	let (mut outputs, mut chunks) = (Vec::new(), Vec::new());
	for _ in 0..effort.pairs {
		let start = Instant::now();
		let made = chunk.contribute()?;
		chunks.push(start.elapsed().as_secs_f64());
		// What lies on the grid already is rounded as any other number is.
		let change = made.change.to_state();
		let start = Instant::now();
		let written = GridState::round(&change)?.write()?;
		let hash = blake2_256(&written);
		outputs.push(start.elapsed().as_secs_f64());
		ensure!(hash == blake2_256(&made.output), "what is rounded twice is another change");
	}
	report.figure(Figure {
		name: "ml/LeNet, rounding, writing and hashing".into(),
		ours: median(&outputs).context("nothing was written")?,
		anchor: median(&chunks).context("nothing was trained")?,
		unit: "s",
		goal: OUTPUT,
		sense: Sense::Max,
	});
	Ok(())
}

/// A chunk that takes [`LONG`] on this machine, or more.
fn long_chunk(subject: &Subject, effort: &Effort) -> Result<Chunk> {
	let chunk = Chunk::new(subject, effort.multiply_adds)?;
	let times = whole(1.2 * LONG / chunk.by_library()?.seconds);
	if times == 1 {
		return Ok(chunk);
	}
	Chunk::new(subject, effort.multiply_adds.saturating_mul(times.into()))
}

/// From the start of an engine until it takes requests.
async fn ready(report: &mut Report, program: &Path) -> Result<()> {
	let mut taken = Vec::new();
	for _ in 0..STARTS {
		let start = Instant::now();
		let engine = Engine::start(program).await?;
		taken.push(start.elapsed().as_secs_f64());
		drop(engine);
	}
	report.figure(Figure {
		name: "ml/start of an engine until it is ready".into(),
		ours: median(&taken).context("nothing was started")?,
		anchor: READY,
		unit: "s",
		goal: 1.0,
		sense: Sense::Max,
	});
	Ok(())
}

/// Two engines that have the same chunk at the same time, beside one.
async fn two_engines(report: &mut Report, program: &Path, effort: &Effort) -> Result<()> {
	if std::thread::available_parallelism().map_or(1, usize::from) < 2 {
		report.note("there is one processor: two engines are not measured");
		return Ok(());
	}
	let chunk = Chunk::new(&models::perceptron(), effort.multiply_adds)?;
	let mut one = Engine::start(program).await?;
	let mut other = Engine::start(program).await?;
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
	report.figure(sides.figure("ml/two engines beside one".into(), "chunks/s", TWO)?);
	Ok(())
}

/// The most memory of an engine, beside what the model costs by its card.
async fn peak(report: &mut Report, program: &Path, effort: &Effort) -> Result<()> {
	let chunk = Chunk::new(&models::lenet(), effort.multiply_adds)?;
	let mut engine = Engine::start(program).await?;
	engine.compute(&chunk).await?;
	let allowance = chunk.model.cost().peak_bytes(chunk.schedule.micro_batch);
	report.note(
		"memory is held against `Cost::peak_bytes`, by which an engine refuses models: data and \
		 the program itself are not in it",
	);
	report.figure(memory::figure("ml/LeNet, memory of an engine", engine.peak()?, allowance));
	Ok(())
}
