//! One measurement of either side: a setting, the program that is run with it, and what it prints.

use crate::{program, samples::Side};
use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;
use std::{
	ffi::OsString,
	fmt,
	path::{Path, PathBuf},
};
use tequio_harness::process::binary;
use tequio_interface::engine::Mode;

/// What cache and dataset lie on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
	/// Ordinary pages.
	Small,
	/// Transparent huge pages, by asking for them.
	Transparent,
	/// Pages of the kernel's pool.
	Huge,
}

impl fmt::Display for Pages {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(match self {
			Self::Small => "4 KiB pages",
			Self::Transparent => "transparent huge pages",
			Self::Huge => "huge pages of the pool",
		})
	}
}

/// What both sides are run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
	/// Memory against speed.
	pub mode: Mode,
	/// Threads.
	pub threads: u32,
	/// Pages.
	pub pages: Pages,
}

impl fmt::Display for Setting {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		write!(f, "{}, {}, {}", self.mode, threads(self.threads), self.pages)
	}
}

/// `1 thread`, `2 threads`.
pub fn threads(number: u32) -> String {
	format!("{number} thread{}", if number == 1 { "" } else { "s" })
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
	/// Hashes per second.
	pub rate: f64,
	/// XOR of all hashes, in hex.
	pub digest: String,
	/// Seconds that the cache took; known of ours only.
	pub cache_seconds: Option<f64>,
	/// Seconds that the dataset took; known of ours only.
	pub dataset_seconds: Option<f64>,
	/// The most that lay on transparent huge pages, in bytes.
	pub huge: u64,
	/// What it says of itself.
	pub about: String,
}

/// The two programs.
pub struct Programs {
	/// Our engine.
	pub ours: PathBuf,
	/// The benchmark that the library brings, of the same build.
	pub reference: PathBuf,
}

impl Programs {
	/// Finds both.
	pub fn find(reference: Option<&Path>) -> Result<Self> {
		let reference = reference.context(
			"the reference's randomx-benchmark is not named: run `scripts/bench randomx`, which \
			 finds it in the build folder, or give --reference FILE",
		)?;
		ensure!(reference.is_file(), "there is no {}", reference.display());
		Ok(Self { ours: binary("tequio-engine-randomx")?, reference: reference.to_path_buf() })
	}

	/// Hashes nonces from 0 to `nonces`.
	pub async fn measure(&self, side: Side, setting: &Setting, nonces: u32) -> Result<Outcome> {
		let watched = setting.pages == Pages::Transparent;
		let outcome = match side {
			Side::Ours => {
				let finished =
					program::run(&self.ours, &[], our_args(setting, nonces), watched).await?;
				our_outcome(&finished.output).map(|outcome| (outcome, finished.huge))
			},
			Side::Anchor => {
				// Makes the allocator ask for transparent huge pages wherever it maps memory.
				let asks = ["GLIBC_TUNABLES=glibc.malloc.hugetlb=1"];
				let environment: &[&str] = if watched { &asks } else { &[] };
				let args = reference_args(setting, nonces);
				let finished = program::run(&self.reference, environment, args, watched).await?;
				reference_outcome(&finished.output).map(|outcome| (outcome, finished.huge))
			},
		};
		let (outcome, huge) = outcome.with_context(|| format!("{side:?}, {setting}"))?;
		Ok(Outcome { huge, ..outcome })
	}
}

fn our_args(setting: &Setting, nonces: u32) -> Vec<OsString> {
	let pages = match setting.pages {
		Pages::Small => "small",
		Pages::Transparent => "transparent",
		Pages::Huge => "huge",
	};
	let mode = setting.mode.to_string();
	let (threads, nonces) = (setting.threads.to_string(), nonces.to_string());
	["bench", "--mode", &mode, "--threads", &threads, "--caches", "1"]
		.into_iter()
		.chain(["--pages", pages, "--nonces", &nonces])
		.map(OsString::from)
		.collect()
}

