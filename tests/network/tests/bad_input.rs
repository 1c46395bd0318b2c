//! Nodes and worker processes that cannot work say why, and what to do.

use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::{fs, path::Path, process::Command, time::Duration};
use tequio_harness::{
	network::{Network, NodePlan, Plan},
	process::binary,
};

/// For something to appear in a log.
const SAID: Duration = Duration::from_secs(180);

/// One network for all: a node that works for an owner, and one that works for nobody.
#[tokio::test]
async fn what_is_missing_or_wrong_is_said() -> Result<()> {
	let nodes = [1, 0].map(NodePlan::honest).to_vec();
	let mut network = Network::start(&Plan { nodes, ..Plan::default() }).await?;
	a_node_without_a_device_key_says_so(&network).await?;
	a_node_without_its_worker_process_says_so_and_goes_on(&mut network).await?;
	a_worker_process_refuses_a_node_on_another_chain(&mut network).await?;
	network.expect_running()
}

async fn a_node_without_a_device_key_says_so(network: &Network) -> Result<()> {
	network.nodes[1].node.says("no device key", SAID).await
}

async fn a_node_without_its_worker_process_says_so_and_goes_on(
	network: &mut Network,
) -> Result<()> {
	let served = &mut network.nodes[0];
	served.node.says("worker connected", SAID).await?;
	served.node.clear_log()?;
	served.worker.kill9()?;
	served.node.says("Start tequio-worker with this socket", SAID).await?;
	served.worker.restart()?;
	served.node.says("worker connected", SAID).await
}

async fn a_worker_process_refuses_a_node_on_another_chain(network: &mut Network) -> Result<()> {
	let other = network.folder().join("other.json");
	let base = network.folder().join("other");
	write_other_chain(&other)?;
	let node = &mut network.nodes[0].node;
	node.kill9()?;
	node.restart_with(|args| {
		for (flag, value) in [("--chain", &other), ("--base-path", &base)] {
			let place = args.iter().position(|arg| arg == flag);
			if let Some(value_of) = place.and_then(|place| args.get_mut(place + 1)) {
				*value_of = value.into();
			}
		}
	})?;
	node.says("the worker's journal belongs to another chain", SAID).await?;
	node.says("give the worker another --base-path or the node another --chain", SAID).await
}

#[test]
fn an_unknown_chain_is_refused() -> Result<()> {
	let output = Command::new(binary("tequio-node")?).args(["--chain", "nowhere"]).output()?;
	assert!(!output.status.success());
	let said = String::from_utf8_lossy(&output.stderr);
	ensure!(said.contains("give --chain dev, or the path"), "it said: {said}");
	Ok(())
}

/// The development chain with one more value in its genesis, and so with another hash.
fn write_other_chain(path: &Path) -> Result<()> {
	let output = Command::new(binary("tequio-node")?)
		.args(["export-chain-spec", "--chain", "dev", "--raw"])
		.output()?;
	ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	let mut specification: Value = serde_json::from_slice(&output.stdout)?;
	let top = specification.pointer_mut("/genesis/raw/top").and_then(Value::as_object_mut);
	top.context("a specification without a genesis")?.insert("0x6f74686572".into(), "0x00".into());
	Ok(fs::write(path, serde_json::to_vec(&specification)?)?)
}
