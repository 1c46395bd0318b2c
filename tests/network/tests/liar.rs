//! An engine that invents its results: its owner is slashed and ends poorer, and the requester gets
//! what it paid for.

use anyhow::Result;
use std::{fs, path::Path};
use tequio_harness::network::{NodePlan, Owner};
use tequio_network_tests::{alone, honest, Story};
use tequio_primitives::Balance;

/// More chunks than the honest devices take at a time, so that the liar gets some.
const CHUNKS: u32 = 12;

#[tokio::test]
async fn a_liar_is_slashed_and_the_requester_is_whole() -> Result<()> {
	let _turn = alone().await;
	let engines = tempfile::tempdir()?;
	let lying = Path::new(env!("CARGO_BIN_EXE_tequio-lying-engine"));
	fs::copy(lying, engines.path().join("tequio-engine-randomx"))?;
	let liars = NodePlan { owners: 1, engines: Some(engines.path().to_path_buf()) };
	let story = Story::begin(vec![liars, honest(2), honest(2)], CHUNKS).await?;
	let Some(liar) = story.network.nodes[0].owners.first() else { anyhow::bail!("nobody lies") };
	let before = wealth(&story, liar).await?;

	story.ends_well().await?;
	assert!(wealth(&story, liar).await? < before);
	let ledger = story.ledger().await?;
	assert!(ledger.compensation > 0, "the auditors were made whole");
	assert!(ledger.bounty > 0, "the proof was rewarded");
	let done = story.network.contribution(story.task, liar).await?;
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
