//! Programs whose output is a hash, and tasks over them. The chain cannot tell: it compares hashes
//! and never runs anything.

use codec::Encode;
use pallet_tasks::TaskSpec;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use tequio_primitives::{recompute::RecomputeSpec, ChunkIndex, WorkClass};

/// How the names of programs begin that cannot be run.
const UNREACHABLE: &[u8] = b"no input";
const UNSUPPORTED: &[u8] = b"no engine";

/// What becomes of whoever wants to run a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
	/// It runs.
	Runs,
	/// Its input is nowhere to be found.
	Unreachable,
	/// No engine runs it.
	Unsupported,
}

/// Chunks of one unit of a program of this number.
pub fn task(class: WorkClass, fate: Fate, number: u64, chunks: u32) -> TaskSpec {
	let (program, units, replicas) = (program(fate, number), 1, 1);
	TaskSpec::Recompute(RecomputeSpec { class, program, chunks, units, replicas })
}

/// The name of a program, which tells what becomes of it.
pub fn program(fate: Fate, number: u64) -> H256 {
	let mut name = blake2_256(&(b"program", number).encode());
	let mark: &[u8] = match fate {
		Fate::Runs => b"",
		Fate::Unreachable => UNREACHABLE,
		Fate::Unsupported => UNSUPPORTED,
	};
	name[..mark.len()].copy_from_slice(mark);
	name.into()
}

/// What becomes of a program.
pub fn fate(program: &H256) -> Fate {
	match program.as_bytes() {
		name if name.starts_with(UNREACHABLE) => Fate::Unreachable,
		name if name.starts_with(UNSUPPORTED) => Fate::Unsupported,
		_ => Fate::Runs,
	}
}

/// The right output of a chunk.
pub fn output(program: &H256, chunk: ChunkIndex) -> H256 {
	blake2_256(&(b"output", program, chunk).encode()).into()
}

/// What those agree on who lie about a chunk.
pub fn lie(program: &H256, chunk: ChunkIndex) -> H256 {
	blake2_256(&(b"lie", program, chunk).encode()).into()
}
