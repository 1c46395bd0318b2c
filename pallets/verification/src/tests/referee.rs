use crate::{mock::*, types::*, Error, Event, Rules};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{stage::Stage, Duty, Role};

#[test]
fn commit_of_a_referee_should_fail_when_nothing_is_assigned() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [auditor, _] = panel_called(id, [&right, &accusing(id), &right]);
		let one = seated(id, 0)[0];
		for (number, id, role) in [
			(1, id, referee(0)),
			(auditor, id, referee(0)),
			(one, id, referee(1)),
			(one, id, Role::Auditor),
			(one, id, Role::Appellant { level: 0 }),
			(one, attempt(0, 1), referee(0)),
		] {
			assert_noop!(commit_one(number, id, role, &right), Error::<Test>::NotAssigned);
			assert_noop!(reveal_one(number, id, role, &right), Error::<Test>::NotAssigned);
		}
	});
}

#[test]
fn commit_of_a_referee_should_fail_when_it_was_made_before() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let one = seated(id, 0)[0];
		assert_ok!(commit_one(one, id, referee(0), &right));
		assert_last(Event::Committed { id, role: referee(0), device: device(one) });
		assert!(doubles().committed.contains(&(device(one), Duty { id, role: referee(0) })));
		let again = commit_one(one, id, referee(0), &accusing(id));
		assert_noop!(again, Error::<Test>::AlreadyCommitted);
	});
}

#[test]
fn commit_of_a_referee_should_fail_when_it_claims_something() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let one = seated(id, 0)[0];
		let item = commit_item(one, id, referee(0), &right);
		let item = CommitItem { claim: claim(id), ..item };
		assert_noop!(commit(one, vec![item]), Error::<Test>::MalformedClaim);
	});
}

#[test]
fn commit_of_a_referee_should_fail_when_the_time_is_up_even_if_the_agenda_is_late() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let sitting = seated(id, 0);
		let (_, due) = Verification::stage_of(&id.chunk).unwrap();
		stall_to(due - 1);
		assert_ok!(commit_one(sitting[0], id, referee(0), &right));
		stall_to(due);
		let late = commit_one(sitting[1], id, referee(0), &right);
		assert_noop!(late, Error::<Test>::TooLate);
	});
}

#[test]
fn reveal_of_a_referee_works_and_the_finding_follows() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let sitting = seated(id, 0);
		for number in &sitting {
			assert_ok!(commit_one(*number, id, referee(0), &right));
		}
		for number in &sitting {
			assert_ok!(reveal_one(*number, id, referee(0), &right));
			assert_last(Event::Revealed { id, role: referee(0), device: device(*number) });
		}
		let done =
			|number: &u8| doubles().duties[&(device(*number), Duty { id, role: referee(0) })].1;
		assert!(sitting.iter().all(done));
		assert_eq!(stage(id), Some(Stage::PanelReveal));
		let again = reveal_one(sitting[0], id, referee(0), &right);
		assert_noop!(again, Error::<Test>::AlreadyRevealed);
		run_to(now() + 1);
		found(id, 0, &[Standing::Right, Standing::Wrong, Standing::Right]);
	});
}

#[test]
fn reveal_of_a_referee_should_fail_when_somebody_has_still_to_commit() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let one = seated(id, 0)[0];
		assert_ok!(commit_one(one, id, referee(0), &right));
		let early = reveal_one(one, id, referee(0), &right);
		assert_noop!(early, Error::<Test>::NotRevealing);
	});
}

#[test]
fn reveal_of_a_referee_should_fail_when_it_is_not_what_was_committed() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let sitting = seated(id, 0);
		for number in &sitting {
			assert_ok!(commit_one(*number, id, referee(0), &right));
		}
		let one = sitting[0];
		let other = reveal_one(one, id, referee(0), &accusing(id));
		assert_noop!(other, Error::<Test>::OpeningMismatch);
		let item = RevealItem { salt: salt(0), ..reveal_item(one, id, referee(0), &right) };
		assert_noop!(reveal(one, vec![item]), Error::<Test>::OpeningMismatch);
	});
}

#[test]
fn reveal_of_a_referee_should_fail_when_the_opening_cannot_be_right() {
	let rules = Rules { panels: [4, 9, 31, 99], ..Default::default() };
	ExtBuilder::default().rules(rules).build_and_execute(|| {
		let id = run(0);
		outputs_differ(id, &output(7), &output(13));
		// Near what nobody has revealed, near its own, not ascending; and of another class.
		let openings = [near(9, &[8]), near(7, &[7]), near(9, &[13, 7]), honest(first())];
		let sitting = seated(id, 0);
		for (number, opening) in sitting.iter().zip(&openings) {
			assert_ok!(commit_one(*number, id, referee(0), opening));
		}
		assert_eq!(stage(id), Some(Stage::PanelReveal));
		for (number, opening) in sitting.iter().zip(&openings) {
			let malformed = reveal_one(*number, id, referee(0), opening);
			assert_noop!(malformed, Error::<Test>::MalformedOpening);
		}
	});
}

#[test]
fn reveal_of_a_referee_should_fail_when_the_period_is_over_even_if_the_agenda_is_late() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let sitting = seated(id, 0);
		for number in &sitting {
			assert_ok!(commit_one(*number, id, referee(0), &right));
		}
		stall_to(now() + 19);
		assert_ok!(reveal_one(sitting[0], id, referee(0), &right));
		stall_to(now() + 1);
		let late = reveal_one(sitting[1], id, referee(0), &right);
		assert_noop!(late, Error::<Test>::TooLate);
	});
}
