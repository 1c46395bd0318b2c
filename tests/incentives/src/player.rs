//! What a device sends in a block: the answers of its strategy, made into calls.

use crate::{
	memory::{Intent, Memory, Said},
	outlook::Outlook,
	people::{Circle, Hand, Person, Side},
	strategy::{cost, Answer, Question, Strategy},
};
use frame_support::BoundedVec;
use pallet_verification::{
	types::{CommitItem, RevealItem},
	Call as Verify, Rules,
};
use pallet_workers::{Availability, Devices, Progress};
use sp_core::H256;
use tequio_primitives::{
	claim::Claim, opening::Opening, recompute::OutputOpening, Balance, Duty, Role, WorkHeight,
};
use tequio_runtime::{AccountId, Runtime, RuntimeCall};
use tequio_runtime_tests::{
	duty::{commit_item, is_wronged, reveal_item, Owed, Step},
	program,
};

/// What all devices are asked by, in one block.
pub struct Desk<'a> {
	/// Those whose profit counts.
	pub circle: &'a Circle,
	/// What they know ahead.
	pub outlook: &'a Outlook,
	/// Their lies on whose audit the chain has still to decide.
	pub pending: usize,
	/// The rules of verification.
	pub rules: &'a Rules,
	/// The height of the last block.
	pub now: WorkHeight,
	/// What they have said so far.
	pub memory: &'a mut Memory,
	/// Duties whose opening they do not show.
	pub withheld: Vec<Duty>,
}

/// A device at its turn.
struct Player<'a, 'b> {
	person: &'a Person,
	device: &'a AccountId,
	desk: &'a mut Desk<'b>,
	commits: Vec<CommitItem>,
	reveals: Vec<RevealItem>,
	others: Vec<RuntimeCall>,
}

/// What a device sends now. Reads the state.
pub fn calls(
	person: &Person,
	hand: &Hand,
	strategy: &mut dyn Strategy,
	desk: &mut Desk,
) -> Vec<RuntimeCall> {
	let device = &hand.account;
	let Some(record) = Devices::<Runtime>::get(device) else { return Vec::new() };
	let (commits, reveals, others) = (Vec::new(), Vec::new(), Vec::new());
	let mut player = Player { person, device, desk, commits, reveals, others };
	for engagement in &record.engagements {
		match engagement.progress {
			Progress::Computing | Progress::Committed => {
				player.go_on(engagement.duty, strategy);
			},
			Progress::Done => player.appeal(engagement.duty, strategy),
		}
	}
	player.signal(&record);
	player.into_calls()
}

impl Player<'_, '_> {
	/// Does what can be done about a duty now.
	fn go_on(&mut self, duty: Duty, strategy: &mut dyn Strategy) {
		let Some(owed) = Owed::of(self.device, duty) else { return };
		let Some(program) = self.desk.memory.program(&duty.id.chunk) else { return };
		let question = Question {
			owner: &self.person.account,
			owed: &owed,
			program,
			now: self.desk.now,
			rules: self.desk.rules,
			circle: self.desk.circle,
			outlook: self.desk.outlook,
			pending: self.desk.pending,
		};
		match owed.step {
			Step::Commit => {
				let answer = match duty.role {
					Role::Worker => strategy.work(&question),
					Role::Auditor => strategy.audit(&question),
					Role::Referee { .. } => strategy.judge(&question),
					Role::Appellant { .. } => return,
				};
				self.commit(&owed, &program, answer);
			},
			Step::Reveal if strategy.reveals(&question) => self.reveal(&owed, &program),
			Step::Reveal => {
				self.desk.memory.withhold(self.device, &duty);
				self.desk.withheld.push(duty);
			},
		}
	}

