//! `tequio-engine-torch`: the machine learning engine with libtorch, as a process. `tequio-worker`
//! starts it and talks to it through its standard input and output.

use anyhow::Context;
use clap::Parser;
use core::num::NonZeroUsize;
use std::io;
use tequio_engine_ml::{serve::serve, Class};
use tequio_engine_torch::{self_test, Libtorch};
use tequio_interface::engine::Mode;

/// Computes machine learning jobs by libtorch for tequio-worker, which starts it.
///
/// Before it says that it is ready, it trains small models and compares what comes of that with what
/// is known: a machine that computes otherwise offers nothing. A share of a processor is kept by the
/// control group that it runs in.
#[derive(Debug, Parser)]
#[command(version)]
#[allow(dead_code)]
struct Cli {
	/// The class of work to compute: exact-f64, exact-f32 or banded-f32.
	#[arg(long, value_enum)]
	class: Class,

	/// Makes no difference.
	#[arg(long, default_value_t)]
	mode: Mode,

	/// Threads to take at most. In exact-f32 one is taken: sums that threads divide have other bits.
	#[arg(long, default_value = "1")]
	threads: NonZeroUsize,

	/// Makes no difference.
	#[arg(long, default_value = "1")]
	caches: NonZeroUsize,

	/// Makes no difference.
	#[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
	cpu_percent: u32,

	/// Makes no difference: memory is never writable and executable at once, but for the kernels that
	/// oneDNN writes, without which there are no convolutions.
	#[arg(long)]
	secure: bool,
}

fn main() -> anyhow::Result<()> {
	let cli = Cli::parse();
	// Nothing has called into libtorch yet, and there are no other threads.
	let libtorch = Libtorch::start(cli.class, cli.threads).context("the engine does not start")?;
	self_test::run(cli.class, &libtorch).context("this machine offers nothing")?;
	serve(cli.class, &libtorch, io::stdin().lock(), io::stdout().lock()).context("the engine ends")
}
