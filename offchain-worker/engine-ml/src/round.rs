//! A round: each shard trains from the same weights, what they have trained becomes one change, and
//! that is a step of the outer optimiser.
//!
//! ```text
//! weights ─┬─▶ contribute (shard 0) ─▶ payload ─┐
//!          ├─▶ contribute (shard 1) ─▶ payload ─┼─▶ combine ─▶ weights, momentum ─▶ the next round
//!          └─▶ contribute (shard 2) ─▶ payload ─┘      ▲
//! momentum ────────────────────────────────────────────┘
//! ```
//!
//! The engine computes chunks with [`contribute_by()`] and [`combine()`]; [`replay`] is the same
//! functions in a row, by the [`Reference`](crate::backend::Reference), for whoever has all shards:
//! tests, demos and whoever doubts a training. So the two cannot differ, where results are equal.

mod combine;
mod contribute;

pub use combine::{check_combination, combine, CombineError, Combined};
pub use contribute::{contribute, contribute_by, ContributeError, Contributed};

use crate::{
	aggregate::{self, outer::Outer},
	dataset::Shard,
	grid::GridState,
	model::Model,
	optimiser::Rule,
	payload::Payload,
	tensor::State,
	train::Schedule,
};
use sp_crypto_hashing::blake2_256;
use tequio_interface::program::MAX_INPUTS;

/// Shards that a round may have: an input each, beside the state.
pub const MAX_SHARDS: usize = MAX_INPUTS - 1;

/// A list of rows cannot be divided into rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
	"{rows} rows are named; a round takes exactly {period} of them, and the rows of one or more \
	 whole rounds are named"
)]
pub struct PeriodError {
	/// Rows that are named.
	pub rows: usize,
	/// Rows of a round: steps times batch.
	pub period: u64,
}

/// The rows that a shard trains on in a round, counted from 0. The list holds those of one or more
/// rounds; when they are through, it starts anew.
pub fn rows_of<'r>(
	rows: &'r [u32],
	schedule: &Schedule,
	round: u32,
) -> Result<&'r [u32], PeriodError> {
	let period = u64::from(schedule.steps) * u64::from(schedule.batch);
	let refusal = PeriodError { rows: rows.len(), period };
	let length = usize::try_from(period).unwrap_or(usize::MAX);
	if rows.is_empty() || !rows.len().is_multiple_of(length) {
		return Err(refusal);
	}
	let periods = rows.len() / length;
	let place = usize::try_from(round).unwrap_or(usize::MAX) % periods;
	rows.chunks_exact(length).nth(place).ok_or(refusal)
}

/// What one shard does in a round.
#[derive(Clone, Copy, Debug)]
pub struct LocalRun<'a> {
	/// Its samples.
	pub shard: &'a Shard,
	/// The rows of this round ([`rows_of`]).
	pub rows: &'a [u32],
	/// How they are cut into steps.
	pub schedule: &'a Schedule,
	/// The optimiser.
	pub rule: Rule,
	/// What the shard's change of the round before left. None: nothing.
	pub residual: Option<&'a GridState>,
	/// Samples that its change counts as, in a mean: one or more.
	pub samples: u32,
}

/// What comes of a round.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundOutcome {
	/// The new weights.
	pub weights: State,
	/// The outer momentum for the next round.
	pub momentum: State,
	/// The `blake2_256` hash of their index: the state, as the chain knows it.
	pub state: [u8; 32],
	/// The `blake2_256` hash of each shard's output. None: it is missing, or has diverged.
	pub outputs: Vec<Option<[u8; 32]>>,
	/// What each shard adds to its next change. None: nothing.
	pub residuals: Vec<Option<GridState>>,
	/// Bytes of each shard's payload. Zero: it is missing, or has diverged.
	pub payload_bytes: Vec<usize>,
}

/// Why nothing comes of a round. Another try would end the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoundError {
	/// A shard's run fails. One that diverges does not: it is left out.
	#[error("shard {shard}: {error}")]
	Shard {
		/// The shard, from 0.
		shard: usize,
		/// Why.
		error: ContributeError,
	},
	/// The contributions do not become a state, or the outer step diverges.
	#[error(transparent)]
	Combine(#[from] CombineError),
}

impl LocalRun<'_> {
	/// What the shard contributes. None: it diverges.
	fn contribute(
		&self,
		model: &Model,
		weights: &State,
		payload: Payload,
	) -> Result<Option<Contributed>, ContributeError> {
		let Self { shard, rows, schedule, rule, residual, .. } = *self;
		match contribute(model, weights, shard, rows, schedule, rule, payload, residual) {
			Ok(contributed) => Ok(Some(contributed)),
			Err(ContributeError::Diverged) => Ok(None),
			Err(error) => Err(error),
		}
	}
}

/// Computes a whole round as the chunks of a training do. A shard that is None is missing, and one
/// that diverges is left out as if it were.
pub fn replay(
	model: &Model,
	weights: &State,
	momentum: &State,
	shards: &[Option<LocalRun<'_>>],
	payload: Payload,
	method: impl Into<aggregate::Method>,
	outer: Outer,
) -> Result<RoundOutcome, RoundError> {
	let mut contributed = Vec::with_capacity(shards.len());
	for (shard, run) in shards.iter().enumerate() {
		let found = run.as_ref().map(|run| run.contribute(model, weights, payload)).transpose();
		contributed.push(found.map_err(|error| RoundError::Shard { shard, error })?.flatten());
	}
	let present = |one: &Option<Contributed>| one.as_ref().map(|one| one.payload().to_vec());
	let payloads: Vec<_> = contributed.iter().map(present).collect();
	let samples: Vec<_> =
		shards.iter().map(|run| run.as_ref().map_or(1, |run| run.samples)).collect();
	let combined = combine(model, weights, momentum, &payloads, &samples, payload, method, outer)?;
	let output = |one: &Option<Contributed>| one.as_ref().map(|one| blake2_256(&one.output));
	let bytes = |one: &Option<Contributed>| one.as_ref().map_or(0, |one| one.payload_bytes);
	Ok(RoundOutcome {
		weights: combined.weights,
		momentum: combined.momentum,
		state: blake2_256(&combined.output),
		outputs: contributed.iter().map(output).collect(),
		payload_bytes: contributed.iter().map(bytes).collect(),
		residuals: contributed.into_iter().map(|one| one?.residual).collect(),
	})
}
