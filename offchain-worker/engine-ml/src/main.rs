//! `tequio-engine-ml`: the machine learning engine as a process. `tequio-worker` starts it and talks
//! to it through its standard input and output.

use anyhow::{bail, Context};
use clap::Parser;
use core::num::NonZeroUsize;
use std::io;
use tequio_engine_ml::{serve::serve, Class, Reference};
use tequio_interface::engine::Mode;

/// Computes machine learning jobs for tequio-worker, which starts it.
///
/// It computes on one thread, in one way: of what every engine is started with, only the class makes
/// a difference here. A share of a processor is kept by the control group that it runs in.
#[derive(Debug, Parser)]
#[command(version)]
#[allow(dead_code)]
struct Cli {
	/// The class of work to compute: exact-f64 or integer. The others are computed by
	/// tequio-engine-torch.
	#[arg(long, value_enum)]
	class: Class,

	/// Makes no difference.
	#[arg(long, default_value_t)]
	mode: Mode,

	/// Threads to take at most: one is taken.
	#[arg(long, default_value = "1")]
	threads: NonZeroUsize,

	/// Makes no difference.
	#[arg(long, default_value = "1")]
	caches: NonZeroUsize,

	/// Makes no difference.
	#[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
	cpu_percent: u32,

	/// Makes no difference: memory is never writable and executable at once.
	#[arg(long)]
	secure: bool,
}

fn main() -> anyhow::Result<()> {
	let cli = Cli::parse();
	match cli.class {
		Class::ExactF64 | Class::Integer => {},
		Class::ExactF32 | Class::BandedF32 => bail!(
			"tequio-engine-ml has no 32-bit arithmetic: the class {} is computed by \
			 tequio-engine-torch, which tequio-worker starts where it knows --libtorch",
			cli.class
		),
	}
	serve(cli.class, &Reference, io::stdin().lock(), io::stdout().lock()).context("the engine ends")
}
