//! What the engine takes: payloads of the class, checked before anything is hashed.

use crate::{
	batch::NONCE_BYTES,
	machine::Machine,
	search::{audit, search, SearchError, TooManyShares, MAX_SHARES},
	Key, RandomXError,
};
use codec::{DecodeAll, Encode};
use tequio_interface::randomx::{Puzzle, RandomXJob};

/// Bytes that a template may have.
pub const MAX_TEMPLATE: usize = 512;

/// Why a payload is refused. Another try would end the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
	/// The payload is not of this class.
	#[error("the payload is not a RandomX job: {0}")]
	Malformed(#[from] codec::Error),
	/// There is nothing to hash.
	#[error("the range has no nonces")]
	EmptyRange,
	/// The nonces go on past the largest one.
	#[error("{count} nonces from {start} on pass the largest 32-bit nonce")]
	RangeOverflows {
		/// First nonce.
		start: u32,
		/// Nonces.
		count: u32,
	},
	/// The template is longer than the chain's.
	#[error("the template has {0} bytes; {MAX_TEMPLATE} are the most")]
	TemplateTooLong(usize),
	/// The nonce does not fit into the template.
	#[error("a nonce at {offset} needs a template of {NONCE_BYTES} bytes more; it has {length}")]
	NonceOutsideTemplate {
		/// Where the nonce starts.
		offset: u16,
		/// Bytes of the template.
		length: usize,
	},
	/// The claim is longer than any search finds.
	#[error("the claim names {0} nonces; {MAX_SHARES} are the most")]
	ClaimTooLong(usize),
	/// A nonce is claimed twice, or out of order.
	#[error("the claim is not ascending")]
	ClaimNotAscending,
	/// The share target is too easy.
	#[error(transparent)]
	TooManyShares(#[from] TooManyShares),
}

/// Why a request has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
	/// The request is at fault.
	#[error(transparent)]
	Refused(#[from] Refusal),
	/// This machine is.
	#[error(transparent)]
	RandomX(#[from] RandomXError),
}

impl From<SearchError> for RequestError {
	fn from(error: SearchError) -> Self {
		match error {
			SearchError::TooManyShares(error) => Self::Refused(error.into()),
			SearchError::RandomX(error) => Self::RandomX(error),
		}
	}
}

/// Computes a payload; the result in the class's encoding.
pub fn run(machine: &mut Machine, payload: &[u8]) -> Result<Vec<u8>, RequestError> {
	let job = read(payload)?;
	let mut hashers = machine.equip(&key(&job))?;
	Ok(match job {
		RandomXJob::Search { puzzle, start, count } => {
			search(&mut hashers, &puzzle, start, count)?.encode()
		},
		RandomXJob::Audit { puzzle, claim, start, count } => {
			audit(&mut hashers, &puzzle, &claim, start, count)?.encode()
		},
	})
}

/// The key of a payload. None: the payload would be refused.
pub fn key_of(payload: &[u8]) -> Option<Key> {
	read(payload).ok().map(|job| key(&job))
}

fn read(payload: &[u8]) -> Result<RandomXJob, Refusal> {
	let mut rest = payload;
	let job = RandomXJob::decode_all(&mut rest)?;
	check(&job)?;
	Ok(job)
}

fn key(job: &RandomXJob) -> Key {
	match job {
		RandomXJob::Search { puzzle, .. } | RandomXJob::Audit { puzzle, .. } => puzzle.seed.into(),
	}
}

/// Checks the bounds of a job.
pub fn check(job: &RandomXJob) -> Result<(), Refusal> {
	match job {
		RandomXJob::Search { puzzle, start, count } => {
			check_puzzle(puzzle)?;
			check_range(*start, *count)
		},
		RandomXJob::Audit { puzzle, claim, start, count } => {
			check_puzzle(puzzle)?;
			check_range(*start, *count)?;
			check_claim(claim)
		},
	}
}

fn check_puzzle(puzzle: &Puzzle) -> Result<(), Refusal> {
	let length = puzzle.template.len();
	if length > MAX_TEMPLATE {
		return Err(Refusal::TemplateTooLong(length));
	}
	let offset = puzzle.nonce_offset;
	if usize::from(offset) + NONCE_BYTES > length {
		return Err(Refusal::NonceOutsideTemplate { offset, length });
	}
	Ok(())
}

fn check_range(start: u32, count: u32) -> Result<(), Refusal> {
	let more = count.checked_sub(1).ok_or(Refusal::EmptyRange)?;
	start.checked_add(more).map(drop).ok_or(Refusal::RangeOverflows { start, count })
}

fn check_claim(claim: &[u32]) -> Result<(), Refusal> {
	if claim.len() > MAX_SHARES {
		return Err(Refusal::ClaimTooLong(claim.len()));
	}
	let ascending = claim.windows(2).all(|pair| pair[0] < pair[1]);
	ascending.then_some(()).ok_or(Refusal::ClaimNotAscending)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn puzzle() -> Puzzle {
		Puzzle {
			seed: [0; 32],
			template: vec![0; 43],
			nonce_offset: 39,
			share_target: [255; 32],
			target: [1; 32],
		}
	}

	fn search_of(puzzle: Puzzle, start: u32, count: u32) -> RandomXJob {
		RandomXJob::Search { puzzle, start, count }
	}

	fn audit_of(claim: Vec<u32>) -> RandomXJob {
		RandomXJob::Audit { puzzle: puzzle(), claim, start: 0, count: 1 }
	}

	#[test]
	fn only_what_would_be_computed_has_a_key() {
		let seed = [5; 32];
		let sound = search_of(Puzzle { seed, ..puzzle() }, 0, 1);
		assert_eq!(key_of(&sound.encode()), Some(Key::from(seed)));
		let audit = audit_of(vec![1]);
		assert_eq!(key_of(&audit.encode()), Some(Key::from([0; 32])));
		for nonsense in [vec![], vec![9, 9], search_of(puzzle(), 0, 0).encode()] {
			assert_eq!(key_of(&nonsense), None);
		}
	}

	#[test]
	fn bounds_are_inclusive() {
		let longest = Puzzle { template: vec![0; MAX_TEMPLATE], nonce_offset: 508, ..puzzle() };
		assert_eq!(check(&search_of(longest, u32::MAX, 1)), Ok(()));
		assert_eq!(check(&search_of(puzzle(), 0, u32::MAX)), Ok(()));
		assert_eq!(check(&audit_of((0..1024).collect())), Ok(()));
		assert_eq!(check(&audit_of(vec![])), Ok(()));
	}

	#[test]
	fn what_is_out_of_bounds_is_refused() {
		use Refusal::*;
		let long = Puzzle { template: vec![0; MAX_TEMPLATE + 1], ..puzzle() };
		let outside = Puzzle { nonce_offset: 40, ..puzzle() };
		let far_outside = Puzzle { nonce_offset: u16::MAX, ..puzzle() };
		for (job, refusal) in [
			(search_of(puzzle(), 7, 0), EmptyRange),
			(search_of(puzzle(), u32::MAX, 2), RangeOverflows { start: u32::MAX, count: 2 }),
			(search_of(long, 0, 1), TemplateTooLong(MAX_TEMPLATE + 1)),
			(search_of(outside, 0, 1), NonceOutsideTemplate { offset: 40, length: 43 }),
			(search_of(far_outside, 0, 1), NonceOutsideTemplate { offset: u16::MAX, length: 43 }),
			(audit_of((0..1025).collect()), ClaimTooLong(1025)),
			(audit_of(vec![1, 1]), ClaimNotAscending),
			(audit_of(vec![2, 1]), ClaimNotAscending),
		] {
			assert_eq!(check(&job), Err(refusal));
		}
	}
}
