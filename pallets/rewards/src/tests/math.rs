use crate::{math::*, Rules};
use proptest::prelude::*;
use sp_runtime::Perquintill;

const ONE: u64 = 1_000_000_000_000_000_000;

fn rules() -> impl Strategy<Value = Rules> {
	(0..=ONE, 0..1u128 << 64, 0..=ONE).prop_map(|(fee_rate, min_fee, treasury_part)| Rules {
		min_fee,
		fee_rate: Perquintill::from_parts(fee_rate),
		treasury_part: Perquintill::from_parts(treasury_part),
	})
}

proptest! {
	/// The fee is the smallest integer that is below neither the exact one nor the least fee.
	#[test]
	fn fee_is_the_rate_rounded_up(payment in 0..1u128 << 64, rules in rules()) {
		let exact = payment * u128::from(rules.fee_rate.deconstruct());
		let fee = fee_on(payment, &rules);
		let least = if payment == 0 { 0 } else { rules.min_fee };
		prop_assert_eq!(fee, exact.div_ceil(u128::from(ONE)).max(least));
	}

	/// Fees on parts of a payment are not below the fee on the whole: what is locked for parts is
	/// enough for their sum.
	#[test]
	fn fee_on_a_sum_is_not_above_the_sum_of_fees(
		first in 0..1u128 << 120,
		second in 0..1u128 << 120,
		rules in rules(),
	) {
		prop_assert!(fee_on(first + second, &rules) <= fee_on(first, &rules) + fee_on(second, &rules));
		prop_assert!(fee_on(first, &rules) <= fee_on(first + second, &rules));
	}

	/// The parts add up to the fee, whatever its size.
	#[test]
	fn parts_add_up(fee in any::<u128>(), rules in rules()) {
		let (treasury, author) = split(fee, &rules);
		prop_assert_eq!(treasury.checked_add(author), Some(fee));
	}
}
