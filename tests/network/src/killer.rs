//! Random kills of engines, worker processes and nodes, which are started again at once. The
//! validator's node is left alone.

use anyhow::{Context, Result};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use std::fmt;
use tequio_harness::{
	network::Network,
	process::{kill9, Process},
};

/// The process that computes.
const ENGINE: &str = "tequio-engine-randomx";
/// The worker process, and what confines an engine for it and stays as the engine's parent.
const WORKER: &str = "tequio-worker";

/// Kills as much as it is told, spread over the progress of the work: when the work comes to a
/// standstill, so do the kills.
pub struct Killer {
	random: StdRng,
	planned: u32,
	/// What it has killed.
	pub done: Kills,
}

/// Numbers of processes killed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kills {
	/// Engines.
	pub engines: u32,
	/// Processes between a worker process and its engine.
	pub launchers: u32,
	/// Worker processes.
	pub workers: u32,
	/// Nodes.
	pub nodes: u32,
}

enum Victim {
	Engine,
	Launcher,
	Worker,
	Node,
}

impl Killer {
	/// `planned` kills, the same for the same seed.
	pub fn new(planned: u32, seed: u64) -> Self {
		Self { random: StdRng::seed_from_u64(seed), planned, done: Kills::default() }
	}

	/// Whether it has killed all that it was told.
	pub fn is_done(&self) -> bool {
		self.done.all() >= self.planned
	}

	/// Kills one process if that is due when `progress` of `goal` steps of the work are done.
	///
	/// The last kill is due a fifth before the end. Where there is no process of the kind drawn, an
	/// engine that is not started yet, the next call draws again.
	pub fn strike(&mut self, network: &mut Network, progress: u32, goal: u32) -> Result<()> {
		if self.done.all() >= self.due(progress, goal) {
			return Ok(());
		}
		let node = network.nodes.choose_mut(&mut self.random);
		let node = node.context("a network without worker nodes")?;
		match self.draw() {
			Victim::Engine => self.done.engines += self.one_of(&node.worker, ENGINE)?,
			Victim::Launcher => self.done.launchers += self.one_of(&node.worker, WORKER)?,
			Victim::Worker => {
				again(&mut node.worker)?;
				self.done.workers += 1;
			},
			Victim::Node => {
				again(&mut node.node)?;
				self.done.nodes += 1;
			},
		}
		Ok(())
	}

	fn due(&self, progress: u32, goal: u32) -> u32 {
		let due = u64::from(self.planned) * u64::from(progress) * 5 / (u64::from(goal.max(1)) * 4);
		u32::try_from(due).unwrap_or(u32::MAX).min(self.planned)
	}

	/// Nodes more rarely than the rest: they take longest to come back.
	fn draw(&mut self) -> Victim {
		match self.random.gen_range(0..10) {
			0..=2 => Victim::Engine,
			3 => Victim::Launcher,
			4..=7 => Victim::Worker,
			_ => Victim::Node,
		}
	}

	/// Kills one of the processes of this name that a worker process has started; how many that
	/// were.
	fn one_of(&mut self, worker: &Process, name: &str) -> Result<u32> {
		let found = worker.descendants(name)?;
		let killed = found.choose(&mut self.random).map_or(Ok(false), |pid| kill9(*pid))?;
		Ok(u32::from(killed))
	}
}

fn again(process: &mut Process) -> Result<()> {
	process.kill9()?;
	process.restart()
}

impl Kills {
	/// All together.
	pub fn all(&self) -> u32 {
		self.engines + self.launchers + self.workers + self.nodes
	}
}

impl fmt::Display for Kills {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let Self { engines, launchers, workers, nodes } = self;
		write!(
			f,
			"{} kills: {engines} engines, {launchers} launchers, {workers} worker processes, {nodes} nodes",
			self.all()
		)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn kills_follow_the_progress_and_end_before_it() {
		let killer = Killer::new(1_000, 0);
		assert_eq!(killer.due(0, 6_000), 0);
		assert_eq!(killer.due(2_400, 6_000), 500);
		assert_eq!(killer.due(4_800, 6_000), 1_000);
		assert_eq!(killer.due(6_000, 6_000), 1_000);
	}
}
