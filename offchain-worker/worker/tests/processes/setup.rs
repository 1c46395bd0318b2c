//! A worker in a folder of its own, and a node that talks to it.

use codec::{DecodeAll, Encode};
use nix::{
	sys::signal::{kill, Signal},
	unistd::Pid,
};
use std::{
	fs,
	os::unix::{fs::PermissionsExt, net::UnixStream},
	path::{Path, PathBuf},
	process::{Child, Command, ExitStatus, Stdio},
	thread,
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tequio_interface::{
	job::{Capability, Job, JobKey, JobState},
	randomx::{self, Puzzle, RandomXJob, SearchResult},
	wire::{read_frame, write_frame, FrameError, FromWorker, ToWorker, VERSION},
};

pub const GENESIS: [u8; 32] = [7; 32];
const ENGINE: &str = "tequio-engine-randomx";
/// Says that it is ready.
pub const READY: &str = r"printf '\003\000\000\000\000\000\000'";
/// For whatever a busy machine takes long for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Folder, socket and engines of a worker. Outlives its processes.
pub struct Home {
	dir: TempDir,
	engines: PathBuf,
}

impl Home {
	/// With the workspace's engine.
	pub fn new() -> Self {
		let engines = Path::new(env!("CARGO_BIN_EXE_tequio-worker")).parent().unwrap();
		let engine = engines.join(ENGINE);
		assert!(engine.is_file(), "{engine:?} is missing: build the workspace first");
		Self { dir: tempfile::tempdir().unwrap(), engines: engines.to_path_buf() }
	}

	/// With a shell script in the place of the engine. In it, `$HERE` is the folder of the script,
	/// and `$REAL` the workspace's engine. A script can make folders, but write to no file.
	pub fn with_script(script: &str) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let engines = dir.path().join("engines");
		fs::create_dir(&engines).unwrap();
		let real = Path::new(env!("CARGO_BIN_EXE_tequio-worker")).with_file_name(ENGINE);
		let text = format!(
			"#!/bin/sh\nHERE='{}'\nREAL='{}'\n{script}\n",
			engines.display(),
			real.display()
		);
		let path = engines.join(ENGINE);
		fs::write(&path, text).unwrap();
		fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
		Self { dir, engines }
	}

	/// Whether a script has made this folder.
	pub fn has(&self, name: &str) -> bool {
		self.engines.join(name).exists()
	}

	/// Names in the folder of the engines.
	pub fn names(&self) -> Vec<String> {
		let entries = fs::read_dir(&self.engines).unwrap();
		entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
	}

	pub fn socket(&self) -> PathBuf {
		self.dir.path().join("socket")
	}

	/// The command that starts the worker.
	pub fn command(&self) -> Command {
		let mut command = Command::new(env!("CARGO_BIN_EXE_tequio-worker"));
		command
			.arg("--socket")
			.arg(self.socket())
			.arg("--base-path")
			.arg(self.dir.path().join("base"))
			.arg("--engine-dir")
			.arg(&self.engines)
			.args(["--mode", "light", "--threads", "2"]);
		command
	}

	/// A worker that listens.
	pub fn start(&self) -> Worker {
		self.start_with(&[])
	}

	pub fn start_with(&self, args: &[&str]) -> Worker {
		let process = self.command().args(args).stdout(Stdio::null()).spawn().unwrap();
		let worker = Worker { process, socket: self.socket() };
		eventually("the worker listens", || UnixStream::connect(&worker.socket).ok().map(drop));
		worker
	}
}

/// A worker process. It is killed when this is dropped.
pub struct Worker {
	process: Child,
	socket: PathBuf,
}

impl Worker {
	/// A node that has said hello.
	pub fn connect(&self) -> Node {
		let mut node = Node::new(&self.socket);
		let capabilities = vec![Capability { class: randomx::CLASS, slots: 1 }];
		let hello = FromWorker::Hello { version: VERSION, capabilities };
		assert_eq!(node.hello(VERSION, GENESIS), hello);
		node
	}

	/// A node that has said nothing.
	pub fn stranger(&self) -> Node {
		Node::new(&self.socket)
	}

	/// The engine that runs, once there is one.
	pub fn engine(&self) -> Pid {
		let parent = self.process.id().to_string();
		eventually("an engine runs", || {
			processes()
				.into_iter()
				.find(|(_, its_parent)| *its_parent == parent)
				.map(|(pid, _)| pid)
		})
	}

	/// Sends a signal and waits for the end.
	pub fn end(mut self, signal: Signal) -> ExitStatus {
		kill(pid(&self.process), signal).unwrap();
		self.process.wait().unwrap()
	}
}

impl Drop for Worker {
	fn drop(&mut self) {
		drop(self.process.kill().and_then(|()| self.process.wait()));
	}
}

