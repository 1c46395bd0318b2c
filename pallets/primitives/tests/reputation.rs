//! Properties of reputation and of the audit rate that follows from it.

use proptest::prelude::*;
use sp_core::U256;
use sp_runtime::Perquintill;
use tequio_primitives::{
	reputation::{Deed, Reputation, Trust},
	Balance,
};

const HALF_LIFE: u32 = 100;

fn floor() -> Perquintill {
	Perquintill::from_percent(20)
}

/// Somebody whose results of this value were all audited and accepted, at height 0.
fn trusted(times: u32, value: Balance) -> Reputation {
	let deed = Deed::Accepted { value, audited: true };
	(0..times).fold(Reputation::default(), |reputation, _| reputation.after(deed, 0, HALF_LIFE))
}

fn rate(reputation: &Reputation, value: Balance) -> Perquintill {
	reputation.audit_rate(value, floor(), &Trust::default())
}

fn reputation() -> impl Strategy<Value = Reputation> {
	// As often small as large: what matters is how streak and value compare.
	let streak = (any::<Balance>(), 0u32..128).prop_map(|(streak, shift)| streak >> shift);
	let counts = (0u32..40, any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>());
	(streak, counts, any::<u32>()).prop_map(
		|(streak, (passed, accepted, rejected, late, declined), halved_at)| Reputation {
			streak,
			passed,
			accepted,
			rejected,
			late,
			declined,
			halved_at,
		},
	)
}

fn value() -> impl Strategy<Value = Balance> {
	(any::<Balance>(), 0u32..128).prop_map(|(value, shift)| value >> shift)
}

fn share() -> impl Strategy<Value = Perquintill> {
	(0u64..=1_000_000_000_000_000_000).prop_map(Perquintill::from_parts)
}

fn deed() -> impl Strategy<Value = Deed> {
	prop_oneof![
		Just(Deed::Nothing),
		(value(), any::<bool>()).prop_map(|(value, audited)| Deed::Accepted { value, audited }),
		Just(Deed::Rejected),
		Just(Deed::Late),
		Just(Deed::Declined),
	]
}

#[test]
fn nobody_is_trusted_before_enough_audits() {
	let audits = Trust::default().audits;
	for times in 0..audits {
		assert_eq!(rate(&trusted(times, 1_000), 1), Perquintill::one());
	}
	assert_eq!(rate(&trusted(audits, 1_000), 1), floor());
}

#[test]
fn the_rate_is_the_value_in_the_streak() {
	let reputation = trusted(10, 1_000);
	assert_eq!(rate(&reputation, 10_000), Perquintill::one());
	assert_eq!(rate(&reputation, 5_000), Perquintill::from_percent(50));
	assert_eq!(rate(&reputation, 2_000), floor());
	assert_eq!(rate(&reputation, 1_000), floor());
}

#[test]
fn a_streak_of_dust_does_not_help_with_a_large_chunk() {
	let dust = trusted(1_000, 1);
	assert_eq!(rate(&dust, 1), floor());
	for large in [1_000, 1_000_000, Balance::MAX] {
		assert_eq!(rate(&dust, large), Perquintill::one());
	}
	// Nor does dust that is worth nothing, however much of it.
	assert_eq!(rate(&trusted(1_000, 0), 1), Perquintill::one());
}

#[test]
fn only_audits_make_a_streak() {
	let unaudited = Deed::Accepted { value: 1_000, audited: false };
	let reputation = trusted(3, 50).after(unaudited, 0, HALF_LIFE);
	assert_eq!((reputation.streak, reputation.passed, reputation.accepted), (150, 3, 4));
}

#[test]
fn one_wrong_result_ends_the_streak() {
	let reputation = trusted(100, 1_000).after(Deed::Rejected, 0, HALF_LIFE);
	assert_eq!((reputation.streak, reputation.passed), (0, 0));
	assert_eq!((reputation.accepted, reputation.rejected), (100, 1));
	assert_eq!(rate(&reputation, 1), Perquintill::one());
}

#[test]
fn lateness_and_declines_are_counted_and_end_nothing() {
	let reputation = trusted(10, 1_000)
		.after(Deed::Late, 0, HALF_LIFE)
		.after(Deed::Declined, 0, HALF_LIFE)
		.after(Deed::Nothing, 0, HALF_LIFE);
	assert_eq!(reputation, Reputation { late: 1, declined: 1, ..trusted(10, 1_000) });
}

#[test]
fn every_number_is_halved_with_every_half_life() {
	let start = Reputation {
		streak: 1_001,
		passed: 41,
		accepted: 81,
		rejected: 5,
		late: 6,
		declined: 7,
		halved_at: 30,
	};
	assert_eq!(start.at(129, HALF_LIFE), start);
	let once = Reputation {
		streak: 500,
		passed: 20,
		accepted: 40,
		rejected: 2,
		late: 3,
		declined: 3,
		halved_at: 130,
	};
	assert_eq!(start.at(130, HALF_LIFE), once);
	assert_eq!(start.at(229, HALF_LIFE), once);
	assert_eq!(start.at(330, HALF_LIFE).streak, 125);
	assert_eq!(start.at(10_000_000, HALF_LIFE).streak, 0);
}

