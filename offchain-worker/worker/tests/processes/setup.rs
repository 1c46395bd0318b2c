//! A worker in a folder of its own, and a node that talks to it.

pub use crate::mainnet::assert_found;
use crate::{mainnet, waiting::eventually_in};
use nix::{
	sys::signal::{kill, Signal},
	unistd::Pid,
};
use std::{
	fs,
	io::{self, Write},
	os::unix::{fs::PermissionsExt, net::UnixStream},
	path::{Path, PathBuf},
	process::{Child, Command, ExitStatus, Stdio},
	time::Duration,
};
use tempfile::TempDir;
use tequio_interface::{
	job::{Job, JobKey, JobState},
	randomx,
	wire::{read_frame, write_frame, FrameError, FromWorker, ToWorker, VERSION},
};

pub const GENESIS: [u8; 32] = [7; 32];
pub const ENGINE: &str = "tequio-engine-randomx";
/// Says that it is ready.
pub const READY: &str = r"printf '\003\000\000\000\000\000\000'";
/// For whatever a busy machine takes long for.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// For what must not wait for an engine: less than the minute within which one has to be ready.
const SOON: Duration = Duration::from_secs(45);

/// Folder, socket and engines of a worker. Outlives its processes.
pub struct Home {
	dir: TempDir,
	pub engines: PathBuf,
	sandbox: &'static str,
}

impl Home {
	/// With the workspace's engine, confined as far as this machine allows it.
	pub fn new() -> Self {
		let engines = Path::new(env!("CARGO_BIN_EXE_tequio-worker")).parent().unwrap();
		let engine = engines.join(ENGINE);
		assert!(engine.is_file(), "{engine:?} is missing: build the workspace first");
		let engines = engines.to_path_buf();
		Self { dir: tempfile::tempdir().unwrap(), engines, sandbox: "available" }
	}

	/// With a shell script in the place of the RandomX engine, not confined.
	pub fn with_script(script: &str) -> Self {
		Self::with_scripts(&[(ENGINE, script)])
	}

	/// With shell scripts in the place of these engines, and no others, not confined. In them, `$HERE`
	/// is the folder of the scripts, and `$REAL` the workspace's engine of that name. What they do
	/// they tell by making folders.
	pub fn with_scripts(scripts: &[(&str, &str)]) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let engines = dir.path().join("engines");
		fs::create_dir(&engines).unwrap();
		for (name, script) in scripts {
			let real = Path::new(env!("CARGO_BIN_EXE_tequio-worker")).with_file_name(name);
			let (here, real) = (engines.display(), real.display());
			let path = engines.join(name);
			let text = format!("#!/bin/sh\nHERE='{here}'\nREAL='{real}'\n{script}\n");
			fs::write(&path, text).unwrap();
			fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
		}
		Self { dir, engines, sandbox: "none" }
	}

	/// Whether a script has made this folder.
	pub fn has(&self, name: &str) -> bool {
		self.engines.join(name).exists()
	}

	/// Folder of everything.
	pub fn dir(&self) -> &Path {
		self.dir.path()
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
			.args(["--mode", "light", "--threads", "2", "--sandbox", self.sandbox])
			.stdout(Stdio::null());
		command
	}

	/// A worker that listens.
	pub fn start(&self) -> Worker {
		self.start_with(&[])
	}

	pub fn start_with(&self, args: &[&str]) -> Worker {
		let mut command = self.command();
		command.args(args);
		self.start_by(&mut command)
	}

	/// A worker that listens, started by this command.
	pub fn start_by(&self, command: &mut Command) -> Worker {
		let worker = Worker { process: command.spawn().unwrap(), socket: self.socket() };
		eventually("the worker listens", || UnixStream::connect(&worker.socket).ok().map(drop));
		worker
	}
}

/// A worker process. It is killed when this is dropped.
pub struct Worker {
	pub process: Child,
	socket: PathBuf,
}

impl Worker {
	/// A node that is served. Those that left a moment ago may still have to make room for it.
	pub fn connect(&self) -> Node {
		let (node, capabilities) = eventually("a node is served", || {
			let mut node = Node::new(&self.socket);
			write_frame(&mut node.0, &ToWorker::Hello { version: VERSION, genesis: GENESIS })
				.ok()?;
			match node.hear().ok()? {
				FromWorker::Hello { version: VERSION, capabilities } => Some((node, capabilities)),
				other => panic!("{other:?} is no hello"),
			}
		});
		let able: Vec<_> = capabilities.iter().map(|able| (able.class, able.slots)).collect();
		assert_eq!(able, vec![(randomx::CLASS, 1)]);
		node
	}

	/// A node that has said nothing.
	pub fn stranger(&self) -> Node {
		Node::new(&self.socket)
	}

