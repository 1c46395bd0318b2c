//! The kernel's pool of huge pages, filled for a while.

use crate::machine::{self, bytes, MIB};
use anyhow::{ensure, Context, Result};
use std::fs;

const POOL: &str = "/proc/sys/vm/nr_hugepages";
/// A cache, a dataset, scratchpads, and some to spare.
const NEEDED: u64 = 2_500 * MIB;
/// What the rest of the machine keeps.
const KEPT: u64 = 1_024 * MIB;

/// Holds a pool that is large enough for a dataset. The pool is what it was before when this is
/// dropped.
pub struct Pool {
	before: u64,
	changed: bool,
}

impl Pool {
	/// Fills the pool. Needs root, and enough free memory in pieces of a huge page.
	pub fn fill() -> Result<Self> {
		let memory = fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
		let size = bytes(&memory, "Hugepagesize").context("the kernel has no huge pages")?;
		let before = pages(POOL)?;
		let missing = NEEDED.div_ceil(size).saturating_sub(free_pages()?);
		if missing == 0 {
			return Ok(Self { before, changed: false });
		}
		ensure!(
			machine::available() > missing * size + KEPT,
			"too little memory is free to lay {NEEDED} bytes aside"
		);
		let pool = Self { before, changed: true };
		fs::write(POOL, (before + missing).to_string())
			.with_context(|| format!("writing {POOL}, which takes root"))?;
		let got = free_pages()?;
		ensure!(got * size >= NEEDED, "the kernel gave {got} huge pages: memory is in pieces");
		Ok(pool)
	}
}

impl Drop for Pool {
	fn drop(&mut self) {
		if self.changed {
			if let Err(error) = fs::write(POOL, self.before.to_string()) {
				eprintln!("{POOL} could not be set back to {}: {error}", self.before);
			}
		}
	}
}

fn pages(path: &str) -> Result<u64> {
	let text = fs::read_to_string(path).with_context(|| format!("reading {path}"))?;
	text.trim().parse().with_context(|| format!("{path} holds no number"))
}

fn free_pages() -> Result<u64> {
	let memory = fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
	let line = memory.lines().find_map(|line| line.strip_prefix("HugePages_Free:"));
	line.context("the kernel has no huge pages")?.trim().parse().context("a number of pages")
}
