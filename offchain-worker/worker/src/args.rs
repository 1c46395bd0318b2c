//! The command line.

use crate::sandbox::{LaunchArgs, Policy};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::{
	num::{NonZeroU16, NonZeroUsize},
	path::PathBuf,
};
use tequio_interface::engine::Mode;

/// Computes for a Tequio node, which connects to it with --worker-socket.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
	/// Something else than to compute.
	#[command(subcommand)]
	pub command: Option<Command>,

	/// What a worker is told. There, unless there is a command.
	#[command(flatten)]
	pub worker: Option<WorkerArgs>,

	/// How a worker runs engines. Beside the worker's own arguments, not among them: the parser
	/// would not see that these are there.
	#[command(flatten)]
	pub engine: EngineArgs,
}

/// What there is besides computing.
#[derive(Debug, Subcommand)]
pub enum Command {
	/// Asks a running worker how it is.
	Status(StatusArgs),
	/// Measures how fast the engines are here, as a worker would run them.
	Bench(BenchArgs),
	/// Looks for what keeps a worker from computing here. Fails if there is anything.
	Doctor(DoctorArgs),
	/// Confines itself and becomes an engine. For the worker's own use.
	#[command(hide = true, name = "launch-engine")]
	LaunchEngine(LaunchArgs),
}

/// Of a worker that computes.
#[derive(Debug, ClapArgs)]
pub struct WorkerArgs {
	/// Unix socket to listen on. The node's --worker-socket names the same file.
	#[arg(long, value_name = "PATH")]
	pub socket: PathBuf,

	/// Folder for the journal. One worker, and one chain, per folder.
	#[arg(long, value_name = "DIR")]
	pub base_path: PathBuf,

	/// Jobs to compute at a time. Each slot has engines, and thus memory and threads, of its own.
	#[arg(long, value_name = "N", default_value = "1")]
	#[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
	pub slots: u16,

	/// Whether to measure the speed of this machine at the start, unless it is known from before.
	/// Without it, only with --mode auto. What is computed later is measured in any case.
	#[arg(long, value_name = "true|false")]
	pub measure: Option<bool>,

	/// Seconds that an engine may be silent before it counts as hung, besides the time that the
	/// work itself may take.
	#[arg(long, value_name = "SECONDS", default_value = "600")]
	pub job_timeout: u32,

	/// Port of the loopback on which to serve metrics for Prometheus, at /metrics.
	#[arg(long, value_name = "PORT")]
	pub metrics_port: Option<NonZeroU16>,

	/// How to write the log.
	#[arg(long, value_enum, default_value_t)]
	pub log_format: LogFormat,
}

impl WorkerArgs {
	/// Whether to measure the speed of this machine at the start, unless it is known.
	pub fn measures(&self, mode: ModeChoice) -> bool {
		self.measure.unwrap_or(mode == ModeChoice::Auto)
	}
}

/// How engines are run.
#[derive(Clone, Debug, ClapArgs)]
pub struct EngineArgs {
	/// Folder with the engines. Without it, the folder of this program.
	#[arg(long, value_name = "DIR")]
	pub engine_dir: Option<PathBuf>,

	/// Folder with inputs and outputs of programs, named by their hashes. Workers may share it.
	/// Without it, no programs are computed.
	#[arg(long, value_name = "DIR")]
	pub store: Option<PathBuf>,

	/// Folder with the shared libraries of libtorch, where scripts/setup --libtorch puts them:
	/// ~/.cache/tequio/libtorch/lib. Without it, no programs in 32-bit floats are computed.
	#[arg(long, value_name = "DIR")]
	pub libtorch: Option<PathBuf>,

	/// Memory against speed: a RandomX engine takes 256 MiB in `light` mode, 2336 MiB in `fast`
	/// mode and is then eight times as fast. `auto` takes what fits into this machine.
	#[arg(long, value_enum, default_value_t)]
	pub mode: ModeChoice,

	/// Threads of an engine. Without it, as many as there are processors, or in fast mode as their
	/// caches can feed.
	#[arg(long, value_name = "N")]
	pub threads: Option<NonZeroUsize>,

	/// RandomX keys that an engine keeps ready, 256 MiB each. Without it, two where memory is
	/// plentiful, so that a new key does not stop the work.
	#[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
	pub caches: Option<u32>,

	/// Share of its processors that an engine may take.
	#[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
	pub cpu_percent: Option<u32>,

	/// Never have memory that is writable and executable. Costs an engine some of its speed.
	#[arg(long)]
	pub secure: bool,

