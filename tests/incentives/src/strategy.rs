//! What a strategy decides. Whatever it says nothing about it does honestly.

use crate::{
	outlook::{Outlook, Pending},
	people::Circle,
	VALUE,
};
use codec::Encode;
use pallet_verification::Rules;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use tequio_primitives::{stage::DeclineReason, AttemptId, Balance, Duty, TaskId, WorkHeight};
use tequio_runtime::{AccountId, RuntimeCall};
use tequio_runtime_tests::{
	duty::Owed,
	program::{self, Fate},
};

/// What a device is asked about a duty that it can go on with now.
pub struct Question<'a> {
	/// Whose device it is.
	pub owner: &'a AccountId,
	/// The duty, its terms, its check.
	pub owed: &'a Owed,
	/// The program.
	pub program: H256,
	/// The height of the last block.
	pub now: WorkHeight,
	/// The rules of verification.
	pub rules: &'a Rules,
	/// Those whose profit counts.
	pub circle: &'a Circle,
	/// What they know ahead.
	pub outlook: &'a Outlook,
	/// Their lies on whose audit the chain has still to decide.
	pub pending: usize,
}

impl Question<'_> {
	/// The attempt.
	pub fn id(&self) -> AttemptId {
		self.owed.duty.id
	}

	/// Blocks in which the answer can still be given, the next one included.
	pub fn left(&self) -> u32 {
		self.owed.last.saturating_sub(self.now)
	}

	/// V_max of the attempt.
	pub fn value(&self) -> Balance {
		self.owed.assignment.max_payment
	}

	/// Whether the owner's results are audited as rarely as any: its reputation is as good as can
	/// be.
	pub fn is_trusted(&self) -> bool {
		let assignment = &self.owed.assignment;
		assignment.terms.audit_rate <= self.rules.audits(assignment.class).floor
	}

	/// Whether the owner is one of those whose profit counts.
	pub fn is_member(&self) -> bool {
		self.circle.contains(self.owner)
	}

	/// What becomes of who wants to run the program.
	pub fn fate(&self) -> Fate {
		program::fate(&self.program)
	}

	/// A wrong output that all who lie about the chunk agree on.
	pub fn lie(&self) -> H256 {
		program::lie(&self.program, self.id().chunk.index)
	}

	/// A wrong output that nobody else comes upon.
	pub fn noise(&self) -> H256 {
		blake2_256(&(b"noise", self.owner, self.owed.duty).encode()).into()
	}
}

/// What it does about a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
	/// Computes, and commits what came out.
	Compute,
	/// Commits something else.
	Pretend {
		/// The output that it will show.
		output: H256,
		/// Percent of the computation that it does all the same.
		effort: u32,
		/// What it gets for it from the circle, without the chain.
		bribe: Balance,
	},
	/// Commits what somebody else has committed, and tries to show what that one shows.
	Copy(H256),
	/// Nothing yet.
	Wait,
	/// Hands the chunk back.
	Decline(DeclineReason),
}

impl Answer {
	/// Commits an output without computing anything.
	pub fn pretend(output: H256) -> Self {
		Self::Pretend { output, effort: 0, bribe: 0 }
	}
}

/// A block that an author of the circle can make.
pub struct Turn<'a> {
	/// Its height.
	pub height: WorkHeight,
	/// Its output.
	pub output: [u8; 32],
	/// Blocks that decide on an audit.
	pub window: u32,
	/// Lies on whose audit the chain has still to decide.
	pub pending: &'a [Pending],
}

/// What those decide who follow a strategy: owners of the circle, and others who help them.
pub trait Strategy {
	/// The device was drawn to compute a chunk.
	fn work(&mut self, question: &Question) -> Answer {
		honest(question)
	}

	/// The device was drawn to audit an attempt.
	fn audit(&mut self, _question: &Question) -> Answer {
		Answer::Compute
	}

	/// The device sits on a panel.
	fn judge(&mut self, _question: &Question) -> Answer {
		Answer::Compute
	}

	/// Whether the device shows what it has committed.
	fn reveals(&mut self, _question: &Question) -> bool {
		true
	}

	/// Whether it appeals against a panel that found against it.
	fn appeals(&mut self, _duty: &Duty, lied: bool) -> bool {
		!lied
	}

	/// Whether an author of the circle makes its block, or leaves its slot empty.
	fn publishes(&mut self, _turn: &Turn) -> bool {
		true
	}

	/// What the circle's requester signs; `own` are its tasks so far. Reads the state.
	fn requests(&mut self, _own: &[TaskId]) -> Vec<RuntimeCall> {
		Vec::new()
	}
}

/// Computes what can be computed and hands back the rest.
pub fn honest(question: &Question) -> Answer {
	match question.fate() {
		Fate::Runs => Answer::Compute,
		Fate::Unreachable => Answer::Decline(DeclineReason::BadInput),
		Fate::Unsupported => Answer::Decline(DeclineReason::Unsupported),
	}
}

/// What it costs to compute a chunk worth `value`, by assumption: three fifths of the pay, for the
/// worker as for an auditor or a referee.
pub fn cost(value: Balance) -> Balance {
	value / 5 * 3
}

/// Money in chunks' pay.
#[allow(clippy::cast_precision_loss)] // It is printed with three digits.
pub fn in_values(money: i128) -> f64 {
	money as f64 / VALUE as f64
}
