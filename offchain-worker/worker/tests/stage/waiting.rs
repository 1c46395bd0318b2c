//! Waiting for what a busy machine takes long for.

use std::{
	thread,
	time::{Duration, Instant},
};

/// Waits until something is there; fails where it is not within the limit.
pub fn eventually_in<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
	let start = Instant::now();
	loop {
		if let Some(found) = look() {
			return found;
		}
		assert!(start.elapsed() < limit, "{what}: not in {limit:?}");
		thread::sleep(Duration::from_millis(20));
	}
}