	fn commit(&mut self, owed: &Owed, program: &H256, answer: Answer) {
		let duty = owed.duty;
		let (said, effort, bribe) = match answer {
			Answer::Compute => (Said::Truth, 100, 0),
			Answer::Pretend { output, effort, bribe } => (Said::Output(output), effort, bribe),
			Answer::Copy(commitment) => {
				let claim = Claim::Nothing;
				self.commits.push(CommitItem { id: duty.id, role: duty.role, claim, commitment });
				self.intend(owed, Said::Copied, 0, 0);
				return;
			},
			Answer::Wait => return,
			Answer::Decline(reason) => {
				let decline = pallet_tasks::Call::decline { id: duty.id, reason };
				self.others.push(RuntimeCall::Tasks(decline));
				return;
			},
		};
		let opening = shown(&said, program, &duty);
		self.commits.push(commit_item(self.device, duty, Claim::Nothing, &opening));
		self.intend(owed, said, effort, bribe);
	}

	/// Remembers a commit, except of those of whom nobody asks what it cost.
	fn intend(&mut self, owed: &Owed, said: Said, effort: u32, bribe: Balance) {
		let full = cost(owed.assignment.max_payment);
		let cost = match self.person.side {
			Side::Honest => return,
			Side::Helper => 0,
			Side::Member => full * Balance::from(effort) / 100,
		};
		let terms = owed.assignment.terms;
		let (rate, conviction) = (terms.audit_rate, terms.conviction);
		let intent = Intent { said, cost, bribe, rate, conviction };
		self.desk.memory.intend(self.device, &owed.duty, intent);
	}

	fn reveal(&mut self, owed: &Owed, program: &H256) {
		let said = self.desk.memory.intent(self.device, &owed.duty).map(|intent| intent.said);
		match said.unwrap_or(Said::Truth) {
			Said::Copied => {
				let seen = owed.check.as_ref().and_then(|check| check.worker_opening.clone());
				// Refused, since it is not what hides behind the commitment for this device: in a
				// call of its own, so that it spoils no others.
				if let Some(opening) = seen {
					self.others.push(reveal_call(vec![reveal_item(owed.duty, opening)]));
				}
			},
			said => {
				let opening = shown(&said, program, &owed.duty);
				self.reveals.push(reveal_item(owed.duty, opening));
			},
		}
	}

	fn appeal(&mut self, duty: Duty, strategy: &mut dyn Strategy) {
		let party = matches!(duty.role, Role::Worker | Role::Auditor);
		if !party || !is_wronged(self.device, &duty) {
			return;
		}
		if strategy.appeals(&duty, self.desk.memory.deviates(self.device, &duty)) {
			self.others.push(RuntimeCall::Verification(Verify::appeal { id: duty.id }));
		}
	}

	/// Says that the device accepts work, as soon as it may.
	fn signal(&mut self, record: &pallet_workers::Device<AccountId>) {
		let waits = match record.availability {
			Availability::Idle => false,
			Availability::Suspended { until } => self.desk.now + 1 < until,
			Availability::Accepting | Availability::Paused => true,
		};
		if !waits && self.desk.now + 1 >= record.signal_from {
			let signal = pallet_workers::Call::set_accepting { accepting: true };
			self.others.push(RuntimeCall::Workers(signal));
		}
	}

	fn into_calls(self) -> Vec<RuntimeCall> {
		let Self { commits, reveals, others, .. } = self;
		let mut calls = Vec::new();
		if !commits.is_empty() {
			let items = BoundedVec::truncate_from(commits);
			calls.push(RuntimeCall::Verification(Verify::commit { items }));
		}
		if !reveals.is_empty() {
			calls.push(reveal_call(reveals));
		}
		calls.into_iter().chain(others).collect()
	}
}

fn reveal_call(items: Vec<RevealItem>) -> RuntimeCall {
	RuntimeCall::Verification(Verify::reveal { items: BoundedVec::truncate_from(items) })
}

/// What a device shows that has said this.
fn shown(said: &Said, program: &H256, duty: &Duty) -> Opening {
	let output = match said {
		Said::Output(output) => *output,
		Said::Truth | Said::Copied => program::output(program, duty.id.chunk.index),
	};
	Opening::Output(OutputOpening::own(output))
}
