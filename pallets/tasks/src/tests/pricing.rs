//! Budgets, as examples and as properties.

use crate::{
	mock::{output_of, program, search},
	pricing::*,
	TaskSpec, MAX_FETCH_FEES,
};
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::Perquintill;
use tequio_primitives::{
	recompute::RecomputeSpec, rewards::FeeTerms, search::SearchSpec, tasks::Delivered, Balance,
	WorkClass,
};

/// 5 %, and two audits of each result.
fn tariff(price: Balance) -> Tariff {
	let fee = FeeTerms { rate: Perquintill::from_percent(5), min: 0 };
	Tariff { price, fee, most_audits: 2, fetch_fee: 1_000 }
}

fn with_fee(tariff: &Tariff, amount: Balance) -> Balance {
	amount + tariff.fee.on(amount)
}

#[test]
fn chunk_budget_adds_up() {
	let budget = chunk_budget(&search(1), 0, &tariff(100)).unwrap();
	assert_eq!((budget.payment, budget.audit_pay), (38_400, 9_700));
	let (work, audits, thin) = (40_320, 2 * 10_185, 13_020);
	assert_eq!(budget.total(), Some(work + audits + thin + audits));
	assert_eq!(budget.rounds(), 2);
	assert_eq!(budget.reserve(false, 1), Some(work + thin + audits));
	assert_eq!(budget.reserve(true, 1), Some(work + audits));
	assert_eq!(budget.reserve(true, 2), Some(work));
}

#[test]
fn chunk_budget_of_a_program_adds_up() {
	let budget = chunk_budget(&program(1, 4), 0, &tariff(100)).unwrap();
	assert_eq!((budget.payment, budget.audit_pay), (10_000, 10_000));
	assert_eq!(budget.total(), Some(3 * 10_500));
	assert_eq!(budget.rounds(), 1);
	assert_eq!(budget.reserve(false, 1), Some(10_500));
}

#[test]
fn chunk_budget_locks_second_audits_even_if_a_thin_search_earns_nothing() {
	// 17 expected shares: only a search without any is thin.
	let TaskSpec::RandomXSearch(spec) = search(1) else { panic!("a search is a search") };
	let spec = TaskSpec::RandomXSearch(SearchSpec { count: 68, ..spec });
	let thin = |shares| is_thin(&spec, 0, &Delivered::Shares(shares));
	assert!(thin(0) && !thin(1));
	let tariff = tariff(100);
	let budget = chunk_budget(&spec, 0, &tariff).unwrap();
	let audits = 2 * with_fee(&tariff, budget.audit_pay);
	assert_eq!(budget.total(), Some(with_fee(&tariff, budget.payment) + 2 * audits));
}

#[test]
fn chunk_budget_is_none_when_it_overflows() {
	assert_eq!(chunk_budget(&search(1), 0, &tariff(Balance::MAX / 500)), None);
	assert_eq!(chunk_budget(&program(1, 1), 0, &tariff(Balance::MAX / 200)), None);
}

#[test]
fn earned_is_capped() {
	let of = |shares| earned(&search(1), 0, &Delivered::Shares(shares), 100);
	assert_eq!(of(10), (40, 4_000));
	assert_eq!(of(97), of(96));
}

#[test]
fn earned_is_all_or_nothing_for_programs() {
	let whole = Delivered::Whole(output_of(0));
	assert_eq!(earned(&program(1, 1), 0, &whole, 100), (100, 10_000));
	// What another class counts is worth nothing.
	assert_eq!(earned(&program(1, 1), 0, &Delivered::Shares(7), 100), (0, 0));
	assert_eq!(earned(&search(1), 0, &whole, 100), (0, 0));
}

/// Searches of one to five chunks, of which the last may be smaller.
fn searches() -> impl Strategy<Value = TaskSpec> {
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

fn programs() -> impl Strategy<Value = TaskSpec> {
	(1u32..=5, 1u32..4_096, 1u8..=7).prop_map(|(chunks, units, replicas)| {
		let (class, program) = (WorkClass::Integer, H256::zero());
		TaskSpec::Recompute(RecomputeSpec { class, program, chunks, units, replicas })
	})
}

fn specs() -> impl Strategy<Value = TaskSpec> {
	prop_oneof![3 => searches(), 1 => programs()]
}

fn tariffs() -> impl Strategy<Value = Tariff> {
	(1..1_000_000_000_000_000u128, 0u64..=100, 0..1_000_000u128, 1u8..=7, 0..1_000_000u128)
		.prop_map(|(price, percent, min, most_audits, fetch_fee)| {
			let fee = FeeTerms { rate: Perquintill::from_percent(percent), min };
			Tariff { price, fee, most_audits, fetch_fee }
		})
}

proptest! {
	#[test]
	fn a_chunk_never_costs_more_than_its_budget(
		spec in specs(),
		tariff in tariffs(),
		first in 0u32..400,
		second in 0u32..400,
	) {
		for index in 0..spec.chunks() {
			let budget = chunk_budget(&spec, index, &tariff).unwrap();
			let most = Balance::from(tariff.most_audits);
			let audits = most * with_fee(&tariff, budget.audit_pay);
			let mut left = budget.total().unwrap();
			for (round, shares) in [(0, first), (1, second)] {
				let again = round > 0;
				let delivered = match &spec {
					TaskSpec::RandomXSearch(_) => Delivered::Shares(shares),
					TaskSpec::Recompute(_) => Delivered::Whole(output_of(index)),
				};
				prop_assert!(round < budget.rounds());
				prop_assert!(left >= budget.reserve(again, round).unwrap());
				left = left.checked_sub(audits).unwrap();
				prop_assert!(left >= budget.reserve(again, round + 1).unwrap());
				let (units, amount) = earned(&spec, index, &delivered, tariff.price);
				prop_assert_eq!(amount, Balance::from(units) * tariff.price);
				prop_assert!(amount <= budget.payment);
				left = left.checked_sub(with_fee(&tariff, amount)).unwrap();
				if !is_thin(&spec, index, &delivered) {
					break;
				}
			}
		}
	}

	#[test]
	fn the_cost_of_a_task_is_the_sum_of_its_chunks(
		spec in specs(),
		tariff in tariffs(),
		bonus in 0..1_000_000_000_000_000u128,
	) {
		let total = |index| chunk_budget(&spec, index, &tariff).unwrap().total().unwrap();
		for first in 0..=spec.chunks() {
			let sum: Balance = (first..spec.chunks()).map(total).sum();
			prop_assert_eq!(cost_from(&spec, first, &tariff), Some(sum));
		}
		let chunks = cost_from(&spec, 0, &tariff).unwrap();
		let fetching = Balance::from(MAX_FETCH_FEES) * with_fee(&tariff, tariff.fetch_fee);
		let cost = chunks + with_fee(&tariff, bonus) + fetching;
		prop_assert_eq!(task_cost(&spec, bonus, &tariff), Some(cost));
	}
}
