//! Recomputed work: a program whose chunks anybody of the same class can run again, with the same
//! result.
//!
//! The chain knows the program and the output of a chunk by their hashes alone. What the program
//! is, where its input lies and what chunk `i` of it does says the *manifest*, whose hash the task
//! names; engines read it, the chain does not. A result is right if running the chunk again gives
//! the same output: everything else is for auditors and referees to find out.

use crate::WorkClass;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;

/// Times that one chunk may be computed on request, the worker's own included.
pub const MAX_REPLICAS: u8 = 7;
/// Outputs of others that a referee may call near its own: as many as there can be others.
pub const MAX_NEAR: u32 = 8;

/// What is computed, for a whole task.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct RecomputeSpec {
	/// Class of the program: any but RandomX search.
	pub class: WorkClass,
	/// `blake2_256` of the manifest.
	pub program: H256,
	/// Chunks in the task.
	pub chunks: u32,
	/// Units of pay in each chunk.
	pub units: u32,
	/// Times that each chunk is computed, by different owners, each of whom is paid: 1 to 7. The
	/// chunks of a task with 1 are audited by chance.
	pub replicas: u8,
}

/// Why a computation cannot be a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecomputeError {
	/// The class is not one of programs.
	NotAProgram,
	/// There are no chunks.
	NoChunks,
	/// A chunk has no units, so there is nothing to pay for.
	NoUnits,
	/// Replicas are 0 or more than 7.
	ReplicasOutOfBounds,
}

impl RecomputeSpec {
	/// Says whether this can be computed and paid.
	pub fn validate(&self) -> Result<(), RecomputeError> {
		use RecomputeError::*;
		match self.class {
			WorkClass::RandomXSearch => return Err(NotAProgram),
			WorkClass::ExactF64 | WorkClass::ExactF32 | WorkClass::Integer => {},
		}
		if self.chunks == 0 {
			return Err(NoChunks);
		}
		if self.units == 0 {
			return Err(NoUnits);
		}
		if !(1..=MAX_REPLICAS).contains(&self.replicas) {
			return Err(ReplicasOutOfBounds);
		}
		Ok(())
	}
}

/// What is shown of a computation at the reveal.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct OutputOpening {
	/// `blake2_256` of the output.
	pub output: H256,
	/// Outputs of others in the attempt that a referee finds within the tolerance of the class (one
	/// unit of the grid anywhere), ascending, without its own. Empty for worker and auditors, who
	/// have not seen others' outputs, and in classes without a tolerance.
	pub near: BoundedVec<H256, ConstU32<MAX_NEAR>>,
}

impl OutputOpening {
	/// The opening of somebody who has only its own output to show.
	pub fn own(output: H256) -> Self {
		Self { output, near: BoundedVec::new() }
	}
}
