//! Rounds of a training, chunk by chunk: the same as the library replays, and what is refused.

use crate::{
	conversation::{Answer, Blobs, Engine},
	program::keep,
	support,
	training::{inputs, job, Carried, Training, NONE, ROWS, SHARDS, TOP_K},
};
use codec::DecodeAll;
use serde_json::{json, Value};
use tequio_engine_ml::{
	evaluate,
	grid::GridState,
	index::{Index, INDEX_BYTES},
	round::RoundOutcome,
	safetensors::write_state,
	Payload, State,
};
use tequio_interface::program::{ProgramJob, DIVERGED, MAX_INPUTS};

fn exact() -> Engine {
	Engine::start("exact-f64")
}

fn index(blobs: &Blobs, hash: &[u8; 32]) -> Index {
	Index::read(&blobs[hash]).unwrap()
}

/// The first round of all shards: the state, and what the shards gave.
fn first_round(engine: &mut Engine, training: &mut Training) -> ([u8; 32], [[u8; 32]; SHARDS]) {
	let given: [[u8; 32]; SHARDS] = std::array::from_fn(|shard| {
		let answer = engine.done(1, &job(training.train, shard, 0, &[]), &training.blobs);
		training.store(&answer)
	});
	let aggregate = job(training.aggregate, 0, 0, &inputs(NONE, &given));
	let answer = engine.done(1, &aggregate, &training.blobs);
	(training.store(&answer), given)
}

/// A chunk of training gave what the library finds.
fn check_contribution(answer: &Answer, shard: usize, payload: Payload, expected: &RoundOutcome) {
	assert_eq!(Some(answer.result.output), expected.outputs[shard]);
	assert_eq!(answer.blobs[0].len(), expected.payload_bytes[shard]);
	let residual = expected.residuals[shard].as_ref().map(|left| left.write().unwrap());
	match payload {
		Payload::Grid | Payload::Single => {
			assert_eq!((answer.blobs.len(), residual), (1, None));
			assert!(answer.result.shown.is_empty(), "it is too long");
		},
		Payload::TopK { .. } => {
			assert_eq!((answer.blobs.len(), answer.output().len()), (3, INDEX_BYTES));
			assert_eq!(Some(&answer.blobs[1]), residual.as_ref());
			assert_eq!(answer.result.shown, Index::of(&answer.blobs[0], &answer.blobs[1]).write());
		},
	}
}

/// A chunk of aggregation gave what the library finds.
fn check_state(answer: &Answer, expected: &RoundOutcome) {
	let parts = [&expected.weights, &expected.momentum].map(|part| write_state(part).unwrap());
	assert_eq!(answer.blobs[..2], parts);
	assert_eq!(answer.blobs[2], Index::of(&parts[0], &parts[1]).write());
	assert_eq!((answer.output(), answer.result.output), (&answer.blobs[2][..], expected.state));
	assert_eq!(answer.result.shown, answer.blobs[2]);
}

/// Evaluations of a state give what the library finds.
fn check_evaluations(engine: &mut Engine, training: &Training, state: [u8; 32], weights: &State) {
	let rows: Vec<u32> = (0..u32::try_from(ROWS).unwrap()).collect();
	for shard in 0..SHARDS {
		let answer = engine.done(3, &job(training.evaluate, shard, 0, &[state]), &training.blobs);
		let found = evaluate(&training.model, weights, training.shard(shard), &rows, 4).unwrap();
		let counts = (u64::from(found.right), u64::from(found.rows), found.loss);
		assert_eq!(<(u64, u64, u64)>::decode_all(&mut answer.output()), Ok(counts));
		assert_eq!(answer.result.shown, answer.output());
	}
}

