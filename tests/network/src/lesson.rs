//! What single chunks are trained on: a model, points, and the program that has both.

use crate::story::{Story, PRICE};
use anyhow::{ensure, Result};
use serde_json::json;
use sp_core::H256;
use std::{path::Path, time::Duration};
use tequio_engine_ml::{
	dataset::Shard,
	payload::Payload,
	safetensors::{write, write_state, Source, Values},
	Model, Rule, Schedule, State,
};
use tequio_harness::{
	course::starting_weights,
	numbers::SplitMix64,
	requests::{Request, TaskSpec},
	trainings::{lay, name},
};
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
/// Classes of the points.
pub const CLASSES: u32 = 2;
/// Chunks of the program.
pub const CHUNKS: u32 = 3;
/// Points of the shard.
const ROWS: u32 = 128;
/// Blocks for a chunk. A busy machine is no reason to miss it.
const DEADLINE: u32 = 64;

/// How chunks are trained.
#[derive(Clone, Copy, Debug)]
pub struct Method {
	/// In which arithmetic.
	pub class: WorkClass,
	/// The steps of a chunk.
	pub schedule: Schedule,
	/// Their optimiser.
	pub rule: Rule,
	/// How the change is handed over.
	pub payload: Payload,
}

/// What is trained, as the requester knows it.
#[derive(Clone, Debug)]
pub struct Lesson {
	/// How.
	pub method: Method,
	/// The model.
	pub model: Model,
	/// Where all chunks start.
	pub weights: State,
	/// Rows of each chunk, in the order of training.
	pub rows: Vec<Vec<u32>>,
	shard: Vec<u8>,
}

impl Lesson {
	/// The same model and points for each method; each chunk takes rows of its own.
	pub fn new(method: Method) -> Result<Self> {
		let model = Model::parse(CARD.as_bytes())?;
		let mut numbers = SplitMix64::new(3);
		let weights = starting_weights(&model, &mut numbers);
		let shard = points(ROWS, &mut numbers)?;
		let Schedule { steps, batch, .. } = method.schedule;
		let rows = (0..CHUNKS).map(|_| -> Result<Vec<u32>> {
			let mut rows: Vec<u32> = (0..ROWS).collect();
			numbers.shuffle(&mut rows);
			Ok(rows.into_iter().cycle().take(usize::try_from(steps * batch)?).collect())
		});
		let rows = rows.collect::<Result<_>>()?;
		Ok(Self { method, model, weights, rows, shard })
	}

	/// The points.
	pub fn shard(&self) -> Result<Shard> {
		Ok(Shard::read(&self.shard, self.shard.len(), CLASSES)?)
	}

	/// Units of pay of a chunk.
	pub fn units(&self) -> Result<u32> {
		let Schedule { steps, batch, .. } = self.method.schedule;
		Ok(u32::try_from(self.model.cost().training_units(steps, batch))?)
	}

	/// Lays all that the program needs into a folder. Returns the program.
	pub fn publish(&self, folder: &Path) -> Result<H256> {
		let Method { schedule, rule, payload, .. } = self.method;
		let mut chunks = Vec::new();
		let shard = lay(folder, &self.shard)?;
		for rows in &self.rows {
			let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
			let rows = lay(folder, &bytes)?;
			let train = json!({
				"shard": name(&shard),
				"rows": name(&rows),
				"schedule": schedule,
				"rule": rule,
				"payload": payload,
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

	/// Has all chunks of the program computed, and sees that each was audited and all were paid.
	pub async fn is_paid(
		&self,
		program: H256,
		story: &mut Story,
		patience: Duration,
	) -> Result<()> {
		let units = self.units()?;
		ensure!(units > 30, "there is little to pay for: {units} units");
		let class = self.method.class;
		let spec = RecomputeSpec { class, program, chunks: CHUNKS, units, replicas: 1 };
		let spec = TaskSpec::Recompute(spec);
		let request = Request { spec, price: PRICE, deadline: DEADLINE, bonus: 0 };
		let order = story.submit(request).await?;
		let done = story.ends_well(&order, patience).await?;
		ensure!((done.chunks, done.units) == (CHUNKS, u64::from(CHUNKS * units)), "{done:?}");
		ensure!(done.audits >= CHUNKS, "everything is audited among so few: {done:?}");
		let ledger = story.ledger().await?;
		ensure!((ledger.compensation, ledger.bounty) == (0, 0), "somebody was slashed: {ledger:?}");
		story.network.expect_running()
	}
}

/// Points between −1 and 1, by which of their coordinates is larger: a shard of a data set.
pub fn points(rows: u32, numbers: &mut SplitMix64) -> Result<Vec<u8>> {
	let x: Vec<f64> = (0..2 * rows).map(|_| numbers.signed()).collect();
	let y: Vec<u8> =
		x.chunks_exact(2).map(|point| u8::from(point.first() < point.last())).collect();
	let (points, labels) = ([y.len(), 2], [y.len()]);
	Ok(write(&[
		Source { name: "x", shape: &points, values: Values::F64(&x) },
		Source { name: "y", shape: &labels, values: Values::U8(&y) },
	])?)
}
