//! Chunks of training.

use super::{check_units, load, state, Computed, Refusal, RequestError};
use crate::{
	blobs::{self, Blobs, ConversationError, FetchError},
	grid::GridState,
	manifest::{Manifest, TrainChunk},
	payload::Payload,
	round::{contribute, rows_of, ContributeError},
	tensor::State,
};
use tequio_interface::program::ProgramJob;

/// Trains a shard for one round.
pub(super) fn run(
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
	check_units(job, model.cost().training_units(schedule.steps, schedule.batch))?;
	let rows = load::rows(blobs, &chunk.rows)?;
	let rows = rows_of(&rows, schedule, job.round).map_err(Refusal::from)?;
	let weights = state::weights(blobs, manifest, &model, job)?;
	let residual = match payload {
		Payload::Grid => None,
		Payload::TopK { .. } => state::residual(blobs, job, &weights)?,
	};
	let shard = load::shard(blobs, manifest, &chunk.shard)?;
	let residual = residual.as_ref();
	let made = contribute(&model, &weights, &shard, rows, schedule, *rule, *payload, residual);
	drop(shard);
	let made = match made {
		Ok(made) => made,
		Err(ContributeError::Diverged) => return Ok(Computed::diverged()),
		Err(error) => return Err(Refusal::from(error).into()),
	};
	let most = state::wide(made.output.len());
	let mut computed = Computed::chunk(made.blobs);
	if *payload == Payload::Grid {
		// Referees name the output that they found as well: nobody is near itself.
		let own = computed.result.output;
		let others = job.others.iter().filter(|other| **other != own);
		computed.result.near = near(blobs, &made.change, most, &weights, others)?;
	}
	Ok(computed)
}

/// Those outputs of others that differ from our own change by rounding alone. One that is not to be
/// had, has more than the `most` bytes of ours, or is something else, is not near.
fn near<'o>(
	blobs: &mut impl Blobs,
	own: &GridState,
	most: u64,
	weights: &State,
	others: impl Iterator<Item = &'o [u8; 32]>,
) -> Result<Vec<[u8; 32]>, ConversationError> {
	let mut near = Vec::new();
	for other in others {
		let bytes = match blobs::fetch(blobs, "output of another", other, most) {
			Ok(bytes) => bytes,
			Err(FetchError::Blob(_)) => continue,
			Err(FetchError::Broken(error)) => return Err(error),
		};
		let read = GridState::read(&bytes, bytes.len(), weights);
		if read.is_ok_and(|theirs| theirs.near(own)) {
			near.push(*other);
		}
	}
	Ok(near)
}
