//! Owners who agree on one lie, and stand by it in every role.

use crate::strategy::{Answer, Question, Strategy};
use std::collections::BTreeSet;
use tequio_primitives::{AttemptId, Duty};

/// Lies, and finds the lies of others of the circle right. Otherwise honest.
#[derive(Default)]
pub struct Cartel {
	/// Lies only where the results of the member are audited as rarely as any.
	patient: bool,
	/// Appeals for its lies.
	stubborn: bool,
	lies: BTreeSet<AttemptId>,
}

impl Cartel {
	/// Lies where it is audited least. It does not appeal for a lie: that would put more at stake
	/// than it can save, as long as the circle is a minority.
	pub fn patient() -> Self {
		Self { patient: true, ..Self::default() }
	}

	/// The same, and appeals.
	pub fn stubborn() -> Self {
		Self { patient: true, stubborn: true, ..Self::default() }
	}

	/// Lies always.
	pub fn impatient() -> Self {
		Self::default()
	}

	/// Whether a lie is as little at risk as it can be.
	pub fn would_lie(&self, question: &Question) -> bool {
		!self.patient || question.is_trusted()
	}

	/// Tells the lie, which from now on all of the circle know of.
	pub fn lie(&mut self, question: &Question) -> Answer {
		self.lies.insert(question.id());
		Answer::pretend(question.lie())
	}

	/// Whether an attempt is a lie of the circle.
	pub fn told(&self, id: &AttemptId) -> bool {
		self.lies.contains(id)
	}

	fn back(&self, question: &Question) -> Answer {
		if self.told(&question.id()) {
			Answer::pretend(question.lie())
		} else {
			Answer::Compute
		}
	}
}

impl Strategy for Cartel {
	fn work(&mut self, question: &Question) -> Answer {
		if self.would_lie(question) {
			self.lie(question)
		} else {
			Answer::Compute
		}
	}

	fn audit(&mut self, question: &Question) -> Answer {
		self.back(question)
	}

	fn judge(&mut self, question: &Question) -> Answer {
		self.back(question)
	}

	fn appeals(&mut self, _duty: &Duty, lied: bool) -> bool {
		self.stubborn || !lied
	}
}
