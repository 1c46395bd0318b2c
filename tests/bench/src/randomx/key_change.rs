//! What the first hash under another key waits for, in hashes of light mode: the mode in which a
//! key begins.

use super::conversation::Engine;
use crate::{
	figure::{Figure, Report, Sense},
	samples::whole,
};
use anyhow::{ensure, Result};
use std::{
	path::Path,
	time::{Duration, Instant},
};
use tequio_interface::engine::Mode;

/// Hashes that a key change may cost.
const GOAL: f64 = 2.0;
/// How long the engine is kept busy with the key before: several times what a cache takes.
const BUSY: f64 = 6.0;
/// For a dataset to be there.
const DATASET: Duration = Duration::from_secs(600);
/// Hashes that are measured to know how long one takes.
const HASHES: u32 = 96;

/// Whether the next key is announced while the one before is at work.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Notice {
	Given,
	None,
}

/// Measures key changes of a light and of a fast engine.
pub async fn run(report: &mut Report, program: &Path, quick: bool) -> Result<()> {
	let rounds = if quick { (1, 1) } else { (5, 2) };
	let mut engine = Engine::start(program, Mode::Light, 1).await?;
	engine.search(0, 1).await?;
	let hash = engine.search(0, HASHES).await?.as_secs_f64() / f64::from(HASHES);

	let mut waits = Vec::new();
	for key in 1..=rounds.0 {
		waits.push(change(&mut engine, key, Notice::Given, hash, hash).await?);
	}
	say(report, Mode::Light, &waits);
	let unannounced = change(&mut engine, rounds.0 + 1, Notice::None, hash, hash).await?;
	report.note(&format!(
		"light engine, next key not announced: its first hash waits {unannounced:.1} hashes of \
		 {:.1} ms",
		hash * 1e3
	));
	drop(engine);

	let threads = std::thread::available_parallelism().map_or(1, usize::from);
	let mut engine = Engine::start(program, Mode::Fast, u32::try_from(threads)?).await?;
	let mut waits = Vec::new();
	for key in 1..=rounds.1 {
		let fast = dataset_built(&mut engine, key - 1, hash).await?;
		waits.push(change(&mut engine, key, Notice::Given, hash, fast).await?);
	}
	say(report, Mode::Fast, &waits);
	let fast = dataset_built(&mut engine, rounds.1, hash).await?;
	let unannounced = change(&mut engine, rounds.1 + 1, Notice::None, hash, fast).await?;
	report.note(&format!(
		"fast engine, next key not announced: its first hash waits {unannounced:.1} hashes of \
		 light mode"
	));
	Ok(())
}

fn say(report: &mut Report, mode: Mode, waits: &[f64]) {
	report.figure(Figure {
		name: format!("randomx/key change, {mode}, the longest of {}", waits.len()),
		ours: waits.iter().copied().fold(0.0, f64::max),
		anchor: 1.0,
		unit: "hashes",
		goal: GOAL,
		sense: Sense::Max,
	});
}

/// What the first hash under `key` waits, in hashes of `hash` seconds, after the engine was busy
/// with the key before, of which a hash takes `busy` seconds.
async fn change(engine: &mut Engine, key: u8, notice: Notice, hash: f64, busy: f64) -> Result<f64> {
	engine.ask(key - 1, whole(BUSY / busy)).await?;
	if notice == Notice::Given {
		engine.expect(key).await?;
	}
	engine.done().await?;
	let first = engine.search(key, 1).await?.as_secs_f64();
	Ok((first - hash).max(0.0) / hash)
}

/// Waits until hashes under `key` take less than a third of a light one; how long they take, in
/// seconds.
async fn dataset_built(engine: &mut Engine, key: u8, light: f64) -> Result<f64> {
	let start = Instant::now();
	loop {
		let hash = engine.search(key, HASHES).await?.as_secs_f64() / f64::from(HASHES);
		if hash < light / 3.0 {
			return Ok(hash);
		}
		ensure!(start.elapsed() < DATASET, "the fast engine is not faster than a light one");
	}
}
