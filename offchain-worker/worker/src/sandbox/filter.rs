//! Which system calls an engine may make: those that computing takes. Everything else fails.
//!
//! ## One program and no other
//! The filter is in force before the engine is: it has to allow the one call that executes it, and
//! must not allow a second one. That call names the file by its descriptor and has an empty path,
//! which is read at [`EMPTY_PATH`]. Executing the engine unmaps that address. The filter lets it map
//! nothing so low again, and left to itself the kernel never goes there. So every further call fails
//! for want of a path, whatever descriptor or path it is meant for.
//!
//! ## Libraries
//! libtorch, its threads (libgomp) and its products of matrices (MKL) need no calls that the rest does
//! not need. At the start one of them would move from processor to processor to look at each
//! (`sched_setaffinity`): that fails, and it goes on without. Results are the same to the last bit,
//! which exams show.

use anyhow::{ensure, Context};
use nix::{errno::Errno, sys::prctl::set_no_new_privs};
use seccompiler::{
	sock_filter, BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp,
	SeccompCondition, SeccompFilter, SeccompRule,
};
use std::{
	collections::BTreeMap,
	env::consts::ARCH,
	ffi::{c_int, c_long, CStr},
	os::fd::RawFd,
	process, ptr,
};

/// By number of the call: any of the rules has to hold. No rule: always allowed.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;
type Condition = Result<SeccompCondition, BackendError>;

/// Where the empty path is read.
const EMPTY_PATH: usize = 1 << 32;
/// The lowest address that an engine may ask for. Programs, heaps, stacks, and whatever the kernel
/// places by itself lie above on both architectures, or in the lowest 4 GiB.
const LOWEST: u64 = 1 << 36;

/// Has the kernel place memory in the lowest 2 GiB, where it can.
#[cfg(target_arch = "x86_64")]
const PLACED_LOW: c_int = libc::MAP_32BIT;
/// Nothing does.
#[cfg(not(target_arch = "x86_64"))]
const PLACED_LOW: c_int = 0;

/// Allowed with any arguments.
const ALLOWED: [c_long; 57] = [
	// Memory
	libc::SYS_brk,
	libc::SYS_madvise,
	libc::SYS_mincore,
	libc::SYS_mprotect,
	libc::SYS_munmap,
	// Threads
	libc::SYS_exit,
	libc::SYS_exit_group,
	libc::SYS_futex,
	libc::SYS_getcpu,
	libc::SYS_gettid,
	libc::SYS_membarrier,
	libc::SYS_restart_syscall,
	libc::SYS_rseq,
	libc::SYS_sched_getaffinity,
	libc::SYS_sched_yield,
	libc::SYS_set_robust_list,
	libc::SYS_set_tid_address,
	// Signals of its own
	libc::SYS_rt_sigaction,
	libc::SYS_rt_sigprocmask,
	libc::SYS_rt_sigreturn,
	libc::SYS_sigaltstack,
	// Time
	libc::SYS_clock_getres,
	libc::SYS_clock_gettime,
	libc::SYS_clock_nanosleep,
	libc::SYS_getrusage,
	libc::SYS_gettimeofday,
	libc::SYS_nanosleep,
	libc::SYS_times,
	// Files that are open, and what there is to see
	libc::SYS_close,
	libc::SYS_dup,
	libc::SYS_faccessat,
	libc::SYS_faccessat2,
	libc::SYS_fstat,
	libc::SYS_fstatfs,
	libc::SYS_getcwd,
	libc::SYS_getdents64,
	libc::SYS_lseek,
	libc::SYS_newfstatat,
	libc::SYS_ppoll,
	libc::SYS_pread64,
	libc::SYS_preadv,
	libc::SYS_read,
	libc::SYS_readlinkat,
	libc::SYS_readv,
	libc::SYS_statfs,
	libc::SYS_statx,
	libc::SYS_write,
	libc::SYS_writev,
	// Who and where it is
	libc::SYS_getegid,
	libc::SYS_geteuid,
	libc::SYS_getgid,
	libc::SYS_getpid,
	libc::SYS_getppid,
	libc::SYS_getrandom,
	libc::SYS_getuid,
	libc::SYS_sysinfo,
	libc::SYS_uname,
];

/// The same, under the names that this architecture had before.
#[cfg(target_arch = "x86_64")]
const ALLOWED_HERE: [c_long; 7] = [
	libc::SYS_access,
	libc::SYS_arch_prctl,
	libc::SYS_lstat,
	libc::SYS_poll,
	libc::SYS_readlink,
	libc::SYS_stat,
	libc::SYS_time,
];
/// None.
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_HERE: [c_long; 0] = [];

