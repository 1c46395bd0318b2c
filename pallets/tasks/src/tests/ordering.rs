//! Tasks that another pallet orders.

use crate::{
	history::fold, mock::*, CurrentRules, Error, Event, NextTask, TaskArguments, Tasks as TasksMap,
};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use tequio_primitives::{
	orders::{OrderTasks, TaskOrder},
	recompute::{Arguments, RecomputeSpec},
	tasks::CheckedTasks,
	Balance, TaskId, WorkClass,
};

/// What ordered tasks have beside their program.
fn arguments() -> Arguments {
	let inputs = vec![H256::zero(), H256::repeat_byte(8)].try_into().unwrap();
	Arguments { round: 3, inputs }
}

/// An order of a program for Alice at the usual price.
fn order_of(spec: RecomputeSpec) -> TaskOrder<AccountId> {
	let arguments = arguments();
	TaskOrder { requester: ALICE, spec, arguments, price: PRICE, deadline: DEADLINE }
}

/// Orders a program of so many chunks for Alice.
pub fn order(chunks: u32) -> TaskId {
	let task = NextTask::<Test>::get();
	assert_eq!(Tasks::order(order_of(recompute(chunks, 1))), Ok(task));
	task
}

/// Orders a program and has its chunks assigned.
pub fn order_assigned(chunks: u32) -> TaskId {
	let task = order(chunks);
	advance(2);
	assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.assigned, chunks);
	task
}

pub fn close(task: TaskId) {
	<Tasks as OrderTasks<AccountId>>::close(task);
}

fn cost(spec: &RecomputeSpec, price: Balance, deadline: u32) -> Option<Balance> {
	<Tasks as OrderTasks<AccountId>>::cost(spec, price, deadline)
}

#[test]
fn ordering_works_like_a_submission() {
	ExtBuilder::default().build_and_execute(|| {
		let submitted = submit_spec(program(2, 1), 0);
		let locked = held(ALICE);
		let task = order(2);

		assert_eq!(held(ALICE), 2 * locked);
		assert_eq!(Balances::free_balance(ALICE), FUNDS - 2 * locked);
		System::assert_last_event(
			Event::TaskSubmitted {
				task,
				requester: ALICE,
				class: WorkClass::ExactF64,
				chunks: 2,
				locked,
			}
			.into(),
		);
		let mut record = TasksMap::<Test>::get(task).unwrap();
		assert!(record.followed);
		record.followed = false;
		assert_eq!(Some(record), TasksMap::<Test>::get(submitted));
		assert!(Heard::get().is_empty());
	});
}

#[test]
fn ordering_keeps_the_arguments_for_those_who_compute() {
	ExtBuilder::default().build_and_execute(|| {
		let submitted = submit_spec(program(2, 1), 0);
		let task = order(2);
		assert_eq!(Tasks::arguments(task), arguments());
		for without in [submitted, 9] {
			assert_eq!(Tasks::arguments(without), Arguments::default());
		}
	});
}

#[test]
fn ordering_locks_what_it_was_said_to_cost() {
	ExtBuilder::default().build_and_execute(|| {
		for (spec, price, deadline) in
			[(recompute(1, 1), 1, 1), (recompute(3, 2), PRICE, 16), (recompute(64, 7), 7, 28_800)]
		{
			let before = held(ALICE);
			let said = cost(&spec, price, deadline);
			assert_ok!(Tasks::order(TaskOrder { price, deadline, ..order_of(spec) }));
			assert_eq!(said, Some(held(ALICE) - before));
		}
	});
}

/// Such an order fails, and what it would cost cannot be told.
fn check_refused(order: TaskOrder<AccountId>, error: Error<Test>) {
	assert_eq!(cost(&order.spec, order.price, order.deadline), None);
	assert_noop!(Tasks::order(order), error);
}

#[test]
fn ordering_should_fail_when_the_program_is_malformed() {
	ExtBuilder::default().build_and_execute(|| {
		let spec = recompute(2, 1);
		let class = WorkClass::RandomXSearch;
		for (spec, error) in [
			(RecomputeSpec { class, ..spec.clone() }, Error::<Test>::NotAProgram),
			(RecomputeSpec { chunks: 0, ..spec.clone() }, Error::NoChunks),
			(RecomputeSpec { units: 0, ..spec.clone() }, Error::NoUnits),
			(RecomputeSpec { replicas: 8, ..spec }, Error::ReplicasOutOfBounds),
		] {
			check_refused(order_of(spec), error);
		}
	});
}

#[test]
fn ordering_should_fail_when_price_or_deadline_is_out_of_bounds() {
	ExtBuilder::default().build_and_execute(|| {
		let order = order_of(recompute(2, 1));
		check_refused(TaskOrder { price: 0, ..order.clone() }, Error::ZeroPrice);
		for deadline in [0, 28_801] {
			check_refused(TaskOrder { deadline, ..order.clone() }, Error::DeadlineOutOfBounds);
		}
		check_refused(TaskOrder { price: Balance::MAX / 200, ..order }, Error::CostTooHigh);
	});
}

#[test]
fn ordering_should_fail_when_it_locks_too_little() {
	ExtBuilder::default().build_and_execute(|| {
		let order = order_of(recompute(2, 1));
		let locked = cost(&order.spec, PRICE, DEADLINE).unwrap();
		CurrentRules::<Test>::mutate(|rules| rules.min_lock = locked + 1);
		check_refused(order.clone(), Error::TaskTooSmall);
		CurrentRules::<Test>::mutate(|rules| rules.min_lock = locked);
		assert_ok!(Tasks::order(order));
	});
}

#[test]
fn ordering_should_fail_when_there_are_no_terms() {
	ExtBuilder::default().build_and_execute(|| {
		Assignable::set(false);
		check_refused(order_of(recompute(2, 1)), Error::NotAssignable);
	});
}

#[test]
fn ordering_should_fail_when_the_funds_do_not_cover_the_cost() {
	ExtBuilder::default().build_and_execute(|| {
		let order = TaskOrder { requester: TREASURY, ..order_of(recompute(2, 1)) };
		assert_noop!(Tasks::order(order), Error::<Test>::InsufficientFunds);
	});
}

#[test]
fn ordering_should_fail_when_the_numbers_are_used_up() {
	ExtBuilder::default().build_and_execute(|| {
		NextTask::<Test>::put(u64::MAX);
		assert_noop!(Tasks::order(order_of(recompute(2, 1))), Error::<Test>::NoTaskNumber);
	});
}

#[test]
fn arguments_are_part_of_the_history_of_their_task() {
	ExtBuilder::default().build_and_execute(|| {
		let task = order_assigned(2);
		accept_whole(attempt(task, 0, 0), vec![]);
		close(task);
		advance(CHALLENGE);
		assert_eq!(Tasks::arguments(task), arguments());
		accept_whole(attempt(task, 1, 0), vec![]);
		advance(CHALLENGE);
		assert_eq!(Tasks::arguments(task), arguments());

		let record = TasksMap::<Test>::get(task).unwrap();
		let noted = Contributions::get();
		advance(KEPT);
		assert_eq!(TaskArguments::<Test>::iter().count(), 0);
		let hash = noted.iter().fold([0; 32], |hash, noted| fold(hash, &noted.encode()));
		let root = fold(hash, &(task, record, Some(arguments())).encode());
		System::assert_last_event(Event::TaskPruned { task, root }.into());
	});
}
