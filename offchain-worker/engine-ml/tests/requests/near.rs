//! What referees call near, and which outputs of others are not judged at all.

use crate::{
	double::{singles, Fixed, Off},
	world::{World, RATE, ROWS, SEED, SGD, STEP, STEPS},
};
use tequio_engine_ml::{
	blobs::BlobError,
	descend,
	grid::GridState,
	near::{is_well_conditioned, within_band, BAND, FLOOR},
	payload::write_single,
	projection::{self, read, seed_of, PROJECTION_BYTES},
	request::Refusal,
	safetensors::write_state,
	train::TrainError,
	Class, Descent, Payload, Reference, State,
};
use tequio_interface::program::{ProgramJob, DIVERGED};

const BANDED: Class = Class::BandedF32;
const NOTHING: [[u8; 32]; 0] = [];

fn sorted(mut hashes: Vec<[u8; 32]>) -> Vec<[u8; 32]> {
	hashes.sort_unstable();
	hashes
}

/// A world, and what a referee finds in it.
fn world() -> (World, Descent) {
	let world = World::new(Payload::Single, STEP, SGD);
	let World { model, weights, shard, .. } = &world;
	let own = descend(model, weights, RATE, &STEP, shard, &ROWS).unwrap();
	assert!(BAND * own.scale > FLOOR, "{}", own.scale);
	(world, own)
}

/// Hands over a step in singles, projected by the seed of the attempt; the output's hash.
fn hand_over(world: &mut World, change: &State, scale: f64) -> [u8; 32] {
	world.project_file(write_single(change).unwrap(), change, scale, Some(&SEED))
}

/// Adds this much to the first element.
fn moved(change: &State, by: f64) -> State {
	let mut moved = change.clone();
	moved.0[0].1.data_mut()[0] += by;
	singles(moved)
}

#[test]
fn steps_in_singles_are_near_within_the_band() {
	let (mut world, own) = world();
	let band = BAND * own.scale;
	let mut output = |by: f64| hand_over(&mut world, &moved(&own.change, by), own.scale);
	let near = vec![output(0.9 * band), output(-0.9 * band)];
	let far = [output(1.1 * band), output(-1.1 * band)];
	let same = output(0.0);
	let others = [near.clone(), far.to_vec(), vec![same]].concat();
	assert_eq!(world.near(&SEED, &others), sorted(near));
	// Nobody is near itself.
	let job = world.judging(&SEED, &others);
	assert_eq!(world.done(BANDED, &Reference, &job).result.output, same);
	let nothing = world.no_changes();
	assert_eq!(world.near(&SEED, &nothing), NOTHING);
}

#[test]
fn all_parties_are_judged_by_the_seed_of_the_workers_file() {
	let (mut world, own) = world();
	let (work, off) = (world.work(), Off::by(1.0 + 1e-6));
	let worker = world.done(BANDED, &off, &work).result;
	let seed = seed_of(&worker.projection.unwrap().change);
	let audit = ProgramJob { seed: Some(seed), ..world.work() };
	let auditor = world.done(BANDED, &Off::by(1.0 - 1e-6), &audit).result.output;
	// The same step, but projected by its own seed as a worker's would be.
	let alone = world.done(BANDED, &Off::by(1.0 - 1e-6), &work).result.output;
	let far = world.done(BANDED, &Off::by(1.0 + 3.0 * BAND), &audit).result.output;
	assert!(BAND * own.scale < 3.0 * BAND * own.change.norm());
	let others = [worker.output, auditor, alone, far];
	assert_eq!(world.near(&seed, &others), sorted(vec![worker.output, auditor]));
	assert_eq!(world.near(&SEED, &others), NOTHING);
}

#[test]
fn a_scale_that_is_claimed_wrongly_is_not_near() {
	let (mut world, own) = world();
	let close = moved(&own.change, 0.1 * BAND * own.scale);
	let mut claimed = |factor: f64| hand_over(&mut world, &close, factor * own.scale);
	let near = vec![claimed(1.0), claimed(1.0 + 0.9 * BAND), claimed(1.0 - 0.9 * BAND)];
	let far = [1.0 + 1.1 * BAND, 1.0 - 1.1 * BAND, 0.0, 1e3, 1e-3].map(&mut claimed);
	assert_eq!(world.near(&SEED, &[near.clone(), far.to_vec()].concat()), sorted(near));
}

#[test]
fn a_file_alone_is_no_output_of_a_step() {
	let (mut world, own) = world();
	let close = moved(&own.change, 0.5 * BAND * own.scale);
	let files = [
		write_single(&close).unwrap(),
		write_state(&close).unwrap(),
		GridState::round(&close).unwrap().write().unwrap(),
	];
	let mut others = Vec::new();
	// The projection of singles names other numbers.
	for file in &files[1..] {
		others.push(world.project_file(file.clone(), &close, own.scale, Some(&SEED)));
	}
	let near = world.project_file(files[0].clone(), &close, own.scale, Some(&SEED));
	others.push(near);
	assert_eq!(world.near(&SEED, &others), [near]);
	// A file is longer than an output may be.
	let file = world.store.keep(files[0].clone());
	assert!(files[0].len() > PROJECTION_BYTES);
	check_missing(&mut world, file, "output of another");
}

/// Whoever should judge this output refuses to.
fn check_missing(world: &mut World, other: [u8; 32], part: &str) {
	let job = world.judging(&SEED, &[other]);
	let refused = world.refused(BANDED, &Reference, &job);
	let is = matches!(refused, Refusal::Blob(BlobError::Missing { what, .. }) if what == part);
	assert!(is, "{refused}");
}

