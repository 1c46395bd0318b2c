//! The claim in small: with a few owners and a few hundred chunks, honesty pays and nothing else
//! does. `scripts/bench incentives` shows it for all strategies and at full size.

#![allow(missing_docs)]

use pallet_verification::{Now, Outputs};
use serde_json::Value;
use tequio_incentives::{
	outcome::Outcome,
	plan::Plan,
	run,
	strategies::{
		alone::{Lazy, Skipper, StreakBuilder},
		auditors::{Agreeing, Disagreeing},
		cartel::Cartel,
	},
	suite::{self, Effort},
	AUTHORS,
};
use tequio_runtime::{Runtime, EPOCH_SLOTS};
use tequio_runtime_tests::{slots::Authors, World};

/// Simulates a plan in small, and checks what holds for every strategy below a third.
fn small(plan: Plan) -> Outcome {
	let outcome = run(&Effort::Quick.apply(plan));
	println!("{outcome}");
	assert_eq!(outcome.honest_slashed, 0, "{outcome}");
	assert_eq!(outcome.paid_and_slashed, 0, "{outcome}");
	assert_eq!(outcome.unexplained, 0, "{outcome}");
	outcome
}

/// Simulates a strategy that has to lose. What is certain of that takes more chunks than a test has
/// time for.
fn costs(plan: Plan) -> Outcome {
	let outcome = small(plan);
	assert!(outcome.counted > 0 && outcome.profit.mean < 0.0, "{outcome}");
	assert!(outcome.wrong_rate() <= outcome.bound, "{outcome}");
	outcome
}

#[test]
fn honesty_pays() {
	let outcome = small(Plan { chunks: 600, ..suite::honest(Effort::Quick) });
	assert!(outcome.profit.low > 0.0, "{outcome}");
	assert!(outcome.harm == 0.0 && outcome.lies == 0, "{outcome}");
}

#[test]
fn cheating_workers_lose() {
	costs(Plan::new("lazy", || Box::new(Lazy)));
	costs(Plan::new("skipper", || Box::new(Skipper)));
}

#[test]
fn who_builds_a_streak_to_defect_loses() {
	let outcome = costs(Plan::new("streak-builder", || Box::new(StreakBuilder)));
	assert!(outcome.wrong_paid > 0, "some lies are never audited: {outcome}");
}

#[test]
fn owners_who_collude_lose() {
	costs(Plan { slots: 3, ..Plan::cartel() });
}

#[test]
fn who_divides_a_stake_among_many_owners_gains_no_weight() {
	let many = Plan::new("many small owners", || Box::new(Cartel::stubborn()));
	costs(Plan { split: 10, ..many });
}

#[test]
fn auditors_who_do_not_compute_lose() {
	costs(Plan::new("agreeing", || Box::new(Agreeing)));
	costs(Plan::new("disagreeing", || Box::new(Disagreeing::default())));
}

#[test]
fn requesters_gain_nothing_by_tasks_that_nobody_needs() {
	for plan in suite::requesters() {
		let outcome = small(Plan { chunks: 300, least: 3, ..plan });
		assert!(outcome.profit.mean < 0.0 && outcome.harm == 0.0, "{outcome}");
	}
}

#[test]
fn authors_know_their_outputs_ahead() {
	let mut world = World::with_authors(Value::Null, Authors::many(AUTHORS, 1)).unchecked();
	world.block();
	let mut expected = None;
	for _ in 0..EPOCH_SLOTS + 10 {
		let next = world.slot() + 1;
		let (author, output) = (world.turn(next), world.output(next));
		assert!(author < AUTHORS as usize);
		let before = world.read(Now::<Runtime>::get);
		world.block();
		// A block's output is kept from the next block on that is polled: the first one of an epoch
		// is not, since the session takes all of it.
		let kept = world.read(|| Outputs::<Runtime>::get().last().map(|output| output.vrf));
		let polled = world.read(Now::<Runtime>::get) > before;
		assert!(!polled || expected.is_none() || kept == expected);
		expected = Some(output);
	}
}
