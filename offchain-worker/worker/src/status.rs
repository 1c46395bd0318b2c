//! How a worker is: what `tequio-worker status` prints and what its metrics are made of.

use crate::{
	args::StatusArgs,
	sandbox::{Part, PartReport, PartState},
	tally::{Jobs, Restarts, Seconds},
};
use anyhow::{anyhow, bail, Context};
use serde::{Deserialize, Serialize};
use std::{fmt, io::ErrorKind, os::unix::net::UnixStream, path::Path, time::Duration};
use tequio_interface::{
	peer::Peer,
	wire::{FromWorker, ToWorker},
};

/// How long a worker may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a worker is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
	/// Release of the worker.
	pub version: String,
	/// Since it was started.
	pub uptime_seconds: u64,
	/// Genesis hash of the chain that it serves, in hexadecimal; none before the first node.
	pub chain: Option<String>,
	/// Nodes that are connected.
	pub nodes: usize,
	/// Jobs that wait.
	pub queue: usize,
	/// Memory against speed: `light` or `fast`.
	pub mode: String,
	/// Why that mode, so many threads and so many keys.
	pub mode_reason: String,
	/// Memory of the worker itself.
	pub memory_bytes: u64,
	/// How engines are confined.
	pub sandbox: Vec<SandboxStatus>,
	/// What it computes.
	pub classes: Vec<ClassStatus>,
}

/// A part of the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxStatus {
	/// Its name.
	pub part: String,
	/// `active`, `missing` or `off`.
	pub state: String,
	/// Why it is missing, and what to do.
	pub hint: Option<String>,
}

impl From<&PartReport> for SandboxStatus {
	fn from(report: &PartReport) -> Self {
		let part = match report.part {
			Part::Namespaces => "namespaces",
			Part::Filter => "filter",
			Part::Files => "files",
			Part::Limits => "limits",
			Part::Cgroup => "cgroup",
		};
		let (state, hint) = match &report.state {
			PartState::Active => ("active", None),
			PartState::Missing(hint) => ("missing", Some(hint.clone())),
			PartState::Off => ("off", None),
		};
		Self { part: part.into(), state: state.into(), hint }
	}
}

/// A work class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassStatus {
	/// Its number on the chain.
	pub class: u16,
	/// Its name.
	pub name: String,
	/// File name of the engine that computes it here.
	pub engine: String,
	/// Units of work per second that a slot has computed lately; zero before anything is measured.
	pub rate: f64,
	/// Memory of all its engines.
	pub memory_bytes: u64,
	/// Threads of each.
	pub threads: usize,
	/// What the engine of each slot says of itself.
	pub setup: Vec<String>,
	/// Jobs that ended.
	pub jobs: Jobs,
	/// Units of work in the jobs that were computed.
	pub units: u64,
	/// What slots spent their time on.
	pub seconds: Seconds,
	/// Engines that had to be replaced.
	pub restarts: Restarts,
}

/// Prints how the worker behind a socket is.
pub fn print(args: &StatusArgs) -> anyhow::Result<()> {
	let json = ask(&args.socket)?;
	if args.json {
		println!("{json}");
	} else {
		print!("{}", read(&json)?);
	}
	Ok(())
}

/// Asks the worker behind a socket how it is: a JSON object.
pub fn ask(socket: &Path) -> anyhow::Result<String> {
	let stream = UnixStream::connect(socket).map_err(|e| match e.kind() {
		ErrorKind::PermissionDenied => anyhow!(
			"{socket:?} belongs to another user: run this as the user of the worker, or as root"
		),
		_ => anyhow!(
			"no worker listens on {socket:?} ({e}): start tequio-worker with this --socket, or \
			 give the --socket of the one that runs"
		),
	})?;
	let mut worker = Peer::new(stream, PATIENCE);
	match worker.write(&ToWorker::Status).and_then(|()| worker.read_due()) {
		Ok(FromWorker::Status(json)) => Ok(String::from_utf8(json)?),
		Ok(_) => bail!("what listens on {socket:?} does not tell how it is"),
		Err(e) => Err(e).with_context(|| {
			format!("what listens on {socket:?} is not a worker of this release, or is overloaded")
		}),
	}
}

/// Reads what a worker answered.
pub fn read(json: &str) -> anyhow::Result<Status> {
	serde_json::from_str(json).context("the worker is of another release; --json prints its answer")
}

