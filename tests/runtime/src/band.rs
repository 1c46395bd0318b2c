//! Work that is compared within a band, made up like all programs here. Every machine rounds in its
//! own way, so each gets other bytes for the same chunk, and a projection that differs a little from
//! those of others; only the reference, which referees run, gives all of them the same.

use codec::Encode;
use pallet_verification::CheckOf;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use std::{array, collections::BTreeSet, iter};
use tequio_primitives::{
	claim::Claim,
	opening::Opening,
	projection::{seed_of, Projection},
	recompute::{Output, OutputOpening},
	Role,
};
use tequio_runtime::{AccountId, Runtime};

/// Exponent and scale of all projections. A ten-thousandth of the scale is 107 374 units.
const EXPONENT: i16 = -20;
const SCALE: u32 = 1 << 30;

/// What a machine claims and shows of a chunk of which the reference gives `truth`; or of which it
/// says so, where it lies.
pub fn work(
	truth: &Output,
	machine: &AccountId,
	role: Role,
	check: Option<&CheckOf<Runtime>>,
) -> (Claim, Opening) {
	let (claim, opening) = match (role, check) {
		(Role::Referee { .. }, Some(check)) => (Claim::Nothing, judged(truth, check)),
		(Role::Auditor, Some(check)) => {
			let seed = check.claim.seed().unwrap_or_default();
			(Claim::Nothing, projected(truth, machine, &seed))
		},
		_ => {
			let seed = seed_of(&rounded(truth, machine));
			(Claim::Seed(seed), projected(truth, machine, &seed))
		},
	};
	(claim, Opening::Output(opening))
}

/// The bytes that a machine gets, by their hash.
fn rounded(truth: &Output, machine: &AccountId) -> H256 {
	blake2_256(&(b"rounded", truth.hash, machine).encode()).into()
}

/// What comes of the bytes of a machine with the signs of a seed.
fn projection(truth: &Output, machine: &AccountId, seed: &H256) -> Projection {
	// Sums of a quarter of the scale, and rounding of 512 units.
	let numbers = array::from_fn(|place| {
		(drawn(&(truth.hash, seed, place as u32)) >> 2)
			+ (drawn(&(machine, seed, place as u32)) >> 22)
	});
	let change = rounded(truth, machine);
	Projection { change, exponent: EXPONENT, scale: SCALE, numbers }
}

/// What a machine gets: its projection by a seed. Numbers that get too large do so on all of them.
fn output(truth: &Output, machine: &AccountId, seed: &H256) -> Output {
	if truth.has_diverged() {
		return truth.clone();
	}
	Output::hidden(projection(truth, machine, seed).output())
}

/// What a party shows.
fn projected(truth: &Output, machine: &AccountId, seed: &H256) -> OutputOpening {
	let projection = if truth.has_diverged() {
		Projection::nothing(rounded(truth, machine))
	} else {
		projection(truth, machine, seed)
	};
	OutputOpening::projecting(output(truth, machine, seed), projection)
}

/// Any number.
fn drawn(from: &impl Encode) -> i32 {
	let [a, b, c, d, ..] = blake2_256(&from.encode());
	i32::from_le_bytes([a, b, c, d])
}

/// What a referee shows: what the reference gives, and which of the outputs that parties have
/// revealed are that with the rounding of their machines.
fn judged(truth: &Output, check: &CheckOf<Runtime>) -> OutputOpening {
	let seed = check.claim.seed().unwrap_or_default();
	let worker = (Some(&check.assignment.seat), check.worker_opening.as_ref());
	let auditors = check.auditors.iter().map(|slot| (slot.seat.as_ref(), slot.opening.as_ref()));
	let parties = iter::once(worker).chain(auditors);
	let right = parties.filter_map(|(seat, opening)| match opening? {
		Opening::Output(own) => {
			let near = own.output == output(truth, &seat?.device, &seed) && own.output != *truth;
			near.then_some(own.output.hash)
		},
		Opening::Search(_) => None,
	});
	let near: BTreeSet<H256> = right.collect();
	let near = near.into_iter().collect::<Vec<_>>().try_into().expect("parties are few");
	OutputOpening { near, ..OutputOpening::showing(truth.clone()) }
}