/// Calls that are newer than this list, under the same numbers on all architectures. Like `clone3`,
/// whose arguments no filter can read, they are said not to exist: libraries then have other ways.
const NEWER: std::ops::Range<i64> = 450..512;

/// Asks whether a descriptor is a terminal.
const TCGETS: u64 = 0x5401;

/// Puts the filter into force for this process and what it executes. Returns the path with which the
/// program behind `engine` has to be executed.
pub fn install(engine: RawFd) -> anyhow::Result<&'static CStr> {
	let path = map_empty_path()?;
	let unknown = program(unknown(), SeccompAction::Allow, errno(Errno::ENOSYS))?;
	let allowed = program(allowed(engine)?, errno(Errno::EPERM), SeccompAction::Allow)?;
	// In this order: the second one forbids to add another.
	set_no_new_privs()?;
	apply(&unknown).context("no filter")?;
	apply(&allowed).context("no second filter")?;
	Ok(path)
}

/// Gives a program to the kernel. An engine has no secrets that speculation could betray to its own
/// code, so it is not slowed down for their sake, as kernels before Linux 5.16 would.
fn apply(program: &BpfProgram) -> anyhow::Result<()> {
	let instruction = |from: &sock_filter| libc::sock_filter {
		code: from.code,
		jt: from.jt,
		jf: from.jf,
		k: from.k,
	};
	let mut instructions: Vec<_> = program.iter().map(instruction).collect();
	let len = instructions.len().try_into()?;
	let program = libc::sock_fprog { len, filter: instructions.as_mut_ptr() };
	// SAFETY: the structure names instructions and their number, which the kernel copies.
	let done = unsafe {
		libc::syscall(
			libc::SYS_seccomp,
			libc::SECCOMP_SET_MODE_FILTER,
			libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW,
			&raw const program,
		)
	};
	Errno::result(done)?;
	Ok(())
}

fn map_empty_path() -> anyhow::Result<&'static CStr> {
	let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
	let place = ptr::without_provenance_mut(EMPTY_PATH);
	// SAFETY: replaces no mapping: where there is one, the call fails, or older kernels choose
	// another place.
	let page = unsafe { libc::mmap(place, 1, libc::PROT_READ, flags, -1, 0) };
	ensure!(page.addr() == EMPTY_PATH, "no page at {EMPTY_PATH:#x}: {}", Errno::last());
	// SAFETY: the page is readable, holds zeros, and stays as it is until this program ends.
	Ok(unsafe { CStr::from_ptr(page.cast()) })
}

fn program(
	rules: Rules,
	otherwise: SeccompAction,
	then: SeccompAction,
) -> anyhow::Result<BpfProgram> {
	let filter = SeccompFilter::new(rules, otherwise, then, ARCH.try_into()?)?;
	BpfProgram::try_from(filter).context("the filter cannot be compiled")
}

fn errno(errno: Errno) -> SeccompAction {
	SeccompAction::Errno((errno as c_int).unsigned_abs())
}

/// What is said not to exist.
fn unknown() -> Rules {
	NEWER.chain([libc::SYS_clone3]).map(|number| (number, Vec::new())).collect()
}

