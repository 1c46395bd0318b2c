//! Doubts: of what was accepted, before it is paid, and of what a panel found.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod walk;

use frame_support::{traits::fungible::InspectHold, BoundedVec};
use pallet_rewards::Accrued;
use pallet_verification::{
	types::Standing, verdict::Outcome, Call as Verify, Error, Event as VerificationEvent, Now,
	Panels,
};
use pallet_workers::{Ledger, Workers as Owners};
use serde_json::json;
use sp_runtime::{traits::Dispatchable, DispatchError, Perquintill};
use tequio_primitives::{
	api::TaskStatus,
	reputation::Reputation,
	stage::Stage,
	tasks::{Assignment, RejectReason},
	AttemptId, Balance, Role, WorkClass,
};
use tequio_runtime::{
	AccountId, Balances, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, Tasks,
};
use tequio_runtime_tests::{
	device::Conduct,
	keys::Key,
	owner::{Owner, ASK, STAKE},
	program::{self, Fate},
	wealth,
};
use walk::{auditor, referee, worker, Walk, CHUNK};

const CLASS: WorkClass = WorkClass::Integer;
/// Blocks between acceptance and payment.
const CHALLENGE_PERIOD: u32 = 6;
/// Votes of the panel over a challenge or an appeal.
const VOTES: u64 = 9;
/// A thousandth, and all of something, in 10⁻¹⁸.
const FLOOR: u64 = 1_000_000_000_000_000;
const WHOLE: u64 = 1_000 * FLOOR;

/// One auditor for a program, and no other one after it. Who is trusted is audited next to never.
fn begin(conduct: Conduct) -> Walk {
	let programs = json!({ "floor": FLOOR, "auditors": 1, "second": 0 });
	let rules = json!({
		"tasks": { "rules": { "challenge_period": CHALLENGE_PERIOD } },
		"workers": { "rules": { "min_owners": 1, "max_share": WHOLE } },
		"verification": { "rules": { "programs": programs } },
	});
	Walk::begin(rules, conduct, program::task(CLASS, Fate::Runs, 9, 1), ASK)
}

/// What a challenger or an appellant puts at stake: half as much again as nine referees cost.
fn bond(assignment: &Assignment<AccountId>) -> Balance {
	assignment.audit_pay * Balance::from(VOTES) * 150 / 100
}

/// Referees on the panel of a level.
fn referees(walk: &mut Walk, id: AttemptId, level: u8) -> Balance {
	let panel = walk.world.read(|| Panels::<Runtime>::get(id, level)).unwrap();
	panel.places.len() as Balance
}

fn challenger() -> Key {
	Key::named("Ferdie")
}

/// Has the challenger doubt the accepted result.
fn challenge(walk: &mut Walk) -> AttemptId {
	let (id, _) = walk.assignment();
	walk.world.submit(&challenger(), RuntimeCall::Verification(Verify::challenge { id }));
	walk.block();
	assert!(walk.is_at(Stage::Panel));
	walk.until("referees are drawn", Walk::is_seated);
	let panel = walk.world.read(|| Panels::<Runtime>::get(id, 1u8)).unwrap();
	assert_eq!((panel.votes, panel.given()), (VOTES, VOTES));
	id
}

/// All that the challenger has, what is at stake included.
fn challengers_wealth(walk: &mut Walk) -> Balance {
	walk.world.read(|| wealth(&challenger().account()))
}

/// Gives everybody a past for which next to nothing of theirs is audited.
fn trust_everybody(walk: &mut Walk) {
	let owners: Vec<AccountId> = walk.owners.iter().map(Owner::account).collect();
	walk.world.edit(|| {
		let past = Reputation {
			streak: Balance::MAX,
			passed: u32::MAX,
			accepted: u32::MAX,
			halved_at: Now::<Runtime>::get(),
			..Reputation::default()
		};
		for owner in owners {
			Owners::<Runtime>::mutate(owner, |worker| {
				let reputations = &mut worker.as_mut().unwrap().reputations;
				*reputations = BoundedVec::truncate_from(vec![(CLASS, past)]);
			});
		}
	});
}

fn outcome_of(walk: &mut Walk, id: AttemptId) -> Option<Outcome> {
	walk.world.events().into_iter().find_map(|event| match event {
		RuntimeEvent::Verification(VerificationEvent::Judged { id: judged, outcome })
			if judged == id =>
		{
			Some(outcome)
		},
		_ => None,
	})
}

/// Makes blocks until an attempt is judged.
fn judged(walk: &mut Walk, id: AttemptId) -> Outcome {
	for _ in 0..60 {
		if let Some(outcome) = outcome_of(walk, id) {
			return outcome;
		}
		walk.block();
	}
	panic!("{id:?} is never judged")
}

