use crate::{mock::*, types::*, Checks, Error, Event, HoldReason, Panels, Rules};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::{traits::BadOrigin, Perquintill};
use tequio_primitives::{stage::Stage, tasks::RejectReason, AttemptId, Balance, Duty, Role};

/// Fourteen owners: one is party and two have audited; a panel has nine votes, and all eleven others
/// sit on a larger one.
fn fourteen() -> ExtBuilder {
	ExtBuilder::default().accepting(&(1..=14).collect::<Vec<_>>())
}

fn challenger() -> AccountId {
	owner(99)
}

fn held() -> Balance {
	Balances::balance_on_hold(&HoldReason::Challenge.into(), &challenger())
}

/// The result of worker 1 is accepted, and both of its auditors were friends.
fn accepted(id: AttemptId) -> [u8; 2] {
	let right = honest(id);
	let both = revealed(id, 1, [&right; 3], [true; 3]);
	assert!(is_settled(id));
	both
}

/// And somebody doubts it.
fn challenged(id: AttemptId) {
	accepted(id);
	assert_ok!(challenge(challenger(), id));
}

const BOND: Balance = 9 * AUDIT_PAY * 3 / 2;

#[test]
fn challenge_works() {
	fourteen().build_and_execute(|| {
		let id = first();
		challenged(id);
		assert_eq!(held(), BOND);
		assert_has(Event::Challenged { id, challenger: challenger(), bond: BOND });
		called(id, 1, 9);
		let due = now() + DEADLINE;
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Panel, due)));
		assert!(!doubles().accepted.contains(&id), "it is not paid meanwhile");
		assert!(doubles().duties.contains_key(&(device(1), Duty { id, role: Role::Worker })));
	});
}

#[test]
fn neither_the_challenger_nor_the_auditors_sit_on_the_panel() {
	fourteen().build_and_execute(|| {
		let id = first();
		let both = accepted(id);
		let doubter = (2..=14).find(|number| !both.contains(number)).unwrap();
		assert_ok!(challenge(owner(doubter), id));
		// Ten are left: one more than there are votes.
		called(id, 1, 9);
		let sitting = seated(id, 1);
		assert_eq!(sitting.len(), 9);
		for number in [1, doubter, both[0], both[1]] {
			assert!(!sitting.contains(&number));
		}
	});
}

#[test]
fn a_challenger_who_is_right_gets_the_bond_and_the_bounty() {
	fourteen().build_and_execute(|| {
		let id = first();
		challenged(id);
		let sitting = panel_says(id, 1, &[&accusing(id); 9]);
		found(id, 1, &[Standing::Wrong]);
		assert_eq!(stage(id), Some(Stage::Appeal));
		run_to_due(id);

		let bounty = (COLLATERAL - 9 * AUDIT_PAY) * 3 / 10;
		let slashed = End::Slashed {
			compensation: vec![],
			bounty: vec![(challenger(), bounty)],
			referees: Some((pot(), 9 * AUDIT_PAY)),
		};
		assert_eq!(end_of(1, id, Role::Worker), Some(slashed));
		assert_eq!(told_last(id), Some(Told::Rejected(RejectReason::ProvenWrong)));
		assert_eq!((held(), Balances::balance(&challenger())), (0, FUNDS));
		assert_has(Event::ChallengeJudged { id, challenger: challenger(), returned: BOND });
		assert!(!Checks::<Test>::contains_key(id.chunk));
		dismissed(id);
		assert!(sitting.into_iter().all(|number| accrued(number) == AUDIT_PAY));
	});
}

#[test]
fn a_challenger_who_is_wrong_pays_for_the_panel() {
	fourteen().build_and_execute(|| {
		let id = first();
		challenged(id);
		let issued = Balances::total_issuance();
		let sitting = panel_says(id, 1, &[&honest(id); 9]);
		assert_eq!(told_last(id), Some(Told::Upheld));
		assert_eq!((held(), Balances::balance(&challenger())), (0, FUNDS - BOND));
		assert_eq!(Balances::balance(&pot()), DEPOSIT + 9 * AUDIT_PAY);
		assert_eq!(Balances::total_issuance(), issued - (BOND - 9 * AUDIT_PAY));
		assert_has(Event::ChallengeJudged { id, challenger: challenger(), returned: 0 });
		dismissed(id);
		assert!(sitting.into_iter().all(|number| accrued(number) == AUDIT_PAY));
		assert!(!Checks::<Test>::contains_key(id.chunk));
	});
}

#[test]
fn a_challenge_that_finds_nothing_changes_nothing() {
	fourteen().build_and_execute(|| {
		let id = first();
		challenged(id);
		let (right, wrong) = (honest(id), accusing(id));
		let mut said = [&right; 9];
		said[..4].fill(&wrong);
		let sitting = panel_says(id, 1, &said);
		found(id, 1, &[Standing::Unclear]);
		run_to_due(id);
		assert_eq!(told_last(id), Some(Told::Upheld));
		assert_eq!((held(), Balances::balance(&challenger())), (0, FUNDS));
		assert_eq!(Balances::balance(&pot()), DEPOSIT);
		dismissed(id);
		assert!(sitting.into_iter().all(|number| accrued(number) == 0));
	});
}

