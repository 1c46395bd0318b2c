//! Workers with hostile or real engines, and what there is to see of their processes.

pub use crate::mainnet::{assert_found, search as mainnet_search};
use crate::waiting::eventually_in;
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
	randomx,
	wire::{read_frame, write_frame, FromWorker, ToWorker, VERSION},
};

const ENGINE: &str = "tequio-engine-randomx";
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
		let mut process = self.command(policy).stderr(Stdio::piped()).spawn().unwrap();
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
			JobState::Done(told) => {
				let told = String::from_utf8(told).unwrap();
				Outcome::Told(told.lines().map(String::from).collect())
			},
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
		let mut node = self.submit(payload);
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
		let job = Job { key, class: randomx::CLASS, payload };
		write_frame(&mut node, &ToWorker::Submit(job)).unwrap();
		node
	}

	/// The state of each part of the sandbox, as the status tells it.
	pub fn sandbox(&self) -> BTreeMap<String, String> {
		let mut node = self.connect();
		write_frame(&mut node, &ToWorker::Status).unwrap();
		let answer = read_frame::<FromWorker>(&mut node).unwrap();
		let FromWorker::Status(json) = answer else { panic!("{answer:?} is no status") };
		let status: serde_json::Value = serde_json::from_slice(&json).unwrap();
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
		eventually("an engine runs", || {
			let all = processes();
			let is_ours = |process: &&Process| {
				process.program().ends_with(ENGINE) && descends(&all, process, self.id())
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

/// A process as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
	pub id: Pid,
	pub parent: Pid,
}

impl Process {
	/// What it was started as: the first word of its command line.
	fn program(&self) -> String {
		let line = fs::read_to_string(format!("/proc/{}/cmdline", self.id)).unwrap_or_default();
		line.split('\0').next().unwrap_or_default().into()
	}

	/// A line of its status.
	pub fn status(&self, name: &str) -> String {
		let status = fs::read_to_string(format!("/proc/{}/status", self.id)).unwrap();
		let value = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
		value.unwrap_or_default().trim().into()
	}
}

/// All processes but those that have ended and are not collected.
fn processes() -> Vec<Process> {
	let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
	let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
	let seen = |id: i32| {
		let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
		// After the name, in parentheses: state, parent.
		let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
		let is_there = !matches!(fields.next()?, "Z" | "X");
		let parent = Pid::from_raw(fields.next()?.parse().ok()?);
		is_there.then_some(Process { id: Pid::from_raw(id), parent })
	};
	ids.filter_map(seen).collect()
}

fn descends(all: &[Process], process: &Process, from: Pid) -> bool {
	let parent = all.iter().find(|other| other.id == process.parent);
	process.parent == from || parent.is_some_and(|parent| descends(all, parent, from))
}

pub fn is_alive(id: Pid) -> bool {
	processes().iter().any(|process| process.id == id)
}

/// Waits until something is there.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
	eventually_in(PATIENCE, what, look)
}

/// Says what this machine cannot show.
pub fn skip(what: &str, worker: &Worker) {
	eprintln!("SKIPPED, {what}: this machine has of the sandbox {:?}", worker.sandbox());
}
