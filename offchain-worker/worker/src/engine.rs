//! One engine process: start, ask, kill.

use crate::{classes::Class, plan::Setting, sandbox::Sandbox};
use nix::{
	sys::wait::{waitpid, WaitPidFlag, WaitStatus},
	unistd::Pid,
};
use std::{
	io::{self, Read},
	path::PathBuf,
	process::{Child, ChildStdin, ChildStdout, Stdio},
	sync::{
		mpsc::{self, Receiver, SyncSender},
		Arc, Mutex, PoisonError,
	},
	thread,
	time::Duration,
};
use tequio_interface::{
	engine::{FromEngine, ToEngine, MAX_SETUP},
	job::{Job, MAX_RESULT},
	wire::{read_frame, write_frame, FrameError},
};
use tracing::{debug, warn};

/// Time until an engine that was started must be ready: it has done nothing yet.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Messages that may wait for whoever waits for an engine.
const NEWS: usize = 4;
/// Bytes of an engine's complaints that are logged: more could fill the disk.
const MAX_COMPLAINTS: usize = 64 << 10;
/// How often, and how long after each other, an engine is looked for that is left to us.
const ORPHAN: (u32, Duration) = (100, Duration::from_millis(10));

/// How engines are started.
#[derive(Clone, Debug)]
pub struct Launcher {
	/// Where they lie: an absolute path.
	pub dir: PathBuf,
	/// How they are run.
	pub setting: Setting,
	/// What confines them.
	pub sandbox: Sandbox,
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

/// What reaches whoever waits for an engine.
#[derive(Debug)]
enum News {
	/// The engine said something, or will say nothing more.
	Said(Result<FromEngine, FrameError>),
	/// This job will probably be asked next.
	Expected(Arc<Job>),
}

/// What other threads hold of an engine: they can kill it, tell it what is coming, and look at it.
#[derive(Debug)]
pub struct Leash {
	process: Mutex<Child>,
	/// Its process id, or that of the process which stands between it and us.
	id: u32,
	news: SyncSender<News>,
	/// What it last said of itself.
	setup: Mutex<String>,
}

impl Leash {
	/// Kills the process, without waiting until it is gone. A second time does nothing. Whoever
	/// waits for the engine then gets an error.
	pub fn kill(&self) {
		let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
		if let Err(e) = process.kill() {
			warn!("an engine cannot be killed: {e}");
		}
	}

	/// Tells the engine which job will probably be next, if it is computing. Never waits.
	pub fn expect(&self, job: Arc<Job>) {
		if self.news.try_send(News::Expected(job)).is_err() {
			debug!("an engine is not told what is next");
		}
	}

	/// Id of the process from which the engine descends, or of the engine.
	pub fn id(&self) -> u32 {
		self.id
	}

	/// What the engine last said of itself: one line.
	pub fn setup(&self) -> String {
		self.setup.lock().unwrap_or_else(PoisonError::into_inner).clone()
	}

	/// Kills the process and collects it.
	fn reap(&self) {
		self.kill();
		let mut process = self.process.lock().unwrap_or_else(PoisonError::into_inner);
		if let Err(e) = process.wait() {
			warn!("an engine cannot be waited for: {e}");
		}
		drop(process);
		self.collect_orphan();
	}

	/// Collects the engine whose launcher has ended, where this process is the first of a container
	/// and it is left to us; elsewhere there is no such child. A launcher leads a group of processes.
	fn collect_orphan(&self) {
		let Ok(id) = i32::try_from(self.id) else { return };
		let group = Pid::from_raw(id.saturating_neg());
		for _ in 0..ORPHAN.0 {
			match waitpid(group, Some(WaitPidFlag::WNOHANG)) {
				Ok(WaitStatus::StillAlive) => thread::sleep(ORPHAN.1),
				Ok(_) => {},
				Err(_) => return,
			}
		}
	}
}

/// A running engine. It is killed when this is dropped.
#[derive(Debug)]
pub struct Engine {
	leash: Arc<Leash>,
	program: PathBuf,
	to: ChildStdin,
	news: Receiver<News>,
	/// Requests so far.
	asked: u64,
}

impl Launcher {
	/// Starts the engine of a class and waits until it is ready.
	///
	/// The engine is killed when the calling thread ends.
	pub fn start(&self, class: &Class) -> Result<Engine, EngineError> {
		let mut engine = self.launch(class)?;
		engine.await_ready(class)?;
		Ok(engine)
	}

	/// Starts the engine of a class, which is of use once it is ready.
	///
	/// The engine is killed when the calling thread ends.
	pub fn launch(&self, class: &Class) -> Result<Engine, EngineError> {
		let program = self.dir.join(class.program);
		let limits = self.setting.limits(class.address_space(&self.setting));
		let mut process = self
			.sandbox
			.command(&program, &self.setting.args(), &limits)
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::piped())
			.spawn()
			.map_err(|error| EngineError::Start { program: program.clone(), error })?;
		let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
		let (sender, news) = mpsc::sync_channel(NEWS);
		let (id, process) = (process.id(), Mutex::new(process));
		let setup = Mutex::new("running".into());
		let leash = Arc::new(Leash { process, id, news: sender, setup });
		let (Some(to), Some(from), Some(errors)) = pipes else {
			leash.reap();
			return Err(EngineError::Start { program, error: io::ErrorKind::BrokenPipe.into() });
		};
		let (name, said_by) = (class.program, leash.clone());
		thread::spawn(move || log_errors(name, errors));
		thread::spawn(move || listen(from, &said_by));
		Ok(Engine { leash, program, to, news, asked: 0 })
	}
}