/// The node's end of a connection.
pub struct Node(UnixStream);

impl Node {
	fn new(socket: &Path) -> Self {
		let stream = UnixStream::connect(socket).unwrap();
		stream.set_read_timeout(Some(PATIENCE)).unwrap();
		Self(stream)
	}

	pub fn hello(&mut self, version: u16, genesis: [u8; 32]) -> FromWorker {
		self.say(&ToWorker::Hello { version, genesis });
		self.hear().unwrap()
	}

	pub fn say(&mut self, message: &ToWorker) {
		write_frame(&mut self.0, message).unwrap();
	}

	pub fn hear(&mut self) -> Result<FromWorker, FrameError> {
		read_frame(&mut self.0)
	}

	/// Submits and returns the first answer.
	pub fn submit(&mut self, job: &Job) -> JobState {
		self.say(&ToWorker::Submit(job.clone()));
		self.state_of(&job.key)
	}

	/// The next state that is told, which has to be of this job.
	pub fn state_of(&mut self, key: &JobKey) -> JobState {
		match self.hear().unwrap() {
			FromWorker::State(told, state) if told == *key => state,
			other => panic!("{other:?} is no state of {key:?}"),
		}
	}

	/// Waits for the job's end.
	pub fn outcome_of(&mut self, key: &JobKey) -> JobState {
		loop {
			match self.state_of(key) {
				JobState::Queued | JobState::Running => {},
				ended => return ended,
			}
		}
	}

	/// Waits until the worker hangs up.
	pub fn expect_end(&mut self) {
		assert!(matches!(self.hear(), Err(FrameError::Io(_))));
	}
}

/// A search of Monero mainnet block 3456098 around the nonce that mined it. Only that nonce meets
/// the targets.
pub fn mainnet_search(task: u64, before: u32, count: u32) -> Job {
	let mut target = [0; 32];
	target[16..].copy_from_slice(&(u128::MAX / 660_000_000_000).to_le_bytes());
	let puzzle = Puzzle {
		seed: bytes("11186f5a8473d8dc7a0d3a0bf25834a07b1dffe8741d53cd543a8708c2e8b2a9")
			.try_into()
			.unwrap(),
		template: bytes(
			"1010c5fed8c306463a9d1a264ef7e82daf3ff45ca4c66c4df8fa8f3d2a43b735cf2da5b275144300000000ca\
			 a9d243ae12b374d9c0fcf710078adf906edfd068f05a59dee09ac4fbf8ad1901",
		),
		nonce_offset: 39,
		share_target: target,
		target,
	};
	let search = RandomXJob::Search { puzzle, start: NONCE - before, count };
	Job { key: key(task, 0), class: randomx::CLASS, payload: search.encode() }
}

const NONCE: u32 = 3_999_811;

/// Fails unless the state is the result of a [`mainnet_search`] that found the nonce.
pub fn assert_found(state: JobState) {
	let JobState::Done(result) = state else { panic!("{state:?}") };
	let result = SearchResult::decode_all(&mut result.as_slice()).unwrap();
	assert_eq!(result.claim, vec![NONCE]);
	let hash = bytes("aa1ade04f8266a5d9d0eb2c843dc87a27bc5ddb6f0f900682a46760000000000");
	assert_eq!(result.winners[0].hash.to_vec(), hash);
}

/// A job that some script computes.
pub fn job(task: u64, role: u8) -> Job {
	Job { key: key(task, role), class: randomx::CLASS, payload: vec![] }
}

pub fn key(task: u64, role: u8) -> JobKey {
	JobKey { genesis: GENESIS, device: [1; 32], task, chunk: 0, attempt: 0, role }
}

/// Waits until something is there.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
	let start = Instant::now();
	loop {
		if let Some(found) = look() {
			return found;
		}
		assert!(start.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
		thread::sleep(Duration::from_millis(20));
	}
}

pub fn is_alive(pid: Pid) -> bool {
	processes().iter().any(|(alive, _)| *alive == pid)
}

fn pid(process: &Child) -> Pid {
	Pid::from_raw(process.id().try_into().unwrap())
}

/// All processes but zombies, each with the id of its parent.
fn processes() -> Vec<(Pid, String)> {
	let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
	let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
	let parent = |id: i32| {
		let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
		// After the name, in parentheses: state, parent.
		let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
		let state = fields.next()?;
		let parent = fields.next()?;
		(state != "Z").then(|| (Pid::from_raw(id), parent.to_string()))
	};
	ids.filter_map(parent).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
	let digits: Vec<u8> =
		hex.chars().map(|c| c.to_digit(16).unwrap().try_into().unwrap()).collect();
	digits.chunks(2).map(|pair| (pair[0] << 4) | pair[1]).collect()
}
