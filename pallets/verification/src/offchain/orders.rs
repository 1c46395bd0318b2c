//! Orders: what is computed for a duty, and how its result becomes what the device says to the
//! chain. Pure.
//!
//! A result is held against everything that the chain will hold it against at the reveal, before
//! anything is committed: a commitment that cannot be opened costs the whole collateral.

use crate::verdict::{fits_auditor, fits_worker};
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
	search::{ChunkRange, Claim, Fault, Faults, Nonce, Opening, SearchSpec, Winner, Winners},
	stage::DeclineReason,
	Duty, Role, WorkClass,
};

/// What an auditor is given besides the search itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Audit {
	/// The nonces that the worker claims.
	pub claim: Claim,
	/// What is hashed besides them: first nonce and number.
	pub sub_range: (Nonce, u32),
}

/// What has to be computed for a duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
	/// Class of the work.
	pub class: WorkClass,
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
	/// Nonces of the shares; empty for auditors.
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

/// The name of a duty's job, given the hash of its payload; `None` for roles that compute nothing.
pub(super) fn job_key(
	genesis: [u8; 32],
	device: [u8; 32],
	duty: &Duty,
	order: H256,
) -> Option<JobKey> {
	let role = match duty.role {
		Role::Worker => 0,
		Role::Auditor => 1,
		Role::Referee { .. } => return None,
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
	/// The parameters, in the encoding of the class.
	pub(super) fn payload(&self) -> Vec<u8> {
		let WorkClass::RandomXSearch = self.class;
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
		let WorkClass::RandomXSearch = self.class;
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
		Some(Job { key, class: self.class.id(), payload })
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
		let opening = Opening {
			shares: result.shares.into(),
			winners: winners(result.winners),
			faults: Faults::new(),
		};
		let fits =
			self.range.contains_claim(&claim) && fits_worker(&opening, &claim, &self.spec.target);
		fits.then_some(Work { claim, opening }).ok_or(Unusable::Contradictory)
	}

	fn audited(&self, audit: &Audit, result: AuditResult) -> Result<Work, Unusable> {
		let opening = Opening {
			shares: result.shares.into(),
			winners: winners(result.winners),
			faults: faults(result.false_shares, result.unclaimed_shares),
		};
		let fits = fits_auditor(&opening, &audit.claim, audit.sub_range, &self.spec.target);
		fits.then(|| Work { claim: Claim::new(), opening }).ok_or(Unusable::Contradictory)
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
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use tequio_primitives::{
		search::{MAX_CLAIM, MAX_FAULTS, MAX_WINNERS},
		AttemptId, ChunkId,
	};

	/// A hash that meets the target of [`spec`], and one that does not.
	const LOW: [u8; 32] = [0; 32];
	const HIGH: [u8; 32] = [0xff; 32];

	fn spec() -> SearchSpec {
		let mut target = [0xff; 32];
		target[31] = 0;
		SearchSpec {
			seed: [1; 32],
			template: vec![2; 76].try_into().unwrap(),
			nonce_offset: 39,
			start: 1_000,
			count: 4_096,
			target,
			chunk_size: 1_024,
			lambda: 64,
		}
	}

	fn search() -> Order {
		let spec = spec();
		Order { class: WorkClass::RandomXSearch, range: spec.range(1), spec, audit: None }
	}

	fn audit(claim: Vec<Nonce>) -> Order {
		let claim = claim.try_into().unwrap();
		Order { audit: Some(Audit { claim, sub_range: (2_100, 128) }), ..search() }
	}

	fn won(nonce: Nonce, hash: [u8; 32]) -> randomx::Winner {
		randomx::Winner { nonce, hash }
	}

	fn searched(claim: Vec<Nonce>, winners: Vec<randomx::Winner>) -> Vec<u8> {
		SearchResult { claim, shares: [3; 32], winners }.encode()
	}

	fn audited(false_shares: Vec<Nonce>, unclaimed_shares: Vec<Nonce>) -> Vec<u8> {
		AuditResult { shares: [3; 32], winners: vec![], false_shares, unclaimed_shares }.encode()
	}

	#[test]
	fn a_search_order_names_the_chunk_and_both_targets() {
		let order = search();
		let RandomXJob::Search { puzzle, start, count } =
			RandomXJob::decode_all(&mut order.payload().as_slice()).unwrap()
		else {
			panic!("a search is ordered");
		};
		assert_eq!((start, count), (2_024, 1_024));
		assert_eq!(puzzle.target, order.spec.target);
		assert_eq!(puzzle.share_target, order.range.share_target());
		assert_eq!((puzzle.template.len(), puzzle.nonce_offset), (76, 39));
	}

	#[test]
	fn an_audit_order_names_claim_and_sub_range() {
		let order = audit(vec![2_030, 2_031]);
		let RandomXJob::Audit { claim, start, count, .. } =
			RandomXJob::decode_all(&mut order.payload().as_slice()).unwrap()
		else {
			panic!("an audit is ordered");
		};
		assert_eq!((claim, start, count), (vec![2_030, 2_031], 2_100, 128));
		assert_ne!(order.payload(), audit(vec![2_030]).payload());
	}

	#[test]
	fn units_are_the_hashes_that_are_computed() {
		assert_eq!(search().units(), 1_024);
		assert_eq!(audit(vec![2_030, 2_031]).units(), 2 + 128);
	}

	#[test]
	fn a_search_result_becomes_claim_and_opening() {
		let result = searched(vec![2_024, 2_100, 3_047], vec![won(2_100, LOW)]);
		let work = search().work(&result).unwrap();
		assert_eq!(work.claim.to_vec(), vec![2_024, 2_100, 3_047]);
		assert_eq!(work.opening.shares.0, [3; 32]);
		assert_eq!(work.opening.winners.to_vec(), vec![Winner { nonce: 2_100, hash: LOW }]);
		assert!(work.opening.faults.is_empty());
	}

	#[test]
	fn winners_are_the_first_by_nonce() {
		let claim: Vec<Nonce> = (2_024..2_024 + MAX_WINNERS + 4).collect();
		let found: Vec<_> = claim.iter().rev().map(|nonce| won(*nonce, LOW)).collect();
		let work = search().work(&searched(claim.clone(), found)).unwrap();
		let named: Vec<Nonce> = work.opening.winners.iter().map(|winner| winner.nonce).collect();
		assert_eq!(named, claim[..named.len()].to_vec());
		assert_eq!(named.len(), MAX_WINNERS as usize);
	}

	#[test]
	fn faults_are_false_shares_then_unclaimed_ones() {
		let order = audit(vec![2_030, 2_040, 2_050]);
		let work = order.work(&audited(vec![2_050, 2_030], vec![2_110, 2_105])).unwrap();
		let expected = vec![
			Fault::FalseShare(2_030),
			Fault::FalseShare(2_050),
			Fault::UnclaimedShare(2_105),
			Fault::UnclaimedShare(2_110),
		];
		assert_eq!(work.opening.faults.to_vec(), expected);
		assert!(work.claim.is_empty());
	}

	#[test]
	fn faults_are_cut_to_what_an_opening_names() {
		let claim: Vec<Nonce> = (2_024..2_024 + MAX_FAULTS - 1).collect();
		let work = audit(claim.clone()).work(&audited(claim, vec![2_111, 2_110])).unwrap();
		assert_eq!(work.opening.faults.len(), MAX_FAULTS as usize);
		assert_eq!(work.opening.faults.last(), Some(&Fault::UnclaimedShare(2_110)));
	}

	#[test]
	fn a_claim_that_is_too_long_is_unusable() {
		let order = |count: u32| {
			let spec = SearchSpec { chunk_size: 4_096, ..spec() };
			let result = searched((1_000..1_000 + count).collect(), vec![]);
			Order { range: spec.range(0), spec, ..search() }.work(&result)
		};
		assert!(order(MAX_CLAIM).is_ok());
		assert_eq!(order(MAX_CLAIM + 1), Err(Unusable::TooManyShares));
	}

	#[test]
	fn what_the_chain_would_refuse_is_unusable() {
		for (claim, winners) in [
			// Outside the range, out of order, twice.
			(vec![2_023], vec![]),
			(vec![2_030, 2_029], vec![]),
			(vec![2_030, 2_030], vec![]),
			// A winner that is not claimed, above the target, named twice.
			(vec![2_030], vec![won(2_031, LOW)]),
			(vec![2_030], vec![won(2_030, HIGH)]),
			(vec![2_030], vec![won(2_030, LOW), won(2_030, LOW)]),
		] {
			let result = searched(claim, winners);
			assert_eq!(search().work(&result), Err(Unusable::Contradictory));
		}
		for (false_shares, unclaimed) in [
			(vec![2_031], vec![]),
			(vec![2_030, 2_030], vec![]),
			(vec![], vec![2_099]),
			(vec![], vec![2_228]),
			(vec![], vec![2_110, 2_110]),
		] {
			let result = audited(false_shares, unclaimed);
			assert_eq!(audit(vec![2_030]).work(&result), Err(Unusable::Contradictory));
		}
	}

	#[test]
	fn nonsense_and_trailing_bytes_are_malformed() {
		assert_eq!(search().work(&[1]), Err(Unusable::Malformed));
		let mut result = searched(vec![], vec![]);
		result.push(0);
		assert_eq!(search().work(&result), Err(Unusable::Malformed));
	}

	#[test]
	fn keys_tell_roles_attempts_and_orders_apart() {
		let duty = |attempt, role| Duty {
			id: AttemptId { chunk: ChunkId { task: 7, index: 3 }, attempt },
			role,
		};
		let key = |order: &Order, duty: Duty| order.job([1; 32], [2; 32], &duty).map(|job| job.key);
		let (search, auditor) = (search(), duty(0, Role::Auditor));
		let worker = key(&search, duty(0, Role::Worker));
		assert!(worker.is_some());
		assert_eq!(worker, key(&search, duty(0, Role::Worker)));
		assert_ne!(worker, key(&search, auditor));
		assert_ne!(worker, key(&search, duty(1, Role::Worker)));
		assert_ne!(key(&audit(vec![2_030]), auditor), key(&audit(vec![2_031]), auditor));
		assert_eq!(key(&search, duty(0, Role::Referee { level: 0 })), None);
	}
}
