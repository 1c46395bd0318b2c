//! A conversation with an engine of programs, as the worker process has it.

use super::chunk::{Chunk, Outcome};
use crate::{engine, machine};
use anyhow::{bail, ensure, Context, Result};
use codec::DecodeAll;
use sp_io::hashing::blake2_256;
use std::{path::Path, time::Instant};
use tequio_interface::{
	engine::{FromEngine, ToEngine, MAX_PART},
	program::{ProgramResult, EXACT_F64},
};

/// An engine of programs.
pub struct Engine(engine::Engine);

impl Engine {
	/// Starts it, and waits until it takes requests.
	pub async fn start(program: &Path) -> Result<Self> {
		Ok(Self(engine::Engine::start(program, &["--class", "exact-f64"], EXACT_F64).await?))
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

	/// Asks, and gives the engine what it fetches until it is done. A change that is handed over as
	/// a whole is one blob.
	async fn answer(&mut self, chunk: &Chunk) -> Result<(ProgramResult, Vec<u8>)> {
		self.0.ask(chunk.payload()).await?;
		let mut output = Vec::new();
		loop {
			match self.0.hear().await? {
				FromEngine::Fetch { hash, .. } => self.send(hash, chunk).await?,
				FromEngine::Output { bytes, .. } => output.extend_from_slice(&bytes),
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
