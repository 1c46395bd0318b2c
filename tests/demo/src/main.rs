//! # The demo
//!
//! A chain that pays for work, in one command: a validator and worker nodes start on this machine;
//! owners stake and let their device keys work; a requester locks money. By default that is for the
//! search of a nonce range of a Monero block that was really mined: the network finds the nonce,
//! audits its own work, pays for it and returns the rest. With `--ml` the network trains a model on
//! digits written by hand, round by round, and does the same.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`args`] | flags, and the search they describe |
//! | [`search`] | the search |
//! | [`learning`] | the training |
//! | [`progress`] | what is said while it runs |
//! | [`winner`] | the nonce found, hashed once more |
//! | [`sheet`] | the balance sheet |

mod args;
mod learning;
mod progress;
mod search;
mod sheet;
mod winner;

use crate::args::Args;
use anyhow::{anyhow, Result};
use clap::Parser;
use std::process::ExitCode;
use tequio_harness::interrupted;
use tokio::runtime::Builder;

fn main() -> ExitCode {
	let args = Args::parse();
	match run_until_interrupted(&args) {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("tequio-demo: {error:#}");
			ExitCode::FAILURE
		},
	}
}

fn run_until_interrupted(args: &Args) -> Result<()> {
	// One thread: the kernel stops the child processes when the thread that started them ends.
	let runtime = Builder::new_current_thread().enable_all().build()?;
	let outcome = runtime.block_on(async {
		tokio::select! {
			outcome = run(args) => outcome,
			signal = interrupted() => signal.and_then(|()| Err(anyhow!("interrupted"))),
		}
	});
	// A comparison that is under way ends with the process; nobody waits for it.
	runtime.shutdown_background();
	outcome
}

async fn run(args: &Args) -> Result<()> {
	if args.ml {
		learning::run(args).await
	} else {
		search::run(args).await
	}
}
