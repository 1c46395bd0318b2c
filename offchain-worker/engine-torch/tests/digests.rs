//! The same trainings on several code paths of this processor, each in a process of its own.
//!
//! Trainings in doubles have, on the grid, the digests of the reference on every path. Trainings in
//! singles have the same bits wherever a process pins itself, whatever it finds in its environment.
//! What singles are without pins is printed to be looked at.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{collections::BTreeMap, env, num::NonZeroUsize};
use support::{hex, itself, model, rows, samples, weights, MODELS, RULES};
use tequio_engine_ml::{
	self as ml,
	grid::{grid_digest, state_digest, GridState},
	train::Schedule,
	Class, Rule, State, Steps,
};
use tequio_engine_torch::{pins, self_test, train::train, Libtorch, Precision};

/// What a process computes, by name: `doubles`, `pinned` or `singles`.
const PROFILE: &str = "TEQUIO_TEST_PROFILE";
/// Threads that it may take.
const THREADS: &str = "TEQUIO_TEST_THREADS";
const SCHEDULE: Schedule = Schedule { steps: 6, batch: 16, micro_batch: 16 };

/// Variables of a process.
type Environment = &'static [(&'static str, &'static str)];

/// Neither library takes fewer threads than it may when the machine is busy: sums of singles would be
/// divided otherwise.
const TWO: [(&str, &str); 2] = [("MKL_DYNAMIC", "FALSE"), ("OMP_DYNAMIC", "FALSE")];

/// Code paths: a name, variables, threads.
const PATHS: [(&str, Environment, &str); 8] = [
	("default", &[], "1"),
	("ATEN avx2", &[("ATEN_CPU_CAPABILITY", "avx2")], "1"),
	("ATEN default", &[("ATEN_CPU_CAPABILITY", "default")], "1"),
	("oneDNN SSE41", &[("ONEDNN_MAX_CPU_ISA", "SSE41")], "1"),
	("MKL COMPATIBLE", &[("MKL_CBWR", "COMPATIBLE")], "1"),
	("2 threads", &TWO, "2"),
	("all pins", &pins::PINS, "1"),
	(
		"slowest, 2 threads",
		&[
			("ATEN_CPU_CAPABILITY", "default"),
			("ONEDNN_MAX_CPU_ISA", "SSE41"),
			("MKL_CBWR", "COMPATIBLE"),
			("OMP_NUM_THREADS", "2"),
			("MKL_DYNAMIC", "FALSE"),
			("OMP_DYNAMIC", "FALSE"),
		],
		"2",
	),
];

/// The digests that one process comes to, by the name of what it trains.
type Digests = BTreeMap<String, String>;

/// What each model with each optimiser comes to.
fn digests(train: impl Fn(&str, Rule) -> [u8; 32]) -> Digests {
	let mut digests = Digests::new();
	for (name, card) in MODELS {
		for rule in RULES {
			let kind = format!("{rule:?}");
			let kind = kind.split_whitespace().next().unwrap();
			digests.insert(format!("{name}-{kind}"), hex(&train(card, rule)));
		}
	}
	digests
}

fn by_libtorch(precision: Precision, card: &str, rule: Rule) -> State {
	let model = model(card);
	let (weights, shard) = (weights(&model, 1), samples(&model, 40, 2));
	let rows = rows(&shard, 96, 3);
	let steps =
		Steps { model: &model, weights: &weights, schedule: &SCHEDULE, shard: &shard, rows: &rows };
	train(precision, rule, &steps).unwrap().change
}

fn by_reference(card: &str, rule: Rule) -> [u8; 32] {
	let model = model(card);
	let (weights, shard) = (weights(&model, 1), samples(&model, 40, 2));
	let rows = rows(&shard, 96, 3);
	let trained = ml::train(&model, &weights, rule, &SCHEDULE, &shard, &rows).unwrap();
	grid_digest(&GridState::round(&trained.change).unwrap())
}

/// No test of its own: what the others start as a process.
#[test]
#[ignore = "the other tests start it as a process"]
fn this_process() {
	let profile = env::var(PROFILE).unwrap();
	let threads: NonZeroUsize = env::var(THREADS).unwrap().parse().unwrap();
	let class = if profile == "pinned" { Class::ExactF32 } else { Class::ExactF64 };
	let libtorch = Libtorch::start(class, threads).unwrap();
	let found = match profile.as_str() {
		"doubles" => digests(|card, rule| {
			grid_digest(&GridState::round(&by_libtorch(Precision::Double, card, rule)).unwrap())
		}),
		_ => digests(|card, rule| state_digest(&by_libtorch(Precision::Single, card, rule))),
	};
	// What the harness prints has no end of line yet.
	println!();
	found.iter().for_each(|(name, digest)| println!("digest {name} {digest}"));
	if profile == "pinned" {
		let courses = self_test::Course::all().unwrap();
		let digest = self_test::digest(&courses, &libtorch).unwrap();
		println!("digest self-test {}", hex(&digest));
	}
}

/// What a process on this path says.
fn said(profile: &str, path: &[(&str, &str)], threads: &str) -> String {
	let environment = [path, &[(PROFILE, profile), (THREADS, threads)]].concat();
	let output = itself("this_process", &environment).output().unwrap();
	let said = String::from_utf8(output.stdout).unwrap();
	assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
	said
}

/// What a process on this path comes to.
fn on(profile: &str, path: &[(&str, &str)], threads: &str) -> Digests {
	let digest = |line: &str| {
		let mut words = line.strip_prefix("digest ")?.split(' ');
		Some((words.next()?.to_owned(), words.next()?.to_owned()))
	};
	said(profile, path, threads).lines().filter_map(digest).collect()
}

fn print(profile: &str, path: &str, digests: &Digests) {
	for (name, digest) in digests {
		println!("{profile:8} | {path:18} | {name:22} | {}", &digest[..16]);
	}
}

#[test]
fn doubles_are_those_of_the_reference_on_every_path() {
	let expected = digests(by_reference);
	print("pure Rust", "-", &expected);
	for (name, path, threads) in PATHS {
		let found = on("doubles", path, threads);
		print("doubles", name, &found);
		assert_eq!(found, expected, "{name}");
	}
}

#[test]
fn pinned_singles_are_the_same_whatever_the_environment() {
	let expected = on("pinned", &[], "1");
	print("pinned", "default", &expected);
	assert_eq!(expected.len(), MODELS.len() * RULES.len() + 1);
	assert_eq!(expected["self-test"], hex(&self_test::PINNED));
	for (name, path, threads) in PATHS {
		let found = on("pinned", path, threads);
		print("pinned", name, &found);
		assert_eq!(found, expected, "{name}");
	}
	// Variables that were there before the process have the same effect, but for convolutions: those
	// are oneDNN's where no process does without it.
	for (name, digest) in on("singles", &pins::PINS, "1") {
		let by_onednn = name.starts_with("convolutions");
		assert_eq!(digest != expected[&name], by_onednn, "{name}");
	}
}

/// oneDNN cuts sums by the sizes of caches, which differ where nothing else does.
#[test]
fn pinned_singles_have_nothing_from_onednn() {
	let asks =
		|profile| said(profile, &[("ONEDNN_VERBOSE", "1")], "1").contains(",primitive,exec,");
	assert!(asks("singles") && !asks("pinned"));
}

#[test]
fn singles_without_pins_are_printed() {
	for (name, path, threads) in PATHS {
		let found = on("singles", path, threads);
		print("singles", name, &found);
		assert_eq!(on("singles", path, threads), found, "{name}: not even on the same path");
	}
}