	/// How engines are confined: `full` or not at all started, `available` as far as this machine
	/// allows it, `none`.
	#[arg(long, value_enum, default_value = "full")]
	pub sandbox: Policy,
}

/// Of `status`.
#[derive(Debug, ClapArgs)]
pub struct StatusArgs {
	/// Unix socket that the worker listens on.
	#[arg(long, value_name = "PATH")]
	pub socket: PathBuf,

	/// Print one JSON object.
	#[arg(long)]
	pub json: bool,
}

/// Of `bench`.
#[derive(Debug, ClapArgs)]
pub struct BenchArgs {
	/// How engines are run.
	#[command(flatten)]
	pub engine: EngineArgs,

	/// Seconds to measure for, once the engine is warm.
	#[arg(long, value_name = "N", default_value = "20")]
	#[arg(value_parser = clap::value_parser!(u32).range(1..=3600))]
	pub seconds: u32,

	/// Print one JSON object for each class.
	#[arg(long)]
	pub json: bool,
}

/// Of `doctor`.
#[derive(Debug, ClapArgs)]
pub struct DoctorArgs {
	/// How engines are to be run.
	#[command(flatten)]
	pub engine: EngineArgs,

	/// Unix socket that a worker is to listen on.
	#[arg(long, value_name = "PATH")]
	pub socket: Option<PathBuf>,

	/// Folder that a worker is to use.
	#[arg(long, value_name = "DIR")]
	pub base_path: Option<PathBuf>,

	/// Print one JSON object.
	#[arg(long)]
	pub json: bool,
}

/// A mode, or whichever suits the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ModeChoice {
	/// Whichever suits the machine.
	#[default]
	Auto,
	/// Little memory.
	Light,
	/// Much memory.
	Fast,
}

impl ModeChoice {
	/// The mode, if one is named.
	pub fn named(self) -> Option<Mode> {
		match self {
			Self::Auto => None,
			Self::Light => Some(Mode::Light),
			Self::Fast => Some(Mode::Fast),
		}
	}
}

/// How to write the log. What is logged is chosen by RUST_LOG.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
	/// Lines for people.
	#[default]
	Plain,
	/// One JSON object per line.
	Json,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn the_command_line_is_consistent() {
		Args::command().debug_assert();
	}

	#[test]
	fn without_a_command_it_computes() {
		let line = ["tequio-worker", "--socket", "s", "--base-path", "b", "--mode", "light"];
		let args = Args::try_parse_from(line).unwrap();
		assert!(args.command.is_none());
		let worker = args.worker.unwrap();
		assert_eq!(args.engine.mode, ModeChoice::Light);
		assert_eq!(worker.slots, 1);
		assert!(!worker.measures(args.engine.mode));
		assert_eq!(args.engine.store, None);
	}

	#[test]
	fn folders_of_programs_are_for_a_worker_and_for_commands() {
		let folders = ["--store", "d", "--libtorch", "l"];
		let worker = ["tequio-worker", "--socket", "s", "--base-path", "b"];
		let args = Args::try_parse_from([&worker[..], &folders].concat()).unwrap();
		let expected = (Some("d".into()), Some("l".into()));
		assert_eq!((args.engine.store, args.engine.libtorch), expected);
		let doctor = ["tequio-worker", "doctor"];
		let args = Args::try_parse_from([&doctor[..], &folders].concat()).unwrap();
		let Some(Command::Doctor(doctor)) = args.command else { panic!("no doctor") };
		assert_eq!((doctor.engine.store, doctor.engine.libtorch), expected);
		let bench = ["tequio-worker", "bench"];
		let args = Args::try_parse_from([&bench[..], &folders].concat()).unwrap();
		let Some(Command::Bench(bench)) = args.command else { panic!("no bench") };
		assert_eq!((bench.engine.store, bench.engine.libtorch), expected);
	}

	#[test]
	fn a_command_needs_no_flags_of_a_worker() {
		let args = Args::try_parse_from(["tequio-worker", "bench", "--threads", "2"]).unwrap();
		assert!(args.worker.is_none());
		assert!(matches!(args.command, Some(Command::Bench(bench)) if bench.seconds == 20));
	}

	#[test]
	fn what_is_missing_is_named() {
		let refused = Args::try_parse_from(["tequio-worker", "--socket", "s"]).unwrap_err();
		assert!(refused.to_string().contains("--base-path"), "{refused}");
		let refused = Args::try_parse_from(["tequio-worker", "status"]).unwrap_err();
		assert!(refused.to_string().contains("--socket"), "{refused}");
	}
}
