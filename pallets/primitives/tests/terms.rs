//! Properties of audit terms and of the shares of a slash.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use proptest::prelude::*;
use sp_core::U256;
use sp_runtime::Perquintill;
use tequio_primitives::terms::{audit_terms, rate_per_block, slash_shares, Adversary, AuditPlan};

fn honest_world() -> Adversary {
	Adversary {
		blanked_draws: Perquintill::zero(),
		seats: Perquintill::zero(),
		captured_verdicts: Perquintill::zero(),
	}
}

/// Two auditors, and never a third.
fn plan(audit_rate: Perquintill) -> AuditPlan {
	AuditPlan { audit_rate, auditors: 2, second: Perquintill::zero() }
}

fn as_float(share: Perquintill) -> f64 {
	share.deconstruct() as f64 / 1e18
}

fn share() -> impl Strategy<Value = Perquintill> {
	(0u64..=1_000_000_000_000_000_000).prop_map(Perquintill::from_parts)
}

/// A payment up to 10¹² TEQ.
fn payment() -> impl Strategy<Value = u128> {
	0u128..1_000_000_000_000_000_000_000_000
}

/// Any payment, as often small as large: of the largest ones the collateral has no place.
fn any_payment() -> impl Strategy<Value = u128> {
	(any::<u128>(), 0u32..128).prop_map(|(payment, shift)| payment >> shift)
}

#[test]
fn the_assumed_adversary_leaves_a_third() {
	let terms = audit_terms(7_000, plan(Perquintill::one()), &Adversary::default()).unwrap();
	assert!((as_float(terms.conviction) - 1.0 / 3.0).abs() < 1e-15);
	// 1.25 · 7000 · (2/3) / (0.7 · 1/3) = 25 000.
	assert!((25_000..=25_001).contains(&terms.collateral), "{}", terms.collateral);
}

#[test]
fn work_that_nobody_could_be_convicted_of_has_no_terms() {
	let whole = Perquintill::one();
	assert_eq!(audit_terms(1, plan(Perquintill::zero()), &honest_world()), None);
	for adversary in [
		Adversary { blanked_draws: whole, ..honest_world() },
		Adversary { seats: whole, ..honest_world() },
		Adversary { captured_verdicts: whole, ..honest_world() },
	] {
		assert_eq!(audit_terms(1, plan(whole), &adversary), None);
	}
	assert_eq!(audit_terms(u128::MAX, plan(whole), &Adversary::default()), None);
}

#[test]
fn certain_conviction_asks_for_the_least_collateral() {
	let terms = audit_terms(1_000, plan(Perquintill::one()), &honest_world()).unwrap();
	assert_eq!(terms.collateral, 1_250);
}

#[test]
fn terms_keep_what_was_planned() {
	let plan = AuditPlan {
		audit_rate: Perquintill::from_percent(20),
		auditors: 3,
		second: Perquintill::from_percent(5),
	};
	let terms = audit_terms(1_000, plan, &Adversary::default()).unwrap();
	assert_eq!((terms.audit_rate, terms.auditors), (plan.audit_rate, plan.auditors));
	assert_eq!(terms.second, plan.second);
}

#[test]
fn one_block_hits_with_the_whole_rate() {
	for percent in 0..=100 {
		let rate = Perquintill::from_percent(percent);
		assert_eq!(rate_per_block(rate, 1), rate);
	}
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn cheating_loses_money(
		payment in payment(),
		rate in share(),
		blanked in share(),
		seats in share(),
	) {
		let adversary = Adversary { blanked_draws: blanked, seats, ..honest_world() };
		let Some(terms) = audit_terms(payment, plan(rate), &adversary) else { return Ok(()) };
		prop_assert!(terms.conviction <= rate);
		prop_assert!(terms.collateral >= payment + payment / 4);
		// With 30 % of its collateral back, a convicted cheat loses more than the others gain.
		let conviction = as_float(terms.conviction);
		let loss = 0.7 * conviction * terms.collateral as f64;
		let gain = (1.0 - conviction) * payment as f64;
		prop_assert!(loss >= gain, "{loss} against {gain}");
	}

	/// To the last unit, and with a quarter to spare: what a convicted cheat loses, after it has paid
	/// itself the whole bounty, weighs more than what it gains when it gets away.
	#[test]
	fn cheating_loses_money_for_every_rate_and_value(
		payment in any_payment(),
		rate in share(),
		blanked in share(),
		seats in share(),
		captured in share(),
	) {
		let adversary =
			Adversary { blanked_draws: blanked, seats, captured_verdicts: captured };
		let Some(terms) = audit_terms(payment, plan(rate), &adversary) else { return Ok(()) };
		let convicted = U256::from(terms.conviction.deconstruct());
		let escaped = U256::from((Perquintill::one() - terms.conviction).deconstruct());
		let collateral = U256::from(terms.collateral);
		let bounty = U256::from(slash_shares(terms.collateral, 0, true).bounty);
		let (loss, gain) = (convicted * (collateral - bounty), escaped * U256::from(payment));
		prop_assert!(loss * 100 >= gain * 125);
		prop_assert!(collateral * 100 >= U256::from(payment) * 125);
	}

	#[test]
	fn more_to_earn_never_asks_for_less_collateral(
		one in payment(),
		other in payment(),
		rate in share(),
	) {
		let terms = |payment| audit_terms(payment, plan(rate), &Adversary::default());
		if let (Some(small), Some(large)) = (terms(one.min(other)), terms(one.max(other))) {
			prop_assert!(small.collateral <= large.collateral);
			prop_assert_eq!(small.conviction, large.conviction);
		}
	}

	#[test]
	fn fewer_audits_never_ask_for_less_collateral(
		payment in payment(),
		one in share(),
		other in share(),
	) {
		let terms = |rate| audit_terms(payment, plan(rate), &Adversary::default());
		if let (Some(rare), Some(often)) = (terms(one.min(other)), terms(one.max(other))) {
			prop_assert!(rare.collateral >= often.collateral);
		}
	}

	#[test]
	fn a_window_of_blocks_hits_with_the_whole_rate(rate in share(), blocks in 1u32..=16) {
		let each = as_float(rate_per_block(rate, blocks));
		let missed = (0..blocks).fold(1.0, |missed, _| missed * (1.0 - each));
		prop_assert!((1.0 - missed - as_float(rate)).abs() < 1e-9);
		prop_assert!(each <= as_float(rate) + 1e-15);
	}

	#[test]
	fn shares_of_a_slash_add_up(
		taken in any::<u128>(),
		owed in any::<u128>(),
		proved in any::<bool>(),
	) {
		let shares = slash_shares(taken, owed, proved);
		let sum = shares.compensation.checked_add(shares.bounty);
		let sum = sum.and_then(|sum| sum.checked_add(shares.burned));
		prop_assert_eq!(sum, Some(taken));
		prop_assert_eq!(shares.compensation, owed.min(taken));
		let rest = taken - shares.compensation;
		if proved {
			prop_assert!(shares.bounty <= rest / 10 * 3 + 3 && shares.bounty >= rest / 10 * 3);
		} else {
			prop_assert_eq!(shares.bounty, 0);
		}
	}
}
