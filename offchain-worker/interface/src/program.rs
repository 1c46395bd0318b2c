//! Programs: what their engines are given and give back. A program is a manifest, which names by hash
//! what it needs; what one run of it needs besides, the outputs of earlier rounds, the job names. The
//! chunks of a program are worth so many units each. The classes differ in how results are compared,
//! not in these types.

use alloc::vec::Vec;
use codec::{Decode, Encode};

/// Number of the class of training and aggregation in 64-bit floats on the chain. A unit is `2²⁰`
/// multiply-adds.
pub const EXACT_F64: u16 = 1;
/// Number of the class of counts on the chain. A unit is `2²⁰` multiply-adds.
pub const INTEGER: u16 = 4;

/// Outputs of others that one job may name.
pub const MAX_OTHERS: usize = 8;
/// Inputs that one job may have: a state, and an output for each of 64 shards.
pub const MAX_INPUTS: usize = 65;
/// Bytes of an output that a result shows: all of it, where it has no more.
pub const MAX_SHOWN: usize = 64;
/// The output of a chunk in which numbers get too large. Everybody who computes it comes to that, and
/// only by computing it: so it is a result, and paid.
pub const DIVERGED: &[u8] = b"tequio: diverged";

/// In the place of a program: the job that engines have built in. It fetches nothing, its chunk is a
/// seed, its round and inputs make no difference, and it may have any units from 1 to `2²⁰`. Equal
/// jobs have equal outputs, on every machine.
pub const EXAM: [u8; 32] = *b"tequio: built-in exam, version 1";

/// Payload of these classes. Result: [`ProgramResult`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProgramJob {
	/// The `blake2_256` hash of the manifest, or [`EXAM`].
	pub program: [u8; 32],
	/// Which chunk of the manifest, from 0.
	pub chunk: u32,
	/// Round of the training that the run belongs to, from 0; 0 where it belongs to none.
	pub round: u32,
	/// What the run is given beside the manifest, by `blake2_256` hash: at most [`MAX_INPUTS`]. Zeros
	/// stand for what is not there. What each place is for, the program's engine says.
	pub inputs: Vec<[u8; 32]>,
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
	/// The output itself, where it has at most [`MAX_SHOWN`] bytes; otherwise nothing. An exam shows
	/// nothing either.
	pub shown: Vec<u8>,
	/// Those of the job's `others` that are not the output and differ from it by rounding alone,
	/// ascending. Empty where results are counts.
	pub near: Vec<[u8; 32]>,
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::job::{MAX_PAYLOAD, MAX_RESULT};

	#[test]
	fn the_largest_jobs_and_results_fit() {
		let hash = [u8::MAX; 32];
		let job = ProgramJob {
			program: hash,
			chunk: u32::MAX,
			round: u32::MAX,
			inputs: [hash; MAX_INPUTS].to_vec(),
			units: u32::MAX,
			others: [hash; MAX_OTHERS].to_vec(),
		};
		assert!(job.encode().len() <= MAX_PAYLOAD);
		let shown = [u8::MAX; MAX_SHOWN].to_vec();
		let result = ProgramResult { output: hash, shown, near: [hash; MAX_OTHERS].to_vec() };
		assert!(result.encode().len() <= MAX_RESULT);
	}
}
