//! `set_rules`, and what a change of rules leaves alone.

use crate::{mock::*, CurrentRules, Error, Event, Rules, Tasks as TasksMap};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, Perquintill};
use tequio_primitives::{api::TaskStatus, rewards::FeeTerms};

fn change(change: impl FnOnce(&mut Rules)) {
	let mut rules = CurrentRules::<Test>::get();
	change(&mut rules);
	assert_ok!(Tasks::set_rules(RuntimeOrigin::root(), rules));
}

#[test]
fn set_rules_works() {
	ExtBuilder::default().build_and_execute(|| {
		let rules = Rules { challenge_period: 7, fetch_fee: 1, ..CurrentRules::<Test>::get() };
		assert_ok!(Tasks::set_rules(RuntimeOrigin::root(), rules));
		assert_eq!(CurrentRules::<Test>::get(), rules);
		System::assert_last_event(Event::RulesChanged { rules }.into());
	});
}

#[test]
fn set_rules_should_fail_when_the_origin_is_not_root() {
	ExtBuilder::default().build_and_execute(|| {
		let rules = Rules::default();
		assert_noop!(Tasks::set_rules(RuntimeOrigin::signed(ALICE), rules), BadOrigin);
	});
}

#[test]
fn set_rules_should_fail_when_the_rules_are_unsound() {
	ExtBuilder::default().build_and_execute(|| {
		let rules = Rules::default();
		for rules in [
			Rules { max_attempts: 0, ..rules },
			Rules { max_attempts: 9, ..rules },
			Rules { max_declines: 0, ..rules },
			Rules { max_declines: 4, ..rules },
		] {
			assert_noop!(
				Tasks::set_rules(RuntimeOrigin::root(), rules),
				Error::<Test>::RulesUnsound
			);
		}
	});
}

#[test]
fn set_rules_leaves_what_waits_its_height() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(2);
		accept(attempt(task, 0, 0), 64, winners(&[]), vec![]);
		change(|rules| rules.challenge_period = 1);
		// Due sooner than what waits before it, and paid with it.
		accept(attempt(task, 1, 0), 64, winners(&[]), vec![]);
		advance(CHALLENGE - 1);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.paid, 0);
		advance(1);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.paid, 2);
	});
}

#[test]
fn a_task_pays_the_fees_of_its_submission() {
	ExtBuilder::default().build_and_execute(|| {
		let before = submit_assigned(1);
		change(|rules| rules.fetch_fee = 1_000 * FETCH_FEE);
		Fee::set(FeeTerms { rate: Perquintill::from_percent(50), min: PRICE });
		accept(attempt(before, 0, 0), 64, winners(&[1_001]), vec![12, 13]);
		advance(CHALLENGE);

		let record = TasksMap::<Test>::get(before).unwrap();
		let paid = 256 * PRICE + BONUS + 2 * 97 * PRICE;
		assert_eq!(record.status, TaskStatus::Ended);
		assert_eq!((record.books.paid + record.books.audit, record.books.fee), (paid, paid / 20));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - paid / 20 * 21);

		// Those submitted from then on pay the new ones.
		let after = submit_assigned(1);
		accept(attempt(after, 0, 0), 64, winners(&[]), vec![]);
		advance(CHALLENGE);
		let record = TasksMap::<Test>::get(after).unwrap();
		assert_eq!((record.fetch_fee, record.books.fee), (1_000 * FETCH_FEE, 128 * PRICE));
	});
}
