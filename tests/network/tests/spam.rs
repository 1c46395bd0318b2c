//! Blocks full of paying calls, and a device that feigns what would be free: results come in time
//! all the same, and nobody pays for the spam but the spammer.

use anyhow::{ensure, Context, Result};
use frame_support::dispatch::DispatchClass;
use serde_json::json;
use std::{ops::Range, time::Duration};
use tequio_harness::{network::NodePlan, waiting::until};
use tequio_network_tests::{
	chronicle::Chronicle,
	spammer::{Spammer, REMARK},
	story::{Search, Story},
};
use tequio_primitives::api::TaskStatus;
use tequio_runtime::configs::system::Length;

const SEARCH: Search = Search { chunks: 8, nonces: 32, deadline: 32 };
/// Blocks between two signals of a device that are free.
const SIGNAL_PERIOD: u32 = 5;
/// For a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

#[tokio::test]
async fn results_come_in_time_through_blocks_full_of_spam() -> Result<()> {
	let rules = json!({ "workers": { "rules": { "signal_period": SIGNAL_PERIOD } } });
	let nodes = [2, 2].map(NodePlan::honest).to_vec();
	let story = Story::begin(nodes, rules).await?;
	let chain = &story.network.chain;
	let mut chronicle = Chronicle::begin(chain).await?;
	let mut spammer = Spammer::enlist(&story.network).await?;
	let order = story.order(SEARCH).await?;
	let submitted = chain.number(chain.best().await?).await?;
	let finished = until("the task ends", PATIENCE, async || {
		chronicle.read_on(chain).await?;
		let summary = chain.task_summary(order.task).await?;
		Ok((summary.status == TaskStatus::Ended).then_some(()))
	});
	let finished = tokio::select! {
		finished = finished => finished,
		stopped = spammer.spam(order.task) => stopped.map(|never| match never {}),
	};
	finished.with_context(|| story.network.logs())?;

	story.ends_well(&order, PATIENCE).await?;
	chronicle.read_on(chain).await?;
	ensure!((chronicle.missed, chronicle.slashed) == (0, 0), "somebody was late: {chronicle:?}");
	// The first results are due two blocks after the submission at the earliest.
	let blocks = submitted.saturating_add(2)..chronicle.last_reveal;
	let full = full_blocks(&story, blocks.clone()).await?;
	let (tried, refused) = (spammer.tried, spammer.refused);
	println!("{full} of {} blocks were full; {refused} of {tried} calls refused", blocks.len());
	ensure!(full * 2 > blocks.len(), "only {full} of the blocks {blocks:?} were full");
	// Only its signals were free, and those no more often than anybody's.
	let device = chain.account(&spammer.owner.device.id()).await?;
	let signals = (chronicle.next - chronicle.first) / SIGNAL_PERIOD + 1;
	ensure!(device.nonce <= signals, "{} free calls; {signals} are possible", device.nonce);
	Ok(())
}

/// Blocks among these that had no room for another remark.
async fn full_blocks(story: &Story, blocks: Range<u32>) -> Result<usize> {
	let lengths = Length::get();
	let room = usize::try_from(*lengths.max.get(DispatchClass::Normal))?;
	let mut full = 0;
	for number in blocks {
		let chain = &story.network.chain;
		let block = chain.block(number).await?.context("a block that was there is gone")?;
		// Two digits are a byte.
		let digits: usize = chain.extrinsics(block).await?.iter().map(String::len).sum();
		full += usize::from(digits / 2 + REMARK > room);
	}
	Ok(full)
}
