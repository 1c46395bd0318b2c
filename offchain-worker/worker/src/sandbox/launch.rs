//! From a process of the worker's own program to an engine.

use super::{
	cgroup, files, filter, libraries::Libraries, limits, namespaces, rights, Limits, Parts, Way,
};
use anyhow::{ensure, Context};
use nix::{
	errno::Errno,
	fcntl::{AtFlags, OFlag},
	sys::{
		prctl::set_pdeathsig,
		signal::{raise, signal, SigHandler, SigSet, Signal},
		stat::{umask, Mode},
		wait::{waitpid, WaitStatus},
	},
	unistd::{
		close, execve, execveat, fork, geteuid, getppid, pipe2, read, setsid, ForkResult, Pid,
	},
};
use std::{
	convert::Infallible,
	env,
	ffi::{CString, OsString},
	fs::{self, File},
	os::{
		fd::{AsRawFd, OwnedFd, RawFd},
		unix::ffi::OsStrExt,
	},
	path::{Path, PathBuf},
	process,
};

/// What a launcher is told.
#[derive(Clone, Debug, clap::Args)]
pub struct LaunchArgs {
	/// Process id of the worker that starts the engine.
	#[arg(long)]
	pub(super) worker: i32,

	#[command(flatten)]
	pub(super) parts: Parts,

	#[command(flatten)]
	pub(super) limits: Limits,

	/// Folder with libraries that the engine needs besides those of the system.
	#[arg(long)]
	pub(super) libraries: Option<PathBuf>,

	/// The engine's program and its arguments.
	#[arg(last = true, required = true)]
	pub(super) command: Vec<OsString>,
}

/// Replaces this process by the confined engine, or by one that waits for it. Returns only on
/// failure. There must be no other thread.
pub fn launch(args: LaunchArgs) -> anyhow::Error {
	let Err(failure) = become_engine(&args);
	failure
}

fn become_engine(args: &LaunchArgs) -> anyhow::Result<Infallible> {
	let parts = &args.parts;
	let program = Path::new(args.command.first().context("no engine is named")?);
	let mut tie = Tie::Worker(Pid::from_raw(args.worker));
	tie.fasten()?;
	start_afresh()?;
	if *parts == Parts::default() {
		return execute_path(program, args);
	}

	// From here on by its descriptor: the way to it is about to vanish.
	let engine = File::open(program).with_context(|| format!("{program:?} cannot be opened"))?;
	env::set_current_dir("/")?;
	if parts.limits {
		limits::stand_back()?;
	}
	if let Some(group) = &parts.cgroup {
		cgroup::join(group, &args.limits)?;
	}
	let libraries = args.libraries.as_deref().map(Libraries::find);
	let nobody = parts.limits && can_become_nobody(&engine, libraries.as_ref(), parts)?;
	// A user namespace maps whoever makes it, who has no rights in it to become somebody else. To
	// leave root without one takes rights that are needed until everything else is done.
	let early = parts.namespaces != Some(Way::Plain);
	if nobody && early {
		rights::become_nobody()?;
	}
	if let Some(way) = parts.namespaces {
		namespaces::separate(way)?;
		tie = split(&tie, &engine, libraries.as_ref())?;
		namespaces::change_root(libraries)?;
	}
	if nobody && !early {
		rights::become_nobody()?;
	}
	rights::renounce()?;
	if parts.limits {
		limits::set(&args.limits, parts.namespaces)?;
	}
	if parts.files {
		files::restrict(&engine, args.libraries.as_deref(), parts.namespaces.is_some())?;
	}
	// Once more: whoever becomes somebody else loses it.
	tie.fasten()?;
	execute(program, &engine, args)
}

/// Whether this is root, and nobody could run the engine in its place.
fn can_become_nobody(
	engine: &File,
	libraries: Option<&Libraries>,
	parts: &Parts,
) -> anyhow::Result<bool> {
	let are_shown = parts.namespaces.is_some();
	let may_read = libraries.is_none_or(|libraries| libraries.are_for_nobody(are_shown));
	Ok(may_read && rights::can_become_nobody(engine)?)
}

/// What this process dies with.
enum Tie {
	/// The worker, which started it.
	Worker(Pid),
	/// The launcher, which holds the other end of this pipe and writes nothing. Out of a namespace
	/// of processes its id cannot be seen.
	Launcher(OwnedFd),
}

impl Tie {
	/// Has the kernel kill this process with the one above it, which must not be gone yet.
	fn fasten(&self) -> anyhow::Result<()> {
		set_pdeathsig(Signal::SIGKILL)?;
		let is_there = match self {
			Self::Worker(worker) => getppid() == *worker,
			Self::Launcher(pipe) => read(pipe.as_raw_fd(), &mut [0]) == Err(Errno::EAGAIN),
		};
		ensure!(is_there, "the worker has ended");
		Ok(())
	}
}

