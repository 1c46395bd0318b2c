//! # Figures
//!
//! Measures what the project promises of its speed, memory and weight, ours and the anchor's
//! alternating in one run. A missed goal is printed and fails nothing: what a machine measures
//! depends on what else it does.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`figure`] | what a run says |
//! | [`samples`] | repeated measurements |
//! | [`machine`] | the machine: notes about it, memory of processes, huge pages |
//! | [`huge_pages`] | the kernel's pool of huge pages |
//! | [`program`] | a program that runs to its end and prints |
//! | [`engine`] | an engine as a process, and the messages to it and from it |
//! | [`frames`] | frames of the project's own protocols |
//! | [`blocks`] | the blocks of a chain, one after the other |
//! | [`search`] | searches that find nothing |
//! | [`randomx`] | the RandomX engine beside the reference's own benchmark |
//! | [`chain`] | weights and block times of the runtime |
//! | [`memory`] | memory of a node at rest and of a light worker |
//! | [`end_to_end`] | useful hashing of a worker, and blocks from submission to acceptance |
//! | [`throughput`] | results settled per second beside transfers per second |
//! | [`incentives`] | what strategies earn on the real runtime |
//! | [`ml`] | the machine learning engines beside plain loops of their libraries, and PyTorch |

mod blocks;
mod chain;
mod end_to_end;
mod engine;
mod figure;
mod frames;
mod huge_pages;
mod incentives;
mod machine;
mod memory;
mod ml;
mod program;
mod randomx;
mod samples;
mod search;
mod throughput;

use crate::figure::Report;
use anyhow::{anyhow, Result};
use clap::{Parser, ValueEnum};
use std::{path::PathBuf, process::ExitCode};
use tequio_harness::interrupted;

/// Measures Tequio on this machine.
///
/// `ours / anchor = ratio`, beside the ratio's goal; units are named. A missed goal does not fail
/// the run.
#[derive(Debug, Parser)]
#[command(name = "tequio-bench", version)]
pub struct Args {
	/// What is measured
	#[arg(value_enum)]
	name: Name,
	/// One JSON object per figure on stdout; notes go to stderr
	#[arg(long)]
	json: bool,
	/// Few repetitions: shows that it works, and little more
	#[arg(long)]
	quick: bool,
	/// Randomx: only settings whose name holds this, more often, and nothing beside them. Incentives:
	/// only strategies whose name holds this, and no curves
	#[arg(long, value_name = "TEXT")]
	only: Option<String>,
	/// The reference `randomx-benchmark`; `scripts/bench` finds it in the build folder
	#[arg(long, value_name = "FILE", env = "TEQUIO_RANDOMX_BENCHMARK")]
	reference: Option<PathBuf>,
}

/// A group of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
	/// The RandomX engine beside the reference's own benchmark
	Randomx,
	/// Weights and block times of the runtime
	Chain,
	/// Memory of a node at rest and of a light worker
	Memory,
	/// Useful hashing over minutes of chunks, and blocks from submission to acceptance
	Loop,
	/// Results settled per second beside transfers per second, on a real node
	Throughput,
	/// What honest and cheating strategies earn on the real runtime, with curves
	Incentives,
	/// The machine learning engines beside plain loops of their libraries and, where it is installed,
	/// PyTorch
	Ml,
}

// One thread: the kernel stops the child processes when the thread that started them ends.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
	let args = Args::parse();
	let mut report = Report::new(args.json);
	machine::describe(&mut report);
	let outcome = tokio::select! {
		// First the work: what never waits is over before signals are listened for, and until then
		// they end this program as usual.
		biased;
		outcome = run(&args, &mut report) => outcome,
		signal = interrupted() => signal.and_then(|()| Err(anyhow!("interrupted"))),
	};
	match outcome {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("tequio-bench: {error:#}");
			ExitCode::FAILURE
		},
	}
}

async fn run(args: &Args, report: &mut Report) -> Result<()> {
	match args.name {
		Name::Randomx => match &args.only {
			Some(name) => randomx::only(report, args.reference.as_deref(), args.quick, name).await,
			None => randomx::run(report, args.reference.as_deref(), args.quick).await,
		},
		Name::Chain => chain::run(report, args.quick),
		Name::Memory => memory::run(report, args.quick).await,
		Name::Loop => end_to_end::run(report, args.quick).await,
		Name::Throughput => throughput::run(report, args.quick).await,
		Name::Incentives => incentives::run(report, args.quick, args.only.as_deref()),
		Name::Ml => ml::run(report, args.quick).await,
	}
}
