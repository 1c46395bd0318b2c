//! A conversation with an engine, as the worker process has it.

use crate::{frames, search::payload};
use anyhow::{bail, Context, Result};
use std::{
	path::Path,
	process::Stdio,
	time::{Duration, Instant},
};
use tequio_interface::engine::{FromEngine, Mode, ToEngine};
use tokio::{
	io::BufReader,
	process::{Child, ChildStdin, ChildStdout, Command},
};

/// An engine with two caches. It ends when this is dropped, and with this program, whose end closes
/// its input.
pub struct Engine {
	to: ChildStdin,
	from: BufReader<ChildStdout>,
	next: u64,
	_child: Child,
}

impl Engine {
	/// Starts it.
	pub async fn start(program: &Path, mode: Mode, threads: u32) -> Result<Self> {
		let mut child = Command::new(program)
			.args(["--mode", &mode.to_string(), "--threads", &threads.to_string()])
			.args(["--caches", "2"])
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::null())
			.kill_on_drop(true)
			.spawn()
			.with_context(|| format!("starting {}", program.display()))?;
		let to = child.stdin.take().context("the engine has no input")?;
		let from = BufReader::new(child.stdout.take().context("the engine has no output")?);
		let mut engine = Self { to, from, next: 0, _child: child };
		loop {
			match frames::read(&mut engine.from).await? {
				FromEngine::Ready { .. } => return Ok(engine),
				FromEngine::Setup { .. } => {},
				other => bail!("the engine begins with {other:?}"),
			}
		}
	}

	/// Asks for a search; its answer is waited for with [`Self::done`].
	pub async fn ask(&mut self, key: u8, count: u32) -> Result<()> {
		self.next += 1;
		let message = ToEngine::Run { id: self.next, payload: payload(key, count) };
		frames::write(&mut self.to, &message).await
	}

	/// Announces a search of one nonce.
	pub async fn expect(&mut self, key: u8) -> Result<()> {
		frames::write(&mut self.to, &ToEngine::Expect { payload: payload(key, 1) }).await
	}

	/// Waits for the answer to what was asked last.
	pub async fn done(&mut self) -> Result<()> {
		loop {
			match frames::read(&mut self.from).await.context("the engine ended")? {
				FromEngine::Done { id, .. } if id == self.next => return Ok(()),
				FromEngine::Setup { .. } => {},
				other => bail!("the engine answers with {other:?}"),
			}
		}
	}

	/// Has `count` nonces hashed and says how long that took.
	pub async fn search(&mut self, key: u8, count: u32) -> Result<Duration> {
		let start = Instant::now();
		self.ask(key, count).await?;
		self.done().await?;
		Ok(start.elapsed())
	}
}
