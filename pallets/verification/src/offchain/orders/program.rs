//! Chunks of programs. Pure.
//!
//! Worker, auditors and referees run the same chunk. In a class with a tolerance, referees are told
//! besides what the parties have shown, to say which of it is near what comes out. Of those that there
//! are engines for none has one: integers are equal or not, and `ExactF64` is computed by one engine in
//! plain Rust, to the same bits on every machine. A tolerance would only be there to be misused.
//!
//! All of them are given the same arguments: those of the task.

use super::{Unusable, Work};
use alloc::vec::Vec;
use codec::{DecodeAll, Encode};
use frame_support::BoundedVec;
use sp_core::H256;
use tequio_interface::program::{ProgramJob, ProgramResult, MAX_OTHERS};
use tequio_primitives::{
	opening::Opening,
	recompute::{Arguments, Output, OutputOpening, RecomputeSpec, Shown},
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
	/// What the task gives its runs beside the manifest.
	arguments: Arguments,
	/// Outputs of others, by hash, to tell which are near: ascending, each once.
	others: Vec<H256>,
}

impl Program {
	/// What worker and auditors run, who know nothing of each other.
	pub(in crate::offchain) fn own(
		spec: RecomputeSpec,
		chunk: ChunkIndex,
		arguments: Arguments,
	) -> Self {
		Self { spec, chunk, arguments, others: Vec::new() }
	}

	/// The same run by a referee, over parties who have shown outputs of these hashes.
	pub(in crate::offchain) fn judging(mut self, mut shown: Vec<H256>) -> Self {
		match self.spec.class {
			WorkClass::ExactF32 => {
				shown.sort_unstable();
				shown.dedup();
				shown.truncate(MAX_OTHERS);
				self.others = shown;
			},
			WorkClass::ExactF64 | WorkClass::Integer | WorkClass::RandomXSearch => {},
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
		let opening = Opening::Output(OutputOpening { output, near });
		Ok(Work { claim: Claim::new(), opening })
	}
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use crate::types::MAX_PARTIES;
	use tequio_interface::program::{self, EXACT_F64, INTEGER};
	use tequio_primitives::{
		recompute::{MAX_INPUTS, MAX_NEAR, MAX_SHOWN},
		training::DIVERGED,
	};

	fn spec(class: WorkClass) -> RecomputeSpec {
		RecomputeSpec { class, program: H256::repeat_byte(5), chunks: 4, units: 50, replicas: 1 }
	}

	fn outputs(bytes: &[u8]) -> Vec<H256> {
		bytes.iter().map(|byte| H256::repeat_byte(*byte)).collect()
	}

	/// What worker and auditors are ordered whose task has no arguments.
	fn own(class: WorkClass) -> Program {
		Program::own(spec(class), 3, Arguments::default())
	}

	/// What the referee of a chunk is ordered whose parties have shown these.
	fn judging(class: WorkClass, shown: &[u8]) -> Program {
		own(class).judging(outputs(shown))
	}

	fn job(program: &Program) -> ProgramJob {
		ProgramJob::decode_all(&mut program.payload().as_slice()).unwrap()
	}

	fn result(output: u8, near: &[u8]) -> Vec<u8> {
		let near = near.iter().map(|byte| [*byte; 32]).collect();
		ProgramResult { output: [output; 32], shown: vec![], near }.encode()
	}

	fn said(output: u8, near: &[u8]) -> Result<Work, Unusable> {
		let output = Output::hidden(H256::repeat_byte(output));
		let near = BoundedVec::truncate_from(outputs(near));
		let opening = Opening::Output(OutputOpening { output, near });
		Ok(Work { claim: Claim::new(), opening })
	}

	#[test]
	fn an_order_names_program_chunk_and_units() {
		let program = own(WorkClass::ExactF64);
		let expected = ProgramJob {
			program: [5; 32],
			chunk: 3,
			round: 0,
			inputs: vec![],
			units: 50,
			others: vec![],
		};
		assert_eq!(job(&program), expected);
		assert_eq!((program.class(), program.units()), (WorkClass::ExactF64, 50));
	}

	#[test]
	fn everybody_is_given_the_arguments_of_the_task() {
		let inputs = BoundedVec::truncate_from(vec![H256::zero(), H256::repeat_byte(8)]);
		let arguments = Arguments { round: 7, inputs };
		for class in [WorkClass::ExactF64, WorkClass::ExactF32, WorkClass::Integer] {
			let program = Program::own(spec(class), 3, arguments.clone());
			for program in [program.clone(), program.judging(outputs(&[9]))] {
				let job = job(&program);
				assert_eq!((job.round, job.inputs), (7, vec![[0; 32], [8; 32]]));
			}
		}
	}

	#[test]
	fn what_is_shown_of_an_output_has_to_be_the_output() {
		let program = own(WorkClass::Integer);
		let say = |output: &[u8], shown: &[u8]| {
			let output = Output::of(output).hash.0;
			program.work(&ProgramResult { output, shown: shown.to_vec(), near: vec![] }.encode())
		};
		for length in [1, 24, MAX_SHOWN as usize] {
			let bytes = vec![3; length];
			let opening = Opening::Output(OutputOpening::showing(Output::of(&bytes)));
			assert_eq!(say(&bytes, &bytes), Ok(Work { claim: Claim::new(), opening }));
			assert_eq!(say(&bytes, &bytes[1..]).is_ok(), length == 1, "nothing may be shown");
			assert_eq!(say(b"another", &bytes), Err(Unusable::Contradictory));
		}
		let long = vec![3; MAX_SHOWN as usize + 1];
		assert_eq!(say(&long, &long), Err(Unusable::Contradictory));
		assert!(say(&long, &[]).is_ok());
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
		let program = own(WorkClass::ExactF64);
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
		let program = own(WorkClass::ExactF64);
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
		assert_eq!(program::MAX_INPUTS, MAX_INPUTS as usize, "all arguments can be given");
		assert_eq!(program::MAX_SHOWN, MAX_SHOWN as usize, "what is shown is short for both");
		assert_eq!(program::DIVERGED, DIVERGED, "the chain knows it from other outputs");
	}
}
