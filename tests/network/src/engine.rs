//! An engine of a test's own, which is asked what the network was asked: a second opinion.

use anyhow::{bail, Context, Result};
use codec::{DecodeAll, Encode};
use sp_core::H256;
use std::{
	io::{Read, Write},
	path::Path,
	process::{Command, Stdio},
};
use tequio_harness::{libtorch, trainings::fetch};
use tequio_interface::{
	engine::{FromEngine, ToEngine, MAX_PART},
	program::{ProgramJob, ProgramResult},
	wire::{read_frame, write_frame},
};

/// What a new engine with libtorch makes of a job in a class, which is named as on its command line.
/// What it fetches comes from the folder of a network; what it makes is not laid there.
pub fn opinion(class: &str, job: &ProgramJob, store: &Path) -> Result<ProgramResult> {
	let mut child = Command::new(libtorch::engine()?)
		.args(["--class", class, "--threads", "1"])
		.env_clear()
		.env("LD_LIBRARY_PATH", libtorch::folder()?)
		.stdin(Stdio::piped())
		.stdout(Stdio::piped())
		.spawn()
		.context("starting an engine")?;
	let to = child.stdin.take().context("the engine has no input")?;
	let from = child.stdout.take().context("the engine has no output")?;
	// Its input is closed with that, which ends it.
	let answer = ask(to, from, job, store);
	child.wait()?;
	answer
}

fn ask(
	mut to: impl Write,
	mut from: impl Read,
	job: &ProgramJob,
	store: &Path,
) -> Result<ProgramResult> {
	write_frame(&mut to, &ToEngine::Run { id: 1, payload: job.encode() })?;
	loop {
		match read_frame::<FromEngine>(&mut from)? {
			FromEngine::Ready { .. } | FromEngine::Setup { .. } | FromEngine::Output { .. } => {},
			FromEngine::Fetch { hash, .. } => {
				let blob = fetch(store, &H256(hash))?;
				let mut parts = blob.chunks(MAX_PART).peekable();
				while let Some(part) = parts.next() {
					let (bytes, last) = (part.to_vec(), parts.peek().is_none());
					write_frame(&mut to, &ToEngine::Part { hash, bytes, last })?;
				}
			},
			FromEngine::Done { result, .. } => {
				return Ok(ProgramResult::decode_all(&mut result.as_slice())?)
			},
			FromEngine::Refused { reason, .. } => bail!("the engine refuses: {reason}"),
		}
	}
}
