//! `tequio-engine-ml`: the machine learning engine as a process. `tequio-worker` starts it and talks
//! to it through its standard input and output.

use anyhow::{bail, Context};
use clap::Parser;
use std::io;
use tequio_engine_ml::{command_line::EngineArgs, serve::serve, Class, Reference};

/// Computes machine learning jobs for tequio-worker, which starts it: of the classes exact-f64 and
/// integer, on one thread. The others are computed by tequio-engine-torch.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
	#[command(flatten)]
	engine: EngineArgs,
}

fn main() -> anyhow::Result<()> {
	let EngineArgs { class, .. } = Cli::parse().engine;
	match class {
		Class::ExactF64 | Class::Integer => {},
		Class::ExactF32 | Class::BandedF32 => bail!(
			"tequio-engine-ml has no 32-bit arithmetic: the class {} is computed by \
			 tequio-engine-torch, which tequio-worker starts where it knows --libtorch",
			class
		),
	}
	serve(class, &Reference, io::stdin().lock(), io::stdout().lock()).context("the engine ends")
}