/// Makes blocks until every referee was dismissed, and has their pay delivered. What the owners of
/// all devices got.
fn dismiss(walk: &mut Walk) -> Vec<(AccountId, Balance)> {
	walk.until("referees are dismissed", |walk| {
		walk.world.read(|| Panels::<Runtime>::iter_keys().next().is_none())
	});
	let accrued: Vec<_> = walk.world.read(|| Accrued::<Runtime>::iter().collect());
	for (owner, _) in &accrued {
		let claim = pallet_rewards::Call::claim_accrued { owner: owner.clone() };
		walk.world.submit(&Key::named("Alice"), RuntimeCall::Rewards(claim));
	}
	walk.block();
	accrued
}

/// What the challenger has on hold.
fn held(walk: &mut Walk) -> Balance {
	walk.world.read(|| Balances::total_balance_on_hold(&challenger().account()))
}

fn stake_of(walk: &mut Walk, owner: &AccountId) -> Balance {
	walk.world.read(|| Owners::<Runtime>::get(owner).unwrap().stake)
}

#[test]
fn a_wrong_result_that_was_accepted_is_found_by_a_challenge() {
	let mut walk = begin(Conduct::Honest);
	trust_everybody(&mut walk);
	let lie = program::lie(&program::program(Fate::Runs, 9), CHUNK.index);
	walk.to(Stage::Assigned);
	walk.commit_output(worker, lie);
	walk.until("nobody audits it", |walk| walk.is_at(Stage::Revealing));
	walk.reveal_output(worker, lie);
	assert!(walk.is_at(Stage::Accepted));
	let (_, assignment) = walk.assignment();
	let terms = assignment.terms;
	assert!(terms.audit_rate < Perquintill::from_percent(1));

	let id = challenge(&mut walk);
	let staked = challengers_wealth(&mut walk);
	let number = referees(&mut walk, id, 1);
	walk.commit(referee);
	walk.reveal(referee);
	// The worker, who could appeal, is silent.
	assert_eq!(judged(&mut walk, id), Outcome::Rejected(RejectReason::ProvenWrong));

	let each = assignment.audit_pay.min(terms.collateral / number);
	let owed = each * number;
	let ledger = walk.world.read(Ledger::<Runtime>::get);
	assert_eq!(ledger.compensation, owed, "the referees are paid by the worker");
	assert_eq!(ledger.bounty, (terms.collateral - owed) * 30 / 100);
	let bounty = challengers_wealth(&mut walk) - staked;
	assert_eq!(bounty, ledger.bounty, "the bond came back, and the bounty beside it");
	assert_eq!(held(&mut walk), 0);
	assert_eq!(STAKE - stake_of(&mut walk, &assignment.seat.owner), terms.collateral);
	let paid = dismiss(&mut walk);
	assert_eq!(paid.len() as Balance, number);
	assert!(paid.iter().all(|(_, pay)| *pay == each));

	// The chunk is done by somebody else, and paid once.
	let Walk { world, owners, .. } = &mut walk;
	let ended = || Tasks::summary(0).unwrap().status == TaskStatus::Ended;
	assert!(world.work_until(owners, 60, ended), "the task ends");
	world.read(|| {
		let summary = Tasks::summary(0).unwrap();
		assert_eq!((summary.chunks.paid, summary.books.paid), (1, ASK));
		assert_eq!(summary.books.in_escrow(), Some(0));
	});
}

#[test]
fn a_right_result_is_paid_after_a_challenge_and_the_doubt_pays_for_it() {
	let mut walk = begin(Conduct::Honest);
	walk.to(Stage::Accepted);
	let (_, assignment) = walk.assignment();
	let worker = assignment.seat.owner.clone();
	let earned = walk.world.read(|| wealth(&worker));

	let id = challenge(&mut walk);
	let staked = challengers_wealth(&mut walk);
	let number = referees(&mut walk, id, 1);
	let bond = bond(&assignment);
	assert_eq!(held(&mut walk), bond);
	walk.commit(referee);
	walk.reveal(referee);
	assert_eq!(judged(&mut walk, id), Outcome::Accepted);

	assert_eq!(staked - challengers_wealth(&mut walk), bond);
	assert_eq!(walk.stage(), None, "it is paid at once");
	assert_eq!(walk.world.read(|| wealth(&worker)), earned + ASK);
	assert_eq!(stake_of(&mut walk, &worker), STAKE, "nobody is slashed");
	let paid = dismiss(&mut walk);
	assert_eq!(paid.len() as Balance, number);
	assert!(paid.iter().all(|(_, pay)| *pay == assignment.audit_pay.min(bond / number)));
}

