//! Auditors who do not compute. They work honestly.

use crate::strategy::{Answer, Question, Strategy};
use std::collections::BTreeSet;
use tequio_primitives::AttemptId;

/// Commits what the worker has committed, and tries to show what the worker shows.
pub struct Copier;

impl Copier {
	fn copy(question: &Question) -> Answer {
		match &question.owed.check {
			Some(check) => Answer::Copy(check.commitment),
			None => Answer::Compute,
		}
	}
}

impl Strategy for Copier {
	fn audit(&mut self, question: &Question) -> Answer {
		Self::copy(question)
	}

	fn judge(&mut self, question: &Question) -> Answer {
		Self::copy(question)
	}
}

/// Agrees with every worker. It knows no more of the result than the commitment, so it guesses.
pub struct Agreeing;

impl Strategy for Agreeing {
	fn audit(&mut self, question: &Question) -> Answer {
		match &question.owed.check {
			Some(check) => Answer::pretend(check.commitment),
			None => Answer::Compute,
		}
	}
}

/// Disagrees with every worker outside of the circle; where others of the circle sit on the panel,
/// they find for it.
#[derive(Default)]
pub struct Disagreeing {
	accused: BTreeSet<AttemptId>,
}

impl Strategy for Disagreeing {
	fn audit(&mut self, question: &Question) -> Answer {
		if question.circle.contains(&question.owed.assignment.seat.owner) {
			return Answer::Compute;
		}
		self.accused.insert(question.id());
		Answer::pretend(question.lie())
	}

	fn judge(&mut self, question: &Question) -> Answer {
		if self.accused.contains(&question.id()) {
			Answer::pretend(question.lie())
		} else {
			Answer::Compute
		}
	}
}
