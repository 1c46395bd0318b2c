//! An engine as a process, and the messages to it and from it.

use crate::frames;
use anyhow::{bail, Context, Result};
use std::{path::Path, process::Stdio};
use tequio_interface::engine::{FromEngine, ToEngine};
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
	/// Starts it with these arguments, and waits until it takes requests of this class.
	pub async fn start(program: &Path, args: &[&str], wanted: u16) -> Result<Self> {
		Self::start_with(program, args, None, wanted).await
	}

	/// The same, with a folder in which it finds shared libraries.
	pub async fn start_with(
		program: &Path,
		args: &[&str],
		libraries: Option<&Path>,
		wanted: u16,
	) -> Result<Self> {
		let mut child = Command::new(program)
			.args(args)
			.envs(libraries.map(|folder| ("LD_LIBRARY_PATH", folder)))
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::null())
			.kill_on_drop(true)
			.spawn()
			.with_context(|| format!("starting {}", program.display()))?;
		let to = child.stdin.take().context("the engine has no input")?;
		let from = BufReader::new(child.stdout.take().context("the engine has no output")?);
		let mut engine = Self { to, from, asked: 0, child };
		match engine.hear().await? {
			FromEngine::Ready { class } if class == wanted => Ok(engine),
			other => bail!("the engine begins with {other:?}"),
		}
	}

	/// Asks for something.
	pub async fn ask(&mut self, payload: Vec<u8>) -> Result<()> {
		self.asked += 1;
		self.tell(&ToEngine::Run { id: self.asked, payload }).await
	}

	/// Whether this is the request that was made last.
	pub fn is_asked(&self, id: u64) -> bool {
		id == self.asked
	}

	/// Says something.
	pub async fn tell(&mut self, message: &ToEngine) -> Result<()> {
		frames::write(&mut self.to, message).await
	}

	/// What it says next, but for how it is set up.
	pub async fn hear(&mut self) -> Result<FromEngine> {
		loop {
			match frames::read(&mut self.from).await.context("the engine ended")? {
				FromEngine::Setup { .. } => {},
				message => return Ok(message),
			}
		}
	}

	/// Its process. None: it has ended.
	pub fn process(&self) -> Option<u32> {
		self.child.id()
	}
}