/// Leaves behind what came from the worker: descriptors, blocked signals, terminal, file mode.
fn start_afresh() -> anyhow::Result<()> {
	close_descriptors().context("descriptors cannot be closed")?;
	SigSet::empty().thread_set_mask()?;
	// SAFETY: no handler is installed.
	unsafe { signal(Signal::SIGPIPE, SigHandler::SigDfl) }?;
	umask(Mode::from_bits_truncate(0o022));
	match setsid() {
		// It was started as the leader of a group.
		Ok(_) | Err(Errno::EPERM) => Ok(()),
		Err(e) => Err(e.into()),
	}
}

/// Closes whatever is open besides the three pipes.
fn close_descriptors() -> anyhow::Result<()> {
	let entries = fs::read_dir("/proc/self/fd")?;
	let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
	let names: Vec<OsString> = names.collect::<Result<_, _>>()?;
	let numbers = names.iter().filter_map(|name| name.to_str()?.parse::<RawFd>().ok());
	for number in numbers.filter(|number| *number > libc::STDERR_FILENO) {
		match close(number) {
			// The listing itself was open then.
			Ok(()) | Err(Errno::EBADF) => {},
			Err(e) => return Err(e.into()),
		}
	}
	Ok(())
}

/// Splits this process in two. The one that returns is the first of the new namespaces. The other
/// one waits for its end, without what this one holds for the engine.
fn split(tie: &Tie, engine: &File, libraries: Option<&Libraries>) -> anyhow::Result<Tie> {
	tie.fasten()?;
	let (near, far) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
	// SAFETY: this process has one thread, so nothing is locked in the new one.
	match unsafe { fork() }.context("no process for the engine")? {
		ForkResult::Parent { child } => {
			drop(near);
			let held = libraries.and_then(Libraries::held);
			wait_for(child, [Some(engine.as_raw_fd()), held], far)
		},
		ForkResult::Child => {
			drop(far);
			let tie = Tie::Launcher(near);
			tie.fasten()?;
			Ok(tie)
		},
	}
}

/// Waits for the engine, and ends in the way in which it ends. Until then nothing is open but the
/// pipe by which the engine knows that its launcher is there.
fn wait_for(engine: Pid, held: [Option<RawFd>; 2], _pipe: OwnedFd) -> ! {
	let pipes = [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO];
	for open in pipes.into_iter().chain(held.into_iter().flatten()) {
		let _ = close(open);
	}
	// The engine may be nobody by now, whom root without rights could not take with it.
	if !geteuid().is_root() {
		let _ = rights::renounce();
	}
	loop {
		match waitpid(engine, None) {
			Ok(WaitStatus::Exited(_, status)) => process::exit(status),
			Ok(WaitStatus::Signaled(_, by, _)) => end_by(by),
			Ok(_) | Err(Errno::EINTR) => {},
			Err(_) => process::exit(1),
		}
	}
}

fn end_by(by: Signal) -> ! {
	// SAFETY: no handler is installed. SIGKILL has none to reset, which fails and does not matter.
	let _ = unsafe { signal(by, SigHandler::SigDfl) };
	let _ = raise(by);
	process::exit(1)
}

/// Executes a program as it is.
fn execute_path(program: &Path, args: &LaunchArgs) -> anyhow::Result<Infallible> {
	let path = CString::new(program.as_os_str().as_bytes())?;
	let Err(e) = execve(&path, &words(&args.command)?, &variables(args)?);
	Err(e).with_context(|| format!("{program:?} cannot be executed"))
}

/// Executes the file that is open, with or without the filter.
fn execute(program: &Path, engine: &File, args: &LaunchArgs) -> anyhow::Result<Infallible> {
	let (words, variables) = (words(&args.command)?, variables(args)?);
	let descriptor = engine.as_raw_fd();
	let path = if args.parts.filter { filter::install(descriptor)? } else { c"" };
	let flags = AtFlags::AT_EMPTY_PATH;
	let Err(e) = execveat(Some(descriptor), path, &words, &variables, flags);
	Err(e).with_context(|| format!("{program:?} cannot be executed"))
}

fn words(command: &[OsString]) -> anyhow::Result<Vec<CString>> {
	let words = command.iter().map(|word| CString::new(word.as_bytes()));
	Ok(words.collect::<Result<_, _>>()?)
}

/// The environment of an engine: where its libraries are, if it needs any.
fn variables(args: &LaunchArgs) -> anyhow::Result<Vec<CString>> {
	let folder = args.libraries.iter().map(|dir| dir.as_os_str().as_bytes());
	let variables = folder.map(|dir| CString::new([b"LD_LIBRARY_PATH=", dir].concat()));
	Ok(variables.collect::<Result<_, _>>()?)
}
