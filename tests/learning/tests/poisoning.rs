//! Workers who send false changes that nobody has checked, and honest workers whose data differ, under
//! each rule.
//!
//! Changes are checked before they are averaged: this is what is left where a check fails.
#![allow(missing_docs)]

use anyhow::Result;
use tequio_engine_ml::{
	aggregate::{self, aggregate, outer::Outer, Contribution},
	optimiser::Millionths,
	round::{contribute, Contributed},
	Payload, Rule, State,
};
use tequio_harness::digits::Digits;
use tequio_learning_tests::{
	cheats::poison,
	order::Order,
	school::{honest, Merge, Plan, School},
	start::{perceptron, HIDDEN},
};

const KRUM: aggregate::Rule = aggregate::Rule::MultiKrum { faulty: 2 };
/// Norms of honest workers with different data are within this of each other, mostly.
const TWICE: aggregate::Method =
	aggregate::Method { clip: aggregate::Clip(2_000_000), rule: aggregate::Rule::Mean };
/// Unclipped mean, clipped means, and the rules that throw contributions away.
const MERGES: [(&str, Merge); 5] = [
	("mean without clipping", Merge::PlainMean),
	("mean", Merge::by(aggregate::Rule::Mean)),
	("mean, twice the median", Merge::Engine(TWICE)),
	("trimmed mean, 2", Merge::by(aggregate::Rule::TrimmedMean { trim: 2 })),
	("multi-Krum, 2", Merge::by(KRUM)),
];
const SEEDS: [u64; 2] = [1, 2];
/// Workers who send ten times their change backwards.
const POISONERS: usize = 2;

const PLAN: Plan = Plan {
	rounds: 25,
	passes: 1,
	batch: 16,
	rule: Rule::Sgd { learning_rate: Millionths(200_000) },
	payload: Payload::Grid,
	merge: Merge::PlainMean,
	outer: Outer { learning_rate: 700_000, momentum: 900_000 },
	seed: 1,
};

fn poisoned(worker: usize, contributed: &Contributed) -> Result<Vec<u8>> {
	if worker < POISONERS {
		poison(&contributed.change)
	} else {
		honest(worker, contributed)
	}
}

/// 8 workers with all digits; 10 with two digits each, so that two workers have each digit.
fn school(two_digits: bool, seed: u64) -> Result<School> {
	let split = Digits::load()?.split();
	let train = split.train;
	let shards = if two_digits { train.label_shards(10, 2) } else { train.shards(8) };
	School::new(perceptron(HIDDEN)?, &shards, &split.test, seed)
}

/// The accuracy of a merge when all are honest, and when some are not.
fn attacked(merge: Merge) -> Result<(f64, f64)> {
	let (mut clean, mut attacked) = (0.0, 0.0);
	for seed in SEEDS {
		let (school, plan) = (school(false, seed)?, Plan { merge, seed, ..PLAN });
		clean += school.settled(&school.run(&plan, honest)?)? / SEEDS.len() as f64;
		attacked += school.settled(&school.run(&plan, poisoned)?)? / SEEDS.len() as f64;
	}
	Ok((clean, attacked))
}

#[test]
fn two_poisoners_of_eight_do_no_harm() -> Result<()> {
	println!("rule | all honest | 2 of 8 send -10 times their change");
	let mut found = Vec::new();
	for (name, merge) in MERGES {
		let (clean, attacked) = attacked(merge)?;
		println!("{name} | {clean:.3} | {attacked:.3}");
		found.push((clean, attacked));
	}
	let [unclipped, clipped, _, _, krum] = found[..] else { anyhow::bail!("five merges") };
	assert!(krum.0 > 0.93, "multi-Krum learns: {krum:?}");
	assert!(krum.1 >= krum.0 - 0.01, "multi-Krum loses less than a point: {krum:?}");
	assert!(clipped.1 >= clipped.0 - 0.05, "clipping leaves a slower training: {clipped:?}");
	assert!(unclipped.1 < 0.5, "without clipping there is nothing left: {unclipped:?}");
	Ok(())
}

#[test]
fn clipping_costs_honest_workers_with_two_digits_no_point() -> Result<()> {
	let school = school(true, 1)?;
	println!("rule | 10 workers, 2 digits each, all honest");
	let mut found = Vec::new();
	for (name, merge) in MERGES {
		let rule = Rule::Sgd { learning_rate: Millionths(100_000) };
		let report = school.run(&Plan { merge, rounds: 80, rule, ..PLAN }, honest)?;
		let accuracy = school.settled(&report)?;
		println!("{name} | {accuracy:.3}");
		found.push(accuracy);
	}
	let [unclipped, _, twice, ..] = found[..] else { anyhow::bail!("five merges") };
	assert!(unclipped > 0.93, "{unclipped}");
	assert!(twice >= unclipped - 0.01, "{twice} against {unclipped}");
	Ok(())
}

/// A chunk is paid for its output, which is the same whoever computes it. What a rule makes of the
/// change afterwards has no say: multi-Krum throws away four honest changes here, and all ten are paid.
#[test]
fn pay_does_not_depend_on_what_a_rule_keeps() -> Result<()> {
	let (mine, theirs) = (school(true, 1)?, school(true, 1)?);
	let schedule = mine.schedule(&PLAN)?;
	let rows = (schedule.steps * schedule.batch) as usize;
	let mut changes: Vec<State> = Vec::new();
	for (shard, again) in mine.shards().iter().zip(theirs.shards()) {
		let rows = Order::new(shard, 1)?.passes(PLAN.passes, rows);
		let compute = |school: &School, shard| {
			let (model, weights) = (school.model(), school.start());
			contribute(model, weights, shard, &rows, &schedule, PLAN.rule, Payload::Grid, None)
		};
		let (claimed, recomputed) = (compute(&mine, shard)?, compute(&theirs, again)?);
		assert!(claimed.output == recomputed.output, "an honest worker loses its pay");
		changes.push(claimed.change.to_state());
	}
	let changes: Vec<_> =
		changes.iter().map(|change| Contribution { change, samples: 1 }).collect();
	assert_eq!(aggregate(&changes, KRUM)?.kept.len(), 6);
	assert_eq!(aggregate(&changes, aggregate::Rule::Mean)?.kept.len(), 10);
	Ok(())
}
