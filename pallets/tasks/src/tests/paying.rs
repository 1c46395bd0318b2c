//! The payment at the end of the challenge period.

use crate::{mock::*, Event, RefundReason, Tasks as TasksMap};
use frame_support::assert_ok;
use tequio_primitives::{
	api::{Books, TaskStatus},
	reputation::Deed,
	Role, TaskId,
};

fn books(task: TaskId) -> Books {
	TasksMap::<Test>::get(task).unwrap().books
}

#[test]
fn paying_works_at_the_end_of_the_challenge_period() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		let owner = owner_of(id);
		accept(id, 64, winners(&[]), vec![]);
		advance(CHALLENGE - 1);
		assert_eq!(books(task).paid, 0);
		advance(1);

		let amount = 256 * PRICE;
		assert_eq!(Balances::free_balance(payout_of(owner)), DEPOSIT + amount);
		assert_eq!(Balances::free_balance(TREASURY), DEPOSIT + amount / 40);
		assert_eq!(Balances::free_balance(AUTHOR), DEPOSIT + amount / 40);
		assert_eq!(Contributions::get(), vec![(task, owner, Role::Worker, 256, amount)]);
		assert!(Engaged::get().is_empty());
		let deed = Deed::Accepted { value: 384 * PRICE, audited: false };
		assert_eq!(Deeds::get(), vec![(owner, deed)]);
		assert_eq!(Forgotten::get(), vec![id]);
		System::assert_has_event(Event::ChunkPaid { id, owner, units: 256, amount }.into());

		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.counts.paid), (TaskStatus::Ended, 1));
		assert_eq!((record.books.paid, record.books.fee), (amount, amount / 20));
		assert_eq!((held(ALICE), Balances::free_balance(ALICE)), (0, FUNDS - amount / 20 * 21));
		System::assert_last_event(Event::TaskEnded { task, books: record.books }.into());
	});
}

#[test]
fn paying_adds_to_the_reputation_for_audits() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(submit_assigned(1), 0, 0);
		let owner = owner_of(id);
		accept(id, 64, winners(&[]), vec![12]);
		advance(CHALLENGE);
		let deed = Deed::Accepted { value: 384 * PRICE, audited: true };
		assert_eq!(Deeds::get(), vec![(owner, deed)]);
	});
}

#[test]
fn paying_stops_at_the_cap() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		accept(attempt(task, 0, 0), 384, winners(&[]), vec![]);
		advance(CHALLENGE);
		assert_eq!(books(task).paid, 96 * 4 * PRICE);
	});
}

#[test]
fn paying_gives_the_bonus_to_the_first_finder_only() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(2);
		let first = attempt(task, 1, 0);
		let owner = owner_of(first);
		accept(first, 64, winners(&[1_300]), vec![]);
		accept(attempt(task, 0, 0), 64, winners(&[1_001]), vec![]);
		advance(CHALLENGE);

		System::assert_has_event(Event::BonusPaid { task, owner, amount: BONUS }.into());
		assert_eq!(books(task).paid, 2 * 256 * PRICE + BONUS);
		let noted = (task, owner, Role::Worker, 256, 256 * PRICE + BONUS);
		assert!(Contributions::get().contains(&noted));
	});
}

#[test]
fn paying_has_a_thin_chunk_searched_once_more_by_somebody_else() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let first = owner_of(attempt(task, 0, 0));
		accept(attempt(task, 0, 0), 31, winners(&[]), vec![12, 13]);
		advance(CHALLENGE);
		assert_eq!(books(task).paid, 31 * 4 * PRICE);
		advance(2);
		let second = attempt(task, 0, 1);
		assert_ne!(owner_of(second), first);

		// Thin again: paid, and that is the end of it.
		accept(second, 0, winners(&[]), vec![12, 13]);
		advance(CHALLENGE);
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.counts.paid), (TaskStatus::Ended, 1));
		assert_eq!(record.books.audit, 4 * 97 * PRICE);
	});
}

#[test]
fn paying_counts_a_thin_chunk_of_a_closing_task_as_paid() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		accept(id, 31, winners(&[]), vec![]);
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), task));
		advance(CHALLENGE);
		let reason = RefundReason::TaskClosing;
		System::assert_has_event(Event::ChunkRefunded { chunk: id.chunk, reason }.into());
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.counts.paid), (TaskStatus::Ended, 1));
	});
}

#[test]
fn paying_costs_no_more_than_was_locked_at_the_most_expensive() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		accept(attempt(task, 0, 0), 31, winners(&[1_001]), vec![12, 13]);
		advance(CHALLENGE + 2);
		accept(attempt(task, 0, 1), 384, winners(&[]), vec![12, 13]);
		advance(CHALLENGE);
		// All but what was locked in case that the input is bad.
		assert_eq!(books(task).refunded, FETCH_LOCK);
		assert_eq!(held(ALICE), 0);
	});
}

#[test]
fn paying_keeps_what_cannot_be_delivered_in_the_pot() {
	ExtBuilder::default().build_and_execute(|| {
		Seated::set(&vec![ACCOUNTLESS]);
		let origin = RuntimeOrigin::signed(ALICE);
		assert_ok!(Tasks::submit_task(origin, search(1), 1, DEADLINE, 0));
		advance(2);
		accept(attempt(0, 0, 0), 64, winners(&[]), vec![]);
		advance(CHALLENGE);
		assert_eq!(Balances::free_balance(payout_of(ACCOUNTLESS)), 0);
		assert_eq!(Accrued::get(), vec![(ACCOUNTLESS, 256)]);
		assert_eq!(Balances::free_balance(POT), DEPOSIT + 256);
		assert_eq!(books(0).paid, 256);
	});
}

#[test]
fn paying_goes_on_when_nobody_can_take_the_money() {
	ExtBuilder::default().build_and_execute(|| {
		Seated::set(&vec![ACCOUNTLESS]);
		let origin = RuntimeOrigin::signed(ALICE);
		assert_ok!(Tasks::submit_task(origin, search(1), 1, DEADLINE, 0));
		advance(2);
		accept(attempt(0, 0, 0), 64, winners(&[]), vec![]);
		for account in [POT, TREASURY, AUTHOR] {
			let origin = RuntimeOrigin::signed(account);
			assert_ok!(Balances::transfer_all(origin, BOB, false));
		}
		advance(CHALLENGE);
		assert_eq!((books(0).paid, books(0).refunded), (0, books(0).locked));
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
	});
}
