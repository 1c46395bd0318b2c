//! One engine process: start, ask, kill.

mod exchange;
mod words;

use crate::{
	classes::{Class, OutputOf},
	plan::Setting,
	sandbox::Sandbox,
	store::Store,
};
use exchange::{Data, Exchange};
use nix::{
	sys::wait::{waitpid, WaitPidFlag, WaitStatus},
	unistd::Pid,
};
use std::{
	ffi::OsString,
	io,
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
	engine::{FromEngine, ToEngine},
	job::{Job, MAX_RESULT},
	wire::{read_frame, write_frame, FrameError},
};
use tracing::{debug, warn};
use words::{log_errors, one_line};

/// Time until an engine that was started must be ready: it has done nothing yet.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Messages that may wait for whoever waits for an engine.
const NEWS: usize = 4;
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
	/// Where the data of those classes is that need some.
	pub store: Option<Arc<dyn Store>>,
	/// Where libtorch is for the engines that need it: an absolute path.
	pub libtorch: Option<PathBuf>,
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
	/// The store did not give what it has, or keep an output: whatever the engine said, it is not
	/// what becomes of the payload.
	StoreFailed(String),
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
	/// Where its data is, if its class needs some.
	store: Option<Arc<dyn Store>>,
	/// What tells which output a result names, if its class has outputs.
	output: Option<OutputOf>,
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
		let mut args = self.setting.args();
		args.extend(class.arguments.iter().map(|argument| OsString::from(*argument)));
		let libraries = self.libtorch.as_deref().filter(|_| class.needs_libtorch);
		let mut process = self
			.sandbox
			.command(&program, &args, &limits, libraries)
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
		let (store, output) = (self.store.clone(), class.output());
		let store = store.filter(|_| class.needs_data());
		Ok(Engine { leash, program, to, news, asked: 0, store, output })
	}
}

impl Engine {
	/// What kills it.
	pub fn leash(&self) -> Arc<Leash> {
		self.leash.clone()
	}

	/// Waits until it is ready. After an error it is of no use.
	pub fn await_ready(&mut self, class: &Class) -> Result<(), EngineError> {
		match self.converse(START_TIMEOUT, |_, news| Ok(answer(news, |_| Ok(()))?)) {
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
	/// `limit` the engine is killed. What it asks for comes from the store, and its outputs are there
	/// when this returns.
	///
	/// After an error the engine is of no use any more. Without room for its outputs the answer is
	/// [`Answer::StoreFailed`] where they are wanted (`is_wanted`), as a worker's are: who checks one is
	/// asked for its hash alone.
	pub fn compute(
		&mut self,
		payload: Vec<u8>,
		limit: Duration,
		is_wanted: bool,
	) -> Result<Answer, EngineError> {
		let store = self.store.clone();
		let data = match &store {
			Some(store) => Data::Of(store.as_ref()),
			None => Data::None,
		};
		self.ask(payload, limit, data, is_wanted)
	}

	/// The same for a sample or an exam, which needs nothing from the store and leaves nothing there.
	pub fn try_out(&mut self, payload: Vec<u8>, limit: Duration) -> Result<Answer, EngineError> {
		let data = if self.output.is_some() { Data::Trial } else { Data::None };
		self.ask(payload, limit, data, false)
	}

	fn ask(
		&mut self,
		payload: Vec<u8>,
		limit: Duration,
		data: Data,
		is_wanted: bool,
	) -> Result<Answer, EngineError> {
		self.asked += 1;
		let asked = self.asked;
		let mut exchange = Exchange::new(asked, data);
		let takes_data = self.output.is_some();
		let said = self.converse(limit, |to, news| {
			write_frame(to, &ToEngine::Run { id: asked, payload })?;
			loop {
				// One that asks for data reads nothing else while it computes, and has nothing to make
				// ready.
				let expect = |job: &Job| match takes_data {
					true => Ok(()),
					false => write_frame(to, &ToEngine::Expect { payload: job.payload.clone() }),
				};
				match answer(news, expect)? {
					FromEngine::Fetch { id, hash, most } => exchange.give(to, id, hash, most)?,
					FromEngine::Output { id, bytes, last } => exchange.take(id, &bytes, last)?,
					said => return Ok(said),
				}
			}
		})?;
		let answer = match said {
			FromEngine::Done { id, result } if id == asked && result.len() <= MAX_RESULT => {
				exchange.keep(self.output.and_then(|output| output(&result)), is_wanted)?;
				Answer::Done(result)
			},
			FromEngine::Refused { id, reason } if id == asked => Answer::Refused(one_line(&reason)),
			_ => return Err(EngineError::OffTopic),
		};
		Ok(exchange.into_fault().map_or(answer, Answer::StoreFailed))
	}

	/// Talks to the engine for no longer than `limit`. Reads and writes do not end by themselves
	/// when an engine hangs, so a second thread kills it then.
	fn converse(
		&mut self,
		limit: Duration,
		talk: impl FnOnce(&mut ChildStdin, &Receiver<News>) -> Result<FromEngine, EngineError>,
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
				_ => said,
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
