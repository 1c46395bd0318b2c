//! `kill -9` in the middle of a chunk: the chunk is done all the same, and nobody's money is lost.

use anyhow::Result;
use std::{future::ready, time::Duration};
use tequio_harness::process::kill9;
use tequio_network_tests::{alone, honest, Story};

const CHUNKS: u32 = 6;

async fn begin() -> Result<Story> {
	Story::begin(vec![honest(2); 3], CHUNKS).await
}

#[tokio::test]
async fn a_worker_process_is_killed_and_started_again() -> Result<()> {
	let _turn = alone().await;
	let mut story = begin().await?;
	let busy = story.busy_node().await?;
	let worker = &mut story.network.nodes[busy].worker;
	worker.kill9()?;
	tokio::time::sleep(Duration::from_secs(2)).await;
	worker.restart()?;
	story.ends_well().await
}

#[tokio::test]
async fn a_node_is_killed_and_stays_away() -> Result<()> {
	let _turn = alone().await;
	let mut story = begin().await?;
	let busy = story.busy_node().await?;
	story.network.nodes[busy].node.kill9()?;
	story.ends_well().await
}

#[tokio::test]
async fn an_engine_is_killed() -> Result<()> {
	let _turn = alone().await;
	let mut story = begin().await?;
	let busy = story.busy_node().await?;
	let worker = &story.network.nodes[busy].worker;
	let engines = || worker.descendants("tequio-engine-randomx");
	let look = || ready(engines().map(|found| found.first().copied()));
	let engine =
		story.network.chain.wait_for("an engine runs", Duration::from_secs(30), look).await?;
	kill9(engine)?;
	story.ends_well().await?;
	story.network.expect_running()
}
