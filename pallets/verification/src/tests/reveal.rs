use crate::{
	mock::*,
	types::*,
	weights::{Estimated, WeightInfo},
	Error, Event,
};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use tequio_primitives::{
	opening::Opening,
	search::{Fault, SearchOpening, Winner},
	Role,
};

#[test]
fn reveal_works() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [one, other] = reveals_open(id, 1, [&right, &right, &right]);
		for (number, role) in [(one, Role::Auditor), (1, Role::Worker)] {
			assert_ok!(reveal_one(number, id, role, &right));
			assert_last(Event::Revealed { id, role, device: device(number) });
		}
		let done = doubles().duties;
		assert!(done.iter().all(|((who, _), (_, done))| *done == (*who != device(other))));
		assert_eq!(told(id), None);
		assert_ok!(reveal_one(other, id, Role::Auditor, &right));
		assert!(matches!(told(id), Some(Told::Accepted { .. })));
	});
}

#[test]
fn reveal_weighs_a_verdict_only_where_it_brings_one() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [one, other] = reveals_open(id, 1, [&right, &right, &right]);
		let weigh = |number, role| {
			let items = batch(vec![reveal_item(number, id, role, &right)]);
			let origin = RuntimeOrigin::signed(device(number));
			let info = Verification::reveal(origin, items).unwrap();
			info.actual_weight.unwrap()
		};
		let entry = Estimated::<Test>::reveal(1, 1);
		assert_eq!(weigh(1, Role::Worker), entry);
		assert_eq!(weigh(one, Role::Auditor), entry);
		let verdict = Estimated::<Test>::verdicts() + Estimated::<Test>::judge(2, 0);
		assert_eq!(weigh(other, Role::Auditor), entry + verdict);
	});
}

#[test]
fn reveal_takes_what_it_can_and_names_the_rest() {
	ExtBuilder::default().build_and_execute(|| {
		let (open, closed) = (attempt(0, 0), attempt(1, 0));
		reveals_open(open, 1, [&honest(open), &honest(open), &honest(open)]);
		assign(closed, 1);
		assert_ok!(commit_one(1, closed, Role::Worker, &honest(closed)));
		let item = |id| reveal_item(1, id, Role::Worker, &honest(id));
		assert_ok!(reveal(1, vec![item(closed), item(open)]));
		let error = Error::<Test>::NotRevealing.into();
		assert_last(Event::ItemRefused { id: closed, role: Role::Worker, error });
	});
}

#[test]
fn reveal_should_fail_when_it_is_empty() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(reveal(1, vec![]), Error::<Test>::NothingToDo);
	});
}

#[test]
fn reveal_should_fail_when_nothing_is_assigned() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let refused = |number, id, role| {
			assert_noop!(reveal_one(number, id, role, &right), Error::<Test>::NotAssigned);
		};
		refused(1, id, Role::Worker);
		let [auditor, _] = reveals_open(id, 1, [&right, &right, &right]);
		refused(1, attempt(0, 1), Role::Worker);
		refused(1, id, Role::Auditor);
		refused(auditor, id, Role::Worker);
		refused(auditor, id, Role::Referee { level: 0 });
		refused(auditor, id, Role::Appellant { level: 0 });
	});
}

#[test]
fn reveal_should_fail_when_somebody_has_still_to_commit() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let [one, _] = audit_begun(id, 1, &honest(id));
		assert_ok!(commit_one(one, id, Role::Auditor, &honest(id)));
		for (number, role) in [(1, Role::Worker), (one, Role::Auditor)] {
			assert_noop!(reveal_one(number, id, role, &honest(id)), Error::<Test>::NotRevealing);
		}
	});
}

#[test]
fn reveal_should_fail_when_the_period_is_over_even_if_the_agenda_is_late() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [one, other] = reveals_open(id, 1, [&right, &right, &right]);
		stall_to(now() + 19);
		assert_ok!(reveal_one(one, id, Role::Auditor, &right));
		stall_to(now() + 1);
		assert_noop!(reveal_one(other, id, Role::Auditor, &right), Error::<Test>::TooLate);
	});
}

