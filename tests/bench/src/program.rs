//! A program that runs to its end and prints.

use crate::machine::Memory;
use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::{
	ffi::OsString,
	fs,
	path::Path,
	time::{Duration, Instant},
};
use tequio_harness::process::{log_tail, Launch, Process};

/// How often the end is looked for.
const LOOK: Duration = Duration::from_millis(50);
/// How often its memory is looked at. The kernel holds a process up while it counts.
const COUNT: Duration = Duration::from_secs(1);

/// What is left of a program that has ended well.
pub struct Finished {
	/// What it printed, to stdout and stderr.
	pub output: String,
	/// The most that lay on transparent huge pages, in bytes; zero if nobody looked.
	pub huge: u64,
}

/// Runs a program to its end. `environment` are settings such as `NAME=value`. It is killed when
/// the future is dropped.
pub async fn run(
	program: &Path,
	environment: &[&str],
	args: Vec<OsString>,
	watched: bool,
) -> Result<Finished> {
	let folder = tempfile::tempdir()?;
	let log = folder.path().join("log");
	let mut all: Vec<OsString> = environment.iter().map(OsString::from).collect();
	all.push(program.into());
	all.extend(args);
	let launch = Launch { program: "env".into(), args: all, log: log.clone() };
	let mut process = Process::start(launch)?;
	let (pid, mut huge, mut counted) = (process.pid()?.as_raw(), 0, Instant::now());
	let status = loop {
		if let Some(status) = process.exited()? {
			break status;
		}
		if watched && counted.elapsed() > COUNT {
			huge = huge.max(Memory::of(pid).huge);
			counted = Instant::now();
		}
		tokio::time::sleep(LOOK).await;
	};
	let name = program.display();
	ensure!(status.success(), "{name} ended with {status}:\n{}", log_tail(&log));
	let output = fs::read_to_string(&log).with_context(|| format!("what {name} printed"))?;
	Ok(Finished { output, huge })
}

/// The JSON object that a program printed last, on a line of its own.
pub fn last_object(output: &str) -> Result<Value> {
	let line = output.lines().rev().find(|line| line.starts_with('{'));
	Ok(serde_json::from_str(line.context("it printed no object")?)?)
}
