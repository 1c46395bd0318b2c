//! Work in the class that is compared within a band, from submission to pay: an auditor whose output
//! is another one and near, and a worker whose output is outside the band.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod walk;

use pallet_rewards::Accrued;
use pallet_verification::{types::Standing, verdict::Outcome, Event as VerificationEvent, Panels};
use pallet_workers::{Ledger, Workers as Owners};
use serde_json::json;
use tequio_primitives::{
	api::TaskStatus,
	opening::{Comparison, Opening},
	stage::Stage,
	tasks::RejectReason,
	AttemptId, Balance, WorkClass,
};
use tequio_runtime::{AccountId, Balances, Runtime, RuntimeEvent, Tasks};
use tequio_runtime_tests::{
	device::Conduct,
	owner::{ASK, STAKE},
	program::{self, Fate},
	wealth,
};
use walk::{auditor, worker, Walk};

/// Blocks in which an attempt is judged.
const PATIENCE: u32 = 60;

/// One chunk, and one auditor for it.
fn begin(conduct: Conduct) -> Walk {
	let programs = json!({ "floor": 1_000_000_000_000_000_000u64, "auditors": 1, "second": 0 });
	let rules = json!({ "verification": { "rules": { "programs": programs } } });
	Walk::begin(rules, conduct, program::task(WorkClass::BandedF32, Fate::Runs, 5, 1), ASK)
}

fn wealth_of(walk: &mut Walk, owner: &AccountId) -> Balance {
	walk.world.read(|| wealth(owner))
}

fn stake_of(walk: &mut Walk, owner: &AccountId) -> Balance {
	walk.world.read(|| Owners::<Runtime>::get(owner).unwrap().stake)
}

/// Makes blocks until an attempt is judged.
fn judged(walk: &mut Walk, id: AttemptId) -> Outcome {
	for _ in 0..PATIENCE {
		let judged = walk.world.events().into_iter().find_map(|event| match event {
			RuntimeEvent::Verification(VerificationEvent::Judged { id: judged, outcome })
				if judged == id =>
			{
				Some(outcome)
			},
			_ => None,
		});
		if let Some(outcome) = judged {
			return outcome;
		}
		walk.block();
	}
	panic!("{id:?} is never judged")
}

#[test]
fn an_auditor_that_gets_another_output_within_the_band_is_paid_and_so_is_the_worker() {
	let mut walk = begin(Conduct::Honest);
	walk.to(Stage::Revealing);
	let (_, assignment) = walk.assignment();
	let worker_owner = assignment.seat.owner.clone();
	let auditor_owner = walk.check().auditors[0].seat.clone().unwrap().owner;
	let issued = walk.world.read(Balances::total_issuance);
	let before = [&worker_owner, &auditor_owner].map(|owner| wealth_of(&mut walk, owner));

	walk.reveal(auditor);
	let check = walk.check();
	let audited = check.auditors[0].opening.clone().unwrap();
	assert_eq!(check.worker_opening, None);
	walk.reveal(worker);
	assert!(walk.is_at(Stage::Accepted), "no panel is called");
	let check = walk.check();
	let own = check.worker_opening.unwrap();
	assert_ne!(own.answer(), audited.answer(), "their machines round differently");
	assert_eq!(audited.judges(&own), Comparison::Near);
	let Opening::Output(shown) = own else { panic!("it is of a program") };
	assert_eq!(check.claim.seed(), shown.projection.map(|projection| projection.seed()));

	walk.until("the chunk is paid", |walk| walk.stage().is_none());
	let after = [&worker_owner, &auditor_owner].map(|owner| wealth_of(&mut walk, owner));
	assert_eq!(after, [before[0] + ASK, before[1] + assignment.audit_pay]);
	for owner in [&worker_owner, &auditor_owner] {
		assert_eq!(stake_of(&mut walk, owner), STAKE, "nobody is slashed");
	}
	walk.world.read(|| {
		let books = Tasks::summary(0).unwrap().books;
		assert_eq!((books.paid, books.audit), (ASK, assignment.audit_pay));
		assert_eq!(books.in_escrow(), Some(0));
		assert_eq!(Balances::total_issuance(), issued, "nothing was burned");
	});
}

#[test]
fn a_worker_outside_the_band_is_slashed_by_a_panel_of_the_reference() {
	let mut walk = begin(Conduct::Lies);
	walk.to(Stage::Panel);
	let (id, assignment) = walk.assignment();
	let liar = assignment.seat.owner.clone();
	let accuser = walk.check().auditors[0].seat.clone().unwrap().owner;
	let before = wealth_of(&mut walk, &accuser);
	walk.to(Stage::Appeal);
	let panel = walk.world.read(|| Panels::<Runtime>::get(id, 0u8)).unwrap();
	let answers = panel.places.iter().map(|place| place.said.as_ref().unwrap().answer);
	assert!(answers.clone().all(|answer| Some(answer) == answers.clone().next()), "one truth");
	assert_eq!(walk.check().standings.to_vec(), [Standing::Wrong, Standing::Right]);
	assert_eq!(judged(&mut walk, id), Outcome::Rejected(RejectReason::ProvenWrong));

	let ledger = walk.world.read(Ledger::<Runtime>::get);
	let collateral = assignment.terms.collateral;
	assert_eq!(STAKE - stake_of(&mut walk, &liar), collateral);
	let referees = ledger.compensation - assignment.audit_pay;
	assert!(referees > 0, "the referees are paid by the worker");
	assert_eq!(ledger.bounty, (collateral - ledger.compensation) * 30 / 100);
	let gained = wealth_of(&mut walk, &accuser) - before;
	assert_eq!(gained, assignment.audit_pay + ledger.bounty);

	// Somebody who is honest does the chunk, and the referees have what they are owed.
	let Walk { world, owners, .. } = &mut walk;
	owners.iter_mut().for_each(|owner| owner.device.conduct = Conduct::Honest);
	let is_over = || {
		let ended = Tasks::summary(0).unwrap().status == TaskStatus::Ended;
		ended && Panels::<Runtime>::iter_keys().next().is_none()
	};
	assert!(world.work_until(owners, PATIENCE, is_over), "the task ends");
	world.read(|| {
		let summary = Tasks::summary(0).unwrap();
		assert_eq!((summary.chunks.paid, summary.books.paid), (1, ASK));
		assert_eq!(summary.books.in_escrow(), Some(0));
		assert_eq!(Accrued::<Runtime>::iter_values().sum::<Balance>(), referees);
	});
}
