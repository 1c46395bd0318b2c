//! Whether work can be done by its deadline, at the rate that the worker process measured. Pure.
//!
//! A chunk that is declined goes to somebody else at once and harms nobody; one that is begun in
//! vain costs a deadline and a fine.

use super::orders::Order;
use tequio_interface::job::Capability;
use tequio_primitives::stage::DeclineReason;

/// Milliseconds in the thousand seconds that a rate is measured in.
const RATE_MILLISECONDS: u64 = 1_000_000;

/// What one device has the worker process do already.
#[derive(Default)]
pub(super) struct Load {
	/// Units of work.
	pub units: u64,
}

impl Load {
	/// Adds an order that is under way.
	pub(super) fn add(&mut self, order: &Order) {
		self.units = self.units.saturating_add(order.units());
	}
}

/// How much time there is for work, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Time {
	/// From its assignment to its deadline.
	pub whole: u64,
	/// From now to its deadline.
	pub left: u64,
}

/// How fast the worker process is at a class.
pub(super) struct Pace {
	/// Units that one slot does in a thousand seconds, above zero.
	rate: u64,
	/// Jobs at a time, at least one.
	slots: u64,
}

impl Pace {
	/// The pace of a class; `None` before it is measured.
	pub(super) fn of(able: &Capability) -> Option<Self> {
		let known = able.rate > 0 && able.slots > 0;
		known.then_some(Self { rate: able.rate, slots: u64::from(able.slots) })
	}

	/// Why work of so many units, behind so many others, is not done in what is left of its time.
	/// `None` if it is. What could not be done in the whole of it is beyond this machine; else the
	/// machine only came too late to it.
	pub(super) fn too_slow(&self, units: u64, before: u64, time: Time) -> Option<DeclineReason> {
		let alone = self.milliseconds(units);
		if alone > time.whole {
			return Some(DeclineReason::Unsupported);
		}
		let queued = self.milliseconds(before).checked_div(self.slots).unwrap_or(0);
		(queued.saturating_add(alone) > time.left).then_some(DeclineReason::Busy)
	}

	/// What one slot takes for so many units.
	fn milliseconds(&self, units: u64) -> u64 {
		units.saturating_mul(RATE_MILLISECONDS).checked_div(self.rate).unwrap_or(u64::MAX)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn pace(rate: u64, slots: u16) -> Option<Pace> {
		Pace::of(&Capability { class: 0, slots, rate, memory: 0 })
	}

	/// None of so many milliseconds has passed.
	fn all(whole: u64) -> Time {
		Time { whole, left: whole }
	}

	#[test]
	fn an_unknown_rate_says_nothing() {
		assert!(pace(0, 1).is_none());
		assert!(pace(1_000, 0).is_none());
	}

	#[test]
	fn work_has_to_be_done_by_its_deadline() {
		// Twenty hashes a second.
		let Some(pace) = pace(20_000, 1) else { panic!("the rate is known") };
		assert_eq!(pace.too_slow(960, 0, all(48_000)), None);
		assert_eq!(pace.too_slow(961, 0, all(48_000)), Some(DeclineReason::Unsupported));
		assert_eq!(pace.too_slow(480, 480, all(48_000)), None);
		assert_eq!(pace.too_slow(480, 481, all(48_000)), Some(DeclineReason::Busy));
		assert_eq!(pace.too_slow(u64::MAX, 0, all(u64::MAX - 1)), None, "saturates");
	}

	#[test]
	fn time_that_has_passed_does_not_count() {
		let Some(pace) = pace(20_000, 1) else { panic!("the rate is known") };
		let half = Time { whole: 48_000, left: 24_000 };
		assert_eq!(pace.too_slow(480, 0, half), None);
		assert_eq!(pace.too_slow(240, 241, half), Some(DeclineReason::Busy));
		assert_eq!(pace.too_slow(481, 0, half), Some(DeclineReason::Busy));
		assert_eq!(pace.too_slow(961, 0, half), Some(DeclineReason::Unsupported));
	}

	#[test]
	fn slots_share_what_waits() {
		let Some(pace) = pace(20_000, 2) else { panic!("the rate is known") };
		assert_eq!(pace.too_slow(480, 960, all(48_000)), None);
		assert_eq!(pace.too_slow(480, 964, all(48_000)), Some(DeclineReason::Busy));
	}
}
