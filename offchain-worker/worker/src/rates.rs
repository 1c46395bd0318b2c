//! How fast engines have been on this machine, and the file that remembers it from one start to the
//! next.

use crate::plan::Setting;
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
	time::Duration,
};
use tracing::warn;

/// Computing that counts: what came before has faded.
const WINDOW: u64 = 600_000;
/// What a speed from an earlier start counts for.
const REMEMBERED: u64 = 60_000;
/// Settings whose speed is remembered.
const MAX_KNOWN: usize = 64;

/// Units of work in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
	/// Thousandths of units.
	work: u64,
	/// Milliseconds.
	time: u64,
}

impl Rate {
	/// A rate from an earlier start, in units per 1000 seconds.
	pub fn remembered(per_1000_seconds: u64) -> Self {
		let work = per_1000_seconds.saturating_mul(REMEMBERED) / 1000;
		match work {
			0 => Self::default(),
			work => Self { work, time: REMEMBERED },
		}
	}

	/// Takes account of work that was done.
	pub fn note(&mut self, units: u32, time: Duration) {
		let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
		self.work = self.work.saturating_add(u64::from(units).saturating_mul(1000));
		self.time = self.time.saturating_add(time);
		if self.time > WINDOW {
			let faded = u128::from(self.work) * u128::from(WINDOW) / u128::from(self.time);
			self.work = u64::try_from(faded).unwrap_or(u64::MAX);
			self.time = WINDOW;
		}
	}

	/// Units per 1000 seconds; zero before anything was measured.
	pub fn per_1000_seconds(&self) -> u64 {
		self.work.saturating_mul(1000).checked_div(self.time).unwrap_or(0)
	}

	/// Units per second, for people.
	pub fn per_second(&self) -> f64 {
		// A number of thousandths is a number of milliseconds.
		Duration::from_millis(self.per_1000_seconds()).as_secs_f64()
	}
}

/// What is known of a class in a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
	/// Units of work per 1000 seconds.
	pub rate: u64,
	/// Bytes of memory that its engine took.
	pub memory: u64,
}

/// The file. Only speed is lost with it.
#[derive(Debug)]
pub struct RatesFile {
	path: PathBuf,
	known: BTreeMap<String, Known>,
}

impl RatesFile {
	/// Reads the file of a folder, if there is one that can be read.
	pub fn open(dir: &Path) -> Self {
		let path = dir.join("rates");
		let known = match fs::read(&path) {
			Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|e| {
				warn!("{path:?} is not understood, speeds will be measured again: {e}");
				BTreeMap::new()
			}),
			Err(_) => BTreeMap::new(),
		};
		Self { path, known }
	}

	/// What is known of a class in a setting.
	pub fn get(&self, class: u16, setting: &Setting) -> Option<Known> {
		self.known.get(&name(class, setting)).copied()
	}

	/// Remembers what is known now. What is known of other settings stays, if there is room.
	pub fn set(&mut self, class: u16, setting: &Setting, known: Known) {
		let name = name(class, setting);
		while self.known.len() >= MAX_KNOWN && !self.known.contains_key(&name) {
			self.known.pop_first();
		}
		self.known.insert(name, known);
	}

	/// Writes the file, at once or not at all.
	pub fn save(&self) -> io::Result<()> {
		let new = self.path.with_extension("new");
		fs::write(&new, serde_json::to_vec_pretty(&self.known)?)?;
		fs::rename(&new, &self.path)
	}
}

/// All that a speed depends on, but for the machine.
fn name(class: u16, setting: &Setting) -> String {
	let Setting { mode, threads, caches, cpu_percent, secure } = setting;
	let percent = cpu_percent.unwrap_or(100);
	let version = env!("CARGO_PKG_VERSION");
	let code = if *secure { "secure" } else { "usual" };
	format!("{version} class {class} {mode} {threads} threads {caches} caches {percent}% {code}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn a_rate_is_work_over_time() {
		let mut rate = Rate::default();
		assert_eq!(rate.per_1000_seconds(), 0);
		rate.note(60, Duration::from_secs(2));
		assert_eq!(rate.per_1000_seconds(), 30_000);
		rate.note(0, Duration::from_secs(1));
		assert_eq!(rate.per_1000_seconds(), 20_000);
		assert!((rate.per_second() - 20.0).abs() < 1e-9);
	}

	#[test]
	fn what_was_long_ago_fades() {
		let mut rate = Rate::remembered(1_000_000);
		assert_eq!(rate.per_1000_seconds(), 1_000_000);
		for _ in 0..100 {
			rate.note(600, Duration::from_secs(60));
		}
		let now = rate.per_1000_seconds();
		assert!((9_990..10_100).contains(&now), "{now}");
		assert!(rate.time <= WINDOW);
	}

	#[test]
	fn nothing_overflows() {
		let mut rate = Rate::remembered(u64::MAX);
		for _ in 0..3 {
			rate.note(u32::MAX, Duration::MAX);
			rate.note(u32::MAX, Duration::ZERO);
		}
		rate.per_1000_seconds();
		assert_eq!(Rate::remembered(0), Rate::default());
	}

	#[test]
	fn the_file_remembers_by_setting() {
		let dir = tempfile::tempdir().unwrap();
		let (light, known) = (Setting::SMALLEST, Known { rate: 7, memory: 8 });
		let mut file = RatesFile::open(dir.path());
		assert_eq!(file.get(0, &light), None);
		file.set(0, &light, known);
		file.save().unwrap();
		let file = RatesFile::open(dir.path());
		assert_eq!(file.get(0, &light), Some(known));
		assert_eq!(file.get(1, &light), None);
		assert_eq!(file.get(0, &Setting { secure: true, ..light }), None);
	}

	#[test]
	fn a_file_that_is_something_else_is_ignored() {
		let dir = tempfile::tempdir().unwrap();
		fs::write(dir.path().join("rates"), "{\"a\": [1]}").unwrap();
		let mut file = RatesFile::open(dir.path());
		for class in 0..=u16::try_from(MAX_KNOWN).unwrap() {
			file.set(class, &Setting::SMALLEST, Known { rate: 1, memory: 1 });
		}
		assert_eq!(file.known.len(), MAX_KNOWN);
		file.save().unwrap();
		assert_eq!(RatesFile::open(dir.path()).known, file.known);
	}
}
