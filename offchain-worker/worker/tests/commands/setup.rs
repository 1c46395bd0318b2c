//! A worker in a folder of its own, a node that hands in jobs, and commands that are run to their
//! end.

use crate::waiting::eventually_in;
use codec::Encode;
use nix::{
	sys::signal::{kill, Signal},
	unistd::Pid,
};
use serde_json::Value;
use std::{
	fs,
	os::unix::{fs::PermissionsExt, net::UnixStream},
	path::{Path, PathBuf},
	process::{Child, Command, Output, Stdio},
	time::Duration,
};
use tempfile::TempDir;
use tequio_interface::{
	job::{Job, JobKey, JobState},
	randomx::{self, Puzzle, RandomXJob},
	wire::{read_frame, write_frame, FromWorker, ToWorker, VERSION},
};

pub const ENGINE: &str = "tequio-engine-randomx";
const WORKER: &str = env!("CARGO_BIN_EXE_tequio-worker");
const GENESIS: [u8; 32] = [7; 32];
/// For whatever a busy machine takes long for.
const PATIENCE: Duration = Duration::from_secs(240);
/// How engines are run in all of these tests.
pub const LIGHT: [&str; 6] = ["--mode", "light", "--threads", "2", "--sandbox", "available"];

/// Folder, socket and engines of a worker. Outlives its processes.
pub struct Home {
	dir: TempDir,
	pub engines: PathBuf,
}

impl Home {
	/// With the workspace's engine.
	pub fn new() -> Self {
		let engines = Path::new(WORKER).parent().unwrap().to_path_buf();
		let engine = engines.join(ENGINE);
		assert!(engine.is_file(), "{engine:?} is missing: build the workspace first");
		Self { dir: tempfile::tempdir().unwrap(), engines }
	}

	/// With this shell script in the place of the engine, or with no engine.
	pub fn with_engine(script: Option<&str>) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let engines = dir.path().join("engines");
		fs::create_dir(&engines).unwrap();
		if let Some(script) = script {
			let engine = engines.join(ENGINE);
			fs::write(&engine, format!("#!/bin/sh\n{script}\n")).unwrap();
			fs::set_permissions(&engine, fs::Permissions::from_mode(0o755)).unwrap();
		}
		Self { dir, engines }
	}

	pub fn path(&self, name: &str) -> PathBuf {
		self.dir.path().join(name)
	}

	pub fn socket(&self) -> PathBuf {
		self.path("socket")
	}

	/// The command that starts a worker.
	fn worker(&self, args: &[&str]) -> Command {
		let mut command = Command::new(WORKER);
		command.arg("--socket").arg(self.socket());
		command.arg("--base-path").arg(self.path("base"));
		command.arg("--engine-dir").arg(&self.engines).args(args);
		command
	}

	/// A worker that listens.
	pub fn start(&self, args: &[&str]) -> Worker {
		self.try_start(args).expect("the worker has ended")
	}

	/// A worker that listens, unless it ends before.
	pub fn try_start(&self, args: &[&str]) -> Option<Worker> {
		let process = self.worker(args).stdout(Stdio::null()).spawn().unwrap();
		let mut worker = Worker { process, socket: self.socket() };
		let listens = eventually("the worker listens or ends", || {
			let has_ended = worker.process.try_wait().unwrap().is_some();
			let listens = UnixStream::connect(&worker.socket).is_ok();
			(has_ended || listens).then_some(listens)
		});
		listens.then_some(worker)
	}

	/// What a worker says that does not start.
	pub fn fail_to_start(&self, args: &[&str]) -> String {
		let output = self.worker(args).output().unwrap();
		assert!(!output.status.success());
		String::from_utf8(output.stderr).unwrap()
	}

	/// Runs a command with the engines of this home.
	pub fn run(&self, command: &str, args: &[&str]) -> Output {
		let mut process = Command::new(WORKER);
		process.arg(command).arg("--engine-dir").arg(&self.engines).args(args);
		process.output().unwrap()
	}
}

/// A worker process. It is killed when this is dropped.
pub struct Worker {
	process: Child,
	socket: PathBuf,
}