/// Three rounds, chunk by chunk. One shard is missing in the first, and the rows of the first come
/// again in the third.
fn play(payload: Payload) {
	let mut training = Training::new(payload);
	let (mut exact, mut integer) = (exact(), Engine::start("integer"));
	let (mut carried, mut state, mut last) = (training.start(), NONE, [NONE; SHARDS]);
	for round in 0..3 {
		let missing = (round == 0).then_some(1);
		let expected = training.replay(round, missing, &carried);
		let mut given = [NONE; SHARDS];
		for shard in (0..SHARDS).filter(|shard| Some(*shard) != missing) {
			let train = job(training.train, shard, round, &inputs(state, &last));
			let answer = exact.done(1, &train, &training.blobs);
			check_contribution(&answer, shard, payload, &expected);
			given[shard] = training.store(&answer);
		}
		let aggregate = job(training.aggregate, 0, round, &inputs(state, &given));
		let answer = exact.done(2, &aggregate, &training.blobs);
		check_state(&answer, &expected);
		state = training.store(&answer);
		check_evaluations(&mut integer, &training, state, &expected.weights);
		let RoundOutcome { weights, momentum, residuals, .. } = expected;
		assert_ne!(weights, carried.weights);
		(carried, last) = (Carried { weights, momentum, residuals }, given);
	}
	assert!(exact.end().success() && integer.end().success());
}

#[test]
fn rounds_of_whole_changes_are_those_that_the_library_replays() {
	play(Payload::Grid);
}

#[test]
fn rounds_of_compressed_changes_are_those_that_the_library_replays() {
	play(TOP_K);
}

#[test]
fn each_round_takes_its_own_rows_and_starts_anew_when_they_are_through() {
	let (mut engine, training) = (exact(), Training::new(Payload::Grid));
	let mut given = |round, inputs: &[[u8; 32]]| {
		engine.done(1, &job(training.train, 0, round, inputs), &training.blobs)
	};
	let (first, second) = (given(0, &[]), given(1, &[]));
	assert_ne!(first, second);
	assert_eq!(given(2, &[NONE]), first);
	assert_eq!(given(u32::MAX, &[NONE; MAX_INPUTS]), second);
}

#[test]
fn what_was_left_out_is_part_of_the_next_change() {
	let (mut engine, mut training) = (exact(), Training::new(TOP_K));
	let (state, given) = first_round(&mut engine, &mut training);
	let mut trained =
		|inputs: &[[u8; 32]]| engine.done(1, &job(training.train, 0, 1, inputs), &training.blobs);
	let carried = trained(&inputs(state, &given));
	let forgotten = trained(&[state]);
	assert_ne!(carried.blobs[0], forgotten.blobs[0]);
	// Of the others' it takes nothing.
	assert_eq!(trained(&[state, given[0]]), carried);
	assert_eq!(trained(&[state, NONE, given[1]]), forgotten);
}

#[test]
fn what_an_earlier_round_made_has_to_be_there() {
	let (mut engine, mut training) = (exact(), Training::new(TOP_K));
	let (state, given) = first_round(&mut engine, &mut training);
	let all = inputs(state, &given);
	let train = job(training.train, 0, 1, &all);
	let aggregate = job(training.aggregate, 0, 1, &all);
	let (of_state, change) = (index(&training.blobs, &state), index(&training.blobs, &given[0]));
	for (job, hash, what) in [
		(&train, state, "index of the state"),
		(&train, of_state.first, "weights"),
		(&train, given[0], "index of the shard's last change"),
		(&train, change.second, "residual"),
		(&aggregate, state, "index of the state"),
		(&aggregate, of_state.first, "weights"),
		(&aggregate, of_state.second, "momentum"),
		(&aggregate, given[0], "index of a contribution"),
		(&aggregate, change.first, "contribution"),
	] {
		let mut without = training.blobs.clone();
		without.remove(&hash);
		engine.refused(job, &without, &format!("the {what}: not to be had"));
		without.insert(hash, b"something else".to_vec());
		engine.refused(job, &without, &format!("the {what}: other bytes"));
	}
	// What the other one needs.
	for (job, hash) in [
		(&train, of_state.second),
		(&train, change.first),
		(&train, given[1]),
		(&aggregate, change.second),
	] {
		let mut without = training.blobs.clone();
		without.remove(&hash);
		assert_eq!(engine.done(1, job, &without), engine.done(1, job, &training.blobs));
	}
}

