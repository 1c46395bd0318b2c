//! Draws for chunks that were never given out.

use crate::{mock::*, Event, Tasks as TasksMap, WeightInfo};
use frame_support::weights::Weight;
use tequio_primitives::{tasks::CheckedTasks, workers::Seat, Balance, Duty, Role, TaskId};

type Weights = <Test as crate::Config>::WeightInfo;

/// V_max of a chunk.
const PAYMENT: Balance = 384 * PRICE;

/// Weight for so many visits to open tasks and so many draws.
fn budget(visits: u64, draws: u64) -> Weight {
	Weights::agenda_heads()
		.saturating_add(Weights::visit_task().saturating_mul(visits))
		.saturating_add(Weights::assign_chunk().saturating_mul(draws))
}

fn assigned(task: TaskId) -> u32 {
	TasksMap::<Test>::get(task).unwrap().counts.assigned
}

#[test]
fn assigning_works_two_heights_after_submission() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit(1);
		advance(1);
		assert_eq!(assigned(task), 0);
		advance(1);
		assert_eq!(assigned(task), 1);

		let id = attempt(task, 0, 0);
		let assignment = Tasks::assigned(&id).unwrap();
		assert_eq!((assignment.price, assignment.deadline), (PRICE, DEADLINE));
		assert_eq!(assignment.audit_pay, 128 * PRICE);
		let Seat { owner, device } = assignment.seat.clone();
		let collateral = assignment.terms.collateral;
		assert_eq!(collateral, 3 * PAYMENT);
		let duty = Duty { id, role: Role::Worker };
		assert_eq!(Engaged::get(), vec![(assignment.seat, duty, collateral)]);
		let due = 3 + DEADLINE;
		System::assert_last_event(
			Event::ChunkAssigned { id, owner, device, collateral, due }.into(),
		);
	});
}

#[test]
fn assigning_serves_open_tasks_in_turn() {
	ExtBuilder::default().build_and_execute(|| {
		let (large, small) = (submit(40), submit(1));
		Budget::set(budget(2, 17));
		advance(2);
		assert_eq!((assigned(large), assigned(small)), (16, 1));
		advance(1);
		assert_eq!(assigned(large), 33);
	});
}

#[test]
fn assigning_waits_when_no_seat_fits() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit(5);
		Room::set(1);
		advance(4);
		assert_eq!(assigned(task), 4);
		Room::set(2);
		advance(1);
		assert_eq!(assigned(task), 5);
	});
}

#[test]
fn assigning_waits_when_there_is_no_randomness() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit(1);
		Lit::set(false);
		advance(4);
		assert_eq!(assigned(task), 0);
		Lit::set(true);
		advance(1);
		assert_eq!(assigned(task), 1);
	});
}

#[test]
fn assigning_gets_to_the_last_of_many_tasks_in_spite_of_failures() {
	ExtBuilder::default().build_and_execute(|| {
		Room::set(0);
		let tasks: Vec<TaskId> = (0..20).map(|_| submit(1)).collect();
		advance(4);
		Room::set(64);
		advance(1);
		assert!(tasks.into_iter().all(|task| assigned(task) == 1));
	});
}

#[test]
fn assigning_stops_when_the_budget_is_spent() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit(10);
		Budget::set(budget(1, 3));
		advance(2);
		assert_eq!(assigned(task), 3);
		advance(1);
		assert_eq!(assigned(task), 6);
	});
}
