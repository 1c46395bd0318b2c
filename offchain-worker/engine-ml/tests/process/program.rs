//! A small program with all of its bytes.

use crate::{conversation::Blobs, support};
use sp_crypto_hashing::blake2_256;
use tequio_engine_ml::{
	dataset::Shard,
	grid::GridState,
	optimiser::Millionths,
	safetensors::{write, write_state, Source, Values},
	train, Model, Rule, Schedule, State,
};
use tequio_interface::program::ProgramJob;

/// Its chunk of training, and that of evaluation.
pub const TRAIN: u32 = 0;
pub const EVALUATE: u32 = 1;
/// Units of each of its chunks: far from a million multiply-adds.
pub const UNITS: u32 = 1;
/// Rows of its shard.
pub const ROWS: u32 = 6;

pub const CARD: &str = r#"{"input":[3],"layers":[
	{"kind":"dense","units":5,"bias":true},{"kind":"tanh"},{"kind":"dense","units":2,"bias":true}
]}"#;

#[derive(Clone)]
pub struct Program {
	pub blobs: Blobs,
	/// The manifest as text, and the hash that stands for the program.
	pub text: String,
	pub manifest: [u8; 32],
	pub card: [u8; 32],
	pub weights_hash: [u8; 32],
	pub rows: [u8; 32],
	pub shard: [u8; 32],
	pub model: Model,
	pub weights: State,
}

pub fn hash_of(bytes: &[u8]) -> [u8; 32] {
	blake2_256(bytes)
}

pub fn hex(hash: &[u8; 32]) -> String {
	hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Adds bytes; their hash.
pub fn keep(blobs: &mut Blobs, bytes: Vec<u8>) -> [u8; 32] {
	let hash = hash_of(&bytes);
	blobs.insert(hash, bytes);
	hash
}

impl Program {
	pub fn new() -> Self {
		let model = support::model(CARD);
		let weights = support::weights(&model, 3);
		let none = [0; 32];
		let mut program = Self {
			blobs: Blobs::new(),
			text: String::new(),
			manifest: none,
			card: none,
			weights_hash: none,
			rows: none,
			shard: none,
			model,
			weights,
		};
		program.card = program.keep(CARD.as_bytes().to_vec());
		program.weights_hash = program.keep(write_state(&program.weights).unwrap());
		program.shard = program.keep(shard_bytes());
		let rows = program.indices().iter().flat_map(|row| row.to_le_bytes()).collect();
		program.rows = program.keep(rows);
		program.text = program.describe();
		program.manifest = program.keep(program.text.clone().into_bytes());
		program
	}

	/// Adds bytes; their hash.
	pub fn keep(&mut self, bytes: Vec<u8>) -> [u8; 32] {
		keep(&mut self.blobs, bytes)
	}

	/// The manifest.
	fn describe(&self) -> String {
		let [card, weights, shard, rows] =
			[self.card, self.weights_hash, self.shard, self.rows].map(|hash| hex(&hash));
		let schedule = r#"{"steps":2,"batch":4,"micro_batch":3}"#;
		let rule = r#"{"kind":"sgd","learning_rate":100000}"#;
		let how = format!(r#""schedule":{schedule},"rule":{rule},"payload":"grid""#);
		let train = format!(r#"{{"shard":"{shard}","rows":"{rows}",{how}}}"#);
		let chunks = format!(r#"{{"train":{train}}},{{"evaluate":{{"shard":"{shard}"}}}}"#);
		let model = format!(r#""card":"{card}","weights":"{weights}""#);
		format!(r#"{{"version":1,{model},"classes":2,"chunks":[{chunks}]}}"#)
	}

	/// Rows in the order of training.
	pub fn indices(&self) -> Vec<u32> {
		vec![5, 0, 1, 4, 2, 3, 5, 5]
	}

	pub fn shard(&self) -> Shard {
		let bytes = shard_bytes();
		Shard::read(&bytes, bytes.len(), 2).unwrap()
	}

	/// What training makes of the weights.
	pub fn change(&self) -> GridState {
		let schedule = Schedule { steps: 2, batch: 4, micro_batch: 3 };
		let rule = Rule::Sgd { learning_rate: Millionths(100_000) };
		let (shard, indices) = (self.shard(), self.indices());
		let trained = train(&self.model, &self.weights, rule, &schedule, &shard, &indices).unwrap();
		GridState::round(&trained.change).unwrap()
	}

	/// The job of a chunk.
	pub fn job(&self, chunk: u32) -> ProgramJob {
		let (program, round, units) = (self.manifest, 0, UNITS);
		ProgramJob { program, chunk, round, inputs: vec![], units, others: vec![], seed: None }
	}

	/// What training fetches.
	pub fn parts(&self) -> [(&'static str, [u8; 32]); 5] {
		[
			("manifest", self.manifest),
			("card", self.card),
			("weights", self.weights_hash),
			("rows", self.rows),
			("shard", self.shard),
		]
	}
}

fn shard_bytes() -> Vec<u8> {
	let x = support::tensor(&[6, 3], 17);
	write(&[
		Source { name: "x", shape: &[6, 3], values: Values::F64(x.data()) },
		Source { name: "y", shape: &[6], values: Values::U8(&[0, 1, 1, 0, 1, 0]) },
	])
	.unwrap()
}
