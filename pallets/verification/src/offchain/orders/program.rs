//! Chunks of programs. Pure.
//!
//! Worker, auditors and referees run the same chunk. In a class with a tolerance, referees are told
//! besides what the parties have shown, to say which of it is near what comes out. Of those that there
//! are engines for none has one: integers are equal or not, and `ExactF64` is computed by one engine in
//! plain Rust, to the same bits on every machine. A tolerance would only be there to be misused.

use super::{Unusable, Work};
use alloc::vec::Vec;
use codec::{DecodeAll, Encode};
use frame_support::BoundedVec;
use sp_core::H256;
use tequio_interface::program::{ProgramJob, ProgramResult, MAX_OTHERS};
use tequio_primitives::{
	opening::Opening,
	recompute::{OutputOpening, RecomputeSpec},
	search::Claim,
	ChunkIndex, WorkClass,
};

/// A chunk of a program, to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::offchain) struct Program {
	/// Parameters of the task.
	spec: RecomputeSpec,
	/// Which chunk of it.
	chunk: ChunkIndex,
	/// Outputs of others, to tell which are near: ascending, each once.
	others: Vec<H256>,
}

impl Program {
	/// What worker and auditors run, who know nothing of each other.
	pub(in crate::offchain) fn own(spec: RecomputeSpec, chunk: ChunkIndex) -> Self {
		Self { spec, chunk, others: Vec::new() }
	}

	/// What a referee runs over parties who have shown these outputs.
	pub(in crate::offchain) fn judging(
		spec: RecomputeSpec,
		chunk: ChunkIndex,
		mut shown: Vec<H256>,
	) -> Self {
		match spec.class {
			WorkClass::ExactF32 => {
				shown.sort_unstable();
				shown.dedup();
				shown.truncate(MAX_OTHERS);
				Self { spec, chunk, others: shown }
			},
			WorkClass::ExactF64 | WorkClass::Integer | WorkClass::RandomXSearch => {
				Self::own(spec, chunk)
			},
		}
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
			units: self.spec.units,
			others: self.others.iter().map(|output| output.0).collect(),
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
		let output = H256(result.output);
		let mut near: Vec<H256> = result.near.into_iter().map(H256).collect();
		if !ascending || !near.iter().all(|output| self.others.contains(output)) {
			return Err(Unusable::Contradictory);
		}
		// What is equal is not called near.
		near.retain(|other| *other != output);
		let near = BoundedVec::try_from(near).map_err(|_| Unusable::Contradictory)?;
		let opening = Opening::Output(OutputOpening { output, near });
		Ok(Work { claim: Claim::new(), opening })
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use crate::types::MAX_PARTIES;
	use tequio_interface::program::{EXACT_F64, INTEGER};
	use tequio_primitives::recompute::MAX_NEAR;

	fn spec(class: WorkClass) -> RecomputeSpec {
		RecomputeSpec { class, program: H256::repeat_byte(5), chunks: 4, units: 50, replicas: 1 }
	}

	fn outputs(bytes: &[u8]) -> Vec<H256> {
		bytes.iter().map(|byte| H256::repeat_byte(*byte)).collect()
	}

	/// What the referee of a chunk is ordered whose parties have shown these.
	fn judging(class: WorkClass, shown: &[u8]) -> Program {
		Program::judging(spec(class), 3, outputs(shown))
	}

	fn job(program: &Program) -> ProgramJob {
		ProgramJob::decode_all(&mut program.payload().as_slice()).unwrap()
	}

	fn result(output: u8, near: &[u8]) -> Vec<u8> {
		let near = near.iter().map(|byte| [*byte; 32]).collect();
		ProgramResult { output: [output; 32], near }.encode()
	}

	fn said(output: u8, near: &[u8]) -> Result<Work, Unusable> {
		let near = BoundedVec::truncate_from(outputs(near));
		let opening = Opening::Output(OutputOpening { output: H256::repeat_byte(output), near });
		Ok(Work { claim: Claim::new(), opening })
	}

	#[test]
	fn an_order_names_program_chunk_and_units() {
		let program = Program::own(spec(WorkClass::ExactF64), 3);
		let expected = ProgramJob { program: [5; 32], chunk: 3, units: 50, others: vec![] };
		assert_eq!(job(&program), expected);
		assert_eq!((program.class(), program.units()), (WorkClass::ExactF64, 50));
	}

	#[test]
	fn referees_are_told_each_output_once_and_in_order() {
		let told = job(&judging(WorkClass::ExactF32, &[9, 7, 9, 8])).others;
		assert_eq!(told, vec![[7; 32], [8; 32], [9; 32]]);
	}

	#[test]
	fn nothing_is_near_where_every_machine_gets_the_same() {
		for class in [WorkClass::ExactF64, WorkClass::Integer] {
			let program = judging(class, &[7, 9]);
			assert!(job(&program).others.is_empty());
			assert_eq!(program.work(&result(7, &[9])), Err(Unusable::Contradictory));
			assert_eq!(program.work(&result(7, &[])), said(7, &[]));
		}
	}

	#[test]
	fn worker_and_auditor_call_nothing_near() {
		let program = Program::own(spec(WorkClass::ExactF64), 3);
		assert_eq!(program.work(&result(7, &[])), said(7, &[]));
		assert_eq!(program.work(&result(7, &[9])), Err(Unusable::Contradictory));
		assert_eq!(program.work(&result(7, &[7])), Err(Unusable::Contradictory));
	}

	#[test]
	fn a_referee_calls_near_a_part_of_what_was_shown() {
		let program = judging(WorkClass::ExactF32, &[7, 9, 13]);
		let parts: [&[u8]; 3] = [&[], &[9], &[7, 9, 13]];
		for near in parts {
			assert_eq!(program.work(&result(1, near)), said(1, near));
		}
		let others: [&[u8]; 4] = [&[8], &[9, 7], &[9, 9], &[7, 8, 9]];
		for near in others {
			assert_eq!(program.work(&result(1, near)), Err(Unusable::Contradictory));
		}
	}

	#[test]
	fn what_is_equal_is_not_called_near() {
		let program = judging(WorkClass::ExactF32, &[7, 9]);
		assert_eq!(program.work(&result(7, &[7, 9])), said(7, &[9]));
	}

	#[test]
	fn nonsense_and_trailing_bytes_are_malformed() {
		let program = Program::own(spec(WorkClass::ExactF64), 3);
		let whole = result(7, &[]);
		let (mut longer, mut shorter) = (whole.clone(), whole);
		longer.push(0);
		shorter.pop();
		for bytes in [vec![], vec![1], shorter, longer] {
			assert_eq!(program.work(&bytes), Err(Unusable::Malformed));
		}
	}

	#[test]
	fn engines_and_chain_mean_the_same() {
		assert_eq!(EXACT_F64, WorkClass::ExactF64.id());
		assert_eq!(INTEGER, WorkClass::Integer.id());
		assert_eq!(MAX_OTHERS, MAX_PARTIES as usize, "every party's output can be told");
		assert_eq!(MAX_OTHERS, MAX_NEAR as usize, "all that is told can be called near");
	}
}