fn reference_args(setting: &Setting, nonces: u32) -> Vec<OsString> {
	let mode = match setting.mode {
		Mode::Fast => "--mine",
		Mode::Light => "--verify",
	};
	let (threads, nonces) = (setting.threads.to_string(), nonces.to_string());
	let pages = (setting.pages == Pages::Huge).then_some("--largePages");
	[mode, "--jit", "--auto", "--threads", &threads, "--nonces", &nonces]
		.into_iter()
		.chain(["--init", &threads])
		.chain(pages)
		.map(OsString::from)
		.collect()
}

/// From the JSON object that our engine prints last.
fn our_outcome(output: &str) -> Result<Outcome> {
	let object = program::last_object(output)?;
	let number = |name: &str| object.get(name).and_then(Value::as_f64);
	let text = |name: &str| object.get(name).and_then(Value::as_str);
	Ok(Outcome {
		rate: number("hashes_per_second").context("no hashes_per_second")?,
		digest: text("digest").context("no digest")?.to_owned(),
		cache_seconds: number("cache_seconds"),
		dataset_seconds: number("dataset_seconds"),
		huge: 0,
		about: object.get("pages").map(Value::to_string).unwrap_or_default(),
	})
}

/// From the lines that the reference prints: a rate in fast mode, the time of a hash in light mode.
fn reference_outcome(output: &str) -> Result<Outcome> {
	let value = |label: &str| output.lines().find_map(|line| line.strip_prefix(label));
	let performance = value("Performance: ").context("it printed no performance")?;
	let (number, unit) = performance.split_once(' ').context("a performance without a unit")?;
	let number: f64 = number.parse()?;
	let rate = match unit {
		"hashes per second" => number,
		"ms per hash" => 1_000.0 / number,
		unit => bail!("a performance in {unit}"),
	};
	let digest = value("Calculated result: ").context("it printed no result")?.trim().to_owned();
	let about = output.lines().next().unwrap_or_default().to_owned();
	Ok(Outcome { rate, digest, cache_seconds: None, dataset_seconds: None, huge: 0, about })
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;

	#[test]
	fn our_object_is_read() {
		let output = "a warning\n{\"mode\":\"fast\",\"threads\":2,\"pages\":{\"cache\":\"small\"},\
		              \"cache_seconds\":0.5,\"dataset_seconds\":21.5,\"nonces\":1000,\
		              \"seconds\":2.0,\"hashes_per_second\":500.0,\"digest\":\"ab\"}\n";
		let outcome = our_outcome(output).unwrap();
		assert_eq!(outcome.rate, 500.0);
		assert_eq!((outcome.cache_seconds, outcome.dataset_seconds), (Some(0.5), Some(21.5)));
		assert_eq!(
			(outcome.digest.as_str(), outcome.about.as_str()),
			("ab", "{\"cache\":\"small\"}")
		);
		assert!(our_outcome("nothing").is_err());
	}

	#[test]
	fn both_units_of_the_reference_are_read() {
		let output = "RandomX benchmark\nCalculated result: ab\nPerformance: 25 ms per hash\n";
		let outcome = reference_outcome(output).unwrap();
		assert_eq!((outcome.rate, outcome.digest.as_str()), (40.0, "ab"));
		assert_eq!(outcome.about, "RandomX benchmark");
		let fast = output.replace("25 ms per hash", "340.5 hashes per second");
		assert_eq!(reference_outcome(&fast).unwrap().rate, 340.5);
		assert!(reference_outcome("ERROR: Cache allocation failed\n").is_err());
	}

	#[test]
	fn the_reference_takes_its_own_names() {
		let setting = Setting { mode: Mode::Fast, threads: 2, pages: Pages::Huge };
		let args = reference_args(&setting, 7);
		for wanted in ["--mine", "--largePages", "2", "7"] {
			assert!(args.iter().any(|arg| arg == wanted), "{wanted}");
		}
		let light = Setting { mode: Mode::Light, pages: Pages::Small, ..setting };
		let args = reference_args(&light, 7);
		assert!(args.iter().any(|arg| arg == "--verify"));
		assert!(!args.iter().any(|arg| arg == "--largePages"));
	}
}
