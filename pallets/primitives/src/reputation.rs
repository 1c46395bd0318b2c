//! Reputation: what an owner has done in a class, and how often its results are audited for it.
//! Pure.
//!
//! It is readable by anyone and acts only through the audit rate: an owner who is not known is
//! audited always, one whose audits by others were passed long enough less often, down to the
//! floor of the class. It counts in *value*: audits of small chunks say little about a large one.
//! What is not renewed is halved with every half-life.

use crate::{Balance, WorkHeight};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{PerThing, Perquintill, Rounding};

/// What an owner has done in one class. Every number is halved with each half-life that passes.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Reputation {
	/// Most that the results were worth which were audited and accepted since the last rejected
	/// one, in the token's smallest unit.
	pub streak: Balance,
	/// How many those were.
	pub passed: u32,
	/// Results accepted, audited or not.
	pub accepted: u32,
	/// Results found wrong or never revealed, its own audits included.
	pub rejected: u32,
	/// Deadlines missed.
	pub late: u32,
	/// Work handed back.
	pub declined: u32,
	/// When the numbers were last halved.
	pub halved_at: WorkHeight,
}

/// Something that changes a reputation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
	/// Nothing that counts: a duty that ended without a judgement, or somebody else's result.
	Nothing,
	/// A result was accepted; `value` is the most that it could earn.
	Accepted {
		/// V_max of the chunk.
		value: Balance,
		/// Whether auditors looked at it.
		audited: bool,
	},
	/// A result or an audit was found wrong, or not revealed.
	Rejected,
	/// A deadline was missed.
	Late,
	/// Work was handed back.
	Declined,
}

/// How reputation lowers the audit rate. Part of the rules that a referendum may change.
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
#[serde(default, deny_unknown_fields)]
pub struct Trust {
	/// Audits by others to pass before anything goes unaudited.
	pub audits: u32,
}

impl Default for Trust {
	fn default() -> Self {
		Self { audits: 10 }
	}
}

impl Reputation {
	/// The numbers at a height.
	pub fn at(self, now: WorkHeight, half_life: u32) -> Self {
		let halvings = now.saturating_sub(self.halved_at).checked_div(half_life).unwrap_or(0);
		let half = |number: u32| number.checked_shr(halvings).unwrap_or(0);
		Self {
			streak: self.streak.checked_shr(halvings).unwrap_or(0),
			passed: half(self.passed),
			accepted: half(self.accepted),
			rejected: half(self.rejected),
			late: half(self.late),
			declined: half(self.declined),
			halved_at: self.halved_at.saturating_add(halvings.saturating_mul(half_life)),
		}
	}

	/// The numbers after a deed at a height.
	pub fn after(self, deed: Deed, now: WorkHeight, half_life: u32) -> Self {
		let mut next = self.at(now, half_life);
		match deed {
			Deed::Nothing => {},
			Deed::Accepted { value, audited } => {
				next.accepted = next.accepted.saturating_add(1);
				if audited {
					next.passed = next.passed.saturating_add(1);
					next.streak = next.streak.saturating_add(value);
				}
			},
			Deed::Rejected => {
				next.rejected = next.rejected.saturating_add(1);
				next.passed = 0;
				next.streak = 0;
			},
			Deed::Late => next.late = next.late.saturating_add(1),
			Deed::Declined => next.declined = next.declined.saturating_add(1),
		}
		// Somebody without a past has nothing to halve.
		if self == Self::default() {
			next.halved_at = now;
		}
		next
	}

	/// p for a result that earns `value` at most: one until enough audits were passed, then
	/// `value / streak`, and never below `floor`. The numbers have to be those of the present
	/// height ([`Self::at`]).
	pub fn audit_rate(&self, value: Balance, floor: Perquintill, trust: &Trust) -> Perquintill {
		if self.passed < trust.audits || self.streak == 0 {
			return Perquintill::one();
		}
		// Rounded up: never less often than the streak allows.
		let rate =
			Perquintill::from_rational_with_rounding(value, self.streak.max(value), Rounding::Up);
		rate.unwrap_or(Perquintill::one()).max(floor)
	}
}
