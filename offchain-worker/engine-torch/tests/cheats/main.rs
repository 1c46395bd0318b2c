//! Whoever computes a chunk again finds every cheat, and nobody who was honest.
//!
//! Worker and auditor are processes of their own, on different code paths: each computes all chunks
//! and leaves in a file what it claims. In `exact-f64` the auditor is the pure Rust. In `banded-f32`
//! claims are compared as the chain compares projections, and as referees compare bytes. A process
//! that refuses one step as ill-conditioned ends there and fails the test: nobody honest is refused.
#![allow(clippy::unwrap_used, missing_docs)]

mod band;
mod chunks;
mod claims;
#[path = "../support/mod.rs"]
mod support;

use band::Verdict;
use chunks::{Cheat, School};
use claims::{claim, Claims, Part};
use std::env;
use tequio_engine_ml::Class;

/// The auditor's path in `banded-f32`.
const FAST: &[(&str, &str)] = &[];
/// The worker's, as far from it as there is one.
const SLOW: &[(&str, &str)] = &[
	("ATEN_CPU_CAPABILITY", "default"),
	("ONEDNN_MAX_CPU_ISA", "SSE41"),
	("MKL_CBWR", "COMPATIBLE"),
];

/// Honest chunks of the exact classes, and of the banded one.
const EXACT: usize = 2_000;
const BANDED: usize = 10_000;
/// Chunks that are cheated in, by each cheat.
const CHEATED: usize = 100;

/// No test of its own: what the others start as a process.
#[test]
#[ignore = "the other tests start it as a process"]
fn this_process() {
	let part = Part::parse(&env::var(claims::PART).unwrap());
	claim(part, &env::var(claims::FILE).unwrap());
}

/// Chunks of an exact class: how many digests differ that should not, and how many cheats do not.
fn exact(worker: Claims, auditor: Claims) {
	let (worker, auditor) = (worker.digests(), auditor.digests());
	assert_eq!(worker.honest.len(), EXACT);
	let pairs = worker.honest.iter().zip(&auditor.honest);
	let alarms = pairs.filter(|(one, other)| one != other).count();
	println!("{alarms} false alarms in {EXACT} honest chunks");
	assert_eq!((alarms, auditor.honest.len()), (0, EXACT));
	for (cheat, claimed) in Cheat::ALL.into_iter().zip(&worker.cheats) {
		let pairs = claimed.iter().zip(&auditor.honest);
		let caught = pairs.filter(|(one, other)| one != other).count();
		println!("{} | {caught} of {} caught", cheat.name(), claimed.len());
		assert_eq!((caught, claimed.len()), (CHEATED, CHEATED), "{}", cheat.name());
	}
}

#[test]
fn doubles_by_libtorch_are_audited_by_the_reference() {
	let worker = Claims::start(Part::Libtorch(Class::ExactF64), FAST);
	exact(worker, Claims::start(Part::Reference, FAST));
}

#[test]
fn pinned_singles_are_audited_by_pinned_singles() {
	let worker = Claims::start(Part::Libtorch(Class::ExactF32), SLOW);
	exact(worker, Claims::start(Part::Libtorch(Class::ExactF32), FAST));
}

#[test]
fn banded_singles_are_audited_by_singles_on_another_path() {
	let worker = Claims::start(Part::Libtorch(Class::BandedF32), SLOW);
	let auditor = Claims::start(Part::Libtorch(Class::BandedF32), FAST);
	let (worker, auditor) = (worker.steps(), auditor.steps());
	assert_eq!((worker.honest.len(), auditor.honest.len()), (BANDED, BANDED));
	let school = School::new();
	let mut honest = Verdict::default();
	for (number, (claimed, own)) in worker.honest.iter().zip(&auditor.honest).enumerate() {
		honest.compare(&school.step(number), claimed, own);
	}
	println!("honest | {honest}");
	assert_eq!((honest.chunks, honest.near, honest.near_by_bytes), (BANDED, BANDED, BANDED));
	for (cheat, claimed) in Cheat::ALL.into_iter().zip(&worker.cheats) {
		let mut verdict = Verdict::default();
		for (number, claimed) in claimed.iter().enumerate() {
			verdict.compare(&school.step(number), claimed, &auditor.honest[number]);
		}
		println!("{} | {verdict}", cheat.name());
		let Verdict { chunks, near, near_by_bytes, .. } = verdict;
		assert_eq!((chunks, near, near_by_bytes), (CHEATED, 0, 0), "{}", cheat.name());
	}
}
