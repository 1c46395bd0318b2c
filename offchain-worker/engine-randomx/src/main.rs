//! `tequio-engine-randomx`: the RandomX engine as a process. `tequio-worker` starts it and talks to
//! it through its standard input and output. By hand, `bench` measures it.

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use core::num::{NonZeroU32, NonZeroUsize};
use std::io;
use tequio_engine_randomx::{
	bench, machine::Settings, pace::Percent, pages::Pages, processors, serve::serve, Flags,
};
use tequio_interface::engine::Mode;

/// Computes RandomX jobs for tequio-worker, which starts it.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
	#[command(subcommand)]
	command: Option<Command>,

	#[command(flatten)]
	engine: EngineArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
	/// Measure hashes per second as RandomX's own benchmark does, and print a JSON object.
	Bench {
		#[command(flatten)]
		engine: EngineArgs,

		/// Hashes to compute. The digest of 1000 is published.
		#[arg(long, default_value = "1000")]
		nonces: NonZeroU32,
	},
}

#[derive(Debug, Args)]
struct EngineArgs {
	/// Memory against speed: `light` takes 256 MiB, `fast` 2336 MiB and is ten times as fast.
	#[arg(long, default_value_t)]
	mode: Mode,

	/// Threads: by default as many as the processor's caches have room for.
	#[arg(long)]
	threads: Option<NonZeroUsize>,

	/// Caches, of 256 MiB each. With two, that of the next key is built ahead.
	#[arg(long, default_value = "1")]
	caches: NonZeroUsize,

	/// Share of a processor that each thread may take.
	#[arg(long, default_value_t = Percent::ALL)]
	cpu_percent: Percent,

	/// Pages to put memory on: by default the best that there are, for each piece by itself.
	#[arg(long, value_enum)]
	pages: Option<Pages>,

	/// Never have memory that is writable and executable at once: for systems that forbid it.
	#[arg(long)]
	secure: bool,

	/// Interpret RandomX programs instead of compiling them: five times as slow, the same hashes.
	#[arg(long)]
	interpreter: bool,
}

impl EngineArgs {
	fn settings(&self) -> Settings {
		let mut flags = Flags::recommended();
		if self.interpreter {
			flags = flags.without(Flags::JIT);
		}
		if self.secure {
			flags = flags | Flags::SECURE;
		}
		Settings {
			mode: self.mode,
			threads: self.threads.unwrap_or_else(processors::recommended),
			caches: self.caches,
			pages: self.pages,
			flags,
			percent: self.cpu_percent,
		}
	}
}

fn main() -> anyhow::Result<()> {
	let cli = Cli::parse();
	match cli.command {
		None => serve(cli.engine.settings(), io::stdin(), io::stdout())
			.context("the RandomX engine ends"),
		Some(Command::Bench { engine, nonces }) => {
			let report = bench::run(engine.settings(), nonces.get());
			println!("{}", report.context("the benchmark ends")?);
			Ok(())
		},
	}
}
