//! What follows from the openings. Pure: everything it looks at is an argument.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use tequio_primitives::{
	search::{meets, Claim, Fault, Nonce, Opening},
	tasks::{RejectReason, UndecidedReason},
	terms::slash_shares,
	workers::Penalty,
	Balance,
};

/// How an auditor's opening stands to the worker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
	/// The same.
	Equal,
	/// Within the tolerance of the class. RandomX search has none; classes that compute with
	/// fractions do.
	Near,
	/// Anything else.
	Wrong,
}

/// The judgement on an attempt, without the payments that follow.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Outcome {
	/// Right.
	#[codec(index = 0)]
	Accepted,
	/// Wrong, or never revealed.
	#[codec(index = 1)]
	Rejected(RejectReason),
	/// Not to be told.
	#[codec(index = 2)]
	Undecided(UndecidedReason),
}

/// Compares an auditor's opening with the worker's: hashes, winners and faults alike.
pub fn compare(worker: &Opening, auditor: &Opening) -> Comparison {
	if worker == auditor {
		Comparison::Equal
	} else {
		Comparison::Wrong
	}
}

/// Judges an attempt by what was revealed. `auditors` has an entry for each place; it is empty
/// without an audit.
pub fn judge(worker: Option<&Opening>, auditors: &[Option<&Opening>]) -> Outcome {
	let Some(worker) = worker else { return Outcome::Rejected(RejectReason::NotRevealed) };
	if auditors.is_empty() {
		return Outcome::Accepted;
	}
	let revealed: Vec<&Opening> = auditors.iter().copied().flatten().collect();
	let Some((first, others)) = revealed.split_first() else {
		return Outcome::Undecided(UndecidedReason::NoAuditors);
	};
	let complete = revealed.len() == auditors.len();
	if complete
		&& !first.faults.is_empty()
		&& others.iter().all(|other| other.faults == first.faults)
	{
		return Outcome::Rejected(RejectReason::ProvenWrong);
	}
	let agrees = |auditor: &&Opening| match compare(worker, auditor) {
		Comparison::Equal | Comparison::Near => true,
		Comparison::Wrong => false,
	};
	if revealed.iter().all(agrees) {
		Outcome::Accepted
	} else {
		Outcome::Undecided(UndecidedReason::Disagreement)
	}
}

/// Whether an opening can be a worker's: no faults, and winners among what it claimed.
pub fn fits_worker(opening: &Opening, claim: &Claim, target: &[u8; 32]) -> bool {
	opening.faults.is_empty() && names_winners(opening, claim, target)
}

/// Whether an opening can be an auditor's: faults in order, each where it can be, and winners among
/// what was claimed.
pub fn fits_auditor(
	opening: &Opening,
	claim: &Claim,
	sub_range: (Nonce, u32),
	target: &[u8; 32],
) -> bool {
	let (start, count) = sub_range;
	let claimed = |nonce: &Nonce| claim.binary_search(nonce).is_ok();
	let possible = opening.faults.iter().all(|fault| match fault {
		Fault::FalseShare(nonce) => claimed(nonce),
		Fault::UnclaimedShare(nonce) => {
			!claimed(nonce) && nonce.checked_sub(start).is_some_and(|place| place < count)
		},
	});
	let in_order = opening.faults.windows(2).all(|pair| order(&pair[0]) < order(&pair[1]));
	possible && in_order && names_winners(opening, claim, target)
}

/// Where a fault comes in the list: false shares first, then by nonce.
fn order(fault: &Fault) -> (u8, Nonce) {
	match fault {
		Fault::FalseShare(nonce) => (0, *nonce),
		Fault::UnclaimedShare(nonce) => (1, *nonce),
	}
}

/// Whether the winners are claimed nonces, ascending, whose hashes meet the target.
fn names_winners(opening: &Opening, claim: &Claim, target: &[u8; 32]) -> bool {
	let ascending = opening.winners.windows(2).all(|pair| pair[0].nonce < pair[1].nonce);
	let real = opening
		.winners
		.iter()
		.all(|winner| claim.binary_search(&winner.nonce).is_ok() && meets(&winner.hash, target));
	ascending && real
}

/// How a rejected worker's collateral is shared: each auditor who revealed is made whole and, if
/// they proved the result wrong, gets an equal part of the bounty. Remainders are burned.
pub fn penalty<AccountId: Clone>(
	collateral: Balance,
	audit_pay: Balance,
	revealed: &[AccountId],
	proved: bool,
) -> Penalty<AccountId> {
	let count = u128::try_from(revealed.len()).unwrap_or(u128::MAX);
	let shares = slash_shares(collateral, audit_pay.saturating_mul(count), proved);
	let each = |sum: Balance| -> Vec<(AccountId, Balance)> {
		let part = sum.checked_div(count).unwrap_or(0);
		let paid = revealed.iter().filter(|_| part > 0);
		paid.map(|owner| (owner.clone(), part)).collect()
	};
	Penalty { compensation: each(shares.compensation), bounty: each(shares.bounty) }
}
