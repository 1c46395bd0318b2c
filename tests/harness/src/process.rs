//! Child processes that never outlive the harness: each leads a process group that is killed when
//! its [`Process`] is dropped, and asks the kernel for SIGKILL at the harness's own death, so that
//! `kill -9` on a demo leaves nothing running.
//!
//! The kernel ties the second to the *thread* that started the child. Start processes from a thread
//! that lives as long as they shall: the main thread of a program, the thread of a test.

use crate::waiting::until;
use anyhow::{bail, ensure, Context, Result};
use nix::{
	errno::Errno,
	sys::{
		prctl,
		signal::{kill, killpg, Signal},
	},
	unistd::{getppid, Pid},
};
use std::{
	ffi::OsString,
	fs::{self, File, OpenOptions},
	io,
	os::unix::process::CommandExt,
	path::{Path, PathBuf},
	process::{Child, Command, ExitStatus, Stdio},
	time::Duration,
};

/// How a process is started; kept to start it again.
#[derive(Clone, Debug)]
pub struct Launch {
	/// The executable.
	pub program: PathBuf,
	/// Its arguments.
	pub args: Vec<OsString>,
	/// Where its output goes; appended to at a restart.
	pub log: PathBuf,
}

/// A running child.
#[derive(Debug)]
pub struct Process {
	launch: Launch,
	child: Child,
}

impl Process {
	/// Starts it.
	pub fn start(launch: Launch) -> Result<Self> {
		let child =
			spawn(&launch).with_context(|| format!("starting {}", launch.program.display()))?;
		Ok(Self { launch, child })
	}

	/// Its process id.
	pub fn pid(&self) -> Result<Pid> {
		pid_of(&self.child)
	}

	/// Its log file.
	pub fn log(&self) -> &Path {
		&self.launch.log
	}

	/// How it ended, if it has.
	pub fn exited(&mut self) -> Result<Option<ExitStatus>> {
		Ok(self.child.try_wait()?)
	}

	/// Fails, with the end of its log, if it has ended.
	pub fn expect_running(&mut self) -> Result<()> {
		let Some(status) = self.exited()? else { return Ok(()) };
		let program = self.launch.program.display();
		bail!("{program} ended with {status}; the end of its log:\n{}", log_tail(self.log()))
	}

	/// `kill -9` on this process alone, as a crash would: what it started is not touched.
	pub fn kill9(&mut self) -> Result<()> {
		kill(self.pid()?, Signal::SIGKILL)?;
		self.child.wait()?;
		Ok(())
	}

	/// Starts it again after it has ended, with the same arguments.
	pub fn restart(&mut self) -> Result<()> {
		self.restart_with(|_| {})
	}

	/// Starts it again after it has ended, with changed arguments.
	pub fn restart_with(&mut self, change: impl FnOnce(&mut Vec<OsString>)) -> Result<()> {
		change(&mut self.launch.args);
		ensure!(self.exited()?.is_some(), "{} still runs", self.launch.program.display());
		self.child = spawn(&self.launch)?;
		Ok(())
	}

	/// Empties its log, so that [`Self::says`] sees only what comes.
	pub fn clear_log(&self) -> Result<()> {
		Ok(fs::write(self.log(), [])?)
	}

	/// Waits until its log holds `text`.
	pub async fn says(&self, text: &str, patience: Duration) -> Result<()> {
		until(&format!("`{text}` in the log"), patience, async || {
			Ok(read(self.log()).contains(text).then_some(()))
		})
		.await
		.with_context(|| format!("the log ends:\n{}", log_tail(self.log())))
	}

	/// Processes that it started, directly or not, whose executable has this name.
	pub fn descendants(&self, name: &str) -> Result<Vec<Pid>> {
		let table = process_table()?;
		let mut family = vec![self.pid()?];
		let mut found = Vec::new();
		let mut next = 0;
		while let Some(parent) = family.get(next).copied() {
			next += 1;
			for row in table.iter().filter(|row| row.parent == parent) {
				family.push(row.pid);
				if row.is_named(name) {
					found.push(row.pid);
				}
			}
		}
		Ok(found)
	}
}

impl Drop for Process {
	fn drop(&mut self) {
		// It may be gone already, and its group with it.
		if let Ok(pid) = self.pid() {
			let _ = killpg(pid, Signal::SIGKILL);
		}
		let _ = self.child.wait();
	}
}

/// An executable of this workspace: in `TEQUIO_BIN_DIR`, or beside the running one, or (for tests)
/// one folder above it.
pub fn binary(name: &str) -> Result<PathBuf> {
	let named = std::env::var_os("TEQUIO_BIN_DIR").map(PathBuf::from);
	let folders = match named {
		Some(folder) => vec![folder],
		None => {
			let own = std::env::current_exe().context("finding the running executable")?;
			own.ancestors().skip(1).take(2).map(Path::to_path_buf).collect()
		},
	};
	let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
	found.with_context(|| {
		format!("{name} is not in {folders:?}: run `scripts/cargo build` first, or set TEQUIO_BIN_DIR to its folder")
	})
}

/// The last lines of a log file.
pub fn log_tail(log: &Path) -> String {
	const LINES: usize = 30;
	let text = read(log);
	let lines: Vec<_> = text.lines().collect();
	lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default().join("\n")
}

