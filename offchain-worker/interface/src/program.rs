//! Programs: what their engines are given and give back. A program is a manifest, which names all
//! that it needs by hash; its chunks are worth so many units each. The classes differ in how results
//! are compared, not in these types.

use alloc::vec::Vec;
use codec::{Decode, Encode};

/// Number of the class of training in 64-bit floats on the chain. A unit is a sample trained on.
pub const EXACT_F64: u16 = 1;
/// Number of the class of counts on the chain. A unit is a row looked at.
pub const INTEGER: u16 = 4;

/// Outputs of others that one job may name.
pub const MAX_OTHERS: usize = 8;

/// In the place of a program: the job that engines have built in. It fetches nothing, its chunk is a
/// seed, and it may have any units from 1 to `2²⁰`. Equal jobs have equal outputs, on every machine.
pub const EXAM: [u8; 32] = *b"tequio: built-in exam, version 1";

/// Payload of these classes. Result: [`ProgramResult`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProgramJob {
	/// The `blake2_256` hash of the manifest, or [`EXAM`].
	pub program: [u8; 32],
	/// Which chunk of the manifest, from 0.
	pub chunk: u32,
	/// Units that the task pays for the chunk. The chunk has to be worth exactly these.
	pub units: u32,
	/// Outputs of others, by hash, to tell which are near: for referees only. Ascending, at most
	/// [`MAX_OTHERS`].
	pub others: Vec<[u8; 32]>,
}

/// Result of these classes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProgramResult {
	/// The `blake2_256` hash of the output.
	pub output: [u8; 32],
	/// Those of the job's `others` that are not the output and differ from it by rounding alone,
	/// ascending. Empty where results are counts.
	pub near: Vec<[u8; 32]>,
}
