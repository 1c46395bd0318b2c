//! Random `kill -9` of engines, worker processes and nodes, as many as there are chunks: nothing is
//! lost but time.
//!
//! `TEQUIO_KILLS` and `TEQUIO_CHUNKS` set the size, `TEQUIO_SEED` the order of the kills.

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use std::{
	env,
	ffi::OsString,
	str::FromStr,
	time::{Duration, Instant},
};
use tequio_harness::{network::NodePlan, waiting::until};
use tequio_network_tests::{
	chronicle::{Chronicle, AUDITORS, MESSAGES},
	killer::Killer,
	story::{Order, Search, Story},
};
use tequio_primitives::api::TaskStatus;

/// The smallest chunk: each of its nonces is a share, and so each is paid.
const NONCES: u32 = 16;
/// Kills between two lines about the progress.
const TOLD: u32 = 50;

#[tokio::test]
async fn random_kills_cost_nothing_but_time() -> Result<()> {
	let kills: u32 = from_environment("TEQUIO_KILLS", 12)?;
	let chunks: u32 = from_environment("TEQUIO_CHUNKS", 12)?;
	let seed: u64 = from_environment("TEQUIO_SEED", rand::random())?;
	println!("TEQUIO_SEED={seed}");
	let start = Instant::now();

	let mut story = Story::begin(nodes(), genesis()).await?;
	let mut chronicle = Chronicle::begin(&story.network.chain).await?;
	let order = story.order(Search { chunks, nonces: NONCES, deadline: 128 }).await?;
	let mut killer = Killer::new(kills, seed);
	let patience = Duration::from_secs(900 + 8 * u64::from(kills.saturating_add(chunks)));
	until("the work is done between the kills", patience, async || {
		look(&mut story, &order, &mut chronicle, &mut killer).await
	})
	.await
	.with_context(|| {
		format!("TEQUIO_SEED={seed}\n{}\n{chronicle:?}\n{}", killer.done, story.network.logs())
	})?;

	let done = story.ends_well(&order, patience).await?;
	chronicle.read_on(&story.network.chain).await?;
	let units = u64::from(chunks) * u64::from(NONCES);
	ensure!((done.chunks, done.units) == (chunks, units), "work is lost: {done:?}");
	ensure!(done.audits == chunks * AUDITORS, "audits are lost: {done:?}");
	let ledger = story.ledger().await?;
	let slashed = (chronicle.slashed, ledger.compensation, ledger.bounty);
	ensure!(slashed == (0, 0, 0), "the honest were slashed: {ledger:?}, {chronicle:?}");
	ensure!(ledger.burned == chronicle.fines, "burned without a fine: {ledger:?}, {chronicle:?}");

	println!("{}, in {} s", killer.done, start.elapsed().as_secs());
	println!("{chunks} chunks paid, {units} units, {} audits; slashed: 0", done.audits);
	println!(
		"deadlines missed: {}, fines {} x 10^-12 TEQ; declined: {}; given out again: {}",
		chronicle.missed, chronicle.fines, chronicle.declined, chronicle.reopened
	);
	Ok(())
}

/// One look at the work, one kill at most. Something, once all is done.
async fn look(
	story: &mut Story,
	order: &Order,
	chronicle: &mut Chronicle,
	killer: &mut Killer,
) -> Result<Option<()>> {
	story.network.expect_running()?;
	chronicle.read_on(&story.network.chain).await?;
	let before = killer.done.all();
	killer.strike(&mut story.network, chronicle.messages(), order.chunks * MESSAGES)?;
	let kills = killer.done.all();
	let summary = story.network.chain.task_summary(order.task).await?;
	if kills > before && kills.is_multiple_of(TOLD) {
		println!("{kills} kills, {} of {} chunks paid", summary.chunks.paid, order.chunks);
	}
	Ok((killer.is_done() && summary.status == TaskStatus::Ended).then_some(()))
}

/// Three nodes, whose engines leave room for the rest of the network.
fn nodes() -> Vec<NodePlan> {
	let threads = ["--threads", "1"].map(OsString::from).to_vec();
	vec![NodePlan { worker_args: threads, ..NodePlan::honest(3) }; 3]
}

/// Rules under which a restart costs time and nobody's stake.
fn genesis() -> Value {
	json!({
		"tasks": { "rules": { "task_lifetime": 100_000 } },
		"verification": { "rules": { "reveal_period": 256 } },
	})
}

fn from_environment<N>(name: &str, default: N) -> Result<N>
where
	N: FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
	match env::var(name) {
		Ok(text) => text.parse::<N>().with_context(|| format!("{name}={text} is no number")),
		Err(_) => Ok(default),
	}
}
