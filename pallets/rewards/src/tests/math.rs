use crate::{math::*, Rules};
use proptest::prelude::*;
use sp_runtime::Perquintill;
use tequio_primitives::rewards::FeeTerms;

const ONE: u64 = 1_000_000_000_000_000_000;

fn fee_terms() -> impl Strategy<Value = FeeTerms> {
	(0..=ONE, 0..1u128 << 64)
		.prop_map(|(rate, min)| FeeTerms { rate: Perquintill::from_parts(rate), min })
}

fn rules() -> impl Strategy<Value = Rules> {
	(0..=ONE).prop_map(|treasury_part| Rules {
		treasury_part: Perquintill::from_parts(treasury_part),
		..Default::default()
	})
}

proptest! {
	/// The fee is the smallest integer that is below neither the exact one nor the least fee.
	#[test]
	fn fee_is_the_rate_rounded_up(payment in 0..1u128 << 64, terms in fee_terms()) {
		let exact = payment * u128::from(terms.rate.deconstruct());
		let least = if payment == 0 { 0 } else { terms.min };
		prop_assert_eq!(terms.on(payment), exact.div_ceil(u128::from(ONE)).max(least));
	}

	/// Fees on parts of a payment are not below the fee on the whole: what is locked for parts is
	/// enough for their sum.
	#[test]
	fn fee_on_a_sum_is_not_above_the_sum_of_fees(
		first in 0..1u128 << 120,
		second in 0..1u128 << 120,
		terms in fee_terms(),
	) {
		let whole = terms.on(first + second);
		prop_assert!(whole <= terms.on(first) + terms.on(second));
		prop_assert!(terms.on(first) <= whole);
	}

	/// The parts add up to the fee, whatever its size.
	#[test]
	fn parts_add_up(fee in any::<u128>(), rules in rules()) {
		let (treasury, author) = split(fee, &rules);
		prop_assert_eq!(treasury.checked_add(author), Some(fee));
	}
}
