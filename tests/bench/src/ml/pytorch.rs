//! The same models in plain PyTorch, where this machine has it, beside the engine with libtorch.

use super::{
	chunk::Chunk,
	conversation::Launch,
	models::{self, Subject},
	profile::Profile,
	sides::{in_turn, rate_of},
	Effort, SPEED,
};
use crate::{
	figure::Report,
	program::{self, last_object, Finished},
};
use anyhow::Result;
use std::{ffi::OsString, path::Path};

/// Trains a model for some steps, and says how fast.
const PROGRAM: &str = include_str!("anchor.py");
/// Says which PyTorch there is. How fast its products are depends on the library that makes them.
const VERSION: &str = "import torch; mkl = torch.backends.mkl.is_available(); \
	print(torch.__version__, 'with MKL' if mkl else 'without MKL')";
/// One thread from the start, in all libraries that PyTorch may have been built with.
const ENVIRONMENT: [&str; 2] = ["OMP_NUM_THREADS=1", "MKL_NUM_THREADS=1"];

/// Measures each model in each profile on both sides in turn; a note where there is no PyTorch.
pub async fn run(report: &mut Report, effort: &Effort) -> Result<()> {
	let Ok(finished) = python(&[], &[VERSION]).await else {
		report.note("python3 has no PyTorch here: nothing is measured beside it");
		return Ok(());
	};
	let version = finished.output.lines().last().unwrap_or_default();
	report.note(&format!("PyTorch {version}, one thread"));
	for profile in Profile::ALL {
		for subject in models::all() {
			beside(report, &profile.of(subject), profile, effort).await?;
		}
	}
	Ok(())
}

async fn beside(
	report: &mut Report,
	subject: &Subject,
	profile: Profile,
	effort: &Effort,
) -> Result<()> {
	let chunk = Chunk::new(subject, profile, effort.by_libtorch)?;
	let launch = Launch::with_libtorch(profile)?;
	let pairs = effort.pairs;
	let sides = in_turn(&launch, &chunk, pairs, async || by_pytorch(subject, &chunk).await).await?;
	let name = format!("ml/{}, {}, beside PyTorch", subject.name, profile.name());
	report.figure(sides.figure(name, "samples/s", SPEED)?);
	Ok(())
}

/// Samples per second in as many steps as the chunk has passes.
async fn by_pytorch(subject: &Subject, chunk: &Chunk) -> Result<f64> {
	let (passes, samples) = chunk.passes();
	let (samples, passes) = (samples.to_string(), passes.to_string());
	let args: [&str; 5] = [PROGRAM, &subject.card, &samples, &passes, chunk.profile.dtype()];
	let finished = python(chunk.profile.pins(), &args).await?;
	rate_of(&last_object(&finished.output)?, subject.name, chunk)
}

/// Runs a text as a program of Python; what follows the text are its arguments.
async fn python(pins: &[&str], text_and_args: &[&str]) -> Result<Finished> {
	let args = ["-c"].iter().chain(text_and_args).map(OsString::from).collect();
	let environment = [ENVIRONMENT.as_slice(), pins].concat();
	program::run(Path::new("python3"), &environment, args, false).await
}
