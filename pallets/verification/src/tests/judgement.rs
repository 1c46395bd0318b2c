use crate::{
	mock::*,
	types::{CheckState, Seating},
	verdict::Outcome,
	Checks, Event, Panels,
};
use tequio_primitives::{
	stage::Stage,
	tasks::{Delivered, RejectReason, UndecidedReason},
	AttemptId, Role,
};

/// Judged, and nothing is kept but a check of what is accepted.
fn assert_judged(id: AttemptId, outcome: Outcome) {
	let kept = Checks::<Test>::get(id.chunk).map(|check| check.state);
	let expected = (outcome == Outcome::Accepted).then_some(CheckState::Settled);
	assert_eq!(kept, expected);
	assert_eq!(Verification::stage_of(&id.chunk), None);
	assert_last(Event::Judged { id, outcome });
}

/// Nobody is judged or ended yet: a panel of three begins.
fn assert_panel(id: AttemptId, auditors: [u8; 2]) {
	assert_has(Event::PanelCalled { id, level: 0, seating: Seating::Everybody, votes: 3 });
	assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Panel, now() + DEADLINE)));
	assert_eq!(Panels::<Test>::get(id, 0).unwrap().votes, 3);
	assert_eq!(told(id), None);
	assert_eq!(end_of(1, id, Role::Worker), None);
	for auditor in auditors {
		assert_eq!(end_of(auditor, id, Role::Auditor), None);
	}
}

#[test]
fn agreement_is_accepted() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let both = revealed(id, 1, [&right, &right, &right], [true; 3]);
		assert_judged(id, Outcome::Accepted);
		let auditors = both.map(owner).to_vec();
		let winners = searched(id).winners;
		let delivered = Delivered::Shares(3);
		assert_eq!(told(id), Some(Told::Accepted { delivered, winners, auditors, audited: true }));
		for auditor in both {
			assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::Released));
		}
		assert_eq!(end_of(1, id, Role::Worker), None);
		pay(id);
		assert!(!Checks::<Test>::contains_key(id.chunk));
	});
}

#[test]
fn a_fault_that_both_auditors_found_is_for_a_panel() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let both = revealed(id, 1, [&honest(id), &wrong, &wrong], [true; 3]);
		assert_panel(id, both);
	});
}

#[test]
fn disagreement_is_for_a_panel() {
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
			let both = revealed(id, 1, openings, [true; 3]);
			assert_panel(id, both);
		});
	}
}

#[test]
fn disagreement_that_nobody_could_judge_harms_nobody() {
	let id = first();
	let (right, wrong) = (honest(id), accusing(id));
	for openings in [[&right, &wrong, &right], [&right, &wrong, &wrong]] {
		ExtBuilder::default().accepting(&[1, 2, 3, 4, 5]).build_and_execute(|| {
			let both = revealed(id, 1, openings, [true; 3]);
			assert_judged(id, Outcome::Undecided(UndecidedReason::Disagreement));
			assert_eq!(told(id), Some(Told::undecided(UndecidedReason::Disagreement)));
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
		let [one, other] = revealed(id, 1, [&right, &right, &right], [false, true, true]);
		assert_eq!(told(id), None);
		run_to_due(id);
		assert_judged(id, Outcome::Rejected(RejectReason::NotRevealed));
		let compensation = vec![(owner(one), AUDIT_PAY), (owner(other), AUDIT_PAY)];
		let slashed = End::Slashed { compensation, bounty: vec![], referees: None };
		assert_eq!(end_of(1, id, Role::Worker), Some(slashed));
	});
}

#[test]
fn an_auditor_who_does_not_reveal_is_slashed_and_the_other_decides() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [one, silent] = revealed(id, 1, [&right, &right, &right], [true, true, false]);
		run_to_due(id);
		assert_judged(id, Outcome::Accepted);
		let auditors = vec![owner(one)];
		assert!(
			matches!(told(id), Some(Told::Accepted { auditors: paid, .. }) if paid == auditors)
		);
		assert_eq!(end_of(silent, id, Role::Auditor), Some(End::BURNED));
	});
}

#[test]
fn one_accuser_alone_convicts_nobody() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let both = revealed(id, 1, [&honest(id), &wrong, &wrong], [true, true, false]);
		run_to_due(id);
		assert_panel(id, both);
	});
}

#[test]
fn an_attempt_that_no_auditor_reveals_is_undecided() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let both = revealed(id, 1, [&right, &right, &right], [true, false, false]);
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
		let both = revealed(id, 1, [&right, &right, &right], [false; 3]);
		run_to_due(id);
		assert_judged(id, Outcome::Rejected(RejectReason::NotRevealed));
		for (number, role) in
			[(1, Role::Worker), (both[0], Role::Auditor), (both[1], Role::Auditor)]
		{
			assert_eq!(end_of(number, id, role), Some(End::BURNED));
		}
	});
}
