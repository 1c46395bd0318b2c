//! Trainings in rounds on a chain: what they give is what anybody gets by the library, what they cost
//! is what was done, and a node that dies in the middle of a round costs time.

use anyhow::{ensure, Result};
use pallet_training::StopReason;
use std::time::Duration;
use tequio_engine_ml::{
	aggregate::{self, outer::Outer},
	optimiser::Millionths,
	payload::Payload,
	Model, Rule, Schedule, State,
};
use tequio_harness::{
	course::{Conditions, Course, Lot, Replay},
	network::NodePlan,
	numbers::SplitMix64,
	process::binary,
	trainings::Plan,
};
use tequio_network_tests::{
	chronicle::Chronicle,
	lesson::{points, CLASSES},
	story::{Story, PRICE, SHORT_DEADLINE},
	trainings::{Begun, Told},
};
use tequio_primitives::WorkClass;

/// Two numbers in, two classes out; 322 parameters.
const CARD: &str = r#"{"input": [2], "layers": [
	{"kind": "dense", "units": 64, "bias": true},
	{"kind": "tanh"},
	{"kind": "dense", "units": 2, "bias": true}
]}"#;
const SHARDS: u32 = 3;
/// Rows of a shard, and of what is kept back.
const ROWS: u32 = 32;
const SCHEDULE: Schedule = Schedule { steps: 8, batch: 8, micro_batch: 8 };
const ROUNDS: u32 = 2;
/// For a busy machine, on which deadlines may be missed.
const PATIENCE: Duration = Duration::from_secs(1_800);

/// One network for both, of which one node is not there any more at the end.
#[tokio::test]
async fn trainings_end_by_rule_and_cost_what_was_done() -> Result<()> {
	// Without it no device would offer the classes, and all would wait.
	binary("tequio-engine-ml")?;
	let nodes = vec![NodePlan::honest(2); 3];
	let rules = serde_json::json!({
		"verification": { "rules": { "reveal_period": 32 } },
		// Whoever has missed two deadlines is not tried again.
		"workers": { "rules": { "suspension": 10_000 } },
	});
	let classes = vec![WorkClass::ExactF64, WorkClass::Integer];
	let mut story = Story::begin_for(classes, nodes, rules).await?;
	what_is_trained_is_what_anybody_gets(&mut story).await?;
	a_node_that_dies_costs_time(&mut story).await
}

async fn what_is_trained_is_what_anybody_gets(story: &mut Story) -> Result<()> {
	let course = course()?;
	let mut chronicle = Chronicle::begin(&story.network.chain).await?;
	let plan = plan(story, &course, ROUNDS, SHARDS, 64)?;
	let begun = Begun::training(story, plan).await?;
	let (ended, told) = begun.ends(story, PATIENCE).await?;
	ensure!((ended.reason, ended.rounds) == (StopReason::Rounds, ROUNDS), "{ended:?}");

	let Told { states, counts, .. } = &told;
	ensure!(counts.len() == states.len(), "of the states {states:?} these are known: {counts:?}");
	let mut replay = Replay::new(&course)?;
	for (state, counts) in states.iter().zip(counts) {
		ensure!(replay.round()?.state == *state, "round {} gave something else", replay.rounds);
		let expected = course.evaluate(&replay.weights)?;
		ensure!(expected == *counts, "{counts:?} were counted, and there are {expected:?}");
	}
	ensure!((replay.rounds, states.last()) == (ROUNDS, Some(&ended.state)), "{ended:?}");
	chronicle.read_on(&story.network.chain).await?;
	ensure!(chronicle.slashed == 0, "somebody was slashed: {chronicle:?}");
	story.network.expect_running()
}

/// Two shards are enough, and there is time for the third one to be given to somebody else.
async fn a_node_that_dies_costs_time(story: &mut Story) -> Result<()> {
	// One round shows that. What comes of rounds is evaluated in the other training.
	let plan = plan(story, &course()?, 1, SHARDS - 1, SHORT_DEADLINE)?;
	let begun = Begun::training(story, Plan { evaluate: None, ..plan }).await?;
	let busy = story.busy_node(0..3).await?;
	story.network.nodes[busy].node.kill9()?;
	story.network.nodes[busy].worker.kill9()?;
	let (ended, told) = begun.ends(story, PATIENCE).await?;
	println!("a node died: {} of 1 round, {:?}", ended.rounds, ended.reason);
	ensure!((ended.reason, ended.rounds) == (StopReason::Rounds, 1), "{ended:?}");
	ensure!(told.states == [ended.state], "{ended:?}");
	Ok(())
}

/// The plan of a training, whose programs are laid where the workers find them.
fn plan(story: &Story, course: &Course, rounds: u32, quorum: u32, deadline: u32) -> Result<Plan> {
	let programs = course.publish(&story.network.store())?;
	let conditions = Conditions { rounds, quorum, price: PRICE, deadline, step_deadline: 512 };
	course.plan(&programs, &conditions)
}

/// Points by which of their coordinates is larger. Of each change the largest third is handed over,
/// so that what is left out has to come with the next one.
fn course() -> Result<Course> {
	let mut numbers = SplitMix64::new(7);
	let model = Model::parse(CARD.as_bytes())?;
	let mut shards = Vec::new();
	for _ in 0..SHARDS {
		let data = points(ROWS, &mut numbers)?;
		// For two rounds of 64.
		let mut rows: Vec<u32> = (0..ROWS).cycle().take(128).collect();
		numbers.shuffle(&mut rows);
		shards.push(Lot { data, rows });
	}
	Ok(Course {
		class: WorkClass::ExactF64,
		card: CARD.to_owned(),
		weights: weights(&model, &mut numbers),
		classes: CLASSES,
		shards,
		schedule: SCHEDULE,
		rule: Rule::Momentum { learning_rate: Millionths(200_000), momentum: Millionths(900_000) },
		payload: Payload::TopK { share: 333_333 },
		aggregation: aggregate::Rule::Mean.into(),
		outer: Outer { learning_rate: 700_000, momentum: 500_000 },
		kept_back: vec![points(ROWS, &mut numbers)?],
	})
}

/// Weights between −1/4 and 1/4.
fn weights(model: &Model, numbers: &mut SplitMix64) -> State {
	let mut weights = model.zeros();
	for (_, tensor) in &mut weights.0 {
		tensor.data_mut().iter_mut().for_each(|weight| *weight = numbers.signed() / 4.0);
	}
	weights
}
