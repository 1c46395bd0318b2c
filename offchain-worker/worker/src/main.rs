//! # Worker process
//!
//! `tequio-worker` computes for a node, apart from it: whatever happens in here, a block is
//! authored. The node connects to its Unix socket and hands in jobs; engines, one process per class
//! and slot, compute them. The worker holds no keys, reads no chain and pays nobody.
//!
//! ```text
//! node ─▶ server ─▶ desk (queue + journal) ─▶ runner, one per slot ─▶ engine process (sandbox)
//!    ◀── states ───────┘        ◀── outcomes ─────┘
//! ```
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | `args` | the command line |
//! | `server` | socket, who may connect, the conversation with a node |
//! | `desk` | where jobs are handed in and fetched; the one lock |
//! | `queue` | which jobs there are and which one is next; pure |
//! | `journal` | what outlives the process |
//! | `supervisor` | computes jobs, starts engines again |
//! | `engine` | one engine process |
//! | `sandbox` | what an engine may do |
//! | `classes` | what is known of a class: its engine, its units of work, its memory |
//!
//! ## Promises
//! - A job that was answered with `Queued` is computed, whatever crashes, unless it is cancelled or
//!   three other engines fail at it as well.
//! - A result is on the disk before a node hears of it.
//! - Nothing grows without bound: frames, payloads, results, waiting jobs, kept results, messages,
//!   nodes, the journal.
//! - When the worker ends, however it ends, its engines end.
//!
//! ## Design
//! Threads, no async runtime: there are a handful of them, each waits for one thing, and a child
//! process is killed when the *thread* that started it ends, which on a pool of threads would be
//! any time.

mod args;
mod classes;
mod desk;
mod engine;
mod journal;
mod queue;
mod sandbox;
mod server;
mod supervisor;

use anyhow::{ensure, Context};
use args::{Args, LogFormat};
use clap::Parser;
use classes::CLASSES;
use desk::Desk;
use engine::Launcher;
use journal::Journal;
use nix::sys::{
	signal::{SigSet, Signal},
	stat::{umask, Mode},
};
use sandbox::Network;
use server::Socket;
use std::{
	fs, io,
	io::IsTerminal,
	panic,
	path::{Path, PathBuf},
	process::{self, ExitCode},
	sync::Arc,
	thread,
	time::Duration,
};
use supervisor::Runner;
use tequio_interface::job::Capability;
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
	let args = Args::parse();
	write_logs(args.log_format);
	match run(&args) {
		Ok(()) => ExitCode::SUCCESS,
		Err(e) => {
			error!("{e:#}");
			ExitCode::FAILURE
		},
	}
}

fn run(args: &Args) -> anyhow::Result<()> {
	end_with_any_panic();
	// Blocked before there are other threads, which inherit it; then waited for here.
	let mut end = SigSet::empty();
	end.add(Signal::SIGTERM);
	end.add(Signal::SIGINT);
	end.thread_block()?;
	// Journal and socket are nobody else's business.
	umask(Mode::from_bits_truncate(0o077));

	let network = network(args.allow_unsandboxed)?;
	let dir = engine_dir(args)?;
	let capabilities = capabilities(&dir, args)?;
	fs::create_dir_all(&args.base_path)
		.with_context(|| format!("the folder {:?} cannot be made", args.base_path))?;
	let (journal, records) = Journal::open(&args.base_path)?;
	let slots = usize::from(args.slots.get());
	let desk = Arc::new(Desk::new(journal, records, capabilities, slots)?);
	let socket = Socket::bind(&args.socket)?;

	let launcher = Launcher { dir, mode: args.mode, threads: args.threads(), network };
	let job_timeout = Duration::from_secs(args.job_timeout.into());
	let runners: Vec<_> = (0..slots)
		.map(|slot| Runner::new(slot, desk.clone(), launcher.clone(), job_timeout))
		.map(|runner| thread::spawn(move || runner.run()))
		.collect();
	let (listener, nodes) = (socket.listener()?, desk.clone());
	thread::spawn(move || server::accept(&listener, &nodes));
	info!("listening on {:?}, {} mode, {slots} slots", args.socket, args.mode);

	let signal = end.wait()?;
	info!("{signal}: stopping");
	desk.stop();
	for runner in runners {
		// A panic would have ended the process.
		drop(runner.join());
	}
	drop(socket);
	Ok(())
}

/// The way in which this machine takes the network from engines.
fn network(allow_unsandboxed: bool) -> anyhow::Result<Network> {
	match Network::find() {
		Ok(network) => Ok(network),
		Err(e) if allow_unsandboxed => {
			warn!("engines can reach the network, as --allow-unsandboxed permits: {e}");
			Ok(Network::Shared)
		},
		Err(e) => Err(e.into()),
	}
}

fn engine_dir(args: &Args) -> anyhow::Result<PathBuf> {
	if let Some(dir) = &args.engine_dir {
		// An engine is started by its path, whatever the working directory.
		return dir.canonicalize().with_context(|| format!("no folder {dir:?}"));
	}
	let program = std::env::current_exe().context("the folder of this program is unknown")?;
	Ok(program.parent().map(PathBuf::from).unwrap_or_default())
}

/// The classes whose engine is there.
fn capabilities(dir: &Path, args: &Args) -> anyhow::Result<Vec<Capability>> {
	let found = CLASSES.iter().filter(|class| class.is_in(dir));
	let found: Vec<_> =
		found.map(|class| Capability { class: class.number, slots: args.slots.get() }).collect();
	let programs: Vec<_> = CLASSES.iter().map(|class| class.program).collect();
	ensure!(!found.is_empty(), "no engine in {dir:?}; there should be {}", programs.join(" or "));
	Ok(found)
}

/// A panic in one thread would leave the others waiting for it. The journal is the way back.
fn end_with_any_panic() {
	let print = panic::take_hook();
	panic::set_hook(Box::new(move |panic| {
		print(panic);
		process::abort();
	}));
}

fn write_logs(format: LogFormat) {
	let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
	let log = tracing_subscriber::fmt()
		.with_env_filter(filter)
		.with_writer(io::stderr)
		.with_ansi(io::stderr().is_terminal());
	match format {
		LogFormat::Plain => log.init(),
		LogFormat::Json => log.json().init(),
	}
}
