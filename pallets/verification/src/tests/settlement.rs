use crate::{mock::*, types::Standing, Checks, Event, Panels};
use frame_support::assert_ok;
use tequio_primitives::{
	opening::Opening,
	tasks::{Assignment, Delivered, KeepChecks, RejectReason, UndecidedReason},
	AttemptId, Balance, Role,
};

fn slashed(compensation: &[(u8, Balance)], bounty: &[(u8, Balance)], referees: Balance) -> End {
	let owners = |parts: &[(u8, Balance)]| {
		parts.iter().map(|(number, part)| (owner(*number), *part)).collect()
	};
	End::Slashed {
		compensation: owners(compensation),
		bounty: owners(bounty),
		referees: (referees > 0).then(|| (pot(), referees)),
	}
}

/// An attempt with something about its assignment changed, about which worker 1 and both auditors
/// disagree.
fn quarrel(
	id: AttemptId,
	openings: [&Opening; 3],
	change: impl FnOnce(&mut Assignment<AccountId>),
) -> [u8; 2] {
	assign_with(id, 1, change);
	assert_ok!(commit_one(1, id, Role::Worker, openings[0]));
	run_to_due(id);
	let both = both_auditors(id);
	assert_ok!(commit_one(both[0], id, Role::Auditor, openings[1]));
	assert_ok!(commit_one(both[1], id, Role::Auditor, openings[2]));
	assert_ok!(reveal_one(1, id, Role::Worker, openings[0]));
	assert_ok!(reveal_one(both[0], id, Role::Auditor, openings[1]));
	assert_ok!(reveal_one(both[1], id, Role::Auditor, openings[2]));
	both
}

#[test]
fn a_panel_that_agrees_with_the_worker_has_the_auditor_pay_for_it() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [liar, auditor] = panel_called(id, [&right, &accusing(id), &right]);
		let sitting = panel_says(id, 0, &[&right; 3]);
		let Opening::Search(search) = right else { unreachable!() };
		let accepted = Told::Accepted {
			delivered: Delivered::Shares(3),
			winners: search.winners,
			auditors: vec![owner(auditor)],
			audited: true,
		};
		assert_eq!(told(id), Some(accepted));
		assert_eq!(end_of(liar, id, Role::Auditor), Some(slashed_for_referees(3 * AUDIT_PAY)));
		assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::Released));
		// `tasks` frees the worker when it pays.
		assert_eq!(end_of(1, id, Role::Worker), None);
		dismissed(id);
		for number in sitting {
			assert_eq!(accrued(number), AUDIT_PAY);
			assert_eq!(end_of(number, id, referee(0)), Some(End::Released));
		}
	});
}

#[test]
fn a_panel_that_agrees_with_the_auditors_has_the_worker_pay_for_everything() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let [one, other] = panel_called(id, [&honest(id), &wrong, &wrong]);
		let sitting = panel_says(id, 0, &[&wrong; 3]);
		assert_eq!(told(id), Some(Told::Rejected(RejectReason::ProvenWrong)));
		let bounty = (COLLATERAL - 5 * AUDIT_PAY) * 3 / 10 / 2;
		let expected = slashed(
			&[(one, AUDIT_PAY), (other, AUDIT_PAY)],
			&[(one, bounty), (other, bounty)],
			3 * AUDIT_PAY,
		);
		assert_eq!(end_of(1, id, Role::Worker), Some(expected));
		for auditor in [one, other] {
			assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::Released));
		}
		assert!(!Checks::<Test>::contains_key(id.chunk));
		dismissed(id);
		assert!(sitting.into_iter().all(|number| accrued(number) == AUDIT_PAY));
		assert_eq!(Panels::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_panel_that_splits_harms_nobody_and_pays_nobody() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let (right, wrong, other) = (honest(id), accusing(id), guessed(id));
		let both = panel_called(id, [&right, &wrong, &right]);
		let sitting = panel_says(id, 0, &[&right, &wrong, &other]);
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::Disagreement)));
		assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
		for auditor in both {
			assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::Released));
		}
		dismissed(id);
		for number in sitting {
			assert_eq!(accrued(number), 0);
			assert_eq!(end_of(number, id, referee(0)), Some(End::Released));
		}
	});
}

