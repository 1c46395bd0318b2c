//! Rounds: what shards contribute, how that becomes new weights, and which rows are whose turn.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use sp_crypto_hashing::blake2_256;
use std::slice;
use support::{model_of, shard, tensor, weights};
use tequio_engine_ml::{
	aggregate::{self, aggregate, outer::Outer, AggregateError, Contribution},
	class::Unfit,
	compress::{compress, CompressError},
	dataset::Shard,
	descend,
	grid::{GridState, GridTensor, MAX_UNITS},
	index::Index,
	optimiser::Millionths,
	payload::{read_single, write_single},
	projection::{is_of, read},
	round::{
		combine, contribute, replay, rows_of, CombineError, Combined, ContributeError, Contributed,
		LocalRun, PeriodError, RoundError, RoundOutcome, MAX_SHARDS,
	},
	safetensors::write_state,
	train,
	train::TrainError,
	Model, Payload, Rule, Schedule, State, Tensor,
};

const SCHEDULE: Schedule = Schedule { steps: 2, batch: 4, micro_batch: 4 };
const SGD: Rule = Rule::Sgd { learning_rate: Millionths(100_000) };
const OUTER: Outer = Outer { learning_rate: 700_000, momentum: 900_000 };
const MEAN: aggregate::Rule = aggregate::Rule::Mean;
const TOP_K: Payload = Payload::TopK { share: 400_000 };
/// Each half of the rows has samples of both classes.
const LABELS: [u8; 8] = [0, 1, 1, 0, 1, 0, 0, 1];
const ROWS: [u32; 8] = [0, 3, 1, 2, 5, 7, 6, 4];
const SAMPLES: [u32; 3] = [8, 8, 4];

/// A linear model of three features and two classes.
fn linear() -> Model {
	model_of("[3]", r#"{"kind": "dense", "units": 2, "bias": true}"#)
}

fn shards() -> Vec<Shard> {
	let of = |seed| shard(&tensor(&[8, 3], seed), &LABELS, 2);
	(20..23).map(of).collect()
}

/// Samples so large that training on them diverges.
fn huge() -> Shard {
	shard(&Tensor::new(vec![8, 3], vec![1e300; 24]).unwrap(), &LABELS, 2)
}

fn run(shard: &Shard, samples: u32) -> LocalRun<'_> {
	LocalRun { shard, rows: &ROWS, schedule: &SCHEDULE, rule: SGD, residual: None, samples }
}

/// What a shard makes of the weights, on the grid.
fn change(model: &Model, weights: &State, shard: &Shard) -> GridState {
	let trained = train(model, weights, SGD, &SCHEDULE, shard, &ROWS).unwrap();
	GridState::round(&trained.change).unwrap()
}

fn contributed(
	shard: &Shard,
	payload: Payload,
	residual: Option<&GridState>,
) -> Result<Contributed, ContributeError> {
	let model = linear();
	contribute(&model, &weights(&model, 1), shard, &ROWS, &SCHEDULE, SGD, payload, residual)
}

/// Combines whole changes with the plain mean.
fn combined(
	weights: &State,
	momentum: &State,
	given: &[Option<Vec<u8>>],
	samples: &[u32],
) -> Result<Combined, CombineError> {
	let (model, payload) = (linear(), Payload::Grid);
	combine(&model, weights, momentum, given, samples, payload, MEAN, OUTER)
}

