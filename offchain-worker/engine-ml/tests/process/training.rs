//! A small training over three shards: the programs of its stages, and its rounds by the library.

use crate::{
	conversation::{Answer, Blobs},
	program::{hex, keep, CARD, UNITS},
	support,
};
use serde_json::{json, Value};
use tequio_engine_ml::{
	aggregate::{self, outer::Outer},
	dataset::Shard,
	grid::GridState,
	optimiser::Millionths,
	round::{replay, rows_of, LocalRun, RoundOutcome},
	safetensors::{write, write_state, Source, Values},
	Model, Payload, Rule, Schedule, State,
};
use tequio_interface::program::ProgramJob;

pub const SHARDS: usize = 3;
/// What the contributions count as.
pub const SAMPLES: [u32; SHARDS] = [8, 8, 4];
/// Half of each tensor's elements are handed over.
pub const TOP_K: Payload = Payload::TopK { share: 500_000 };
/// Nothing is there.
pub const NONE: [u8; 32] = [0; 32];

const SCHEDULE: Schedule = Schedule { steps: 2, batch: 4, micro_batch: 3 };
const RULE: Rule = Rule::Sgd { learning_rate: Millionths(100_000) };
const AGGREGATION: aggregate::Rule = aggregate::Rule::Mean;
const OUTER: Outer = Outer { learning_rate: 700_000, momentum: 900_000 };
/// Rows of a shard.
pub const ROWS: usize = 6;

pub struct Training {
	pub blobs: Blobs,
	pub model: Model,
	pub weights: State,
	shards: Vec<Shard>,
	/// Of each shard: those of two rounds.
	rows: Vec<Vec<u32>>,
	payload: Payload,
	/// The card that programs name.
	pub card: [u8; 32],
	weights_hash: [u8; 32],
	/// The programs of its stages.
	pub train: [u8; 32],
	pub aggregate: [u8; 32],
	pub evaluate: [u8; 32],
}

/// What goes from one round to the next, apart from the engine.
pub struct Carried {
	pub weights: State,
	pub momentum: State,
	pub residuals: Vec<Option<GridState>>,
}

impl Training {
	pub fn new(payload: Payload) -> Self {
		let model = support::model(CARD);
		let weights = support::weights(&model, 3);
		let mut blobs = Blobs::new();
		let card = keep(&mut blobs, CARD.as_bytes().to_vec());
		let weights_hash = keep(&mut blobs, write_state(&weights).unwrap());
		let bytes: Vec<_> = (0..SHARDS).map(shard_bytes).collect();
		let shards = bytes.iter().map(|bytes| Shard::read(bytes, bytes.len(), 2).unwrap());
		let mut training = Self {
			shards: shards.collect(),
			blobs,
			model,
			weights,
			rows: (0..SHARDS).map(rows).collect(),
			payload,
			card,
			weights_hash,
			train: NONE,
			aggregate: NONE,
			evaluate: NONE,
		};
		training.describe(bytes);
		training
	}

	/// Writes the programs of all stages.
	fn describe(&mut self, shards: Vec<Vec<u8>>) {
		let (mut train, mut evaluate) = (Vec::new(), Vec::new());
		for (shard, rows) in shards.into_iter().zip(self.rows.clone()) {
			let shard = hex(&keep(&mut self.blobs, shard));
			let rows = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
			let rows = hex(&keep(&mut self.blobs, rows));
			evaluate.push(json!({ "evaluate": { "shard": &shard } }));
			train.push(json!({ "train": {
				"shard": &shard,
				"rows": rows,
				"schedule": SCHEDULE,
				"rule": RULE,
				"payload": self.payload,
			}}));
		}
		self.train = self.program(train);
		self.evaluate = self.program(evaluate);
		self.aggregate = self.aggregation(&[]);
	}

	/// A program of these chunks.
	fn program(&mut self, chunks: Vec<Value>) -> [u8; 32] {
		let manifest = json!({
			"version": 1,
			"card": hex(&self.card),
			"weights": hex(&self.weights_hash),
			"classes": 2,
			"chunks": chunks,
		});
		keep(&mut self.blobs, manifest.to_string().into_bytes())
	}

	/// A program of aggregation in which these fields are others.
	pub fn aggregation(&mut self, others: &[(&str, Value)]) -> [u8; 32] {
		let mut chunk = json!({
			"samples": SAMPLES,
			"payload": self.payload,
			"clip": 1_000_000,
			"rule": AGGREGATION,
			"outer": OUTER,
		});
		for (field, value) in others {
			chunk[*field] = value.clone();
		}
		self.program(vec![json!({ "aggregate": chunk })])
	}

	/// Keeps what a request has made; the hash of the output.
	pub fn store(&mut self, answer: &Answer) -> [u8; 32] {
		for blob in &answer.blobs {
			keep(&mut self.blobs, blob.clone());
		}
		answer.result.output
	}

	/// Before the first round.
	pub fn start(&self) -> Carried {
		Carried {
			weights: self.weights.clone(),
			momentum: self.weights.zeros_like(),
			residuals: vec![None; SHARDS],
		}
	}

	/// What the library makes of a round in which one shard may be missing.
	pub fn replay(&self, round: u32, missing: Option<usize>, from: &Carried) -> RoundOutcome {
		let run = |shard: usize| LocalRun {
			shard: &self.shards[shard],
			rows: rows_of(&self.rows[shard], &SCHEDULE, round).unwrap(),
			schedule: &SCHEDULE,
			rule: RULE,
			residual: from.residuals[shard].as_ref(),
			samples: SAMPLES[shard],
		};
		let shards: Vec<_> =
			(0..SHARDS).map(|shard| (missing != Some(shard)).then(|| run(shard))).collect();
		let (weights, momentum) = (&from.weights, &from.momentum);
		replay(&self.model, weights, momentum, &shards, self.payload, AGGREGATION, OUTER).unwrap()
	}

	/// The samples of a shard.
	pub fn shard(&self, shard: usize) -> &Shard {
		&self.shards[shard]
	}
}

/// The job of a chunk.
pub fn job(program: [u8; 32], chunk: usize, round: u32, inputs: &[[u8; 32]]) -> ProgramJob {
	let (chunk, inputs) = (u32::try_from(chunk).unwrap(), inputs.to_vec());
	ProgramJob { program, chunk, round, inputs, units: UNITS, others: vec![], seed: None }
}

/// The state, and what the shards gave.
pub fn inputs(state: [u8; 32], given: &[[u8; 32]; SHARDS]) -> Vec<[u8; 32]> {
	[&[state][..], &given[..]].concat()
}

fn shard_bytes(shard: usize) -> Vec<u8> {
	let x = support::tensor(&[ROWS, 3], 100 + u64::try_from(shard).unwrap());
	let labels: Vec<u8> = (0..ROWS).map(|row| u8::from((row + shard).is_multiple_of(3))).collect();
	write(&[
		Source { name: "x", shape: &[ROWS, 3], values: Values::F64(x.data()) },
		Source { name: "y", shape: &[ROWS], values: Values::U8(&labels) },
	])
	.unwrap()
}

/// Rows for two rounds of eight.
fn rows(shard: usize) -> Vec<u32> {
	let row = |place: usize| u32::try_from((place * 5 + place / 8 + shard) % ROWS).unwrap();
	(0..16).map(row).collect()
}
