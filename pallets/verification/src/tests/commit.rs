use crate::{mock::*, types::*, Checks, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use tequio_primitives::{claim::Claim, search::Nonce, stage::Stage, Duty, Role};

fn claiming(list: &[Nonce]) -> CommitItem {
	let item = commit_item(1, first(), Role::Worker, &honest(first()));
	CommitItem { claim: nonces(list), ..item }
}

#[test]
fn commit_works() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(10);
		let id = first();
		assign(id, 1);
		assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));

		let check = Checks::<Test>::get(id.chunk).unwrap();
		assert_eq!(check.claim, claim(id));
		assert_eq!(check.commitment, hidden(1, id, Role::Worker, &honest(id)));
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Drawing, 19)));
		assert!(doubles().assigned.is_empty());
		assert_last(Event::Committed { id, role: Role::Worker, device: device(1) });
		let duty = Duty { id, role: Role::Worker };
		assert_eq!(doubles().committed, vec![(device(1), duty)]);
	});
}

#[test]
fn commit_works_for_a_claim_of_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		assign(first(), 1);
		assert_ok!(commit(1, vec![claiming(&[])]));
	});
}

#[test]
fn commit_works_for_auditors_and_opens_the_reveals_with_the_last() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let both = audit_begun(id, 1, &honest(id));
		let audit = |number| commit_one(number, id, Role::Auditor, &honest(id));
		assert_ok!(audit(both[0]));
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Auditing, now() + DEADLINE)));
		run_to(now() + 3);
		assert_ok!(audit(both[1]));

		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Revealing, now() + 20)));
		let state = Checks::<Test>::get(id.chunk).unwrap().state;
		let since = System::block_number();
		assert_eq!(state, CheckState::Revealing { due: now() + 20, since });
		assert_last(Event::RevealsOpened { id });
	});
}

#[test]
fn commit_takes_what_it_can_and_names_the_rest() {
	ExtBuilder::default().build_and_execute(|| {
		let (good, foreign, also_good) = (attempt(0, 0), attempt(1, 0), attempt(2, 0));
		assign(good, 1);
		assign(foreign, 2);
		assign(also_good, 1);
		let item = |id| commit_item(1, id, Role::Worker, &honest(id));
		assert_ok!(commit(1, vec![item(good), item(foreign), item(good), item(also_good)]));

		assert!(Checks::<Test>::contains_key(good.chunk));
		assert!(!Checks::<Test>::contains_key(foreign.chunk));
		assert!(Checks::<Test>::contains_key(also_good.chunk));
		let refused = |id, error: Error<Test>| Event::ItemRefused {
			id,
			role: Role::Worker,
			error: error.into(),
		};
		assert_has(refused(foreign, Error::NotAssigned));
		assert_has(refused(good, Error::AlreadyCommitted));
	});
}

#[test]
fn commit_should_fail_when_it_is_empty() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(commit(1, vec![]), Error::<Test>::NothingToDo);
	});
}

#[test]
fn commit_should_fail_when_every_item_is_refused() {
	ExtBuilder::default().build_and_execute(|| {
		assign(first(), 1);
		let items =
			vec![claiming(&[1]), commit_item(1, attempt(1, 0), Role::Worker, &honest(first()))];
		assert_noop!(commit(1, items), Error::<Test>::MalformedClaim);
	});
}

#[test]
fn commit_should_fail_when_nothing_is_assigned() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let above = [Role::Referee { level: 0 }, Role::Appellant { level: 0 }];
		for role in [Role::Worker, Role::Auditor].into_iter().chain(above) {
			assert_noop!(commit_one(1, id, role, &honest(id)), Error::<Test>::NotAssigned);
		}
	});
}

#[test]
fn commit_should_fail_when_another_device_is_assigned() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let [auditor, _] = audit_begun(id, 1, &honest(id));
		let next = attempt(1, 0);
		assign(next, 1);
		let outsider = (2..=6).find(|number| !both_auditors(id).contains(number)).unwrap();
		for (number, id, role) in [
			(2, next, Role::Worker),
			(outsider, id, Role::Auditor),
			(1, id, Role::Auditor),
			(auditor, id, Role::Worker),
		] {
			assert_noop!(commit_one(number, id, role, &honest(id)), Error::<Test>::NotAssigned);
		}
	});
}

#[test]
fn commit_should_fail_when_the_attempt_is_another() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(0, 1);
		let both = audit_begun(id, 1, &honest(id));
		assert_noop!(
			commit_one(both[0], first(), Role::Auditor, &honest(id)),
			Error::<Test>::NotAssigned
		);
		assert_noop!(commit_one(1, first(), Role::Worker, &honest(id)), Error::<Test>::NotAssigned);
	});
}

#[test]
fn commit_should_fail_when_the_claim_is_malformed() {
	ExtBuilder::default().build_and_execute(|| {
		assign(first(), 1);
		for list in [&[999][..], &[1_064], &[1_001, 1_001], &[1_005, 1_001], &[1_001, u32::MAX]] {
			assert_noop!(commit(1, vec![claiming(list)]), Error::<Test>::MalformedClaim);
		}
		assert_ok!(commit(1, vec![claiming(&[1_000, 1_063])]));
	});
}

#[test]
fn commit_should_fail_when_an_auditor_claims_something() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let [auditor, _] = audit_begun(id, 1, &honest(id));
		let item = commit_item(auditor, id, Role::Auditor, &honest(id));
		let claiming = CommitItem { claim: claim(id), ..item.clone() };
		assert_noop!(commit(auditor, vec![claiming]), Error::<Test>::MalformedClaim);
		assert_eq!(item.claim, Claim::Nothing);
		assert_ok!(commit(auditor, vec![item]));
	});
}

#[test]
fn commit_should_fail_when_it_was_made_before() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let [auditor, _] = audit_begun(id, 1, &honest(id));
		let again = CommitItem {
			commitment: H256::zero(),
			..commit_item(1, id, Role::Worker, &honest(id))
		};
		assert_noop!(commit(1, vec![again]), Error::<Test>::AlreadyCommitted);
		assert_ok!(commit_one(auditor, id, Role::Auditor, &honest(id)));
		assert_noop!(
			commit_one(auditor, id, Role::Auditor, &accusing(id)),
			Error::<Test>::AlreadyCommitted
		);
	});
}

#[test]
fn commit_should_fail_when_the_audit_is_over_even_if_the_agenda_is_late() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let [one, other] = audit_begun(id, 1, &honest(id));
		stall_to(now() + DEADLINE - 1);
		assert_ok!(commit_one(one, id, Role::Auditor, &honest(id)));
		stall_to(now() + 1);
		assert_noop!(commit_one(other, id, Role::Auditor, &honest(id)), Error::<Test>::TooLate);
	});
}
