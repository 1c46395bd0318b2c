//! Training in 32-bit floats on a chain, by engines with libtorch: in the pinned profile, whose outputs
//! are those of any such engine, and in the banded one, whose outputs are near what the plain 64-bit
//! arithmetic gives. Then rounds of the latter, aggregated and evaluated exactly.

mod band;
mod rounds;

use anyhow::{ensure, Context, Result};
use band::Truth;
use serde_json::json;
use sp_core::H256;
use std::{collections::BTreeSet, fs, path::Path, time::Duration};
use tequio_engine_ml::{
	optimiser::Millionths,
	payload::Payload,
	projection::{self, project, seed_of},
	safetensors::read_state,
	Rule, Schedule,
};
use tequio_harness::{
	network::NodePlan,
	trainings::{fetch, name},
};
use tequio_interface::program::ProgramJob;
use tequio_network_tests::{
	chronicle::Chronicle,
	engine::opinion,
	lesson::{Lesson, Method, CHUNKS},
	story::Story,
};
use tequio_primitives::WorkClass;

/// A few deadlines missed on a busy machine.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// As in 64-bit floats: many steps, and a change on the grid.
const PINNED: Method = Method {
	class: WorkClass::ExactF32,
	schedule: Schedule { steps: 4, batch: 8, micro_batch: 4 },
	rule: Rule::Momentum { learning_rate: Millionths(100_000), momentum: Millionths(900_000) },
	payload: Payload::Grid,
};
/// One step of plain descent.
const BANDED: Method = Method {
	class: WorkClass::BandedF32,
	schedule: Schedule { steps: 1, batch: 64, micro_batch: 16 },
	rule: Rule::Sgd { learning_rate: Millionths(100_000) },
	payload: Payload::Single,
};

/// One network for all.
#[tokio::test]
async fn models_are_trained_in_32_bit_floats() -> Result<()> {
	// A chunk has a worker, an auditor and, by chance, another one; the fourth may be busy.
	let nodes = vec![NodePlan::with_libtorch(2)?; 2];
	let rules = json!({ "verification": { "rules": { "reveal_period": 64 } } });
	let programs = [PINNED.class, BANDED.class, WorkClass::ExactF64, WorkClass::Integer];
	let mut story = Story::begin_for(programs.to_vec(), nodes, rules).await?;
	let mut chronicle = Chronicle::begin(&story.network.chain).await?;
	the_pinned_profile_gives_what_any_engine_gives(&mut story).await?;
	the_banded_profile_gives_what_is_near_the_truth(&mut story).await?;
	rounds::teach(&mut story).await?;
	chronicle.read_on(&story.network.chain).await?;
	ensure!(chronicle.slashed == 0, "somebody was slashed: {chronicle:?}");
	Ok(())
}

async fn the_pinned_profile_gives_what_any_engine_gives(story: &mut Story) -> Result<()> {
	let lesson = Lesson::new(PINNED)?;
	let store = story.network.store();
	let H256(program) = lesson.publish(&store)?;
	lesson.is_paid(H256(program), story, PATIENCE).await?;
	let units = lesson.units()?;
	let mut outputs = BTreeSet::new();
	for chunk in 0..CHUNKS {
		let (inputs, others) = (vec![], vec![]);
		let job = ProgramJob { program, chunk, round: 0, inputs, units, others, seed: None };
		let found = opinion("exact-f32", &job, &store)?;
		fetch(&store, &H256(found.output))
			.with_context(|| format!("chunk {chunk} gave something else than another engine"))?;
		outputs.insert(found.output);
	}
	ensure!(outputs.len() == usize::try_from(CHUNKS)?, "chunks that are alike show little");
	Ok(())
}

async fn the_banded_profile_gives_what_is_near_the_truth(story: &mut Story) -> Result<()> {
	let lesson = Lesson::new(BANDED)?;
	let store = story.network.store();
	let program = lesson.publish(&store)?;
	let before = names(&store)?;
	lesson.is_paid(program, story, PATIENCE).await?;
	let truths = Truth::of(&lesson)?;
	// An output is the projection of a change, and names its file. Worker and auditors need not have come
	// to the same bytes, but all of them project by the seed of the worker's.
	let mut outputs = Vec::new();
	for made in names(&store)?.difference(&before) {
		outputs.extend(projection::read(&fs::read(store.join(made))?));
	}
	let seeds: Vec<_> = outputs.iter().map(|output| seed_of(&output.change)).collect();
	let mut found = vec![0; truths.len()];
	for output in &outputs {
		let bytes = fetch(&store, &H256(output.change))?;
		let change = read_state(&bytes, bytes.len())?;
		let scale = f64::from(output.scale) * f64::exp2(output.exponent.into());
		let is_by = |seed| project(output.change, &change, scale, seed).as_ref() == Some(output);
		ensure!(seeds.iter().any(is_by), "{output:?} is not the projection of its file");
		let near = |chunk: &usize| truths[*chunk].is_near(&bytes);
		let near: Vec<usize> = (0..truths.len()).filter(near).collect();
		ensure!(near.len() == 1, "{output:?} is near the changes of the chunks {near:?}");
		found[near[0]] += 1;
	}
	ensure!(found.iter().all(|outputs| *outputs > 0), "outputs of each chunk: {found:?}");
	Ok(())
}

/// The names of all pieces in a folder.
fn names(store: &Path) -> Result<BTreeSet<String>> {
	let length = name(&H256::zero()).len();
	let mut names = BTreeSet::new();
	for entry in fs::read_dir(store)? {
		let name = entry?.file_name().to_string_lossy().into_owned();
		// What is only being written has another name.
		if name.len() == length {
			names.insert(name);
		}
	}
	Ok(names)
}
