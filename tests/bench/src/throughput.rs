//! Results settled per second beside transfers per second, on one node of the development chain and
//! in one run.
//!
//! Nobody computes RandomX here: one program answers for every device, with openings that agree
//! with each other, which is all that the chain can see. So what is measured is the chain alone.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`fleet`] | devices that answer whatever they are asked, at once |
//! | [`transfers`] | transfers, as many as the node takes |

mod fleet;
mod transfers;

use crate::{
	blocks::{Block, Blocks},
	figure::{Figure, Report, Sense},
	samples::{abba, median, Side},
};
use anyhow::{anyhow, Context, Result};
use fleet::Fleet;
use futures::future::try_join_all;
use std::time::Duration;
use tequio_harness::{
	chain::Chain,
	network::{Network, Plan},
};
use tequio_runtime::RuntimeEvent;
use transfers::Transfers;

/// Transactions on their way to the node at a time.
const AT_ONCE: usize = 128;
/// Times that a transaction is offered to a node that does not take it.
const OFFERS: u32 = 5;
/// Blocks before the clock starts, so that work is in every stage by then.
const WARM_UP: u32 = 10;

/// What happened in some time of the chain.
struct Count {
	events: u32,
	blocks: u32,
	/// Seconds, by the clock of the blocks.
	seconds: f64,
}

impl Count {
	fn rate(&self) -> f64 {
		f64::from(self.events) / self.seconds
	}
}

/// Measures both in turn.
pub async fn run(report: &mut Report, quick: bool) -> Result<()> {
	let (seconds, pairs) = if quick { (20, 1) } else { (60, 2) };
	let network = Network::start(&Plan::default()).await?;
	let transfers = Transfers::fund(&network).await?;
	let mut fleet = Fleet::enroll(&network).await?;
	report.note(&fleet::about());

	let (mut settled, mut moved) = (Vec::new(), Vec::new());
	for side in abba(pairs) {
		let (count, what) = match side {
			Side::Ours => (fleet.work(seconds).await?, "results settled"),
			Side::Anchor => (transfers.send(seconds).await?, "transfers"),
		};
		let Count { events, blocks, seconds } = &count;
		report.note(&format!("{events} {what} in {blocks} blocks of {seconds:.0} s together"));
		match side {
			Side::Ours => settled.push(count.rate()),
			Side::Anchor => moved.push(count.rate()),
		}
	}
	report.note(&fleet.tally());
	report.figure(Figure {
		name: "throughput/results settled beside transfers".into(),
		ours: median(&settled).context("nothing was settled")?,
		anchor: median(&moved).context("nothing was moved")?,
		unit: "1/s",
		goal: 0.0,
		sense: Sense::Min,
	});
	Ok(())
}

/// Counts events over at least so many seconds of blocks, after a warm-up, and gives each block to
/// `answer`.
async fn count(
	blocks: &mut Blocks<'_>,
	seconds: u32,
	counted: impl Fn(&RuntimeEvent) -> bool,
	mut answer: impl AsyncFnMut(&Block) -> Result<()>,
) -> Result<Count> {
	for _ in 0..WARM_UP {
		answer(&blocks.next().await?).await?;
	}
	let first = blocks.next().await?;
	answer(&first).await?;
	let (mut events, mut number) = (0u32, 0u32);
	loop {
		let block = blocks.next().await?;
		answer(&block).await?;
		events += u32::try_from(block.events.iter().filter(|event| counted(event)).count())?;
		number += 1;
		let time = Duration::from_millis(block.time.saturating_sub(first.time)).as_secs_f64();
		if time >= f64::from(seconds) {
			return Ok(Count { events, blocks: number, seconds: time });
		}
	}
}

/// Hands transactions to the node. Fails where it still refuses one after some seconds.
async fn hand_in(chain: &Chain, extrinsics: &[String]) -> Result<()> {
	for some in extrinsics.chunks(AT_ONCE) {
		try_join_all(some.iter().map(|extrinsic| offer(chain, extrinsic))).await?;
	}
	Ok(())
}

async fn offer(chain: &Chain, extrinsic: &str) -> Result<()> {
	for _ in 1..OFFERS {
		if chain.hand_in(extrinsic).await?.is_ok() {
			return Ok(());
		}
		tokio::time::sleep(Duration::from_secs(1)).await;
	}
	chain.hand_in(extrinsic).await?.map_err(|refusal| anyhow!(refusal))
}
