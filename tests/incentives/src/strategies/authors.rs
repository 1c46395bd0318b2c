//! A cartel whose members make blocks too. They know the outputs of their own slots ahead.

use crate::{
	outlook::Foresight,
	strategies::cartel::Cartel,
	strategy::{Answer, Question, Strategy, Turn},
};
use tequio_primitives::Duty;

/// Outputs of a window that have to be known for a commit before the last moment.
const ENOUGH: u32 = 4;
/// Lies on whose audit the chain has still to decide, at most: a block that is withheld for one of
/// them draws anew for all.
const FEW: usize = 12;

/// Withholds a block whose output would have more of its lies audited than another one can be
/// expected to.
pub fn publishes(turn: &Turn) -> bool {
	let concerned =
		|| turn.pending.iter().filter(move |lie| lie.depends_on(turn.height, turn.window));
	let hits = concerned().filter(|lie| lie.is_hit(&turn.output, turn.window)).count();
	let expected: f64 = concerned().map(|lie| lie.chance(turn.window)).sum();
	u32::try_from(hits).is_ok_and(|hits| f64::from(hits) <= expected)
}

/// Commits a lie only when none of the outputs of the window that it knows would have it audited,
/// and waits until it knows many, if it can. Where it cannot, it commits the truth.
pub struct CommitTimer {
	cartel: Cartel,
}

impl Default for CommitTimer {
	fn default() -> Self {
		Self { cartel: Cartel::patient() }
	}
}

impl Strategy for CommitTimer {
	fn work(&mut self, question: &Question) -> Answer {
		if !self.cartel.would_lie(question) || question.pending >= FEW {
			return Answer::Compute;
		}
		let (id, rate) = (question.id(), question.owed.assignment.terms.audit_rate);
		let window = question.rules.chance_window;
		let Foresight { known, hits } = question.outlook.foresee(&id, rate, window);
		let last = question.left() <= 1;
		match (hits, known) {
			(0, ENOUGH..) => self.cartel.lie(question),
			(0, _) if last => self.cartel.lie(question),
			_ if last => Answer::Compute,
			_ => Answer::Wait,
		}
	}

	fn audit(&mut self, question: &Question) -> Answer {
		self.cartel.audit(question)
	}

	fn judge(&mut self, question: &Question) -> Answer {
		self.cartel.judge(question)
	}

	fn appeals(&mut self, duty: &Duty, lied: bool) -> bool {
		self.cartel.appeals(duty, lied)
	}

	fn publishes(&mut self, turn: &Turn) -> bool {
		publishes(turn)
	}
}

/// A cartel that lies at any time, and withholds blocks.
pub struct BlockWithholder {
	cartel: Cartel,
}

impl Default for BlockWithholder {
	fn default() -> Self {
		Self { cartel: Cartel::patient() }
	}
}

impl Strategy for BlockWithholder {
	fn work(&mut self, question: &Question) -> Answer {
		self.cartel.work(question)
	}

	fn audit(&mut self, question: &Question) -> Answer {
		self.cartel.audit(question)
	}

	fn judge(&mut self, question: &Question) -> Answer {
		self.cartel.judge(question)
	}

	fn appeals(&mut self, duty: &Duty, lied: bool) -> bool {
		self.cartel.appeals(duty, lied)
	}

	fn publishes(&mut self, turn: &Turn) -> bool {
		publishes(turn)
	}
}
