//! Queues against a model of them, and what they leave in storage.

#![allow(clippy::unwrap_used, missing_docs)]

use frame_support::{pallet_prelude::ValueQuery, storage_alias, Twox64Concat};
use proptest::{collection::vec, prelude::*};
use sp_io::{hashing::twox_128, storage::next_key};
use std::collections::{BTreeMap, VecDeque};
use tequio_primitives::{
	fifo::{deadline_bucket, wait, Due, Ends, Fifo, Page, DEADLINES, MAX_QUEUES, PAGE, WAITS},
	workers::NoSeat,
};

#[storage_alias]
type Pages = StorageDoubleMap<Test, Twox64Concat, u8, Twox64Concat, u64, Page<u32>, ValueQuery>;

#[storage_alias]
type Bounded = StorageValue<Test, Ends<u8>, ValueQuery>;

type Queues = Fifo<u8, u32, Pages, Bounded>;

fn with_storage(test: impl FnOnce()) {
	sp_io::TestExternalities::new_empty().execute_with(test);
}

/// Storage items of the queues.
fn items() -> usize {
	let prefix = twox_128(b"Test").to_vec();
	let keys = std::iter::successors(next_key(&prefix), |key| next_key(key));
	keys.take_while(|key| key.starts_with(&prefix)).count()
}

fn due(subject: u32, at: u32) -> Due<u32> {
	Due { subject, at }
}

#[test]
fn the_first_in_is_the_first_out() {
	with_storage(|| {
		Queues::push(1, 10, 5);
		Queues::push(1, 11, 6);
		Queues::push(2, 20, 1);
		assert_eq!(Queues::peek(1), Some(due(10, 5)));
		assert_eq!((Queues::len(1), Queues::len(2), Queues::len(3)), (2, 1, 0));
		assert_eq!(Queues::pop(1), Some(due(10, 5)));
		assert_eq!(Queues::pop(1), Some(due(11, 6)));
		assert_eq!(Queues::pop(1), None);
		assert_eq!(Queues::pop(2), Some(due(20, 1)));
	});
}

#[test]
fn an_entry_is_due_from_its_height_on() {
	with_storage(|| {
		Queues::push(1, 10, 5);
		assert_eq!(Queues::due(1, 4), None);
		assert_eq!(Queues::due(1, 5), Some(due(10, 5)));
		assert_eq!(Queues::due(1, 6), Some(due(10, 5)));
		assert_eq!(Queues::len(1), 1);
	});
}

#[test]
fn entries_share_storage_items_and_leave_none() {
	with_storage(|| {
		for subject in 0..PAGE {
			Queues::push(1, subject, 0);
		}
		assert_eq!(items(), 2, "a page and the ends");
		Queues::push(1, PAGE, 0);
		Queues::push(2, 0, 0);
		assert_eq!(items(), 4);
		for subject in 0..=PAGE {
			assert_eq!(Queues::pop(1).map(|due| due.subject), Some(subject));
		}
		assert_eq!(items(), 2, "what is left is of the other queue");
		Queues::pop(2);
		assert_eq!(items(), 0);
	});
}

#[test]
fn entries_tells_pages_that_do_not_fit() {
	with_storage(|| {
		for subject in 0..PAGE + 3 {
			Queues::push(1, subject, 0);
		}
		Queues::pop(1);
		let all: Vec<u32> = Queues::entries(1).unwrap().iter().map(|due| due.subject).collect();
		assert_eq!(all, (1..PAGE + 3).collect::<Vec<_>>());

		Pages::insert(1, 7, Page::<u32>::default());
		assert_eq!(Queues::entries(1), None, "a page beyond the end");
		Pages::remove(1, 7);
		Pages::remove(1, 1);
		assert_eq!(Queues::entries(1), None, "a page is missing");
	});
}

#[test]
fn ends_have_room_for_every_queue() {
	with_storage(|| {
		let queues = u8::try_from(MAX_QUEUES).unwrap();
		(0..queues).for_each(|name| Queues::push(name, 0, 0));
		assert!((0..queues).all(|name| Queues::len(name) == 1));
	});
}

#[test]
fn deadlines_are_rounded_up_to_one_of_eight() {
	assert_eq!(deadline_bucket(0), None);
	assert_eq!(deadline_bucket(1), Some((0, 16)));
	assert_eq!(deadline_bucket(16), Some((0, 16)));
	assert_eq!(deadline_bucket(17), Some((1, 32)));
	assert_eq!(deadline_bucket(DEADLINES[7]), Some((7, DEADLINES[7])));
	assert_eq!(deadline_bucket(DEADLINES[7] + 1), None);
}

#[test]
fn waits_grow_up_to_the_last() {
	assert_eq!(wait(0), (0, 2));
	assert_eq!(wait(3), (3, 16));
	assert!(WAITS.windows(2).all(|pair| pair[0] < pair[1]));
	let last = u8::try_from(WAITS.len() - 1).unwrap();
	assert_eq!(wait(last), (last, 64));
	assert_eq!(wait(u8::MAX), (last, 64));
}

#[test]
fn draws_in_vain_wait_longer_each_time_but_not_long_for_the_busy() {
	let waits = |found: NoSeat| {
		let mut index = 0;
		[(); 7].map(|()| {
			index = found.next_wait(index);
			wait(index).1
		})
	};
	assert_eq!(waits(NoSeat::Unfit), [4, 8, 16, 32, 64, 64, 64]);
	assert_eq!(waits(NoSeat::Busy), [4, 8, 8, 8, 8, 8, 8]);
	assert_eq!(wait(NoSeat::Busy.next_wait(5)).1, 8, "those who come back are not waited for");
}

#[derive(Clone, Debug)]
enum Step {
	Push(u8, u32),
	Pop(u8, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
	let step = prop_oneof![
		(0u8..3, 1u32..100).prop_map(|(name, number)| Step::Push(name, number)),
		(0u8..3, 1u32..100).prop_map(|(name, number)| Step::Pop(name, number)),
	];
	vec(step, 1..40)
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn queues_are_what_a_deque_is(steps in steps()) {
		let mut model = BTreeMap::<u8, VecDeque<Due<u32>>>::new();
		let mut next = 0;
		sp_io::TestExternalities::new_empty().execute_with(|| {
			for step in steps {
				match step {
					Step::Push(name, number) => for _ in 0..number {
						next += 1;
						Queues::push(name, next, next);
						model.entry(name).or_default().push_back(due(next, next));
					},
					Step::Pop(name, number) => for _ in 0..number {
						let expected = model.entry(name).or_default().pop_front();
						assert_eq!(Queues::pop(name), expected);
					},
				}
				for name in 0..3 {
					let expected: Vec<_> = model.entry(name).or_default().iter().copied().collect();
					assert_eq!(Queues::entries(name), Some(expected));
				}
			}
			let empty = model.values().all(VecDeque::is_empty);
			assert!(!empty || items() == 0);
		});
	}
}
