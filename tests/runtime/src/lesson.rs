//! Programs of a training, made up as all programs here are. What a chunk gives follows from the
//! program, the chunk and the arguments, so that what one round gives really goes into the next;
//! an evaluation shows its counts. [`expected`] goes through the same rounds apart from the chain.

use crate::program;
use codec::Encode;
use frame_support::BoundedVec;
use pallet_training::types::{Evaluation, Plan, Stage, Step};
use sp_core::H256;
use sp_io::hashing::blake2_256;
use std::iter;
use tequio_primitives::{
	recompute::{Arguments, Output, RecomputeSpec},
	training::{Counts, DIVERGED},
	ChunkIndex, WorkClass,
};

/// Rows that each chunk of an evaluation looks at.
pub const ROWS: u32 = 100;
/// More of them are right after each round, as long as a model learns.
pub const STEP: u64 = 10;

/// How the names of programs begin that do not just get better.
const STALLS: &[u8] = b"stalls";
const DIVERGES: &[u8] = b"diverges";
const IGNORED: &[u8] = b"ignored ";

/// What comes of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
	/// It runs. Evaluated, it finds the model better after each round.
	Learns,
	/// Evaluated, it finds the model no better after any round than after the first.
	Stalls,
	/// It stops at numbers that are not finite.
	Diverges,
	/// Nobody ever computes this chunk of it, nor says why.
	Ignores(u8),
}

/// The name of a program, which tells what comes of it.
pub fn program(course: Course, number: u64) -> H256 {
	let mut name = blake2_256(&(b"lesson", number).encode());
	let mark = match course {
		Course::Learns => Vec::new(),
		Course::Stalls => STALLS.to_vec(),
		Course::Diverges => DIVERGES.to_vec(),
		Course::Ignores(chunk) => [IGNORED, &[chunk]].concat(),
	};
	name[..mark.len()].copy_from_slice(&mark);
	name.into()
}

/// An evaluation by a program in so many chunks.
pub fn evaluation(stage: Stage, chunks: u32) -> Evaluation {
	let Stage { program, units } = stage;
	Evaluation { program, units, chunks, rows: ROWS }
}

/// What comes of a program.
pub fn course(program: &H256) -> Course {
	let name = program.as_bytes();
	match name.strip_prefix(IGNORED) {
		Some(rest) => Course::Ignores(rest[0]),
		None if name.starts_with(STALLS) => Course::Stalls,
		None if name.starts_with(DIVERGES) => Course::Diverges,
		None => Course::Learns,
	}
}

/// Whether nobody computes a chunk.
pub fn is_ignored(program: &H256, chunk: ChunkIndex) -> bool {
	matches!(course(program), Course::Ignores(ignored) if ChunkIndex::from(ignored) == chunk)
}

/// The right output of a chunk. Without arguments it is that of a program of no training.
pub fn output(spec: &RecomputeSpec, chunk: ChunkIndex, arguments: &Arguments) -> Output {
	if arguments.inputs.is_empty() {
		return Output::hidden(program::output(&spec.program, chunk));
	}
	match (course(&spec.program), spec.class) {
		(Course::Diverges, _) => Output::of(DIVERGED),
		(_, WorkClass::Integer) => Output::of(&counts(&spec.program, chunk, arguments).encode()),
		_ => Output::hidden(digest(b"output", &spec.program, chunk, arguments)),
	}
}

/// What those agree on who lie about a chunk.
pub fn lie(spec: &RecomputeSpec, chunk: ChunkIndex, arguments: &Arguments) -> Output {
	if arguments.inputs.is_empty() {
		return Output::hidden(program::lie(&spec.program, chunk));
	}
	match spec.class {
		WorkClass::Integer => {
			let rows = ROWS.into();
			Output::of(&Counts { right: rows, rows, loss: 0 }.encode())
		},
		_ => Output::hidden(digest(b"lie", &spec.program, chunk, arguments)),
	}
}

/// What a chunk of an evaluation counts. The loss tells one state from another.
fn counts(program: &H256, chunk: ChunkIndex, arguments: &Arguments) -> Counts {
	let round = u64::from(arguments.round);
	let right = match course(program) {
		Course::Stalls => (5 * STEP).saturating_sub(round),
		_ => u64::from(ROWS).min(STEP * (round + 1)),
	};
	let [a, b, c, d, ..] = digest(b"loss", program, chunk, arguments).0;
	Counts { right, rows: ROWS.into(), loss: u32::from_le_bytes([a, b, c, d]).into() }
}

fn digest(of: &[u8], program: &H256, chunk: ChunkIndex, arguments: &Arguments) -> H256 {
	blake2_256(&(of, program, chunk, arguments).encode()).into()
}

/// What a round gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
	/// Hash of the state that it ends with.
	pub state: H256,
	/// What its evaluation counts, all chunks together.
	pub counts: Counts,
}

/// What the rounds of a plan give if every chunk is done right that anybody does.
pub fn expected(plan: &Plan) -> Vec<Round> {
	let spec = |step| plan.spec(step).expect("the plan has the step");
	let (train, aggregate) = (spec(Step::Train), spec(Step::Aggregate));
	let (mut state, mut carried, mut rounds) = (H256::zero(), Vec::new(), Vec::new());
	for round in 0..plan.rounds {
		let given = arguments(round, state, &carried);
		let shard = |shard| match is_ignored(&train.program, shard) {
			true => H256::zero(),
			false => output(&train, shard, &given).hash,
		};
		let outputs: Vec<H256> = (0..plan.shards).map(shard).collect();
		state = output(&aggregate, 0, &arguments(round, state, &outputs)).hash;
		rounds.push(Round { state, counts: evaluated(plan, &arguments(round, state, &[])) });
		if plan.carry {
			carried = outputs;
		}
	}
	rounds
}

fn evaluated(plan: &Plan, arguments: &Arguments) -> Counts {
	let spec = plan.spec(Step::Evaluate);
	let chunks = spec.iter().flat_map(|spec| {
		(0..spec.chunks).map(move |chunk| counts(&spec.program, chunk, arguments))
	});
	chunks.fold(Counts::default(), Counts::plus)
}

fn arguments(round: u32, state: H256, others: &[H256]) -> Arguments {
	let inputs = iter::once(state).chain(others.iter().copied()).collect();
	Arguments { round, inputs: BoundedVec::truncate_from(inputs) }
}
