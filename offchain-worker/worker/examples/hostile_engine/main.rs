//! An engine that obeys whoever attacks the machine. It speaks the protocol of engines; a payload
//! names an attack, and what it is aimed at. The result says, line by line, what came of each try:
//! `NAME: refused, ERROR` or `NAME: succeeded`.
//!
//! Started for programs, it passes the exam of their class, and tells by its output.
//!
//! The tests of the sandbox put it in the place of an engine. Without a sandbox it does nothing
//! worse than to write small files, to start processes that end at once, and to make processes
//! continue that were stopped.

#![allow(clippy::unwrap_used)]

mod files;

use codec::{DecodeAll, Encode};
use hex_literal::hex;
use sp_crypto_hashing::blake2_256;
use std::{
	env,
	ffi::{c_int, c_long, CString},
	fs::File,
	io,
	net::{SocketAddr, TcpStream, UdpSocket},
	os::{
		fd::AsRawFd,
		linux::net::SocketAddrExt,
		unix::net::{SocketAddr as UnixAddr, UnixStream},
	},
	path::Path,
	process, ptr,
	sync::mpsc,
	thread,
};
use tequio_interface::{
	engine::{FromEngine, ToEngine},
	program::{ProgramJob, ProgramResult, BANDED_F32, EXAM},
	randomx,
	wire::{read_frame, write_frame},
};

/// A second program has nothing to say: the worker sees its engine end.
const ESCAPED: &str = "--escaped";
/// How it is started for single steps in 32-bit floats, and the output of their exam.
const PROGRAMS: &str = "banded-f32";
const EXAMINED: [u8; 32] = hex!("a07f6661dc3201397e4e50d2e64692723162a122fa06eb5aae0e61995072ec1f");

fn main() {
	if env::args().any(|arg| arg == ESCAPED) {
		process::exit(42);
	}
	let is_for_programs = env::args().any(|arg| arg == PROGRAMS);
	let class = if is_for_programs { BANDED_F32 } else { randomx::CLASS };
	let (mut from, mut to) = (io::stdin().lock(), io::stdout().lock());
	write_frame(&mut to, &FromEngine::Ready { class }).unwrap();
	while let Ok(message) = read_frame::<ToEngine>(&mut from) {
		let ToEngine::Run { id, payload } = message else { continue };
		let job = ProgramJob::decode_all(&mut payload.as_slice());
		let result = if job.is_ok_and(|job| job.program == EXAM) {
			named(EXAMINED)
		} else {
			let told = obey(payload).into_bytes();
			if is_for_programs {
				let (hash, bytes) = (blake2_256(&told), told);
				write_frame(&mut to, &FromEngine::Output { id, bytes, last: true }).unwrap();
				named(hash)
			} else {
				told
			}
		};
		write_frame(&mut to, &FromEngine::Done { id, result }).unwrap();
	}
}

/// The result of a program with this output.
fn named(output: [u8; 32]) -> Vec<u8> {
	ProgramResult { output, shown: vec![], near: vec![], projection: None }.encode()
}

/// Does what a payload says.
fn obey(payload: Vec<u8>) -> String {
	let words = String::from_utf8(payload).unwrap();
	let words: Vec<_> = words.split_whitespace().collect();
	match words.as_slice() {
		[name, targets @ ..] => attack(name, targets).join("\n"),
		[] => "no attack is named".into(),
	}
}

fn attack(name: &str, targets: &[&str]) -> Vec<String> {
	match name {
		"sockets" => sockets(),
		"connect" => connect(targets),
		"exec" => exec(),
		"read" => targets.iter().map(|path| told(path, files::look(path))).collect(),
		"list" => targets.iter().map(|folder| files::list(folder)).collect(),
		"map" => targets.iter().map(|path| told(path, files::map(path))).collect(),
		"write" => targets.iter().flat_map(|folder| files::write(Path::new(folder))).collect(),
		"supervisor" => supervisor(targets[0].parse().unwrap()),
		"fork" => fork(),
		"threads" => threads(),
		"memory" => memory(),
		"kernel" => kernel(),
		"rights" => rights(),
		"complain" => {
			eprintln!("the hostile engine complains");
			vec![]
		},
		"die" => process::abort(),
		"sleep" => loop {
			thread::park();
		},
		"self" => ourselves(),
		other => vec![format!("{other}: unknown")],
	}
}

fn told(name: &str, came_of_it: io::Result<()>) -> String {
	match came_of_it {
		Ok(()) => format!("{name}: succeeded"),
		Err(e) => format!("{name}: refused, {e}"),
	}
}

