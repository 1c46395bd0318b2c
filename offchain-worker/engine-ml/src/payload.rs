//! Payloads: how a change of weights is handed over to whoever aggregates. All of it, or the largest
//! elements now and the others with a later change.

use crate::{
	compress::{self, check_keep, decode, CompressError},
	grid::{GridError, GridState},
	safetensors::MAX_HEADER,
	tensor::State,
};
use serde::{Deserialize, Serialize};

/// Bytes of a grid unit.
const UNIT_BYTES: usize = 8;

/// How a change is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Payload {
	/// All of it, as a safetensors file of grid units.
	Grid,
	/// The largest elements of each tensor, in the encoding of [`compress`](mod@crate::compress). What
	/// is left out is the residual, which the same shard adds to its next change.
	TopK {
		/// Millionths of each tensor's elements: 1 to [`MILLION`](compress::MILLION).
		share: u32,
	},
}

/// Why bytes are no payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
	/// They are no change in grid units.
	#[error(transparent)]
	Grid(#[from] GridError),
	/// They are no compressed change.
	#[error(transparent)]
	Compress(#[from] CompressError),
}

impl Payload {
	/// Says whether the share is in bounds.
	pub fn check(&self) -> Result<(), CompressError> {
		match *self {
			Self::Grid => Ok(()),
			Self::TopK { share } => check_keep(share),
		}
	}

	/// The most bytes that the payload of a change to these weights takes.
	pub fn max_bytes(&self, weights: &State) -> usize {
		match self {
			Self::Grid => {
				let elements = weights.0.iter().map(|(_, tensor)| tensor.len());
				let units = elements.fold(0_usize, usize::saturating_add);
				// The header and its length come before them.
				units.saturating_add(1).saturating_mul(UNIT_BYTES).saturating_add(MAX_HEADER)
			},
			Self::TopK { .. } => compress::max_bytes(weights),
		}
	}

	/// Reads the payload of a change to a model of these weights.
	pub fn read(&self, bytes: &[u8], weights: &State) -> Result<GridState, PayloadError> {
		match self {
			Self::Grid => Ok(GridState::read(bytes, bytes.len(), weights)?),
			Self::TopK { .. } => Ok(decode(bytes, weights)?),
		}
	}
}
