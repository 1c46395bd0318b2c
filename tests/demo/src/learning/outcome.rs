//! What came of the training, what it has to be, and the files that stay of it.

use super::{
	central,
	lesson::Lesson,
	plot::{drawing, Curve},
	watch::{accuracy, Round, Watched},
};
use crate::args::Args;
use anyhow::{ensure, Context, Result};
use pallet_training::{Money, StopReason};
use sp_core::H256;
use std::{
	fmt, fs,
	path::{Path, PathBuf},
};
use tequio_engine_ml::{grid::GridState, index::Index, safetensors::write_state, State};
use tequio_harness::{
	cache,
	course::{Course, Replay, Replayed},
	trainings::fetch,
};
use tequio_primitives::{api::Books, training::Counts};

/// The accuracy that so many rounds reach.
const GOAL: f64 = 0.96;
const GOAL_ROUNDS: u32 = 8;
/// How far below that of one machine with all the data it may be.
const BELOW_CENTRAL: f64 = 0.01;
/// Bytes of a number in an exchange of gradients, which hardly anybody does in doubles.
const SINGLE: usize = 4;
const MEGABYTE: f64 = 1e6;

/// Where the files go that stay.
#[derive(Clone, Debug)]
pub struct Files {
	weights: PathBuf,
	plot: PathBuf,
}

/// Bytes that the training moved in its last round. Audits fetch the same as what they audit; they,
/// the data and the evaluation are not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Traffic {
	/// All together.
	moved: usize,
	/// The changes among them.
	changes: usize,
	/// What it would be if each step's gradients went to one place and their mean came back.
	naive: usize,
}

/// What came of a training.
#[derive(Debug)]
pub struct Outcome {
	watched: Watched,
	/// The last weights: a safetensors file, from the folder of the network.
	weights: Vec<u8>,
	/// Whether all rounds were the same by the library.
	exact: bool,
	/// What one machine reached.
	central: Vec<Counts>,
	traffic: Traffic,
}

impl Files {
	/// The files that the flags name, or those in the cache folder.
	pub fn named(args: &Args) -> Result<Self> {
		let place = |named: &Option<PathBuf>, name: &str| match named {
			Some(path) => Ok(path.clone()),
			None => cache::folder().map(|folder| folder.join(name)),
		};
		let weights = place(&args.weights, "digits.safetensors")?;
		Ok(Self { weights, plot: place(&args.plot, "digits.svg")? })
	}
}

impl Outcome {
	/// Does all rounds again by the library, and as much on one machine.
	pub fn new(lesson: &Lesson, store: &Path, watched: Watched) -> Result<Self> {
		let course = &lesson.course;
		let state = fetch(store, &watched.ended.state).context("the last state")?;
		let weights =
			fetch(store, &H256(Index::read(&state)?.first)).context("the last weights")?;
		let mut replay = Replay::new(course)?;
		let (mut exact, mut last) = (true, None);
		for round in watched.rounds.iter().take(usize::try_from(watched.ended.rounds)?) {
			let found = replay.round()?;
			exact &= agrees(course, &replay.weights, &found, round)?;
			last = Some(found);
		}
		let last = last.context("no round was done")?;
		exact &= write_state(&replay.weights)? == weights;
		let traffic = Traffic::of(course, weights.len(), &last.payload_bytes)?;
		let central = central::train(lesson, watched.ended.rounds)?;
		Ok(Self { watched, weights, exact, central, traffic })
	}

	/// Leaves weights and curve behind.
	pub fn write(&self, files: &Files) -> Result<()> {
		let network: Vec<_> = self.watched.rounds.iter().map(measured).collect();
		let central: Vec<_> = self.central.iter().map(|counts| Some(accuracy(counts))).collect();
		let curve = |name, colour, points| Curve { name, colour, points };
		let curves = [
			curve("three workers, a third each", "steelblue", network.as_slice()),
			curve("one machine, all the data", "darkorange", central.as_slice()),
		];
		let title = "Accuracy on the digits kept back";
		let plot = drawing(title, &curves).into_bytes();
		for (path, bytes) in [(&files.weights, &self.weights), (&files.plot, &plot)] {
			if let Some(folder) = path.parent() {
				fs::create_dir_all(folder)?;
			}
			fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))?;
		}
		Ok(())
	}

	/// Says all of it.
	pub fn report(&self, json: bool, files: &Files, seconds: u64) {
		let (weights, plot) = (files.weights.display(), files.plot.display());
		let text = format!("\n{self}\nThe weights are in {weights}, the curve in {plot}.");
		if !json {
			println!("{text}");
			return;
		}
		eprintln!("{text}");
		let Books { paid, audit, fee, .. } = self.watched.sheet.books;
		let Money { locked, returned, .. } = self.watched.ended.money;
		let object = serde_json::json!({
			"locked": locked.to_string(),
			"paid": paid.to_string(),
			"audit": audit.to_string(),
			"fee": fee.to_string(),
			"refunded": returned.to_string(),
			"balanced": self.balanced(),
			"rounds": self.watched.ended.rounds,
			"accuracy": self.accuracy(),
			"central_accuracy": self.central_accuracy(),
			"exact": self.exact,
			"weights": weights.to_string(),
			"plot": plot.to_string(),
			"moved": self.traffic.moved,
			"moved_naive": self.traffic.naive,
			"seconds": seconds,
		});
		println!("{object}");
	}

	/// Fails where something is not as it has to be.
	pub fn expect_good(&self, rounds: u32) -> Result<()> {
		let ended = &self.watched.ended;
		ensure!(self.balanced(), "the books do not balance");
		ensure!(self.exact, "the library comes to something else");
		let whole = (ended.reason, ended.rounds) == (StopReason::Rounds, rounds);
		ensure!(whole, "{} rounds were done, then: {:?}", ended.rounds, ended.reason);
		let accuracy = self.accuracy().context("the last round was not evaluated")?;
		if rounds >= GOAL_ROUNDS {
			let central = self.central_accuracy().unwrap_or(0.0);
			let good = accuracy >= GOAL && accuracy >= central - BELOW_CENTRAL;
			ensure!(good, "accuracy {accuracy:.4}, of one machine {central:.4}: that is too low");
		}
		Ok(())
	}

	/// Whether all money is accounted for: in the books of all tasks, in the owners' records, and in
	/// what the training says of its budget.
	fn balanced(&self) -> bool {
		let Books { paid, audit, fee, .. } = self.watched.sheet.books;
		let Money { locked, held, out, spent, returned } = self.watched.ended.money;
		let tasks = paid.saturating_add(audit).saturating_add(fee);
		self.watched.sheet.balanced()
			&& spent == tasks
			&& (held, out) == (0, 0)
			&& spent.checked_add(returned) == Some(locked)
	}

	/// Of the last round.
	fn accuracy(&self) -> Option<f64> {
		self.watched.rounds.last().and_then(measured)
	}

	fn central_accuracy(&self) -> Option<f64> {
		self.central.last().map(accuracy)
	}
}

