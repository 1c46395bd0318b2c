//! Workers with hostile or real engines, and what there is to see of their processes.

use crate::{
	libtorch::TORCH,
	processes::{descends, processes},
	waiting::eventually_in,
};
pub use crate::{
	mainnet::{assert_found, search as mainnet_search},
	processes::{is_alive, Process},
};
use codec::DecodeAll;
use nix::{
	sys::signal::{kill, Signal},
	unistd::Pid,
};
use std::{
	collections::BTreeMap,
	fs,
	io::Read,
	os::unix::{
		fs::{symlink, PermissionsExt},
		net::UnixStream,
	},
	path::{Path, PathBuf},
	process::{Child, Command, ExitStatus, Stdio},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex,
	},
	thread,
	time::Duration,
};
use tempfile::TempDir;
use tequio_interface::{
	job::{Failure, Job, JobKey, JobState},
	program::{ProgramResult, BANDED_F32},
	randomx,
	wire::{read_frame, write_frame, FromWorker, ToWorker, VERSION},
};

pub const ENGINE: &str = "tequio-engine-randomx";
const GENESIS: [u8; 32] = [7; 32];
/// For whatever a busy machine takes long for.
const PATIENCE: Duration = Duration::from_secs(180);
/// The parts that `--sandbox full` requires.
pub const REQUIRED: [&str; 4] = ["namespaces", "filter", "files", "limits"];

/// Folders of a worker.
pub struct Home {
	/// Of the worker alone.
	own: TempDir,
	/// Where everybody may do anything, as far as the file system goes.
	pub open: TempDir,
}

impl Home {
	/// With the hostile engine.
	pub fn hostile() -> Self {
		let hostile = worker_program().with_file_name("examples").join("hostile_engine");
		assert!(hostile.is_file(), "{hostile:?} is missing: `cargo build --examples` makes it");
		Self::with(&hostile)
	}

	/// With the workspace's engine.
	pub fn real() -> Self {
		let engine = worker_program().with_file_name(ENGINE);
		assert!(engine.is_file(), "{engine:?} is missing: build the workspace first");
		Self::with(&engine)
	}

	/// With the hostile engine, and with it in the place of the one that needs libtorch.
	pub fn hostile_with_libtorch() -> Self {
		let home = Self::hostile();
		let engines = home.own.path().join("engines");
		symlink(engines.join(ENGINE), engines.join(TORCH)).unwrap();
		home
	}

	/// With the workspace's engine that needs libtorch.
	pub fn real_with_libtorch() -> Self {
		let home = Self::real();
		let engine = worker_program().with_file_name(TORCH);
		symlink(engine, home.own.path().join("engines").join(TORCH)).unwrap();
		home
	}

	fn with(engine: &Path) -> Self {
		let (own, open) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
		fs::create_dir(own.path().join("engines")).unwrap();
		// A copy could still be open for writing in a process that another test has just started.
		symlink(engine, own.path().join("engines").join(ENGINE)).unwrap();
		fs::set_permissions(open.path(), fs::Permissions::from_mode(0o777)).unwrap();
		for name in ["there", "secret"] {
			let file = open.path().join(name);
			fs::write(&file, name).unwrap();
			fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
		}
		Self { own, open }
	}

	/// A file or folder where everybody may do anything.
	pub fn open_path(&self, name: &str) -> String {
		self.open.path().join(name).to_str().unwrap().into()
	}

	/// The command that starts the worker.
	pub fn command(&self, policy: &str) -> Command {
		let mut command = Command::new(worker_program());
		command
			.arg("--socket")
			.arg(self.socket())
			.arg("--base-path")
			.arg(self.own.path().join("base"))
			.arg("--engine-dir")
			.arg(self.own.path().join("engines"))
			.args(["--mode", "light", "--threads", "2", "--sandbox", policy])
			.stdout(Stdio::null());
		command
	}

	/// A worker that listens.
	pub fn start(&self, policy: &str) -> Worker {
		self.start_by(&mut self.command(policy))
	}

