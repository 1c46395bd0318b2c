//! Recomputed work: a program whose chunks anybody of the same class can run again, with the same
//! result, or one that is near.
//!
//! The chain knows the program and the output of a chunk by their hashes alone. What the program
//! is, where its input lies and what chunk `i` of it does says the *manifest*, whose hash the task
//! names; engines read it, the chain does not. A result is right if running the chunk again gives
//! the same output: everything else is for auditors and referees to find out. In a class with a
//! band it is right within that, and what is compared on the chain are *projections* of outputs.
//!
//! Where an output is so short that its hash says no less than itself, it is shown at the reveal:
//! counts can be read off the chain. What one run is given beside its manifest, such as the outputs
//! of runs before it, are its *arguments*, hashes too.

use crate::{projection::Projection, training::DIVERGED, WorkClass};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_io::hashing::blake2_256;

/// Times that one chunk may be computed on request, the worker's own included.
pub const MAX_REPLICAS: u8 = 7;
/// Outputs of others that a referee may call near its own: as many as there can be others.
pub const MAX_NEAR: u32 = 8;
/// Bytes of an output that are shown at the reveal: all of it, where it has no more.
pub const MAX_SHOWN: u32 = 64;
/// Inputs that a run of a program may have: a state, and an output for each shard.
pub const MAX_INPUTS: u32 = 65;

/// An output that is shown.
pub type Shown = BoundedVec<u8, ConstU32<MAX_SHOWN>>;

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
			WorkClass::ExactF64
			| WorkClass::ExactF32
			| WorkClass::BandedF32
			| WorkClass::Integer => {},
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

/// What one run of a program is given beside its manifest.
#[derive(
	Clone,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Arguments {
	/// Round of the training that the run belongs to, from 0.
	pub round: u32,
	/// Hashes of what earlier runs gave, in the places where the program looks for them. Zero: not
	/// there.
	pub inputs: BoundedVec<H256, ConstU32<MAX_INPUTS>>,
}

/// What a chunk of a program gave.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Output {
	/// `blake2_256` of the output.
	pub hash: H256,
	/// The output itself, where it has at most [`MAX_SHOWN`] bytes and its engine shows it;
	/// otherwise empty.
	pub shown: Shown,
}

impl Output {
	/// An output of which nothing but the hash is shown.
	pub fn hidden(hash: H256) -> Self {
		Self { hash, shown: Shown::new() }
	}

	/// The output of these bytes, shown where they are few enough.
	pub fn of(bytes: &[u8]) -> Self {
		let shown = Shown::try_from(bytes.to_vec()).unwrap_or_default();
		Self { hash: blake2_256(bytes).into(), shown }
	}

	/// Whether it shows nothing, or what has this hash.
	pub fn is_sound(&self) -> bool {
		self.shown.is_empty() || self.hash == H256(blake2_256(&self.shown))
	}

	/// Whether it says that numbers got too large.
	pub fn has_diverged(&self) -> bool {
		self.hash == H256(blake2_256(DIVERGED))
	}
}

/// What is shown of a computation at the reveal.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct OutputOpening {
	/// The output.
	pub output: Output,
	/// Outputs of others in the attempt that a referee finds within the tolerance of the class (one
	/// unit of the grid anywhere, or the band), by hash, ascending, without its own. Empty for worker
	/// and auditors, who have not seen others' outputs, and in classes without a tolerance.
	pub near: BoundedVec<H256, ConstU32<MAX_NEAR>>,
	/// The projection of what was computed, with the worker's seed, of worker and auditors in a class
	/// with a band: it is their output, or zeros where numbers got too large. Nobody else's.
	pub projection: Option<Projection>,
}

impl OutputOpening {
	/// The opening of somebody who has only its own output to tell of, and shows nothing but its
	/// hash.
	pub fn own(output: H256) -> Self {
		Self::showing(Output::hidden(output))
	}

	/// The opening of somebody who has only its own output to tell of.
	pub fn showing(output: Output) -> Self {
		Self { output, near: BoundedVec::new(), projection: None }
	}

	/// The opening of worker or auditor in a class with a band, whose output is its projection.
	pub fn projected(projection: Projection) -> Self {
		Self::projecting(Output::hidden(projection.output()), projection)
	}

	/// The opening of somebody who says this of an output.
	pub fn projecting(output: Output, projection: Projection) -> Self {
		Self { projection: Some(projection), ..Self::showing(output) }
	}

	/// Whether the output of another opening is within the tolerance of the class: whoever shows this
	/// one says so, or the projections do. Of outputs one of which has diverged, projections say
	/// nothing.
	pub fn is_near(&self, other: &Self) -> bool {
		let projected = match (&self.projection, &other.projection) {
			(Some(own), Some(others)) => {
				let diverged = self.output.has_diverged() || other.output.has_diverged();
				!diverged && own.is_near(others)
			},
			_ => false,
		};
		projected || self.near.contains(&other.output.hash)
	}
}
