//! Steps in singles: what workers and auditors give, what is made of that, and what ends an engine.

use crate::{
	double::{Fixed, Hungry, Off},
	support::signs,
	world::{World, RATE, ROWS, SEED, SGD, STEP, STEPS},
};
use codec::Encode;
use sp_crypto_hashing::blake2_256;
use tequio_engine_ml::{
	backend::{BackendError, Descent},
	class::Unfit,
	descend,
	model::OverLimit,
	network::InputError,
	optimiser::Millionths,
	payload::{read_single, write_single},
	projection::{self, is_of, project, read, seed_of},
	request::{Refusal, RequestError, WORKING_BYTES},
	round::ContributeError,
	safetensors::write_state,
	serve::{serve, ServeError},
	train::TrainError,
	Class, Payload, Reference, Rule, State,
};
use tequio_interface::{
	engine::{FromEngine, ToEngine},
	program::{ProgramJob, Projection, BANDED_F32, DIVERGED, EXACT_F32, EXAM, PROJECTED},
	wire::{read_frame, write_frame},
};

const BANDED: Class = Class::BandedF32;

fn world() -> World {
	World::new(Payload::Single, STEP, SGD)
}

fn truth(world: &World) -> Descent {
	descend(&world.model, &world.weights, RATE, &STEP, &world.shard, &ROWS).unwrap()
}

#[test]
fn workers_give_the_projection_of_the_file_that_it_names() {
	let (mut world, off) = (world(), Off::by(1.0 + 1e-6));
	let job = world.work();
	let found = world.done(BANDED, &off, &job);
	let [file, output] = found.blobs.as_slice() else { panic!("{found:?}") };
	let change = read_single(file, &world.weights).unwrap();
	assert_ne!(change, truth(&world).change, "it is the backend's");
	let hash = blake2_256(file);
	let expected = project(hash, &change, truth(&world).scale, &seed_of(&hash)).unwrap();
	assert_eq!((found.result.output, read(output)), (blake2_256(output), Ok(expected.clone())));
	assert!(is_of(&expected, &change));
	assert_eq!(found.result.projection, Some(expected));
	assert!(found.result.near.is_empty() && found.result.shown.is_empty());
}

#[test]
fn auditors_project_by_the_seed_that_they_are_given() {
	let mut world = world();
	let work = world.work();
	let worker = world.done(BANDED, &Off::by(1.0 + 1e-6), &work).result.projection.unwrap();
	let seed = seed_of(&worker.change);
	let audit = ProgramJob { seed: Some(seed), ..world.work() };
	let auditor = world.done(BANDED, &Reference, &audit);
	let own = truth(&world);
	let file = write_single(&own.change).unwrap();
	let shown = auditor.result.projection.clone().unwrap();
	// Its output is what it shows.
	assert_eq!(auditor.blobs, [file.clone(), projection::write(&shown)]);
	assert_eq!(auditor.result.output, blake2_256(&auditor.blobs[1]));
	assert_eq!(shown.change, blake2_256(&file));
	assert_ne!(shown.change, worker.change);
	check_slowly(&shown, &own, &seed);
	// A worker who makes the same file has another output, unless the seed is its own.
	let alone = world.done(BANDED, &Reference, &work);
	assert_eq!(alone.blobs[0], file);
	assert_ne!(alone.result.output, auditor.result.output);
	let seeded = ProgramJob { seed: Some(seed_of(&shown.change)), ..world.work() };
	assert_eq!(world.done(BANDED, &Reference, &seeded), alone);
	// Seen by the same signs, the two are as far apart as their changes.
	let [one, two] = [shown, worker];
	assert_eq!((one.exponent, one.scale), (two.exponent, two.scale));
	let unit = 2.0_f64.powi(one.exponent.into());
	let pairs = one.numbers.iter().zip(two.numbers);
	let squares = pairs.map(|(one, two)| (f64::from(*one) - f64::from(two)).powi(2));
	let distance = (squares.sum::<f64>() / 64.0).sqrt() * unit;
	let expected = 1e-6 * own.change.norm();
	assert!((0.4 * expected..2.0 * expected).contains(&distance), "{distance} {expected}");
}

