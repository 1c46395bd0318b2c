//! Every strategy that is tried, and how.

use crate::{
	plan::{Counted, Plan},
	strategies::{
		alone::{Lazy, Silent, Skipper, StreakBuilder, Withholder},
		auditors::{Agreeing, Copier, Disagreeing},
		authors::{BlockWithholder, CommitTimer},
		bribery::Briber,
		cartel::Cartel,
		honest::Honest,
		requesters::{DustBuilder, Griefer, SelfDealer},
	},
};
use tequio_primitives::WorkClass;

/// How thorough it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
	/// A hundred thousand chunks for honesty and for the cartel of 30 %; for the others ten thousand,
	/// or as many as it takes, and more for one that lies seldom.
	Full,
	/// Few owners and few chunks: shows that it works, and little more.
	Quick,
}

/// What a strategy has to bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
	/// It pays.
	Pays,
	/// It costs.
	Costs,
	/// It is outside of what is claimed.
	Nothing,
}

/// A plan, and what is claimed of it.
pub struct Trial {
	/// The plan.
	pub plan: Plan,
	/// The claim.
	pub claim: Claim,
}

impl Effort {
	/// The plan with as much as this effort gives it.
	pub fn apply(self, plan: Plan) -> Plan {
		match self {
			Self::Full => plan,
			// Enough that nobody has a fifth of the seats and that a panel of all has room to judge.
			Self::Quick => Plan {
				owners: plan.owners.min(24),
				chunks: plan.chunks.min(3_000),
				least: plan.least.min(60),
				..plan
			},
		}
	}
}

/// Everything, honesty first.
pub fn trials(effort: Effort) -> Vec<Trial> {
	let trial = |plan: Plan, claim| Trial { plan: effort.apply(plan), claim };
	let costs = |plan: Plan| trial(plan, Claim::Costs);
	let mut all = vec![trial(honest(effort), Claim::Pays)];
	all.extend(alone().into_iter().map(costs));
	all.extend(together(effort).into_iter().map(costs));
	all.push(trial(majority(), Claim::Nothing));
	all.extend(requesters().into_iter().map(costs));
	all
}

/// Nobody cheats. The circle is of the same size as those that do, so that its profit is what they
/// give up.
pub fn honest(effort: Effort) -> Plan {
	let plan = Plan::new("honest", || Box::new(Honest));
	let (counted, chunks) = (Counted::Work, 100_000);
	let plan = Plan { counted, chunks, stops_early: false, ..plan };
	match effort {
		Effort::Full => plan,
		Effort::Quick => Plan { stops_early: true, ..plan },
	}
}

/// Those who cheat each for itself, as workers and as auditors.
pub fn alone() -> Vec<Plan> {
	vec![
		Plan::new("lazy", || Box::new(Lazy)),
		Plan::new("skipper", || Box::new(Skipper)),
		Plan::new("copier", || Box::new(Copier)),
		Plan::new("streak-builder", || Box::new(StreakBuilder)),
		Plan::new("streak-builder on own dust", || Box::new(DustBuilder)),
		Plan::new("silent after commit", || Box::new(Silent)),
		Plan::new("withholder of reveals", || Box::new(Withholder)),
		Plan::new("auditor that always agrees", || Box::new(Agreeing)),
	]
}

/// Those who cheat together.
pub fn together(effort: Effort) -> Vec<Plan> {
	let cartel = Plan { slots: 3, ..Plan::cartel() };
	let cartel = match effort {
		Effort::Full => Plan { chunks: 100_000, stops_early: false, ..cartel },
		Effort::Quick => cartel,
	};
	let stubborn = Plan::new("colluding owners 30 %, appealing", || Box::new(Cartel::stubborn()));
	let many = Plan::new("the same as many small owners", || Box::new(Cartel::stubborn()));
	let withholder = Plan::new("withholder of blocks", || Box::new(BlockWithholder::default()));
	let timer = Plan::new("commit-timer", || Box::new(CommitTimer::default()));
	let briber = Plan::new("briber of auditors", || Box::new(Briber::default()));
	let rare = Plan::new("cartel in a rare class", || Box::new(Cartel::impatient()));
	vec![
		Plan { name: "colluding owners 10 %", members: 10, ..Plan::cartel() },
		cartel,
		stubborn,
		Plan { owners: 24, split: 10, ..many },
		Plan { slots: 3, ..withholder },
		// It lies seldom: only where it knows most of the window.
		Plan { slots: 3, chunks: 100_000, ..timer },
		Plan { members: 10, helpers: 20, ..briber },
		Plan { owners: 12, class: WorkClass::ExactF32, ..rare },
		Plan::new("auditor that always disagrees", || Box::new(Disagreeing::default())),
	]
}

/// Nearly half of the owners, which is outside of what is claimed.
pub fn majority() -> Plan {
	let plan = Plan::new("colluding owners 45 %", || Box::new(Cartel::stubborn()));
	Plan { members: 45, slots: 4, ..plan }
}

/// Those who misuse tasks of their own. Nobody else has any meanwhile.
pub fn requesters() -> Vec<Plan> {
	let rounds = |plan: Plan| Plan { counted: Counted::Rounds, supply: false, least: 9, ..plan };
	let griefer = Plan::new("griefing requester", || Box::new(Griefer));
	let dealer = Plan::new("self-dealing requester", || Box::new(SelfDealer));
	let chunks = 2_000;
	vec![
		// Its own owners would share the pay for what it cancels.
		Plan { members: 0, chunks, ..rounds(griefer) },
		Plan { undercut: true, slots: 3, chunks, ..rounds(dealer) },
	]
}
