//! Programs: what their engines are given and give back. A program is a manifest, which names by
//! hash what it needs; what one run of it needs besides, the outputs of earlier rounds, the job
//! names. The chunks of a program are worth so many units each. The classes differ in how results
//! are compared, not in these types.

use alloc::vec::Vec;
use codec::{Decode, Encode};

/// Number of the class of training and aggregation in 64-bit floats on the chain. A unit is `2²⁰`
/// multiply-adds.
pub const EXACT_F64: u16 = 1;
/// Number of the class of training in 32-bit floats on the chain, whose results are compared for
/// equality. A unit is `2²⁰` multiply-adds.
pub const EXACT_F32: u16 = 2;
/// Number of the class of single steps in 32-bit floats on the chain, whose results are compared
/// within a band: see [`Projection`], which is what such a chunk gives. A unit is `2²⁰`
/// multiply-adds.
pub const BANDED_F32: u16 = 3;
/// Number of the class of counts on the chain. A unit is `2²⁰` multiply-adds.
pub const INTEGER: u16 = 4;

/// Outputs of others that one job may name.
pub const MAX_OTHERS: usize = 8;
/// Inputs that one job may have: a state, and an output for each of 64 shards.
pub const MAX_INPUTS: usize = 65;
/// Bytes of an output that a result shows: all of it, where it has no more.
pub const MAX_SHOWN: usize = 64;
/// The output of a chunk in which numbers get too large. Everybody who computes it comes to that,
/// and only by computing it: so it is a result, and paid.
pub const DIVERGED: &[u8] = b"tequio: diverged";

/// Numbers of a projection.
pub const PROJECTED: usize = 64;
/// What the seed of a projection is drawn with: it is the `blake2_256` hash of these bytes and of
/// the hash of the change's file. So nobody can choose a change for its projection, and a seed says
/// nothing about the change.
pub const SEED_DOMAIN: &[u8] = b"tequio/projection";

/// In the place of a program: the job that engines have built in. It fetches nothing, its chunk is
/// a seed, its round and inputs make no difference, and it may have any units from 1 to `2²⁰`.
/// Equal jobs have equal outputs, on every machine.
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
	/// What the run is given beside the manifest, by `blake2_256` hash: at most [`MAX_INPUTS`].
	/// Zeros stand for what is not there. What each place is for, the program's engine says.
	pub inputs: Vec<[u8; 32]>,
	/// Units that the task pays for the chunk. The chunk has to be worth exactly these.
	pub units: u32,
	/// Outputs of others, by hash, to tell which are near: for referees in [`BANDED_F32`] only. In
	/// all other classes outputs are equal or wrong, and such a job is refused. So is one that
	/// names bytes which are not to be had. Ascending, at most [`MAX_OTHERS`].
	pub others: Vec<[u8; 32]>,
	/// Seed of the projections of an attempt in [`BANDED_F32`]: that of the file of the worker's
	/// change. Auditors project their own change by it, and referees judge by it: without it they
	/// are refused. None: the change is projected by the seed of its own file, as the worker does.
	/// It makes no difference where nothing is projected.
	pub seed: Option<[u8; 32]>,
}

/// A change of weights in few numbers. Each of them is the sum of all elements, every one with a
/// sign that the seed gives it, so that two changes are about as far apart as their projections by
/// the same seed.
///
/// All parties of an attempt project by one seed, that of the file of the worker's change. The
/// SCALE encoding of the projection is the output of a chunk in [`BANDED_F32`]. So what is compared
/// is tied to what is used: the output names the file, and whoever reads that projects it again.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Projection {
	/// The `blake2_256` hash of the file of the change that was projected.
	pub change: [u8; 32],
	/// Numbers and scale are in units of `2^exponent`: the smallest exponent, −1000 to 1000, in
	/// which all of them are at most `2³¹ − 1`. 0 where all of them are 0.
	pub exponent: i16,
	/// How large changes are here, in L2 norm: the mean over the micro-batches of what each of them
	/// alone would change. At most `2³¹ − 1`.
	pub scale: u32,
	/// The sums, rounded to whole units, ties to even.
	pub numbers: [i32; PROJECTED],
}

/// Result of these classes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ProgramResult {
	/// The `blake2_256` hash of the output.
	pub output: [u8; 32],
	/// The output itself, where it has at most [`MAX_SHOWN`] bytes; otherwise nothing. An exam
	/// shows nothing either.
	pub shown: Vec<u8>,
	/// Those of the job's `others` that are not the output and differ from it by rounding alone,
	/// ascending. Empty in all classes but [`BANDED_F32`].
	pub near: Vec<[u8; 32]>,
	/// The change in few numbers, where workers and auditors compute in [`BANDED_F32`]: the very
	/// projection that is the output. Where that is [`DIVERGED`], zeros with any hash of a file.
	/// None in all other classes, for referees and in exams.
	pub projection: Option<Projection>,
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
			seed: Some(hash),
		};
		assert!(job.encode().len() <= MAX_PAYLOAD);
		let shown = [u8::MAX; MAX_SHOWN].to_vec();
		let numbers = [i32::MIN; PROJECTED];
		let projection = Projection { change: hash, exponent: i16::MIN, scale: u32::MAX, numbers };
		let projection = Some(projection);
		let near = [hash; MAX_OTHERS].to_vec();
		let result = ProgramResult { output: hash, shown, near, projection };
		assert!(result.encode().len() <= MAX_RESULT);
	}
}
