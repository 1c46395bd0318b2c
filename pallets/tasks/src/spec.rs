//! What a task asks for: one kind of work, cut into chunks.

use crate::pricing::ChunkBudget;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use tequio_primitives::{
	opening::ChunkWork,
	recompute::{RecomputeError, RecomputeSpec},
	search::{SearchError, SearchSpec},
	terms::Priced,
	ChunkIndex, WorkClass,
};

/// What a task asks for.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum TaskSpec {
	/// Hash a range of nonces with RandomX and name those under a target.
	#[codec(index = 0)]
	RandomXSearch(SearchSpec),
	/// Run the chunks of a program.
	#[codec(index = 1)]
	Recompute(RecomputeSpec),
}

impl TaskSpec {
	/// Class of the work.
	pub fn class(&self) -> WorkClass {
		match self {
			Self::RandomXSearch(_) => WorkClass::RandomXSearch,
			Self::Recompute(spec) => spec.class,
		}
	}

	/// Says whether this can be a task.
	pub fn validate<E: From<SearchError> + From<RecomputeError>>(&self) -> Result<(), E> {
		match self {
			Self::RandomXSearch(spec) => Ok(spec.validate()?),
			Self::Recompute(spec) => Ok(spec.validate()?),
		}
	}

	/// Chunks in the task.
	pub fn chunks(&self) -> u32 {
		match self {
			Self::RandomXSearch(spec) => spec.chunks(),
			Self::Recompute(spec) => spec.chunks,
		}
	}

	/// Times that each chunk is computed on request.
	pub fn replicas(&self) -> u8 {
		match self {
			Self::RandomXSearch(_) => 1,
			Self::Recompute(spec) => spec.replicas,
		}
	}

	/// Units of work in one chunk: nonces of a search, units of pay of a program.
	pub fn units(&self, index: ChunkIndex) -> u64 {
		match self {
			Self::RandomXSearch(spec) => spec.range(index).count.into(),
			Self::Recompute(spec) => spec.units.into(),
		}
	}

	/// What the terms for one chunk depend on.
	pub fn priced(&self, budget: &ChunkBudget, deadline: u32) -> Priced {
		Priced {
			class: self.class(),
			max_payment: budget.payment,
			replicas: self.replicas(),
			deadline,
		}
	}

	/// What one chunk asks for.
	pub fn work(&self, index: ChunkIndex) -> ChunkWork {
		match self {
			Self::RandomXSearch(spec) => ChunkWork::Search(spec.clone(), spec.range(index)),
			Self::Recompute(spec) => ChunkWork::Recompute(spec.clone()),
		}
	}
}
