//! Waiting for what other processes do: the one loop that looks again.

use anyhow::{ensure, Result};
use std::time::{Duration, Instant};

/// How often is looked.
const POLL: Duration = Duration::from_millis(250);

/// Looks again and again until `look` finds something. Fails where a look fails, and after
/// `patience`, saying what was awaited.
pub async fn until<V>(
	what: &str,
	patience: Duration,
	mut look: impl AsyncFnMut() -> Result<Option<V>>,
) -> Result<V> {
	let start = Instant::now();
	loop {
		if let Some(found) = look().await? {
			return Ok(found);
		}
		ensure!(start.elapsed() < patience, "waited {} s in vain: {what}", patience.as_secs());
		tokio::time::sleep(POLL).await;
	}
}
