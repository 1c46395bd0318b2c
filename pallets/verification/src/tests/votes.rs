//! How a panel comes by its votes, and what they weigh.

use crate::{mock::*, types::*, Event, Panels, Rules};
use frame_support::assert_ok;
use std::collections::BTreeSet;
use tequio_primitives::{opening::Opening, stage::Stage, AttemptId, Duty, Role};

/// Forty owners, of whom some may be drawn twice.
fn many() -> ExtBuilder {
	ExtBuilder::default().accepting(&(1..=40).collect::<Vec<_>>())
}

/// Votes of each referee of a panel, by place.
fn votes(id: AttemptId, level: u8) -> Vec<u64> {
	Panels::<Test>::get(id, level).unwrap().places.iter().map(|place| place.votes).collect()
}

/// The panel of the first level has found, each referee having said this.
fn all_say(id: AttemptId, says: impl Fn(u8) -> Opening) {
	let sitting = seated(id, 0);
	for number in &sitting {
		assert_ok!(commit_one(*number, id, referee(0), &says(*number)));
	}
	for number in &sitting {
		assert_ok!(reveal_one(*number, id, referee(0), &says(*number)));
	}
	run_to(now() + 1);
}

#[test]
fn who_is_drawn_again_has_another_vote_and_no_other_duty() {
	let rules = Rules { panels: [31, 32, 33, 99], ..Default::default() };
	many().rules(rules).build_and_execute(|| {
		let id = first();
		with_doubles(|state| state.repeats = true);
		panel_called(id, [&honest(id), &accusing(id), &honest(id)]);
		called(id, 0, 31);
		let sitting = seated(id, 0);
		let votes = votes(id, 0);
		assert_eq!(votes.iter().sum::<u64>(), 31);
		assert!(sitting.len() < 31, "of 37 owners some are drawn twice");
		assert_eq!(sitting.iter().collect::<BTreeSet<_>>().len(), sitting.len());
		let duty = Duty { id, role: referee(0) };
		for (number, votes) in sitting.iter().zip(votes) {
			let (owner, device) = (owner(*number), device(*number));
			assert_eq!(doubles().duties.get(&(device.clone(), duty)), Some(&(COLLATERAL, false)));
			assert_has(Event::RefereeDrawn { id, level: 0, owner, device, votes });
		}
	});
}

#[test]
fn reveals_open_when_the_last_vote_falls_on_one_who_is_done() {
	many().build_and_execute(|| {
		let id = first();
		with_doubles(|state| state.repeats = true);
		panel_called(id, [&honest(id), &accusing(id), &honest(id)]);
		run_to(now() + 2);
		let first: Vec<_> = referees(id, 0).into_iter().flatten().collect();
		with_doubles(|state| state.accepting = first.clone());
		for number in &first {
			assert_ok!(commit_one(*number, id, referee(0), &honest(id)));
		}
		assert_eq!(stage(id), Some(Stage::Panel), "one vote is open");
		run_to(now() + 2);
		assert_eq!(votes(id, 0).iter().sum::<u64>(), 3);
		assert_eq!(stage(id), Some(Stage::PanelReveal));
	});
}

#[test]
fn referees_are_paid_for_computing_and_not_by_votes() {
	let rules = Rules { panels: [31, 32, 33, 99], ..Default::default() };
	many().rules(rules).build_and_execute(|| {
		let id = first();
		with_doubles(|state| state.repeats = true);
		panel_called(id, [&honest(id), &accusing(id), &honest(id)]);
		let sitting = seated(id, 0);
		all_say(id, |_| honest(id));
		found(id, 0, &[Standing::Right, Standing::Wrong, Standing::Right]);
		run_to_due(id);
		dismissed(id);
		for number in sitting {
			assert_eq!(accrued(number), AUDIT_PAY);
		}
	});
}

#[test]
fn where_all_sit_each_has_a_vote_for_each_seat() {
	ExtBuilder::default().accepting(&[1, 2, 3, 4, 5, 6]).build_and_execute(|| {
		let id = first();
		with_doubles(|state| state.seats = [(4, 7), (5, 2)].into());
		let both = panel_called(id, [&honest(id), &accusing(id), &honest(id)]);
		let others = (2..=6).filter(|number| !both.contains(number));
		let seats = |number| doubles().seats.get(&number).copied().unwrap_or(1);
		called_all(id, 0, others.map(seats).sum());
		let sitting = seated(id, 0);
		assert_eq!(sitting.len(), 3);
		assert_eq!(votes(id, 0), sitting.into_iter().map(seats).collect::<Vec<_>>());
	});
}

/// Three owners besides the parties; one of them has so many seats, and says another thing than the
/// others do. What is found of the worker, who is right.
fn one_against_two(seats: u64, is_honest: bool) -> Standing {
	let mut standing = Standing::Unclear;
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let both = revealed(id, 1, [&honest(id), &accusing(id), &honest(id)], [true, true, false]);
		let large = (2..=6).rev().find(|number| !both.contains(number)).unwrap();
		with_doubles(|state| state.seats = [(large, seats)].into());
		reveal_one(both[1], id, Role::Auditor, &honest(id)).unwrap();
		called_all(id, 0, seats + 2);
		all_say(
			id,
			|number| {
				if (number == large) == is_honest {
					honest(id)
				} else {
					accusing(id)
				}
			},
		);
		let events = System::events().into_iter();
		let mut found = events.filter_map(|record| match record.event {
			RuntimeEvent::Verification(Event::PanelFound { standings, .. }) => Some(standings[0]),
			_ => None,
		});
		standing = found.next().unwrap();
	});
	standing
}

#[test]
fn votes_are_counted_and_not_heads() {
	assert_eq!(one_against_two(1, true), Standing::Wrong);
	assert_eq!(one_against_two(2, true), Standing::Unclear);
	assert_eq!(one_against_two(3, true), Standing::Unclear);
	assert_eq!(one_against_two(4, true), Standing::Right);
	assert_eq!(one_against_two(4, false), Standing::Wrong);
}

#[test]
fn owners_who_come_one_by_one_do_not_make_a_panel_last_for_ever() {
	let rules = Rules { panels: [31, 32, 33, 99], ..Default::default() };
	many().rules(rules).build_and_execute(|| {
		let id = first();
		panel_called(id, [&honest(id), &accusing(id), &honest(id)]);
		let began = now();
		with_doubles(|state| state.accepting.clear());
		let most = (u32::from(rules.max_redraws) + 2) * DEADLINE + MAX_REFEREES + 1;
		let mut number = 10;
		while stage(id) == Some(Stage::Panel) {
			assert!(now() <= began + most, "it lasts too long");
			let (_, due) = Verification::stage_of(&id.chunk).unwrap();
			// Shortly before it would end, one more can be drawn.
			if now() + 9 > due {
				number += 1;
				with_doubles(|state| state.accepting = vec![number]);
			}
			run_to(now() + 1);
			assert_sound();
		}
		assert!(number > 12, "it went on for several of them");
	});
}

#[test]
fn the_largest_panel_is_full_before_its_votes_are_given_out_no_more() {
	let owners: Vec<_> = (1..=120).collect();
	let rules = Rules { challenge_level: 3, ..Default::default() };
	ExtBuilder::default().rules(rules).accepting(&owners).build_and_execute(|| {
		let id = first();
		revealed(id, 1, [&honest(id); 3], [true; 3]);
		assert_ok!(challenge(owner(99), id));
		called(id, 3, 99);
		assert_eq!(seated(id, 3).len(), 99);
	});
}
