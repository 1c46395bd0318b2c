//! What is trained in rounds, and how: the programs of a training are made from it, and so is the
//! same training by the library alone.

use crate::{
	numbers::SplitMix64,
	trainings::{lay, name, Plan},
};
use anyhow::{ensure, Context, Result};
use pallet_training::{Evaluation, Stage, StopRule};
use serde_json::{json, Value};
use sp_core::H256;
use std::path::Path;
use tequio_engine_ml::{
	aggregate::{self, outer::Outer},
	dataset::Shard,
	evaluate,
	grid::GridState,
	payload::Payload,
	round::{replay, rows_of, LocalRun},
	safetensors::write_state,
	Model, Rule, Schedule, State,
};
use tequio_primitives::{training::Counts, Balance, WorkClass};

/// Rows that are evaluated at a time. How many changes no bit of the result.
const MICRO_BATCH: u32 = 64;

/// A model, its data, and how the one is trained on the other.
#[derive(Clone, Debug)]
pub struct Course {
	/// The class of training: in which arithmetic. Schedule, rule and payload have to suit it.
	pub class: WorkClass,
	/// The model card.
	pub card: String,
	/// The weights before the first round.
	pub weights: State,
	/// Classes of the labels.
	pub classes: u32,
	/// What is trained on.
	pub shards: Vec<Lot>,
	/// How the rows of a round are cut into steps, for each shard alike.
	pub schedule: Schedule,
	/// The optimiser of those steps. It starts anew in each round.
	pub rule: Rule,
	/// How changes are handed over.
	pub payload: Payload,
	/// How changes become one.
	pub aggregation: aggregate::Method,
	/// The optimiser over rounds.
	pub outer: Outer,
	/// What is kept back to evaluate, a safetensors file for each chunk. All have as many rows.
	pub kept_back: Vec<Vec<u8>>,
}

/// What one shard is trained on.
#[derive(Clone, Debug)]
pub struct Lot {
	/// Its samples: a safetensors file.
	pub data: Vec<u8>,
	/// Its rows in the order of training: those of one or more rounds.
	pub rows: Vec<u32>,
}

/// The programs of a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Programs {
	/// A chunk for each shard.
	pub train: H256,
	/// One chunk.
	pub aggregate: H256,
	/// A chunk for each part of what is kept back.
	pub evaluate: H256,
}

/// On which terms a course is trained.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
	/// Rounds.
	pub rounds: u32,
	/// Shards that a round cannot do without.
	pub quorum: u32,
	/// Pay per unit, in the token's smallest unit.
	pub price: Balance,
	/// Blocks for a chunk.
	pub deadline: u32,
	/// Blocks for a step of a round.
	pub step_deadline: u32,
}

impl Course {
	/// The model.
	pub fn model(&self) -> Result<Model> {
		Ok(Model::parse(self.card.as_bytes())?)
	}

	/// Samples that a shard is trained on in a round.
	pub fn samples(&self) -> u32 {
		self.schedule.steps.saturating_mul(self.schedule.batch)
	}

	/// Lays all that the programs need into the folder of a network.
	pub fn publish(&self, store: &Path) -> Result<Programs> {
		let card = name(&lay(store, self.card.as_bytes())?);
		let weights = name(&lay(store, &write_state(&self.weights)?)?);
		let program = |chunks: Vec<Value>| {
			let manifest = json!({
				"version": 1,
				"card": &card,
				"weights": &weights,
				"classes": self.classes,
				"chunks": chunks,
			});
			lay(store, &serde_json::to_vec(&manifest)?)
		};
		let train = self.shards.iter().map(|lot| self.train_chunk(store, lot));
		let evaluate = self.kept_back.iter().map(|data| -> Result<Value> {
			let shard = name(&lay(store, data)?);
			Ok(json!({ "evaluate": { "shard": shard } }))
		});
		Ok(Programs {
			train: program(train.collect::<Result<_>>()?)?,
			aggregate: program(vec![self.aggregate_chunk()])?,
			evaluate: program(evaluate.collect::<Result<_>>()?)?,
		})
	}

	fn train_chunk(&self, store: &Path, lot: &Lot) -> Result<Value> {
		let rows: Vec<u8> = lot.rows.iter().flat_map(|row| row.to_le_bytes()).collect();
		Ok(json!({ "train": {
			"shard": name(&lay(store, &lot.data)?),
			"rows": name(&lay(store, &rows)?),
			"schedule": self.schedule,
			"rule": self.rule,
			"payload": self.payload,
		} }))
	}

	fn aggregate_chunk(&self) -> Value {
		json!({ "aggregate": {
			"samples": vec![self.samples(); self.shards.len()],
			"payload": self.payload,
			"clip": self.aggregation.clip,
			"rule": self.aggregation.rule,
			"outer": self.outer,
		} })
	}

