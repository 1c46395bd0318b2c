//! The command line.

use clap::{Parser, ValueEnum};
use std::{
	num::{NonZeroU16, NonZeroUsize},
	path::PathBuf,
	thread,
};
use tequio_interface::engine::Mode;

/// Computes for a Tequio node, which connects to it with --worker-socket.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
	/// Unix socket to listen on. The node's --worker-socket names the same file.
	#[arg(long, value_name = "PATH")]
	pub socket: PathBuf,

	/// Folder for the journal. One worker, and one chain, per folder.
	#[arg(long, value_name = "DIR")]
	pub base_path: PathBuf,

	/// Folder with the engines. Without it, the folder of this program.
	#[arg(long, value_name = "DIR")]
	pub engine_dir: Option<PathBuf>,

	/// Memory against speed: a RandomX engine takes 256 MiB in `light` mode, 2336 MiB in `fast`
	/// mode and is then eight times as fast.
	#[arg(long, default_value_t)]
	pub mode: Mode,

	/// Threads of an engine. Without it, as many as there are processors.
	#[arg(long, value_name = "N")]
	pub threads: Option<NonZeroUsize>,

	/// Jobs to compute at a time. Each slot has engines, and thus memory and threads, of its own.
	#[arg(long, value_name = "N", default_value = "1")]
	pub slots: NonZeroU16,

	/// Seconds that an engine may be silent before it counts as hung, besides the time that the
	/// work itself may take.
	#[arg(long, value_name = "SECONDS", default_value = "600")]
	pub job_timeout: u32,

	/// Run engines although this machine cannot take the network from them.
	#[arg(long)]
	pub allow_unsandboxed: bool,

	/// How to write the log.
	#[arg(long, value_enum, default_value_t)]
	pub log_format: LogFormat,
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

impl Args {
	/// Threads of an engine.
	pub fn threads(&self) -> NonZeroUsize {
		let processors = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
		self.threads.unwrap_or_else(processors)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn the_command_line_is_consistent() {
		Args::command().debug_assert();
	}
}
