//! How referees' openings become a finding, and who pays for it. Pure: everything it looks at is an
//! argument.

use crate::{
	types::{Said, Standing, Standings},
	verdict::Outcome,
};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::BoundedVec;
use sp_core::H256;
use tequio_primitives::{
	opening::Comparison::{self, Wrong},
	tasks::{RejectReason, UndecidedReason},
	terms::slash_shares,
	workers::Penalty,
	Balance,
};

/// What a referee has revealed, and how much that weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
	/// Its votes.
	pub votes: u64,
	/// What it said.
	pub said: &'a Said,
}

/// Those whose word counts. An answer that nobody else has, no other referee and no party, counts
/// for nothing, however many votes it has: whoever computes is not alone with what comes out, and one
/// owner alone convicts nobody.
fn counted<'a>(words: &[Word<'a>]) -> Vec<Word<'a>> {
	let shared = |one: &&Word| {
		let same = words.iter().filter(|other| other.said.answer == one.said.answer).count();
		same > 1 || one.said.findings.iter().any(|it| *it != Wrong)
	};
	words.iter().filter(shared).copied().collect()
}

fn sum(votes: impl Iterator<Item = u64>) -> u64 {
	votes.fold(0, u64::saturating_add)
}

/// Whether a panel of so many votes can find anything: half of them have to say something that
/// counts, so that less than a third of the votes is never two thirds of those.
pub fn is_heard(words: &[Word], votes: u64) -> bool {
	sum(counted(words).iter().map(|word| word.votes)).saturating_mul(2) >= votes
}

/// What a panel of so many votes finds, if it is heard. `words` are what its referees revealed.
/// `shown` has an entry for each party: whether it revealed.
///
/// A party is right whose result two thirds of the votes that count call equal or near to their own.
/// It is wrong only where two thirds agree on another one: work that comes out differently on every
/// machine slashes nobody.
pub fn tally(words: &[Word], shown: &[bool], votes: u64) -> Standings {
	let heard = is_heard(words, votes);
	let words = counted(words);
	let all = sum(words.iter().map(|word| word.votes));
	let decides =
		|votes: u64| heard && votes > 0 && votes.saturating_mul(3) >= all.saturating_mul(2);
	let find = |party: usize| {
		let calls = |word: &&Word| word.said.findings.get(party).copied();
		let right = words.iter().filter(|word| calls(word).is_some_and(|it| it != Wrong));
		let mut wrong = BTreeMap::<H256, u64>::new();
		for word in words.iter().filter(|word| calls(word) == Some(Wrong)) {
			let votes = wrong.entry(word.said.answer).or_default();
			*votes = votes.saturating_add(word.votes);
		}
		if decides(sum(right.map(|word| word.votes))) {
			Standing::Right
		} else if wrong.into_values().any(decides) {
			Standing::Wrong
		} else {
			Standing::Unclear
		}
	};
	let stand = |(party, shown): (usize, &bool)| {
		if *shown {
			find(party)
		} else {
			Standing::Unclear
		}
	};
	BoundedVec::truncate_from(shown.iter().enumerate().map(stand).collect())
}

/// Whether a referee found of every party what was found in the end. Of parties about whom nothing
/// is known in the end, nobody said anything false.
pub fn agrees(findings: &[Comparison], end: &[Standing]) -> bool {
	findings.iter().zip(end).all(|(said, end)| match end {
		Standing::Right => *said != Comparison::Wrong,
		Standing::Wrong => *said == Comparison::Wrong,
		Standing::Unclear => true,
	})
}

/// The judgement on an attempt that a panel has found this about.
pub fn outcome(standings: &[Standing]) -> Outcome {
	match standings.first() {
		Some(Standing::Right) => Outcome::Accepted,
		Some(Standing::Wrong) => Outcome::Rejected(RejectReason::ProvenWrong),
		Some(Standing::Unclear) | None => Outcome::Undecided(UndecidedReason::Disagreement),
	}
}

/// How the parties stand after a judgement without a panel: auditors who revealed are right where
/// it says anything about the worker.
pub fn implied(outcome: Outcome, shown: &[bool]) -> Standings {
	let (worker, auditors) = match outcome {
		Outcome::Accepted => (Standing::Right, Standing::Right),
		Outcome::Rejected(_) => (Standing::Wrong, Standing::Right),
		Outcome::Undecided(_) => (Standing::Unclear, Standing::Unclear),
	};
	let stand = |(party, shown): (usize, &bool)| match (party, shown) {
		(0, _) => worker,
		(_, true) => auditors,
		(_, false) => Standing::Unclear,
	};
	BoundedVec::truncate_from(shown.iter().enumerate().map(stand).collect())
}

/// What auditors get out of the collateral of a worker who made them work in vain.
pub fn owed_to_auditors(collateral: Balance, audit_pay: Balance, auditors: usize) -> Balance {
	let count = u128::try_from(auditors).unwrap_or(u128::MAX);
	audit_pay.saturating_mul(count).min(collateral)
}

/// How a rejected worker's collateral is shared: each auditor who was right is made whole, then the
/// referees get what they are owed, and who found the fault gets equal parts of the bounty.
/// Remainders are burned.
pub fn penalty<AccountId: Clone>(
	collateral: Balance,
	audit_pay: Balance,
	auditors: &[AccountId],
	finders: &[AccountId],
	referees: Option<(AccountId, Balance)>,
) -> Penalty<AccountId> {
	let to_auditors = owed_to_auditors(collateral, audit_pay, auditors.len());
	let to_referees = referees.as_ref().map_or(0, |(_, amount)| *amount);
	let owed = to_auditors.saturating_add(to_referees);
	let shares = slash_shares(collateral, owed, !finders.is_empty());
	Penalty {
		compensation: equally(to_auditors, auditors),
		bounty: equally(shares.bounty, finders),
		referees: referees.filter(|(_, amount)| *amount > 0),
	}
}

/// Equal parts of a sum.
fn equally<AccountId: Clone>(sum: Balance, payees: &[AccountId]) -> Vec<(AccountId, Balance)> {
	let count = u128::try_from(payees.len()).unwrap_or(u128::MAX);
	let part = sum.checked_div(count).unwrap_or(0);
	let paid = payees.iter().filter(|_| part > 0);
	paid.map(|payee| (payee.clone(), part)).collect()
}

/// What the referees of an attempt are paid: collected from those who lost, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purse {
	referees: Balance,
	owed: Balance,
	collected: Balance,
}

impl Purse {
	/// For so many referees, `audit_pay` for each, or an equal part of what those who lost have to
	/// give where that is less.
	pub fn new(referees: usize, audit_pay: Balance, available: Balance) -> Self {
		let referees = u128::try_from(referees).unwrap_or(u128::MAX);
		let each = available.checked_div(referees).map_or(0, |most| most.min(audit_pay));
		Self { referees, owed: each.saturating_mul(referees), collected: 0 }
	}

	/// What is asked of somebody who has so much to give.
	pub fn ask(&mut self, available: Balance) -> Balance {
		let part = self.owed.min(available);
		self.owed = self.owed.saturating_sub(part);
		part
	}

	/// Notes what the pot got of what was asked.
	pub fn collect(&mut self, amount: Balance) {
		self.collected = self.collected.saturating_add(amount);
	}

	/// What there is for each.
	pub fn pay(&self) -> Balance {
		self.collected.checked_div(self.referees).unwrap_or(0)
	}
}
