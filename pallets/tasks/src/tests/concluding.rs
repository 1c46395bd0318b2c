//! What follows from a verdict.

use crate::{
	mock::*,
	types::{ChunkFifo, ChunkQueue, ChunkState},
	Chunks, Event, RefundReason, Tasks as TasksMap,
};
use frame_support::assert_ok;
use tequio_primitives::{
	api::TaskStatus,
	fifo::Due,
	tasks::{CheckedTasks, Delivered, RejectReason, UndecidedReason, Verdict},
	AttemptId, Balance, Role,
};

/// Pay of an auditor: 96 shares at most and one nonce of the sub-range.
const AUDIT_PAY: Balance = 97 * PRICE;

fn undecide(id: AttemptId, reason: UndecidedReason, auditors: Vec<AccountId>) {
	Tasks::conclude(&id, Verdict::Undecided { reason, auditors });
}

#[test]
fn accepted_works() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		let owner = owner_of(id);
		accept(id, 64, winners(&[1_001]), vec![12, 13]);

		for auditor in [12, 13] {
			assert_eq!(Balances::free_balance(payout_of(auditor)), DEPOSIT + AUDIT_PAY);
			let event = Event::AuditPaid { id, owner: auditor, amount: AUDIT_PAY };
			System::assert_has_event(event.into());
			let noted = (task, auditor, Role::Auditor, 97, AUDIT_PAY);
			assert!(Contributions::get().contains(&noted));
		}
		let delivered = Delivered::Shares(64);
		System::assert_has_event(Event::ChunkAccepted { id, owner, delivered }.into());
		System::assert_has_event(Event::WinnerFound { task, nonce: 1_001, hash: [1; 32] }.into());
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.books.audit, record.books.paid), (2 * AUDIT_PAY, 0));
		assert_eq!(record.books.fee, 2 * AUDIT_PAY / 20);
		assert_eq!(record.winners, winners(&[1_001]));
		assert_eq!(record.counts.accepted, 1);
		// The collateral stays bound until the end of the challenge period.
		assert_eq!(Engaged::get().len(), 1);
		let until = 3 + CHALLENGE;
		let due = Due { subject: id, at: until };
		assert_eq!(ChunkFifo::<Test>::peek(ChunkQueue::Accepted), Some(due));
	});
}

#[test]
fn accepted_pays_no_more_auditors_than_were_budgeted() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		accept(attempt(task, 0, 0), 64, winners(&[]), vec![12, 13, 14]);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().books.audit, 2 * AUDIT_PAY);
	});
}

#[test]
fn accepted_records_a_winner_once() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(2);
		accept(attempt(task, 0, 0), 64, winners(&[1_001, 1_002]), vec![]);
		accept(attempt(task, 1, 0), 64, winners(&[1_002, 1_300]), vec![]);
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!(record.winners, winners(&[1_001, 1_002, 1_300]));
	});
}

#[test]
fn rejected_works() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		let owner = owner_of(id);
		let locked = held(ALICE);
		assert_ok!(Tasks::begin_check(&id));
		end_duty(id);
		Tasks::conclude(&id, Verdict::Rejected(RejectReason::ProvenWrong));

		assert_eq!(held(ALICE), locked);
		let next = attempt(task, 0, 1);
		System::assert_last_event(Event::ChunkReopened { id: next }.into());
		let chunk = Chunks::<Test>::get(id.chunk).unwrap();
		assert_eq!((chunk.attempt, chunk.state), (1, ChunkState::Open));
		assert_eq!(chunk.excluded.to_vec(), vec![owner]);
		advance(2);
		assert_ne!(owner_of(next), owner);
	});
}

#[test]
fn rejected_ends_the_chunk_of_a_closing_task() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		assert_ok!(Tasks::begin_check(&id));
		assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), task));
		end_duty(id);
		Tasks::conclude(&id, Verdict::Rejected(RejectReason::NotRevealed));
		assert_eq!(TasksMap::<Test>::get(task).unwrap().status, TaskStatus::Ended);
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
	});
}

#[test]
fn undecided_works() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		assert_ok!(Tasks::begin_check(&id));
		end_duty(id);
		undecide(id, UndecidedReason::Disagreement, vec![]);

		let reason = RefundReason::Undecided(UndecidedReason::Disagreement);
		System::assert_has_event(Event::ChunkRefunded { chunk: id.chunk, reason }.into());
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.counts.refunded), (TaskStatus::Ended, 1));
		// The check costs the fee on its two audits, though nobody is paid for them.
		let fee = 2 * AUDIT_PAY / 20;
		assert_eq!((record.books.fee, record.books.audit), (fee, 0));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - fee);
	});
}

#[test]
fn undecided_pays_the_auditors_who_were_right() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		assert_ok!(Tasks::begin_check(&id));
		end_duty(id);
		undecide(id, UndecidedReason::Disagreement, vec![13]);

		assert_eq!(Balances::free_balance(payout_of(13)), DEPOSIT + AUDIT_PAY);
		System::assert_has_event(Event::AuditPaid { id, owner: 13, amount: AUDIT_PAY }.into());
		// One of the two audits carries its fee itself, the other one is charged.
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.books.fee, record.books.audit), (2 * AUDIT_PAY / 20, AUDIT_PAY));
	});
}

#[test]
fn undecided_for_want_of_auditors_costs_the_fee_on_the_audits() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let id = attempt(task, 0, 0);
		assert_ok!(Tasks::begin_check(&id));
		end_duty(id);
		undecide(id, UndecidedReason::NoAuditors, vec![]);
		let record = TasksMap::<Test>::get(task).unwrap();
		let fee = 2 * AUDIT_PAY / 20;
		assert_eq!((record.status, record.books.fee), (TaskStatus::Ended, fee));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - fee);
	});
}
