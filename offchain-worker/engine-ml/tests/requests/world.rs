//! A program of one chunk of training with all of its bytes.

use crate::{double::Store, support};
use codec::Encode;
use serde_json::json;
use tequio_engine_ml::{
	dataset::Shard,
	optimiser::Millionths,
	projection::{self, project, seed_of},
	request::{self, Computed, Refusal, RequestError},
	safetensors::{write, write_state, Source, Values},
	Backend, Class, Model, Payload, Reference, Rule, Schedule, State,
};
use tequio_interface::program::{ProgramJob, DIVERGED};

const CARD: &str = r#"{"input":[3],"layers":[
	{"kind":"dense","units":5,"bias":true},{"kind":"silu"},{"kind":"dense","units":2,"bias":true}
]}"#;
pub const RATE: Millionths = Millionths(100_000);
pub const SGD: Rule = Rule::Sgd { learning_rate: RATE };
/// One step of eight samples.
pub const STEP: Schedule = Schedule { steps: 1, batch: 8, micro_batch: 3 };
/// Two steps of four.
pub const STEPS: Schedule = Schedule { steps: 2, batch: 4, micro_batch: 3 };
pub const ROWS: [u32; 8] = [5, 0, 1, 4, 2, 3, 5, 5];
/// What all parties of an attempt project by: the seed of some worker's file.
pub const SEED: [u8; 32] = [5; 32];

pub struct World {
	pub store: Store,
	pub model: Model,
	pub weights: State,
	pub shard: Shard,
	program: [u8; 32],
}

impl World {
	pub fn new(payload: Payload, schedule: Schedule, rule: Rule) -> Self {
		Self::of(payload, schedule, rule, support::tensor(&[6, 3], 17).data())
	}

	/// Numbers so large that training diverges.
	pub fn diverging(payload: Payload, schedule: Schedule) -> Self {
		Self::of(payload, schedule, SGD, &[1e38; 18])
	}

	/// With these samples of three numbers each.
	pub fn of(payload: Payload, schedule: Schedule, rule: Rule, x: &[f64]) -> Self {
		let model = support::model(CARD);
		let (weights, mut store) = (support::weights(&model, 3), Store::default());
		let bytes = write(&[
			Source { name: "x", shape: &[6, 3], values: Values::F64(x) },
			Source { name: "y", shape: &[6], values: Values::U8(&[0, 1, 1, 0, 1, 0]) },
		])
		.unwrap();
		let shard = Shard::read(&bytes, bytes.len(), 2).unwrap();
		let rows = ROWS.iter().flat_map(|row| row.to_le_bytes()).collect();
		let mut keep = |bytes: Vec<u8>| hex(&store.keep(bytes));
		let chunk = json!({
			"shard": keep(bytes),
			"rows": keep(rows),
			"schedule": schedule,
			"rule": rule,
			"payload": payload,
		});
		let manifest = json!({
			"version": 1,
			"card": keep(CARD.as_bytes().to_vec()),
			"weights": keep(write_state(&weights).unwrap()),
			"classes": 2,
			"chunks": [{ "train": chunk }],
		});
		let program = store.keep(manifest.to_string().into_bytes());
		Self { store, model, weights, shard, program }
	}

	/// Whoever computes.
	pub fn work(&self) -> ProgramJob {
		ProgramJob {
			program: self.program,
			chunk: 0,
			round: 0,
			inputs: vec![],
			units: 1,
			others: vec![],
			seed: None,
		}
	}

	/// Whoever judges these outputs, all of them projected by a seed.
	pub fn judging(&self, seed: &[u8; 32], others: &[[u8; 32]]) -> ProgramJob {
		let mut others = others.to_vec();
		others.sort_unstable();
		ProgramJob { others, seed: Some(*seed), ..self.work() }
	}

	pub fn run(
		&mut self,
		class: Class,
		backend: &dyn Backend,
		job: &ProgramJob,
	) -> Result<Computed, RequestError> {
		request::run(class, backend, &mut self.store, &job.encode())
	}

	/// Runs a job, and keeps what it makes.
	pub fn done(&mut self, class: Class, backend: &dyn Backend, job: &ProgramJob) -> Computed {
		let computed = self.run(class, backend, job).unwrap();
		for blob in &computed.blobs {
			self.store.keep(blob.clone());
		}
		computed
	}

	/// Runs a job that is refused.
	pub fn refused(&mut self, class: Class, backend: &dyn Backend, job: &ProgramJob) -> Refusal {
		match self.run(class, backend, job) {
			Err(RequestError::Refused(refusal)) => refusal,
			other => panic!("{other:?}"),
		}
	}

	/// What is near in the eyes of a referee.
	pub fn near(&mut self, seed: &[u8; 32], others: &[[u8; 32]]) -> Vec<[u8; 32]> {
		let job = self.judging(seed, others);
		self.done(Class::BandedF32, &Reference, &job).result.near
	}

	/// Keeps a file that is said to be of this change, and its projection by a seed or by its own,
	/// which is the output; the output's hash.
	pub fn project_file(
		&mut self,
		file: Vec<u8>,
		change: &State,
		scale: f64,
		seed: Option<&[u8; 32]>,
	) -> [u8; 32] {
		let file = self.store.keep(file);
		let seed = seed.copied().unwrap_or_else(|| seed_of(&file));
		let projection = project(file, change, scale, &seed).unwrap();
		self.store.keep(projection::write(&projection))
	}

	/// A program that aggregates so many steps in singles.
	pub fn aggregation(&mut self, shards: usize) -> [u8; 32] {
		let chunk = json!({
			"samples": vec![1; shards],
			"payload": Payload::Single,
			"clip": 1_000_000,
			"rule": "mean",
			"outer": { "learning_rate": 1_000_000, "momentum": 0 },
		});
		let manifest = json!({
			"version": 1,
			"card": hex(&self.store.keep(CARD.as_bytes().to_vec())),
			"weights": hex(&self.store.keep(write_state(&self.weights).unwrap())),
			"classes": 2,
			"chunks": [{ "aggregate": chunk }],
		});
		self.store.keep(manifest.to_string().into_bytes())
	}

	/// Outputs that are no change of the model.
	pub fn no_changes(&mut self) -> Vec<[u8; 32]> {
		let bytes = [b"nonsense".to_vec(), DIVERGED.to_vec(), vec![7; 64], vec![]];
		bytes.map(|bytes| self.store.keep(bytes)).to_vec()
	}
}

fn hex(hash: &[u8; 32]) -> String {
	hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