#[test]
fn a_worker_appeals_against_the_panel_of_a_challenge() {
	fourteen().build_and_execute(|| {
		let id = first();
		let both = accepted(id);
		assert_ok!(challenge(challenger(), id));
		let liars = panel_says(id, 1, &[&accusing(id); 9]);
		for auditor in both {
			assert_noop!(appeal(device(auditor), id), Error::<Test>::NotALoser);
		}
		assert_ok!(appeal(device(1), id));
		called_all(id, 2, 11);
		// All but the worker sit on it; some of them may come too late.
		run_to(now() + 2);
		let right = honest(id);
		let sitting: Vec<u8> = loop {
			let places = referees(id, 2);
			if places.iter().flatten().count() >= 8 {
				break places.into_iter().flatten().collect();
			}
			run_to(now() + 1);
		};
		for number in &sitting {
			assert_ok!(commit_one(*number, id, referee(2), &right));
		}
		while stage(id) == Some(Stage::Panel) {
			run_to_due(id);
		}
		for number in &sitting {
			assert_ok!(reveal_one(*number, id, referee(2), &right));
		}
		run_to(now() + 3);
		found(id, 2, &[Standing::Right]);
		assert_eq!(told_last(id), Some(Told::Upheld));
		assert_eq!(end_of(1, id, Role::Appellant { level: 1 }), Some(End::Released));
		let owed = AUDIT_PAY * Balance::try_from(sitting.len()).unwrap();
		assert_eq!(Balances::balance(&pot()), DEPOSIT + owed);
		assert_eq!((held(), Balances::balance(&challenger())), (0, FUNDS - BOND));
		dismissed(id);
		for number in liars {
			assert_eq!(end_of(number, id, referee(1)), Some(End::BURNED));
		}
	});
}

#[test]
fn referees_of_a_search_that_was_not_audited_look_beyond_the_claim() {
	fourteen().build_and_execute(|| {
		let id = first();
		assign_at_rate(id, 1, Perquintill::zero());
		assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
		run_to_due(id);
		assert_ok!(reveal_one(1, id, Role::Worker, &honest(id)));
		assert_ok!(challenge(challenger(), id));
		let sub_range = || Checks::<Test>::get(id.chunk).unwrap().sub_range;
		assert_eq!(sub_range(), None);
		seated(id, 1);
		assert_eq!(sub_range().map(|(_, count)| count), Some(range().audited_count()));
	});
}

#[test]
fn several_challenges_of_one_account_each_have_their_bond() {
	fourteen().build_and_execute(|| {
		let (one, other) = (attempt(0, 0), attempt(1, 0));
		challenged(one);
		challenged(other);
		assert_eq!(held(), 2 * BOND);
	});
}

#[test]
fn challenge_should_fail_when_there_is_nothing_accepted() {
	fourteen().build_and_execute(|| {
		let id = first();
		let refused = |id| {
			assert_noop!(challenge(challenger(), id), Error::<Test>::NotChallengeable);
		};
		refused(id);
		audit_begun(id, 1, &honest(id));
		refused(id);
		let other = attempt(1, 0);
		accepted(other);
		refused(attempt(1, 1));
	});
}

#[test]
fn challenge_should_fail_when_it_was_challenged_before() {
	fourteen().build_and_execute(|| {
		let id = first();
		challenged(id);
		assert_noop!(challenge(owner(98), id), Error::<Test>::NotChallengeable);
		panel_says(id, 1, &[&honest(id); 9]);
		assert_noop!(challenge(owner(98), id), Error::<Test>::NotChallengeable);
	});
}

#[test]
fn challenge_should_fail_when_it_was_paid() {
	fourteen().build_and_execute(|| {
		let id = first();
		accepted(id);
		pay(id);
		assert_noop!(challenge(challenger(), id), Error::<Test>::NotChallengeable);
	});
}

#[test]
fn challenge_should_fail_when_tasks_is_about_to_pay() {
	fourteen().build_and_execute(|| {
		let id = first();
		accepted(id);
		with_doubles(|state| state.accepted.clear());
		assert_noop!(challenge(challenger(), id), Error::<Test>::NotChallengeable);
	});
}

#[test]
fn challenge_should_fail_when_too_few_could_judge_it() {
	ExtBuilder::default().accepting(&[1, 2, 3]).build_and_execute(|| {
		let id = first();
		accepted(id);
		assert_noop!(challenge(challenger(), id), Error::<Test>::NotChallengeable);
	});
}

#[test]
fn challenge_should_fail_while_referees_are_dismissed() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		panel_says(id, 0, &[&right; 3]);
		assert!(is_settled(id));
		assert_noop!(challenge(challenger(), id), Error::<Test>::NotChallengeable);
		dismissed(id);
		assert_ok!(challenge(challenger(), id));
		called_all(id, 1, 3);
	});
}

#[test]
fn challenge_should_fail_when_the_bond_is_not_there() {
	fourteen().build_and_execute(|| {
		let id = first();
		accepted(id);
		let poor = AccountId::new([1; 32]);
		assert_noop!(challenge(poor, id), Error::<Test>::InsufficientFunds);
		assert!(doubles().accepted.contains(&id));
		assert_eq!(Panels::<Test>::iter().count(), 0);
	});
}

#[test]
fn challenge_should_fail_when_it_is_not_signed() {
	fourteen().build_and_execute(|| {
		assert_noop!(Verification::challenge(RuntimeOrigin::root(), first()), BadOrigin);
	});
}

#[test]
fn nobody_is_paid_for_a_challenge_that_nobody_judges() {
	fourteen().build_and_execute(|| {
		let id = first();
		challenged(id);
		with_doubles(|state| state.accepting.clear());
		// It has as many deadlines as an audit before nobody is waited for any more.
		for _ in 0..=Rules::default().max_redraws {
			run_to_due(id);
		}
		run_to(now() + 1);
		assert_eq!(told_last(id), Some(Told::Upheld));
		assert_eq!((held(), Balances::balance(&challenger())), (0, FUNDS));
	});
}
