//! # Tequio node
//!
//! Takes part in the chain: BABE writes blocks, GRANDPA finalises them, JSON-RPC serves wallets. It
//! knows nothing of tasks and computes none of them: with `--worker-socket` it runs the runtime's
//! off-chain worker and passes that worker's jobs to a `tequio-worker` process.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`cli`], [`command`] | arguments, and which code each subcommand runs |
//! | [`chain_spec`] | the development chain, chain specification files, genesis hashes |
//! | [`device`] | device keys and the proof that registers them |
//! | [`service`] | a running node, from its parts |
//! | [`partial`] | client, database, keystore, transaction pool |
//! | [`consensus`] | import of blocks, BABE, GRANDPA |
//! | [`network`] | what the peer-to-peer network is started with |
//! | [`offchain`] | the off-chain worker and its link to the worker process |
//! | [`rpc`] | JSON-RPC beyond what every Substrate node serves |
//!
//! ## Flow
//! ```text
//! partial ──▶ network ──▶ off-chain worker (only with --worker-socket)
//!                    └──▶ RPC, metrics, telemetry ──▶ BABE (validators) ──▶ GRANDPA
//! ```

// The errors of the SDK are large; here each occurs once, on the way out of the process.
#![allow(clippy::result_large_err)]

mod chain_spec;
mod cli;
mod command;
mod consensus;
mod device;
mod network;
mod offchain;
mod partial;
mod rpc;
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
	match command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {error}");
			ExitCode::FAILURE
		},
	}
}
