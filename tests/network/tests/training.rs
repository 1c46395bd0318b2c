//! Training on a chain: each chunk is computed by one owner and again by an auditor, from the same
//! folder of bytes. All of them are paid, and what comes out is what anybody gets who trains.

use anyhow::{ensure, Context, Result};
use serde_json::json;
use sp_core::H256;
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeSet, time::Duration};
use tequio_engine_ml::{
	grid::GridState, optimiser::Millionths, payload::Payload, train, Rule, Schedule,
};
use tequio_harness::{network::NodePlan, process::binary, trainings::fetch};
use tequio_network_tests::{
	lesson::{Lesson, Method},
	story::Story,
};
use tequio_primitives::WorkClass;

const METHOD: Method = Method {
	class: WorkClass::ExactF64,
	schedule: Schedule { steps: 4, batch: 8, micro_batch: 4 },
	rule: Rule::Momentum { learning_rate: Millionths(100_000), momentum: Millionths(900_000) },
	payload: Payload::Grid,
};
/// A few deadlines missed on a busy machine.
const PATIENCE: Duration = Duration::from_secs(900);

/// What comes out of each chunk.
fn outputs(lesson: &Lesson) -> Result<Vec<Vec<u8>>> {
	let shard = lesson.shard()?;
	let Method { rule, schedule, .. } = METHOD;
	let mut outputs = Vec::new();
	for rows in &lesson.rows {
		let trained = train(&lesson.model, &lesson.weights, rule, &schedule, &shard, rows)?;
		outputs.push(GridState::round(&trained.change)?.write()?);
	}
	Ok(outputs)
}

#[tokio::test]
async fn training_is_paid_and_yields_what_anybody_gets() -> Result<()> {
	// Without it no device would offer the class, and all would wait.
	binary("tequio-engine-ml")?;
	let lesson = Lesson::new(METHOD)?;
	let outputs = outputs(&lesson)?;
	let distinct: BTreeSet<_> = outputs.iter().collect();
	ensure!(distinct.len() == outputs.len(), "chunks that are alike show little");

	// A chunk has a worker, an auditor and, by chance, another one; the fourth may be busy.
	let nodes = vec![NodePlan::honest(2); 2];
	let rules = json!({ "verification": { "rules": { "reveal_period": 64 } } });
	let mut story = Story::begin_for(vec![METHOD.class], nodes, rules).await?;
	let store = story.network.store();
	let program = lesson.publish(&store)?;
	lesson.is_paid(program, &mut story, PATIENCE).await?;
	for (chunk, output) in outputs.iter().enumerate() {
		let found = fetch(&store, &H256(blake2_256(output)));
		found.with_context(|| format!("chunk {chunk} gave something else"))?;
	}
	Ok(())
}
