//! Orders: what is computed for a duty, and how its result becomes what the device says to the
//! chain. Pure.
//!
//! A result is held against everything that the chain will hold it against at the reveal, before
//! anything is committed: a commitment that cannot be opened costs the whole collateral.

use crate::opening::{fits_auditor, fits_worker};
use alloc::vec::Vec;
use codec::{Decode, DecodeAll, Encode};
use frame_support::BoundedVec;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use tequio_interface::{
	job::{Failure, Job, JobKey},
	randomx::{self, AuditResult, Puzzle, RandomXJob, SearchResult},
};
use tequio_primitives::{
	opening::Opening,
	search::{ChunkRange, Claim, Fault, Faults, Nonce, SearchOpening, SearchSpec, Winner, Winners},
	stage::DeclineReason,
	Duty, Role, WorkClass,
};

/// What an auditor or referee is given besides the search itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Audit {
	/// The nonces that the worker claims.
	pub claim: Claim,
	/// What is hashed besides them: first nonce and number.
	pub sub_range: (Nonce, u32),
}

/// What has to be computed for a duty: a search, or an audit of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
	/// Parameters of the task.
	pub spec: SearchSpec,
	/// The chunk's range.
	pub range: ChunkRange,
	/// What to audit; `None` for the search itself.
	pub audit: Option<Audit>,
}

/// What a device has to say about a duty, first hidden, then openly.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Work {
	/// Nonces of the shares; empty for auditors and referees.
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
	/// It contradicts the order: the chain would refuse it.
	Contradictory,
}

/// Whether there are orders for work of a class.
pub(super) fn is_known(class: WorkClass) -> bool {
	match class {
		WorkClass::RandomXSearch => true,
		WorkClass::ExactF64 | WorkClass::ExactF32 | WorkClass::Integer => false,
	}
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
		WorkClass::RandomXSearch
	}

	/// The parameters, in the encoding of the class.
	pub(super) fn payload(&self) -> Vec<u8> {
		let puzzle = Puzzle {
			seed: self.spec.seed,
			template: self.spec.template.to_vec(),
			nonce_offset: self.spec.nonce_offset,
			share_target: self.range.share_target(),
			target: self.spec.target,
		};
		let work = match &self.audit {
			None => RandomXJob::Search { puzzle, start: self.range.start, count: self.range.count },
			Some(Audit { claim, sub_range: (start, count) }) => {
				RandomXJob::Audit { puzzle, claim: claim.to_vec(), start: *start, count: *count }
			},
		};
		work.encode()
	}

	/// Units of work in it: hashes.
	pub(super) fn units(&self) -> u64 {
		match &self.audit {
			None => u64::from(self.range.count),
			Some(Audit { claim, sub_range: (_, count) }) => {
				u64::try_from(claim.len()).unwrap_or(u64::MAX).saturating_add(u64::from(*count))
			},
		}
	}

	/// The job that a device has to have done for a duty; `None` for roles that compute nothing.
	pub(super) fn job(&self, genesis: [u8; 32], device: [u8; 32], duty: &Duty) -> Option<Job> {
		let payload = self.payload();
		let key = job_key(genesis, device, duty, H256(blake2_256(&payload)))?;
		Some(Job { key, class: self.class().id(), payload })
	}

	/// What a result says, in the words of the chain.
	pub(super) fn work(&self, mut result: &[u8]) -> Result<Work, Unusable> {
		match &self.audit {
			None => {
				let result =
					SearchResult::decode_all(&mut result).map_err(|_| Unusable::Malformed)?;
				self.found(result)
			},
			Some(audit) => {
				let result =
					AuditResult::decode_all(&mut result).map_err(|_| Unusable::Malformed)?;
				self.audited(audit, result)
			},
		}
	}

	fn found(&self, result: SearchResult) -> Result<Work, Unusable> {
		let claim = Claim::try_from(result.claim).map_err(|_| Unusable::TooManyShares)?;
		let opening = SearchOpening {
			shares: result.shares.into(),
			winners: winners(result.winners),
			faults: Faults::new(),
		};
		let fits =
			self.range.contains_claim(&claim) && fits_worker(&opening, &claim, &self.spec.target);
		let work = fits.then_some(Work { claim, opening: Opening::Search(opening) });
		work.ok_or(Unusable::Contradictory)
	}

	fn audited(&self, audit: &Audit, result: AuditResult) -> Result<Work, Unusable> {
		let opening = SearchOpening {
			shares: result.shares.into(),
			winners: winners(result.winners),
			faults: faults(result.false_shares, result.unclaimed_shares),
		};
		let fits = fits_auditor(&opening, &audit.claim, audit.sub_range, &self.spec.target);
		let work = fits.then(|| Work { claim: Claim::new(), opening: Opening::Search(opening) });
		work.ok_or(Unusable::Contradictory)
	}
}

/// The winners with the smallest nonces, ascending.
fn winners(mut found: Vec<randomx::Winner>) -> Winners {
	found.sort_by_key(|winner| winner.nonce);
	let named = found.into_iter().map(|winner| Winner { nonce: winner.nonce, hash: winner.hash });
	BoundedVec::truncate_from(named.collect())
}

/// False shares by nonce, then unclaimed ones by nonce, the first that an opening names.
fn faults(mut false_shares: Vec<Nonce>, mut unclaimed: Vec<Nonce>) -> Faults {
	false_shares.sort_unstable();
	unclaimed.sort_unstable();
	let false_shares = false_shares.into_iter().map(Fault::FalseShare);
	let unclaimed = unclaimed.into_iter().map(Fault::UnclaimedShare);
	BoundedVec::truncate_from(false_shares.chain(unclaimed).collect())
}

#[cfg(test)]
mod tests;
