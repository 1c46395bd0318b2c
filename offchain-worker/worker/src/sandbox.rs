//! What an engine may do: compute, and talk to the worker through its three pipes.
//!
//! An engine is fed by whoever pays for work, so it is given nothing that computing does not need.
//! Five parts see to that. Each attack is stopped by at least one of them, most by two.
//!
//! | part | file | what it takes away |
//! | --- | --- | --- |
//! | namespaces | `namespaces` | the network, other processes, every file but libraries |
//! | files (landlock) | `files` | every file but the engine's own and libraries; all writing |
//! | filter (seccomp) | `filter` | system calls that do not compute, a second program, new processes |
//! | limits | `limits`, `rights` | rights, memory, threads, open files, files to write, priority |
//! | cgroup | `cgroup` | memory, threads and processor time beyond a share that the owner set |
//!
//! ```text
//! worker ──▶ launcher: this program again, `launch-engine` ──▶ engine, process 1 of its namespaces
//! ```
//!
//! The launcher (`launch`) is a fresh process with one thread. It opens the engine's file, gives up
//! what can be given up, and splits in two: one half becomes the engine, the other holds nothing
//! open, waits, and ends as the engine ends. Each dies with the one that started it, so killing the
//! launcher kills the engine, and killing the worker kills both. Without namespaces the launcher
//! itself becomes the engine.
//!
//! Libraries are those of the system, and for an engine that needs others the folder with these
//! (`libraries`). Its path is all that the environment of such an engine holds; that of others is
//! empty.
//!
//! ## Design
//! - Whether a part works here is found out by trying, with this program in the place of the
//!   engine, and with the same code that confines engines. `remedy` has the words for what fails.
//! - The engine does not take part: a program that was compiled against nothing of this is confined
//!   as well, from its first instruction on.
//! - A worker that runs as root has its engines run as nobody where they can be. Where root alone may
//!   read its libraries an engine stays root, and the worker says so at its start.
//! - What stays: an engine uses processor time, reads public facts about the processors, and can
//!   tell the time.

mod cgroup;
mod files;
mod filter;
mod launch;
mod libraries;
mod limits;
mod namespaces;
mod remedy;
mod rights;
mod trial;

pub use launch::{launch, LaunchArgs};

use cgroup::Claim;
use libraries::Libraries;
use namespaces::Way;
use std::{
	ffi::{OsStr, OsString},
	os::unix::process::CommandExt,
	path::{Path, PathBuf},
	process::{self, Command},
	sync::Arc,
};

/// How much of the sandbox has to be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Policy {
	/// All of it, but the cgroup: otherwise no engine is started.
	#[default]
	Full,
	/// What this machine allows.
	Available,
	/// None of it: engines are ordinary processes that end with the worker.
	None,
}

/// A part of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
	/// No network, no other processes, no files but libraries.
	Namespaces,
	/// A filter of system calls (seccomp).
	Filter,
	/// Rules about files (landlock).
	Files,
	/// Limits of resources and of rights.
	Limits,
	/// Limits that count launcher and engine together. Never required.
	Cgroup,
}

/// Whether a part is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartState {
	/// It confines every engine.
	Active,
	/// This machine does not have it: why, and what its owner can do.
	Missing(String),
	/// It is not wanted.
	Off,
}

/// A part and its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartReport {
	/// The part.
	pub part: Part,
	/// Whether it is there.
	pub state: PartState,
}

/// Required parts are not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
	"engines cannot be fully confined on this machine. {}. With --sandbox available the worker goes \
	 on without",
	list(.parts)
)]
pub struct Missing {
	/// Those that are required and missing.
	pub parts: Vec<PartReport>,
}

/// What an engine may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct Limits {
	/// Bytes of address space.
	#[arg(long)]
	pub memory: u64,

	/// Threads that compute.
	#[arg(long)]
	pub threads: u32,

	/// Processor time, in percent of one processor for each thread. All of it without a number.
	/// Only a cgroup can enforce it.
	#[arg(long)]
	pub cpu_percent: Option<u32>,
}

/// How engines are confined on this machine.
#[derive(Clone, Debug)]
pub struct Sandbox {
	parts: Parts,
	report: Vec<PartReport>,
	/// The cgroup of this process goes with the last copy of this.
	claim: Option<Arc<Claim>>,
}

/// The parts in force, as a launcher is told them.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
struct Parts {
	#[arg(long, value_enum)]
	namespaces: Option<Way>,
	#[arg(long)]
	files: bool,
	#[arg(long)]
	filter: bool,
	#[arg(long)]
	limits: bool,
	/// The cgroup in which each engine gets one.
	#[arg(long)]
	cgroup: Option<PathBuf>,
}

/// This program, whatever has become of its file.
const OURSELVES: &str = "/proc/self/exe";
/// For the process that tries a part out.
const TRIAL: Limits = Limits { memory: 1 << 30, threads: 1, cpu_percent: None };
/// In the order in which they are tried out: each together with those before it.
const PARTS: [Part; 5] = [Part::Limits, Part::Namespaces, Part::Files, Part::Filter, Part::Cgroup];

impl Sandbox {
	/// Tries each part out in a process that ends at once. This process moves into a cgroup of its
	/// own where it may, for as long as there are copies of the sandbox.
	///
	/// Fails if the policy requires what is not there.
	pub fn prepare(policy: Policy) -> Result<Self, Missing> {
		let mut sandbox = Self { parts: Parts::default(), report: Vec::new(), claim: None };
		for part in PARTS {
			let state = match policy {
				Policy::None => PartState::Off,
				Policy::Full | Policy::Available => sandbox.add(part),
			};
			sandbox.report.push(PartReport { part, state });
		}
		match missing(policy, &sandbox.report) {
			Some(missing) => Err(missing),
			None => Ok(sandbox),
		}
	}

