//! Where a round starts: weights, momentum, and what a shard's last change left. They come from the
//! manifest, or from what an earlier round made, which an [`index`](crate::index) names.

use super::{input, Refusal, RequestError};
use crate::{
	blobs::{self, wide, Blobs},
	grid::GridState,
	index::{Index, INDEX_BYTES},
	manifest::Manifest,
	model::Model,
	payload::Payload,
	safetensors::read_state,
	tensor::State,
};
use tequio_interface::program::ProgramJob;

/// Bytes of weights that are fetched, and of momentum.
pub const MAX_WEIGHTS: u64 = 256 << 20;
/// The place of the state among the inputs.
const STATE: usize = 0;

/// The weights that a chunk starts from.
pub(super) fn weights(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	model: &Model,
	job: &ProgramJob,
) -> Result<State, RequestError> {
	let hash = match named(blobs, job)? {
		Some(state) => state.first,
		None => manifest.weights.0,
	};
	tensors(blobs, "weights", &hash, model)
}

/// The weights and the momentum that an aggregation starts from.
pub(super) fn weights_and_momentum(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	model: &Model,
	job: &ProgramJob,
) -> Result<(State, State), RequestError> {
	match named(blobs, job)? {
		Some(state) => {
			let weights = tensors(blobs, "weights", &state.first, model)?;
			Ok((weights, tensors(blobs, "momentum", &state.second, model)?))
		},
		None => {
			let weights = tensors(blobs, "weights", &manifest.weights.0, model)?;
			let momentum = weights.zeros_like();
			Ok((weights, momentum))
		},
	}
}

/// What the same shard's change of the round before left. None: there is none, or it left nothing.
pub(super) fn residual(
	blobs: &mut impl Blobs,
	job: &ProgramJob,
	weights: &State,
) -> Result<Option<GridState>, RequestError> {
	let shard = usize::try_from(job.chunk).unwrap_or(usize::MAX);
	let Some(hash) = input(job, shard_input(shard)) else { return Ok(None) };
	let last = index(blobs, "index of the shard's last change", hash)?;
	let most = Payload::Grid.max_bytes(weights);
	let bytes = blobs::fetch(blobs, "residual", &last.second, wide(most))?;
	let residual = GridState::read(&bytes, bytes.len(), weights).map_err(Refusal::from)?;
	Ok(Some(residual))
}

/// The place of a shard's output among the inputs: those of the shards follow the state.
pub(super) fn shard_input(shard: usize) -> usize {
	shard.saturating_add(STATE + 1)
}

/// An index.
pub(super) fn index(
	blobs: &mut impl Blobs,
	what: &'static str,
	hash: &[u8; 32],
) -> Result<Index, RequestError> {
	let bytes = blobs::fetch(blobs, what, hash, wide(INDEX_BYTES))?;
	Ok(Index::read(&bytes).map_err(|error| Refusal::Index { what, error })?)
}

/// The state that the job names. None: the training begins.
fn named(blobs: &mut impl Blobs, job: &ProgramJob) -> Result<Option<Index>, RequestError> {
	input(job, STATE).map(|hash| index(blobs, "index of the state", hash)).transpose()
}

fn tensors(
	blobs: &mut impl Blobs,
	what: &'static str,
	hash: &[u8; 32],
	model: &Model,
) -> Result<State, RequestError> {
	let bytes = blobs::fetch(blobs, what, hash, MAX_WEIGHTS)?;
	let state = read_state(&bytes, bytes.len()).map_err(Refusal::from)?;
	model.check(&state).map_err(Refusal::from)?;
	Ok(state)
}
