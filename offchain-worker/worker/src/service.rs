//! A worker that computes: puts its parts together, and takes them apart when it is asked to end.

use crate::{
	args::{EngineArgs, WorkerArgs},
	board::{Board, Facts},
	desk::Desk,
	equipment::Equipment,
	journal::Journal,
	metrics,
	rates::RatesFile,
	server::{self, Socket},
	status::SandboxStatus,
	supervisor::Runner,
};
use anyhow::Context;
use nix::sys::{
	signal::{SigSet, Signal},
	stat::{umask, Mode},
};
use std::{fs, panic, process, sync::Arc, thread, time::Duration};
use tracing::info;

/// Computes until a signal asks it to end.
pub fn run(args: &WorkerArgs, engine: &EngineArgs) -> anyhow::Result<()> {
	end_with_any_panic();
	// Blocked before there are other threads, which inherit it; then waited for here.
	let mut end = SigSet::empty();
	end.add(Signal::SIGTERM);
	end.add(Signal::SIGINT);
	end.thread_block()?;
	// Journal and socket are nobody else's business.
	umask(Mode::from_bits_truncate(0o077));

	let equipment = Equipment::gather(engine, args.slots)?.prove()?;
	let Equipment { classes, plan, launcher } = equipment;
	fs::create_dir_all(&args.base_path)
		.with_context(|| format!("--base-path: {:?} cannot be made", args.base_path))?;
	let (journal, records) = Journal::open(&args.base_path)?;
	let reason = plan.reason.clone();
	let sandbox = launcher.sandbox.report().iter().map(SandboxStatus::from).collect();
	let facts = Facts { plan, slots: args.slots, classes, sandbox };
	let board = Arc::new(Board::new(facts, RatesFile::open(&args.base_path)));
	let desk = Arc::new(Desk::new(journal, records, board.clone(), args.slots.into()));
	if let Some(port) = args.metrics_port {
		metrics::serve(port, &desk)?;
	}
	let socket = Socket::bind(&args.socket)?;

	let job_timeout = Duration::from_secs(args.job_timeout.into());
	let runner =
		|slot| Runner::new(slot, desk.clone(), board.clone(), launcher.clone(), job_timeout);
	let runners: Vec<_> = (0..usize::from(args.slots))
		.map(|slot| (runner(slot), slot == 0 && args.measures(engine.mode)))
		.map(|(runner, measures)| thread::spawn(move || work(runner, measures)))
		.collect();
	let (listener, nodes) = (socket.listener()?, desk.clone());
	thread::spawn(move || server::accept(&listener, &nodes));
	info!("listening on {:?}; jobs at a time: {}; {reason}", args.socket, args.slots);

	let signal = end.wait()?;
	info!("{signal}: stopping");
	desk.stop();
	for runner in runners {
		// A panic would have ended the process.
		drop(runner.join());
	}
	board.save();
	drop(socket);
	Ok(())
}

fn work(mut runner: Runner, measures: bool) {
	if measures {
		runner.measure();
	}
	runner.run();
}

/// A panic in one thread would leave the others waiting for it. The journal is the way back.
fn end_with_any_panic() {
	let print = panic::take_hook();
	panic::set_hook(Box::new(move |panic| {
		print(panic);
		process::abort();
	}));
}
