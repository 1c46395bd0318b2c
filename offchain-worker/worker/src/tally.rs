//! What a worker has done, and what its slots have spent their time on. Pure: the clock is an
//! argument.

use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};

/// What a slot does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
	/// Nothing: there is no job.
	Idle,
	/// Starts the engine of this class.
	Starting(u16),
	/// Computes with it.
	Computing(u16),
	/// Waits before it starts it again, because it failed.
	Waiting(u16),
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
	/// Computed.
	Done,
	/// Not computable here.
	Failed,
	/// Not wanted any more.
	Cancelled,
}

/// Why another engine was needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
	/// It ended by itself.
	Crashed,
	/// It was silent for too long.
	Hung,
	/// It did not speak our protocol, or to the point.
	Nonsense,
	/// It could not be started.
	Unstartable,
}

/// Jobs that ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
	/// Computed.
	pub done: u64,
	/// Not computable here.
	pub failed: u64,
	/// Not wanted any more before they ended.
	pub cancelled: u64,
}

/// Engines that had to be replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarts {
	/// Ended by themselves.
	pub crashed: u64,
	/// Were silent for too long.
	pub hung: u64,
	/// Did not speak our protocol, or to the point.
	pub nonsense: u64,
	/// Could not be started.
	pub unstartable: u64,
}

/// Seconds of all slots together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
	/// Engines computed, or were measured.
	pub computing: f64,
	/// There was no job of any class.
	pub idle: f64,
	/// Engines were started.
	pub starting: f64,
	/// Engines had failed and were not started again yet.
	pub waiting: f64,
}

/// What was counted for a class.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
	/// Jobs that ended.
	pub jobs: Jobs,
	/// Units of work in the jobs that were computed.
	pub units: u64,
	/// What slots spent their time on.
	pub seconds: Seconds,
	/// Engines that had to be replaced.
	pub restarts: Restarts,
}

/// Counts by class, and what each slot does now.
#[derive(Debug)]
pub struct Tally {
	classes: BTreeMap<u16, Counts>,
	slots: Vec<Activity>,
	/// Until when time was counted.
	counted: Instant,
}

impl Tally {
	/// Nothing is counted yet, and all slots are idle.
	pub fn new(classes: impl IntoIterator<Item = u16>, slots: usize, now: Instant) -> Self {
		let classes = classes.into_iter().map(|class| (class, Counts::default())).collect();
		Self { classes, slots: vec![Activity::Idle; slots], counted: now }
	}

	/// A slot does something else from now on.
	pub fn enter(&mut self, slot: usize, activity: Activity, now: Instant) {
		self.pass(now);
		if let Some(slot) = self.slots.get_mut(slot) {
			*slot = activity;
		}
	}

	/// A job has ended.
	pub fn ended(&mut self, class: u16, end: End) {
		let Some(counts) = self.classes.get_mut(&class) else { return };
		let count = match end {
			End::Done => &mut counts.jobs.done,
			End::Failed => &mut counts.jobs.failed,
			End::Cancelled => &mut counts.jobs.cancelled,
		};
		*count = count.saturating_add(1);
	}

	/// Units of work were computed for a job.
	pub fn computed(&mut self, class: u16, units: u32) {
		if let Some(counts) = self.classes.get_mut(&class) {
			counts.units = counts.units.saturating_add(units.into());
		}
	}

	/// An engine has to be replaced.
	pub fn restarted(&mut self, class: u16, reason: Restart) {
		let Some(counts) = self.classes.get_mut(&class) else { return };
		let count = match reason {
			Restart::Crashed => &mut counts.restarts.crashed,
			Restart::Hung => &mut counts.restarts.hung,
			Restart::Nonsense => &mut counts.restarts.nonsense,
			Restart::Unstartable => &mut counts.restarts.unstartable,
		};
		*count = count.saturating_add(1);
	}

	/// What was counted until now.
	pub fn counts(&mut self, class: u16, now: Instant) -> Counts {
		self.pass(now);
		self.classes.get(&class).copied().unwrap_or_default()
	}

	/// Counts the time until now.
	fn pass(&mut self, now: Instant) {
		let time = now.saturating_duration_since(self.counted);
		self.counted = self.counted.max(now);
		for activity in &self.slots {
			match activity {
				Activity::Idle => {
					self.classes.values_mut().for_each(|counts| spend(counts, activity, time));
				},
				Activity::Starting(class)
				| Activity::Computing(class)
				| Activity::Waiting(class) => {
					self.classes.get_mut(class).into_iter().for_each(|counts| {
						spend(counts, activity, time);
					});
				},
			}
		}
	}
}

fn spend(counts: &mut Counts, activity: &Activity, time: Duration) {
	let seconds = match activity {
		Activity::Idle => &mut counts.seconds.idle,
		Activity::Starting(_) => &mut counts.seconds.starting,
		Activity::Computing(_) => &mut counts.seconds.computing,
		Activity::Waiting(_) => &mut counts.seconds.waiting,
	};
	*seconds += time.as_secs_f64();
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn time_is_counted_where_it_was_spent() {
		let start = Instant::now();
		let at = |seconds| start + Duration::from_secs(seconds);
		let mut tally = Tally::new([0, 1], 2, start);
		tally.enter(0, Activity::Starting(0), at(1));
		tally.enter(0, Activity::Computing(0), at(3));
		tally.enter(0, Activity::Waiting(0), at(7));
		tally.enter(0, Activity::Idle, at(8));
		let seconds = tally.counts(0, at(10)).seconds;
		// The other slot was idle all the time.
		let expected = Seconds { computing: 4.0, idle: 13.0, starting: 2.0, waiting: 1.0 };
		assert_eq!(seconds, expected);
		let seconds = tally.counts(1, at(10)).seconds;
		assert_eq!(seconds, Seconds { idle: 13.0, ..Seconds::default() });
		// A clock that stands still, or a slot and a class that are not there, change nothing.
		tally.enter(9, Activity::Computing(7), at(2));
		assert_eq!(tally.counts(0, at(10)).seconds, expected);
	}

	#[test]
	fn events_are_counted_by_class() {
		let now = Instant::now();
		let mut tally = Tally::new([0, 1], 1, now);
		for end in [End::Done, End::Done, End::Failed, End::Cancelled] {
			tally.ended(0, end);
		}
		tally.computed(0, 500);
		for reason in [Restart::Crashed, Restart::Hung, Restart::Nonsense, Restart::Unstartable] {
			tally.restarted(0, reason);
		}
		tally.ended(7, End::Done);
		let counts = tally.counts(0, now);
		assert_eq!(counts.jobs, Jobs { done: 2, failed: 1, cancelled: 1 });
		assert_eq!(counts.units, 500);
		let once = Restarts { crashed: 1, hung: 1, nonsense: 1, unstartable: 1 };
		assert_eq!(counts.restarts, once);
		assert_eq!(tally.counts(1, now), Counts::default());
	}
}