#[test]
fn a_half_life_counts_from_the_first_deed() {
	let deed = Deed::Accepted { value: 8, audited: true };
	let reputation = Reputation::default().after(deed, 150, HALF_LIFE);
	assert_eq!(reputation.halved_at, 150);
	assert_eq!(reputation.at(249, HALF_LIFE).streak, 8);
	assert_eq!(reputation.at(250, HALF_LIFE).streak, 4);
}

#[test]
fn extremes_saturate() {
	let most = Reputation {
		streak: Balance::MAX,
		passed: u32::MAX,
		accepted: u32::MAX,
		rejected: u32::MAX,
		late: u32::MAX,
		declined: u32::MAX,
		halved_at: 0,
	};
	let accepted = Deed::Accepted { value: Balance::MAX, audited: true };
	for deed in [accepted, Deed::Late, Deed::Declined] {
		assert_eq!(most.after(deed, 0, HALF_LIFE), most);
	}
	assert_eq!(most.after(Deed::Rejected, 0, HALF_LIFE).rejected, u32::MAX);
	assert_eq!(rate(&most, Balance::MAX), Perquintill::one());
	let gone = Reputation { halved_at: u32::MAX, ..Reputation::default() };
	assert_eq!(most.at(u32::MAX, 1), gone);
	// Without a half-life nothing fades.
	assert_eq!(most.at(u32::MAX, 0), most);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn the_rate_is_never_below_the_floor_and_never_too_low_for_the_value(
		reputation in reputation(),
		value in value(),
		floor in share(),
		audits in 0u32..40,
	) {
		let rate = reputation.audit_rate(value, floor, &Trust { audits });
		prop_assert!(rate >= floor);
		if reputation.passed < audits || reputation.streak <= value {
			prop_assert_eq!(rate, Perquintill::one());
		}
		let parts = |share: Perquintill| U256::from(share.deconstruct());
		let streak = U256::from(reputation.streak.max(value));
		prop_assert!(parts(rate) * streak >= parts(Perquintill::one()) * U256::from(value));
	}

	#[test]
	fn more_trust_never_raises_the_rate(
		reputation in reputation(),
		more in any::<Balance>(),
		audits in 0u32..40,
		value in value(),
	) {
		let trusted_more = Reputation {
			streak: reputation.streak.saturating_add(more),
			passed: reputation.passed.saturating_add(audits),
			..reputation
		};
		prop_assert!(rate(&trusted_more, value) <= rate(&reputation, value));
	}

	#[test]
	fn more_value_never_lowers_the_rate(
		reputation in reputation(),
		one in value(),
		other in value(),
	) {
		let (small, large) = (one.min(other), one.max(other));
		prop_assert!(rate(&reputation, small) <= rate(&reputation, large));
	}

	#[test]
	fn time_alone_never_lowers_the_rate(
		reputation in reputation(),
		value in value(),
		now in any::<u32>(),
		half_life in any::<u32>(),
	) {
		let later = reputation.at(now, half_life);
		prop_assert!(rate(&reputation, value) <= rate(&later, value));
	}

	#[test]
	fn only_passed_audits_lower_the_rate(
		reputation in reputation(),
		deed in deed(),
		value in value(),
		now in any::<u32>(),
		half_life in any::<u32>(),
	) {
		let before = reputation.at(now, half_life);
		let after = reputation.after(deed, now, half_life);
		if let Deed::Accepted { audited: true, .. } = deed {
			prop_assert!(rate(&after, value) <= rate(&before, value));
		} else {
			prop_assert!(rate(&after, value) >= rate(&before, value));
		}
	}

	/// However often it is looked at on the way, the numbers at a height are the same.
	#[test]
	fn halvings_do_not_depend_on_who_looks_when(
		reputation in reputation(),
		one in any::<u32>(),
		other in any::<u32>(),
		half_life in any::<u32>(),
	) {
		let (first, last) = (one.min(other), one.max(other));
		let looked_at = reputation.at(first, half_life);
		prop_assert_eq!(looked_at.at(last, half_life), reputation.at(last, half_life));
	}

	/// Audits passed are among the results accepted, and heights never run ahead.
	#[test]
	fn numbers_stay_consistent(
		deeds in prop::collection::vec((deed(), 0u32..500), 1..40),
		half_life in 1u32..300,
	) {
		let (mut reputation, mut now) = (Reputation::default(), 0);
		for (deed, pause) in deeds {
			now += pause;
			reputation = reputation.after(deed, now, half_life);
			prop_assert!(reputation.passed <= reputation.accepted);
			prop_assert!(reputation.halved_at <= now);
			prop_assert!(now - reputation.halved_at < half_life);
		}
	}
}
