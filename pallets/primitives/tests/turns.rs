//! How an agenda serves its queues.

use std::cell::RefCell;
use tequio_primitives::turns::{rotated, take_turns, Step};

/// Which queues were taken from, of those with so many entries, in order.
fn taken(mut entries: [u32; 3], turn: u32, limit: u32) -> (u32, Vec<usize>) {
	let order = RefCell::new(Vec::new());
	let number = take_turns(&[0, 1, 2], turn, limit, |queue| {
		if entries[queue] == 0 {
			return Step::NothingDue;
		}
		entries[queue] -= 1;
		order.borrow_mut().push(queue);
		Step::Taken
	});
	(number, order.into_inner())
}

#[test]
fn a_queue_that_is_always_full_starves_no_other() {
	assert_eq!(taken([5, 1, 2], 1, u32::MAX), (8, vec![0, 1, 2, 0, 2, 0, 0, 0]));
	assert_eq!(taken([5, 1, 2], 2, u32::MAX), (8, vec![0, 0, 1, 2, 2, 0, 0, 0]));
}

#[test]
fn no_more_is_taken_than_the_limit() {
	assert_eq!(taken([5, 1, 2], 2, 4), (4, vec![0, 0, 1, 2]));
	assert_eq!(taken([5, 1, 2], 2, 0), (0, vec![]));
	assert_eq!(taken([0; 3], 2, 4), (0, vec![]));
}

#[test]
fn nothing_is_taken_once_the_weight_is_used_up() {
	let mut left = 3;
	let number = take_turns(&[0, 1], 2, u32::MAX, |_| {
		left -= 1;
		if left < 0 {
			panic!("looked at after the weight was used up")
		}
		if left == 0 {
			Step::OutOfWeight
		} else {
			Step::Taken
		}
	});
	assert_eq!(number, 2);
}

#[test]
fn another_queue_is_the_first_at_every_height() {
	assert_eq!(rotated([1, 2, 3].into_iter(), 0), [1, 2, 3]);
	assert_eq!(rotated([1, 2, 3].into_iter(), 4), [2, 3, 1]);
	assert!(rotated(core::iter::empty::<u8>(), 4).is_empty());
}
