//! What an engine may do: compute, read files, and talk to the worker.
//!
//! An engine gets no network (a network namespace of its own, in which not even the loopback is
//! up), no way to gain rights, no file that it could write to, a bound on its memory and on its
//! open files, no core dump, and the lowest priority. It is killed when the thread that started it
//! ends, however that happens.
//!
//! Files are readable as they are to the worker, and Unix sockets that lie in a folder stay
//! reachable: the engines are ours, and what they are fed is parsed by Rust. Foreign engines would
//! need more than this.

use nix::{
	errno::Errno,
	sched::{unshare, CloneFlags},
	sys::{
		prctl::{set_no_new_privs, set_pdeathsig},
		resource::{getrlimit, setrlimit, Resource},
		signal::{SigSet, Signal},
	},
	unistd::{getpid, getppid, Pid},
};
use std::{
	io,
	os::unix::process::CommandExt,
	process::{Command, Stdio},
};

/// Open files: the three pipes, and what a loader needs at the start.
const OPEN_FILES: u64 = 32;
/// The lowest priority.
const NICE: libc::c_int = 19;

/// How the network is taken from an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
	/// A network namespace; needs CAP_SYS_ADMIN.
	Namespace,
	/// A user namespace, and in it a network namespace; needs a kernel that lets users have them.
	UserNamespace,
	/// It is not.
	Shared,
}

/// This machine cannot take the network from an engine.
#[derive(Debug, thiserror::Error)]
#[error(
	"engines cannot be kept from the network: a network namespace fails with \"{privileged}\", \
	 one inside a user namespace with \"{unprivileged}\". Allow user namespaces (sysctl \
	 user.max_user_namespaces, kernel.unprivileged_userns_clone, \
	 kernel.apparmor_restrict_unprivileged_userns; in a container its seccomp profile), or give \
	 this program CAP_SYS_ADMIN, or run it with --allow-unsandboxed"
)]
pub struct NoSandbox {
	privileged: io::Error,
	unprivileged: io::Error,
}

impl Network {
	/// Finds the way that works here, by trying.
	pub fn find() -> Result<Self, NoSandbox> {
		// First, because it takes root's rights from the engine as well.
		let Err(unprivileged) = Self::UserNamespace.try_out() else {
			return Ok(Self::UserNamespace);
		};
		let Err(privileged) = Self::Namespace.try_out() else { return Ok(Self::Namespace) };
		Err(NoSandbox { privileged, unprivileged })
	}

	/// Starts a process that way which ends at once.
	fn try_out(self) -> io::Result<()> {
		let mut command = Command::new(std::env::current_exe()?);
		command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
		confine(&mut command, self, u64::MAX);
		let status = command.status()?;
		let failed = || io::Error::other(format!("the process that tried it ended with {status}"));
		status.success().then_some(()).ok_or_else(failed)
	}

	fn flags(self) -> CloneFlags {
		match self {
			Self::Namespace => CloneFlags::CLONE_NEWNET,
			Self::UserNamespace => CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET,
			Self::Shared => CloneFlags::empty(),
		}
	}
}

/// Confines the process that the command will start. `memory`: bytes of address space.
pub fn confine(command: &mut Command, network: Network, memory: u64) {
	let worker = getpid();
	let enter = move || enter(network, memory, worker).map_err(io::Error::from);
	// SAFETY: between fork and exec, `enter` makes system calls and nothing else: it allocates
	// nothing and takes no lock.
	unsafe {
		command.pre_exec(enter);
	}
}

/// What the new process does before it becomes the engine.
fn enter(network: Network, memory: u64, worker: Pid) -> Result<(), Errno> {
	unshare(network.flags())?;
	set_no_new_privs()?;
	// After the namespaces, whose change of rights would unset it.
	set_pdeathsig(Signal::SIGKILL)?;
	if getppid() != worker {
		// The worker was killed before that took effect.
		return Err(Errno::ESRCH);
	}
	// SAFETY: a system call on integers.
	Errno::result(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) })?;
	limit(Resource::RLIMIT_CORE, 0)?;
	limit(Resource::RLIMIT_NOFILE, OPEN_FILES)?;
	limit(Resource::RLIMIT_FSIZE, 0)?;
	limit(Resource::RLIMIT_AS, memory)?;
	// The worker blocks the signals that end it, and a new process inherits that.
	SigSet::empty().thread_set_mask()
}

/// Limits a resource for good, to what it is limited to already or less.
fn limit(resource: Resource, most: u64) -> Result<(), Errno> {
	let (_, now) = getrlimit(resource)?;
	let limit = most.min(now);
	setrlimit(resource, limit, limit)
}