/// A projection is the one of a step by a seed, with signs and sums found in another way.
fn check_slowly(found: &Projection, step: &Descent, seed: &[u8; 32]) {
	let all: Vec<f64> = step.change.0.iter().flat_map(|(_, part)| part.data()).copied().collect();
	let units =
		|number: f64, exponent: i16| (number / 2.0_f64.powi(exponent.into())).round_ties_even();
	let mut largest = step.scale;
	for (place, number) in found.numbers.into_iter().enumerate() {
		let mut sum = 0.0;
		for (at, element) in all.iter().enumerate() {
			let plus = (signs(seed, at) >> place) & 1 == 1;
			sum = if plus { sum + element } else { sum - element };
		}
		assert_eq!(units(sum, found.exponent), f64::from(number), "{place}");
		largest = sum.abs().max(largest);
	}
	assert_eq!(units(step.scale, found.exponent), f64::from(found.scale));
	assert!(units(largest, found.exponent) <= f64::from(i32::MAX));
	assert!(units(largest, found.exponent - 1) > f64::from(i32::MAX));
}

#[test]
fn what_diverges_is_projected_to_nothing_and_its_seed_is_no_known_one() {
	let mut world = World::diverging(Payload::Single, STEP);
	let mut seen = Vec::new();
	for seed in [None, None, Some([7; 32])] {
		let job = ProgramJob { seed, ..world.work() };
		let found = world.done(BANDED, &Reference, &job);
		assert_eq!(found.blobs, [DIVERGED]);
		assert_eq!(found.result.shown, DIVERGED);
		let Projection { change, exponent, scale, numbers } = found.result.projection.unwrap();
		assert_eq!((exponent, scale, numbers), (0, 0, [0; PROJECTED]));
		assert!(!seen.contains(&change));
		seen.push(change);
	}
	let judging = world.judging(&SEED, &[[7; 32]]);
	assert_eq!(world.done(BANDED, &Reference, &judging).result.projection, None);
	let mut world = self::world();
	let huge = TrainError::NotFinite { step: 0, what: "loss" };
	let job = world.work();
	let found = world.done(BANDED, &Fixed(Err(huge.into())), &job);
	assert_eq!(found.blobs, [DIVERGED]);
	assert!(found.result.projection.is_some());
}

#[test]
fn a_step_that_singles_are_too_coarse_for_is_refused() {
	let mut world = world();
	let (job, coarse) = (world.work(), TrainError::IllConditioned);
	let refused = world.refused(BANDED, &Fixed(Err(coarse.clone().into())), &job);
	assert!(refused.to_string().contains("exact-f64"), "{refused}");
	assert_eq!(refused, Refusal::Contribute(ContributeError::Train(coarse)));
}

#[test]
fn samples_beyond_all_singles_are_refused() {
	let mut x = [0.5; 18];
	x[4] = 1e39;
	let mut world = World::of(Payload::Single, STEP, SGD, &x);
	let job = world.work();
	let refused = world.refused(BANDED, &Reference, &job);
	let infinite = TrainError::Input(InputError::NotFinite);
	assert_eq!(refused, Refusal::Contribute(ContributeError::Train(infinite)));
}

#[test]
fn what_a_backend_takes_beside_the_model_is_bounded() {
	let mut world = world();
	let (job, judging) = (world.work(), world.judging(&SEED, &[]));
	let judging = ProgramJob { others: world.no_changes()[..1].to_vec(), ..judging };
	let (most, over) = (Hungry(WORKING_BYTES), Hungry(WORKING_BYTES + 1));
	assert_eq!(world.done(BANDED, &most, &job), world.done(BANDED, &Reference, &job));
	// Referees have the reference, which takes nothing.
	world.done(BANDED, &over, &judging);
	let weights = world.store.keep(write_state(&world.weights).unwrap());
	world.store.0.remove(&weights);
	let Refusal::OverLimit(OverLimit { needed, limit, .. }) = world.refused(BANDED, &over, &job)
	else {
		panic!("weights are fetched before memory is known")
	};
	assert_eq!((needed, limit), (WORKING_BYTES + 1, WORKING_BYTES));
}

