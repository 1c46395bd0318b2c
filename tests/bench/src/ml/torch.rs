//! The engine with libtorch, in each profile: samples per second by a process, with all that goes to
//! it and comes back, beside `tequio-plain-torch`, a loop that trains the same model by hand. Then the
//! engine in plain Rust beside it.

use super::{
	chunk::Chunk,
	conversation::{Engine, Launch},
	models::{self, Subject},
	profile::Profile,
	sides::{in_turn, rate_of},
	Effort, SPEED,
};
use crate::{
	figure::Report,
	program::{self, last_object},
};
use anyhow::Result;
use std::{ffi::OsString, path::Path};
use tequio_harness::libtorch;

/// Measures each model in each profile. `rust`: the engine in plain Rust.
pub async fn run(report: &mut Report, rust: &Launch, effort: &Effort) -> Result<()> {
	let plain = libtorch::program("tequio-plain-torch")?;
	report.note(&format!("libtorch in {}, one thread", libtorch::folder()?.display()));
	report.note(&format!(
		"{}: the engine takes each step in doubles as well, to check itself; the loop does not",
		Profile::BandedF32.name()
	));
	for profile in Profile::ALL {
		for subject in models::all() {
			beside_loop(report, &plain, &profile.of(subject), profile, effort).await?;
		}
	}
	for subject in models::all() {
		rust_beside_libtorch(report, rust, &subject, effort).await?;
	}
	Ok(())
}

async fn beside_loop(
	report: &mut Report,
	plain: &Path,
	subject: &Subject,
	profile: Profile,
	effort: &Effort,
) -> Result<()> {
	let chunk = Chunk::new(subject, profile, effort.by_libtorch)?;
	let launch = Launch::with_libtorch(profile)?;
	let pairs = effort.pairs;
	let sides =
		in_turn(&launch, &chunk, pairs, async || by_loop(plain, subject, &chunk).await).await?;
	let name = format!("ml/{}, {}, engine beside loop", subject.name, profile.name());
	report.figure(sides.figure(name, "samples/s", SPEED)?);
	Ok(())
}

/// Samples per second of the loop, in as many passes as the chunk has.
async fn by_loop(plain: &Path, subject: &Subject, chunk: &Chunk) -> Result<f64> {
	let (passes, samples) = chunk.passes();
	let (passes, samples) = (passes.to_string(), samples.to_string());
	let libraries = format!("LD_LIBRARY_PATH={}", libtorch::folder()?.display());
	let args = [subject.key, chunk.profile.name(), &samples, &passes].map(OsString::from);
	let finished = program::run(plain, &[&libraries], args.to_vec(), false).await?;
	rate_of(&last_object(&finished.output)?, subject.name, chunk)
}

/// Both engines in doubles: no goal, but something to know. No worker has libtorch compute them.
async fn rust_beside_libtorch(
	report: &mut Report,
	rust: &Launch,
	subject: &Subject,
	effort: &Effort,
) -> Result<()> {
	let chunk = Chunk::new(subject, Profile::ExactF64, effort.multiply_adds)?;
	let mut theirs = Engine::start(&Launch::with_libtorch(Profile::ExactF64)?).await?;
	// That it computes for this does not count either.
	let alike = theirs.compute(&chunk).await?.output == chunk.by_library()?.output;
	let sides = in_turn(rust, &chunk, effort.pairs, async || {
		Ok(chunk.samples() / theirs.compute(&chunk).await?.seconds)
	})
	.await?;
	let name = format!("ml/{}, plain Rust beside libtorch", subject.name);
	let figure = sides.figure(name, "samples/s", 0.0)?;
	let bytes = if alike { "the same bytes" } else { "not the same bytes" };
	report.note(&format!(
		"{}: libtorch is {:.1} times as fast as plain Rust, and gives {bytes}",
		subject.name,
		1.0 / figure.ratio()
	));
	report.figure(figure);
	Ok(())
}