	/// A worker that listens, with a store and a folder of libtorch.
	pub fn start_with_libtorch(&self, policy: &str, libtorch: &Path) -> Worker {
		fs::create_dir_all(self.store()).unwrap();
		let mut command = self.command(policy);
		command.arg("--store").arg(self.store()).arg("--libtorch").arg(libtorch);
		self.start_by(&mut command)
	}

	/// A folder that the worker alone can enter.
	pub fn own_path(&self, name: &str) -> PathBuf {
		self.own.path().join(name)
	}

	/// Where outputs are found.
	fn store(&self) -> PathBuf {
		self.own_path("store")
	}

	/// What an engine of programs tells of each try.
	pub fn attack_by_program(&self, worker: &Worker, words: &str) -> Outcome {
		match worker.outcome_in(BANDED_F32, words.as_bytes().to_vec()) {
			JobState::Done(result) => {
				let result = ProgramResult::decode_all(&mut result.as_slice()).unwrap();
				let output = self.store().join(hex::encode(result.output));
				Outcome::told(fs::read(output).unwrap())
			},
			JobState::Failed(failure) => Outcome::Failed(failure),
			other => panic!("{other:?} is no outcome"),
		}
	}

	fn start_by(&self, command: &mut Command) -> Worker {
		let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
		let log = Arc::new(Mutex::new(String::new()));
		let (kept, mut errors) = (log.clone(), process.stderr.take().unwrap());
		thread::spawn(move || {
			let mut piece = [0; 4096];
			while let Ok(length @ 1..) = errors.read(&mut piece) {
				let text = String::from_utf8_lossy(&piece[..length]);
				eprint!("{text}");
				kept.lock().unwrap().push_str(&text);
			}
		});
		let worker = Worker { process, socket: self.socket(), log };
		eventually("the worker listens", || UnixStream::connect(&worker.socket).ok().map(drop));
		worker
	}

	fn socket(&self) -> PathBuf {
		self.own.path().join("socket")
	}
}

fn worker_program() -> PathBuf {
	env!("CARGO_BIN_EXE_tequio-worker").into()
}

/// What came of an attack.
#[derive(Debug)]
pub enum Outcome {
	/// The engine tells of each try.
	Told(Vec<String>),
	/// The engine ended each time.
	Failed(Failure),
}

impl Outcome {
	fn told(bytes: Vec<u8>) -> Self {
		let told = String::from_utf8(bytes).unwrap();
		Self::Told(told.lines().map(String::from).collect())
	}

	/// What the engine tells.
	pub fn lines(self) -> Vec<String> {
		match self {
			Self::Told(lines) => lines,
			Self::Failed(failure) => panic!("the engine has ended: {failure:?}"),
		}
	}

	/// Fails unless each of some tries was refused.
	pub fn assert_refused(self) {
		let lines = self.lines();
		assert!(!lines.is_empty());
		for line in &lines {
			assert!(line.contains(": refused, "), "{line}\nof\n{}", lines.join("\n"));
		}
	}
}

/// A worker process. It is killed when this is dropped.
pub struct Worker {
	process: Child,
	socket: PathBuf,
	log: Arc<Mutex<String>>,
}

impl Worker {
	/// Has the engine try something. The words: a name, and what it is aimed at.
	pub fn attack(&self, words: &str) -> Outcome {
		match self.outcome(words.as_bytes().to_vec()) {
			JobState::Done(told) => Outcome::told(told),
			JobState::Failed(failure) => Outcome::Failed(failure),
			other => panic!("{other:?} is no outcome"),
		}
	}

	/// Fails unless the worker takes jobs, and an engine computes them.
	pub fn assert_well(&self) {
		assert!(self.attack("self").lines()[0].starts_with("process "));
	}

	/// Hands in a job and waits for its end.
	pub fn outcome(&self, payload: Vec<u8>) -> JobState {
		self.outcome_in(randomx::CLASS, payload)
	}

	/// The same in any class.
	pub fn outcome_in(&self, class: u16, payload: Vec<u8>) -> JobState {
		let mut node = self.submit_in(class, payload);
		loop {
			match read_frame::<FromWorker>(&mut node).unwrap() {
				FromWorker::State(_, JobState::Queued | JobState::Running) => {},
				FromWorker::State(_, ended) => return ended,
				FromWorker::Capabilities(_) => {},
				other => panic!("{other:?} is no state"),
			}
		}
	}

