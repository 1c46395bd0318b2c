//! Workers who cheat, each for itself.

use crate::strategy::{Answer, Question, Strategy};
use tequio_primitives::Role;

/// Returns noise, whatever it is asked.
pub struct Lazy;

impl Strategy for Lazy {
	fn work(&mut self, question: &Question) -> Answer {
		Answer::pretend(question.noise())
	}

	fn audit(&mut self, question: &Question) -> Answer {
		Answer::pretend(question.noise())
	}

	fn judge(&mut self, question: &Question) -> Answer {
		Answer::pretend(question.noise())
	}
}

/// Does half of the work. Audits and judges honestly.
pub struct Skipper;

impl Strategy for Skipper {
	fn work(&mut self, question: &Question) -> Answer {
		Answer::Pretend { output: question.noise(), effort: 50, bribe: 0 }
	}
}

/// Works honestly until its results are audited as rarely as any, and returns noise from then on
/// until it is caught. Then it begins again. Audits and judges honestly.
pub struct StreakBuilder;

impl Strategy for StreakBuilder {
	fn work(&mut self, question: &Question) -> Answer {
		if question.is_trusted() {
			Answer::pretend(question.noise())
		} else {
			Answer::Compute
		}
	}
}

/// Commits noise and never shows it. Audits and judges honestly.
pub struct Silent;

impl Strategy for Silent {
	fn work(&mut self, question: &Question) -> Answer {
		Answer::pretend(question.noise())
	}

	fn reveals(&mut self, question: &Question) -> bool {
		question.owed.duty.role != Role::Worker
	}
}

/// Cheats like a builder of streaks, and shows its noise only where nobody audits it.
pub struct Withholder;

impl Strategy for Withholder {
	fn work(&mut self, question: &Question) -> Answer {
		StreakBuilder.work(question)
	}

	fn reveals(&mut self, question: &Question) -> bool {
		let audited = question.owed.check.as_ref().is_some_and(|check| !check.auditors.is_empty());
		question.owed.duty.role != Role::Worker || !audited || !question.is_trusted()
	}
}
