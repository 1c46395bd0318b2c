//! `tequio-engine-randomx`: the RandomX engine as a process. `tequio-worker` starts it and talks to
//! it through its standard input and output; by hand it is of little use.

use anyhow::Context;
use clap::Parser;
use std::{io, num::NonZeroUsize};
use tequio_engine_randomx::{
	machine::{Machine, Settings},
	serve::serve,
	Flags,
};
use tequio_interface::engine::Mode;

/// Computes RandomX jobs for tequio-worker, which starts it.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
	/// Memory against speed: `light` takes 256 MiB, `fast` 2336 MiB and is eight times as fast.
	#[arg(long, default_value_t)]
	mode: Mode,

	/// Threads.
	#[arg(long, default_value = "1")]
	threads: NonZeroUsize,

	/// Interpret RandomX programs instead of compiling them: five times as slow, the same hashes.
	#[arg(long)]
	interpreter: bool,
}

fn main() -> anyhow::Result<()> {
	let args = Args::parse();
	let recommended = Flags::recommended();
	let flags = if args.interpreter { recommended.without(Flags::JIT) } else { recommended };
	let settings = Settings { mode: args.mode, threads: args.threads, flags };
	let (mut from, mut to) = (io::stdin().lock(), io::stdout().lock());
	serve(&mut Machine::new(settings), &mut from, &mut to).context("the RandomX engine ends")
}