impl fmt::Display for Status {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let Self { version, nodes, queue, mode_reason, .. } = self;
		let (up, memory) = (time(self.uptime_seconds), mib(self.memory_bytes));
		writeln!(f, "tequio-worker {version}, up {up}, {memory}")?;
		let chain = self.chain.as_deref().unwrap_or("none yet");
		writeln!(f, "  chain     {chain}")?;
		writeln!(f, "  nodes     {nodes}, jobs waiting {queue}")?;
		writeln!(f, "  mode      {mode_reason}")?;
		for SandboxStatus { part, state, hint } in &self.sandbox {
			let hint = hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default();
			writeln!(f, "  sandbox   {part} {state}{hint}")?;
		}
		self.classes.iter().try_for_each(|class| write!(f, "{class}"))
	}
}

impl fmt::Display for ClassStatus {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let Self { class, name, engine, rate, threads, jobs, units, seconds, restarts, .. } = self;
		let memory = mib(self.memory_bytes);
		let speed = format!("{rate:.1} units/s a slot");
		writeln!(f, "{name} (class {class}, {engine}): {speed}, {threads} threads, {memory}")?;
		let Jobs { done, failed, cancelled } = jobs;
		writeln!(
			f,
			"  jobs      {done} done with {units} units, {failed} failed, {cancelled} cancelled"
		)?;
		let Seconds { computing, idle, starting, waiting } = seconds;
		writeln!(
			f,
			"  seconds   {computing:.0} computing, {idle:.0} idle, {starting:.0} starting, \
			 {waiting:.0} waiting"
		)?;
		let Restarts { crashed, hung, nonsense, unstartable } = restarts;
		writeln!(
			f,
			"  engines   {crashed} crashed, {hung} hung, {nonsense} talked nonsense, {unstartable} \
			 not started"
		)?;
		let mut slots = self.setup.iter().enumerate();
		slots.try_for_each(|(slot, setup)| writeln!(f, "  slot {slot:<4} {setup}"))
	}
}

/// Bytes, for people.
pub fn mib(bytes: u64) -> String {
	format!("{} MiB", bytes.div_ceil(1 << 20))
}

fn time(seconds: u64) -> String {
	let (minutes, hours) = (seconds / 60, seconds / 3600);
	match hours {
		0 if minutes == 0 => format!("{seconds} s"),
		0 => format!("{minutes} min"),
		1..48 => format!("{hours} h {} min", minutes % 60),
		_ => format!("{} days", hours / 24),
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn status() -> Status {
		let class = ClassStatus {
			class: 0,
			name: "RandomX search".into(),
			engine: "tequio-engine-randomx".into(),
			rate: 61.5,
			memory_bytes: 280 << 20,
			threads: 2,
			setup: vec!["light".into(), "not running".into()],
			jobs: Jobs { done: 3, failed: 1, cancelled: 2 },
			units: 6144,
			seconds: Seconds { computing: 100.4, idle: 5.0, starting: 0.2, waiting: 0.0 },
			restarts: Restarts { crashed: 1, ..Restarts::default() },
		};
		let hint = Some("mount cgroup2".into());
		let cgroup = SandboxStatus { part: "cgroup".into(), state: "missing".into(), hint };
		Status {
			version: "0.1.0".into(),
			uptime_seconds: 3_700,
			chain: None,
			nodes: 1,
			queue: 2,
			mode: "light".into(),
			mode_reason: "light, as --mode says".into(),
			memory_bytes: 9 << 20,
			sandbox: vec![cgroup],
			classes: vec![class],
		}
	}

	#[test]
	fn a_status_is_read_back() {
		let json = serde_json::to_string(&status()).unwrap();
		assert_eq!(read(&json).unwrap(), status());
		assert!(read("{}").unwrap_err().to_string().contains("another release"));
	}

	#[test]
	fn people_are_told_everything() {
		let text = status().to_string();
		for part in [
			"up 1 h 1 min",
			"none yet",
			"cgroup missing: mount cgroup2",
			"light, as --mode says",
			"(class 0, tequio-engine-randomx): 61.5 units/s a slot, 2 threads, 280 MiB",
			"3 done with 6144 units, 1 failed, 2 cancelled",
			"100 computing",
			"1 crashed",
			"slot 1    not running",
		] {
			assert!(text.contains(part), "{part:?} in\n{text}");
		}
	}

	#[test]
	fn ask_should_fail_when_nobody_listens() {
		let dir = tempfile::tempdir().unwrap();
		let failed = ask(&dir.path().join("socket")).unwrap_err().to_string();
		assert!(failed.contains("--socket"), "{failed}");
	}
}
