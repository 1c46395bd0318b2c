//! Audit terms: how often a result is checked, how likely a cheat is convicted, and the collateral
//! that follows.
//!
//! With `p` the audit rate, σ the share of draws that a cartel can blank, x̄ its share of seats and
//! `f` the chance of a captured verdict, a cheat is convicted with `q = p (1 − σ)(1 − x̄)(1 − f)`.
//! Cheating loses money once the collateral `C` outweighs the gain, of which 30 % come back to a
//! cartel as the bounty of its own conviction: `C = 1.25 · V_max · (1 − q) / (0.7 · q)`, and at
//! least `1.25 · V_max`. Nobody types these in; they are fixed for an attempt when it is assigned.

use crate::{workers::Candidate, WorkClass};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{
	helpers_128bit::multiply_by_rational_with_rounding, traits::Saturating, Perquintill, Rounding,
};

/// What the chain assumes of those who would cheat. Part of the rules that a referendum may change.
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
	serde::Serialize,
	serde::Deserialize,
)]
pub struct Adversary {
	/// σ: share of audit draws that a cartel can blank by withholding its own blocks.
	pub blanked_draws: Perquintill,
	/// x̄: share of seats that the cartel holds.
	pub seats: Perquintill,
	/// f: chance that it captures a verdict.
	pub captured_verdicts: Perquintill,
}

impl Default for Adversary {
	fn default() -> Self {
		Self {
			blanked_draws: Perquintill::from_percent(50),
			seats: Perquintill::from_rational(1u64, 3u64),
			captured_verdicts: Perquintill::zero(),
		}
	}
}

/// How a result is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditPlan {
	/// p: chance that it is audited.
	pub audit_rate: Perquintill,
	/// Auditors of an audit, [`crate::MAX_AUDITORS`] with the second one at most.
	pub auditors: u8,
	/// Chance that another auditor is drawn once all of these have committed.
	pub second: Perquintill,
}

/// The terms of one attempt, fixed at its assignment.
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
pub struct AuditTerms {
	/// p: chance that the result is audited.
	pub audit_rate: Perquintill,
	/// q: chance that a wrong result is convicted.
	pub conviction: Perquintill,
	/// C: what the worker, and each auditor and referee, stands to lose, in the smallest unit of the
	/// token.
	pub collateral: u128,
	/// Auditors of an audit.
	pub auditors: u8,
	/// Chance that another auditor is drawn once all of these have committed: who only agrees
	/// with workers does not know whether somebody comes after.
	pub second: Perquintill,
}

impl AuditTerms {
	/// The same with so many auditors at most, the second one included.
	pub fn within(self, most: u8) -> Self {
		let auditors = self.auditors.min(most);
		let second = if auditors < most { self.second } else { Perquintill::zero() };
		Self { auditors, second, ..self }
	}
}

/// Computes the terms for a payment cap of `max_payment` that is audited by a plan. `None` where
/// nothing would ever be convicted or the collateral has no place in 128 bits: such work cannot be
/// assigned.
pub fn audit_terms(
	max_payment: u128,
	plan: AuditPlan,
	adversary: &Adversary,
) -> Option<AuditTerms> {
	let AuditPlan { audit_rate, auditors, second } = plan;
	let honest = |share: Perquintill| Perquintill::one() - share;
	let conviction = audit_rate
		* honest(adversary.blanked_draws)
		* honest(adversary.seats)
		* honest(adversary.captured_verdicts);
	if conviction.is_zero() {
		return None;
	}
	let scaled = |numerator: u128, denominator: u128| {
		multiply_by_rational_with_rounding(max_payment, numerator, denominator, Rounding::Up)
	};
	let escaped = u128::from(honest(conviction).deconstruct());
	let priced = scaled(125 * escaped, 70 * u128::from(conviction.deconstruct()))?;
	let floor = scaled(125, 100)?;
	let collateral = priced.max(floor);
	Some(AuditTerms { audit_rate, conviction, collateral, auditors, second })
}

/// The chance per block that makes `m` blocks together hit with `audit_rate`: `1 − (1 − p)^{1/m}`,
/// rounded up to the next 10⁻¹⁸, so that the whole is never below `p`.
pub fn rate_per_block(audit_rate: Perquintill, blocks: u32) -> Perquintill {
	if audit_rate.is_one() {
		// A rounded power of something small is zero too soon.
		return audit_rate;
	}
	let missed = Perquintill::one() - audit_rate;
	// The smallest t with (1 − t)^m ≤ 1 − p, by bisection: the left side falls as t grows.
	let (mut low, mut high) = (0u64, audit_rate.deconstruct());
	while low < high {
		let middle = low + (high - low) / 2;
		let all_miss = (Perquintill::one() - Perquintill::from_parts(middle))
			.saturating_pow(usize::try_from(blocks).unwrap_or(usize::MAX));
		if all_miss <= missed {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	Perquintill::from_parts(low)
}

/// How a slashed collateral is shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashShares {
	/// Makes those whole who worked on the attempt in vain, referees included.
	pub compensation: u128,
	/// 30 % of the rest, for those who brought the proof.
	pub bounty: u128,
	/// Everything else.
	pub burned: u128,
}

/// Shares `taken` out: `owed` first, then the bounty if somebody `proved` it, the rest burned. The
/// parts add up to `taken`.
pub fn slash_shares(taken: u128, owed: u128, proved: bool) -> SlashShares {
	let compensation = owed.min(taken);
	let rest = taken - compensation;
	let bounty = if proved { Perquintill::from_percent(30).mul_floor(rest) } else { 0 };
	SlashShares { compensation, bounty, burned: rest - bounty }
}

/// What the terms of an attempt depend on, besides who computes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priced {
	/// Class of the work.
	pub class: WorkClass,
	/// V_max: the most that the worker can earn, in the token's smallest unit.
	pub max_payment: u128,
	/// Times that the requester wants it computed; 1 leaves it to the audit.
	pub replicas: u8,
	/// Blocks for the work.
	pub deadline: u32,
}

/// Says on which terms work is assigned.
pub trait AuditPolicy {
	/// Auditors that one result may have to pay at most.
	fn most_audits(class: WorkClass, replicas: u8) -> u8;

	/// The terms for an attempt by this candidate. `None` where such work cannot be assigned.
	fn terms(work: &Priced, candidate: &Candidate) -> Option<AuditTerms>;
}
