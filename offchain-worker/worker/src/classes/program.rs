//! Programs: training, aggregation and evaluation of small models. A unit is a million
//! multiply-adds.

use super::Class;
use codec::{DecodeAll, Encode};
use hex_literal::hex;
use std::time::Duration;
use tequio_interface::{
	engine::Mode,
	program::{self, ProgramJob, ProgramResult, EXAM},
};

/// Programs in 64-bit floats whose results are rounded to a grid.
pub const EXACT_F64: Class = Class {
	exam: || exam(TRAINED),
	..class(program::EXACT_F64, "program, exact 64-bit floats", &["--class", "exact-f64"])
};
/// Programs whose results are integers.
pub const INTEGER: Class = class(program::INTEGER, "program, integers", &["--class", "integer"]);

/// Output of a unit of training of the built-in program: the same on every sound machine.
const TRAINED: [u8; 32] = hex!("f08cf23126b0070618490a7eeccbac6f7af10123dea70e203cc9d75a7714e29d");
/// The same, of evaluation.
const COUNTED: [u8; 32] = hex!("923cc9f2cb5feebc357256853632cb1939024e1689580bcc4dbe732ff6743ff8");

/// Bytes that an engine takes at most: 512 MiB to compute, and weights and data of 256 MiB each,
/// which take three times as much while 32-bit floats are read as 64-bit ones. An aggregation takes
/// 1 GiB, and reads one file of 256 MiB at a time.
pub(super) const PROCESS: u64 = 2 << 30;

/// What a job costs whatever its units, to fetch, to check and to store, is most of a shorter one. A
/// device that computes many of them would seem slow for large ones.
const TELLING_TIME: Duration = Duration::from_secs(1);

/// A class of programs, whose engine needs nothing but itself.
pub(super) const fn class(
	number: u16,
	name: &'static str,
	arguments: &'static [&'static str],
) -> Class {
	Class {
		number,
		name,
		unit: "million multiply-adds",
		program: "tequio-engine-ml",
		arguments,
		units,
		// A million multiply-adds: a millisecond on a machine of today.
		time_per_unit: Duration::from_millis(50),
		telling_time: TELLING_TIME,
		need,
		sample,
		exam: || exam(COUNTED),
		output: Some(output),
		has_profile: true,
		needs_libtorch: false,
		needs_avx2: false,
	}
}

fn units(payload: &[u8]) -> u32 {
	ProgramJob::decode_all(&mut &*payload).map_or(0, |job| job.units)
}

/// One thread computes, in either mode.
fn need(_: Mode, _: u64, _: u64) -> u64 {
	PROCESS
}

/// The built-in program, which needs no data. Where it starts is its seed.
fn sample(start: u32, count: u32) -> Vec<u8> {
	ProgramJob {
		program: EXAM,
		chunk: start,
		round: 0,
		inputs: vec![],
		units: count,
		others: vec![],
		seed: None,
	}
	.encode()
}

/// A unit of the built-in program, and what it yields.
pub(super) fn exam(output: [u8; 32]) -> (Vec<u8>, Vec<u8>) {
	let result = ProgramResult { output, shown: vec![], near: vec![], projection: None };
	(sample(0, 1), result.encode())
}

/// Near outputs of others and the projection are named beside it.
fn output(result: &[u8]) -> Option<[u8; 32]> {
	ProgramResult::decode_all(&mut &*result).ok().map(|result| result.output)
}

#[cfg(test)]
mod tests {
	use super::*;
	use tequio_interface::program::{Projection, PROJECTED};

	#[test]
	fn a_result_names_its_output() {
		let numbers = [-1; PROJECTED];
		let result = ProgramResult {
			output: [7; 32],
			shown: vec![8, 9],
			near: vec![[1; 32]],
			projection: Some(Projection { change: [5; 32], exponent: -40, scale: 3, numbers }),
		};
		let result = result.encode();
		assert_eq!(output(&result), Some([7; 32]));
		for nonsense in [&b""[..], &result[1..], &[&result[..], &[0]].concat()] {
			assert_eq!(output(nonsense), None);
		}
	}

	#[test]
	fn units_are_those_that_are_paid() {
		let job = ProgramJob {
			program: [9; 32],
			chunk: 3,
			round: 7,
			inputs: vec![[2; 32], [0; 32]],
			units: 480,
			others: vec![[1; 32]],
			seed: Some([3; 32]),
		};
		assert_eq!(units(&job.encode()), 480);
	}
}
