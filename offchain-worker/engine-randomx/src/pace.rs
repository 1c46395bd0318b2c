//! Less than all of a processor: a pause after each piece of work, as long as the work deserves.
//!
//! Pieces are hashes, so the load is even at the scale of milliseconds: no fan that comes and goes,
//! no second in which nothing else gets its turn. Work counts by the clock on the wall, so that the
//! engine takes even less where it has to wait for others.

use core::{fmt, num::ParseIntError, str::FromStr, time::Duration};
use std::{thread, time::Instant};

/// Share of a processor's time, 1 to 100 per cent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(u32);

/// Not a share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPercent {
	/// Zero would mean not to work at all, and there is no more than all.
	#[error("{0} is not between 1 and 100")]
	OutOfRange(u32),
	/// Not a number.
	#[error(transparent)]
	NotANumber(#[from] ParseIntError),
}

impl Percent {
	/// No pauses.
	pub const ALL: Self = Self(100);

	/// A share.
	pub fn new(percent: u32) -> Result<Self, NotAPercent> {
		if (1..=100).contains(&percent) {
			Ok(Self(percent))
		} else {
			Err(NotAPercent::OutOfRange(percent))
		}
	}

	/// The pause that `busy` is followed by.
	pub fn pause(self, busy: Duration) -> Duration {
		busy.saturating_mul(100 - self.0) / self.0
	}
}

impl fmt::Display for Percent {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		fmt::Display::fmt(&self.0, f)
	}
}

impl FromStr for Percent {
	type Err = NotAPercent;

	fn from_str(percent: &str) -> Result<Self, NotAPercent> {
		Self::new(percent.parse()?)
	}
}

/// Keeps account of the pauses of one thread.
#[derive(Debug)]
pub struct Pacer {
	percent: Percent,
	owed: Duration,
}

impl Pacer {
	/// Nothing is owed yet.
	pub fn new(percent: Percent) -> Self {
		Self { percent, owed: Duration::ZERO }
	}

	/// Takes account of work that took `busy`; the pause that is due.
	pub fn worked(&mut self, busy: Duration) -> Duration {
		self.owed = self.owed.saturating_add(self.percent.pause(busy));
		self.owed
	}

	/// Takes account of a pause, however long it came to be.
	pub fn paused(&mut self, pause: Duration) {
		self.owed = self.owed.saturating_sub(pause);
	}

	/// Takes account of work, and pauses.
	pub fn rest(&mut self, busy: Duration) {
		let due = self.worked(busy);
		if due > Duration::ZERO {
			let start = Instant::now();
			thread::sleep(due);
			self.paused(start.elapsed());
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	const MS: Duration = Duration::from_millis(1);

	#[test]
	fn pauses_fill_up_the_rest() {
		for (percent, pause) in [(100, 0), (50, 20), (25, 60), (80, 5), (1, 1980)] {
			let percent = Percent::new(percent).unwrap();
			assert_eq!(percent.pause(20 * MS), pause * MS, "{percent} %");
		}
		assert!(Percent::new(1).unwrap().pause(Duration::MAX) > Duration::ZERO);
	}

	#[test]
	fn shares_are_read() {
		assert_eq!("100".parse::<Percent>(), Ok(Percent::ALL));
		assert_eq!("7".parse::<Percent>(), Percent::new(7));
		assert_eq!("0".parse::<Percent>(), Err(NotAPercent::OutOfRange(0)));
		assert_eq!("101".parse::<Percent>(), Err(NotAPercent::OutOfRange(101)));
		assert!(matches!("all".parse::<Percent>(), Err(NotAPercent::NotANumber(_))));
	}

	#[test]
	fn a_pause_that_was_too_short_is_made_up_for() {
		let mut pacer = Pacer::new(Percent::new(50).unwrap());
		assert_eq!(pacer.worked(10 * MS), 10 * MS);
		pacer.paused(4 * MS);
		assert_eq!(pacer.worked(10 * MS), 16 * MS);
		pacer.paused(100 * MS);
		assert_eq!(pacer.worked(MS), MS);
	}

	#[test]
	fn all_of_a_processor_has_no_pauses() {
		let mut pacer = Pacer::new(Percent::ALL);
		pacer.rest(Duration::MAX);
		assert_eq!(pacer.worked(Duration::MAX), Duration::ZERO);
	}
}
