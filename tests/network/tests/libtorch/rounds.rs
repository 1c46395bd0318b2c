//! Rounds whose changes are made in the banded profile. What they become is computed exactly, and
//! what that is worth is counted.

use super::PATIENCE;
use anyhow::{ensure, Result};
use pallet_training::StopReason;
use sp_core::H256;
use std::path::Path;
use tequio_engine_ml::{
	aggregate::{self, outer::Outer},
	index::Index,
	optimiser::Millionths,
	payload::Payload,
	safetensors::read_state,
	Model, Rule, Schedule, State,
};
use tequio_harness::{
	course::{starting_weights, Conditions, Course, Lot},
	numbers::SplitMix64,
	trainings::fetch,
};
use tequio_network_tests::{
	lesson::{points, CLASSES},
	story::{Story, PRICE},
	trainings::Begun,
};
use tequio_primitives::WorkClass;

/// Two numbers in, two classes out; 322 parameters.
const CARD: &str = r#"{"input": [2], "layers": [
	{"kind": "dense", "units": 64, "bias": true},
	{"kind": "tanh"},
	{"kind": "dense", "units": 2, "bias": true}
]}"#;
const SHARDS: u32 = 2;
const ROUNDS: u32 = 3;
/// Rows of a shard, all of which a round takes, and of what is kept back.
const ROWS: u32 = 64;

/// Trains in rounds, and sees that each of them brings the weights closer to what is kept back.
pub async fn teach(story: &mut Story) -> Result<()> {
	let course = course()?;
	let store = story.network.store();
	let (rounds, quorum, price) = (ROUNDS, SHARDS, PRICE);
	let conditions = Conditions { rounds, quorum, price, deadline: 64, step_deadline: 512 };
	let plan = course.plan(&course.publish(&store)?, &conditions)?;
	let begun = Begun::training(story, plan).await?;
	let (ended, told) = begun.ends(story, PATIENCE).await?;
	ensure!((ended.reason, ended.rounds) == (StopReason::Rounds, ROUNDS), "{ended:?}");
	ensure!(told.states.last() == Some(&ended.state), "{ended:?}");
	ensure!(told.counts.len() == told.states.len(), "not all was evaluated: {told:?}");
	let mut losses = vec![course.evaluate(&course.weights)?.loss];
	for (state, counts) in told.states.iter().zip(&told.counts) {
		let expected = course.evaluate(&weights_of(&store, state)?)?;
		ensure!(expected == *counts, "{counts:?} were counted, and there are {expected:?}");
		losses.push(counts.loss);
	}
	ensure!(losses.is_sorted_by(|loss, next| loss > next), "nothing is learnt: {losses:?}");
	story.network.expect_running()
}

/// Steps that are short enough for each of them to be one downwards.
fn course() -> Result<Course> {
	let mut numbers = SplitMix64::new(11);
	let weights = starting_weights(&Model::parse(CARD.as_bytes())?, &mut numbers);
	let mut shards = Vec::new();
	for _ in 0..SHARDS {
		shards.push(Lot { data: points(ROWS, &mut numbers)?, rows: (0..ROWS).collect() });
	}
	Ok(Course {
		class: WorkClass::BandedF32,
		card: CARD.to_owned(),
		weights,
		classes: CLASSES,
		shards,
		schedule: Schedule { steps: 1, batch: ROWS, micro_batch: ROWS / 4 },
		rule: Rule::Sgd { learning_rate: Millionths(200_000) },
		payload: Payload::Single,
		aggregation: aggregate::Rule::Mean.into(),
		outer: Outer { learning_rate: 1_000_000, momentum: 0 },
		kept_back: vec![points(ROWS, &mut numbers)?],
	})
}

/// The weights of a state.
fn weights_of(store: &Path, state: &H256) -> Result<State> {
	let index = Index::read(&fetch(store, state)?)?;
	let bytes = fetch(store, &H256(index.first))?;
	Ok(read_state(&bytes, bytes.len())?)
}
