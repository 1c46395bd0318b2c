use crate::{mock::*, types::*, Call, Error, Event, Rules};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;
use std::collections::BTreeMap;
use tequio_primitives::{
	stage::Stage,
	tasks::{RejectReason, UndecidedReason},
	AttemptId, Balance, Duty, Role,
};

/// Twenty owners: three are party, a panel of nine comes after one of three, and one of seventeen
/// after that.
fn twenty() -> ExtBuilder {
	ExtBuilder::default().accepting(&(1..=20).collect::<Vec<_>>())
}

/// Worker 1 is right and so is the other auditor; the first one lies, and so does the whole panel.
fn captured(id: AttemptId) -> ([u8; 2], Vec<u8>) {
	let (right, wrong) = (honest(id), accusing(id));
	let both = panel_called(id, [&right, &wrong, &right]);
	let liars = panel_says(id, 0, &[&wrong; 3]);
	found(id, 0, &[Standing::Wrong, Standing::Right, Standing::Wrong]);
	assert_eq!(stage(id), Some(Stage::Appeal));
	(both, liars)
}

fn appellant(level: u8) -> Role {
	Role::Appellant { level }
}

/// What the owners of these devices are kept, if each place earned the pay of an audit.
fn assert_paid(places: impl IntoIterator<Item = u8>) {
	let mut expected = BTreeMap::<_, Balance>::new();
	for number in places {
		*expected.entry(owner(number)).or_default() += AUDIT_PAY;
	}
	assert_eq!(doubles().accrued, expected);
}

#[test]
fn appeal_works() {
	twenty().build_and_execute(|| {
		let id = first();
		captured(id);
		assert_ok!(appeal(device(1), id));
		let bond = 9 * AUDIT_PAY * 3 / 2;
		let duty = Duty { id, role: appellant(0) };
		assert_eq!(doubles().duties.get(&(device(1), duty)), Some(&(bond, true)));
		assert_has(Event::Appealed { id, level: 0, owner: owner(1), bond });
		called(id, 1, 9);
		let due = now() + DEADLINE;
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Panel, due)));
	});
}

#[test]
fn appeal_works_for_the_owner_and_for_an_auditor() {
	twenty().build_and_execute(|| {
		let id = first();
		let ([_, auditor], _) = captured(id);
		assert_ok!(appeal(owner(auditor), id));
		let duty = Duty { id, role: appellant(0) };
		assert!(doubles().duties.contains_key(&(device(auditor), duty)));
	});
}

#[test]
fn an_honest_worker_wins_against_a_captured_panel() {
	twenty().build_and_execute(|| {
		let id = first();
		let ([liar, auditor], liars) = captured(id);
		assert_ok!(appeal(device(1), id));
		let sitting = panel_says(id, 1, &[&honest(id); 9]);
		found(id, 1, &[Standing::Right, Standing::Wrong, Standing::Right]);
		// The auditor who was right before may appeal now, and does not.
		run_to_due(id);

		let auditors = vec![owner(auditor)];
		assert!(
			matches!(told(id), Some(Told::Accepted { auditors: paid, .. }) if paid == auditors)
		);
		assert_eq!(end_of(1, id, appellant(0)), Some(End::Released));
		assert_has(Event::BondFreed { id, level: 0, owner: owner(1) });
		assert_eq!(end_of(1, id, Role::Worker), None);
		assert_eq!(end_of(liar, id, Role::Auditor), Some(slashed_for_referees(9 * AUDIT_PAY)));
		dismissed(id);
		for number in liars {
			assert_eq!(end_of(number, id, referee(0)), Some(End::BURNED));
		}
		for number in &sitting {
			assert_eq!(end_of(*number, id, referee(1)), Some(End::Released));
		}
		assert_paid(sitting);
	});
}

#[test]
fn the_honest_minority_of_an_overruled_panel_is_paid() {
	twenty().build_and_execute(|| {
		let id = first();
		let (right, wrong) = (honest(id), accusing(id));
		let [liar, _] = panel_called(id, [&right, &wrong, &right]);
		let lower = panel_says(id, 0, &[&wrong, &wrong, &right]);
		assert_ok!(appeal(device(1), id));
		let upper = panel_says(id, 1, &[&right; 9]);
		run_to_due(id);
		assert_eq!(end_of(liar, id, Role::Auditor), Some(slashed_for_referees(10 * AUDIT_PAY)));
		dismissed(id);
		assert_eq!(end_of(lower[0], id, referee(0)), Some(End::BURNED));
		assert_eq!(end_of(lower[1], id, referee(0)), Some(End::BURNED));
		assert_eq!(end_of(lower[2], id, referee(0)), Some(End::Released));
		assert_paid(upper.into_iter().chain([lower[2]]));
	});
}

