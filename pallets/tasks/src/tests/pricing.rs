//! Budgets, as examples and as properties.

use crate::{pricing::*, TaskSpec};
use proptest::prelude::*;
use sp_runtime::Perquintill;
use tequio_primitives::{
	search::{ChunkRange, SearchSpec, AUDITORS},
	Balance,
};

fn fee(amount: Balance) -> Balance {
	Perquintill::from_percent(5).mul_ceil(amount)
}

fn with_fee(amount: Balance) -> Balance {
	amount + fee(amount)
}

#[test]
fn chunk_budget_adds_up() {
	let range = ChunkRange { start: 0, count: 256, share_difficulty: 4 };
	let budget = chunk_budget(&range, 100, fee).unwrap();
	assert_eq!((budget.payment, budget.audit_pay), (38_400, 12_800));
	let (search, audits, thin) = (40_320, 2 * 13_440, 13_020);
	assert_eq!(budget.total(), Some(search + audits + thin + audits));
	assert_eq!(budget.reserve(false, true), Some(search + thin + audits));
	assert_eq!(budget.reserve(true, false), Some(search + audits));
	assert_eq!(budget.reserve(true, true), Some(search));
}

#[test]
fn chunk_budget_locks_second_audits_even_if_a_thin_search_earns_nothing() {
	// 17 expected shares: only a search without any is thin.
	let range = ChunkRange { start: 0, count: 68, share_difficulty: 4 };
	assert!(is_thin(&range, 0) && !is_thin(&range, 1));
	let budget = chunk_budget(&range, 100, fee).unwrap();
	let audits = Balance::from(AUDITORS) * with_fee(budget.audit_pay);
	assert_eq!(budget.total(), Some(with_fee(budget.payment) + 2 * audits));
}

#[test]
fn chunk_budget_is_none_when_it_overflows() {
	let range = ChunkRange { start: 0, count: 256, share_difficulty: 4 };
	assert_eq!(chunk_budget(&range, Balance::MAX / 500, fee), None);
}

#[test]
fn earned_is_capped() {
	let range = ChunkRange { start: 0, count: 256, share_difficulty: 4 };
	assert_eq!(earned(&range, 10, 100), (40, 4_000));
	assert_eq!(earned(&range, 97, 100), earned(&range, 96, 100));
}

/// Searches of one to five chunks, of which the last may be smaller.
fn specs() -> impl Strategy<Value = TaskSpec> {
	(16u32..4_096, 1u32..=5, 16u16..=256, any::<u32>()).prop_map(|(size, chunks, lambda, cut)| {
		TaskSpec::RandomXSearch(SearchSpec {
			seed: [0; 32],
			template: Default::default(),
			nonce_offset: 0,
			start: 0,
			count: size * (chunks - 1) + 16 + cut % (size - 15),
			target: [0; 32],
			chunk_size: size,
			lambda,
		})
	})
}

proptest! {
	#[test]
	fn a_chunk_never_costs_more_than_its_budget(
		spec in specs(),
		price in 1..1_000_000_000_000_000u128,
		first in 0u32..400,
		second in 0u32..400,
	) {
		for index in 0..spec.chunks() {
			let range = spec.range(index);
			let budget = chunk_budget(&range, price, fee).unwrap();
			let audits = Balance::from(AUDITORS) * with_fee(budget.audit_pay);
			let mut left = budget.total().unwrap();
			for (again, shares) in [(false, first), (true, second)] {
				prop_assert!(left >= budget.reserve(again, false).unwrap());
				left = left.checked_sub(audits).unwrap();
				prop_assert!(left >= budget.reserve(again, true).unwrap());
				let (units, amount) = earned(&range, shares, price);
				prop_assert_eq!(amount, Balance::from(units) * price);
				prop_assert!(amount <= budget.payment);
				left = left.checked_sub(with_fee(amount)).unwrap();
				if !is_thin(&range, shares) {
					break;
				}
			}
		}
	}

	#[test]
	fn the_cost_of_a_task_is_the_sum_of_its_chunks(
		spec in specs(),
		price in 1..1_000_000_000_000_000u128,
		bonus in 0..1_000_000_000_000_000u128,
	) {
		let total = |index| chunk_budget(&spec.range(index), price, fee).unwrap().total().unwrap();
		for first in 0..=spec.chunks() {
			let sum: Balance = (first..spec.chunks()).map(total).sum();
			prop_assert_eq!(cost_from(&spec, first, price, fee), Some(sum));
		}
		let chunks = cost_from(&spec, 0, price, fee).unwrap();
		prop_assert_eq!(task_cost(&spec, price, bonus, fee), Some(chunks + with_fee(bonus)));
	}
}