	/// The plan of a training by these programs.
	pub fn plan(&self, programs: &Programs, conditions: &Conditions) -> Result<Plan> {
		let Conditions { rounds, quorum, price, deadline, step_deadline } = *conditions;
		let model = self.model()?;
		let cost = model.cost();
		let Schedule { steps, batch, .. } = self.schedule;
		let rows = self.kept_back_rows()?;
		let stage = |program, units: u64| -> Result<_> {
			Ok(Stage { program, units: u32::try_from(units)? })
		};
		let shards = self.shards.len();
		Ok(Plan {
			class: self.class,
			train: stage(programs.train, cost.training_units(steps, batch))?,
			shards: u32::try_from(shards)?,
			aggregate: stage(
				programs.aggregate,
				cost.aggregation_units(shards, self.aggregation.rule),
			)?,
			evaluate: Some(Evaluation {
				program: programs.evaluate,
				units: u32::try_from(cost.evaluation_units(rows.into()))?,
				chunks: u32::try_from(self.kept_back.len())?,
				rows,
			}),
			carry: matches!(self.payload, Payload::TopK { .. }),
			rounds,
			quorum,
			replicas: 1,
			price,
			deadline,
			step_deadline,
			stop: StopRule::default(),
		})
	}

	/// Rows of each part of what is kept back: the same for all, since their chunks are paid alike.
	fn kept_back_rows(&self) -> Result<u32> {
		let parts = self.kept_back.iter().map(|data| Ok(self.read(data)?.rows()));
		let rows = parts.collect::<Result<Vec<usize>>>()?;
		let first = *rows.first().context("nothing is kept back")?;
		let alike = rows.iter().all(|rows| *rows == first);
		ensure!(alike, "the parts of what is kept back have {rows:?} rows, not all as many");
		Ok(u32::try_from(first)?)
	}

	/// Reads samples.
	pub fn read(&self, data: &[u8]) -> Result<Shard> {
		Ok(Shard::read(data, data.len(), self.classes)?)
	}

	/// What weights make of all that is kept back.
	pub fn evaluate(&self, weights: &State) -> Result<Counts> {
		let model = self.model()?;
		let mut sum = Counts::default();
		for data in &self.kept_back {
			let shard = self.read(data)?;
			let rows: Vec<u32> = (0..u32::try_from(shard.rows())?).collect();
			let found = evaluate(&model, weights, &shard, &rows, MICRO_BATCH)?;
			let (right, rows) = (found.right.into(), found.rows.into());
			sum = sum.plus(Counts { right, rows, loss: found.loss });
		}
		Ok(sum)
	}
}

/// Weights to start a training from: factors between −1 and 1 over the root of the number of their
/// inputs, ones for what normalises, and no biases.
pub fn starting_weights(model: &Model, numbers: &mut SplitMix64) -> State {
	let mut weights = model.zeros();
	for (name, tensor) in &mut weights.0 {
		match tensor.shape() {
			[_] if name.ends_with(".weight") => tensor.data_mut().fill(1.0),
			[_] => {},
			shape => {
				let inputs: usize = shape.iter().skip(1).product();
				#[allow(clippy::cast_precision_loss)] // Some thousands.
				let root = (inputs as f64).sqrt();
				tensor.data_mut().iter_mut().for_each(|weight| *weight = numbers.signed() / root);
			},
		}
	}
	weights
}

/// A course of the class `ExactF64` trained by the library, round by round, as the chain has it
/// trained where no shard is missing.
#[derive(Debug)]
pub struct Replay<'a> {
	course: &'a Course,
	model: Model,
	shards: Vec<Shard>,
	residuals: Vec<Option<GridState>>,
	momentum: State,
	/// Rounds that were trained.
	pub rounds: u32,
	/// The weights after them.
	pub weights: State,
}

/// What a round gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
	/// The state, as the chain knows it.
	pub state: H256,
	/// Bytes of each shard's change.
	pub payload_bytes: Vec<usize>,
}

impl<'a> Replay<'a> {
	/// A course before its first round.
	pub fn new(course: &'a Course) -> Result<Self> {
		let class = course.class;
		ensure!(class == WorkClass::ExactF64, "the library alone does not train in {class:?}");
		let shards: Vec<_> =
			course.shards.iter().map(|lot| course.read(&lot.data)).collect::<Result<_>>()?;
		Ok(Self {
			course,
			model: course.model()?,
			residuals: vec![None; shards.len()],
			shards,
			momentum: course.weights.zeros_like(),
			rounds: 0,
			weights: course.weights.clone(),
		})
	}

	/// Trains the next round.
	pub fn round(&mut self) -> Result<Replayed> {
		let Course { schedule, rule, payload, aggregation, outer, .. } = self.course;
		let samples = self.course.samples();
		let mut runs = Vec::with_capacity(self.shards.len());
		let lots = self.course.shards.iter().zip(&self.shards).zip(&self.residuals);
		for ((lot, shard), residual) in lots {
			let rows = rows_of(&lot.rows, schedule, self.rounds)?;
			let residual = residual.as_ref();
			runs.push(Some(LocalRun { shard, rows, schedule, rule: *rule, residual, samples }));
		}
		let (weights, momentum) = (&self.weights, &self.momentum);
		let (payload, aggregation, outer) = (*payload, *aggregation, *outer);
		let found = replay(&self.model, weights, momentum, &runs, payload, aggregation, outer)?;
		self.weights = found.weights;
		self.momentum = found.momentum;
		self.residuals = found.residuals;
		self.rounds = self.rounds.saturating_add(1);
		Ok(Replayed { state: H256(found.state), payload_bytes: found.payload_bytes })
	}
}