#[test]
fn nobody_is_found_wrong_because_bytes_are_withheld() {
	let (mut world, own) = world();
	let output = hand_over(&mut world, &moved(&own.change, 0.1 * BAND * own.scale), own.scale);
	let file = read(&world.store.0[&output]).unwrap().change;
	assert_eq!(world.near(&SEED, &[output]), [output]);
	for (hash, what) in [(output, "output of another"), (file, "change of another")] {
		let bytes = world.store.0.insert(hash, b"something else".to_vec()).unwrap();
		let job = world.judging(&SEED, &[output]);
		let refused = world.refused(BANDED, &Reference, &job);
		assert_eq!(refused, Refusal::Blob(BlobError::OtherBytes { what }));
		world.store.0.remove(&hash);
		check_missing(&mut world, output, what);
		world.store.keep(bytes);
	}
	// One whose bytes are there does not help the others.
	let job = world.judging(&SEED, &[output, [0xff; 32]]);
	assert!(matches!(world.refused(BANDED, &Reference, &job), Refusal::Blob(_)));
	let mut long = read(&world.store.0[&output]).unwrap();
	let most = Payload::Single.max_bytes(&world.weights);
	long.change = world.store.keep(vec![0; most + 1]);
	let long = world.store.keep(projection::write(&long));
	check_missing(&mut world, long, "change of another");
}

#[test]
fn nobody_judges_without_a_seed() {
	let (mut world, own) = world();
	let output = hand_over(&mut world, &own.change, own.scale);
	let job = ProgramJob { seed: None, ..world.judging(&SEED, &[output]) };
	assert_eq!(world.refused(BANDED, &Reference, &job), Refusal::NoSeed);
}

#[test]
fn exact_classes_have_no_tolerance() {
	for payload in [Payload::Grid, Payload::TopK { share: 400_000 }] {
		for class in [Class::ExactF64, Class::ExactF32, Class::Integer] {
			let mut world = World::new(payload, STEPS, SGD);
			let off = Off::by(1.0);
			for seed in [Some(SEED), None] {
				let job = ProgramJob { seed, ..world.judging(&SEED, &[[1; 32]]) };
				let refused = world.refused(class, &off, &job);
				assert_eq!(refused, Refusal::NothingNear(class));
			}
			assert_eq!(off.asked.get(), 0);
		}
	}
}

#[test]
fn differences_below_one_unit_in_all_never_matter() {
	let (mut world, _) = world();
	let still = world.weights.zeros_like();
	assert!(within_band(&still, 0.0, &moved(&still, FLOOR)));
	assert!(!within_band(&still, 0.0, &moved(&still, 1.01 * FLOOR)));
	let mut both = moved(&still, 0.8 * FLOOR);
	assert!(within_band(&still, 0.0, &both));
	both.0[1].1.data_mut()[0] = 0.8 * FLOOR;
	assert!(!within_band(&still, 0.0, &both), "the floor is one of the norm");
	assert!(within_band(&still, 2.0 * FLOOR / BAND, &both));
	assert!(!within_band(&still, 1.0, &State::default()));
	world.weights.0.pop();
	assert!(!within_band(&still, 1.0, &world.weights));
	let mut nan = still.clone();
	nan.0[0].1.data_mut()[0] = f64::NAN;
	assert!(!within_band(&still, 1.0, &nan));
}

#[test]
fn steps_are_well_conditioned_within_a_quarter_of_the_band() {
	let (world, own) = world();
	let other = |by: f64, scale: f64| Descent { change: moved(&own.change, by), scale };
	let quarter = BAND * own.scale / 4.0;
	assert!(is_well_conditioned(&own, &own));
	for sign in [1.0, -1.0] {
		assert!(is_well_conditioned(&other(sign * 0.9 * quarter, own.scale), &own));
		assert!(!is_well_conditioned(&other(sign * 1.1 * quarter, own.scale), &own));
		assert!(is_well_conditioned(&other(0.0, own.scale + sign * 0.9 * quarter), &own));
		assert!(!is_well_conditioned(&other(0.0, own.scale + sign * 1.1 * quarter), &own));
	}
	assert!(!is_well_conditioned(&other(0.0, f64::NAN), &own));
	assert!(!is_well_conditioned(&other(f64::NAN, own.scale), &own));
	let still = Descent { change: world.weights.zeros_like(), scale: 0.0 };
	let floor = |by: f64| Descent { change: moved(&still.change, by * FLOOR), scale: 0.0 };
	assert!(is_well_conditioned(&floor(0.25), &still));
	assert!(!is_well_conditioned(&floor(0.26), &still));
}

#[test]
fn divergence_is_equal_or_nothing() {
	let mut world = World::diverging(Payload::Single, STEP);
	let still = world.weights.zeros_like();
	let mut others = world.no_changes();
	others.push(hand_over(&mut world, &still, 1.0));
	let job = world.judging(&SEED, &others);
	let found = world.done(BANDED, &Reference, &job);
	assert_eq!(found.blobs, [DIVERGED]);
	assert_eq!((found.result.near, found.result.projection), (vec![], None));
}

#[test]
fn referees_have_the_reference() {
	let (mut world, own) = world();
	let (work, off) = (world.work(), Off::by(1.5));
	let theirs = world.done(BANDED, &off, &work).result.output;
	assert_eq!(off.asked.take(), 1);
	let job = world.judging(&SEED, &[theirs]);
	let judged = world.done(BANDED, &off, &job).result;
	assert_eq!(off.asked.get(), 0);
	// Half as much again is far from the truth.
	assert!(judged.near.is_empty());
	assert_eq!(judged.projection, None);
	assert_eq!(judged.output, hand_over(&mut world, &own.change, own.scale));
	// What no backend in singles answers they judge as well.
	let refuses = Fixed(Err(TrainError::IllConditioned.into()));
	assert_eq!(world.done(BANDED, &refuses, &job).result, judged);
}