	/// Each part and its state.
	pub fn report(&self) -> &[PartReport] {
		&self.report
	}

	/// The command that starts an engine. Its pipes are the caller's affair. `libraries`: the absolute
	/// path of a folder that it may read besides those of the system, and where it looks for what it
	/// is linked with. Whoever kills or collects its process has the engine killed. The engine also
	/// dies with the *thread* that starts it.
	pub fn command(
		&self,
		program: &Path,
		args: &[OsString],
		limits: &Limits,
		libraries: Option<&Path>,
	) -> Command {
		command(&self.parts, program, args, limits, libraries)
	}

	/// Whether an engine that reads these libraries stays root where it would become nobody without
	/// them: nobody may not read them.
	pub fn keeps_root_for(&self, libraries: &Path) -> bool {
		let are_shown = self.parts.namespaces.is_some();
		self.parts.limits
			&& rights::is_able_root().unwrap_or(false)
			&& !Libraries::find(libraries).are_for_nobody(are_shown)
	}

	/// Adds a part if it works, in the first way that does.
	fn add(&mut self, part: Part) -> PartState {
		let claim = match (part == Part::Cgroup).then(cgroup::claim).transpose() {
			Ok(claim) => claim,
			Err(e) => return PartState::Missing(remedy::text(part, &format!("{e:#}"))),
		};
		let mut failures = Vec::new();
		for parts in self.parts.with(part, claim.as_ref().map(Claim::group)) {
			match parts.try_out() {
				Ok(()) => {
					self.parts = parts;
					self.claim = claim.map(Arc::new).or_else(|| self.claim.take());
					return PartState::Active;
				},
				Err(failure) => failures.push(failure),
			}
		}
		PartState::Missing(remedy::text(part, &failures.join("; otherwise ")))
	}
}

impl Parts {
	/// These parts and one more, in each of the ways in which it can be had. `group`: for the cgroup,
	/// the one that is divided.
	fn with(&self, part: Part, group: Option<&Path>) -> Vec<Self> {
		let parts = self.clone();
		match part {
			Part::Limits => vec![Self { limits: true, ..parts }],
			Part::Files => vec![Self { files: true, ..parts }],
			Part::Filter => vec![Self { filter: true, ..parts }],
			Part::Cgroup => vec![Self { cgroup: group.map(Path::to_path_buf), ..parts }],
			Part::Namespaces => {
				let ways = Way::all().iter();
				ways.map(|way| Self { namespaces: Some(*way), ..parts.clone() }).collect()
			},
		}
	}

	/// Starts this program, confined by these parts, which ends at once. Fails with what it says.
	fn try_out(&self) -> Result<(), String> {
		trial::run(command(self, Path::new(OURSELVES), &["--version".into()], &TRIAL, None))
	}

	/// The words for a launcher.
	fn args(&self) -> Vec<OsString> {
		let mut args: Vec<OsString> = Vec::new();
		if let Some(way) = self.namespaces {
			args.extend(["--namespaces".into(), way.to_string().into()]);
		}
		let flags = [("--files", self.files), ("--filter", self.filter), ("--limits", self.limits)];
		let flags = flags.into_iter().filter(|(_, is_on)| *is_on);
		args.extend(flags.map(|(flag, _)| flag.into()));
		if let Some(group) = &self.cgroup {
			args.extend(["--cgroup".into(), group.into()]);
		}
		args
	}
}

impl Limits {
	/// The words for a launcher.
	fn args(&self) -> Vec<OsString> {
		let mut args: Vec<OsString> = vec![
			"--memory".into(),
			self.memory.to_string().into(),
			"--threads".into(),
			self.threads.to_string().into(),
		];
		if let Some(percent) = self.cpu_percent {
			args.extend(["--cpu-percent".into(), percent.to_string().into()]);
		}
		args
	}

	/// Threads and processes of an engine: those that compute, as many that prepare what is next,
	/// and some that wait.
	fn tasks(&self) -> u64 {
		u64::from(self.threads).saturating_mul(3).saturating_add(16)
	}
}

fn command(
	parts: &Parts,
	program: &Path,
	args: &[OsString],
	limits: &Limits,
	libraries: Option<&Path>,
) -> Command {
	let libraries = libraries.iter().flat_map(|dir| [OsStr::new("--libraries"), dir.as_os_str()]);
	let mut command = Command::new(OURSELVES);
	command
		.arg0("tequio-worker")
		.args([OsStr::new("launch-engine"), "--worker".as_ref()])
		.arg(process::id().to_string())
		.args(parts.args())
		.args(limits.args())
		.args(libraries)
		.arg("--")
		.arg(program)
		.args(args)
		.env_clear();
	command
}

/// What a policy requires and a machine lacks.
fn missing(policy: Policy, report: &[PartReport]) -> Option<Missing> {
	let lacks = |report: &&PartReport| {
		report.part != Part::Cgroup && matches!(report.state, PartState::Missing(_))
	};
	let parts: Vec<_> = report.iter().filter(lacks).cloned().collect();
	(policy == Policy::Full && !parts.is_empty()).then_some(Missing { parts })
}

fn list(parts: &[PartReport]) -> String {
	let hint = |report: &PartReport| match &report.state {
		PartState::Missing(hint) => format!("{:?}: {hint}", report.part),
		PartState::Active | PartState::Off => format!("{:?}", report.part),
	};
	parts.iter().map(hint).collect::<Vec<_>>().join(". ")
}

#[cfg(test)]
mod tests;
