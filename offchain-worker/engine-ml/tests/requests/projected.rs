//! Outputs of steps in singles whose projection is not that of the file that they name: nobody who
//! reads them takes them for a change.

use crate::world::{World, RATE, ROWS, SGD, STEP};
use tequio_engine_ml::{
	backend::Descent,
	blobs::BlobError,
	descend,
	payload::write_single,
	projection::{self, project, read, seed_of, PROJECTION_BYTES},
	request::{Computed, Refusal},
	round::CombineError,
	safetensors::write_state,
	Class, Payload, Reference, State,
};
use tequio_interface::program::{ProgramJob, Projection, DIVERGED};

fn world() -> World {
	World::new(Payload::Single, STEP, SGD)
}

fn truth(world: &World) -> Descent {
	descend(&world.model, &world.weights, RATE, &STEP, &world.shard, &ROWS).unwrap()
}

/// A step that is ten times as long, backwards.
fn poison(step: &State) -> State {
	let mut poison = step.clone();
	for (_, tensor) in &mut poison.0 {
		tensor
			.data_mut()
			.iter_mut()
			.for_each(|element| *element = f64::from(*element as f32 * -10.0));
	}
	poison
}

/// A step near the truth, and the projection that is its honest output.
fn close(world: &mut World) -> (State, Projection) {
	let step = truth(world);
	let mut close = step.change.clone();
	let element = &mut close.0[0].1.data_mut()[0];
	*element = f64::from((*element * (1.0 + 1e-6)) as f32);
	assert_ne!(close, step.change);
	let file = write_single(&close).unwrap();
	let output = world.project_file(file, &close, step.scale, None);
	let projection = read(&world.store.0[&output]).unwrap();
	(close, projection)
}

/// Outputs that pass for nothing, with a word for each.
fn forged(world: &mut World) -> Vec<(&'static str, [u8; 32])> {
	let (close, sound) = close(world);
	let bad = world.store.keep(write_single(&poison(&close)).unwrap());
	let scale = truth(world).scale;
	// What the chain would like to see: the true change by the seed that the file asks for.
	let shown = project(bad, &close, scale, &seed_of(&bad)).unwrap();
	let mut number = sound.clone();
	number.numbers[17] += 1;
	let coarse = Projection {
		exponent: sound.exponent + 1,
		scale: sound.scale / 2,
		numbers: sound.numbers.map(|number| number / 2),
		..sound.clone()
	};
	let doubles = world.store.keep(write_state(&close).unwrap());
	let nonsense = world.store.keep(b"nonsense".to_vec());
	let projections = [
		("the projection of another file", shown),
		("the projection by another seed", Projection { change: bad, ..sound.clone() }),
		("a number", number),
		("the form", coarse),
		("the scale", Projection { scale: u32::MAX, ..sound.clone() }),
		("the exponent", Projection { exponent: i16::MAX, ..sound.clone() }),
		("doubles", project(doubles, &close, scale, &seed_of(&doubles)).unwrap()),
		("no tensors", Projection { change: nonsense, ..sound.clone() }),
	];
	let mut outputs: Vec<_> = projections
		.iter()
		.map(|(what, projection)| (*what, world.store.keep(projection::write(projection))))
		.collect();
	let short = projection::write(&sound)[1..].to_vec();
	outputs.push(("too short", world.store.keep(short)));
	outputs.push(("divergence", world.store.keep(DIVERGED.to_vec())));
	outputs
}

/// The output of a chunk of aggregation.
fn aggregated(world: &mut World, program: [u8; 32], outputs: &[[u8; 32]]) -> Computed {
	let job = aggregation(world, program, outputs);
	world.done(Class::ExactF64, &Reference, &job)
}

fn aggregation(world: &World, program: [u8; 32], outputs: &[[u8; 32]]) -> ProgramJob {
	let inputs = [&[[0; 32]], outputs].concat();
	ProgramJob { program, inputs, ..world.work() }
}

#[test]
fn aggregations_take_steps_that_their_outputs_project() {
	let mut world = world();
	let work = world.work();
	let worked = world.done(Class::BandedF32, &Reference, &work).result.output;
	// Whether it is far from the truth, the chain has seen.
	let (step, scale) = (poison(&truth(&world).change), truth(&world).scale);
	let other = world.project_file(write_single(&step).unwrap(), &step, scale, None);
	let program = world.aggregation(2);
	let both = aggregated(&mut world, program, &[worked, other]);
	assert_ne!(both, aggregated(&mut world, program, &[worked]));
	assert_ne!(both.blobs, [DIVERGED]);
}

#[test]
fn aggregations_leave_out_what_their_outputs_do_not_project() {
	let mut world = world();
	let work = world.work();
	let worked = world.done(Class::BandedF32, &Reference, &work).result.output;
	let program = world.aggregation(2);
	let alone = aggregated(&mut world, program, &[worked]);
	for (what, output) in forged(&mut world) {
		let found = aggregated(&mut world, program, &[worked, output]);
		assert_eq!(found, alone, "{what}");
		let job = aggregation(&world, program, &[output]);
		let refused = world.refused(Class::ExactF64, &Reference, &job);
		assert_eq!(refused, Refusal::Combine(CombineError::NothingThere), "{what}");
	}
}

#[test]
fn aggregations_wait_for_what_is_not_to_be_had() {
	let mut world = world();
	let work = world.work();
	let worked = world.done(Class::BandedF32, &Reference, &work);
	let (output, program) = (worked.result.output, world.aggregation(1));
	let file = worked.result.projection.unwrap().change;
	let job = aggregation(&world, program, &[output]);
	for (hash, what) in [(output, "projection of a contribution"), (file, "contribution")] {
		let bytes = world.store.0.remove(&hash).unwrap();
		let refused = world.refused(Class::ExactF64, &Reference, &job);
		let is =
			matches!(refused, Refusal::Blob(BlobError::Missing { what: it, .. }) if it == what);
		assert!(is, "{refused}");
		world.store.keep(bytes);
	}
	// What is too long is never sent, as if it were not there.
	let long = world.store.keep(vec![0; PROJECTION_BYTES + 1]);
	let job = aggregation(&world, program, &[long]);
	let refused = world.refused(Class::ExactF64, &Reference, &job);
	assert!(matches!(refused, Refusal::Blob(BlobError::Missing { most: 294, .. })), "{refused}");
}

#[test]
fn referees_do_not_call_near_what_an_output_does_not_project() {
	let mut world = world();
	let (close, sound) = close(&mut world);
	let file = write_single(&close).unwrap();
	let near = world.project_file(file, &close, truth(&world).scale, None);
	let seed = seed_of(&sound.change);
	let all: Vec<_> = forged(&mut world).into_iter().map(|(_, output)| output).collect();
	for some in all.chunks(7) {
		let others = [some, &[near]].concat();
		assert_eq!(world.near(&seed, &others), [near]);
	}
}
