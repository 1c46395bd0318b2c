//! How fast an engine is: it is asked for samples of its class, as it would be for jobs.

use crate::{
	classes::Class,
	engine::{Answer, Engine, EngineError},
	plan::Setting,
	processes::Processes,
};
use std::time::{Duration, Instant};

/// Time in which an engine gets into the mode that it was started in.
const WARM_UP: Duration = Duration::from_secs(900);
/// Time that an engine may be silent, besides the time for its work.
const PATIENCE: Duration = Duration::from_secs(120);
/// Time that a sample is to take, at least and at most: the shorter, the more of it is spent on
/// waiting for the slowest thread.
const SAMPLE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// Units of work in a sample, at most.
const MAX_UNITS: u128 = 1 << 20;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
	/// Units of work.
	pub units: u32,
	/// In this time.
	pub time: Duration,
	/// Bytes of memory that the engine held in the end.
	pub memory: u64,
}

/// Measures for about so much time, after the engine has warmed up. `None`: `go_on`, which is asked
/// about once a second, said no before there was anything.
pub fn measure(
	engine: &mut Engine,
	class: &Class,
	setting: &Setting,
	time: Duration,
	go_on: impl Fn() -> bool,
) -> Result<Option<Measured>, EngineError> {
	let sample_time = (time / 4).clamp(SAMPLE.0, SAMPLE.1);
	let fewest = u32::try_from(setting.threads.get()).unwrap_or(u32::MAX).saturating_mul(4);
	let mut samples = Samples { engine, class, setting, sample_time, next: 0, units: fewest };
	let started = Instant::now();
	loop {
		samples.ask()?;
		if !go_on() {
			return Ok(None);
		}
		if samples.are_warm() || started.elapsed() >= WARM_UP {
			break;
		}
	}
	let (started, mut units) = (Instant::now(), 0_u32);
	while started.elapsed() < time && go_on() {
		units = units.saturating_add(samples.ask()?);
	}
	let time = started.elapsed();
	let memory = Processes::look().memory(samples.engine.leash().id());
	Ok((units > 0).then_some(Measured { units, time, memory }))
}

struct Samples<'a> {
	engine: &'a mut Engine,
	class: &'a Class,
	setting: &'a Setting,
	sample_time: Duration,
	/// Where the next one starts.
	next: u32,
	/// Units of work in the next one.
	units: u32,
}

impl Samples<'_> {
	/// Has one computed. Returns its units.
	fn ask(&mut self) -> Result<u32, EngineError> {
		let units = self.units;
		let payload = self.class.sample(self.next, units);
		let limit = self.class.time(&payload, self.setting).saturating_add(PATIENCE);
		let started = Instant::now();
		let Answer::Done(_) = self.engine.try_out(payload, limit)? else {
			return Err(EngineError::OffTopic);
		};
		self.next = self.next.wrapping_add(units);
		self.units = next_units(units, started.elapsed(), self.sample_time);
		Ok(units)
	}

	/// Whether the engine computes as it will go on. One that does not yet says until when, such as
	/// `light until the dataset is filled`.
	fn are_warm(&self) -> bool {
		!self.engine.leash().setup().contains(" until ")
	}
}

/// Units for the next sample, after the last one took so long.
fn next_units(units: u32, took: Duration, sample_time: Duration) -> u32 {
	let fitting = u128::from(units) * sample_time.as_millis() / took.as_millis().max(1);
	u32::try_from(fitting.clamp(1, MAX_UNITS)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn samples_take_the_time_they_are_given() {
		let second = Duration::from_secs(1);
		assert_eq!(next_units(8, second / 4, second), 32);
		assert_eq!(next_units(100, 5 * second, second), 20);
		assert_eq!(next_units(1, 9 * second, second), 1);
		assert_eq!(next_units(u32::MAX, Duration::ZERO, second), 1 << 20);
	}
}