/// A system call by its number. A sixth argument is zero.
fn call(name: &str, number: c_long, arguments: [usize; 5]) -> String {
	let [a, b, c, d, e] = arguments;
	// SAFETY: attacks pass numbers, or addresses of memory that outlives the call and that nothing
	// else uses. Whatever succeeds changes nothing that this program relies on.
	let done = unsafe { libc::syscall(number, a, b, c, d, e, 0_usize) };
	told(name, if done == -1 { Err(io::Error::last_os_error()) } else { Ok(()) })
}

fn address(text: &CString) -> usize {
	text.as_ptr().expose_provenance()
}

fn number(value: c_int) -> usize {
	usize::try_from(value).unwrap()
}

fn sockets() -> Vec<String> {
	let kinds = [
		("inet", libc::AF_INET, libc::SOCK_STREAM),
		("inet, datagrams", libc::AF_INET, libc::SOCK_DGRAM),
		("inet6", libc::AF_INET6, libc::SOCK_STREAM),
		("unix", libc::AF_UNIX, libc::SOCK_STREAM),
		("netlink", libc::AF_NETLINK, libc::SOCK_RAW),
		("packets", libc::AF_PACKET, libc::SOCK_RAW),
		("vsock", libc::AF_VSOCK, libc::SOCK_STREAM),
	];
	let socket = |(name, family, kind)| {
		call(name, libc::SYS_socket, [number(family), number(kind), 0, 0, 0])
	};
	kinds.into_iter().map(socket).collect()
}

/// Targets: a port of the loopback, the name of an abstract socket, the path of a socket.
fn connect(targets: &[&str]) -> Vec<String> {
	let loopback = SocketAddr::from(([127, 0, 0, 1], targets[0].parse().unwrap()));
	let send = || UdpSocket::bind("127.0.0.1:0")?.send_to(b"hello", loopback).map(drop);
	let call_abstract =
		|| UnixStream::connect_addr(&UnixAddr::from_abstract_name(targets[1])?).map(drop);
	vec![
		told("loopback", TcpStream::connect(loopback).map(drop)),
		told("loopback, datagrams", send()),
		told("abstract socket", call_abstract()),
		told("socket in a folder", UnixStream::connect(targets[2]).map(drop)),
	]
}

fn exec() -> Vec<String> {
	let shell = CString::new("/bin/sh").unwrap();
	let ourselves = CString::new("/proc/self/exe").unwrap();
	let empty = CString::new("").unwrap();
	let escaped = CString::new(ESCAPED).unwrap();
	let argv = [escaped.as_ptr(), escaped.as_ptr(), ptr::null()];
	let argv = argv.as_ptr().expose_provenance();
	let by_path = |name, path| call(name, libc::SYS_execve, [address(path), argv, 0, 0, 0]);
	let flags = number(libc::AT_EMPTY_PATH);
	let at =
		|name, descriptor, path| call(name, libc::SYS_execveat, [descriptor, path, argv, 0, flags]);
	let mut all = vec![
		by_path("a shell", &shell),
		by_path("itself", &ourselves),
		at("a shell, by path and descriptor", 3, address(&shell)),
		at("itself, by path and descriptor", 3, address(&ourselves)),
	];
	let by_descriptor = "itself, by descriptor";
	all.push(match File::open("/proc/self/exe") {
		Ok(file) => at(by_descriptor, number(file.as_raw_fd()), address(&empty)),
		Err(e) => told(by_descriptor, Err(e)),
	});
	// Where the launcher had its empty path.
	let page = 1_usize << 32;
	let mapping = number(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED);
	for (name, start, length) in [("page", page, 4096), ("pages", page - 4096, 1 << 20)] {
		let protection = number(libc::PROT_READ | libc::PROT_WRITE);
		all.push(call(name, libc::SYS_mmap, [start, length, protection, mapping, usize::MAX]));
	}
	all.push(at("a shell, by what the launcher left", 3, page));
	all
}