/// What an engine may do.
fn allowed(engine: RawFd) -> Result<Rules, BackendError> {
	let mut rules = unknown();
	rules.extend(ALLOWED.into_iter().chain(ALLOWED_HERE).map(|number| (number, Vec::new())));

	let engine = bits(engine);
	let empty_path = u64::try_from(EMPTY_PATH).unwrap_or(u64::MAX);
	let by_descriptor = rule([
		int(0, SeccompCmpOp::Eq, engine),
		long(1, SeccompCmpOp::Eq, empty_path),
		int(4, SeccompCmpOp::Eq, bits(libc::AT_EMPTY_PATH)),
	])?;
	rules.insert(libc::SYS_execveat, vec![by_descriptor]);

	// What lies low could grow over the empty path's place.
	let not_low = || int(3, SeccompCmpOp::MaskedEq(bits(PLACED_LOW)), 0);
	let anywhere = rule([long(0, SeccompCmpOp::Eq, 0), not_low()])?;
	let above = rule([long(0, SeccompCmpOp::Ge, LOWEST), not_low()])?;
	rules.insert(libc::SYS_mmap, vec![anywhere, above]);
	let moved_anywhere = without(3, libc::MREMAP_FIXED)?;
	rules.insert(libc::SYS_mremap, vec![moved_anywhere]);

	rules.insert(libc::SYS_clone, vec![new_thread()?]);
	// Of this process, and without a new value.
	let look = rule([int(0, SeccompCmpOp::Eq, 0), long(2, SeccompCmpOp::Eq, 0)])?;
	rules.insert(libc::SYS_prlimit64, vec![look]);
	let own = rule([int(0, SeccompCmpOp::Eq, process::id().into())])?;
	rules.insert(libc::SYS_tgkill, vec![own]);

	rules.insert(libc::SYS_openat, vec![to_read(2)?]);
	#[cfg(target_arch = "x86_64")]
	rules.insert(libc::SYS_open, vec![to_read(1)?]);
	let of_descriptors =
		[libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_DUPFD_CLOEXEC].map(bits);
	rules.insert(libc::SYS_fcntl, one_of(1, &of_descriptors)?);
	rules.insert(libc::SYS_ioctl, one_of(1, &[TCGETS])?);
	// Names of threads and of memory.
	let names = [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA].map(bits);
	rules.insert(libc::SYS_prctl, one_of(0, &names)?);
	Ok(rules)
}

/// A new thread of this process, not a new process, and nothing that comes with a namespace.
fn new_thread() -> Result<SeccompRule, BackendError> {
	let required = libc::CLONE_THREAD | libc::CLONE_SIGHAND | libc::CLONE_VM;
	let forbidden = libc::CLONE_NEWCGROUP
		| libc::CLONE_NEWIPC
		| libc::CLONE_NEWNET
		| libc::CLONE_NEWNS
		| libc::CLONE_NEWPID
		| libc::CLONE_NEWUSER
		| libc::CLONE_NEWUTS
		| libc::CLONE_PARENT
		| libc::CLONE_PTRACE
		| libc::CLONE_VFORK;
	rule([int(0, SeccompCmpOp::MaskedEq(bits(required | forbidden)), bits(required))])
}

/// Opened neither to be written to nor to be made.
fn to_read(argument: u8) -> Result<SeccompRule, BackendError> {
	without(argument, libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC)
}

fn without(argument: u8, flags: c_int) -> Result<SeccompRule, BackendError> {
	rule([int(argument, SeccompCmpOp::MaskedEq(bits(flags)), 0)])
}

fn one_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, BackendError> {
	values.iter().map(|value| rule([int(argument, SeccompCmpOp::Eq, *value)])).collect()
}

/// All of the conditions have to hold.
fn rule<const N: usize>(conditions: [Condition; N]) -> Result<SeccompRule, BackendError> {
	SeccompRule::new(conditions.into_iter().collect::<Result<_, _>>()?)
}

/// A condition on an argument of 32 bits.
fn int(argument: u8, operator: SeccompCmpOp, value: u64) -> Condition {
	SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

/// A condition on an argument of 64 bits.
fn long(argument: u8, operator: SeccompCmpOp, value: u64) -> Condition {
	SeccompCondition::new(argument, SeccompCmpArgLen::Qword, operator, value)
}

fn bits(flags: c_int) -> u64 {
	flags.cast_unsigned().into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn the_filters_can_be_compiled() {
		program(unknown(), SeccompAction::Allow, errno(Errno::ENOSYS)).unwrap();
		program(allowed(3).unwrap(), errno(Errno::EPERM), SeccompAction::Allow).unwrap();
	}

	#[test]
	fn what_starts_programs_or_reaches_others_is_not_allowed_as_it_is() {
		let rules = allowed(3).unwrap();
		for number in [
			libc::SYS_execve,
			libc::SYS_socket,
			libc::SYS_socketpair,
			libc::SYS_ptrace,
			libc::SYS_process_vm_readv,
			libc::SYS_kill,
			libc::SYS_mount,
			libc::SYS_unshare,
			libc::SYS_setns,
			libc::SYS_bpf,
			libc::SYS_keyctl,
			libc::SYS_io_uring_setup,
			libc::SYS_memfd_create,
			libc::SYS_seccomp,
			libc::SYS_sched_setaffinity,
		] {
			assert!(!rules.contains_key(&number), "{number}");
		}
		for number in [libc::SYS_execveat, libc::SYS_clone, libc::SYS_openat, libc::SYS_mmap] {
			assert!(!rules[&number].is_empty(), "{number} is allowed with any arguments");
		}
	}
}
