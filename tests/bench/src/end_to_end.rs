//! A worker on a chain: how much of its hashing reaches tasks, beside what it hashes alone, and how
//! many blocks a small task takes.

use crate::{
	blocks::Blocks,
	figure::{Figure, Report, Sense},
	frames, program,
	samples::{median, whole},
	search,
};
use anyhow::{ensure, Context, Result};
use pallet_tasks::Event;
use serde_json::Value;
use std::{
	ffi::OsString,
	path::Path,
	time::{Duration, Instant},
};
use tequio_harness::{
	accounts::Account,
	enrolment::Terms,
	network::{Network, NodePlan, Plan},
	process::binary,
	requests::{Request, TaskSpec},
	waiting::until,
};
use tequio_interface::wire::{FromWorker, ToWorker};
use tequio_primitives::{Balance, TaskId, WorkClass, TEQ};
use tequio_runtime::RuntimeEvent;
use tokio::net::UnixStream;

/// A chunk has a worker and two auditors, all of different owners; the fourth keeps the queue full.
const OWNERS: u32 = 4;
/// Enough for the collateral of all that an owner can have in hand.
const STAKE: Balance = 1_000 * TEQ;
/// Pay per hash.
const PRICE: Balance = TEQ / 1_000;
/// Hashes that an owner advertises per block: four of them share one thread in light mode.
const RATE: u32 = 32;
/// Nonces in a chunk: long enough that the work in hand covers the blocks that results take.
const CHUNK: u32 = 512;
/// Shares that a chunk expects.
const LAMBDA: u16 = 32;
/// Blocks for a chunk.
const DEADLINE: u32 = 512;
/// How the worker runs, on the chain and alone.
const WORKER: [&str; 4] = ["--mode", "light", "--threads", "1"];
/// Jobs that end before the clock starts, so that the queue is full by then.
const WARM_UP: u32 = 4;
/// For a job to end.
const JOB: Duration = Duration::from_secs(300);
/// Between two questions to the worker.
const PAUSE: Duration = Duration::from_millis(750);
/// Of useful hashing in hashing alone.
const USEFUL: f64 = 0.95;
/// Blocks from submission to acceptance.
const BLOCKS: f64 = 10.0;
/// Blocks after which a small task counts as lost.
const LOST: u32 = 100;

/// Measures both.
pub async fn run(report: &mut Report, quick: bool) -> Result<()> {
	let (seconds, tasks) = if quick { (120, 2) } else { (600, 5) };
	let worker_args = WORKER.map(OsString::from).to_vec();
	let node = NodePlan { worker_args, ..NodePlan::honest(OWNERS) };
	let mut network = Network::start(&Plan { nodes: vec![node], ..Plan::default() }).await?;
	let classes = vec![WorkClass::RandomXSearch];
	network.enroll(&Terms { classes, ask: 1, rate: RATE, stake: STAKE }).await?;
	let requester = Account::from_uri("//Requester")?;
	acceptance(report, &network, &requester, tasks).await?;

	let before = alone().await?;
	let window = Duration::from_secs(seconds);
	let useful = useful(report, &mut network, &requester, window, before).await?;
	for node in &mut network.nodes {
		node.worker.kill9()?;
	}
	let after = alone().await?;
	report.note(&format!("the worker alone: {before:.1} H/s before, {after:.1} H/s after"));
	report.figure(Figure {
		name: format!("loop/useful hashing over {seconds} s"),
		ours: useful,
		anchor: (before + after) / 2.0,
		unit: "H/s",
		goal: USEFUL,
		sense: Sense::Min,
	});
	Ok(())
}

/// What the worker's own measurement says.
async fn alone() -> Result<f64> {
	let flags = ["--sandbox", "available", "--seconds", "20", "--json"];
	let args = ["bench"].into_iter().chain(WORKER).chain(flags).map(OsString::from).collect();
	let finished = program::run(&binary("tequio-worker")?, &[], args, false).await?;
	let object = program::last_object(&finished.output)?;
	let rate = object.get("units_per_second").and_then(Value::as_f64);
	rate.with_context(|| format!("no rate in {object}"))
}

