//! A conversation with an engine of programs, as the worker process has it.

use super::chunk::{Chunk, Outcome};
use crate::{frames, machine};
use anyhow::{bail, ensure, Context, Result};
use codec::DecodeAll;
use sp_io::hashing::blake2_256;
use std::{path::Path, process::Stdio, time::Instant};
use tequio_interface::{
	engine::{FromEngine, ToEngine, MAX_PART},
	program::{ProgramResult, EXACT_F64},
};
use tokio::{
	io::BufReader,
	process::{Child, ChildStdin, ChildStdout, Command},
};

/// An engine. It ends when this is dropped, and with this program, whose end closes its input.
pub struct Engine {
	to: ChildStdin,
	from: BufReader<ChildStdout>,
	asked: u64,
	child: Child,
}

impl Engine {
	/// Starts it, and waits until it takes requests.
	pub async fn start(program: &Path) -> Result<Self> {
		let mut child = Command::new(program)
			.args(["--class", "exact-f64"])
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::null())
			.kill_on_drop(true)
			.spawn()
			.with_context(|| format!("starting {}", program.display()))?;
		let to = child.stdin.take().context("the engine has no input")?;
		let mut from = BufReader::new(child.stdout.take().context("the engine has no output")?);
		match frames::read(&mut from).await? {
			FromEngine::Ready { class: EXACT_F64 } => Ok(Self { to, from, asked: 0, child }),
			other => bail!("the engine begins with {other:?}"),
		}
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
		self.child.id().and_then(machine::peak).context("the engine has ended")
	}

	/// Asks, and gives the engine what it fetches until it is done. A change that is handed over as
	/// a whole is one blob.
	async fn answer(&mut self, chunk: &Chunk) -> Result<(ProgramResult, Vec<u8>)> {
		self.asked += 1;
		let run = ToEngine::Run { id: self.asked, payload: chunk.payload() };
		frames::write(&mut self.to, &run).await?;
		let mut output = Vec::new();
		loop {
			match frames::read(&mut self.from).await.context("the engine ended")? {
				FromEngine::Fetch { hash, .. } => self.send(hash, chunk).await?,
				FromEngine::Output { bytes, .. } => output.extend_from_slice(&bytes),
				FromEngine::Done { id, result } if id == self.asked => {
					return Ok((ProgramResult::decode_all(&mut result.as_slice())?, output));
				},
				FromEngine::Refused { reason, .. } => bail!("the engine refuses: {reason}"),
				FromEngine::Setup { .. } => {},
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
			frames::write(&mut self.to, &ToEngine::Part { hash, bytes, last }).await?;
		}
		Ok(())
	}
}
