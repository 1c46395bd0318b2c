//! Payloads and results of the classes of programs.

use crate::some_bytes;
use proptest::{collection::vec, option, prelude::*};
use tequio_interface::program::{ProgramJob, ProgramResult, Projection, PROJECTED};

fn hashes() -> impl Strategy<Value = Vec<[u8; 32]>> {
	vec(any::<[u8; 32]>(), 0..10)
}

fn projections() -> impl Strategy<Value = Projection> {
	let numbers = vec(any::<i32>(), PROJECTED);
	let others = any::<([u8; 32], i16, u32)>();
	(others, numbers).prop_map(|((change, exponent, scale), numbers)| Projection {
		change,
		exponent,
		scale,
		numbers: numbers.try_into().unwrap(),
	})
}

pub fn payloads() -> impl Strategy<Value = ProgramJob> {
	let numbers = any::<([u8; 32], u32, u32, u32)>();
	(numbers, hashes(), hashes(), option::of(any::<[u8; 32]>())).prop_map(
		|((program, chunk, round, units), inputs, others, seed)| ProgramJob {
			program,
			chunk,
			round,
			inputs,
			units,
			others,
			seed,
		},
	)
}

pub fn results() -> impl Strategy<Value = ProgramResult> {
	let parts = (any::<[u8; 32]>(), some_bytes(), hashes(), option::of(projections()));
	parts.prop_map(|(output, shown, near, projection)| ProgramResult {
		output,
		shown,
		near,
		projection,
	})
}