/// Whatever one process can do to another one.
fn supervisor(worker: usize) -> Vec<String> {
	let mut memory = [0_u8; 8];
	let ours = libc::iovec { iov_base: memory.as_mut_ptr().cast(), iov_len: memory.len() };
	let ours = ptr::from_ref(&ours).expose_provenance();
	let limit = libc::rlimit { rlim_cur: 64, rlim_max: 64 };
	let limit = ptr::from_ref(&limit).expose_provenance();
	let cont = number(libc::SIGCONT);
	let (attach, seize, trace_me) = (16, 0x4206, 0);
	vec![
		call("ptrace, attach", libc::SYS_ptrace, [attach, worker, 0, 0, 0]),
		call("ptrace, seize", libc::SYS_ptrace, [seize, worker, 0, 0, 0]),
		call("ptrace, trace me", libc::SYS_ptrace, [trace_me, 0, 0, 0, 0]),
		call("read its memory", libc::SYS_process_vm_readv, [worker, ours, 1, ours, 1]),
		call("write its memory", libc::SYS_process_vm_writev, [worker, ours, 1, ours, 1]),
		call("signal it", libc::SYS_kill, [worker, cont, 0, 0, 0]),
		call("signal everybody", libc::SYS_kill, [usize::MAX, cont, 0, 0, 0]),
		call("signal its thread", libc::SYS_tgkill, [worker, worker, cont, 0, 0]),
		call("signal a thread", libc::SYS_tkill, [worker, cont, 0, 0, 0]),
		call("hold it", libc::SYS_pidfd_open, [worker, 0, 0, 0, 0]),
		call("limit it", libc::SYS_prlimit64, [worker, open_files(), limit, 0, 0]),
		call("slow it down", libc::SYS_setpriority, [0, worker, 19, 0, 0]),
		call("outlive it", libc::SYS_prctl, [number(libc::PR_SET_PDEATHSIG), 0, 0, 0, 0]),
	]
}

fn open_files() -> usize {
	usize::try_from(libc::RLIMIT_NOFILE).unwrap()
}

/// New processes, in each way that there is.
fn fork() -> Vec<String> {
	let chld = libc::SIGCHLD;
	#[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
	let mut calls = vec![
		("clone", libc::SYS_clone, number(chld)),
		("clone, waiting", libc::SYS_clone, number(chld | libc::CLONE_VFORK)),
		("clone, sharing files", libc::SYS_clone, number(chld | libc::CLONE_FILES)),
		("clone, in a namespace", libc::SYS_clone, number(chld | libc::CLONE_NEWUSER)),
	];
	#[cfg(target_arch = "x86_64")]
	calls.push(("fork", libc::SYS_fork, 0));
	let calls = calls.into_iter();
	let mut all: Vec<_> = calls.map(|(name, call, flags)| child(name, call, flags, 0)).collect();
	// `struct clone_args`: flags, four addresses, the signal, and more that may be zero.
	let mut arguments = [0_u64; 8];
	arguments[4] = u64::try_from(chld).unwrap();
	let address = arguments.as_ptr().expose_provenance();
	all.push(child("clone3", libc::SYS_clone3, address, size_of_val(&arguments)));
	// As the standard library does it.
	let program = process::Command::new("/bin/true").status();
	all.push(told("a program", program.map(drop)));
	all
}

/// Makes a process that ends at once.
fn child(name: &str, number: c_long, a: usize, b: usize) -> String {
	// SAFETY: none of the callers asks for memory to be shared, and the new process does nothing but
	// end.
	let done = unsafe { libc::syscall(number, a, b, 0, 0, 0) };
	match done {
		-1 => told(name, Err(io::Error::last_os_error())),
		// SAFETY: ends the process, which is what has to be done in it.
		0 => unsafe { libc::_exit(0) },
		_ => told(name, Ok(())),
	}
}

/// Threads until there are no more.
fn threads() -> Vec<String> {
	let mut all = Vec::new();
	let refused = loop {
		let (end, ended) = mpsc::channel::<()>();
		match thread::Builder::new().spawn(move || ended.recv().is_ok()) {
			Ok(thread) => all.push((end, thread)),
			Err(e) => break e,
		}
		if all.len() == 100_000 {
			return vec![told("100000 threads", Ok(()))];
		}
	};
	let (ends, threads): (Vec<_>, Vec<_>) = all.into_iter().unzip();
	drop(ends);
	let count = threads.len();
	for thread in threads {
		thread.join().unwrap();
	}
	vec![told(&format!("a thread more than {count}"), Err(refused))]
}

/// Memory until there is no more: 64 MiB at a time, used, up to 64 GiB.
fn memory() -> Vec<String> {
	const PIECE: usize = 64 << 20;
	let mut pieces: Vec<Vec<u8>> = Vec::new();
	for count in 0..1024 {
		let mut piece = Vec::new();
		if piece.try_reserve_exact(PIECE).is_err() {
			drop(pieces);
			let refused = io::Error::from_raw_os_error(libc::ENOMEM);
			return vec![told(&format!("more than {} MiB", count * 64), Err(refused))];
		}
		piece.resize(4096, 7);
		pieces.push(piece);
	}
	vec![told("64 GiB", Ok(()))]
}