#[test]
fn the_minority_of_the_last_panel_goes_unpaid_and_is_not_slashed() {
	twenty().build_and_execute(|| {
		let id = first();
		let (right, wrong) = (honest(id), accusing(id));
		captured(id);
		assert_ok!(appeal(device(1), id));
		let mut said = [&right; 9];
		said[4] = &wrong;
		let sitting = panel_says(id, 1, &said);
		run_to_due(id);
		dismissed(id);
		assert_eq!(end_of(sitting[4], id, referee(1)), Some(End::Released));
		assert_paid(sitting.iter().copied().filter(|number| *number != sitting[4]));
	});
}

#[test]
fn a_liar_loses_the_bond_as_well() {
	twenty().build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let both = panel_called(id, [&honest(id), &wrong, &wrong]);
		let lower = panel_says(id, 0, &[&wrong; 3]);
		assert_ok!(appeal(device(1), id));
		let upper = panel_says(id, 1, &[&wrong; 9]);
		assert_eq!(stage(id), Some(Stage::Appeal));
		run_to_due(id);
		assert_eq!(told(id), Some(Told::Rejected(RejectReason::ProvenWrong)));
		let bounty = (COLLATERAL - 14 * AUDIT_PAY) * 3 / 10 / 2;
		let slashed = End::Slashed {
			compensation: both.map(|auditor| (owner(auditor), AUDIT_PAY)).to_vec(),
			bounty: both.map(|auditor| (owner(auditor), bounty)).to_vec(),
			referees: Some((pot(), 12 * AUDIT_PAY)),
		};
		assert_eq!(end_of(1, id, Role::Worker), Some(slashed));
		assert_eq!(end_of(1, id, appellant(0)), Some(End::BURNED));
		dismissed(id);
		assert_paid(lower.into_iter().chain(upper));
	});
}

#[test]
fn a_panel_that_nobody_hears_leaves_the_finding_in_force() {
	twenty().build_and_execute(|| {
		let id = first();
		let (right, wrong) = (honest(id), accusing(id));
		panel_called(id, [&right, &wrong, &wrong]);
		let lower = panel_says(id, 0, &[&wrong; 3]);
		assert_ok!(appeal(device(1), id));
		with_doubles(|state| state.accepting.clear());
		for _ in 0..=Rules::default().max_redraws {
			run_to_due(id);
		}
		run_to(now() + 1);
		found(id, 1, &[Standing::Wrong, Standing::Right, Standing::Right]);
		assert_eq!(told(id), Some(Told::Rejected(RejectReason::ProvenWrong)));
		assert_eq!(end_of(1, id, appellant(0)), Some(End::BURNED));
		dismissed(id);
		// Who sat below is not overruled, and paid.
		assert_paid(lower);
	});
}

#[test]
fn a_bond_returns_where_nothing_is_found_in_the_end() {
	twenty().build_and_execute(|| {
		let id = first();
		let (right, wrong, other) = (honest(id), accusing(id), guessed(id));
		panel_called(id, [&right, &wrong, &right]);
		panel_says(id, 0, &[&right, &wrong, &other]);
		found(id, 0, &[Standing::Unclear; 3]);
		assert_ok!(appeal(device(1), id));
		let said = [&right, &right, &right, &wrong, &wrong, &wrong, &other, &other, &other];
		panel_says(id, 1, &said);
		run_to_due(id);
		assert_eq!(told(id), Some(Told::undecided(UndecidedReason::Disagreement)));
		for role in [Role::Worker, appellant(0)] {
			assert_eq!(end_of(1, id, role), Some(End::Released));
		}
		dismissed(id);
		assert_paid([]);
	});
}

#[test]
fn what_the_last_panel_finds_is_final() {
	let rules = Rules { panels: [3, 4, 5, 6], ..Default::default() };
	twenty().rules(rules).build_and_execute(|| {
		let id = first();
		let (right, wrong) = (honest(id), accusing(id));
		let [liar, _] = panel_called(id, [&right, &wrong, &right]);
		let mut sat = Vec::new();
		for (level, (size, said)) in (0u8..).zip([(3, &wrong), (4, &right), (5, &wrong)]) {
			sat.push(panel_says(id, level, &vec![said; size]));
			assert_eq!(stage(id), Some(Stage::Appeal));
			let loser = if level == 1 { liar } else { 1 };
			assert_ok!(appeal(device(loser), id));
		}
		sat.push(panel_says(id, 3, &[&right; 6]));
		assert!(is_settled(id));
		assert_eq!(end_of(1, id, appellant(0)), Some(End::Released));
		assert_eq!(end_of(liar, id, appellant(1)), Some(End::BURNED));
		assert_eq!(end_of(1, id, appellant(2)), Some(End::Released));
		assert_eq!(end_of(liar, id, Role::Auditor), Some(slashed_for_referees(10 * AUDIT_PAY)));
		dismissed(id);
		for (level, panel) in (0u8..).zip(&sat) {
			let end = if level % 2 == 0 { End::BURNED } else { End::Released };
			for number in panel {
				assert_eq!(end_of(*number, id, referee(level)), Some(end.clone()));
			}
		}
		assert_paid(sat[1].iter().chain(&sat[3]).copied());
	});
}

