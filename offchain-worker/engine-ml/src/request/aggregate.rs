//! Chunks of aggregation.

use super::{
	check_inputs, check_units, input, load, state, Computed, Refusal, RequestError,
	AGGREGATION_BYTES,
};
use crate::{
	aggregate::Method,
	blobs::{self, wide, Blobs},
	handed_over::HandedOver,
	manifest::{AggregateChunk, Manifest},
	model::{Cost, OverLimit},
	payload::Payload,
	projection::is_of,
	round::{check_combination, combine, CombineError},
	tensor::State,
};
use tequio_interface::program::ProgramJob;

/// Makes new weights and momentum of what the shards contributed to a round.
pub(super) fn run(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	chunk: &AggregateChunk,
	job: &ProgramJob,
) -> Result<Computed, RequestError> {
	let AggregateChunk { samples, payload, clip, rule, outer } = chunk;
	let method = Method { clip: *clip, rule: *rule };
	check_combination(samples, *payload, method, *outer).map_err(Refusal::from)?;
	check_present(chunk, job)?;
	// Nothing is trained: a sample is the least that a model can be held to.
	let model = load::model(blobs, manifest, 1)?;
	check_memory(model.cost(), samples.len())?;
	check_units(job, model.cost().aggregation_units(samples.len(), *rule))?;
	let (weights, momentum) = state::weights_and_momentum(blobs, manifest, &model, job)?;
	let given = contributions(blobs, chunk, job, &weights)?;
	match combine(&model, &weights, &momentum, &given, samples, *payload, method, *outer) {
		Ok(combined) => Ok(Computed::chunk(combined.blobs)),
		Err(CombineError::Diverged) => Ok(Computed::diverged()),
		Err(error) => Err(Refusal::from(error).into()),
	}
}

/// Says whether there are no more contributions than the chunk has, and enough for its rule.
fn check_present(chunk: &AggregateChunk, job: &ProgramJob) -> Result<(), Refusal> {
	let shards = chunk.samples.len();
	check_inputs(job, state::shard_input(shards))?;
	let there = (0..shards).filter(|shard| input(job, state::shard_input(*shard)).is_some());
	match there.count() {
		0 => Err(CombineError::NothingThere.into()),
		present => Ok(chunk.rule.check(present).map_err(CombineError::from)?),
	}
}

/// Says whether so many contributions to such a model fit into memory.
fn check_memory(cost: &Cost, contributions: usize) -> Result<(), Refusal> {
	let (needed, limit) = (cost.aggregation_bytes(contributions), AGGREGATION_BYTES);
	let over = OverLimit { what: "bytes for its aggregation", needed, limit };
	(needed <= limit).then_some(()).ok_or(Refusal::from(over))
}

/// The payload of each contribution that is there.
fn contributions(
	blobs: &mut impl Blobs,
	chunk: &AggregateChunk,
	job: &ProgramJob,
	weights: &State,
) -> Result<Vec<Option<Vec<u8>>>, RequestError> {
	let mut given = Vec::with_capacity(chunk.samples.len());
	for shard in 0..chunk.samples.len() {
		given.push(match input(job, state::shard_input(shard)) {
			Some(output) => contribution(blobs, chunk.payload, output, weights)?,
			None => None,
		});
	}
	Ok(given)
}

/// The payload of a change to these weights that an output hands over. None: the output should be an
/// index or a projection, and is none, or not that of its change. It is left out, as [`combine()`]
/// leaves out payloads that are no changes, for the same reason.
///
/// Bytes that are not to be had are not left out: engines may differ in what they can get, and would
/// come to different states. Nor are those that are too long, which come as if they were not there.
fn contribution(
	blobs: &mut impl Blobs,
	payload: Payload,
	output: &[u8; 32],
	weights: &State,
) -> Result<Option<Vec<u8>>, RequestError> {
	let most = wide(payload.max_bytes(weights));
	let hash = match payload {
		Payload::Grid => *output,
		Payload::TopK { .. } => match state::index(blobs, "index of a contribution", output) {
			Ok(index) => index.first,
			Err(RequestError::Refused(Refusal::Index { .. })) => return Ok(None),
			Err(error) => return Err(error),
		},
		Payload::Single => return step(blobs, output, weights),
	};
	Ok(Some(blobs::fetch(blobs, "contribution", &hash, most)?))
}

/// The file of a step, where it is what the output says that it is. The chain has compared what the
/// output says, and nobody but the readers sees the file.
fn step(
	blobs: &mut impl Blobs,
	output: &[u8; 32],
	weights: &State,
) -> Result<Option<Vec<u8>>, RequestError> {
	let called = ("projection of a contribution", "contribution");
	let step = HandedOver::fetch(blobs, output, weights, called)?;
	Ok(step.filter(|step| is_of(&step.claimed, &step.change)).map(|step| step.file))
}
