//! Tasks that run programs: submission, price, pay of replicas.

use crate::{mock::*, Error, Event, TaskSpec, Tasks as TasksMap};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{
	api::TaskStatus, recompute::RecomputeSpec, reputation::Deed, tasks::CheckedTasks, Balance,
	Role, WorkClass,
};

/// Pay of a chunk, of its worker and of each auditor.
const PAYMENT: Balance = 100 * PRICE;

fn changed(change: impl Fn(&mut RecomputeSpec)) -> TaskSpec {
	let TaskSpec::Recompute(mut spec) = program(2, 1) else { panic!("a program is a program") };
	change(&mut spec);
	TaskSpec::Recompute(spec)
}

#[test]
fn submit_task_works_for_programs() {
	ExtBuilder::default().build_and_execute(|| {
		for class in WorkClass::ALL.into_iter().filter(|class| *class != WorkClass::RandomXSearch) {
			let before = held(ALICE);
			let task = submit_spec(changed(|spec| spec.class = class), 0);
			// Each chunk by its worker, an auditor and another one, with the fee.
			let locked = 2 * 3 * PAYMENT / 20 * 21 + FETCH_LOCK;
			assert_eq!(held(ALICE) - before, locked);
			let requester = ALICE;
			System::assert_last_event(
				Event::TaskSubmitted { task, requester, class, chunks: 2, locked }.into(),
			);
		}
	});
}

#[test]
fn submit_task_locks_for_every_replica() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(1, 7), 0);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().most_audits, 7);
		assert_eq!(held(ALICE), 8 * PAYMENT / 20 * 21 + FETCH_LOCK);
	});
}

#[test]
fn submit_task_should_fail_when_the_program_is_malformed() {
	ExtBuilder::default().build_and_execute(|| {
		let cases = [
			(changed(|spec| spec.class = WorkClass::RandomXSearch), Error::<Test>::NotAProgram),
			(changed(|spec| spec.chunks = 0), Error::NoChunks),
			(changed(|spec| spec.units = 0), Error::NoUnits),
			(changed(|spec| spec.replicas = 0), Error::ReplicasOutOfBounds),
			(changed(|spec| spec.replicas = 8), Error::ReplicasOutOfBounds),
		];
		for (spec, error) in cases {
			let origin = RuntimeOrigin::signed(ALICE);
			assert_noop!(Tasks::submit_task(origin, spec, PRICE, DEADLINE, 0), error);
		}
	});
}

#[test]
fn submit_task_should_fail_when_a_program_costs_too_much() {
	ExtBuilder::default().build_and_execute(|| {
		let origin = RuntimeOrigin::signed(ALICE);
		assert_noop!(
			Tasks::submit_task(origin, program(1, 1), Balance::MAX / 200, DEADLINE, 0),
			Error::<Test>::CostTooHigh
		);
	});
}

#[test]
fn a_program_is_paid_by_its_units() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(1, 1), 0);
		advance(2);
		let id = attempt(task, 0, 0);
		let owner = owner_of(id);
		let assignment = Tasks::assigned(&id).unwrap();
		assert_eq!(assignment.class, WorkClass::ExactF64);
		assert_eq!((assignment.max_payment, assignment.audit_pay), (PAYMENT, PAYMENT));
		accept_whole(id, vec![]);
		advance(CHALLENGE);

		let (units, amount) = (100, PAYMENT);
		System::assert_has_event(Event::ChunkPaid { id, owner, units, amount }.into());
		assert_eq!(Contributions::get(), vec![(task, owner, Role::Worker, units, amount)]);
		assert_eq!(Deeds::get(), vec![(owner, Deed::Accepted { value: PAYMENT, audited: false })]);
		let record = TasksMap::<Test>::get(task).unwrap();
		assert_eq!((record.status, record.counts.paid), (TaskStatus::Ended, 1));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - PAYMENT / 20 * 21);
	});
}

#[test]
fn replicas_are_paid_like_the_worker() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(1, 3), 0);
		advance(2);
		let id = attempt(task, 0, 0);
		assert_eq!(Tasks::assigned(&id).unwrap().terms.auditors, 2);
		let others: Vec<AccountId> =
			OWNERS.into_iter().filter(|owner| *owner != owner_of(id)).collect();
		// Two replicas and the second auditor: all that was locked for.
		accept_whole(id, others.clone());
		for owner in others {
			assert_eq!(Balances::free_balance(payout_of(owner)), DEPOSIT + PAYMENT);
			assert!(Contributions::get().contains(&(task, owner, Role::Auditor, 100, PAYMENT)));
		}
		advance(CHALLENGE);
		let books = TasksMap::<Test>::get(task).unwrap().books;
		assert_eq!((books.paid, books.audit), (PAYMENT, 3 * PAYMENT));
		assert_eq!(books.refunded, FETCH_LOCK);
	});
}

#[test]
fn a_program_whose_worker_is_rejected_goes_to_another_owner() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_spec(program(1, 1), 0);
		advance(2);
		let id = attempt(task, 0, 0);
		let owner = owner_of(id);
		assert_ok!(Tasks::begin_check(&id));
		reject(id);
		advance(2);
		assert_ne!(owner_of(attempt(task, 0, 1)), owner);
	});
}