	/// The engine that runs, once there is one: the first below the worker that is another program.
	/// Between them may be processes that are about to become it, or that confine it.
	pub fn engine(&self) -> Pid {
		let program = fs::canonicalize(env!("CARGO_BIN_EXE_tequio-worker")).unwrap();
		eventually("an engine runs", || {
			let processes = processes();
			let mut family = vec![pid(&self.process)];
			while let Some(parent) = family.pop() {
				let children = processes.iter().filter(|process| process.parent == parent);
				for child in children.map(|process| process.pid) {
					// Of a process that is about to become the engine this may not be readable.
					match fs::read_link(format!("/proc/{child}/exe")) {
						Ok(other) if other != program => return Some(child),
						Ok(_) | Err(_) => family.push(child),
					}
				}
			}
			None
		})
	}

	/// Bytes of memory that the worker itself has had at most.
	pub fn most_memory(&self) -> u64 {
		let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
		let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
		let kilobytes: u64 = most.split_whitespace().next().unwrap().parse().unwrap();
		kilobytes * 1024
	}

	/// Asks it to end, and waits for no engine.
	pub fn end_soon(mut self) -> ExitStatus {
		kill(pid(&self.process), Signal::SIGTERM).unwrap();
		soon("the worker has ended", || self.process.try_wait().unwrap())
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
		Self::on(UnixStream::connect(socket).unwrap())
	}

	/// The node that has made this connection.
	pub fn on(stream: UnixStream) -> Self {
		stream.set_read_timeout(Some(PATIENCE)).unwrap();
		stream.set_write_timeout(Some(PATIENCE)).unwrap();
		Self(stream)
	}

	/// The same connection, for another thread.
	pub fn again(&self) -> Self {
		Self(self.0.try_clone().unwrap())
	}

	/// Writes bytes as they are.
	pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
		self.0.write_all(bytes)
	}

	pub fn hello(&mut self, version: u16, genesis: [u8; 32]) -> FromWorker {
		self.say(&ToWorker::Hello { version, genesis });
		self.hear().unwrap()
	}

	pub fn say(&mut self, message: &ToWorker) {
		write_frame(&mut self.0, message).unwrap();
	}

	/// The next message but those about the speed.
	pub fn hear(&mut self) -> Result<FromWorker, FrameError> {
		loop {
			match read_frame(&mut self.0) {
				Ok(FromWorker::Capabilities(_)) => {},
				heard => return heard,
			}
		}
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

	/// Waits until the worker hangs up, without another word.
	pub fn expect_end(&mut self) {
		let Err(FrameError::Io(ended)) = self.hear() else { panic!("another word") };
		assert_ne!(ended.kind(), io::ErrorKind::WouldBlock, "the worker does not hang up");
	}
}

/// A search of [`mainnet`].
pub fn mainnet_search(task: u64, before: u32, count: u32) -> Job {
	let payload = mainnet::search(before, count);
	Job { key: key(task, 0), class: randomx::CLASS, payload }
}

/// A job that some script computes.
pub fn job(task: u64, role: u8) -> Job {
	Job { key: key(task, role), class: randomx::CLASS, payload: vec![] }
}

pub fn key(task: u64, role: u8) -> JobKey {
	JobKey { genesis: GENESIS, device: [1; 32], task, chunk: 0, attempt: 0, role, order: [0; 32] }
}

/// Waits until something is there.
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
	eventually_in(PATIENCE, what, look)
}

/// Waits until something is there that does not wait for an engine.
pub fn soon<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
	eventually_in(SOON, what, look)
}

pub fn is_alive(pid: Pid) -> bool {
	processes().iter().any(|process| process.pid == pid)
}

/// Waits until an engine has computed for a fifth of a second more: it is in the middle of a job
/// that takes seconds.
pub fn let_it_compute(engine: Pid) {
	let computed = || {
		let process = processes().into_iter().find(|process| process.pid == engine);
		process.unwrap_or_else(|| panic!("the engine {engine} is gone")).ticks
	};
	let start = computed();
	eventually("the engine computes", || (computed() >= start + 20).then_some(()));
}

fn pid(process: &Child) -> Pid {
	Pid::from_raw(process.id().try_into().unwrap())
}

/// A process as the kernel tells of it.
struct Process {
	pid: Pid,
	parent: Pid,
	/// Hundredths of a second for which it has computed.
	ticks: u64,
}

/// All processes but zombies.
fn processes() -> Vec<Process> {
	let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
	let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
	let process = |id: i32| {
		let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
		// After the name, in parentheses: state, parent; then, from the twelfth on, the times.
		let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
		let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
		let parent = Pid::from_raw(fields.get(1)?.parse().ok()?);
		let ticks = number(11)? + number(12)?;
		(fields[0] != "Z").then_some(Process { pid: Pid::from_raw(id), parent, ticks })
	};
	ids.filter_map(process).collect()
}
