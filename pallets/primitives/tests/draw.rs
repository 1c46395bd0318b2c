//! Properties of draws.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::Perquintill;
use std::{cell::RefCell, collections::BTreeSet};
use tequio_primitives::{
	draw::{audit, hits, number, seed, AuditDraw, Purpose},
	terms::{audit_terms, rate_per_block, Adversary, AuditPlan},
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
		Purpose::Second,
		Purpose::Referee { level: 0, number: 0 },
		Purpose::Referee { level: 1, number: 0 },
		Purpose::Referee { level: 0, number: 1 },
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

/// What somebody foresees who authors three heights in ten, and knows what its own blocks will
/// carry: from the height after `committed = 0` on, whether a height is its own, and whether its
/// output hits.
struct Foresight {
	own: Vec<bool>,
	hits: Vec<bool>,
}

impl Foresight {
	fn of(salt: u64, heights: u32, threshold: Perquintill) -> Self {
		let id = attempt(salt, 0, 0);
		let own = |height: &u32| number(&H256(output(!salt, *height)), 0) % 10 < 3;
		let hit = |height| hits(&seed(&output(salt, height), Purpose::Audit, &id), threshold);
		let own: Vec<bool> = (1..=heights).map(|height| own(&height)).collect();
		let hits = (1..=heights).zip(&own).map(|(height, own)| *own && hit(height)).collect();
		Self { own, hits }
	}

	/// Heights of the window after a commit that are its own, and those that are others'.
	fn shares(&self, committed: usize, window: usize) -> (i32, i32) {
		let own = self.own[committed..committed + window].iter().filter(|own| **own).count();
		(i32::try_from(own).unwrap(), i32::try_from(window - own).unwrap())
	}

	/// The chance of an audit that it sees in a commit.
	fn chance(&self, committed: usize, window: usize, threshold: f64) -> f64 {
		if self.hits[committed..committed + window].contains(&true) {
			return 1.0;
		}
		let (_, others) = self.shares(committed, window);
		1.0 - (1.0 - threshold).powi(others)
	}

	/// The same if it withholds each block of its own that hits. Another one comes in its place.
	fn chance_if_withheld(&self, committed: usize, window: usize, threshold: f64) -> f64 {
		let (own, others) = self.shares(committed, window);
		1.0 - (1.0 - threshold).powi(others) * (1.0 - threshold * threshold).powi(own)
	}
}

/// The best of so many choices.
fn least(choices: usize, chance: impl Fn(usize) -> f64) -> (usize, f64) {
	let all = (0..choices).map(|committed| (committed, chance(committed)));
	all.min_by(|one, other| one.1.total_cmp(&other.1)).unwrap()
}

fn as_float(share: Perquintill) -> f64 {
	share.deconstruct() as f64 / 1e18
}

/// The least chance of an audit that the terms reckon with.
fn assumed(rate: Perquintill) -> f64 {
	as_float(rate * (Perquintill::one() - Adversary::default().blanked_draws))
}

#[test]
fn the_best_of_sixteen_heights_to_commit_at_is_no_better_than_the_terms_assume() {
	const HEIGHTS: u32 = 16;
	const SEEDS: u64 = 2_000;
	for percent in [20, 50, 90] {
		let rate = Perquintill::from_percent(percent);
		let threshold = rate_per_block(rate, WINDOW);
		let (mut foreseen, mut found) = (0.0, 0.0);
		for salt in 0..SEEDS {
			let foresight = Foresight::of(salt, HEIGHTS + WINDOW, threshold);
			let seen = |at| foresight.chance(at, WINDOW as usize, as_float(threshold));
			let (committed, chance) = least(HEIGHTS as usize, seen);
			foreseen += chance / SEEDS as f64;
			let committed = u32::try_from(committed).unwrap();
			let of = |height| Some(output(salt, height));
			let drawn = audit(&attempt(salt, 0, 0), committed, WINDOW, rate, of);
			if matches!(drawn, AuditDraw::Audited(_)) {
				found += 1.0 / SEEDS as f64;
			}
		}
		assert!(foreseen >= assumed(rate), "{foreseen} at {percent} %");
		// Foresight is of what is really drawn: five standard deviations are at most 0.056.
		assert!((foreseen - found).abs() < 0.056, "{found} instead of {foreseen}");
	}
}

/// Whoever can wait long enough finds windows of which it authors more than the terms assume, so the
/// number of heights to choose from matters: a longer window makes up for more of them.
#[test]
fn whoever_times_its_commits_and_withholds_its_blocks_loses_money_at_the_lowest_rate() {
	const SEEDS: u64 = 500;
	const PAYMENT: u128 = 1_000_000;
	let rate = Perquintill::from_percent(20);
	let plan = AuditPlan { audit_rate: rate, auditors: 1, second: Perquintill::zero() };
	let terms = audit_terms(PAYMENT, plan, &Adversary::default()).unwrap();
	for (window, heights) in [(8, 64), (15, 200)] {
		let threshold = rate_per_block(rate, window);
		let best = |salt| {
			let foresight = Foresight::of(salt, heights + window, threshold);
			let seen = |at| foresight.chance_if_withheld(at, window as usize, as_float(threshold));
			least(heights as usize, seen).1
		};
		let audited = (0..SEEDS).map(best).sum::<f64>() / SEEDS as f64;
		// It holds three seats in ten, too.
		let convicted = audited * 0.7;
		let gain = (1.0 - convicted) * PAYMENT as f64;
		let loss = convicted * 0.7 * terms.collateral as f64;
		assert!(loss > gain, "{gain} against {loss} over {heights} heights");
	}
}

#[test]
fn a_block_that_is_withheld_brings_another_output_and_costs_its_author() {
	const SEEDS: u64 = 2_000;
	let rate = Perquintill::from_percent(20);
	let threshold = rate_per_block(rate, WINDOW);
	let (mut audited, mut withheld) = (0u32, 0);
	for salt in 0..SEEDS {
		let id = attempt(salt, 0, 0);
		let foresight = Foresight::of(salt, WINDOW, threshold);
		let carried = |height: u32, gone: &[bool]| {
			let other = if gone[height as usize - 1] { 1 << 32 } else { 0 };
			Some(output(salt ^ other, height))
		};
		let drawn = audit(&id, 0, WINDOW, rate, |height| carried(height, &foresight.hits));
		audited += u32::from(matches!(drawn, AuditDraw::Audited(_)));
		assert_ne!(drawn, AuditDraw::Unknown);
		withheld += foresight.hits.iter().filter(|hit| **hit).count();

		// What is audited for certain stays so.
		let always =
			audit(&id, 0, WINDOW, Perquintill::one(), |height| carried(height, &foresight.own));
		assert!(matches!(always, AuditDraw::Audited(_)));
	}
	// 0.145 is expected; the terms reckon with 0.1.
	let found = f64::from(audited) / SEEDS as f64;
	assert!(found >= assumed(rate), "{found}");
	assert!(withheld > 0, "it lost no block");
}
