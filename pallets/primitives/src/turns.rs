//! Turns: how an agenda serves its queues, so that one that is always full starves no other.

use crate::WorkHeight;
use alloc::vec::Vec;

/// What came of a look at a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
	/// The entry at its head was taken.
	Taken,
	/// Nothing in it is due.
	NothingDue,
	/// What is due weighs more than is left.
	OutOfWeight,
}

/// The queues, beginning with another one at every height.
pub fn rotated<Name>(queues: impl Iterator<Item = Name>, now: WorkHeight) -> Vec<Name> {
	let mut queues: Vec<Name> = queues.collect();
	let first = usize::try_from(now).unwrap_or(0).checked_rem(queues.len()).unwrap_or(0);
	queues.rotate_left(first);
	queues
}

/// Takes entries, up to `turn` of each queue in turn, until nothing is due, weight is used up, or
/// `limit` were taken. Returns how many were.
pub fn take_turns<Name: Copy>(
	queues: &[Name],
	turn: u32,
	limit: u32,
	mut take_step: impl FnMut(Name) -> Step,
) -> u32 {
	let (mut taken, mut before) = (0u32, None);
	while before != Some(taken) {
		before = Some(taken);
		for queue in queues {
			for _ in 0..turn {
				if taken >= limit {
					return taken;
				}
				match take_step(*queue) {
					Step::Taken => taken = taken.saturating_add(1),
					Step::NothingDue => break,
					Step::OutOfWeight => return taken,
				}
			}
		}
	}
	taken
}
