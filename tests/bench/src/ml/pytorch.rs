//! The same models in plain PyTorch, where this machine has it.

use super::{
	chunk::Chunk,
	conversation::Engine,
	models::{self, Subject},
	sides::Sides,
	Effort, SPEED,
};
use crate::{
	figure::Report,
	program::{self, last_object, Finished},
	samples::{abba, Side},
};
use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::{ffi::OsString, path::Path};

/// Trains a model for some steps, and says how fast.
const PROGRAM: &str = include_str!("anchor.py");
/// Says which PyTorch there is. How fast its products are depends on the library that makes them.
const VERSION: &str = "import torch; mkl = torch.backends.mkl.is_available(); \
	print(torch.__version__, 'with MKL' if mkl else 'without MKL')";
/// One thread from the start, in all libraries that PyTorch may have been built with.
const ENVIRONMENT: [&str; 2] = ["OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1"];

/// Measures each model on both sides in turn; a note where there is no PyTorch.
pub async fn run(report: &mut Report, engine: &Path, effort: &Effort) -> Result<()> {
	let Ok(finished) = python(&[VERSION]).await else {
		report.note("python3 has no PyTorch here: nothing is measured beside it");
		return Ok(());
	};
	let version = finished.output.lines().last().unwrap_or_default();
	report.note(&format!("PyTorch {version}, one thread"));
	for subject in models::all() {
		beside(report, engine, &subject, effort).await?;
	}
	Ok(())
}

async fn beside(
	report: &mut Report,
	engine: &Path,
	subject: &Subject,
	effort: &Effort,
) -> Result<()> {
	let chunk = Chunk::new(subject, effort.multiply_adds)?;
	let mut engine = Engine::start(engine).await?;
	// Both sides begin with something that does not count.
	engine.compute(&chunk).await?;
	let mut sides = Sides::default();
	for side in abba(effort.pairs) {
		let rate = match side {
			Side::Ours => chunk.samples() / engine.compute(&chunk).await?.seconds,
			Side::Anchor => by_pytorch(subject, &chunk).await?,
		};
		sides.push(side, rate);
	}
	let name = format!("ml/{}, beside PyTorch in 64-bit floats", subject.name);
	report.figure(sides.figure(name, "samples/s", SPEED)?);
	Ok(())
}

/// Samples per second in as many steps as the chunk has.
async fn by_pytorch(subject: &Subject, chunk: &Chunk) -> Result<f64> {
	let (batch, steps) = (chunk.schedule.batch.to_string(), chunk.schedule.steps.to_string());
	let finished = python(&[PROGRAM, &subject.card, &batch, &steps]).await?;
	let object = last_object(&finished.output)?;
	let parameters = object.get("parameters").and_then(Value::as_u64);
	let ours = chunk.model.cost().parameters;
	ensure!(parameters == Some(ours), "PyTorch's {} is another model: {object}", subject.name);
	let rate = object.get("samples_per_second").and_then(Value::as_f64);
	rate.with_context(|| format!("no rate in {object}"))
}

/// Runs a text as a program of Python; what follows the text are its arguments.
async fn python(text_and_args: &[&str]) -> Result<Finished> {
	let args = ["-c"].iter().chain(text_and_args).map(OsString::from).collect();
	program::run(Path::new("python3"), &ENVIRONMENT, args, false).await
}