#[test]
fn an_input_that_is_no_index_is_refused() {
	let (mut engine, mut training) = (exact(), Training::new(TOP_K));
	let short = keep(&mut training.blobs, DIVERGED.to_vec());
	let long = keep(&mut training.blobs, vec![7; INDEX_BYTES + 1]);
	for (before, what) in
		[(vec![], "index of the state"), (vec![NONE], "index of the shard's last change")]
	{
		let mut refused = |hash: [u8; 32], reason: &str| {
			let job = job(training.train, 0, 0, &[before.as_slice(), &[hash]].concat());
			engine.refused(&job, &training.blobs, &format!("the {what}: {reason}"));
		};
		refused(short, "an index has 16 bytes; it takes exactly 64");
		refused(long, "not to be had, or longer than 64 bytes");
	}
	// A contribution is one of several: what is no index is left out.
	let alone = |hash| job(training.aggregate, 0, 0, &[NONE, hash]);
	engine.refused(&alone(short), &training.blobs, "all contributions are missing or no changes");
	let reason = "the index of a contribution: not to be had, or longer than 64 bytes";
	engine.refused(&alone(long), &training.blobs, reason);
}

/// Outputs that are there and hand over no change of the model.
fn no_changes(training: &mut Training, payload: Payload) -> Vec<[u8; 32]> {
	let bytes = [b"nonsense".to_vec(), DIVERGED.to_vec(), vec![0]];
	let mut outputs = bytes.map(|bytes| keep(&mut training.blobs, bytes)).to_vec();
	match payload {
		Payload::Grid | Payload::Single => {
			let other = support::model_of("[1]", r#"{"kind":"dense","units":2,"bias":true}"#);
			let change = GridState::zeros_like(&other.zeros()).write().unwrap();
			outputs.push(keep(&mut training.blobs, change));
		},
		Payload::TopK { .. } => {
			// None of them is an index, and these are indices of them.
			for first in outputs.clone() {
				let index = Index { first, second: NONE }.write();
				outputs.push(keep(&mut training.blobs, index));
			}
		},
	}
	outputs
}

#[test]
fn contributions_that_are_no_changes_of_the_model_are_left_out() {
	for payload in [Payload::Grid, TOP_K] {
		let (mut engine, mut training) = (exact(), Training::new(payload));
		let (_, mut given) = first_round(&mut engine, &mut training);
		let others = no_changes(&mut training, payload);
		let rule = ("rule", json!({"trimmed_mean": {"trim": 1}}));
		let (mean, trimmed) = (training.aggregation(&[]), training.aggregation(&[rule]));
		let aggregate = |program: [u8; 32], given: &[[u8; 32]; SHARDS]| {
			job(program, 0, 0, &inputs(NONE, given))
		};
		given[2] = NONE;
		let without = engine.done(1, &aggregate(mean, &given), &training.blobs);
		for other in others {
			given[2] = other;
			let found = engine.done(2, &aggregate(mean, &given), &training.blobs);
			assert_eq!(found, without);
			let reason = "there are 2 contributions; the rule takes 3";
			engine.refused(&aggregate(trimmed, &given), &training.blobs, reason);
			let reason = "all contributions are missing or no changes of the model";
			engine.refused(&aggregate(mean, &[other; SHARDS]), &training.blobs, reason);
		}
	}
}

#[test]
fn aggregations_that_are_at_fault_are_refused_and_the_engine_goes_on() {
	let (mut engine, mut training) = (exact(), Training::new(Payload::Grid));
	let (_, given) = first_round(&mut engine, &mut training);
	let sound = job(training.aggregate, 0, 0, &inputs(NONE, &given));
	let with = |inputs: &[[u8; 32]]| ProgramJob { inputs: inputs.to_vec(), ..sound.clone() };
	let more = [sound.inputs.clone(), vec![NONE]].concat();
	for (job, reason) in [
		(ProgramJob { units: 2, ..sound.clone() }, "pays 2 units for a chunk of 1"),
		(ProgramJob { units: 0, ..sound.clone() }, "pays 0 units for a chunk of 1"),
		(with(&more), "5 inputs; 4 are the most"),
		(with(&[NONE; MAX_INPUTS + 1]), "66 inputs; 65 are the most"),
		(with(&[]), "all contributions are missing"),
		(with(&[NONE, NONE, NONE]), "all contributions are missing"),
		(ProgramJob { chunk: 1, ..sound.clone() }, "there is no chunk 1"),
	] {
		engine.refused(&job, &training.blobs, reason);
	}
	let alone = engine.done(1, &with(&[NONE, given[0]]), &training.blobs);
	assert_ne!(alone, engine.done(1, &sound, &training.blobs));
	let mut integer = Engine::start("integer");
	integer.refused(&sound, &training.blobs, "class exact-f64");
}

#[test]
fn aggregations_that_no_round_can_have_are_refused() {
	let (mut engine, mut training) = (exact(), Training::new(Payload::Grid));
	let (_, given) = first_round(&mut engine, &mut training);
	let all = inputs(NONE, &given);
	let mut refused = |field: &str, value: Value, inputs: &[[u8; 32]], reason: &str| {
		let program = training.aggregation(&[(field, value)]);
		engine.refused(&job(program, 0, 0, inputs), &training.blobs, reason);
	};
	refused("samples", json!([]), &[NONE], "0 contributions; 1 to 64");
	refused("samples", json!(vec![8; 65]), &all, "65 contributions; 1 to 64");
	refused("samples", json!([8, 0, 8]), &all, "contribution 1 was trained on no samples");
	refused("payload", json!({"top_k": {"share": 0}}), &all, "0 parts per million");
	refused("payload", json!({"top_k": {"share": 1_000_001}}), &all, "1000001 parts per million");
	let outer = json!({"learning_rate": 0, "momentum": 0});
	refused("outer", outer, &all, "outer learning rate of 0");
	let outer = json!({"learning_rate": 1, "momentum": 1_000_000});
	refused("outer", outer, &all, "outer momentum of 1000000");
	refused("clip", json!(999_999), &all, "clipped to 999999 millionths of their median");
	let rule = |trim: u16| json!({"trimmed_mean": {"trim": trim}});
	refused("rule", rule(2), &all, "there are 3 contributions; the rule takes 5");
	// One is missing.
	refused("rule", rule(1), &all[..3], "there are 2 contributions; the rule takes 3");
	refused("rule", json!("median"), &all, "the manifest cannot be read");
}

#[test]
fn an_outer_step_that_diverges_is_a_result() {
	let (mut engine, mut training) = (exact(), Training::new(Payload::Grid));
	let (_, given) = first_round(&mut engine, &mut training);
	let mut huge = training.weights.clone();
	for (_, tensor) in &mut huge.0 {
		tensor.data_mut().fill(1.7e308);
	}
	let huge = write_state(&huge).unwrap();
	let state = Index::of(&huge, &huge).write();
	keep(&mut training.blobs, huge);
	let state = keep(&mut training.blobs, state);
	let aggregate = job(training.aggregate, 0, 1, &inputs(state, &given));
	let answer = engine.done(1, &aggregate, &training.blobs);
	assert_eq!(answer.blobs, [DIVERGED]);
	assert_eq!((answer.output(), answer.result.shown.as_slice()), (DIVERGED, DIVERGED));
}

#[test]
fn an_aggregation_that_takes_too_much_memory_is_refused() {
	let (mut engine, mut training) = (exact(), Training::new(Payload::Grid));
	let card = r#"{"input":[1024],"layers":[{"kind":"dense","units":1024,"bias":true},
		{"kind":"dense","units":2,"bias":true}]}"#;
	training.card = keep(&mut training.blobs, card.as_bytes().to_vec());
	let mut refused = |contributions: usize, reason: &str| {
		let program = training.aggregation(&[("samples", json!(vec![1; contributions]))]);
		// Neither is it fetched.
		engine.refused(&job(program, 0, 0, &[NONE, [1; 32]]), &training.blobs, reason);
	};
	refused(64, "bytes for its aggregation; 1073741824 are the limit");
	// 8 · (57 + 2) · 1,051,650 multiply-adds.
	refused(57, "pays 1 units for a chunk of 474");
}
