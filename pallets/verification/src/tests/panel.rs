use crate::{mock::*, types::*, Checks, Error, Event, Panels, Rules};
use frame_support::{assert_noop, assert_ok};
use std::collections::BTreeSet;
use tequio_primitives::{stage::Stage, tasks::UndecidedReason, AttemptId, Duty, Role, WorkClass};

/// Referees that were fined so far.
fn fined(id: AttemptId) -> usize {
	let duty = Duty { id, role: referee(0) };
	let ended = doubles().ended;
	ended.iter().filter(|(_, of, end)| *of == duty && matches!(end, End::Missed(_))).count()
}

/// Nine referees at the first level, out of forty owners.
fn large() -> ExtBuilder {
	let rules = Rules { panels: [9, 10, 31, 99], ..Default::default() };
	ExtBuilder::default().rules(rules).accepting(&(1..=40).collect::<Vec<_>>())
}

#[test]
fn a_disagreement_calls_a_panel_of_others() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let both = panel_called(id, [&right, &accusing(id), &right]);
		called_all(id, 0, 3);
		let called = now();
		let due = called + DEADLINE;
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Panel, due)));
		run_to(called + 1);
		assert_eq!(referees(id, 0), vec![]);

		let sitting = seated(id, 0);
		let duty = Duty { id, role: referee(0) };
		for number in &sitting {
			assert!(*number != 1 && !both.contains(number));
			let (owner, device) = (owner(*number), device(*number));
			assert_eq!(doubles().duties.get(&(device.clone(), duty)), Some(&(COLLATERAL, false)));
			assert_has(Event::RefereeDrawn { id, level: 0, owner, device, votes: 1 });
		}
		assert_eq!(sitting.iter().collect::<BTreeSet<_>>().len(), 3);
	});
}

#[test]
fn places_are_drawn_for_two_at_a_time_and_everybody_has_the_full_time() {
	large().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let called = now();
		let before = doubles().asked.len();
		for step in 1u32..=4 {
			run_to(called + 2 * step);
			assert_eq!(referees(id, 0).len(), 2 * step as usize);
			let due = called + 2 * step + DEADLINE;
			assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Panel, due)));
		}
		let asked = doubles().asked;
		assert_eq!(asked.len() - before, 8);
		let expected = Asked {
			class: WorkClass::RandomXSearch,
			units: 3 + u64::from(range().audited_count()),
			price: PRICE,
			deadline: DEADLINE,
			collateral: COLLATERAL,
			audit: true,
		};
		assert!(asked[before..].iter().all(|asked| *asked == expected));
		// Those who sit may commit while others are still to be drawn.
		let first = referees(id, 0)[0].unwrap();
		assert_ok!(commit_one(first, id, referee(0), &right));
		assert_eq!(stage(id), Some(Stage::Panel));
	});
}

#[test]
fn places_that_nobody_takes_are_drawn_for_until_the_time_is_up() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let called = now();
		with_doubles(|state| state.dark = true);
		run_to(called + 2);
		let everybody = doubles().accepting;
		with_doubles(|state| {
			state.dark = false;
			state.accepting.clear();
		});
		// There was no output after two blocks, and there is nobody after four more.
		run_to(called + 7);
		assert_eq!(referees(id, 0), vec![]);
		with_doubles(|state| state.accepting = everybody);
		run_to(called + 14);
		assert_ne!(referees(id, 0), vec![]);
		let due = called + 14 + DEADLINE;
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Panel, due)));
	});
}

#[test]
fn a_panel_is_no_larger_than_there_are_others_in_the_class() {
	let rules = Rules { panels: [5, 9, 31, 99], ..Default::default() };
	let seven = [1, 2, 3, 4, 5, 6, 7];
	ExtBuilder::default().rules(rules).accepting(&seven).build_and_execute(|| {
		let id = first();
		panel_called(id, [&honest(id), &accusing(id), &honest(id)]);
		called_all(id, 0, 4);
	});
}

#[test]
fn a_class_of_fewer_than_three_others_has_no_panel_and_nobody_is_slashed() {
	ExtBuilder::default().accepting(&[1, 2, 3, 4, 5]).build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let both = revealed(id, 1, [&honest(id), &wrong, &wrong], [true; 3]);
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::Disagreement)));
		assert_eq!(end_of(1, id, Role::Worker), Some(End::Released));
		for auditor in both {
			assert_eq!(end_of(auditor, id, Role::Auditor), Some(End::Released));
		}
		assert!(!Checks::<Test>::contains_key(id.chunk));
		assert_eq!(Panels::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_panel_that_nobody_sits_on_finds_nothing() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		panel_called(id, [&honest(id), &accusing(id), &honest(id)]);
		with_doubles(|state| state.accepting.clear());
		for _ in 0..Rules::default().max_redraws {
			run_to_due(id);
			assert_eq!(stage(id), Some(Stage::Panel), "it is drawn for again");
		}
		run_to_due(id);
		run_to(now() + 1);
		found(id, 0, &[Standing::Unclear; 3]);
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::Disagreement)));
		dismissed(id);
	});
}

