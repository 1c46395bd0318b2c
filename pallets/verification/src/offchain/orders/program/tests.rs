//! What is ordered, and what results are taken for.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::types::MAX_PARTIES;
use tequio_interface::program::{BANDED_F32, EXACT_F32, EXACT_F64, INTEGER};
use tequio_primitives::{
	projection::{self, seed_of, PROJECTED},
	recompute::{MAX_INPUTS, MAX_NEAR, MAX_SHOWN},
	training::DIVERGED,
};

/// Classes whose results are shown without a projection.
const EXACT: [WorkClass; 3] = [WorkClass::ExactF64, WorkClass::ExactF32, WorkClass::Integer];

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

/// What the auditor of a chunk in the banded class is ordered whose worker has claimed this seed.
fn auditing(seed: u8) -> Program {
	own(WorkClass::BandedF32).auditing(&Claim::Seed(H256::repeat_byte(seed)))
}

/// What the referee of a chunk is ordered whose parties have shown these.
fn judging(class: WorkClass, shown: &[u8]) -> Program {
	own(class).judging(outputs(shown))
}

/// The same in the banded class, whose worker has claimed seed 9.
fn refereeing(shown: &[u8]) -> Program {
	auditing(9).judging(outputs(shown))
}

fn job(program: &Program) -> ProgramJob {
	ProgramJob::decode_all(&mut program.payload().as_slice()).unwrap()
}

fn result(output: u8, near: &[u8]) -> Vec<u8> {
	let near = near.iter().map(|byte| [*byte; 32]).collect();
	ProgramResult { output: [output; 32], shown: vec![], near, projection: None }.encode()
}

/// A projection of bytes 7, all of whose numbers are alike.
fn projection(exponent: i16, scale: u32) -> Projection {
	Projection { change: H256::repeat_byte(7), exponent, scale, numbers: [-3; PROJECTED] }
}

/// A result with such a projection, of an output of this hash.
fn projected(output: H256, own: Projection) -> Vec<u8> {
	let Projection { change, exponent, scale, numbers } = own;
	let projection = Some(program::Projection { change: change.0, exponent, scale, numbers });
	ProgramResult { output: output.0, shown: vec![], near: vec![], projection }.encode()
}

fn said(output: u8, near: &[u8]) -> Result<Work, Unusable> {
	let output = Output::hidden(H256::repeat_byte(output));
	let near = BoundedVec::truncate_from(outputs(near));
	let opening = OutputOpening { near, ..OutputOpening::showing(output) };
	Ok(Work { claim: Claim::Nothing, opening: Opening::Output(opening) })
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
		seed: None,
	};
	assert_eq!(job(&program), expected);
	assert_eq!((program.class(), program.units()), (WorkClass::ExactF64, 50));
}

#[test]
fn everybody_is_given_the_arguments_of_the_task() {
	let inputs = BoundedVec::truncate_from(vec![H256::zero(), H256::repeat_byte(8)]);
	let arguments = Arguments { round: 7, inputs };
	for class in WorkClass::ALL.into_iter().filter(|class| *class != WorkClass::RandomXSearch) {
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
		let (output, shown) = (Output::of(output).hash.0, shown.to_vec());
		program.work(&ProgramResult { output, shown, near: vec![], projection: None }.encode())
	};
	for length in [1, 24, MAX_SHOWN as usize] {
		let bytes = vec![3; length];
		let opening = Opening::Output(OutputOpening::showing(Output::of(&bytes)));
		assert_eq!(say(&bytes, &bytes), Ok(Work { claim: Claim::Nothing, opening }));
		assert_eq!(say(&bytes, &bytes[1..]).is_ok(), length == 1, "nothing may be shown");
		assert_eq!(say(b"another", &bytes), Err(Unusable::Contradictory));
	}
	let long = vec![3; MAX_SHOWN as usize + 1];
	assert_eq!(say(&long, &long), Err(Unusable::Contradictory));
	assert!(say(&long, &[]).is_ok());
}

#[test]
fn referees_are_told_each_output_once_and_in_order() {
	let told = job(&refereeing(&[9, 7, 9, 8]));
	assert_eq!(told.others, vec![[7; 32], [8; 32], [9; 32]]);
	assert_eq!(told.seed, Some([9; 32]));
}

#[test]
fn nothing_is_near_where_everybody_gets_the_same() {
	for class in EXACT {
		let program = judging(class, &[7, 9]);
		assert!(job(&program).others.is_empty());
		assert_eq!(program.work(&result(7, &[9])), Err(Unusable::Contradictory));
		assert_eq!(program.work(&result(7, &[])), said(7, &[]));
	}
}

#[test]
fn worker_and_auditor_call_nothing_near() {
	for class in EXACT {
		let program = own(class);
		assert_eq!(program.work(&result(7, &[])), said(7, &[]));
		assert_eq!(program.work(&result(7, &[9])), Err(Unusable::Contradictory));
		assert_eq!(program.work(&result(7, &[7])), Err(Unusable::Contradictory));
	}
}

