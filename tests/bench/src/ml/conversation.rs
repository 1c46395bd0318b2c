//! A conversation with an engine of programs, as the worker process has it.

use super::{
	chunk::{Chunk, Outcome},
	profile::Profile,
};
use crate::{engine, machine};
use anyhow::{bail, ensure, Context, Result};
use codec::DecodeAll;
use sp_io::hashing::blake2_256;
use std::{path::PathBuf, time::Instant};
use tequio_harness::{libtorch, process::binary};
use tequio_interface::{
	engine::{FromEngine, ToEngine, MAX_PART},
	program::ProgramResult,
};

/// How an engine is started.
#[derive(Clone, Debug)]
pub struct Launch {
	program: PathBuf,
	profile: Profile,
	/// Where it finds its shared libraries, if it needs any.
	libraries: Option<PathBuf>,
}

impl Launch {
	/// The engine in plain Rust, which computes in doubles.
	pub fn plain_rust() -> Result<Self> {
		let program = binary("tequio-engine-ml")?;
		Ok(Self { program, profile: Profile::ExactF64, libraries: None })
	}

	/// The engine with libtorch.
	pub fn with_libtorch(profile: Profile) -> Result<Self> {
		let (program, libraries) = (libtorch::engine()?, Some(libtorch::folder()?));
		Ok(Self { program, profile, libraries })
	}

	/// In which arithmetic it computes.
	pub fn profile(&self) -> Profile {
		self.profile
	}
}

/// An engine of programs.
pub struct Engine(engine::Engine);

impl Engine {
	/// Starts it, and waits until it takes requests.
	pub async fn start(launch: &Launch) -> Result<Self> {
		let Launch { program, profile, libraries } = launch;
		let (args, wanted) = (["--class", profile.name()], profile.class().number());
		let libraries = libraries.as_deref();
		Ok(Self(engine::Engine::start_with(program, &args, libraries, wanted).await?))
	}

	/// Has a chunk computed, from the question until all of the answer is here.
	pub async fn compute(&mut self, chunk: &Chunk) -> Result<Outcome> {
		let start = Instant::now();
		let (result, output) = self.answer(chunk).await?;
		let seconds = start.elapsed().as_secs_f64();
		let hash = blake2_256(&output);
		ensure!(hash == result.output, "the engine hands over what its result does not name");
		Ok(Outcome { seconds, output: hash })
	}

	/// The most memory that it has had, in bytes.
	pub fn peak(&self) -> Result<u64> {
		self.0.process().and_then(machine::peak).context("the engine has ended")
	}

	/// Asks, and gives the engine what it fetches until it is done. The output is the last blob that
	/// it hands over: the whole change, or the projection that follows it.
	async fn answer(&mut self, chunk: &Chunk) -> Result<(ProgramResult, Vec<u8>)> {
		self.0.ask(chunk.payload()).await?;
		let (mut output, mut ended) = (Vec::new(), false);
		loop {
			match self.0.hear().await? {
				FromEngine::Fetch { hash, .. } => self.send(hash, chunk).await?,
				FromEngine::Output { bytes, last, .. } => {
					if ended {
						output.clear();
					}
					output.extend_from_slice(&bytes);
					ended = last;
				},
				FromEngine::Done { id, result } if self.0.is_asked(id) => {
					return Ok((ProgramResult::decode_all(&mut result.as_slice())?, output));
				},
				FromEngine::Refused { reason, .. } => bail!("the engine refuses: {reason}"),
				other => bail!("the engine answers with {other:?}"),
			}
		}
	}

	/// Sends a blob in parts.
	async fn send(&mut self, hash: [u8; 32], chunk: &Chunk) -> Result<()> {
		let blob = chunk.blob(&hash).context("the engine fetches what the chunk does not have")?;
		let mut parts = blob.chunks(MAX_PART).peekable();
		while let Some(part) = parts.next() {
			let (bytes, last) = (part.to_vec(), parts.peek().is_none());
			self.0.tell(&ToEngine::Part { hash, bytes, last }).await?;
		}
		Ok(())
	}
}