#[test]
fn a_silent_referee_is_fined_and_counts_against_any_finding() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let [one, other, silent]: [u8; 3] = seated(id, 0).try_into().unwrap();
		assert_ok!(commit_one(one, id, referee(0), &right));
		assert_ok!(commit_one(other, id, referee(0), &right));
		run_to_due(id);
		let fine = COLLATERAL / 20;
		assert_eq!(end_of(silent, id, referee(0)), Some(End::Missed(fine)));
		assert_has(Event::RefereeMissed { id, level: 0, owner: owner(silent), fine });
		assert_has(Event::PanelRevealsOpened { id, level: 0 });
		assert_eq!(referees(id, 0), vec![Some(one), Some(other), None]);
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::PanelReveal, now() + 20)));

		// Two of three are two thirds.
		assert_ok!(reveal_one(one, id, referee(0), &right));
		assert_ok!(reveal_one(other, id, referee(0), &right));
		run_to(now() + 1);
		found(id, 0, &[Standing::Right, Standing::Wrong, Standing::Right]);
		assert!(is_settled(id));
	});
}

#[test]
fn two_silent_referees_of_three_leave_it_unclear() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let one = seated(id, 0)[0];
		assert_ok!(commit_one(one, id, referee(0), &right));
		run_to_due(id);
		assert_ok!(reveal_one(one, id, referee(0), &right));
		run_to(now() + 1);
		found(id, 0, &[Standing::Unclear; 3]);
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::Disagreement)));
	});
}

#[test]
fn a_referee_who_does_not_reveal_is_slashed() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let sitting = seated(id, 0);
		for number in &sitting {
			assert_ok!(commit_one(*number, id, referee(0), &right));
		}
		assert_has(Event::PanelRevealsOpened { id, level: 0 });
		for number in &sitting[..2] {
			assert_ok!(reveal_one(*number, id, referee(0), &right));
		}
		run_to(now() + 19);
		assert_eq!(told(id), None);
		run_to(now() + 1);
		assert!(is_settled(id));
		dismissed(id);
		assert_eq!(end_of(sitting[2], id, referee(0)), Some(End::BURNED));
		assert_eq!(accrued(sitting[2]), 0);
	});
}

#[test]
fn many_silent_referees_are_fined_four_in_a_block() {
	large().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let sitting = seated(id, 0);
		run_to_due(id);
		assert_eq!(fined(id), 4);
		// Who is still to be fined is too late all the same.
		let last = sitting[8];
		assert_noop!(commit_one(last, id, referee(0), &right), Error::<Test>::TooLate);
		assert_sound();
		run_to(now() + 1);
		assert_eq!(fined(id), 8);
		assert_sound();
		run_to(now() + 1);
		assert_eq!(fined(id), 9);
		run_to(now() + 1);
		found(id, 0, &[Standing::Unclear; 3]);
		assert_eq!(stage(id), Some(Stage::Appeal));
	});
}

#[test]
fn those_who_committed_reveal_while_the_silent_are_fined() {
	large().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let one = seated(id, 0)[0];
		assert_ok!(commit_one(one, id, referee(0), &right));
		run_to_due(id);
		assert_eq!(fined(id), 4);
		assert_ok!(reveal_one(one, id, referee(0), &right));
		run_to(now() + 1);
		assert_eq!((fined(id), stage(id)), (8, Some(Stage::Appeal)));
	});
}

#[test]
fn near_is_right_enough() {
	ExtBuilder::default().accepting(&[1, 2, 3, 4, 5]).build_and_execute(|| {
		let id = run(0);
		let auditor = outputs_differ(id, &output(7), &output(13));
		let (close, own) = (near(9, &[7]), output(7));
		panel_says(id, 0, &[&close, &own, &close]);
		found(id, 0, &[Standing::Right, Standing::Wrong]);
		assert!(is_settled(id));
		assert_eq!(end_of(auditor, id, Role::Auditor), Some(slashed_for_referees(3 * AUDIT_PAY)));
	});
}
