//! What stays of a task that ended long ago.

use crate::{
	history::{contribution_key, record_key, root_of, PIECE},
	mock::*,
	Ended, Event, Folding, Tasks as TasksMap, WeightInfo,
};
use codec::Encode;
use frame_support::assert_ok;
use sp_io::hashing::blake2_256;
use tequio_primitives::{
	recompute::Arguments, rewards::DistributeRewards, workers::MAX_LOOKS, Role, TaskId,
};

type Weights = <Test as crate::Config>::WeightInfo;

/// Has a search of two chunks done and paid.
fn ended() -> TaskId {
	let task = submit_assigned(2);
	accept(attempt(task, 0, 0), 64, winners(&[1_001]), vec![12, 13]);
	accept(attempt(task, 1, 0), 64, winners(&[]), vec![13, 14]);
	advance(CHALLENGE);
	assert!(TasksMap::<Test>::get(task).unwrap().books.paid > 0);
	task
}

/// Has a search end that so many owners took part in.
fn ended_by(owners: u32) -> TaskId {
	let task = submit(1);
	for owner in 0..owners {
		Fees::note_contribution(task, &u64::from(owner), Role::Worker, 1, 1);
	}
	assert_ok!(Tasks::cancel_task(RuntimeOrigin::signed(ALICE), task));
	task
}

/// How many of these tasks are gone but for their roots.
fn pruned(tasks: &[TaskId]) -> usize {
	tasks.iter().filter(|task| Ended::<Test>::contains_key(**task)).count()
}

#[test]
fn pruning_works_after_a_while() {
	ExtBuilder::default().build_and_execute(|| {
		let task = ended();
		let contributions = Contributions::get();
		let record = TasksMap::<Test>::get(task).unwrap();
		advance(KEPT - 1);
		assert_eq!(TasksMap::<Test>::get(task), Some(record.clone()));
		assert!(Tasks::summary(task).is_some());

		advance(1);
		let folded = contributions.iter().fold([0u8; 32], |hash, contribution| {
			blake2_256(&[hash.to_vec(), contribution.encode()].concat())
		});
		let record = (task, record, None::<Arguments>).encode();
		let root = blake2_256(&[folded.to_vec(), record].concat());
		assert_eq!(Ended::<Test>::get(task), Some(root));
		System::assert_last_event(Event::TaskPruned { task, root }.into());
		assert!(Tasks::summary(task).is_none());
		assert!(Contributions::get().is_empty());
	});
}

#[test]
fn pruning_leaves_one_key_of_a_task() {
	ExtBuilder::default().build_and_execute(|| {
		ended();
		advance(KEPT + LIFETIME);
		let before = keys();
		let task = ended();
		assert!(keys().len() > before.len() + 1);
		// Its entry in the queue of expiry stays until its lifetime is over.
		advance(KEPT + LIFETIME);
		let after = keys();
		let new: Vec<_> = after.difference(&before).cloned().collect();
		assert_eq!(new, vec![Ended::<Test>::hashed_key_for(task)]);
		assert!(before.is_subset(&after));
	});
}

#[test]
fn pruning_takes_many_contributions_in_pieces() {
	ExtBuilder::default().build_and_execute(|| {
		let owners = 2 * PIECE + 3;
		let task = ended_by(owners);
		let left =
			|task| Contributions::get().iter().filter(|noted| noted.0 == task).count() as u32;
		pass_time(KEPT - 1);
		Budget::set(Weights::agenda_heads().saturating_add(Weights::prune_task(PIECE)));
		for folded in [PIECE, 2 * PIECE] {
			advance(1);
			assert_eq!(left(task), owners - folded);
			assert_eq!(Folding::<Test>::get().contributions, folded);
			assert!(TasksMap::<Test>::contains_key(task));
		}
		advance(1);
		assert_eq!(left(task), 0);
		assert!(Ended::<Test>::contains_key(task));
		assert!(!Folding::<Test>::exists());
	});
}

#[test]
fn pruning_takes_what_the_agenda_has_left() {
	ExtBuilder::default().build_and_execute(|| {
		let tasks: Vec<TaskId> = (0..50).map(|_| ended_by(PIECE)).collect();
		pass_time(KEPT - 1);
		// Two steps for each: the second finds that no contribution is left. Eight are taken before
		// all else, 64 after it.
		for expected in [36, 50] {
			advance(1);
			assert_eq!(pruned(&tasks), expected);
		}
	});
}

#[test]
fn pruning_takes_no_more_than_a_few_steps_from_what_runs() {
	ExtBuilder::default().build_and_execute(|| {
		let tasks: Vec<TaskId> = (0..100).map(|_| ended_by(PIECE)).collect();
		pass_time(KEPT - 2);
		let open = submit(100);
		// Tasks that ended are also dropped from the queue of new ones.
		let draw = Weights::draw(MAX_LOOKS).saturating_add(Weights::assign_chunk());
		let others = Weights::drop_entry()
			.saturating_mul(100)
			.saturating_add(Weights::visit_task())
			.saturating_add(draw.saturating_mul(3));
		let few = Weights::prune_task(PIECE).saturating_mul(8);
		Budget::set(Weights::agenda_heads().saturating_add(few).saturating_add(others));
		pass_time(1);
		advance(1);
		assert!(TasksMap::<Test>::get(open).unwrap().counts.assigned >= 3);
		let pruned = pruned(&tasks);
		assert!((4..10).contains(&pruned), "{pruned} of 100 tasks are removed");
	});
}

#[test]
fn the_root_follows_from_the_records_that_a_node_keeps() {
	let mut ext = ExtBuilder::default().build();
	let (first, second) = ext.execute_with(|| {
		let tasks = (ended(), ended_by(40));
		advance(KEPT + LIFETIME);
		tasks
	});
	ext.persist_offchain_overlay();
	let kept = ext.offchain_db();
	ext.execute_with(|| {
		for task in [first, second] {
			let root = Ended::<Test>::get(task);
			assert!(root.is_some());
			assert_eq!(root_of(task, |key| kept.get(key)), root);
			// A record that is missing or another one does not go unnoticed.
			let without = |gone: Vec<u8>| {
				root_of(task, |key| kept.get(key).filter(|_| key != gone.as_slice()))
			};
			assert_eq!(without(record_key(task)), None);
			assert_eq!(without(contribution_key(task, 1)), None);
			let changed = |key: &[u8]| {
				let last = contribution_key(task, 1);
				if key == last {
					Some(vec![1, 2, 3])
				} else {
					kept.get(key)
				}
			};
			assert_ne!(root_of(task, changed), root);
		}
		assert_eq!(root_of(99, |key| kept.get(key)), None);
	});
}
