//! Arguments.

use crate::device::DeviceCmd;
use std::path::PathBuf;

/// Arguments of `tequio-node`. Without a subcommand it runs a node.
#[derive(Debug, clap::Parser)]
pub struct Cli {
	/// What to do instead of running a node.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// How to run the node.
	#[command(flatten)]
	pub run: sc_cli::RunCmd,

	/// Unix socket of a `tequio-worker` process that computes for the device keys in this node's
	/// keystore.
	///
	/// This option alone decides whether the off-chain worker runs: with it always, without it
	/// never. `--offchain-worker` has no effect. The node waits for the process, and connects again
	/// when it was restarted.
	#[arg(long, value_name = "PATH")]
	pub worker_socket: Option<PathBuf>,
}

/// What `tequio-node` does besides running a node.
#[derive(Debug, clap::Subcommand)]
// Parsed once per process.
#[allow(clippy::large_enum_variant)]
pub enum Subcommand {
	/// Make, read and store keys.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Make device keys and prove that they are yours.
	#[command(subcommand)]
	Device(DeviceCmd),

	/// Print a chain specification: `--chain dev`, or `--chain FILE`.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Remove the chain's data; keys stay.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Print best and finalised block of the database as JSON.
	ChainInfo(sc_cli::ChainInfoCmd),
}

#[cfg(test)]
mod tests {
	use super::Cli;
	use clap::CommandFactory;

	#[test]
	fn arguments_are_consistent() {
		Cli::command().debug_assert();
	}
}