#[test]
fn an_auditor_who_hid_is_slashed_whatever_the_panel_finds() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let [one, hidden] = revealed(id, 1, [&honest(id), &wrong, &wrong], [true, true, false]);
		run_to_due(id);
		panel_says(id, 0, &[&wrong; 3]);
		found(id, 0, &[Standing::Wrong, Standing::Right, Standing::Unclear]);
		let bounty = (COLLATERAL - 4 * AUDIT_PAY) * 3 / 10;
		let expected = slashed(&[(one, AUDIT_PAY)], &[(one, bounty)], 3 * AUDIT_PAY);
		assert_eq!(end_of(1, id, Role::Worker), Some(expected));
		assert_eq!(end_of(hidden, id, Role::Auditor), Some(End::BURNED));
	});
}

#[test]
fn an_auditor_who_hid_is_slashed_where_there_is_no_panel() {
	ExtBuilder::default().accepting(&[1, 2, 3, 4, 5]).build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let [one, hidden] = revealed(id, 1, [&honest(id), &wrong, &wrong], [true, true, false]);
		run_to_due(id);
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::Disagreement)));
		assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
		assert_eq!(end_of(one, id, Role::Auditor), Some(End::Released));
		assert_eq!(end_of(hidden, id, Role::Auditor), Some(End::BURNED));
	});
}

#[test]
fn where_everybody_is_wrong_the_worker_is_asked_first_and_nobody_has_a_bounty() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let (own, other, truth) = (honest(id), guessed(id), accusing(id));
		let both = panel_called(id, [&own, &other, &other]);
		panel_says(id, 0, &[&truth; 3]);
		assert_eq!(told(id), Some(Told::Rejected(RejectReason::ProvenWrong)));
		assert_eq!(end_of(1, id, Role::Worker), Some(slashed_for_referees(3 * AUDIT_PAY)));
		for auditor in both {
			assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::BURNED));
		}
	});
}

#[test]
fn referees_share_equally_what_is_not_enough_for_all() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let [one, other] = quarrel(id, [&honest(id), &wrong, &wrong], |assignment| {
			assignment.terms.collateral = 4_000;
		});
		let sitting = panel_says(id, 0, &[&wrong; 3]);
		let expected = slashed(&[(one, AUDIT_PAY), (other, AUDIT_PAY)], &[], 3 * 666);
		assert_eq!(end_of(1, id, Role::Worker), Some(expected));
		dismissed(id);
		assert!(sitting.into_iter().all(|number| accrued(number) == 666));
	});
}

#[test]
fn referees_who_get_nothing_are_released_all_the_same() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		quarrel(id, [&honest(id), &wrong, &wrong], |assignment| {
			assignment.terms.collateral = 1_500;
		});
		let sitting = panel_says(id, 0, &[&wrong; 3]);
		assert!(matches!(end_of(1, id, Role::Worker), Some(End::Slashed { referees: None, .. })));
		dismissed(id);
		for number in sitting {
			assert_eq!(end_of(number, id, referee(0)), Some(End::Released));
			let owner = owner(number);
			assert_has(Event::RefereeDismissed { id, level: 0, owner, pay: 0 });
		}
	});
}

#[test]
fn an_auditor_may_be_right_where_nothing_is_known_of_the_worker() {
	ExtBuilder::default().accepting(&[1, 2, 3, 4, 5]).build_and_execute(|| {
		let id = run(0);
		let auditor = outputs_differ(id, &output(7), &output(9));
		let lenient = near(9, &[7]);
		let sitting = seated(id, 0);
		let said = [lenient, output(9)];
		for (number, opening) in sitting.iter().zip(&said) {
			assert_ok!(commit_one(*number, id, referee(0), opening));
		}
		run_to_due(id);
		for (number, opening) in sitting.iter().zip(&said) {
			assert_ok!(reveal_one(*number, id, referee(0), opening));
		}
		run_to(now() + 1);
		found(id, 0, &[Standing::Unclear, Standing::Right]);
		let auditors = vec![owner(auditor)];
		let reason = UndecidedReason::Disagreement;
		assert_eq!(told(id), Some(Told::Undecided { reason, auditors }));
		assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
		assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::Released));
	});
}

#[test]
fn an_accepted_check_is_kept_until_it_is_paid() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		revealed(id, 1, [&right; 3], [true; 3]);
		assert!(is_settled(id));
		assert_eq!(Verification::stage_of(&id.chunk), None);
		// Of another attempt there is nothing to forget.
		<Verification as KeepChecks>::forget(&attempt(0, 1));
		assert!(is_settled(id));
		pay(id);
		assert!(!Checks::<Test>::contains_key(id.chunk));
		<Verification as KeepChecks>::forget(&id);
	});
}

#[test]
fn a_check_that_runs_is_not_forgotten() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		<Verification as KeepChecks>::forget(&id);
		assert!(Checks::<Test>::contains_key(id.chunk));
	});
}
