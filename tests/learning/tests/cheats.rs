//! Recomputing a chunk shows every cheat, and nobody who was honest.
#![allow(missing_docs)]

use anyhow::{Context, Result};
use sp_crypto_hashing::blake2_256;
use std::convert::identity;
use tequio_engine_ml::{
	aggregate::{self, outer::Outer},
	optimiser::Millionths,
	round::contribute,
	Payload, Rule, Schedule,
};
use tequio_harness::digits::Digits;
use tequio_learning_tests::{
	arithmetic::distance,
	cheats::{output, Cheat, Chunk},
	order::Order,
	school::{honest, Merge, Plan, School},
	start::{initial, perceptron, HIDDEN},
};

const SHARDS: usize = 8;
const PLAN: Plan = Plan {
	rounds: 20,
	passes: 1,
	batch: 16,
	rule: Rule::Momentum { learning_rate: Millionths(50_000), momentum: Millionths(900_000) },
	payload: Payload::Grid,
	merge: Merge::by(aggregate::Rule::Mean),
	outer: Outer::PLAIN,
	seed: 1,
};
const PAYLOADS: [Payload; 2] = [Payload::Grid, Payload::TopK { share: 50_000 }];

/// What came of a cheat.
#[derive(Clone, Copy)]
struct Tally {
	chunks: u32,
	caught: u32,
	least: f64,
	most: f64,
}

impl Tally {
	const NONE: Self = Self { chunks: 0, caught: 0, least: f64::INFINITY, most: 0.0 };

	fn count(&mut self, caught: bool, distance: f64) {
		self.chunks += 1;
		self.caught += u32::from(caught);
		self.least = self.least.min(distance);
		self.most = self.most.max(distance);
	}
}

fn school() -> Result<School> {
	let split = Digits::load()?.split();
	School::new(perceptron(HIDDEN)?, &split.train.shards(SHARDS), &split.test, 1)
}

/// Tries every cheat on a chunk.
fn try_all(chunk: &Chunk<'_>, tallies: &mut [Tally]) -> Result<()> {
	let right = chunk.change()?;
	for (cheat, tally) in Cheat::ALL.into_iter().zip(tallies) {
		let wrong = cheat.commit(chunk)?;
		let mut caught = true;
		for payload in PAYLOADS {
			caught &= output(&wrong, payload)? != output(&right, payload)?;
		}
		tally.count(caught, distance(&wrong.to_state(), &right.to_state()));
	}
	Ok(())
}

#[test]
fn every_cheat_has_another_output() -> Result<()> {
	let school = school()?;
	let (report, schedule) = (school.run(&PLAN, honest)?, school.schedule(&PLAN)?);
	let mut tallies = [Tally::NONE; Cheat::ALL.len()];
	for (states, seed) in report.states.windows(2).zip(0..) {
		let [stale, weights] = states else { continue };
		for shard in school.shards() {
			let rows = Order::new(shard, seed)?.passes(1, rows_of(&schedule));
			let (model, rows, rule) = (school.model(), rows.as_slice(), PLAN.rule);
			let chunk = Chunk { model, weights, stale, shard, rows, schedule, rule };
			try_all(&chunk, &mut tallies)?;
		}
	}
	println!("cheat | caught of chunks | distance of the change: least to most");
	for (cheat, tally) in Cheat::ALL.into_iter().zip(tallies) {
		let Tally { chunks, caught, least, most } = tally;
		println!("{} | {caught} of {chunks} | {least:.1e} to {most:.1e}", cheat.name());
		assert_eq!((chunks, caught), (PLAN.rounds * SHARDS as u32, chunks), "{}", cheat.name());
	}
	Ok(())
}

fn rows_of(schedule: &Schedule) -> usize {
	(schedule.steps * schedule.batch) as usize
}

/// What the cheats are made with does nothing else: without a cheat in it, it is the engine.
#[test]
fn training_step_by_step_is_what_the_engine_does() -> Result<()> {
	let school = school()?;
	let schedule = school.schedule(&PLAN)?;
	for shard in school.shards() {
		let rows = Order::new(shard, 1)?.passes(1, rows_of(&schedule));
		let (model, rows, rule) = (school.model(), rows.as_slice(), PLAN.rule);
		let (weights, stale) = (school.start(), school.start());
		let chunk = Chunk { model, weights, stale, shard, rows, schedule, rule };
		let (engine, payload) = (&chunk.change()?, PAYLOADS[1]);
		assert_eq!(&chunk.step_by_step(chunk.steps(), identity)?, engine);
		let contributed = contribute(model, weights, shard, rows, &schedule, rule, payload, None)?;
		assert_eq!(blake2_256(&contributed.output), output(engine, payload)?);
	}
	Ok(())
}

/// Whoever recomputes a chunk reads its bytes again, and may hold fewer or more samples in memory.
#[test]
fn ten_thousand_honest_chunks_are_found_right() -> Result<()> {
	const CHUNKS: u64 = 10_000;
	let split = Digits::load()?.split();
	let deal = || School::new(perceptron(8)?, &split.train.shards(SHARDS), &split.test, 1);
	let (worker, auditor) = (deal()?, deal()?);
	let mut false_alarms = 0;
	for number in 0..CHUNKS {
		let place = (number % SHARDS as u64) as usize;
		let payload = PAYLOADS[(number / SHARDS as u64 % 2) as usize];
		let compute = |school: &School, micro_batch: u32| {
			let schedule = Schedule { steps: 2, batch: 8, micro_batch };
			let shard = school.shards().get(place).context("there is no such shard")?;
			let rows = Order::new(shard, number)?.passes(1, rows_of(&schedule));
			let (model, rule) = (school.model(), PLAN.rule);
			let weights = initial(model, number);
			let found = contribute(model, &weights, shard, &rows, &schedule, rule, payload, None)?;
			anyhow::Ok(blake2_256(&found.output))
		};
		let micro_batch = 1 + (number % 7) as u32;
		false_alarms += u32::from(compute(&worker, 8)? != compute(&auditor, micro_batch)?);
	}
	println!("{false_alarms} false alarms in {CHUNKS} honest chunks");
	assert_eq!(false_alarms, 0);
	Ok(())
}