#[test]
fn what_was_challenged_or_paid_cannot_be_challenged() {
	let mut walk = begin(Conduct::Honest);
	walk.to(Stage::Revealing);
	let (id, _) = walk.assignment();
	let attempt = |walk: &mut Walk, who: &Key| -> Result<(), DispatchError> {
		let call = RuntimeCall::Verification(Verify::challenge { id });
		let result = walk.world.read(|| call.dispatch(RuntimeOrigin::signed(who.account())));
		result.map(drop).map_err(|refused| refused.error)
	};
	let refused = || Err(Error::<Runtime>::NotChallengeable.into());
	assert_eq!(attempt(&mut walk, &challenger()), refused(), "it is not accepted yet");

	walk.to(Stage::Accepted);
	let poor = Err(Error::<Runtime>::InsufficientFunds.into());
	assert_eq!(attempt(&mut walk, &Key::named("Nobody")), poor);
	challenge(&mut walk);
	assert_eq!(attempt(&mut walk, &Key::named("Bob")), refused(), "it was challenged");

	walk.commit(referee);
	walk.reveal(referee);
	walk.until("the chunk is paid", |walk| walk.stage().is_none());
	assert_eq!(attempt(&mut walk, &Key::named("Bob")), refused(), "it was paid");
}

#[test]
fn a_captured_panel_is_overruled_on_appeal() {
	let mut walk = begin(Conduct::Honest);
	let program = program::program(Fate::Runs, 9);
	let lie = program::lie(&program, CHUNK.index);
	walk.to(Stage::Auditing);
	let (id, assignment) = walk.assignment();
	// The auditor accuses the worker, and the whole first panel says the same.
	let accuser = walk.check().auditors[0].seat.clone().unwrap();
	walk.commit_output(auditor, lie);
	walk.reveal(worker);
	walk.reveal_output(auditor, lie);
	walk.until("referees are drawn", Walk::is_seated);
	walk.commit_output(referee, lie);
	walk.reveal_output(referee, lie);
	walk.until("the panel finds", |walk| walk.is_at(Stage::Appeal));
	assert_eq!(walk.check().standings.to_vec(), [Standing::Wrong, Standing::Right]);

	let panel = walk.world.read(|| Panels::<Runtime>::get(id, 0u8)).unwrap();
	let places = panel.places.iter();
	let captured: Vec<_> = places.map(|place| place.seat.clone()).collect();
	assert_eq!((panel.votes, captured.is_empty()), (3, false));
	let key = walk.owner_of(&assignment.seat.device).device.key.clone();
	walk.world.submit(&key, RuntimeCall::Verification(Verify::appeal { id }));
	walk.block();
	walk.until("more referees are drawn", Walk::is_seated);
	walk.commit(|role| role == Role::Referee { level: 1 });
	walk.reveal(|role| role == Role::Referee { level: 1 });
	assert_eq!(judged(&mut walk, id), Outcome::Accepted);

	let collateral = assignment.terms.collateral;
	assert_eq!(stake_of(&mut walk, &assignment.seat.owner), STAKE, "the worker lost nothing");
	assert_eq!(stake_of(&mut walk, &accuser.owner), STAKE - collateral);
	dismiss(&mut walk);
	for seat in captured {
		let lost = STAKE - stake_of(&mut walk, &seat.owner);
		assert_eq!(lost, collateral, "who is overruled is slashed");
	}
}

#[test]
fn an_appeal_in_vain_costs_its_bond() {
	let mut walk = begin(Conduct::Lies);
	walk.to(Stage::Appeal);
	let (id, assignment) = walk.assignment();
	// The owner may appeal as well as its device.
	let key = walk.owner_of(&assignment.seat.device).key.clone();
	walk.world.submit(&key, RuntimeCall::Verification(Verify::appeal { id }));
	walk.block();
	walk.until("more referees are drawn", Walk::is_seated);
	walk.commit(referee);
	walk.reveal(referee);
	assert_eq!(judged(&mut walk, id), Outcome::Rejected(RejectReason::ProvenWrong));

	let lost = STAKE - stake_of(&mut walk, &assignment.seat.owner);
	assert_eq!(lost, assignment.terms.collateral + bond(&assignment));
	// Some sat on both panels. Auditors come first; what is left is for the referees.
	let number = referees(&mut walk, id, 0) + referees(&mut walk, id, 1);
	let most = lost - assignment.audit_pay;
	let paid: Balance = dismiss(&mut walk).iter().map(|(_, pay)| pay).sum();
	assert_eq!(paid, assignment.audit_pay.min(most / number) * number);
}
