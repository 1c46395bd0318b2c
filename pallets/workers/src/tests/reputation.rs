//! What the end of a duty says of its owner.

use crate::mock::*;
use frame_support::assert_ok;
use tequio_primitives::{
	reputation::{Deed, Reputation},
	workers::{EngageSeats, InspectWorkers},
	Balance, Role, WorkClass,
};

fn reputation(number: u8) -> Reputation {
	Workers::reputation_of(&owner(number), CLASS)
}

/// Lets an owner deliver a result of this value.
fn deliver(number: u8, task: u64, value: Balance, audited: bool) {
	let duty = engage(number, task, 10);
	Workers::release(&seat(number), duty, Deed::Accepted { value, audited });
}

#[test]
fn a_new_owner_has_none() {
	build_and_execute(|| {
		assert_eq!(reputation(1), Reputation::default());
		worker(1, 100);
		let duty = engage(1, 0, 10);
		Workers::release(&seat(1), duty, Deed::Nothing);
		assert_eq!(reputation(1), Reputation::default());
		assert!(stored(1).reputations.is_empty());
	});
}

#[test]
fn accepted_results_count_and_audited_ones_by_their_value() {
	build_and_execute(|| {
		worker(1, 100);
		Height::set(7);
		deliver(1, 0, 50, true);
		deliver(1, 1, 30, false);
		deliver(1, 2, 20, true);
		let expected =
			Reputation { streak: 70, passed: 2, accepted: 3, halved_at: 7, ..Default::default() };
		assert_eq!(reputation(1), expected);
	});
}

#[test]
fn a_slash_ends_the_streak() {
	build_and_execute(|| {
		for (number, role) in
			[(1, Role::Worker), (2, Role::Auditor), (3, Role::Referee { level: 1 })]
		{
			worker(number, 100);
			deliver(number, 0, 50, true);
			let duty = duty(1, role);
			assert_ok!(Workers::engage(&seat(number), duty, CLASS, 10));
			slash_all(number, duty);
			let expected = Reputation { accepted: 1, rejected: 1, ..Default::default() };
			assert_eq!(reputation(number), expected);
		}
	});
}

#[test]
fn missed_and_declined_duties_count() {
	build_and_execute(|| {
		worker(1, 100);
		deliver(1, 0, 50, true);
		let missed = engage(1, 1, 10);
		Workers::miss(&seat(1), missed, 1);
		let declined = engage(1, 2, 10);
		Workers::hand_back(&seat(1), declined);
		let expected = Reputation {
			streak: 50,
			passed: 1,
			accepted: 1,
			late: 1,
			declined: 1,
			..Default::default()
		};
		assert_eq!(reputation(1), expected);
	});
}

#[test]
fn each_class_has_its_own() {
	build_and_execute(|| {
		worker(1, 100);
		deliver(1, 0, 50, true);
		let other = duty(1, Role::Worker);
		assert_ok!(Workers::engage(&seat(1), other, WorkClass::Integer, 10));
		Workers::miss(&seat(1), other, 1);
		assert_eq!((reputation(1).accepted, reputation(1).late), (1, 0));
		let integer = Workers::reputation_of(&owner(1), WorkClass::Integer);
		assert_eq!((integer.accepted, integer.late), (0, 1));
		assert_eq!(stored(1).reputations.len(), 2);
	});
}

#[test]
fn it_fades_and_outlasts_the_offer() {
	build_and_execute(|| {
		worker(1, 100);
		(0..4).for_each(|task| deliver(1, task, 50, true));
		let origin = RuntimeOrigin::signed(owner(1));
		assert_ok!(Workers::set_offers(origin, offers_of(&[WorkClass::ExactF32])));
		Height::set(RULES.half_life - 1);
		assert_eq!(reputation(1).accepted, 4);
		Height::set(RULES.half_life);
		let half = Reputation {
			streak: 100,
			passed: 2,
			accepted: 2,
			halved_at: RULES.half_life,
			..Default::default()
		};
		assert_eq!(reputation(1), half);
		deliver(1, 4, 7, true);
		let more = Reputation { streak: 107, passed: 3, accepted: 3, ..half };
		assert_eq!(reputation(1), more);
	});
}

#[test]
fn it_is_forgotten_with_the_owner() {
	build_and_execute(|| {
		worker(1, 100);
		deliver(1, 0, 50, true);
		let signed = || RuntimeOrigin::signed(owner(1));
		assert_ok!(Workers::drain(signed()));
		assert_ok!(Workers::unbond(signed()));
		Height::set(RULES.unbond_period);
		assert_ok!(Workers::withdraw(signed()));
		assert_eq!(reputation(1), Reputation::default());
	});
}
