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
//! | `service` | a worker that computes, put together |
//! | `server` | socket, who may connect, the conversation with a node |
//! | `desk` | where jobs are handed in and fetched; their one lock |
//! | `nodes` | who is connected, what they were told and have yet to read |
//! | `queue` | which jobs there are and which one is next; pure |
//! | `journal` | what outlives the process |
//! | `supervisor` | computes jobs, starts engines again |
//! | `engine` | one engine process |
//! | `sandbox` | what an engine may do |
//! | `libtorch` | the folder of the libraries that an engine of programs maps |
//! | `store` | inputs and outputs of programs, by their hash |
//! | `classes` | what is known of a class: its engine, what that needs, its units of work |
//! | `plan`, `machine` | mode, threads and caches of engines, from what this machine has |
//! | `equipment` | engines, plan and sandbox, found before an engine is started |
//! | `exam` | whether an engine computes right |
//! | `measure`, `rates` | how fast engines are here, now and at the last start |
//! | `board`, `tally` | what there is to tell, and what is counted |
//! | `status`, `metrics` | how it is told: to `tequio-worker status`, to Prometheus |
//! | `processes` | memory of engines |
//! | `bench`, `doctor` | the commands of the same name |
//!
//! ## Promises
//! - A job that was answered with `Queued` is computed, whatever crashes, unless it is cancelled or
//!   three other engines fail at it as well.
//! - A result is on the disk before a node hears of it.
//! - Nothing grows without bound: frames, payloads, results, waiting jobs, kept results, messages,
//!   nodes, the journal, the store.
//! - The outputs of a job are in the store before a node hears of the result that names them.
//! - A class with a numerics profile is offered once its engine has proved to have it.
//! - When the worker ends, however it ends, its engines end.
//!
//! ## Design
//! Threads, no async runtime: there are a handful of them, each waits for one thing, and a child
//! process is killed when the *thread* that started it ends, which on a pool of threads would be
//! any time. Only the metrics, where they are asked for, have a runtime on a thread of their own.
//!
//! A worker listens before it knows its speed, so that a start takes no longer than to read the
//! journal and to examine engines of programs. It measures itself while there is nothing else to do,
//! and by every job; what it has found is remembered for the next start.

mod args;
mod bench;
mod board;
mod classes;
mod desk;
mod doctor;
mod engine;
mod equipment;
mod exam;
mod journal;
mod libtorch;
mod machine;
mod measure;
mod metrics;
mod nodes;
mod plan;
mod processes;
mod queue;
mod rates;
mod sandbox;
mod server;
mod service;
mod status;
mod store;
mod supervisor;
mod tally;

use args::{Args, Command, LogFormat, WorkerArgs};
use clap::{CommandFactory, Parser};
use std::{
	io::{self, IsTerminal},
	process::ExitCode,
};
use tracing::error;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
	let args = Args::parse();
	write_logs(args.worker.as_ref());
	match run(args) {
		Ok(exit) => exit,
		Err(e) => {
			error!("{e:#}");
			ExitCode::FAILURE
		},
	}
}

fn run(Args { command, worker, engine }: Args) -> anyhow::Result<ExitCode> {
	match (command, worker) {
		(Some(Command::LaunchEngine(args)), _) => return Err(sandbox::launch(args)),
		(Some(Command::Status(args)), _) => status::print(&args)?,
		(Some(Command::Bench(args)), _) => bench::run(&args)?,
		(Some(Command::Doctor(args)), _) => return doctor::run(&args),
		(None, Some(args)) => service::run(&args, &engine)?,
		// The parser asks for the flags of a worker where there is no command.
		(None, None) => Args::command().print_help()?,
	}
	Ok(ExitCode::SUCCESS)
}

/// Of a worker all that is worth knowing, of a command what went wrong.
fn write_logs(worker: Option<&WorkerArgs>) {
	let least = if worker.is_some() { "info" } else { "warn" };
	let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(least));
	let log = tracing_subscriber::fmt()
		.with_env_filter(filter)
		.with_writer(io::stderr)
		.with_ansi(io::stderr().is_terminal());
	match worker.map(|worker| worker.log_format).unwrap_or_default() {
		LogFormat::Plain => log.init(),
		LogFormat::Json => log.json().init(),
	}
}
