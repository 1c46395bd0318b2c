use crate::{mock::*, types::*, Event, Panels, Rules};
use frame_support::assert_ok;
use tequio_primitives::{opening::Opening, stage::Stage, AttemptId, Balance, Duty, Role};

/// Nine referees, out of forty owners.
fn nine() -> ExtBuilder {
	let rules = Rules { panels: [9, 10, 31, 99], ..Default::default() };
	ExtBuilder::default().rules(rules).accepting(&(1..=40).collect::<Vec<_>>())
}

/// A panel has said this about worker 1, who is right, and about an auditor who is not; nobody
/// appeals. The auditor, and the referees by place.
fn judged(id: AttemptId, said: &[&Opening]) -> (u8, Vec<u8>) {
	let right = honest(id);
	let [liar, _] = panel_called(id, [&right, &accusing(id), &right]);
	let sitting = panel_says(id, 0, said);
	assert_eq!(stage(id), Some(Stage::Appeal));
	run_to_due(id);
	assert!(is_settled(id));
	(liar, sitting)
}

/// Referees of the panel whose duty has ended.
fn ended(id: AttemptId) -> usize {
	let duty = Duty { id, role: referee(0) };
	doubles().ended.iter().filter(|(_, of, _)| *of == duty).count()
}

#[test]
fn referees_are_dismissed_four_in_a_block() {
	nine().build_and_execute(|| {
		let id = first();
		let (liar, sitting) = judged(id, &[&honest(id); 9]);
		let end = Panels::<Test>::get(id, 0).unwrap().end.unwrap();
		assert_eq!((end.pay, end.dismissed, end.overruled), (AUDIT_PAY, 0, false));
		for count in [4, 8] {
			run_to(now() + 1);
			assert_eq!(ended(id), count);
			assert!(Panels::<Test>::contains_key(id, 0));
			assert_sound();
		}
		run_to(now() + 1);
		assert_eq!(ended(id), 9);
		assert!(!Panels::<Test>::contains_key(id, 0));
		// What was taken for them is what they are kept.
		assert_eq!(end_of(liar, id, Role::Auditor), Some(slashed_for_referees(9 * AUDIT_PAY)));
		assert_eq!(doubles().accrued.values().sum::<Balance>(), 9 * AUDIT_PAY);
		for number in sitting {
			let owner = owner(number);
			assert_has(Event::RefereeDismissed { id, level: 0, owner, pay: AUDIT_PAY });
		}
	});
}

#[test]
fn who_found_something_else_goes_unpaid() {
	nine().build_and_execute(|| {
		let id = first();
		let (right, other) = (honest(id), guessed(id));
		let mut said = [&right; 9];
		said[3] = &other;
		said[8] = &other;
		let (liar, sitting) = judged(id, &said);
		assert_eq!(end_of(liar, id, Role::Auditor), Some(slashed_for_referees(7 * AUDIT_PAY)));
		dismissed(id);
		for (place, number) in sitting.into_iter().enumerate() {
			let pay = if [3, 8].contains(&place) { 0 } else { AUDIT_PAY };
			assert_eq!(end_of(number, id, referee(0)), Some(End::Released));
			assert_eq!(accrued(number), pay);
		}
	});
}

#[test]
fn who_hid_is_slashed_and_places_that_nobody_sits_on_cost_nothing() {
	nine().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		let sitting = seated(id, 0);
		let (silent, others) = sitting.split_at(2);
		for number in others {
			assert_ok!(commit_one(*number, id, referee(0), &right));
		}
		run_to_due(id);
		let (hidden, shown) = others.split_at(1);
		for number in shown {
			assert_ok!(reveal_one(*number, id, referee(0), &right));
		}
		run_to_due(id);
		// Six of nine.
		found(id, 0, &[Standing::Right, Standing::Wrong, Standing::Right]);
		run_to_due(id);
		let before = ended(id);
		assert_eq!(before, silent.len());
		run_to(now() + 1);
		assert_eq!(ended(id), before + 4);
		run_to(now() + 1);
		assert_eq!(ended(id), before + 7);
		assert!(!Panels::<Test>::contains_key(id, 0));
		assert_eq!(end_of(hidden[0], id, referee(0)), Some(End::BURNED));
		assert!(shown.iter().all(|number| accrued(*number) == AUDIT_PAY));
		assert_eq!(doubles().accrued.len(), shown.len());
	});
}

#[test]
fn a_dismissal_that_is_late_goes_on() {
	nine().build_and_execute(|| {
		let id = first();
		judged(id, &[&honest(id); 9]);
		stall_to(now() + 30);
		assert_eq!(ended(id), 0);
		for count in [4, 8, 9] {
			assert_ok!(Verification::advance_agenda(RuntimeOrigin::signed(owner(9)), 1));
			assert_eq!(ended(id), count);
			stall_to(now() + 1);
		}
	});
}
