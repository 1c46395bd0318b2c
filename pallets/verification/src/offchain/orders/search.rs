//! Chunks of a RandomX search, and audits of them. Pure.

use super::{Unusable, Work};
use crate::opening::{fits_auditor, fits_worker};
use alloc::vec::Vec;
use codec::{DecodeAll, Encode};
use frame_support::BoundedVec;
use tequio_interface::randomx::{self, AuditResult, Puzzle, RandomXJob, SearchResult};
use tequio_primitives::{
	claim::Claim,
	opening::Opening,
	search::{
		ChunkRange, Fault, Faults, Nonce, SearchOpening, SearchSpec, Shares, Winner, Winners,
	},
};

/// What an auditor or referee is given besides the search itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::offchain) struct Audit {
	/// The nonces that the worker claims.
	pub shares: Shares,
	/// What is hashed besides them: first nonce and number.
	pub sub_range: (Nonce, u32),
}

/// A chunk of a search, or an audit of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::offchain) struct Search {
	/// Parameters of the task.
	pub spec: SearchSpec,
	/// The chunk's range.
	pub range: ChunkRange,
	/// What to audit; `None` for the search itself.
	pub audit: Option<Audit>,
}

impl Search {
	/// The parameters, in the encoding of the class.
	pub(in crate::offchain) fn payload(&self) -> Vec<u8> {
		let puzzle = Puzzle {
			seed: self.spec.seed,
			template: self.spec.template.to_vec(),
			nonce_offset: self.spec.nonce_offset,
			share_target: self.range.share_target(),
			target: self.spec.target,
		};
		let work = match &self.audit {
			None => RandomXJob::Search { puzzle, start: self.range.start, count: self.range.count },
			Some(Audit { shares, sub_range: (start, count) }) => {
				RandomXJob::Audit { puzzle, claim: shares.to_vec(), start: *start, count: *count }
			},
		};
		work.encode()
	}

	/// Units of work in it: hashes.
	pub(in crate::offchain) fn units(&self) -> u64 {
		match &self.audit {
			None => u64::from(self.range.count),
			Some(Audit { shares, sub_range: (_, count) }) => {
				u64::try_from(shares.len()).unwrap_or(u64::MAX).saturating_add(u64::from(*count))
			},
		}
	}

	/// What a result says, in the words of the chain.
	pub(in crate::offchain) fn work(&self, mut result: &[u8]) -> Result<Work, Unusable> {
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
		let shares = Shares::try_from(result.claim).map_err(|_| Unusable::TooManyShares)?;
		let opening = SearchOpening {
			shares: result.shares.into(),
			winners: winners(result.winners),
			faults: Faults::new(),
		};
		let fits =
			self.range.contains_claim(&shares) && fits_worker(&opening, &shares, &self.spec.target);
		let (claim, opening) = (Claim::Shares(shares), Opening::Search(opening));
		fits.then_some(Work { claim, opening }).ok_or(Unusable::Contradictory)
	}

	fn audited(&self, audit: &Audit, result: AuditResult) -> Result<Work, Unusable> {
		let opening = SearchOpening {
			shares: result.shares.into(),
			winners: winners(result.winners),
			faults: faults(result.false_shares, result.unclaimed_shares),
		};
		let fits = fits_auditor(&opening, &audit.shares, audit.sub_range, &self.spec.target);
		let work =
			fits.then_some(Work { claim: Claim::Nothing, opening: Opening::Search(opening) });
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