impl Worker {
	/// Runs `status` with more arguments.
	pub fn ask(&self, args: &[&str]) -> String {
		let mut process = Command::new(WORKER);
		let output =
			process.arg("status").arg("--socket").arg(&self.socket).args(args).output().unwrap();
		assert!(output.status.success(), "{output:?}");
		String::from_utf8(output.stdout).unwrap()
	}

	/// What `status --json` prints.
	pub fn status(&self) -> Value {
		serde_json::from_str(&self.ask(&["--json"])).unwrap()
	}

	/// A node that has said hello.
	pub fn connect(&self) -> Node {
		let stream = UnixStream::connect(&self.socket).unwrap();
		stream.set_read_timeout(Some(PATIENCE)).unwrap();
		let mut node = Node { stream, rate: 0 };
		node.say(&ToWorker::Hello { version: VERSION, genesis: GENESIS });
		let FromWorker::Hello { capabilities, .. } = node.hear() else { panic!("no hello") };
		node.rate = capabilities[0].rate;
		node
	}

	/// The process that this worker started: an engine, or what stands before it.
	pub fn child(&self) -> Pid {
		let worker = self.process.id().to_string();
		let is_child = |id: i32| {
			let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
			// After the name, in parentheses: state, parent.
			let fields = stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace());
			let fields: Vec<_> = fields.into_iter().flatten().take(2).collect();
			matches!(fields.as_slice(), [state, parent] if *state != "Z" && *parent == worker)
		};
		eventually("the worker has a child", || {
			let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
			let mut ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
			ids.find(|id| is_child(*id)).map(Pid::from_raw)
		})
	}

	/// Asks it to end, and waits.
	pub fn end(mut self) {
		kill(Pid::from_raw(self.process.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
		assert!(self.process.wait().unwrap().success());
	}
}

impl Drop for Worker {
	fn drop(&mut self) {
		drop(self.process.kill().and_then(|()| self.process.wait()));
	}
}

/// The node's end of a connection.
pub struct Node {
	stream: UnixStream,
	/// What the worker says it computes in 1000 seconds.
	pub rate: u64,
}

impl Node {
	pub fn say(&mut self, message: &ToWorker) {
		write_frame(&mut self.stream, message).unwrap();
	}

	/// The next message but those about the speed, which it remembers.
	fn hear(&mut self) -> FromWorker {
		loop {
			match read_frame(&mut self.stream).unwrap() {
				FromWorker::Capabilities(able) => self.rate = able[0].rate,
				other => return other,
			}
		}
	}

	/// Waits until it is told a speed, before anything else.
	pub fn await_rate(&mut self) {
		while self.rate == 0 {
			match read_frame(&mut self.stream).unwrap() {
				FromWorker::Capabilities(able) => self.rate = able[0].rate,
				other => panic!("{other:?}"),
			}
		}
	}

	pub fn submit(&mut self, job: &Job) {
		self.say(&ToWorker::Submit(job.clone()));
	}

	/// Waits until a job is in a state that fits.
	pub fn await_state(&mut self, key: &JobKey, fits: impl Fn(&JobState) -> bool) {
		loop {
			match self.hear() {
				FromWorker::State(told, state) if told == *key && fits(&state) => return,
				FromWorker::State(..) => {},
				other => panic!("{other:?}"),
			}
		}
	}

	/// Has a job computed.
	pub fn compute(&mut self, job: &Job) {
		self.submit(job);
		self.await_state(&job.key, |state| matches!(state, JobState::Done(_)));
	}
}

/// A search of so many nonces, none of which is a share.
pub fn search(task: u64, count: u32) -> Job {
	let puzzle = Puzzle {
		seed: [3; 32],
		template: vec![5; 76],
		nonce_offset: 39,
		share_target: [0; 32],
		target: [0; 32],
	};
	let search = RandomXJob::Search { puzzle, start: 0, count };
	Job { key: key(task), class: randomx::CLASS, payload: search.encode() }
}

fn key(task: u64) -> JobKey {
	JobKey {
		genesis: GENESIS,
		device: [1; 32],
		task,
		chunk: 0,
		attempt: 0,
		role: 0,
		order: [0; 32],
	}
}

/// Waits until something is there.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
	eventually_in(PATIENCE, what, look)
}
