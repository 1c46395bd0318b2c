//! Training in rounds against training in one place.
#![allow(missing_docs)]

use anyhow::{Context, Result};
use tequio_engine_ml::{
	aggregate::{self, outer::Outer},
	dataset::Shard,
	grid::UNITS_PER_ONE,
	optimiser::Millionths,
	safetensors::write_state,
	Model, Network, Payload, Rule, State,
};
use tequio_harness::digits::Digits;
use tequio_learning_tests::{
	arithmetic::{distance, mapped, minus, plus},
	school::{honest, Merge, Plan, School},
	start::{perceptron, HIDDEN},
};

const SEEDS: [u64; 3] = [1, 2, 3];
const SHARDS: usize = 3;

/// 20 rounds of 3 passes.
const ROUNDS: Plan = Plan {
	rounds: 20,
	passes: 3,
	batch: 16,
	rule: Rule::Momentum { learning_rate: Millionths(50_000), momentum: Millionths(900_000) },
	payload: Payload::Grid,
	merge: Merge::by(aggregate::Rule::Mean),
	outer: Outer::PLAIN,
	seed: 0,
};

/// One step a round, over all rows of a shard.
const STEPS: Plan = Plan {
	rounds: 40,
	passes: 1,
	batch: 479,
	rule: Rule::Sgd { learning_rate: Millionths(500_000) },
	..ROUNDS
};
/// The learning rate of these steps.
const RATE: f64 = 0.5;

#[test]
fn three_shards_learn_as_much_as_one_place() -> Result<()> {
	let split = Digits::load()?.split();
	let shards = split.train.shards(SHARDS);
	let (mut in_rounds, mut in_one_place) = (0.0, 0.0);
	println!("seed | {SHARDS} shards in rounds | one place");
	for seed in SEEDS {
		let school = School::new(perceptron(HIDDEN)?, &shards, &split.test, seed)?;
		let report = school.run(&Plan { seed, ..ROUNDS }, honest)?;
		let rounds = school.accuracy(&report.weights)?;
		let passes = ROUNDS.rounds * ROUNDS.passes;
		let weights = school.central(&split.train, passes, ROUNDS.batch, ROUNDS.rule, seed)?;
		let central = school.accuracy(&weights)?;
		println!("{seed} | {rounds:.3} | {central:.3}");
		in_rounds += rounds / SEEDS.len() as f64;
		in_one_place += central / SEEDS.len() as f64;
	}
	println!("mean | {in_rounds:.3} | {in_one_place:.3}");
	assert!(in_one_place > 0.95, "{in_one_place}");
	assert!(in_rounds >= in_one_place - 0.01, "{in_rounds} against {in_one_place}");
	Ok(())
}

#[test]
fn one_step_a_round_is_central_descent_to_the_byte() -> Result<()> {
	let split = Digits::load()?.split();
	let shards = split.train.shards(SHARDS);
	let school = School::new(perceptron(HIDDEN)?, &shards, &split.test, 1)?;
	assert!(school.shards().iter().all(|shard| shard.rows() == STEPS.batch as usize));
	let in_rounds = school.run(&STEPS, honest)?;
	let mut central = school.start().clone();
	for states in in_rounds.states.windows(2) {
		let [_, after] = states else { continue };
		central = descend(school.model(), &central, school.shards())?;
		assert!(write_state(after)? == write_state(&central)?, "other bytes");
	}
	assert_eq!(in_rounds.states.len(), 41);
	Ok(())
}

/// Neither the grid nor clipping leads far from what anybody would call central training: batch
/// gradient descent on all rows at once.
#[test]
fn one_step_a_round_is_close_to_batch_gradient_descent() -> Result<()> {
	let split = Digits::load()?.split();
	let shards = split.train.shards(SHARDS);
	let school = School::new(perceptron(HIDDEN)?, &shards, &split.test, 1)?;
	let in_rounds = school.run(&STEPS, honest)?.weights;
	let all: Vec<&Shard> = school.shards().iter().collect();
	let mut central = school.start().clone();
	for _ in 0..STEPS.rounds {
		let gradient = gradient(school.model(), &central, &all)?;
		central = minus(&central, &mapped(&gradient, |slope| slope * RATE));
	}
	let moved = |weights: &State| minus(weights, school.start());
	let apart = distance(&moved(&in_rounds), &moved(&central));
	let (rounds, one_place) = (school.accuracy(&in_rounds)?, school.accuracy(&central)?);
	println!("{apart:.4} of the way apart; accuracy {rounds:.3} against {one_place:.3}");
	assert!(apart < 0.05, "{apart}");
	Ok(())
}

/// A step of descent, written down once more: each shard's own step from one pass over its rows,
/// rounded to the grid; the longest no longer than the one in the middle, for norms are clipped
/// always; and the mean of the three. All in grid units, of which a change has whole ones.
fn descend(model: &Model, weights: &State, shards: &[Shard]) -> Result<State> {
	let one = UNITS_PER_ONE as f64;
	let mut steps = Vec::new();
	for shard in shards {
		let step = mapped(&gradient(model, weights, &[shard])?, |slope| RATE * slope);
		// The change is what the step makes of weights in doubles, not the step itself.
		let change = minus(&minus(weights, &step), weights);
		steps.push(mapped(&change, |change| (change * one).round_ties_even()));
	}
	let mut norms: Vec<f64> = steps.iter().map(State::norm).collect();
	norms.sort_by(f64::total_cmp);
	let middle = *norms.get(1).context("there are three shards")?;
	let mut sum = weights.zeros_like();
	for step in &steps {
		let norm = step.norm();
		let scale = if norm > middle { middle / norm } else { 1.0 };
		sum = plus(&sum, &mapped(step, |units| units * scale));
	}
	Ok(plus(weights, &mapped(&sum, |units| units / steps.len() as f64 / one)))
}

/// The mean gradient of all rows of these shards.
fn gradient(model: &Model, weights: &State, shards: &[&Shard]) -> Result<State> {
	let network = Network::new(model, weights.clone())?;
	let (mut sum, mut rows) = (weights.zeros_like(), 0.0);
	for shard in shards {
		let samples = shard.samples();
		network.add_gradients(samples.x.clone(), &samples.y, &mut sum)?;
		rows += shard.rows() as f64;
	}
	Ok(mapped(&sum, |slope| slope / rows))
}
