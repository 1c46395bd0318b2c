//! Training on a chain: each chunk is computed by one owner and again by an auditor, from the same
//! folder of bytes. All of them are paid, and what comes out is what anybody gets who trains.

use anyhow::{ensure, Context, Result};
use serde_json::json;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeSet, path::Path, time::Duration};
use tequio_engine_ml::{
	dataset::Shard,
	grid::GridState,
	optimiser::Millionths,
	payload::Payload,
	safetensors::{write, write_state, Source, Values},
	train, Model, Rule, Schedule, State,
};
use tequio_harness::{
	network::NodePlan,
	process::binary,
	requests::{Request, TaskSpec},
	trainings::{fetch, lay, name},
};
use tequio_network_tests::story::{Story, PRICE};
use tequio_primitives::{recompute::RecomputeSpec, WorkClass};

/// Two numbers in, two classes out; half a million parameters, so that weights and outputs go through
/// an engine's pipes in many parts.
const CARD: &str = r#"{"input": [2], "layers": [
	{"kind": "dense", "units": 1024, "bias": true},
	{"kind": "tanh"},
	{"kind": "dense", "units": 512, "bias": true},
	{"kind": "tanh"},
	{"kind": "dense", "units": 2, "bias": true}
]}"#;
const CLASSES: u32 = 2;
/// Rows of the shard, each of which a chunk takes once.
const ROWS: u32 = 32;
const SCHEDULE: Schedule = Schedule { steps: 4, batch: 8, micro_batch: 4 };
const RULE: Rule =
	Rule::Momentum { learning_rate: Millionths(100_000), momentum: Millionths(900_000) };
const CHUNKS: u32 = 3;
/// Blocks for a chunk. A busy machine is no reason to miss it.
const DEADLINE: u32 = 64;
/// A few deadlines missed on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// What is trained, as the requester knows it.
struct Lesson {
	model: Model,
	weights: State,
	shard: Vec<u8>,
	/// Rows of each chunk, in the order of training.
	rows: Vec<Vec<u32>>,
}

impl Lesson {
	fn new() -> Result<Self> {
		let model = Model::parse(CARD.as_bytes())?;
		let weights = weights(&model);
		let rows =
			|chunk: u32| -> Vec<u32> { (0..ROWS).map(|row| (5 * row + chunk) % ROWS).collect() };
		Ok(Self { model, weights, shard: shard()?, rows: (0..CHUNKS).map(rows).collect() })
	}

	/// Lays all that the program needs into a folder. Returns the program.
	fn publish(&self, folder: &Path) -> Result<H256> {
		let mut chunks = Vec::new();
		let shard = lay(folder, &self.shard)?;
		for rows in &self.rows {
			let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
			let rows = lay(folder, &bytes)?;
			let train = json!({
				"shard": name(&shard),
				"rows": name(&rows),
				"schedule": SCHEDULE,
				"rule": RULE,
				"payload": Payload::Grid,
			});
			chunks.push(json!({ "train": train }));
		}
		let manifest = json!({
			"version": 1,
			"card": name(&lay(folder, CARD.as_bytes())?),
			"weights": name(&lay(folder, &write_state(&self.weights)?)?),
			"classes": CLASSES,
			"chunks": chunks,
		});
		lay(folder, &serde_json::to_vec(&manifest)?)
	}

	/// What comes out of each chunk.
	fn outputs(&self) -> Result<Vec<Vec<u8>>> {
		let shard = Shard::read(&self.shard, self.shard.len(), CLASSES)?;
		let mut outputs = Vec::new();
		for rows in &self.rows {
			let trained = train(&self.model, &self.weights, RULE, &SCHEDULE, &shard, rows)?;
			outputs.push(GridState::round(&trained.change)?.write()?);
		}
		Ok(outputs)
	}
}

/// Weights between −1/64 and 1/64.
fn weights(model: &Model) -> State {
	let mut weights = model.zeros();
	let mut place = 0_u32;
	for (_, tensor) in &mut weights.0 {
		for value in tensor.data_mut() {
			*value = f64::from(place * 29 % 37) / 1_152.0 - 1.0 / 64.0;
			place += 1;
		}
	}
	weights
}

/// Points between −1 and 1, by which of their coordinates is larger.
fn shard() -> Result<Vec<u8>> {
	let x: Vec<f64> = (0..2 * ROWS).map(|at| f64::from(at * 37 % 64) / 32.0 - 1.0).collect();
	let y: Vec<u8> = x.chunks_exact(2).map(|point| u8::from(point[0] < point[1])).collect();
	let rows = usize::try_from(ROWS)?;
	let (points, labels) = ([rows, 2], [rows]);
	Ok(write(&[
		Source { name: "x", shape: &points, values: Values::F64(&x) },
		Source { name: "y", shape: &labels, values: Values::U8(&y) },
	])?)
}

#[tokio::test]
async fn training_is_paid_and_yields_what_anybody_gets() -> Result<()> {
	// Without it no device would offer the class, and all would wait.
	binary("tequio-engine-ml")?;
	let lesson = Lesson::new()?;
	let outputs = lesson.outputs()?;
	let distinct: BTreeSet<_> = outputs.iter().collect();
	ensure!(distinct.len() == outputs.len(), "chunks that are alike show little");

	// A chunk has a worker, an auditor and, by chance, another one; the fourth may be busy.
	let nodes = vec![NodePlan::honest(2); 2];
	let rules = json!({ "verification": { "rules": { "reveal_period": 64 } } });
	let class = WorkClass::ExactF64;
	let mut story = Story::begin_for(vec![class], nodes, rules).await?;
	let store = story.network.store();
	let program = lesson.publish(&store)?;
	let Schedule { steps, batch, .. } = SCHEDULE;
	let units = u32::try_from(lesson.model.cost().training_units(steps, batch))?;
	ensure!(units > 30, "there is little to pay for: {units} units");
	let spec = RecomputeSpec { class, program, chunks: CHUNKS, units, replicas: 1 };
	let spec = TaskSpec::Recompute(spec);
	let request = Request { spec, price: PRICE, deadline: DEADLINE, bonus: 0 };
	let order = story.submit(request).await?;
	let done = story.ends_well(&order, PATIENCE).await?;

	ensure!((done.chunks, done.units) == (CHUNKS, u64::from(CHUNKS * units)), "{done:?}");
	ensure!(done.audits >= CHUNKS, "everything is audited among so few: {done:?}");
	let ledger = story.ledger().await?;
	ensure!((ledger.compensation, ledger.bounty) == (0, 0), "somebody was slashed: {ledger:?}");
	for (chunk, output) in outputs.iter().enumerate() {
		let found = fetch(&store, &H256(blake2_256(output)));
		found.with_context(|| format!("chunk {chunk} gave something else"))?;
	}
	story.network.expect_running()
}
