//! One engine process: start, ask, kill.

use crate::{
	classes::Class,
	sandbox::{self, Network},
};
use std::{
	io::{self, Read},
	num::NonZeroUsize,
	path::PathBuf,
	process::{Child, ChildStdin, ChildStdout, Command, Stdio},
	sync::{mpsc, Arc, Mutex, PoisonError},
	thread,
	time::Duration,
};
use tequio_interface::{
	engine::{FromEngine, Mode, ToEngine},
	job::MAX_RESULT,
	wire::{read_frame, write_frame, FrameError},
};
use tracing::{debug, warn};

/// Time until an engine that was started must be ready: it has done nothing yet.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// How engines are started.
#[derive(Clone, Debug)]
pub struct Launcher {
	/// Where they lie.
	pub dir: PathBuf,
	/// Memory against speed.
	pub mode: Mode,
	/// Threads of each.
	pub threads: NonZeroUsize,
	/// How the network is taken from them.
	pub network: Network,
}

/// Why an engine gave no answer. Another process may.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
	/// It cannot be started.
	#[error("{program} cannot be started: {error}")]
	Start {
		/// The file.
		program: PathBuf,
		/// Why.
		error: io::Error,
	},
	/// It ended, or speaks something else.
	#[error("the engine ended or does not speak our protocol: {0}")]
	Broken(#[from] FrameError),
	/// It said something that does not answer the request.
	#[error("the engine does not answer what it was asked")]
	OffTopic,
	/// It was silent for too long, and has been killed.
	#[error("the engine was silent for {0:?}")]
	Silent(Duration),
}

/// What an engine makes of a payload.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
	/// The result.
	Done(Vec<u8>),
	/// The payload cannot be computed.
	Refused(String),
}

/// Kills an engine from any thread. Whoever waits for the engine then gets an error.
#[derive(Debug)]
pub struct Leash(Mutex<Child>);

impl Leash {
	/// Kills the process, without waiting until it is gone. A second time does nothing.
	pub fn kill(&self) {
		let mut process = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		if let Err(e) = process.kill() {
			warn!("an engine cannot be killed: {e}");
		}
	}

	/// Kills the process and collects it.
	fn reap(&self) {
		self.kill();
		let mut process = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		if let Err(e) = process.wait() {
			warn!("an engine cannot be waited for: {e}");
		}
	}
}

/// A running engine. It is killed when this is dropped.
#[derive(Debug)]
pub struct Engine {
	leash: Arc<Leash>,
	to: ChildStdin,
	from: ChildStdout,
	/// Requests so far.
	asked: u64,
}

impl Launcher {
	/// Starts the engine of a class and waits until it is ready.
	///
	/// The engine is killed when the calling thread ends.
	pub fn start(&self, class: &Class) -> Result<Engine, EngineError> {
		let program = self.dir.join(class.program);
		let mut command = Command::new(&program);
		command
			.args(["--mode", &self.mode.to_string(), "--threads", &self.threads.to_string()])
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::piped())
			.env_clear();
		sandbox::confine(&mut command, self.network, class.memory(self.mode, self.threads));
		let mut process = command
			.spawn()
			.map_err(|error| EngineError::Start { program: program.clone(), error })?;
		let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
		let leash = Arc::new(Leash(Mutex::new(process)));
		let (Some(to), Some(from), Some(errors)) = pipes else {
			leash.reap();
			return Err(EngineError::Start { program, error: io::ErrorKind::BrokenPipe.into() });
		};
		let name = class.program;
		thread::spawn(move || log_errors(name, errors));
		let mut engine = Engine { leash, to, from, asked: 0 };
		match engine.converse(START_TIMEOUT, |_, from| read_frame(from))? {
			FromEngine::Ready { class: ready } if ready == class.number => Ok(engine),
			_ => Err(EngineError::OffTopic),
		}
	}
}

impl Engine {
	/// What kills it.
	pub fn leash(&self) -> Arc<Leash> {
		self.leash.clone()
	}

	/// Has a payload computed. Without an answer in `limit` the engine is killed.
	///
	/// After an error the engine is of no use any more.
	pub fn compute(&mut self, payload: Vec<u8>, limit: Duration) -> Result<Answer, EngineError> {
		self.asked += 1;
		let asked = self.asked;
		let answer = self.converse(limit, |to, from| {
			write_frame(to, &ToEngine::Run { id: asked, payload })?;
			read_frame(from)
		})?;
		match answer {
			FromEngine::Done { id, result } if id == asked && result.len() <= MAX_RESULT => {
				Ok(Answer::Done(result))
			},
			FromEngine::Refused { id, reason } if id == asked => Ok(Answer::Refused(reason)),
			_ => Err(EngineError::OffTopic),
		}
	}

	/// Talks to the engine for no longer than `limit`. Reads and writes do not end by themselves
	/// when an engine hangs, so a second thread kills it then.
	fn converse(
		&mut self,
		limit: Duration,
		talk: impl FnOnce(&mut ChildStdin, &mut ChildStdout) -> Result<FromEngine, FrameError>,
	) -> Result<FromEngine, EngineError> {
		let (answered, answer) = mpsc::channel::<()>();
		let leash = &self.leash;
		thread::scope(|scope| {
			let guard = scope.spawn(move || {
				let silent = answer.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
				if silent {
					leash.kill();
				}
				silent
			});
			let said = talk(&mut self.to, &mut self.from);
			drop(answered);
			match guard.join() {
				Ok(true) => Err(EngineError::Silent(limit)),
				_ => Ok(said?),
			}
		})
	}
}

impl Drop for Engine {
	fn drop(&mut self) {
		self.leash.reap();
	}
}

/// Copies what an engine writes to its standard error into the log, piece by piece, for as long as
/// it runs.
fn log_errors(program: &str, mut errors: impl Read) {
	let mut piece = [0; 1024];
	while let Ok(length @ 1..) = errors.read(&mut piece) {
		let text = String::from_utf8_lossy(piece.get(..length).unwrap_or_default());
		warn!("{program}: {}", text.trim_end());
	}
	debug!("{program} has ended");
}
