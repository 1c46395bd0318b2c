//! What the circle's own tasks bring it. While none of them runs, all the money of the circle lies
//! open: from one such moment to the next is a round.

use crate::{ledger::signed, statistics::Sample, strategy::in_values};
use pallet_tasks::Event;
use std::collections::BTreeSet;
use tequio_primitives::{Balance, TaskId};
use tequio_runtime::{AccountId, Runtime};

/// The circle's tasks.
pub struct Rounds {
	tasks: Vec<TaskId>,
	running: BTreeSet<TaskId>,
	/// What the circle had when the round began, and was given since.
	before: Balance,
	/// Chunks of the tasks of this round.
	present: u32,
	/// Chunks of the rounds that are over.
	pub chunks: u32,
	/// Profit of a round for each of its chunks, in chunks' pay.
	pub profits: Sample,
}

impl Rounds {
	/// Before the first one, with what the circle has.
	pub fn new(wealth: Balance) -> Self {
		Self {
			tasks: Vec::new(),
			running: BTreeSet::new(),
			before: wealth,
			present: 0,
			chunks: 0,
			profits: Sample::default(),
		}
	}

	/// The circle's tasks, in the order of their submission.
	pub fn tasks(&self) -> &[TaskId] {
		&self.tasks
	}

	/// Notes what happened to the tasks of the circle's requester.
	pub fn note(&mut self, event: &Event<Runtime>, trader: &AccountId) {
		match event {
			Event::TaskSubmitted { task, requester, chunks, .. } if requester == trader => {
				self.tasks.push(*task);
				self.running.insert(*task);
				self.present += chunks;
			},
			Event::TaskEnded { task, .. } => {
				self.running.remove(task);
			},
			_ => {},
		}
	}

	/// Notes that the circle was given money that it did not earn.
	pub fn give(&mut self, amount: Balance) {
		self.before += amount;
	}

	/// Whether all tasks of a round have ended.
	pub fn is_over(&self) -> bool {
		self.present > 0 && self.running.is_empty()
	}

	/// Ends a round, with what the circle has now.
	pub fn close(&mut self, wealth: Balance) {
		let profit = in_values(signed(wealth) - signed(self.before));
		self.profits.add(profit / f64::from(self.present.max(1)));
		self.chunks += self.present;
		self.present = 0;
		self.before = wealth;
	}
}