impl fmt::Display for Outcome {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let Traffic { moved, changes, naive } = self.traffic;
		let megabytes = |bytes: usize| bytes as f64 / MEGABYTE;
		let times = naive as f64 / moved.max(1) as f64;
		writeln!(f, "{}", self.watched.sheet)?;
		writeln!(f, "{}", Budget(&self.watched.ended.money))?;
		if let (Some(accuracy), Some(central)) = (self.accuracy(), self.central_accuracy()) {
			writeln!(f, "Accuracy {accuracy:.4}; one machine with all the data: {central:.4}.")?;
		}
		writeln!(
			f,
			"A round moved {:.2} MB, {:.3} MB of it changes; gradients after each step would be \
			 {:.1} MB, {times:.0} times as much.",
			megabytes(moved),
			megabytes(changes),
			megabytes(naive)
		)?;
		f.write_str(if self.exact {
			"The library comes to the same states and weights, to the last bit."
		} else {
			"THE LIBRARY COMES TO SOMETHING ELSE."
		})
	}
}

/// The money of a training, in a line.
struct Budget<'a>(&'a Money);

impl fmt::Display for Budget<'_> {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let Money { locked, spent, returned, .. } = *self.0;
		let [locked, spent, returned] = [locked, spent, returned].map(crate::sheet::teq);
		write!(
			f,
			"Of a budget of {locked} TEQ, which its tasks locked in parts, one after the other, \
			 {spent} were spent and {returned} came back."
		)
	}
}

/// Whether the chain's round gave what the library's did, and was evaluated as the library does.
fn agrees(course: &Course, weights: &State, found: &Replayed, round: &Round) -> Result<bool> {
	let counted = match round.counts {
		Some(counts) => counts == course.evaluate(weights)?,
		None => true,
	};
	Ok(counted && round.state == Some(found.state))
}

fn measured(round: &Round) -> Option<f64> {
	round.counts.as_ref().map(accuracy)
}

impl Traffic {
	/// `weights`: bytes of a file of weights, or of momentum. `changes`: bytes of each shard's change.
	fn of(course: &Course, weights: usize, changes: &[usize]) -> Result<Self> {
		/// Bytes of an index.
		const INDEX: usize = tequio_engine_ml::index::INDEX_BYTES;
		let shards = changes.len();
		let residual = GridState::zeros_like(&course.weights).write()?.len();
		let changes: usize = changes.iter().sum();
		// Read and written: indices of the state and of the change before, weights, residual.
		let trained = shards * (3 * INDEX + weights + 2 * residual) + changes;
		// Read: the state with its momentum, an index and a change for each shard. Written: a state.
		let aggregated = 2 * (INDEX + 2 * weights) + shards * INDEX + changes;
		let parameters: usize = course.weights.0.iter().map(|(_, tensor)| tensor.len()).sum();
		let steps = usize::try_from(course.schedule.steps)?;
		let naive = 2 * steps * shards * parameters * SINGLE;
		Ok(Self { moved: trained + aggregated, changes, naive })
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use tequio_harness::digits::Digits;

	#[test]
	fn traffic_counts_what_is_read_and_written() {
		let lesson = Lesson::new(&Digits::load().unwrap()).unwrap();
		let course = &lesson.course;
		let weights = write_state(&course.weights).unwrap().len();
		let found = Traffic::of(course, weights, &[1_000, 1_000, 2_000]).unwrap();
		assert_eq!(found.changes, 4_000);
		// 9,610 parameters, 150 steps, there and back.
		assert_eq!(found.naive, 2 * 150 * 3 * 9_610 * 4);
		let states = 7 * weights;
		let residuals = 6 * GridState::zeros_like(&course.weights).write().unwrap().len();
		assert_eq!(found.moved, states + residuals + 14 * 64 + 2 * 4_000);
		assert!(found.moved * 20 < found.naive);
	}
}