#[test]
fn only_single_steps_of_plain_descent_are_taken() {
	let momentum = Rule::Momentum { learning_rate: RATE, momentum: Millionths(0) };
	let unfit = |class, payload, schedule, rule| {
		let mut world = World::new(payload, schedule, rule);
		let job = world.work();
		match world.refused(class, &Reference, &job) {
			Refusal::Unfit(unfit) => unfit,
			other => panic!("{other}"),
		}
	};
	assert_eq!(unfit(BANDED, Payload::Single, STEPS, SGD), Unfit::Steps(2));
	assert_eq!(unfit(BANDED, Payload::Single, STEP, momentum), Unfit::Rule);
	for payload in [Payload::Grid, Payload::TopK { share: 1 }] {
		let refused = unfit(BANDED, payload, STEP, SGD);
		assert_eq!(refused, Unfit::Payload { class: BANDED, wanted: "`single`" });
	}
	for class in [Class::ExactF64, Class::ExactF32] {
		let refused = unfit(class, Payload::Single, STEP, SGD);
		assert_eq!(refused, Unfit::Payload { class, wanted: "`grid` or `top_k`" });
	}
}

#[test]
fn training_in_singles_gives_the_same_outputs_as_in_doubles() {
	for payload in [Payload::Grid, Payload::TopK { share: 400_000 }] {
		let mut world = World::new(payload, STEPS, SGD);
		let (job, backend) = (world.work(), Off::by(1.0));
		let singles = world.done(Class::ExactF32, &backend, &job);
		assert_eq!(backend.asked.get(), 1);
		assert_eq!(singles, world.done(Class::ExactF64, &Reference, &job));
		let refused = world.run(Class::ExactF32, &Reference, &job);
		assert!(matches!(refused, Err(RequestError::Failed(_))), "{refused:?}");
	}
}

#[test]
fn a_backend_that_breaks_ends_its_engine() {
	let mut world = world();
	let (job, sound) = (world.work(), truth(&world));
	let with = |change: State, scale| Fixed(Ok(Descent { change, scale }));
	let mut doubles = sound.change.clone();
	doubles.0[0].1.data_mut()[0] = 0.1;
	let mut infinite = sound.change.clone();
	infinite.0[0].1.data_mut()[0] = f64::INFINITY;
	let broken = [
		Fixed(Err(BackendError::Failed("out of memory".into()))),
		with(State::default(), 1.0),
		with(doubles, 1.0),
		with(infinite, 1.0),
		with(sound.change.clone(), f64::NAN),
		with(sound.change.clone(), -1.0),
	];
	for backend in &broken {
		let failed = world.run(BANDED, backend, &job);
		assert!(matches!(failed, Err(RequestError::Failed(_))), "{failed:?}");
	}
	let found = world.done(BANDED, &with(sound.change.clone(), sound.scale), &job);
	assert_eq!(found.blobs[..1], [write_single(&sound.change).unwrap()]);
}

/// Has an engine serve one exam; what it says, and how it ends.
fn served(class: Class) -> (Vec<FromEngine>, Result<(), ServeError>) {
	let (program, inputs, others) = (EXAM, vec![], vec![]);
	let exam = ProgramJob { program, chunk: 0, round: 0, inputs, units: 1, others, seed: None };
	let (mut asked, mut said) = (Vec::new(), Vec::new());
	write_frame(&mut asked, &ToEngine::Run { id: 7, payload: exam.encode() }).unwrap();
	let ended = serve(class, &Reference, asked.as_slice(), &mut said);
	let (mut rest, mut messages) = (said.as_slice(), Vec::new());
	while !rest.is_empty() {
		messages.push(read_frame(&mut rest).unwrap());
	}
	(messages, ended)
}

#[test]
fn an_engine_says_what_it_is_and_ends_with_its_backend() {
	let (said, ended) = served(BANDED);
	assert!(ended.is_ok());
	assert_eq!(said[0], FromEngine::Ready { class: BANDED_F32 });
	let about = "banded-f32, plain Rust, 1 thread".into();
	assert_eq!(said[1], FromEngine::Setup { about });
	assert!(matches!(said.last(), Some(FromEngine::Done { id: 7, .. })));
	let (said, ended) = served(Class::ExactF32);
	let Err(ServeError::Backend(words)) = ended else { panic!("{ended:?}") };
	assert!(words.contains("tequio-engine-torch"), "{words}");
	// Nobody has an answer, so that another engine is asked.
	assert_eq!(said.len(), 2);
	assert_eq!(said[0], FromEngine::Ready { class: EXACT_F32 });
}
