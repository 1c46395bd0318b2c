//! Draws for chunks that wait for another worker.

use crate::{mock::*, types::ChunkState, Chunks, Event, Tasks as TasksMap};

#[test]
fn reopening_works_with_another_owner_two_heights_later() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		let first = owner_of(attempt(task, 0, 0));
		advance(17);
		let id = attempt(task, 0, 1);
		System::assert_last_event(Event::ChunkReopened { id }.into());
		advance(1);
		assert_eq!(Chunks::<Test>::get(id.chunk).unwrap().state, ChunkState::Open);
		advance(1);
		assert_ne!(owner_of(id), first);
	});
}

#[test]
fn reopening_never_draws_an_excluded_owner() {
	ExtBuilder::default().build_and_execute(|| {
		Seated::set(&vec![OWNERS[0]]);
		let task = submit_assigned(1);
		advance(30);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.open, 1);
		Seated::set(&OWNERS.to_vec());
		advance(1);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.assigned, 1);
		assert_ne!(owner_of(attempt(task, 0, 1)), OWNERS[0]);
	});
}

#[test]
fn reopening_waits_when_there_is_no_randomness() {
	ExtBuilder::default().build_and_execute(|| {
		let task = submit_assigned(1);
		Lit::set(false);
		advance(25);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.open, 1);
		Lit::set(true);
		advance(1);
		assert_eq!(TasksMap::<Test>::get(task).unwrap().counts.assigned, 1);
	});
}