#[test]
fn an_appeal_is_free_exactly_if_it_would_be_taken() {
	twenty().build_and_execute(|| {
		let id = first();
		let free = |who: AccountId| {
			Verification::free_call_tags(&who, &Call::<Test>::appeal { id }).is_some()
		};
		assert!(!free(device(1)));
		let ([liar, _], _) = captured(id);
		assert!(free(device(1)));
		assert!(!free(device(liar)));
		assert!(free(owner(1)));
		with_doubles(|state| state.broke = vec![1]);
		assert!(!free(device(1)));
		with_doubles(|state| state.broke.clear());
		let before = doubles();
		assert!(free(device(1)));
		assert_eq!(doubles(), before, "asking binds nothing");
		assert_ok!(appeal(device(1), id));
		assert!(!free(device(1)));
	});
}

#[test]
fn appeal_should_fail_when_nothing_was_found() {
	twenty().build_and_execute(|| {
		let id = first();
		assert_noop!(appeal(device(1), id), Error::<Test>::NothingToAppeal);
		let right = honest(id);
		panel_called(id, [&right, &accusing(id), &right]);
		assert_noop!(appeal(device(1), id), Error::<Test>::NothingToAppeal);
	});
}

#[test]
fn appeal_should_fail_when_the_panel_was_appealed_against_before() {
	twenty().build_and_execute(|| {
		let id = first();
		let ([_, auditor], _) = captured(id);
		assert_ok!(appeal(device(1), id));
		assert_noop!(appeal(device(auditor), id), Error::<Test>::NothingToAppeal);
	});
}

#[test]
fn appeal_should_fail_when_it_is_about_another_attempt() {
	twenty().build_and_execute(|| {
		captured(first());
		assert_noop!(appeal(device(1), attempt(0, 1)), Error::<Test>::NothingToAppeal);
	});
}

#[test]
fn appeal_should_fail_when_no_larger_panel_is_left() {
	twenty().build_and_execute(|| {
		let id = first();
		captured(id);
		with_doubles(|state| state.accepting.truncate(3));
		assert_noop!(appeal(device(1), id), Error::<Test>::NothingToAppeal);
	});
}

#[test]
fn appeal_should_fail_when_the_signer_was_not_found_wrong_or_unclear() {
	twenty().build_and_execute(|| {
		let id = first();
		let ([liar, _], liars) = captured(id);
		for who in [device(liar), owner(liar), device(liars[0]), owner(99)] {
			assert_noop!(appeal(who, id), Error::<Test>::NotALoser);
		}
	});
}

#[test]
fn appeal_should_fail_when_the_signer_hid() {
	twenty().build_and_execute(|| {
		let id = first();
		let (right, wrong) = (honest(id), accusing(id));
		let [_, hidden] = revealed(id, 1, [&right, &wrong, &wrong], [true, true, false]);
		run_to_due(id);
		panel_says(id, 0, &[&wrong; 3]);
		assert_eq!(stage(id), Some(Stage::Appeal));
		assert_noop!(appeal(device(hidden), id), Error::<Test>::NotALoser);
	});
}

#[test]
fn appeal_should_fail_when_the_period_is_over_even_if_the_agenda_is_late() {
	twenty().build_and_execute(|| {
		let id = first();
		captured(id);
		stall_to(now() + Rules::default().appeal_period);
		assert_noop!(appeal(device(1), id), Error::<Test>::TooLate);
	});
}

#[test]
fn appeal_should_fail_when_the_bond_is_not_free() {
	twenty().build_and_execute(|| {
		let id = first();
		captured(id);
		with_doubles(|state| state.broke = vec![1]);
		assert_noop!(appeal(device(1), id), Error::<Test>::BondUnavailable);
	});
}

#[test]
fn appeal_should_fail_when_it_is_not_signed() {
	twenty().build_and_execute(|| {
		assert_noop!(Verification::appeal(RuntimeOrigin::root(), first()), BadOrigin);
	});
}
