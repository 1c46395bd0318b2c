//! Workers who lie and pay auditors to agree, outside of the chain.

use crate::{
	strategies::cartel::Cartel,
	strategy::{cost, Answer, Question, Strategy},
	VALUE,
};

/// Members lie always. Helpers, when they are to audit such a lie, agree to it for as much as they
/// expect to lose by that, if it is no more than the lie is worth. They expect that everybody else is
/// honest: that the second auditor, if one is drawn, has them slashed.
#[derive(Default)]
pub struct Briber {
	cartel: Cartel,
}

impl Strategy for Briber {
	fn work(&mut self, question: &Question) -> Answer {
		if question.is_member() {
			self.cartel.lie(question)
		} else {
			Answer::Compute
		}
	}

	fn audit(&mut self, question: &Question) -> Answer {
		if !self.cartel.told(&question.id()) {
			return Answer::Compute;
		}
		let asked = if question.is_member() { 0 } else { price_of_a_lie(question) };
		if asked > VALUE {
			return Answer::Compute;
		}
		Answer::Pretend { output: question.lie(), effort: 0, bribe: asked }
	}
}

/// What an auditor expects to lose by agreeing to a lie: collateral and pay if it is found out, less
/// what it saves by not computing.
fn price_of_a_lie(question: &Question) -> u128 {
	let assignment = &question.owed.assignment;
	let check = question.owed.check.as_ref();
	let last = check.is_some_and(|check| check.second_decided);
	let at_stake = assignment.terms.collateral + assignment.audit_pay;
	let lost = if last { 0 } else { assignment.terms.second.mul_ceil(at_stake) };
	lost.saturating_sub(cost(assignment.audit_pay))
}
