//! A training in rounds with the functions that the engine computes chunks with, and the same model
//! trained in one place.

use crate::{
	arithmetic::{mapped, plus},
	order::Order,
	start::initial,
};
use anyhow::{ensure, Context, Result};
use tequio_engine_ml::{
	aggregate::{
		self,
		outer::{Outer, OuterError},
	},
	dataset::Shard,
	evaluate,
	evaluate::EvaluateError,
	grid::GridState,
	round::{combine, contribute, CombineError, ContributeError, Contributed},
	train, Model, Payload, Rule, Schedule, State,
};
use tequio_harness::digits::{Digits, CLASSES};

/// Rows that are evaluated at once. It changes no bit.
const MICRO_BATCH: u32 = 36;
/// Rounds at the end whose mean accuracy is what a training has come to.
const SETTLED: usize = 5;

/// What a training is.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
	/// Rounds.
	pub rounds: u32,
	/// Times that a round goes through the rows of the smallest shard. Of the others it takes as
	/// many, so that all chunks are alike.
	pub passes: u32,
	/// Rows of a local step.
	pub batch: u32,
	/// The local optimiser.
	pub rule: Rule,
	/// How changes are handed over.
	pub payload: Payload,
	/// How they become one.
	pub merge: Merge,
	/// The outer optimiser.
	pub outer: Outer,
	/// Where the order of the rows comes from.
	pub seed: u64,
}

/// How the changes of a round become one.
#[derive(Clone, Copy, Debug)]
pub enum Merge {
	/// As the engine does it: norms are clipped, then a rule.
	Engine(aggregate::Method),
	/// Their mean as they are, which the engine does not have: to see what clipping costs.
	PlainMean,
}

impl Merge {
	/// The engine's, with norms clipped to the median.
	pub const fn by(rule: aggregate::Rule) -> Self {
		Self::Engine(aggregate::Method { clip: aggregate::Clip::MEDIAN, rule })
	}
}

/// What came of a training.
#[derive(Clone, Debug)]
pub struct Report {
	/// The weights at the end.
	pub weights: State,
	/// The weights before the first round, and after each.
	pub states: Vec<State>,
	/// Whether it ended early because numbers got too large.
	pub diverged: bool,
	/// Bytes of all payloads of all rounds, without indices.
	pub payload_bytes: usize,
}

/// A model, its data, and what it starts from.
#[derive(Clone, Debug)]
pub struct School {
	model: Model,
	start: State,
	shards: Vec<Shard>,
	test: Shard,
}

/// Whoever trains one shard, round after round.
struct Worker<'a> {
	shard: &'a Shard,
	order: Order,
	residual: Option<GridState>,
}

/// The payload of an honest worker.
pub fn honest(_worker: usize, contributed: &Contributed) -> Result<Vec<u8>> {
	Ok(contributed.payload().to_vec())
}

/// Digits as a shard.
pub fn shard(digits: &Digits) -> Result<Shard> {
	let bytes = digits.bytes()?;
	Ok(Shard::read(&bytes, bytes.len(), CLASSES)?)
}

impl School {
	/// A model that starts from a seed, has a worker for each shard and is tested on `test`.
	pub fn new(model: Model, shards: &[Digits], test: &Digits, seed: u64) -> Result<Self> {
		let start = initial(&model, seed);
		let shards = shards.iter().map(shard).collect::<Result<_>>()?;
		Ok(Self { model, start, shards, test: shard(test)? })
	}

	/// The model.
	pub fn model(&self) -> &Model {
		&self.model
	}

	/// The weights before the first round.
	pub fn start(&self) -> &State {
		&self.start
	}

	/// The shards, one for each worker.
	pub fn shards(&self) -> &[Shard] {
		&self.shards
	}

	/// The part of the rows kept back that these weights get right: 0 to 1. Where scores are no numbers,
	/// none is right.
	pub fn accuracy(&self, weights: &State) -> Result<f64> {
		let rows: Vec<u32> = (0..u32::try_from(self.test.rows())?).collect();
		match evaluate(&self.model, weights, &self.test, &rows, MICRO_BATCH) {
			Ok(found) => Ok(f64::from(found.right) / f64::from(found.rows)),
			Err(EvaluateError::NotFinite { .. }) => Ok(0.0),
			Err(error) => Err(error.into()),
		}
	}

	/// The mean accuracy after each of the last five rounds: one row more or less says little.
	pub fn settled(&self, report: &Report) -> Result<f64> {
		let last = report.states.iter().rev().take(SETTLED);
		let found = last.map(|weights| self.accuracy(weights)).collect::<Result<Vec<_>>>()?;
		Ok(found.iter().sum::<f64>() / found.len() as f64)
	}

	/// What each chunk of a plan does.
	pub fn schedule(&self, plan: &Plan) -> Result<Schedule> {
		let smallest = self.shards.iter().map(Shard::rows).min().context("there are no shards")?;
		let steps = steps(smallest, plan.batch)?;
		Ok(Schedule {
			steps: steps.saturating_mul(plan.passes),
			batch: plan.batch,
			micro_batch: plan.batch,
		})
	}

