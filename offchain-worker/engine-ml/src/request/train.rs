//! Chunks of training.

use super::{check_units, is_judging, load, state, Computed, Refusal, RequestError, WORKING_BYTES};
use crate::{
	backend::{Backend, Reference},
	blobs::Blobs,
	class::Class,
	manifest::{Manifest, TrainChunk},
	model::{Model, OverLimit},
	near::judge,
	payload::Payload,
	projection,
	round::{contribute_by, rows_of, ContributeError, Contributed},
	tensor::State,
	train::Steps,
};
use tequio_interface::program::ProgramJob;

/// Trains a shard for one round.
pub(super) fn run(
	class: Class,
	backend: &dyn Backend,
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	chunk: &TrainChunk,
	job: &ProgramJob,
) -> Result<Computed, RequestError> {
	let TrainChunk { schedule, rule, payload, .. } = chunk;
	schedule.check_bounds().map_err(Refusal::from)?;
	rule.check().map_err(Refusal::from)?;
	payload.check().map_err(Refusal::from)?;
	let model = load::model(blobs, manifest, schedule.micro_batch)?;
	class.check_model(&model).map_err(Refusal::from)?;
	let by = computes(backend, job);
	check_memory(by, &model, schedule.micro_batch)?;
	check_units(job, model.cost().training_units(schedule.steps, schedule.batch))?;
	let rows = load::rows(blobs, &chunk.rows)?;
	let rows = rows_of(&rows, schedule, job.round).map_err(Refusal::from)?;
	let weights = state::weights(blobs, manifest, &model, job)?;
	let residual = match payload {
		Payload::Grid | Payload::Single => None,
		Payload::TopK { .. } => state::residual(blobs, job, &weights)?,
	};
	let shard = load::shard(blobs, manifest, &chunk.shard)?;
	let steps = Steps { model: &model, weights: &weights, schedule, shard: &shard, rows };
	let (residual, seed) = (residual.as_ref(), job.seed.as_ref());
	let made = contribute_by(by, class, &steps, *rule, *payload, residual, seed);
	drop(shard);
	match made {
		Ok(made) => compared(blobs, made, &weights, job),
		Err(ContributeError::Diverged) => Ok(diverged(class, job)),
		Err(ContributeError::Backend(reason)) => Err(RequestError::Failed(reason)),
		Err(error) => Err(Refusal::from(error).into()),
	}
}

/// Says whether what the backend takes besides, for such a model, fits into memory.
fn check_memory(backend: &dyn Backend, model: &Model, micro_batch: u32) -> Result<(), Refusal> {
	let (needed, limit) = (backend.working_bytes(model, micro_batch), WORKING_BYTES);
	let over = OverLimit { what: "working bytes for such micro-batches", needed, limit };
	(needed <= limit).then_some(()).ok_or(Refusal::from(over))
}

/// What was made, with what is compared: for referees the outputs that are near, for workers and
/// auditors the projection that is the output.
fn compared(
	blobs: &mut impl Blobs,
	made: Contributed,
	weights: &State,
	job: &ProgramJob,
) -> Result<Computed, RequestError> {
	let mut computed = Computed::chunk(made.blobs);
	if !is_judging(job) {
		computed.result.projection = made.projection;
	} else if let (Some(own), Some(seed)) = (&made.descent, &job.seed) {
		// Others may have found the same: nobody is near itself.
		let output = computed.result.output;
		let others = job.others.iter().filter(|other| **other != output);
		computed.result.near = judge(blobs, own, weights, seed, others)?;
	}
	Ok(computed)
}

/// What is made where numbers get too large.
fn diverged(class: Class, job: &ProgramJob) -> Computed {
	let mut computed = Computed::diverged();
	if class == Class::BandedF32 && !is_judging(job) {
		computed.result.projection = Some(projection::nothing());
	}
	computed
}

/// What computes a job: for referees the reference.
fn computes<'b>(backend: &'b dyn Backend, job: &ProgramJob) -> &'b dyn Backend {
	if is_judging(job) {
		&Reference
	} else {
		backend
	}
}
