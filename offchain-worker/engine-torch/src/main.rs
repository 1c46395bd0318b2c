//! `tequio-engine-torch`: the machine learning engine with libtorch, as a process. `tequio-worker`
//! starts it and talks to it through its standard input and output.

use anyhow::Context;
use clap::Parser;
use std::io;
use tequio_engine_ml::{command_line::EngineArgs, serve::serve};
use tequio_engine_torch::{self_test, Libtorch};

/// Computes machine learning jobs of the classes exact-f64, exact-f32 and banded-f32 by libtorch for
/// tequio-worker, which starts it.
///
/// Before it says that it is ready, it trains small models and compares what comes of that with what
/// is known: a machine that computes otherwise offers nothing.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
	#[command(flatten)]
	engine: EngineArgs,
}

fn main() -> anyhow::Result<()> {
	let EngineArgs { class, threads, .. } = Cli::parse().engine;
	// Nothing has called into libtorch yet, and there are no other threads.
	let libtorch = Libtorch::start(class, threads).context("the engine does not start")?;
	self_test::run(class, &libtorch).context("this machine offers nothing")?;
	serve(class, &libtorch, io::stdin().lock(), io::stdout().lock()).context("the engine ends")
}