	/// Trains in rounds. `hand_over` makes of a worker's contribution, whose place is from 0, the
	/// payload that is aggregated.
	pub fn run(
		&self,
		plan: &Plan,
		hand_over: impl Fn(usize, &Contributed) -> Result<Vec<u8>>,
	) -> Result<Report> {
		let schedule = self.schedule(plan)?;
		let mut workers = self.workers(plan)?;
		let (mut weights, mut momentum) = (self.start.clone(), self.start.zeros_like());
		let mut states = vec![weights.clone()];
		let (mut diverged, mut payload_bytes) = (false, 0);
		for _ in 0..plan.rounds {
			let mut payloads = Vec::with_capacity(workers.len());
			for (place, worker) in workers.iter_mut().enumerate() {
				let contributed = worker.train(&self.model, &weights, &schedule, plan)?;
				let payload = contributed.map(|one| hand_over(place, &one)).transpose()?;
				payload_bytes += payload.as_ref().map_or(0, Vec::len);
				payloads.push(payload);
			}
			match self.merge(plan, &weights, &momentum, &payloads)? {
				Some(next) => (weights, momentum) = next,
				None => {
					diverged = true;
					break;
				},
			}
			states.push(weights.clone());
		}
		Ok(Report { weights, states, diverged, payload_bytes })
	}

	/// Trains the same model on all rows in one place; the weights afterwards.
	pub fn central(
		&self,
		all: &Digits,
		passes: u32,
		batch: u32,
		rule: Rule,
		seed: u64,
	) -> Result<State> {
		let all = shard(all)?;
		let steps = steps(all.rows(), batch)?;
		let length = usize::try_from(steps.saturating_mul(batch))?;
		let rows = Order::new(&all, seed)?.passes(passes, length);
		let schedule = Schedule { steps: steps.saturating_mul(passes), batch, micro_batch: batch };
		let trained = train(&self.model, &self.start, rule, &schedule, &all, &rows)?;
		Ok(plus(&self.start, &trained.change))
	}

	fn workers(&self, plan: &Plan) -> Result<Vec<Worker<'_>>> {
		let mut workers = Vec::with_capacity(self.shards.len());
		// Each shard has a seed of its own.
		let first = plan.seed.wrapping_mul(1_000);
		for (shard, place) in self.shards.iter().zip(0_u64..) {
			let order = Order::new(shard, first.wrapping_add(place))?;
			workers.push(Worker { shard, order, residual: None });
		}
		Ok(workers)
	}

	/// The next weights and momentum. None: they are no numbers, or nobody has contributed.
	fn merge(
		&self,
		plan: &Plan,
		weights: &State,
		momentum: &State,
		payloads: &[Option<Vec<u8>>],
	) -> Result<Option<(State, State)>> {
		let Plan { payload, outer, .. } = *plan;
		let Merge::Engine(method) = plan.merge else {
			let Some(mean) = plain_mean(weights, payloads, payload)? else { return Ok(None) };
			return match outer.step(weights, momentum, &mean) {
				Ok(next) => Ok(Some(next)),
				Err(OuterError::NotFinite(_)) => Ok(None),
				Err(error) => Err(error.into()),
			};
		};
		// All schedules are the same.
		let samples = vec![1; payloads.len()];
		match combine(&self.model, weights, momentum, payloads, &samples, payload, method, outer) {
			Ok(combined) => Ok(Some((combined.weights, combined.momentum))),
			Err(CombineError::Diverged | CombineError::NothingThere) => Ok(None),
			Err(error) => Err(error.into()),
		}
	}
}

impl Worker<'_> {
	/// One round. None: numbers get too large.
	fn train(
		&mut self,
		model: &Model,
		weights: &State,
		schedule: &Schedule,
		plan: &Plan,
	) -> Result<Option<Contributed>> {
		let pass = schedule.steps.checked_div(plan.passes).context("a round without passes")?;
		let length = usize::try_from(pass.saturating_mul(schedule.batch))?;
		let rows = self.order.passes(plan.passes, length);
		let (rule, payload, residual) = (plan.rule, plan.payload, self.residual.take());
		let residual = residual.as_ref();
		match contribute(model, weights, self.shard, &rows, schedule, rule, payload, residual) {
			Ok(contributed) => {
				self.residual = contributed.residual.clone();
				Ok(Some(contributed))
			},
			Err(ContributeError::Diverged) => Ok(None),
			Err(error) => Err(error.into()),
		}
	}
}

/// Whole steps of so many rows.
fn steps(rows: usize, batch: u32) -> Result<u32> {
	let steps = u32::try_from(rows)?.checked_div(batch).unwrap_or(0);
	ensure!(steps > 0, "{rows} rows are no batch of {batch}");
	Ok(steps)
}

/// The mean of the changes that are there, as they are. None: there are none.
fn plain_mean(
	weights: &State,
	payloads: &[Option<Vec<u8>>],
	payload: Payload,
) -> Result<Option<State>> {
	let (mut sum, mut number) = (weights.zeros_like(), 0.0_f64);
	for bytes in payloads.iter().flatten() {
		sum = plus(&sum, &payload.read(bytes, weights)?.to_state());
		number += 1.0;
	}
	Ok((number > 0.0).then(|| mapped(&sum, |value| value / number)))
}