/// A log file; empty if there is none yet.
fn read(log: &Path) -> String {
	fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// Sends SIGKILL to a process found with [`Process::descendants`]. False if it was gone already.
pub fn kill9(pid: Pid) -> Result<bool> {
	match kill(pid, Signal::SIGKILL) {
		Ok(()) => Ok(true),
		Err(Errno::ESRCH) => Ok(false),
		Err(error) => Err(error.into()),
	}
}

fn spawn(launch: &Launch) -> io::Result<Child> {
	let log = OpenOptions::new().create(true).append(true).open(&launch.log)?;
	let errors: File = log.try_clone()?;
	let mut command = Command::new(&launch.program);
	command.args(&launch.args).stdin(Stdio::null()).stdout(log).stderr(errors).process_group(0);
	let harness = nix::unistd::getpid();
	// SAFETY: the closure runs between fork and exec; it makes two system calls, allocates nothing
	// and takes no lock.
	unsafe {
		command.pre_exec(move || {
			prctl::set_pdeathsig(Signal::SIGKILL)?;
			// The harness may have died before the line above: then nobody would ever stop this
			// process.
			if getppid() == harness {
				Ok(())
			} else {
				Err(io::Error::from(io::ErrorKind::BrokenPipe))
			}
		});
	}
	command.spawn()
}

fn pid_of(child: &Child) -> Result<Pid> {
	Ok(Pid::from_raw(i32::try_from(child.id())?))
}

struct Row {
	pid: Pid,
	parent: Pid,
	/// The executable's name as the kernel keeps it: its first 15 bytes.
	command: String,
}

impl Row {
	/// By what it calls itself, by the file that it executes, or by the word that it was started
	/// with: a process that was started through a descriptor has another name than its file, and
	/// the file of a confined one may not be seen.
	fn is_named(&self, name: &str) -> bool {
		const KEPT: usize = 15;
		const REMOVED: &str = " (deleted)";
		let folder = PathBuf::from(format!("/proc/{}", self.pid));
		let file = fs::read_link(folder.join("exe")).unwrap_or_default();
		let file = file.to_string_lossy();
		let words = fs::read(folder.join("cmdline")).unwrap_or_default();
		let word = String::from_utf8_lossy(words.split(|byte| *byte == 0).next().unwrap_or(&[]));
		let kept = name.as_bytes().get(..KEPT).unwrap_or(name.as_bytes());
		self.command.as_bytes() == kept
			|| is_path_to(name, file.strip_suffix(REMOVED).unwrap_or(&file))
			|| is_path_to(name, &word)
	}

	/// From `/proc/PID/stat`: `pid (command) state parent …`, where the command may hold any
	/// character.
	fn parse(stat: &str) -> Option<Self> {
		let (pid, rest) = stat.split_once(" (")?;
		let (command, rest) = rest.rsplit_once(") ")?;
		let mut fields = rest.split(' ');
		let alive = fields.next()? != "Z";
		let parent = fields.next()?.parse().ok()?;
		let row = Self {
			pid: Pid::from_raw(pid.parse().ok()?),
			parent: Pid::from_raw(parent),
			command: command.to_owned(),
		};
		alive.then_some(row)
	}
}

fn is_path_to(name: &str, path: &str) -> bool {
	Path::new(path).file_name().is_some_and(|last| last == name)
}

fn process_table() -> Result<Vec<Row>> {
	let folders = fs::read_dir("/proc")?.filter_map(Result::ok);
	let stats = folders.filter_map(|folder| fs::read_to_string(folder.path().join("stat")).ok());
	Ok(stats.filter_map(|stat| Row::parse(&stat)).collect())
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	const PATIENCE: Duration = Duration::from_secs(60);

	fn shell(script: &str, folder: &Path) -> Process {
		let args = vec!["-c".into(), script.into()];
		Process::start(Launch { program: "/bin/sh".into(), args, log: folder.join("log") }).unwrap()
	}

	fn alive(pids: &[Pid]) -> bool {
		let table = process_table().unwrap();
		table.iter().any(|row| pids.contains(&row.pid))
	}

	#[tokio::test]
	async fn drop_ends_the_whole_group() {
		let folder = tempfile::tempdir().unwrap();
		let process = shell("sleep 1000 & sleep 1000 & wait", folder.path());
		let sleepers = until("two sleepers", PATIENCE, async || {
			let found = process.descendants("sleep")?;
			Ok((found.len() == 2).then_some(found))
		})
		.await
		.unwrap();
		drop(process);
		until("nobody sleeps", PATIENCE, async || Ok((!alive(&sleepers)).then_some(())))
			.await
			.unwrap();
	}

	#[tokio::test]
	async fn restart_appends_to_the_log() {
		let folder = tempfile::tempdir().unwrap();
		let mut process = shell("echo here; exec sleep 1000", folder.path());
		process.says("here", PATIENCE).await.unwrap();
		assert!(process.restart().is_err());
		process.kill9().unwrap();
		assert!(process.expect_running().unwrap_err().to_string().contains("here"));
		process.restart().unwrap();
		process.says("here\nhere", PATIENCE).await.unwrap();
	}
}
