//! Follows a training until it has ended, and tells each round.

use crate::{
	progress::Progress,
	sheet::{Row, Sheet},
};
use anyhow::{ensure, Result};
use pallet_training::{Event, StopReason};
use sp_core::H256;
use std::time::Duration;
use tequio_harness::{
	network::Network,
	trainings::{Diary, Ended},
};
use tequio_primitives::{api::TaskStatus, training::Counts, TaskId};
use tequio_runtime::Runtime;

/// How often the chain is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Seconds that a round may take, and those that there are besides. A minute or two are usual.
const ROUND: u64 = 900;
const BESIDES: u64 = 1_800;
/// Units of a loss of one.
const LOSS_UNITS: f64 = (1_u32 << 20) as f64;

/// A round, as far as it was told.
#[derive(Clone, Debug)]
pub struct Round {
	/// The task of training.
	task: TaskId,
	/// Who trained, and how many shards.
	trained: Option<String>,
	/// Seconds from the demo's start to its own.
	began: u64,
	/// Seconds that it took.
	seconds: Option<u64>,
	/// Whether all of it was told.
	told: bool,
	/// The state that it gave.
	pub state: Option<H256>,
	/// What the evaluation of that state counted.
	pub counts: Option<Counts>,
}

/// All that a training tells.
#[derive(Debug)]
pub struct Watched {
	/// How it ended.
	pub ended: Ended,
	/// Its rounds.
	pub rounds: Vec<Round>,
	/// Where the money went.
	pub sheet: Sheet,
}

/// Somebody who follows a training.
#[derive(Debug)]
pub struct Watch {
	diary: Diary,
	/// Rounds that there are to be.
	planned: u32,
	rounds: Vec<Round>,
	/// Tasks whose books were not read yet.
	open: Vec<TaskId>,
	sheet: Sheet,
	ended: Option<Ended>,
}

impl Watch {
	/// Follows from the beginning.
	pub fn new(diary: Diary, planned: u32) -> Self {
		let sheet = Sheet::default();
		Self { diary, planned, rounds: Vec::new(), open: Vec::new(), sheet, ended: None }
	}

	/// Tells the progress of the training until it has ended and all of its books are read.
	pub async fn until_end(
		mut self,
		network: &mut Network,
		progress: &mut Progress,
	) -> Result<Watched> {
		let rounds = u64::from(self.planned).saturating_mul(ROUND);
		let patience = progress.seconds().saturating_add(rounds).saturating_add(BESIDES);
		loop {
			let events = self.diary.read_on(&network.chain).await?;
			for event in &events {
				self.note(event, progress);
			}
			self.read_books(network).await?;
			self.tell(progress);
			if let Some(ended) = self.ended.filter(|_| self.open.is_empty()) {
				return Ok(Watched { ended, rounds: self.rounds, sheet: self.sheet });
			}
			network.expect_running()?;
			ensure!(
				progress.seconds() < patience,
				"the training has not ended after {patience} s; --keep shows the logs"
			);
			tokio::time::sleep(LOOK).await;
		}
	}

	fn note(&mut self, event: &Event<Runtime>, progress: &mut Progress) {
		let now = progress.seconds();
		match event {
			Event::RoundBegan { task, .. } => {
				self.open.push(*task);
				self.rounds.push(Round::new(*task, now));
			},
			Event::RoundTrained { task, round, kept, .. } => {
				self.open.push(*task);
				progress.note(&format!("round {}: {kept} shards are trained", round + 1));
			},
			Event::EvaluationBegan { task, .. } => self.open.push(*task),
			Event::RoundAggregated { round, state, .. } => {
				if let Some(round) = self.round(*round) {
					round.state = Some(*state);
					round.seconds = Some(now.saturating_sub(round.began));
				}
			},
			Event::RoundEvaluated { round, counts, .. } => {
				if let Some(round) = self.round(*round) {
					round.counts = Some(*counts);
				}
			},
			Event::EvaluationFailed { round, .. } => {
				progress.note(&format!("round {}: the evaluation came to nothing", round + 1));
			},
			Event::TrainingClosing { reason, .. } if *reason != StopReason::Rounds => {
				progress.note(&format!("the training stops: {reason:?}"));
			},
			other => self.ended = self.ended.or(Ended::told(other)),
		}
	}

	fn round(&mut self, round: u32) -> Option<&mut Round> {
		usize::try_from(round).ok().and_then(|round| self.rounds.get_mut(round))
	}

	/// Reads the books of tasks that have ended.
	async fn read_books(&mut self, network: &Network) -> Result<()> {
		let mut left = Vec::new();
		for task in std::mem::take(&mut self.open) {
			if network.chain.task_summary(task).await?.status != TaskStatus::Ended {
				left.push(task);
				continue;
			}
			let rows = self.sheet.add(network, task).await?;
			if let Some(round) = self.rounds.iter_mut().find(|round| round.task == task) {
				round.trained = Some(trained(&rows));
			}
		}
		self.open = left;
		Ok(())
	}

	/// Tells the rounds of which all is known and nothing was told.
	fn tell(&mut self, progress: &mut Progress) {
		for (number, round) in (1_u32..).zip(&mut self.rounds) {
			if let Some(text) = round.line().filter(|_| !round.told) {
				progress.note(&format!("round {number} of {}: {text}", self.planned));
				round.told = true;
			}
		}
	}
}

impl Round {
	fn new(task: TaskId, began: u64) -> Self {
		let (trained, seconds, state, counts) = (None, None, None, None);
		Self { task, trained, began, seconds, told: false, state, counts }
	}

	/// All of it in a line, once that is known.
	fn line(&self) -> Option<String> {
		let (counts, seconds, trained) = (self.counts?, self.seconds?, self.trained.as_ref()?);
		let Counts { right, rows, .. } = counts;
		Some(format!(
			"loss {:.4}, accuracy {:.4} ({right} of {rows}), {seconds} s, trained by {trained}",
			loss(&counts),
			accuracy(&counts)
		))
	}
}

/// The part of the rows that was labelled right.
pub fn accuracy(counts: &Counts) -> f64 {
	counts.right as f64 / counts.rows.max(1) as f64
}

/// The mean loss of a row, in nats.
fn loss(counts: &Counts) -> f64 {
	counts.loss as f64 / LOSS_UNITS / counts.rows.max(1) as f64
}

/// Who did chunks of a task, and how many if not one.
fn trained(rows: &[Row]) -> String {
	let worked = rows.iter().filter(|row| row.done.chunks > 0);
	let names = worked.map(|Row { owner, done }| match done.chunks {
		1 => owner.clone(),
		chunks => format!("{owner} ({chunks} shards)"),
	});
	names.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use pallet_rewards::Contribution;

	#[test]
	fn a_round_is_told_once_all_of_it_is_known() {
		let mut round = Round::new(3, 10);
		assert_eq!(round.line(), None);
		round.counts = Some(Counts { right: 9, rows: 10, loss: 5 << 20 });
		round.seconds = Some(7);
		assert_eq!(round.line(), None);
		let row = |owner: &str, chunks| Row {
			owner: owner.into(),
			done: Contribution { chunks, ..Default::default() },
		};
		round.trained = Some(trained(&[row("a", 1), row("b", 0), row("c", 2)]));
		let line = round.line().unwrap();
		assert!(line.starts_with("loss 0.5000, accuracy 0.9000 (9 of 10), 7 s"), "{line}");
		assert!(line.ends_with("trained by a, c (2 shards)"), "{line}");
	}
}