#[test]
fn reveal_should_fail_when_it_was_made_before() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [one, _] = reveals_open(id, 1, [&right, &right, &right]);
		for (number, role) in [(1, Role::Worker), (one, Role::Auditor)] {
			assert_ok!(reveal_one(number, id, role, &right));
			assert_noop!(reveal_one(number, id, role, &right), Error::<Test>::AlreadyRevealed);
		}
	});
}

#[test]
fn reveal_should_fail_when_the_opening_or_the_salt_is_another() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [one, _] = reveals_open(id, 1, [&right, &right, &right]);
		assert_noop!(reveal_one(1, id, Role::Worker, &guessed(id)), Error::<Test>::OpeningMismatch);
		let item = reveal_item(one, id, Role::Auditor, &right);
		let item = RevealItem { salt: salt(0), ..item };
		assert_noop!(reveal(one, vec![item]), Error::<Test>::OpeningMismatch);
	});
}

#[test]
fn reveal_should_fail_when_the_commitment_was_copied() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let [copier, other] = audit_begun(id, 1, &honest(id));
		let copied = commit_item(other, id, Role::Auditor, &honest(id));
		assert_ok!(commit(copier, vec![copied.clone()]));
		assert_ok!(commit(other, vec![copied]));
		let shown = reveal_item(other, id, Role::Auditor, &honest(id));
		assert_noop!(reveal(copier, vec![shown.clone()]), Error::<Test>::OpeningMismatch);
		assert_ok!(reveal(other, vec![shown]));
	});
}

#[test]
fn reveal_should_fail_when_a_commitment_is_of_another_attempt() {
	ExtBuilder::default().build_and_execute(|| {
		let (id, earlier) = (attempt(0, 1), first());
		assign_at_rate(id, 1, sp_runtime::Perquintill::zero());
		let replayed = commit_item(1, earlier, Role::Worker, &honest(id));
		assert_ok!(commit(1, vec![CommitItem { id, ..replayed }]));
		run_to_due(id);
		assert_noop!(reveal_one(1, id, Role::Worker, &honest(id)), Error::<Test>::OpeningMismatch);
	});
}

#[test]
fn reveal_should_fail_when_the_opening_cannot_be_right() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let winner = |nonce, byte| Winner { nonce, hash: [byte; 32] };
		let winning = |list: Vec<Winner>| {
			let winners = BoundedVec::truncate_from(list);
			Opening::Search(SearchOpening { winners, ..searched(id) })
		};
		let blaming = |list: Vec<Fault>| {
			let faults = BoundedVec::truncate_from(list);
			Opening::Search(SearchOpening { faults, ..searched(id) })
		};
		let [low, high, unclaimed] = [1_001, 1_005, 1_002];
		let of_a_worker = [
			winning(vec![winner(low, 0xff)]),
			winning(vec![winner(unclaimed, 0)]),
			winning(vec![winner(high, 0), winner(low, 0)]),
			winning(vec![winner(low, 0), winner(low, 0)]),
			accusing(id),
			output(7),
		];
		for (index, opening) in (0..).zip(of_a_worker) {
			let id = attempt(0, index);
			let [one, other] = reveals_open(id, 1, [&opening, &honest(id), &honest(id)]);
			assert_noop!(
				reveal_one(1, id, Role::Worker, &opening),
				Error::<Test>::MalformedOpening
			);
			assert_ok!(reveal_one(one, id, Role::Auditor, &honest(id)));
			assert_ok!(reveal_one(other, id, Role::Auditor, &honest(id)));
			run_to_due(id);
		}
		let of_an_auditor = [
			winning(vec![winner(low, 0xff)]),
			blaming(vec![Fault::FalseShare(unclaimed)]),
			blaming(vec![Fault::UnclaimedShare(low)]),
			blaming(vec![Fault::UnclaimedShare(999)]),
			blaming(vec![Fault::FalseShare(high), Fault::FalseShare(low)]),
			output(7),
		];
		for (index, opening) in (10..).zip(of_an_auditor) {
			let id = attempt(0, index);
			let [one, _] = reveals_open(id, 1, [&honest(id), &opening, &honest(id)]);
			assert_noop!(
				reveal_one(one, id, Role::Auditor, &opening),
				Error::<Test>::MalformedOpening
			);
			run_to_due(id);
		}
	});
}
