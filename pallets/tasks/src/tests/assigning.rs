//! Draws for chunks that were never given out.

use crate::{
	mock::*,
	types::{TaskFifo, TaskQueue},
	CurrentRules, Event, Tasks as TasksMap, WeightInfo,
};
use frame_support::{assert_ok, weights::Weight};
use sp_runtime::Perquintill;
use tequio_primitives::{
	fifo::WAITS,
	tasks::CheckedTasks,
	workers::{Seat, MAX_LOOKS},
	Balance, Duty, Role, TaskId,
};

type Weights = <Test as crate::Config>::WeightInfo;

/// V_max of a chunk.
const PAYMENT: Balance = 384 * PRICE;

/// Weight for so many visits to open tasks and so many draws.
fn budget(visits: u64, draws: u64) -> Weight {
	let draw = Weights::draw(MAX_LOOKS).saturating_add(Weights::assign_chunk());
	Weights::agenda_heads()
		.saturating_add(Weights::visit_task().saturating_mul(visits))
		.saturating_add(draw.saturating_mul(draws))
}

/// Lets tasks from now on, and their chunks, live longer than any test.
fn submit_to_stay(by: AccountId, chunks: u32, price: Balance) -> TaskId {
	CurrentRules::<Test>::mutate(|rules| rules.task_lifetime = 100_000);
	let task = crate::NextTask::<Test>::get();
	let origin = RuntimeOrigin::signed(by);
	assert_ok!(Tasks::submit_task(origin, search(chunks), price, 28_800, 0));
	task
}

/// Has Bob submit searches of a chunk each that pay less than anybody asks.
fn submit_unfit(number: u32) {
	Ask::set(PRICE);
	(0..number).for_each(|_| {
		submit_to_stay(BOB, 1, 1);
	});
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
		assert_eq!((assignment.max_payment, assignment.audit_pay), (PAYMENT, 97 * PRICE));
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
fn assigning_is_on_the_terms_of_who_was_drawn() {
	ExtBuilder::default().build_and_execute(|| {
		Known::set(OWNERS[..2].to_vec());
		let task = submit_assigned(16);
		for index in 0..16 {
			let id = attempt(task, index, 0);
			let rate = Tasks::assigned(&id).unwrap().terms.audit_rate;
			let expected = if Known::get().contains(&owner_of(id)) { 20 } else { 100 };
			assert_eq!(rate, Perquintill::from_percent(expected));
		}
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

#[test]
fn assigning_waits_longer_each_time_for_what_nobody_takes() {
	ExtBuilder::default().build_and_execute(|| {
		submit_unfit(1);
		let draws = |blocks: u32| {
			let drawn = |weight: Weight| weight != Weights::agenda_heads();
			(0..blocks).filter(|_| drawn(poll())).count()
		};
		// New, and then after each wait once.
		for wait in WAITS {
			assert_eq!(draws(wait - 1), 0);
			assert_eq!(draws(1), 1);
		}
		assert_eq!(draws(WAITS[5]), 1);

		// A price that somebody asks for is found out at the next draw.
		Ask::set(0);
		advance(WAITS[5]);
		assert_eq!(assigned(0), 1);
	});
}

#[test]
fn assigning_is_not_delayed_by_tasks_that_nobody_takes() {
	ExtBuilder::default().build_and_execute(|| {
		let open = submit_to_stay(ALICE, 200, PRICE);
		Room::set(8);
		advance(2);
		assert_eq!(assigned(open), 32);
		submit_unfit(1_000);
		let honest = submit_to_stay(ALICE, 1, PRICE);
		Room::set(64);

		// Who is in turn is served at once, as if nobody else had come.
		for _ in 0..2 {
			poll();
		}
		assert_eq!(assigned(open), 200);
		// New ones come up behind those before them, 32 in a block, and no more than once.
		for _ in 0..1_000 / 32 {
			poll();
		}
		assert_eq!(assigned(honest), 1);

		// From then on a block looks at four of each wait at most.
		let visit = Weights::visit_task().saturating_add(Weights::draw(MAX_LOOKS));
		let most = Weights::agenda_heads().saturating_add(visit.saturating_mul(4 * 5));
		for _ in 0..200 {
			assert!(poll().all_lte(most));
		}
		let next = submit_to_stay(ALICE, 1, PRICE);
		advance(2);
		assert_eq!(assigned(next), 1);
		assert_eq!(TaskFifo::<Test>::len(TaskQueue::Open), 0);
	});
}

#[test]
fn assigning_weighs_the_same_however_many_chunks_and_tasks_are_open() {
	let weigh = |tasks: u32, chunks: u32| {
		ExtBuilder::default().build().execute_with(|| {
			Room::set(0);
			for _ in 0..tasks {
				submit_to_stay(ALICE, chunks, 1);
			}
			// Until every new one was visited.
			for _ in 0..2 + tasks.div_ceil(32) {
				poll();
			}
			poll()
		})
	};
	let few = weigh(10, 10);
	assert_eq!(weigh(10, 100_000), few);
	assert_eq!(weigh(1_000, 1_000), few);
}