/// Hashes per second that the worker does for tasks, from the end of one job to that of another.
async fn useful(
	report: &mut Report,
	network: &mut Network,
	requester: &Account,
	window: Duration,
	rate: f64,
) -> Result<f64> {
	// Twice what it can do in that time, audits left out.
	let hashes = rate * (2.0 * window.as_secs_f64() + JOB.as_secs_f64());
	let spec = search::spec(whole(hashes / f64::from(CHUNK)), CHUNK, LAMBDA)?;
	let spec = TaskSpec::RandomXSearch(spec);
	let request = Request { spec, price: PRICE, deadline: DEADLINE, bonus: 0 };
	let task = network.submit_task(requester, request).await?;
	let node = network.nodes.first().context("a network without workers")?;
	let socket = node.socket.clone();

	let mut start = (units(&status(&socket).await?)?, Instant::now());
	for _ in 0..WARM_UP {
		start = more_units(network, &socket, start.0).await?;
	}
	let mut end = start;
	while end.1.duration_since(start.1) < window {
		end = more_units(network, &socket, end.0).await?;
	}
	let open = network.chain.task_summary(task).await?.chunks.open;
	ensure!(open > 0, "the task ran dry before the time was over");
	let seconds = status(&socket).await?.pointer("/classes/0/seconds").map(Value::to_string);
	report.note(&format!("the worker's seconds: {}", seconds.unwrap_or_default()));
	#[allow(clippy::cast_precision_loss)] // Nobody hashes 2⁵³ times.
	let done = (end.0 - start.0) as f64;
	Ok(done / end.1.duration_since(start.1).as_secs_f64())
}

/// Waits for a job to end: units of work done by then, and when that was.
async fn more_units(network: &mut Network, socket: &Path, known: u64) -> Result<(u64, Instant)> {
	until("the worker ends a job", JOB, async || {
		// A worker that is asked all the time has less for its work.
		tokio::time::sleep(PAUSE).await;
		network.expect_running()?;
		let units = units(&status(socket).await?)?;
		Ok((units > known).then(|| (units, Instant::now())))
	})
	.await
}

/// The worker's status, asked for as `tequio-worker status` does.
async fn status(socket: &Path) -> Result<Value> {
	let mut stream = UnixStream::connect(socket).await?;
	frames::write(&mut stream, &ToWorker::Status).await?;
	match frames::read(&mut stream).await? {
		FromWorker::Status(json) => Ok(serde_json::from_slice(&json)?),
		other => anyhow::bail!("the worker answers with {other:?}"),
	}
}

/// Units of work in all jobs that were done.
fn units(status: &Value) -> Result<u64> {
	let classes = status.get("classes").and_then(Value::as_array).context("no classes")?;
	let units = classes.iter().filter_map(|class| class.get("units").and_then(Value::as_u64));
	Ok(units.sum())
}

/// Blocks from the one that takes a task of one small chunk to the one that accepts its result.
async fn acceptance(
	report: &mut Report,
	network: &Network,
	requester: &Account,
	tasks: u32,
) -> Result<()> {
	let mut taken = Vec::new();
	for _ in 0..tasks {
		let mut blocks = Blocks::after_best(&network.chain).await?;
		let spec = TaskSpec::RandomXSearch(search::spec(1, 16, 16)?);
		let request = Request { spec, price: PRICE, deadline: DEADLINE, bonus: 0 };
		let task = network.submit_task(requester, request).await?;
		taken.push(f64::from(blocks_of(&mut blocks, task).await?));
	}
	report.note(&format!("blocks to acceptance of {tasks} tasks, one after the other: {taken:?}"));
	report.figure(Figure {
		name: "loop/from submit_task to acceptance".into(),
		ours: median(&taken).context("no task was submitted")?,
		anchor: BLOCKS,
		unit: "blocks",
		goal: 1.0,
		sense: Sense::Max,
	});
	Ok(())
}

async fn blocks_of(blocks: &mut Blocks<'_>, task: TaskId) -> Result<u32> {
	let mut submitted = None;
	loop {
		let block = blocks.next().await?;
		for event in block.events {
			match (event, submitted) {
				(RuntimeEvent::Tasks(Event::TaskSubmitted { task: id, .. }), _) if id == task => {
					submitted = Some(block.number);
				},
				(RuntimeEvent::Tasks(Event::ChunkAccepted { id, .. }), Some(first))
					if id.chunk.task == task =>
				{
					return Ok(block.number - first);
				},
				_ => {},
			}
		}
		let late = submitted.is_some_and(|first| block.number - first > LOST);
		ensure!(!late, "no result of task {task} is accepted after {LOST} blocks");
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use serde_json::json;

	#[test]
	fn units_of_all_classes_count() {
		let status = json!({ "classes": [{ "units": 7 }, { "units": 5 }, { "class": 1 }] });
		assert_eq!(units(&status).unwrap(), 12);
		assert!(units(&json!({})).is_err());
	}
}
