use crate::{mock::*, verdict::Outcome, Checks, Event};
use frame_support::assert_ok;
use tequio_primitives::{
	search::Opening,
	tasks::{RejectReason, UndecidedReason},
	AttemptId, Role,
};

/// Opens the reveals of the first attempt by device 1 and reveals what is not `None`, by worker,
/// first and second auditor.
fn reveal_all(id: AttemptId, openings: [&Opening; 3], shown: [bool; 3]) -> [u8; 2] {
	let [one, other] = reveals_open(id, 1, openings);
	let parts = [(1, Role::Worker), (one, Role::Auditor), (other, Role::Auditor)];
	for ((number, role), (opening, shown)) in parts.into_iter().zip(openings.into_iter().zip(shown))
	{
		if shown {
			assert_ok!(reveal_one(number, id, role, opening));
		}
	}
	[one, other]
}

fn assert_judged(id: AttemptId, outcome: Outcome) {
	assert!(!Checks::<Test>::contains_key(id.chunk));
	assert_last(Event::Judged { id, outcome });
}

#[test]
fn agreement_is_accepted() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let both = reveal_all(id, [&right, &right, &right], [true; 3]);
		assert_judged(id, Outcome::Accepted);
		let auditors = both.map(owner).to_vec();
		let winners = right.winners;
		assert_eq!(told(id), Some(Told::Accepted { shares: 3, winners, auditors }));
		for auditor in both {
			assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::Released));
		}
		assert_eq!(end_of(1, id, Role::Worker), None);
	});
}

#[test]
fn a_fault_that_both_auditors_found_convicts() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let both = reveal_all(id, [&honest(id), &wrong, &wrong], [true; 3]);
		assert_judged(id, Outcome::Rejected(RejectReason::ProvenWrong));
		assert_eq!(told(id), Some(Told::Rejected(RejectReason::ProvenWrong)));

		let bounty = (COLLATERAL - 2 * AUDIT_PAY) * 3 / 10 / 2;
		let slashed = End::Slashed {
			compensation: both.map(|auditor| (owner(auditor), AUDIT_PAY)).to_vec(),
			bounty: both.map(|auditor| (owner(auditor), bounty)).to_vec(),
		};
		assert_eq!(end_of(1, id, Role::Worker), Some(slashed));
		for auditor in both {
			assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::Released));
		}
	});
}

#[test]
fn disagreement_harms_nobody() {
	let id = first();
	let (right, wrong, other) = (honest(id), accusing(id), guessed(id));
	for openings in [
		[&right, &wrong, &right],
		[&right, &right, &wrong],
		[&right, &other, &other],
		[&other, &right, &right],
		[&right, &right, &other],
	] {
		ExtBuilder::default().build_and_execute(|| {
			let both = reveal_all(id, openings, [true; 3]);
			assert_judged(id, Outcome::Undecided(UndecidedReason::Disagreement));
			assert_eq!(told(id), Some(Told::Undecided(UndecidedReason::Disagreement)));
			assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
			for auditor in both {
				assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::Released));
			}
		});
	}
}

#[test]
fn a_worker_who_does_not_reveal_is_rejected_and_pays_the_auditors() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [one, other] = reveal_all(id, [&right, &right, &right], [false, true, true]);
		assert_eq!(told(id), None);
		run_to_due(id);
		assert_judged(id, Outcome::Rejected(RejectReason::NotRevealed));
		let compensation = vec![(owner(one), AUDIT_PAY), (owner(other), AUDIT_PAY)];
		let slashed = End::Slashed { compensation, bounty: vec![] };
		assert_eq!(end_of(1, id, Role::Worker), Some(slashed));
	});
}

#[test]
fn an_auditor_who_does_not_reveal_is_slashed_and_the_other_decides() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [one, silent] = reveal_all(id, [&right, &right, &right], [true, true, false]);
		run_to_due(id);
		assert_judged(id, Outcome::Accepted);
		let auditors = vec![owner(one)];
		assert!(
			matches!(told(id), Some(Told::Accepted { auditors: paid, .. }) if paid == auditors)
		);
		let burned = End::Slashed { compensation: vec![], bounty: vec![] };
		assert_eq!(end_of(silent, id, Role::Auditor), Some(burned));
	});
}

#[test]
fn one_accuser_alone_convicts_nobody() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		reveal_all(id, [&honest(id), &wrong, &wrong], [true, true, false]);
		run_to_due(id);
		assert_judged(id, Outcome::Undecided(UndecidedReason::Disagreement));
		assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
	});
}

#[test]
fn an_attempt_that_no_auditor_reveals_is_undecided() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let both = reveal_all(id, [&right, &right, &right], [true, false, false]);
		run_to_due(id);
		assert_judged(id, Outcome::Undecided(UndecidedReason::NoAuditors));
		assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
		for auditor in both {
			assert!(matches!(end_of(auditor, id, Role::Auditor), Some(End::Slashed { .. })));
		}
	});
}

#[test]
fn nobody_is_spared_who_does_not_reveal() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let both = reveal_all(id, [&right, &right, &right], [false; 3]);
		run_to_due(id);
		assert_judged(id, Outcome::Rejected(RejectReason::NotRevealed));
		let burned = End::Slashed { compensation: vec![], bounty: vec![] };
		for (number, role) in
			[(1, Role::Worker), (both[0], Role::Auditor), (both[1], Role::Auditor)]
		{
			assert_eq!(end_of(number, id, role), Some(burned.clone()));
		}
	});
}
