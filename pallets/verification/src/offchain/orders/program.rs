//! Chunks of programs. Pure.
//!
//! Worker, auditors and referees run the same chunk, and are given the same arguments: those of the
//! task. Where everybody of a class gets the same bits, results are equal or wrong: a tolerance would
//! only be there to be misused.
//!
//! In `BandedF32` results differ on every machine, so worker and auditors show projections of what
//! they got, which are their outputs. The seed is that of the file of the worker's change, whose hash
//! its projection names, and the worker claims it: auditors and referees are given it. Referees are
//! told besides what the parties have shown, to say which of it is near what comes out. They have
//! that from the reference in plain Rust, which gives all of them the same. See
//! [`tequio_primitives::projection`].

use super::{Unusable, Work};
use alloc::vec::Vec;
use codec::{DecodeAll, Encode};
use frame_support::BoundedVec;
use sp_core::H256;
use tequio_interface::program::{self, ProgramJob, ProgramResult, MAX_OTHERS};
use tequio_primitives::{
	claim::Claim,
	opening::Opening,
	projection::Projection,
	recompute::{Arguments, Output, OutputOpening, RecomputeSpec, Shown},
	ChunkIndex, WorkClass,
};

/// A chunk of a program, to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::offchain) struct Program {
	/// Parameters of the task.
	spec: RecomputeSpec,
	/// Which chunk of it.
	chunk: ChunkIndex,
	/// What the task gives its runs beside the manifest.
	arguments: Arguments,
	/// Outputs of others, by hash, to tell which are near: ascending, each once.
	others: Vec<H256>,
	/// The worker's seed, of others in a class that is compared by projections.
	seed: Option<H256>,
}

impl Program {
	/// What the worker runs, and auditors who need nothing of it.
	pub(in crate::offchain) fn own(
		spec: RecomputeSpec,
		chunk: ChunkIndex,
		arguments: Arguments,
	) -> Self {
		Self { spec, chunk, arguments, others: Vec::new(), seed: None }
	}

	/// The same run by an auditor or referee of a worker who has claimed this.
	pub(in crate::offchain) fn auditing(self, claim: &Claim) -> Self {
		Self { seed: claim.seed(), ..self }
	}

	/// The same run by a referee, over parties who have shown outputs of these hashes.
	pub(in crate::offchain) fn judging(mut self, mut shown: Vec<H256>) -> Self {
		match self.spec.class {
			WorkClass::BandedF32 => {
				shown.sort_unstable();
				shown.dedup();
				shown.truncate(MAX_OTHERS);
				self.others = shown;
			},
			WorkClass::ExactF64
			| WorkClass::ExactF32
			| WorkClass::Integer
			| WorkClass::RandomXSearch => {},
		}
		self
	}

	/// Class of the work.
	pub(in crate::offchain) fn class(&self) -> WorkClass {
		self.spec.class
	}

	/// The parameters, in the encoding of the class.
	pub(in crate::offchain) fn payload(&self) -> Vec<u8> {
		ProgramJob {
			program: self.spec.program.0,
			chunk: self.chunk,
			round: self.arguments.round,
			inputs: self.arguments.inputs.iter().map(|input| input.0).collect(),
			units: self.spec.units,
			others: self.others.iter().map(|output| output.0).collect(),
			seed: self.seed.map(|seed| seed.0),
		}
		.encode()
	}

	/// Units of work in it: those that the task pays for the chunk.
	pub(in crate::offchain) fn units(&self) -> u64 {
		self.spec.units.into()
	}

	/// What a result says, in the words of the chain.
	pub(in crate::offchain) fn work(&self, mut result: &[u8]) -> Result<Work, Unusable> {
		let result = ProgramResult::decode_all(&mut result).map_err(|_| Unusable::Malformed)?;
		let ascending = result.near.windows(2).all(|pair| pair[0] < pair[1]);
		let shown = Shown::try_from(result.shown).map_err(|_| Unusable::Contradictory)?;
		let output = Output { hash: H256(result.output), shown };
		let mut near: Vec<H256> = result.near.into_iter().map(H256).collect();
		let known = near.iter().all(|hash| self.others.contains(hash));
		if !ascending || !known || !output.is_sound() {
			return Err(Unusable::Contradictory);
		}
		// What is equal is not called near.
		near.retain(|other| *other != output.hash);
		let near = BoundedVec::try_from(near).map_err(|_| Unusable::Contradictory)?;
		let projection = self.projection(&output, result.projection)?;
		let claim = match (&projection, self.seed) {
			(Some(projection), None) => Claim::Seed(projection.seed()),
			_ => Claim::Nothing,
		};
		let opening = Opening::Output(OutputOpening { output, near, projection });
		Ok(Work { claim, opening })
	}

	/// Whether the result is to be projected: in the class that is compared by that, but not by
	/// referees.
	fn projects(&self) -> bool {
		self.spec.class == WorkClass::BandedF32 && self.others.is_empty()
	}

	/// The projection to show of an output, for which an engine gave this: of what has diverged
	/// nothing but zeros, and otherwise what the output is.
	fn projection(
		&self,
		output: &Output,
		given: Option<program::Projection>,
	) -> Result<Option<Projection>, Unusable> {
		let given = match given {
			None if !self.projects() => return Ok(None),
			Some(given) if self.projects() => given,
			Some(_) | None => return Err(Unusable::Contradictory),
		};
		let program::Projection { change, exponent, scale, numbers } = given;
		let projection = Projection { change: H256(change), exponent, scale, numbers };
		let fits = if output.has_diverged() {
			projection.is_nothing()
		} else {
			projection.is_well_formed() && projection.output() == output.hash
		};
		fits.then_some(Some(projection)).ok_or(Unusable::Contradictory)
	}
}

#[cfg(test)]
mod tests;
