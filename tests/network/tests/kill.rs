//! `kill -9` in the middle of a chunk: the chunk is done all the same, and nobody's money is lost.

use anyhow::{Context, Result};
use serde_json::json;
use std::time::Duration;
use tequio_harness::{network::NodePlan, process::kill9, waiting::until};
use tequio_network_tests::story::{Search, Story, SHORT_DEADLINE};

/// Some seconds of work.
const SEARCH: Search = Search { chunks: 3, nonces: 64, deadline: SHORT_DEADLINE };
/// A few deadlines missed on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// One network for all, and the node that stays away at the end.
#[tokio::test]
async fn what_is_killed_in_the_middle_of_a_chunk_loses_nothing() -> Result<()> {
	let nodes = [2, 2, 1].map(NodePlan::honest).to_vec();
	// Whoever has missed two deadlines is not tried again.
	let rules = json!({ "workers": { "rules": { "suspension": 10_000 } } });
	let mut story = Story::begin(nodes, rules).await?;
	a_worker_process_is_killed_and_started_again(&mut story).await.context("worker process")?;
	an_engine_is_killed(&mut story).await.context("engine")?;
	a_node_is_killed_and_stays_away(&mut story).await.context("node")
}

async fn a_worker_process_is_killed_and_started_again(story: &mut Story) -> Result<()> {
	let order = story.order(SEARCH).await?;
	let busy = story.busy_node(0..3).await?;
	let worker = &mut story.network.nodes[busy].worker;
	worker.kill9()?;
	worker.restart()?;
	story.ends_well(&order, PATIENCE).await?;
	story.network.expect_running()
}

async fn an_engine_is_killed(story: &mut Story) -> Result<()> {
	let order = story.order(SEARCH).await?;
	let busy = story.busy_node(0..3).await?;
	let worker = &story.network.nodes[busy].worker;
	until("an engine runs and is killed", PATIENCE, async || {
		let engines = worker.descendants("tequio-engine-randomx")?;
		let Some(engine) = engines.first() else { return Ok(None) };
		Ok(kill9(*engine)?.then_some(()))
	})
	.await?;
	story.ends_well(&order, PATIENCE).await?;
	story.network.expect_running()
}

/// The node with one owner. The others cannot take every chunk at a time, so it gets one.
async fn a_node_is_killed_and_stays_away(story: &mut Story) -> Result<()> {
	let order = story.order(Search { chunks: 12, nonces: 32, ..SEARCH }).await?;
	let busy = story.busy_node(2..3).await?;
	story.network.nodes[busy].node.kill9()?;
	story.ends_well(&order, PATIENCE).await.map(drop)
}
