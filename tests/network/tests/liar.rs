//! An engine that invents its results: its owner is slashed and ends poorer, and the requester gets
//! what it paid for.

use anyhow::{Context, Result};
use serde_json::json;
use std::{fs, path::Path, time::Duration};
use tequio_harness::network::{NodePlan, Owner};
use tequio_network_tests::story::{Search, Story, SHORT_DEADLINE};
use tequio_primitives::Balance;

/// More chunks than the honest devices take at a time, so that the liar gets some. Not every nonce
/// is a share, or there would be nothing to invent.
const SEARCH: Search = Search { chunks: 12, nonces: 32, deadline: SHORT_DEADLINE };
/// A few deadlines missed on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

#[tokio::test]
async fn a_liar_is_slashed_and_the_requester_is_whole() -> Result<()> {
	let engines = tempfile::tempdir()?;
	let lying = Path::new(env!("CARGO_BIN_EXE_tequio-lying-engine"));
	fs::copy(lying, engines.path().join("tequio-engine-randomx"))?;
	let liars = NodePlan { engines: Some(engines.path().to_path_buf()), ..NodePlan::honest(1) };
	let nodes = vec![liars, NodePlan::honest(2), NodePlan::honest(2)];
	let story = Story::begin(nodes, json!({})).await?;
	let liar = story.network.nodes[0].owners.first().context("nobody lies")?;
	let before = wealth(&story, liar).await?;

	let order = story.order(SEARCH).await?;
	story.ends_well(&order, PATIENCE).await?;
	assert!(wealth(&story, liar).await? < before);
	let ledger = story.ledger().await?;
	assert!(ledger.compensation > 0, "the auditors were made whole");
	assert!(ledger.bounty > 0, "the proof was rewarded");
	let done = story.network.contribution(order.task, liar).await?;
	assert_eq!(done.paid, 0, "no invented chunk was paid");

	let left = stake(&story, liar).await?;
	for owner in story.network.nodes[1..].iter().flat_map(|node| &node.owners) {
		assert!(stake(&story, owner).await? > left, "{} was slashed", owner.account.name());
	}
	Ok(())
}

async fn stake(story: &Story, owner: &Owner) -> Result<Balance> {
	Ok(story.network.worker(owner).await?.map(|worker| worker.stake).unwrap_or_default())
}

/// All that an owner has, staked or not.
async fn wealth(story: &Story, owner: &Owner) -> Result<Balance> {
	let balance = story.network.chain.balance(&owner.account.id()).await?;
	Ok(balance.free + balance.reserved)
}