/// Doors into the kernel that computing does not need.
fn kernel() -> Vec<String> {
	let root = CString::new("/").unwrap();
	let tmpfs = CString::new("tmpfs").unwrap();
	let zeros = [0_u8; 256];
	let zeros = zeros.as_ptr().expose_provenance();
	let (root, tmpfs) = (address(&root), address(&tmpfs));
	let user = number(libc::CLONE_NEWUSER);
	let net = number(libc::CLONE_NEWNET);
	vec![
		call("io_uring", libc::SYS_io_uring_setup, [8, zeros, 0, 0, 0]),
		call("mount", libc::SYS_mount, [tmpfs, root, tmpfs, 0, 0]),
		call("unmount", libc::SYS_umount2, [root, 0, 0, 0, 0]),
		call("open a tree", libc::SYS_open_tree, [usize::MAX, root, 1, 0, 0]),
		call("file system", libc::SYS_fsopen, [tmpfs, 0, 0, 0, 0]),
		call("new root", libc::SYS_pivot_root, [root, root, 0, 0, 0]),
		call("chroot", libc::SYS_chroot, [root, 0, 0, 0, 0]),
		call("user namespace", libc::SYS_unshare, [user, 0, 0, 0, 0]),
		call("network namespace", libc::SYS_unshare, [net, 0, 0, 0, 0]),
		call("another's namespace", libc::SYS_setns, [0, 0, 0, 0, 0]),
		call("bpf", libc::SYS_bpf, [0, zeros, 128, 0, 0]),
		call("perf", libc::SYS_perf_event_open, [zeros, 0, usize::MAX, usize::MAX, 0]),
		call("page faults", libc::SYS_userfaultfd, [0, 0, 0, 0, 0]),
		call("keys", libc::SYS_keyctl, [0, usize::MAX - 2, 0, 0, 0]),
		call("a key", libc::SYS_add_key, [tmpfs, tmpfs, zeros, 1, usize::MAX - 2]),
		call("a key asked for", libc::SYS_request_key, [tmpfs, tmpfs, 0, 0, 0]),
		call("a file in memory", libc::SYS_memfd_create, [tmpfs, 0, 0, 0, 0]),
		call("shared memory", libc::SYS_shmget, [0, 4096, 0o600, 0, 0]),
		call("a watch", libc::SYS_inotify_init1, [0, 0, 0, 0, 0]),
		call("a module", libc::SYS_init_module, [zeros, 1, tmpfs, 0, 0]),
		call("kernel log", libc::SYS_syslog, [3, 0, 0, 0, 0]),
		call("swap", libc::SYS_swapon, [root, 0, 0, 0, 0]),
		call("reboot", libc::SYS_reboot, [0, 0, 0, 0, 0]),
		call("another personality", libc::SYS_personality, [0x004_0000, 0, 0, 0, 0]),
	]
}

/// Rights that it does not have, and limits that it does.
fn rights() -> Vec<String> {
	let more = libc::rlimit { rlim_cur: 1024, rlim_max: 1024 };
	let more = ptr::from_ref(&more).expose_provenance();
	let name = CString::new("hostile").unwrap();
	let zeros = [0_u64; 4];
	let zeros = zeros.as_ptr().expose_provenance();
	let securebits = number(libc::PR_SET_SECUREBITS);
	vec![
		call("be root", libc::SYS_setresuid, [0, 0, 0, 0, 0]),
		call("be in root's group", libc::SYS_setresgid, [0, 0, 0, 0, 0]),
		call("be in other groups", libc::SYS_setgroups, [0, 0, 0, 0, 0]),
		call("change rights", libc::SYS_capset, [zeros, zeros, 0, 0, 0]),
		call("change how rights pass on", libc::SYS_prctl, [securebits, 1, 0, 0, 0]),
		call("more files", libc::SYS_prlimit64, [0, open_files(), more, 0, 0]),
		call("priority", libc::SYS_setpriority, [0, 0, 0, 0, 0]),
		call("real time", libc::SYS_sched_setscheduler, [0, 1, zeros, 0, 0]),
		call("another filter", libc::SYS_seccomp, [0, 0, 0, 0, 0]),
		call("the machine's name", libc::SYS_sethostname, [address(&name), 7, 0, 0, 0]),
		call("the clock", libc::SYS_clock_settime, [0, zeros, 0, 0, 0]),
	]
}

/// What it was given.
fn ourselves() -> Vec<String> {
	// SAFETY: a system call on integers.
	let is_open = |descriptor: &c_int| unsafe { libc::fcntl(*descriptor, libc::F_GETFD) } != -1;
	let open: Vec<_> = (0..1024).filter(is_open).map(|number| number.to_string()).collect();
	vec![
		format!("process {} of {}", process::id(), std::os::unix::process::parent_id()),
		format!("descriptors {}", open.join(" ")),
		format!("variables {}", env::vars_os().count()),
		format!("folder {:?}", env::current_dir().ok()),
	]
}
