//! Memory: of a node at rest, and of a light worker with its engine at work.

use crate::{
	figure::{Figure, Report, Sense},
	machine::{Memory, MIB},
	search::payload,
};
use anyhow::{ensure, Result};
use std::{
	ffi::OsString,
	path::Path,
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tequio_harness::{
	network::{Network, Plan},
	process::{binary, log_tail, Launch, Process},
};
use tequio_interface::{
	host::ComputeService,
	job::{Job, JobKey, JobState},
	link::WorkerLink,
	randomx::CLASS,
};

/// What a node at rest may have, in bytes.
const NODE: u64 = 400_000_000;
/// What a light worker may have besides cache and threads, in bytes.
const WORKER: u64 = 50_000_000;
/// What a light engine may have for each thread, in bytes.
const THREAD: u64 = 3 * MIB;
/// What a cache has, in bytes.
const CACHE: u64 = 256 * MIB;
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// For a worker to begin with a job: it measures itself first.
const BEGIN: Duration = Duration::from_secs(300);

/// Measures node and worker.
pub async fn run(report: &mut Report, quick: bool) -> Result<()> {
	node(report, if quick { 10 } else { 30 }).await?;
	for threads in [1, 2] {
		worker(report, threads, if quick { 5 } else { 30 }).await?;
	}
	Ok(())
}

/// A validator of the development chain that nobody talks to.
async fn node(report: &mut Report, seconds: u64) -> Result<()> {
	let mut network = Network::start(&Plan::default()).await?;
	tokio::time::sleep(Duration::from_secs(seconds)).await;
	network.expect_running()?;
	let memory = Memory::of_family(network.validator().pid()?.as_raw())?;
	report.note(&format!(
		"node after {seconds} s: {:.1} MB with every page it shares counted as a part",
		megabytes(memory.proportional)
	));
	report.figure(figure("memory/node at rest, resident", memory.resident, NODE));
	Ok(())
}

/// The most that a light worker and its engine have while they compute.
async fn worker(report: &mut Report, threads: u32, seconds: u64) -> Result<()> {
	let folder = TempDir::with_prefix("tequio-")?;
	let mut process = Process::start(launch(folder.path(), threads)?)?;
	let link = WorkerLink::start(folder.path().join("socket"), [1; 32], || ())?;
	let job = endless_job();
	link.submit(job.clone());
	let (start, mut begun, mut most) = (Instant::now(), None, Memory::default());
	loop {
		process.expect_running()?;
		let state = link.poll(&job.key);
		if begun.is_none() && state == Some(JobState::Running) {
			begun = Some(Instant::now());
		}
		let memory = Memory::of_family(process.pid()?.as_raw())?;
		if memory.proportional > most.proportional {
			most = memory;
		}
		match begun {
			Some(begun) if begun.elapsed() > Duration::from_secs(seconds) => break,
			None => ensure!(
				start.elapsed() < BEGIN,
				"the worker does not begin, the job is {state:?}:\n{}",
				log_tail(process.log())
			),
			Some(_) => {},
		}
		tokio::time::sleep(LOOK).await;
	}
	ensure!(
		link.poll(&job.key) == Some(JobState::Running),
		"the worker stopped computing:\n{}",
		log_tail(process.log())
	);
	let name = format!("memory/light worker, {threads} threads");
	report.figure(figure(&name, most.proportional, allowance(threads)));
	Ok(())
}

fn allowance(threads: u32) -> u64 {
	CACHE + THREAD * u64::from(threads) + WORKER
}

fn launch(folder: &Path, threads: u32) -> Result<Launch> {
	let paths = [("--socket", "socket"), ("--base-path", "worker")];
	let mut args: Vec<OsString> = paths
		.iter()
		.flat_map(|(flag, name)| [flag.into(), folder.join(name).into_os_string()])
		.collect();
	let threads = threads.to_string();
	let flags = ["--mode", "light", "--threads", &threads, "--sandbox", "available"];
	args.extend(flags.map(OsString::from));
	Ok(Launch { program: binary("tequio-worker")?, args, log: folder.join("worker.log") })
}

/// Hours of hashing without a share.
fn endless_job() -> Job {
	let key = JobKey {
		genesis: [1; 32],
		device: [2; 32],
		task: 0,
		chunk: 0,
		attempt: 0,
		role: 0,
		order: [0; 32],
	};
	Job { key, class: CLASS, payload: payload(1, 1_000_000) }
}

/// Bytes beside what is allowed of them.
pub fn figure(name: &str, bytes: u64, allowance: u64) -> Figure {
	Figure {
		name: name.into(),
		ours: megabytes(bytes),
		anchor: megabytes(allowance),
		unit: "MB",
		goal: 1.0,
		sense: Sense::Max,
	}
}

#[allow(clippy::cast_precision_loss)] // Nobody has 2⁵³ bytes of memory.
fn megabytes(bytes: u64) -> f64 {
	bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_thread_may_have_three_mebibytes() {
		assert_eq!(allowance(1), 268_435_456 + 3_145_728 + 50_000_000);
		assert_eq!(allowance(2) - allowance(1), 3_145_728);
	}
}
