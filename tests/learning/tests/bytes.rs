//! What a round sends, and what sending less costs.
//!
//! Counted are the bytes over the links of all workers, there and back; checks are left out on both
//! sides.
//!
//! - *Naive*: after each local step, each worker sends its gradient and gets the weights, both in
//!   singles. Whoever adds them up is not counted.
//! - *Rounds*: each worker gets the weights in doubles and sends its payload. A worker who aggregates
//!   gets the payloads, the weights and the momentum, and sends the new ones. One shard a round changes
//!   hands: its residual is sent and fetched.
#![allow(missing_docs)]

use anyhow::Result;
use tequio_engine_ml::{
	aggregate::{self, outer::Outer},
	compress::MILLION,
	grid::GridState,
	index::INDEX_BYTES,
	optimiser::Millionths,
	safetensors::write_state,
	Payload, Rule, Schedule,
};
use tequio_harness::digits::{Digits, Split};
use tequio_learning_tests::{
	school::{honest, Merge, Plan, Report, School},
	start::{perceptron, HIDDEN},
};

const SHARDS: usize = 8;
/// Bytes of a single.
const SINGLE: usize = 4;
const RULE: Rule = Rule::Sgd { learning_rate: Millionths(100_000) };
/// 220 local steps a round.
const PLAN: Plan = Plan {
	rounds: 12,
	passes: 10,
	batch: 8,
	rule: RULE,
	payload: Payload::Grid,
	merge: Merge::by(aggregate::Rule::Mean),
	outer: Outer::PLAIN,
	seed: 1,
};
/// Parts per million of the elements that are sent: 25 %, 5 %, 1 %.
const SHARES: [u32; 3] = [250_000, 50_000, 10_000];

fn school(split: &Split) -> Result<School> {
	School::new(perceptron(HIDDEN)?, &split.train.shards(SHARDS), &split.test, 1)
}

/// Bytes of a round by naive exchange.
fn naive(school: &School, schedule: &Schedule) -> Result<f64> {
	let elements = usize::try_from(school.model().cost().parameters)?;
	Ok((SHARDS * schedule.steps as usize * 2 * elements * SINGLE) as f64)
}

/// Mean bytes of a round of a training.
fn in_rounds(school: &School, plan: &Plan, report: &Report) -> Result<f64> {
	let weights = write_state(school.start())?.len();
	let momentum = write_state(&school.start().zeros_like())?.len();
	let residual = GridState::zeros_like(school.start()).write()?.len();
	let (indices, residuals) = match plan.payload {
		Payload::Grid | Payload::Single => (0, 0),
		Payload::TopK { .. } => (SHARDS * INDEX_BYTES, 2 * residual),
	};
	let workers = SHARDS * weights;
	let aggregating = 2 * (weights + momentum + INDEX_BYTES);
	let payloads = report.payload_bytes as f64 / f64::from(plan.rounds);
	Ok((workers + aggregating + 2 * indices + residuals) as f64 + 2.0 * payloads)
}

#[test]
fn a_hundredth_of_the_bytes_costs_at_most_two_points() -> Result<()> {
	let split = Digits::load()?.split();
	let school = school(&split)?;
	let schedule = school.schedule(&PLAN)?;
	let naive = naive(&school, &schedule)?;
	let whole = school.run(&PLAN, honest)?;
	let (accuracy, bytes) = (school.accuracy(&whole.weights)?, in_rounds(&school, &PLAN, &whole)?);
	println!("{SHARDS} workers, {} local steps a round, {} rounds", schedule.steps, PLAN.rounds);
	println!("exchange | bytes a round | times fewer | accuracy");
	let rows = SHARDS as u32 * PLAN.batch;
	let passes = PLAN.rounds * PLAN.passes;
	let every_step = school.accuracy(&school.central(&split.train, passes, rows, RULE, 1)?)?;
	println!("every step, naive | {naive:.0} | 1 | {every_step:.3}");
	println!("rounds, whole changes | {bytes:.0} | {:.0} | {accuracy:.3}", naive / bytes);
	let mut losses = Vec::new();
	for share in SHARES {
		let plan = Plan { payload: Payload::TopK { share }, ..PLAN };
		let report = school.run(&plan, honest)?;
		let bytes = in_rounds(&school, &plan, &report)?;
		let (found, times) = (school.accuracy(&report.weights)?, naive / bytes);
		let percent = 100.0 * f64::from(share) / f64::from(MILLION);
		println!("rounds, largest {percent} % | {bytes:.0} | {times:.0} | {found:.3}");
		assert!(times >= 100.0, "{percent} %: {times}");
		losses.push(accuracy - found);
	}
	assert!(accuracy > 0.93, "{accuracy}");
	assert!(losses.first().is_some_and(|loss| *loss <= 0.02), "{losses:?}");
	Ok(())
}