	/// Hands in a job. What becomes of it is told by the connection.
	pub fn submit(&self, payload: Vec<u8>) -> UnixStream {
		self.submit_in(randomx::CLASS, payload)
	}

	fn submit_in(&self, class: u16, payload: Vec<u8>) -> UnixStream {
		let mut node = self.connect();
		write_frame(&mut node, &ToWorker::Hello { version: VERSION, genesis: GENESIS }).unwrap();
		let answer = read_frame::<FromWorker>(&mut node).unwrap();
		assert!(matches!(answer, FromWorker::Hello { version: VERSION, .. }), "{answer:?}");
		// A worker knows the jobs of the one before it.
		static TASKS: AtomicU64 = AtomicU64::new(0);
		let (task, device) = (TASKS.fetch_add(1, Ordering::Relaxed), [1; 32]);
		let key = JobKey {
			genesis: GENESIS,
			device,
			task,
			chunk: 0,
			attempt: 0,
			role: 0,
			order: [0; 32],
		};
		let job = Job { key, class, payload };
		write_frame(&mut node, &ToWorker::Submit(job)).unwrap();
		node
	}

	/// How the worker says that it is.
	pub fn status(&self) -> serde_json::Value {
		let mut node = self.connect();
		write_frame(&mut node, &ToWorker::Status).unwrap();
		let answer = read_frame::<FromWorker>(&mut node).unwrap();
		let FromWorker::Status(json) = answer else { panic!("{answer:?} is no status") };
		serde_json::from_slice(&json).unwrap()
	}

	/// The state of each part of the sandbox, as the status tells it.
	pub fn sandbox(&self) -> BTreeMap<String, String> {
		let status = self.status();
		let parts = status["sandbox"].as_array().unwrap();
		let text = |value: &serde_json::Value| value.as_str().unwrap().to_string();
		parts.iter().map(|part| (text(&part["part"]), text(&part["state"]))).collect()
	}

	/// Whether this machine has any of these parts.
	pub fn has_any(&self, parts: &[&str]) -> bool {
		let sandbox = self.sandbox();
		parts.iter().any(|part| sandbox[*part] == "active")
	}

	/// Whether this machine has all of these parts.
	pub fn has_all(&self, parts: &[&str]) -> bool {
		let sandbox = self.sandbox();
		parts.iter().all(|part| sandbox[*part] == "active")
	}

	/// What the worker has written to its standard error.
	pub fn log(&self) -> String {
		self.log.lock().unwrap().clone()
	}

	pub fn id(&self) -> Pid {
		Pid::from_raw(self.process.id().try_into().unwrap())
	}

	/// The engine that runs, once there is one.
	pub fn engine(&self) -> Process {
		self.engine_named(ENGINE)
	}

	/// The engine of this name that runs, once there is one.
	pub fn engine_named(&self, name: &str) -> Process {
		eventually("an engine runs", || {
			let all = processes();
			let is_ours = |process: &&Process| {
				process.program().ends_with(name) && descends(&all, process, self.id())
			};
			all.iter().find(is_ours).cloned()
		})
	}

	/// Sends a signal and waits for the end.
	pub fn end(mut self, signal: Signal) -> ExitStatus {
		kill(self.id(), signal).unwrap();
		self.process.wait().unwrap()
	}

	fn connect(&self) -> UnixStream {
		let stream = UnixStream::connect(&self.socket).unwrap();
		stream.set_read_timeout(Some(PATIENCE)).unwrap();
		stream
	}
}

impl Drop for Worker {
	fn drop(&mut self) {
		drop(self.process.kill().and_then(|()| self.process.wait()));
	}
}

/// Waits until something is there.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
	eventually_in(PATIENCE, what, look)
}

/// Says what this machine cannot show.
pub fn skip(what: &str, worker: &Worker) {
	eprintln!("SKIPPED, {what}: this machine has of the sandbox {:?}", worker.sandbox());
}
