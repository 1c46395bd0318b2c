//! Chunks of evaluation.

use super::{check_units, load, state, Computed, Refusal, RequestError};
use crate::{
	blobs::Blobs,
	evaluate::{evaluate, EvaluateError, Evaluation},
	manifest::{EvaluateChunk, Manifest},
};
use codec::Encode;
use tequio_interface::program::ProgramJob;

/// Samples that are evaluated at a time. How many changes no bit of the result.
const MICRO_BATCH: u32 = 16;

/// The output of an evaluation, in SCALE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode)]
pub struct Counts {
	/// Rows whose label scores highest.
	pub right: u64,
	/// Rows that were looked at.
	pub rows: u64,
	/// Losses of all rows, in units of [`LOSS_UNITS`](crate::evaluate::LOSS_UNITS).
	pub loss: u64,
}

impl Counts {
	/// What was found.
	pub fn of(found: &Evaluation) -> Self {
		Self { right: found.right.into(), rows: found.rows.into(), loss: found.loss }
	}
}

/// Evaluates the weights on all rows of a shard.
pub(super) fn run(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	chunk: &EvaluateChunk,
	job: &ProgramJob,
) -> Result<Computed, RequestError> {
	let model = load::model(blobs, manifest, MICRO_BATCH)?;
	let shard = load::shard(blobs, manifest, &chunk.shard)?;
	let rows = u32::try_from(shard.rows()).unwrap_or(u32::MAX);
	check_units(job, model.cost().evaluation_units(rows.into()))?;
	let weights = state::weights(blobs, manifest, &model, job)?;
	let rows: Vec<u32> = (0..rows).collect();
	let found = match evaluate(&model, &weights, &shard, &rows, MICRO_BATCH) {
		Ok(found) => found,
		Err(EvaluateError::NotFinite { .. }) => return Ok(Computed::diverged()),
		Err(error) => return Err(Refusal::from(error).into()),
	};
	Ok(Computed::chunk(vec![Counts::of(&found).encode()]))
}
