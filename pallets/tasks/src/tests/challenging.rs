//! Challenges of accepted results, and what follows from their judgement.

use crate::{
	mock::*,
	types::{ChunkFifo, ChunkQueue, ChunkState},
	Chunks, Error, Event, RefundReason, Tasks as TasksMap,
};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{
	api::TaskStatus,
	reputation::Deed,
	search::Winners,
	tasks::{CheckedTasks, Verdict},
	AttemptId, Balance, TaskId,
};

/// Pay of 64 shares.
const PAY: Balance = 256 * PRICE;

/// Has the first chunk of a search accepted and challenged.
fn challenged(chunks: u32, shares: u32, winners: Winners, auditors: Vec<AccountId>) -> AttemptId {
	let id = attempt(submit_assigned(chunks), 0, 0);
	accept(id, shares, winners, auditors);
	assert_ok!(Tasks::challenge(&id));
	id
}

fn record(task: TaskId) -> crate::types::TaskOf<Test> {
	TasksMap::<Test>::get(task).unwrap()
}

#[test]
fn challenge_works_before_the_payment() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(submit_assigned(1), 0, 0);
		accept(id, 64, winners(&[]), vec![12]);
		pass_time(CHALLENGE - 1);
		assert_ok!(Tasks::challenge(&id));

		let counts = record(id.chunk.task).counts;
		assert_eq!((counts.accepted, counts.checking), (0, 1));
		let state = Chunks::<Test>::get(id.chunk).unwrap().state;
		assert!(matches!(state, ChunkState::Challenged { audited: true, won: false, .. }));
		// It is not paid while it is judged, and its entry in the queue of payments is dropped.
		advance(CHALLENGE);
		assert_eq!(record(id.chunk.task).books.paid, 0);
		assert_eq!(ChunkFifo::<Test>::len(ChunkQueue::Accepted), 0);
		assert_eq!(Engaged::get().len(), 1);
		assert!(Forgotten::get().is_empty());
	});
}

#[test]
fn challenge_should_fail_when_the_attempt_does_not_wait_for_payment() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(submit_assigned(1), 0, 0);
		assert_noop!(Tasks::challenge(&id), Error::<Test>::NotAccepted);
		assert_ok!(Tasks::begin_check(&id));
		assert_noop!(Tasks::challenge(&id), Error::<Test>::NotAccepted);
	});
	ExtBuilder::default().build_and_execute(|| {
		let id = challenged(1, 64, winners(&[]), vec![]);
		let other = AttemptId { attempt: 1, ..id };
		for id in [id, other, attempt(9, 0, 0)] {
			assert_noop!(Tasks::challenge(&id), Error::<Test>::NotAccepted);
		}
	});
}

#[test]
fn challenge_should_fail_when_the_payment_is_due() {
	ExtBuilder::default().build_and_execute(|| {
		let id = attempt(submit_assigned(1), 0, 0);
		accept(id, 64, winners(&[]), vec![]);
		// The agenda is late.
		pass_time(CHALLENGE);
		assert_noop!(Tasks::challenge(&id), Error::<Test>::NotAccepted);
	});
}

#[test]
fn upheld_pays_at_once() {
	ExtBuilder::default().build_and_execute(|| {
		let id = challenged(1, 64, winners(&[1_001]), vec![12, 13]);
		let (owner, task) = (owner_of(id), id.chunk.task);
		let before = Balances::free_balance(payout_of(owner));
		Tasks::conclude(&id, Verdict::Upheld);

		assert_eq!(Balances::free_balance(payout_of(owner)), before + PAY + BONUS);
		System::assert_has_event(Event::ChunkPaid { id, owner, units: 256, amount: PAY }.into());
		System::assert_has_event(Event::BonusPaid { task, owner, amount: BONUS }.into());
		let deed = Deed::Accepted { value: 384 * PRICE, audited: true };
		assert_eq!(Deeds::get(), vec![(owner, deed)]);
		assert_eq!(Forgotten::get(), vec![id]);
		assert!(Engaged::get().is_empty());
		let record = record(task);
		assert_eq!((record.status, record.counts.paid), (TaskStatus::Ended, 1));
		assert_eq!(record.winners, winners(&[1_001]));
		// Its entry in the queue of payments pays nobody again.
		advance(CHALLENGE);
		assert_eq!(Balances::free_balance(payout_of(owner)), before + PAY + BONUS);
	});
}