impl Engine {
	/// What kills it.
	pub fn leash(&self) -> Arc<Leash> {
		self.leash.clone()
	}

	/// Waits until it is ready. After an error it is of no use.
	pub fn await_ready(&mut self, class: &Class) -> Result<(), EngineError> {
		match self.converse(START_TIMEOUT, |_, news| answer(news, |_| Ok(()))) {
			Ok(FromEngine::Ready { class: ready }) if ready == class.number => Ok(()),
			Ok(_) => Err(EngineError::OffTopic),
			Err(EngineError::Broken(FrameError::Io(e))) => {
				let error = io::Error::new(e.kind(), "it ends before it is ready");
				Err(EngineError::Start { program: self.program.clone(), error })
			},
			Err(e) => Err(e),
		}
	}

	/// Has a payload computed, and tells the engine meanwhile what is coming. Without an answer in
	/// `limit` the engine is killed.
	///
	/// After an error the engine is of no use any more.
	pub fn compute(&mut self, payload: Vec<u8>, limit: Duration) -> Result<Answer, EngineError> {
		self.asked += 1;
		let asked = self.asked;
		let answer = self.converse(limit, |to, news| {
			write_frame(to, &ToEngine::Run { id: asked, payload })?;
			answer(news, |job| write_frame(to, &ToEngine::Expect { payload: job.payload.clone() }))
		})?;
		match answer {
			FromEngine::Done { id, result } if id == asked && result.len() <= MAX_RESULT => {
				Ok(Answer::Done(result))
			},
			FromEngine::Refused { id, reason } if id == asked => {
				Ok(Answer::Refused(one_line(&reason)))
			},
			_ => Err(EngineError::OffTopic),
		}
	}

	/// Talks to the engine for no longer than `limit`. Reads and writes do not end by themselves
	/// when an engine hangs, so a second thread kills it then.
	fn converse(
		&mut self,
		limit: Duration,
		talk: impl FnOnce(&mut ChildStdin, &Receiver<News>) -> Result<FromEngine, FrameError>,
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
			let said = talk(&mut self.to, &self.news);
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

/// Waits for what the engine says next, and hands on what it may expect.
fn answer(
	news: &Receiver<News>,
	mut expect: impl FnMut(&Job) -> Result<(), FrameError>,
) -> Result<FromEngine, FrameError> {
	loop {
		match news.recv() {
			Ok(News::Said(said)) => return said,
			Ok(News::Expected(job)) => expect(&job)?,
			Err(mpsc::RecvError) => {
				return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into()));
			},
		}
	}
}

/// Reads what an engine says until it ends. Answers wait for whoever asked.
fn listen(mut from: ChildStdout, engine: &Leash) {
	loop {
		let said = read_frame(&mut from);
		if let Ok(FromEngine::Setup { about }) = said {
			*engine.setup.lock().unwrap_or_else(PoisonError::into_inner) = one_line(&about);
			continue;
		}
		let is_over = said.is_err();
		if engine.news.send(News::Said(said)).is_err() || is_over {
			return;
		}
	}
}

/// What a stranger's program says, fit for a line of text.
fn one_line(text: &str) -> String {
	let mut line = String::new();
	for letter in text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }) {
		if line.len().saturating_add(letter.len_utf8()) > MAX_SETUP {
			break;
		}
		line.push(letter);
	}
	line
}

/// What a stranger's program complains about, so that nobody takes it for something else: on one
/// line, all of it visible. Quotes stay as they are.
fn visible(text: &str) -> String {
	let mut line = String::new();
	for letter in text.trim_end().chars() {
		match letter {
			'"' | '\'' => line.push(letter),
			other => line.extend(other.escape_debug()),
		}
	}
	line
}

/// Copies what an engine writes to its standard error into the log, piece by piece, up to
/// [`MAX_COMPLAINTS`]. The rest is read, so that the engine does not wait.
fn log_errors(program: &str, mut errors: impl Read) {
	let (mut piece, mut left) = ([0; 1024], MAX_COMPLAINTS);
	while let Ok(length @ 1..) = errors.read(&mut piece) {
		if left == 0 {
			continue;
		}
		let text = String::from_utf8_lossy(piece.get(..length).unwrap_or_default());
		warn!("{program}: {}", visible(&text));
		left = left.saturating_sub(length);
		if left == 0 {
			warn!("{program}: what else it complains about is not logged");
		}
	}
	debug!("{program} has ended");
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_an_engine_says_of_itself_is_one_bounded_line() {
		assert_eq!(one_line(" fast,\n2 threads\u{1b}[31m \n"), "fast, 2 threads [31m");
		let long = one_line(&"ä".repeat(MAX_SETUP));
		assert_eq!(long.len(), MAX_SETUP);
	}

	#[test]
	fn complaints_cannot_be_taken_for_other_lines() {
		assert_eq!(visible("it's \"wrong\", ä\n"), "it's \"wrong\", ä");
		let forged = visible("a\r\n2026-01-01 WARN b\u{1b}[2K\u{202e}\0\u{2028}c\n\n");
		assert_eq!(forged, r"a\r\n2026-01-01 WARN b\u{1b}[2K\u{202e}\0\u{2028}c");
	}
}
