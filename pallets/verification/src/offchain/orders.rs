//! Orders: what is computed for a duty, and how its result becomes what the device says to the
//! chain. Pure.
//!
//! A result is held against everything that the chain will hold it against at the reveal, before
//! anything is committed: a commitment that cannot be opened costs the whole collateral.

mod program;
mod search;

pub(super) use program::Program;
pub(super) use search::{Audit, Search};

use alloc::vec::Vec;
use codec::{Decode, Encode};
use sp_core::H256;
use sp_io::hashing::blake2_256;
use tequio_interface::job::{Failure, Job, JobKey};
use tequio_primitives::{
	claim::Claim, opening::Opening, stage::DeclineReason, Duty, Role, WorkClass,
};

/// What has to be computed for a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
	/// A chunk of a search, or an audit of one.
	Search(Search),
	/// A chunk of a program.
	Program(Program),
}

/// What a device has to say about a duty, first hidden, then openly.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Work {
	/// What a worker says openly; nothing for auditors and referees.
	pub claim: Claim,
	/// What the commitment hides.
	pub opening: Opening,
}

/// Why a result cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
	/// It is not a result of this kind of work.
	Malformed,
	/// It has more shares than a claim can name.
	TooManyShares,
	/// It contradicts the order, and the chain would refuse it.
	Contradictory,
}

/// The name of a duty's job, given the hash of its payload; `None` for roles that compute nothing.
/// Each level of panels is a role of its own.
pub(super) fn job_key(
	genesis: [u8; 32],
	device: [u8; 32],
	duty: &Duty,
	order: H256,
) -> Option<JobKey> {
	let role = match duty.role {
		Role::Worker => 0,
		Role::Auditor => 1,
		Role::Referee { level } => level.checked_add(2)?,
		Role::Appellant { .. } => return None,
	};
	let chunk = duty.id.chunk;
	Some(JobKey {
		genesis,
		device,
		task: chunk.task,
		chunk: chunk.index,
		attempt: duty.id.attempt,
		role,
		order: order.0,
	})
}

/// The reason to give for a failure of the worker process.
pub(super) fn decline_reason(failure: Failure) -> DeclineReason {
	match failure {
		Failure::Busy => DeclineReason::Busy,
		Failure::BadInput => DeclineReason::BadInput,
		Failure::Unsupported | Failure::EngineFailed => DeclineReason::Unsupported,
	}
}

impl Order {
	/// Class of the work.
	pub(super) fn class(&self) -> WorkClass {
		match self {
			Self::Search(_) => WorkClass::RandomXSearch,
			Self::Program(program) => program.class(),
		}
	}

	/// The parameters, in the encoding of the class.
	pub(super) fn payload(&self) -> Vec<u8> {
		match self {
			Self::Search(search) => search.payload(),
			Self::Program(program) => program.payload(),
		}
	}

	/// Units of work in it, as the class counts them.
	pub(super) fn units(&self) -> u64 {
		match self {
			Self::Search(search) => search.units(),
			Self::Program(program) => program.units(),
		}
	}

	/// The job that a device has to have done for a duty; `None` for roles that compute nothing.
	pub(super) fn job(&self, genesis: [u8; 32], device: [u8; 32], duty: &Duty) -> Option<Job> {
		let payload = self.payload();
		let key = job_key(genesis, device, duty, H256(blake2_256(&payload)))?;
		Some(Job { key, class: self.class().id(), payload })
	}

	/// What a result says, in the words of the chain.
	pub(super) fn work(&self, result: &[u8]) -> Result<Work, Unusable> {
		match self {
			Self::Search(search) => search.work(result),
			Self::Program(program) => program.work(result),
		}
	}
}

#[cfg(test)]
mod tests;