#[test]
fn a_referee_calls_near_a_part_of_what_was_shown() {
	let program = refereeing(&[7, 9, 13]);
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
	assert_eq!(refereeing(&[7, 9]).work(&result(7, &[7, 9])), said(7, &[9]));
}

#[test]
fn an_auditor_within_the_band_is_given_the_seed_of_the_worker() {
	assert_eq!(job(&own(WorkClass::BandedF32)).seed, None);
	assert_eq!(job(&auditing(9)).seed, Some([9; 32]));
	assert_ne!(auditing(9).payload(), auditing(8).payload());
	assert_eq!(job(&own(WorkClass::ExactF64).auditing(&Claim::Nothing)).seed, None);
}

#[test]
fn worker_and_auditor_within_the_band_show_the_projection_and_the_worker_claims_its_seed() {
	let own_projection = projection(-40, 1 << 30);
	let opening = Opening::Output(OutputOpening::projected(own_projection.clone()));
	let result = projected(own_projection.output(), own_projection.clone());
	let claim = Claim::Seed(seed_of(&H256::repeat_byte(7)));
	let worker = Work { claim, opening: opening.clone() };
	assert_eq!(own(WorkClass::BandedF32).work(&result), Ok(worker));
	let auditor = Work { claim: Claim::Nothing, opening };
	assert_eq!(auditing(9).work(&result), Ok(auditor));
	// What they show is their output.
	let other = projected(H256::repeat_byte(8), own_projection);
	for party in [own(WorkClass::BandedF32), auditing(9)] {
		assert_eq!(party.work(&other), Err(Unusable::Contradictory));
	}
}

#[test]
fn a_projection_is_given_where_it_belongs_and_nowhere_else() {
	let own_projection = projection(-40, 1 << 30);
	let with = projected(own_projection.output(), own_projection);
	for class in EXACT {
		assert_eq!(own(class).work(&with), Err(Unusable::Contradictory), "{class:?}");
	}
	let referee = refereeing(&[9]);
	assert_eq!(referee.work(&with), Err(Unusable::Contradictory));
	assert_eq!(referee.work(&result(7, &[9])), said(7, &[9]));
	for party in [own(WorkClass::BandedF32), auditing(9)] {
		assert_eq!(party.work(&result(7, &[])), Err(Unusable::Contradictory));
	}
}

#[test]
fn a_projection_that_the_chain_would_refuse_is_unusable() {
	for (exponent, scale) in [(-40, 1), (-40, u32::MAX), (1_001, 1 << 30)] {
		let own_projection = projection(exponent, scale);
		let result = projected(own_projection.output(), own_projection);
		for party in [own(WorkClass::BandedF32), auditing(9)] {
			assert_eq!(party.work(&result), Err(Unusable::Contradictory));
		}
	}
}

#[test]
fn of_what_has_diverged_the_projection_is_zeros_with_any_bytes() {
	let output = Output::of(DIVERGED);
	let result = |projection| {
		let (output, shown) = (output.hash.0, DIVERGED.to_vec());
		ProgramResult { output, shown, near: vec![], projection }.encode()
	};
	let zeros =
		program::Projection { change: [3; 32], exponent: 0, scale: 0, numbers: [0; PROJECTED] };
	let change = H256::repeat_byte(3);
	let own_opening = OutputOpening::projecting(output.clone(), Projection::nothing(change));
	let expected =
		Work { claim: Claim::Seed(seed_of(&change)), opening: Opening::Output(own_opening) };
	assert_eq!(own(WorkClass::BandedF32).work(&result(Some(zeros.clone()))), Ok(expected));
	for given in [None, Some(program::Projection { scale: 1 << 30, ..zeros })] {
		let refused = own(WorkClass::BandedF32).work(&result(given));
		assert_eq!(refused, Err(Unusable::Contradictory));
	}
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
	assert_eq!(EXACT_F32, WorkClass::ExactF32.id());
	assert_eq!(BANDED_F32, WorkClass::BandedF32.id());
	assert_eq!(INTEGER, WorkClass::Integer.id());
	assert_eq!(MAX_OTHERS, MAX_PARTIES as usize, "every party's output can be told");
	assert_eq!(MAX_OTHERS, MAX_NEAR as usize, "all that is told can be called near");
	assert_eq!(program::MAX_INPUTS, MAX_INPUTS as usize, "all arguments can be given");
	assert_eq!(program::MAX_SHOWN, MAX_SHOWN as usize, "what is shown is short for both");
	assert_eq!(program::DIVERGED, DIVERGED, "the chain knows it from other outputs");
	assert_eq!(program::PROJECTED, projection::PROJECTED, "all numbers have a place");
	assert_eq!(program::SEED_DOMAIN, projection::SEED_DOMAIN, "both draw the same seed");
}
