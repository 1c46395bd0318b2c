//! What is learnt: digits written by hand, by a perceptron with one hidden layer, on three shards
//! that have each digit alike.

use anyhow::Result;
use tequio_engine_ml::{
	aggregate::{self, outer::Outer},
	optimiser::Millionths,
	payload::Payload,
	Model, Rule, Schedule,
};
use tequio_harness::{
	course::{starting_weights, Conditions, Course, Lot},
	digits::{Digits, Split, CLASSES},
	numbers::SplitMix64,
};
use tequio_primitives::{Balance, WorkClass, TEQ};

/// Shards, each of which one worker trains on in a round.
pub const SHARDS: u32 = 3;
/// Pay per unit, 2²⁰ multiply-adds, in the token's smallest unit.
pub const PRICE: Balance = TEQ / 1_000;
/// Times that a shard is gone through in a round.
const EPOCHS: u32 = 10;
/// Samples of a step.
const BATCH: u32 = 32;
/// Rounds after which the orders of the rows come again.
const PERIODS: u32 = 8;
/// Elements of a change that are handed over, in millionths. The rest comes with later changes.
const SHARE: u32 = 150_000;
/// Where the starting weights come from, and the orders of the rows: those of the shards, and that of
/// central training.
const WEIGHTS_SEED: u64 = 2;
const SHARD_SEED: u64 = 10;
const CENTRAL_SEED: u64 = 99;
/// 64 pixels in, ten digits out.
const CARD: &str = r#"{"input": [64], "layers": [
	{"kind": "dense", "units": 128, "bias": true},
	{"kind": "relu"},
	{"kind": "dense", "units": 10, "bias": true}
]}"#;
/// The optimiser of the steps of a round, and of central training.
const RULE: Rule =
	Rule::Momentum { learning_rate: Millionths(100_000), momentum: Millionths(900_000) };
/// The optimiser over rounds.
const OUTER: Outer = Outer { learning_rate: 700_000, momentum: 300_000 };

/// The course, and the same data for one machine alone.
#[derive(Clone, Debug)]
pub struct Lesson {
	/// What the network trains.
	pub course: Course,
	/// All that is trained on, in one shard.
	pub together: Lot,
	/// Steps of central training that make a round.
	pub together_schedule: Schedule,
}

impl Lesson {
	/// Cuts the data, draws the weights and the orders of the rows.
	pub fn new(digits: &Digits) -> Result<Self> {
		let Split { train, test } = digits.split();
		let model = Model::parse(CARD.as_bytes())?;
		let shards = train.shards(usize::try_from(SHARDS)?);
		let longest = shards.iter().map(|shard| shard.rows().len()).max().unwrap_or(0);
		let steps = u32::try_from(longest)?.saturating_mul(EPOCHS).div_ceil(BATCH);
		let schedule = Schedule { steps, batch: BATCH, micro_batch: BATCH };
		let together_schedule = Schedule { steps: steps.saturating_mul(SHARDS), ..schedule };
		let lots = (SHARD_SEED..).zip(&shards).map(|(seed, shard)| lot(shard, &schedule, seed));
		let kept_back = test.shards(usize::try_from(SHARDS)?);
		let course = Course {
			class: WorkClass::ExactF64,
			card: CARD.to_owned(),
			weights: starting_weights(&model, &mut SplitMix64::new(WEIGHTS_SEED)),
			classes: CLASSES,
			shards: lots.collect::<Result<_>>()?,
			schedule,
			rule: RULE,
			payload: Payload::TopK { share: SHARE },
			aggregation: aggregate::Rule::Mean.into(),
			outer: OUTER,
			kept_back: kept_back.iter().map(Digits::bytes).collect::<Result<_>>()?,
		};
		let together = lot(&train, &together_schedule, CENTRAL_SEED)?;
		Ok(Self { course, together, together_schedule })
	}

	/// On which terms the network trains it. No shard may be missing, so that the outcome is one that
	/// anybody can compute beforehand.
	pub fn conditions(rounds: u32) -> Conditions {
		Conditions { rounds, quorum: SHARDS, price: PRICE, deadline: 64, step_deadline: 512 }
	}
}

/// A shard, and its rows in orders that are drawn: one order after the other, cut where the last
/// round ends.
fn lot(digits: &Digits, schedule: &Schedule, seed: u64) -> Result<Lot> {
	let rows = u32::try_from(digits.rows().len())?;
	let period = usize::try_from(schedule.steps.saturating_mul(schedule.batch))?;
	let wanted = period.saturating_mul(usize::try_from(PERIODS)?);
	let mut numbers = SplitMix64::new(seed);
	let mut all = Vec::with_capacity(wanted);
	while all.len() < wanted && rows > 0 {
		let mut epoch: Vec<u32> = (0..rows).collect();
		numbers.shuffle(&mut epoch);
		all.append(&mut epoch);
	}
	all.truncate(wanted);
	Ok(Lot { data: digits.bytes()?, rows: all })
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use crate::learning::central;
	use tequio_harness::course::Replay;
	use tequio_primitives::training::Counts;

	const ROUNDS: u32 = 8;

	fn accuracy(counts: Counts) -> f64 {
		counts.right as f64 / counts.rows as f64
	}

	/// What the demo shows on a chain, by the library alone.
	#[test]
	fn rounds_on_shards_learn_as_much_as_one_machine_that_has_everything() {
		let lesson = Lesson::new(&Digits::load().unwrap()).unwrap();
		let mut replay = Replay::new(&lesson.course).unwrap();
		for _ in 0..ROUNDS {
			replay.round().unwrap();
		}
		let found = lesson.course.evaluate(&replay.weights).unwrap();
		let central = central::train(&lesson, ROUNDS).unwrap();
		assert_eq!((found.rows, central.len()), (360, 8));
		let (found, central) = (accuracy(found), accuracy(central[7]));
		assert!(found >= 0.96 && found >= central - 0.01, "{found}, centrally {central}");
	}

	#[test]
	fn each_row_comes_once_in_an_epoch() {
		let digits = Digits::load().unwrap();
		let lesson = Lesson::new(&digits).unwrap();
		assert_eq!((lesson.course.samples(), lesson.course.shards.len()), (4_800, 3));
		for lot in &lesson.course.shards {
			assert_eq!(lot.rows.len(), 8 * 4_800);
			let mut epoch = lot.rows[479..958].to_vec();
			epoch.sort_unstable();
			assert_eq!(epoch, (0..479).collect::<Vec<_>>());
		}
		assert_eq!(lesson.together.rows.len(), 8 * 3 * 4_800);
	}
}
