//! Properties of draws.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::Perquintill;
use std::{cell::RefCell, collections::BTreeSet};
use tequio_primitives::{
	draw::{audit, number, seed, AuditDraw, Purpose},
	AttemptId, ChunkId,
};

const WINDOW: u32 = 8;

fn attempt(task: u64, index: u32, attempt: u8) -> AttemptId {
	AttemptId { chunk: ChunkId { task, index }, attempt }
}

fn output(salt: u64, height: u32) -> [u8; 32] {
	sp_io::hashing::blake2_256(&codec::Encode::encode(&(salt, height)))
}

fn hit_rate(rate: Perquintill, window: u32, draws: u64) -> f64 {
	let hit = |task: &u64| {
		let id = attempt(*task, 0, 0);
		let drawn = audit(&id, 100, window, rate, |height| Some(output(*task, height)));
		matches!(drawn, AuditDraw::Audited(_))
	};
	(0..draws).filter(hit).count() as f64 / draws as f64
}

#[test]
fn a_window_hits_as_often_as_the_audit_rate_says() {
	for percent in [5, 20, 50, 90] {
		for window in [1, 8] {
			let rate = Perquintill::from_percent(percent);
			let expected = percent as f64 / 100.0;
			// Five standard deviations of 10⁴ draws are at most 0.025.
			let found = hit_rate(rate, window, 10_000);
			assert!((found - expected).abs() < 0.025, "{found} of {expected} over {window}");
		}
	}
}

#[test]
fn seeds_differ_by_output_purpose_and_attempt() {
	let purposes = [
		Purpose::Worker,
		Purpose::Audit,
		Purpose::Auditor { place: 0, redraw: 0 },
		Purpose::Auditor { place: 1, redraw: 0 },
		Purpose::Auditor { place: 0, redraw: 1 },
		Purpose::SubRange,
	];
	let attempts = [attempt(0, 0, 0), attempt(0, 0, 1), attempt(0, 1, 0), attempt(1, 0, 0)];
	let mut seeds = BTreeSet::new();
	for vrf in [[0; 32], [1; 32]] {
		for purpose in purposes {
			seeds.extend(attempts.iter().map(|id| seed(&vrf, purpose, id)));
		}
	}
	assert_eq!(seeds.len(), 2 * purposes.len() * attempts.len());
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn a_rate_of_one_always_hits_and_of_zero_never(salt in any::<u64>(), window in 1u32..=16) {
		let id = attempt(salt, 1, 2);
		let draw = |rate| audit(&id, 7, window, rate, |height| Some(output(salt, height)));
		prop_assert!(matches!(draw(Perquintill::one()), AuditDraw::Audited(_)));
		prop_assert_eq!(draw(Perquintill::zero()), AuditDraw::Spared);
	}

	#[test]
	fn only_the_heights_of_the_window_count(salt in any::<u64>(), committed in 0u32..1_000) {
		let id = attempt(salt, 0, 0);
		let asked = RefCell::new(Vec::new());
		let drawn = audit(&id, committed, WINDOW, Perquintill::zero(), |height| {
			asked.borrow_mut().push(height);
			Some(output(salt, height))
		});
		prop_assert_eq!(drawn, AuditDraw::Spared);
		let window: Vec<u32> = (committed + 1..=committed + WINDOW).collect();
		prop_assert_eq!(asked.into_inner(), window);
	}

	#[test]
	fn auditors_depend_on_every_output_of_the_window(
		salt in any::<u64>(),
		percent in 1u64..=100,
		changed in 1u32..=WINDOW,
	) {
		let id = attempt(salt, 0, 0);
		let rate = Perquintill::from_percent(percent);
		let of = |height: u32| Some(output(salt, height));
		let other = |height: u32| Some(output(salt ^ u64::from(height == changed), height));
		let drawn = audit(&id, 0, WINDOW, rate, of);
		if matches!(drawn, AuditDraw::Audited(_)) {
			prop_assert_ne!(audit(&id, 0, WINDOW, rate, other), drawn);
			let missing = |height: u32| (height != changed).then(|| output(salt, height));
			prop_assert_eq!(audit(&id, 0, WINDOW, rate, missing), AuditDraw::Unknown);
		}
	}

	#[test]
	fn an_attempt_is_not_spared_before_every_output_is_known(
		salt in any::<u64>(),
		missing in 1u32..=WINDOW,
	) {
		let id = attempt(salt, 0, 0);
		let of = |height: u32| (height != missing).then(|| output(salt, height));
		prop_assert_eq!(audit(&id, 0, WINDOW, Perquintill::zero(), of), AuditDraw::Unknown);
	}

	#[test]
	fn numbers_of_a_seed_differ_by_round(bytes in any::<[u8; 32]>(), round in 0u32..1_000) {
		let seed = H256(bytes);
		prop_assert_eq!(number(&seed, round), number(&seed, round));
		prop_assert_ne!(number(&seed, round), number(&seed, round + 1));
	}
}

#[test]
fn numbers_fall_evenly() {
	let mut found = [0u32; 16];
	for round in 0..16_000 {
		let place = usize::try_from(number(&H256::zero(), round) % 16).unwrap();
		found[place] += 1;
	}
	// Six standard deviations of a thousand are below 200.
	assert!(found.iter().all(|count| (800..1_200).contains(count)), "{found:?}");
}