/// A round of these shards, from weights and momentum that are not zero.
fn round(shards: &[Option<LocalRun<'_>>], payload: Payload) -> Result<RoundOutcome, RoundError> {
	let model = linear();
	let (weights, momentum) = (weights(&model, 1), weights(&model, 2));
	replay(&model, &weights, &momentum, shards, payload, MEAN, OUTER)
}

#[test]
fn a_round_is_local_training_a_mean_and_an_outer_step() {
	let (model, shards) = (linear(), shards());
	let (start, momentum) = (weights(&model, 1), weights(&model, 2));
	let whole: Vec<_> = shards.iter().map(|shard| change(&model, &start, shard)).collect();
	let still = GridState::zeros_like(&start);
	let short: Vec<_> = whole.iter().map(|one| compress(one, &still, 400_000).unwrap()).collect();
	let short: Vec<_> = short.into_iter().map(|one| one.change).collect();
	assert_ne!(whole, short);
	let runs: Vec<_> =
		shards.iter().zip(SAMPLES).map(|(shard, samples)| Some(run(shard, samples))).collect();
	for (payload, changes) in [(Payload::Grid, whole), (TOP_K, short)] {
		let changes: Vec<_> = changes.iter().map(GridState::to_state).collect();
		let contributions: Vec<_> = changes
			.iter()
			.zip(SAMPLES)
			.map(|(change, samples)| Contribution { change, samples })
			.collect();
		let mean = aggregate(&contributions, MEAN).unwrap().change;
		let expected = OUTER.step(&start, &momentum, &mean).unwrap();
		let outcome = round(&runs, payload).unwrap();
		let parts = [&expected.0, &expected.1].map(|part| write_state(part).unwrap());
		assert_eq!(outcome.state, blake2_256(&Index::of(&parts[0], &parts[1]).write()));
		assert_eq!((outcome.weights, outcome.momentum), expected);
	}
}

#[test]
fn a_whole_change_is_its_own_output() {
	let (model, shards) = (linear(), shards());
	let made = contributed(&shards[0], Payload::Grid, None).unwrap();
	let change = change(&model, &weights(&model, 1), &shards[0]);
	let bytes = change.write().unwrap();
	assert_eq!((made.payload(), made.payload_bytes), (&bytes[..], bytes.len()));
	assert_eq!((&made.blobs, &made.output), (&vec![bytes.clone()], &bytes));
	assert_eq!((made.change, made.residual), (change, None));
}

#[test]
fn a_compressed_change_comes_with_its_residual_and_takes_the_last_one() {
	let (model, shards) = (linear(), shards());
	let change = change(&model, &weights(&model, 1), &shards[0]);
	let mut residual = GridState::zeros_like(&weights(&model, 1));
	for turn in 0..2 {
		let expected = compress(&change, &residual, 400_000).unwrap();
		let last = (turn > 0).then_some(&residual);
		let made = contributed(&shards[0], TOP_K, last).unwrap();
		let left = expected.residual.write().unwrap();
		let index = Index::of(&expected.bytes, &left).write();
		assert_eq!(made.payload_bytes, expected.bytes.len());
		assert_eq!((made.payload(), &made.output), (&expected.bytes[..], &index));
		assert_eq!(made.blobs, [expected.bytes, left, index]);
		assert_eq!(
			(made.change, made.residual.as_ref()),
			(expected.change, Some(&expected.residual))
		);
		assert_ne!(residual, expected.residual);
		residual = expected.residual;
	}
}

#[test]
fn shards_that_are_missing_or_diverge_are_left_out() {
	let (shards, huge) = (shards(), huge());
	for payload in [Payload::Grid, TOP_K] {
		let alone = round(&[Some(run(&shards[0], 3))], payload).unwrap();
		let with_others = [None, Some(run(&shards[0], 3)), Some(run(&huge, 9))];
		let outcome = round(&with_others, payload).unwrap();
		assert_eq!((&outcome.weights, outcome.state), (&alone.weights, alone.state));
		assert_eq!(outcome.outputs, [None, alone.outputs[0], None]);
		assert_eq!(outcome.payload_bytes, [0, alone.payload_bytes[0], 0]);
		assert_eq!(outcome.residuals, [None, alone.residuals[0].clone(), None]);
		let nobody = round(&[None, Some(run(&huge, 9))], payload);
		assert_eq!(nobody, Err(CombineError::NothingThere.into()));
	}
}

#[test]
fn a_compressed_payload_takes_fewer_bytes() {
	let shards = shards();
	let bytes = |payload| round(&[Some(run(&shards[0], 1))], payload).unwrap().payload_bytes[0];
	assert!(10 * bytes(TOP_K) < bytes(Payload::Grid));
}

/// What a shard makes of one step of descent.
fn one_step_of(shard: &Shard, schedule: &Schedule) -> Contributed {
	let (model, payload) = (linear(), Payload::Single);
	contribute(&model, &weights(&model, 1), shard, &ROWS, schedule, SGD, payload, None).unwrap()
}

#[test]
fn steps_in_singles_are_rounded_by_whoever_aggregates() {
	let (model, shards) = (linear(), shards());
	let start = weights(&model, 1);
	let schedule = Schedule { steps: 1, batch: 8, micro_batch: 3 };
	let one_step = |shard| Some(LocalRun { schedule: &schedule, ..run(shard, 1) });
	let runs: Vec<_> = shards.iter().map(one_step).collect();
	let outcome = round(&runs, Payload::Single).unwrap();
	let mut changes = Vec::new();
	for (shard, output) in shards.iter().zip(&outcome.outputs) {
		let rate = Millionths(100_000);
		let step = descend(&model, &start, rate, &schedule, shard, &ROWS).unwrap();
		let made = one_step_of(shard, &schedule);
		let file = write_single(&step.change).unwrap();
		// The output names the file, and says what its projection is.
		assert_eq!(made.blobs, [file.clone(), made.output.clone()]);
		assert_eq!((made.payload(), made.payload_bytes), (&file[..], file.len()));
		assert_eq!(*output, Some(blake2_256(&made.output)));
		let projection = read(&made.output).unwrap();
		assert_eq!(projection.change, blake2_256(&file));
		assert!(is_of(&projection, &read_single(&file, &start).unwrap()));
		assert_eq!((made.projection, made.descent), (Some(projection), Some(step.clone())));
		changes.push(GridState::round(&step.change).unwrap().to_state());
	}
	let given: Vec<_> = changes.iter().map(|change| Contribution { change, samples: 1 }).collect();
	let mean = aggregate(&given, MEAN).unwrap().change;
	let expected = OUTER.step(&start, &weights(&model, 2), &mean).unwrap();
	assert_eq!((outcome.weights, outcome.momentum), expected);
	assert_eq!(outcome.residuals, [None, None, None]);
	let refused = contributed(&shards[0], Payload::Single, None);
	assert_eq!(refused, Err(ContributeError::Unfit(Unfit::Steps(2))));
}

#[test]
fn what_gets_too_large_has_diverged() {
	let (model, shards) = (linear(), shards());
	for payload in [Payload::Grid, TOP_K] {
		assert_eq!(contributed(&huge(), payload, None), Err(ContributeError::Diverged));
	}
	// With what was left out before, the change is beyond the grid.
	let edge = GridState::zeros_like(&weights(&model, 1)).0.into_iter().map(|(name, tensor)| {
		let units = vec![MAX_UNITS; tensor.units().len()];
		(name, GridTensor::new(tensor.shape().to_vec(), units).unwrap())
	});
	let edge = GridState(edge.collect());
	let beyond = contributed(&shards[0], TOP_K, Some(&edge));
	assert_eq!(beyond, Err(ContributeError::Diverged));

	let given = contributed(&shards[0], Payload::Grid, None).unwrap().output;
	let mut large = model.zeros();
	large.0.iter_mut().for_each(|(_, tensor)| tensor.data_mut().fill(1.7e308));
	let step = combined(&large, &large, &[Some(given)], &[1]);
	assert_eq!(step, Err(CombineError::Diverged));
}

#[test]
fn contribute_should_fail_when_its_input_does_not_fit() {
	let (shards, wide) = (shards(), shard(&tensor(&[8, 4], 1), &[0; 8], 2));
	let few = &ROWS[..7];
	let short = LocalRun { rows: few, ..run(&shards[1], 1) };
	let failed = round(&[Some(run(&shards[0], 1)), Some(short)], Payload::Grid);
	let indices = TrainError::Indices { found: 7, steps: 2, batch: 4, expected: 8 };
	let error = ContributeError::Train(indices);
	assert_eq!(failed, Err(RoundError::Shard { shard: 1, error }));
	let other = contributed(&wide, Payload::Grid, None);
	assert!(matches!(other, Err(ContributeError::Train(TrainError::Input(_)))));
	for share in [0, 1_000_001] {
		let refused = contributed(&shards[0], Payload::TopK { share }, None);
		assert_eq!(refused, Err(ContributeError::Compress(CompressError::Keep(share))));
	}
	let nothing = GridState::default();
	let refused = contributed(&shards[0], TOP_K, Some(&nothing));
	assert_eq!(refused, Err(ContributeError::Compress(CompressError::OtherShapes)));
}

#[test]
fn what_is_no_change_of_the_model_is_left_out_like_a_missing_one() {
	let (model, shards) = (linear(), shards());
	let (start, still) = (weights(&model, 1), model.zeros());
	let wide = model_of("[4]", r#"{"kind": "dense", "units": 2, "bias": true}"#);
	let wide = GridState::zeros_like(&wide.zeros()).write().unwrap();
	for payload in [Payload::Grid, TOP_K] {
		let made = contributed(&shards[0], payload, None).unwrap();
		let (given, mut cut) = (Some(made.payload().to_vec()), made.payload().to_vec());
		cut.pop();
		let with = |given: &[Option<Vec<u8>>], rule| {
			combine(&model, &start, &still, given, &[1; 3], payload, rule, OUTER)
		};
		let expected = with(&[given.clone(), None, given.clone()], MEAN).unwrap();
		for other in [vec![], b"nonsense".to_vec(), cut, wide.clone()] {
			let other = Some(other);
			let found = with(&[given.clone(), other.clone(), given.clone()], MEAN);
			assert_eq!(found.as_ref(), Ok(&expected));
			let krum = aggregate::Rule::MultiKrum { faulty: 0 };
			let few = AggregateError::TooFew { given: 2, least: 3 };
			let found = with(&[given.clone(), other.clone(), given.clone()], krum);
			assert_eq!(found, Err(few.into()));
			let none = with(&[other.clone(), None, other], MEAN);
			assert_eq!(none, Err(CombineError::NothingThere));
		}
	}
}

#[test]
fn combine_should_fail_when_its_input_does_not_fit() {
	let (model, shards) = (linear(), shards());
	let (start, still) = (weights(&model, 1), model.zeros());
	let given = Some(contributed(&shards[0], Payload::Grid, None).unwrap().output);
	let refused = |given: &[Option<Vec<u8>>], samples: &[u32]| {
		combined(&start, &still, given, samples).unwrap_err()
	};
	assert_eq!(refused(&[], &[]), CombineError::Contributions(0));
	let many = vec![1; MAX_SHARDS + 1];
	assert_eq!(refused(&[], &many), CombineError::Contributions(MAX_SHARDS + 1));
	let one = slice::from_ref(&given);
	assert_eq!(refused(one, &[0]), CombineError::NoSamples(0));
	let number = CombineError::Number { found: 1, expected: 2 };
	assert_eq!(refused(one, &[1, 1]), number);
	assert_eq!(refused(&[None, None], &[1, 1]), CombineError::NothingThere);
	let other = combined(&start, &State::default(), one, &[1]);
	assert!(matches!(other, Err(CombineError::State(_))));
	let krum = aggregate::Rule::MultiKrum { faulty: 0 };
	let with = |given: &[Option<Vec<u8>>]| {
		combine(&model, &start, &still, given, &[1; 3], Payload::Grid, krum, OUTER).map(|_| ())
	};
	let few = AggregateError::TooFew { given: 2, least: 3 };
	assert_eq!(with(&[given.clone(), None, given.clone()]), Err(few.into()));
	assert_eq!(with(&[given.clone(), given.clone(), given.clone()]), Ok(()));
}

fn of(rows: &[u32], round: u32) -> Result<&[u32], PeriodError> {
	rows_of(rows, &SCHEDULE, round)
}

#[test]
fn rows_are_those_of_the_round_and_start_anew_when_they_are_through() {
	let rows: Vec<u32> = (0..24).collect();
	assert_eq!(of(&rows, 0), Ok(&rows[..8]));
	assert_eq!(of(&rows, 1), Ok(&rows[8..16]));
	assert_eq!(of(&rows, 2), Ok(&rows[16..]));
	assert_eq!(of(&rows, 3), Ok(&rows[..8]));
	assert_eq!(of(&rows, u32::MAX), Ok(&rows[..8]), "it is three times a number");
	assert_eq!(of(&rows[..8], 5), Ok(&rows[..8]));
	for length in [0, 1, 7, 9, 23] {
		let refused = PeriodError { rows: length, period: 8 };
		assert_eq!(of(&rows[..length], 0), Err(refused));
	}
	let none = Schedule { steps: 0, ..SCHEDULE };
	assert_eq!(rows_of(&rows, &none, 0), Err(PeriodError { rows: 24, period: 0 }));
	let endless = Schedule { steps: u32::MAX, batch: u32::MAX, micro_batch: 1 };
	assert!(rows_of(&rows, &endless, 0).is_err());
}

#[test]
fn payloads_are_written_in_json() {
	for (payload, json) in [
		(Payload::Grid, r#""grid""#),
		(TOP_K, r#"{"top_k":{"share":400000}}"#),
		(Payload::Single, r#""single""#),
	] {
		assert_eq!(serde_json::to_string(&payload).unwrap(), json);
		assert_eq!(serde_json::from_str::<Payload>(json).unwrap(), payload);
	}
	for wrong in [r#""top_k""#, r#"{"top_k":{"share":0.4}}"#, r#"{"top_k":{"keep":1}}"#] {
		assert!(serde_json::from_str::<Payload>(wrong).is_err(), "{wrong}");
	}
}