#[test]
fn upheld_has_a_thin_chunk_searched_once_more() {
	ExtBuilder::default().build_and_execute(|| {
		let id = challenged(1, 31, winners(&[]), vec![12, 13]);
		Tasks::conclude(&id, Verdict::Upheld);
		assert_eq!(record(id.chunk.task).books.paid, 31 * 4 * PRICE);
		let next = AttemptId { attempt: 1, ..id };
		System::assert_last_event(Event::ChunkReopened { id: next }.into());
		advance(2);
		accept(next, 64, winners(&[]), vec![12, 13]);
		advance(CHALLENGE);
		assert_eq!(record(id.chunk.task).status, TaskStatus::Ended);
	});
}

#[test]
fn rejected_after_a_challenge_reopens_the_chunk() {
	ExtBuilder::default().build_and_execute(|| {
		let id = challenged(1, 64, winners(&[1_001]), vec![]);
		let (owner, task) = (owner_of(id), id.chunk.task);
		reject(id);

		let record = record(task);
		assert_eq!((record.counts.open, record.counts.checking), (1, 0));
		assert_eq!((record.books.paid, record.bonus), (0, BONUS));
		let next = AttemptId { attempt: 1, ..id };
		System::assert_last_event(Event::ChunkReopened { id: next }.into());
		advance(2);
		assert_ne!(owner_of(next), owner);
	});
}

#[test]
fn rejected_after_a_challenge_removes_the_winners_of_the_chunk() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(3);
		let found: [&[u32]; 3] = [&[1_001, 1_255], &[1_256], &[1_600]];
		for (index, nonces) in (0..).zip(found) {
			accept(attempt(task, index, 0), 64, winners(nonces), vec![]);
		}
		let id = attempt(task, 0, 0);
		assert_ok!(Tasks::challenge(&id));
		reject(id);
		assert_eq!(record(task).winners, winners(&[1_256, 1_600]));
		// The bonus is for whoever found one that is there.
		let owner = owner_of(attempt(task, 1, 0));
		advance(CHALLENGE);
		System::assert_has_event(Event::BonusPaid { task, owner, amount: BONUS }.into());
	});
}

#[test]
fn rejected_after_an_audit_and_a_challenge_uses_up_a_round_of_audits() {
	ExtBuilder::default().build_and_execute(|| {
		// Two rounds are locked for, since a search may be thin.
		let first = challenged(1, 64, winners(&[]), vec![12, 13]);
		reject(first);
		advance(2);
		let second = AttemptId { attempt: 1, ..first };
		// Thin, but a third search could not be audited.
		accept(second, 31, winners(&[]), vec![12, 13]);
		assert_ok!(Tasks::challenge(&second));
		Tasks::conclude(&second, Verdict::Upheld);
		let record = record(first.chunk.task);
		assert_eq!((record.status, record.counts.paid), (TaskStatus::Ended, 1));
		assert_eq!(record.books.audit, 4 * 97 * PRICE);
	});
}

#[test]
fn rejected_after_the_last_audits_and_a_challenge_refunds_the_chunk() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(1, 1), 0);
		advance(2);
		let id = attempt(task, 0, 0);
		let auditor = OWNERS.into_iter().find(|owner| *owner != owner_of(id)).unwrap();
		accept_whole(id, vec![auditor]);
		assert_ok!(Tasks::challenge(&id));
		reject(id);

		let (chunk, reason) = (id.chunk, RefundReason::AuditsUsedUp);
		System::assert_has_event(Event::ChunkRefunded { chunk, reason }.into());
		let record = record(task);
		assert_eq!((record.status, record.counts.refunded), (TaskStatus::Ended, 1));
		assert_eq!((record.books.paid, record.books.audit), (0, 100 * PRICE));
	});
}

#[test]
fn rejected_after_a_challenge_reopens_a_program_that_was_not_audited() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(1, 1), 0);
		advance(2);
		let id = attempt(task, 0, 0);
		accept_whole(id, vec![]);
		assert_ok!(Tasks::challenge(&id));
		reject(id);
		let next = AttemptId { attempt: 1, ..id };
		System::assert_last_event(Event::ChunkReopened { id: next }.into());
	});
}

#[test]
fn rejected_after_a_challenge_ends_the_chunk_of_a_closing_task() {
	ExtBuilder::default().build_and_execute(|| {
		let id = challenged(1, 64, winners(&[]), vec![]);
		let task = id.chunk.task;
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), task));
		reject(id);
		assert_eq!(record(task).status, TaskStatus::Ended);
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
	});
}
