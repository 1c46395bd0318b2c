//! Properties of searches: chunks, shares, claims.
#![allow(clippy::unwrap_used)]

use frame_support::BoundedVec;
use proptest::prelude::*;
use sp_core::U256;
use tequio_primitives::search::{
	meets, unclaimed, ChunkRange, SearchError, SearchSpec, AUDITED_PART, MAX_CLAIM, MIN_LAMBDA,
};

/// A search as of Monero block 3456098, with a target that any share may meet.
fn spec() -> SearchSpec {
	let mut target = [0xff; 32];
	target[31] = 0;
	SearchSpec {
		seed: [3; 32],
		template: BoundedVec::truncate_from(vec![0; 76]),
		nonce_offset: 39,
		start: 0,
		count: 4_096,
		target,
		chunk_size: 1_024,
		lambda: 64,
	}
}

fn searches() -> impl Strategy<Value = SearchSpec> {
	(any::<u32>(), 1u32..5_000_000, 16u32..1_000_000, 16u16..=256).prop_map(
		|(start, count, chunk_size, lambda)| {
			let mut target = [0; 32];
			target[0] = 1;
			SearchSpec { start, count, chunk_size, lambda, target, ..spec() }
		},
	)
}

#[test]
fn a_usual_search_is_valid() {
	let spec = spec();
	assert_eq!(spec.validate(), Ok(()));
	assert_eq!(spec.chunks(), 4);
	assert_eq!(spec.share_difficulty(), 16);
	let range = spec.range(1);
	assert_eq!(range, ChunkRange { start: 1_024, count: 1_024, share_difficulty: 16 });
	assert_eq!(range.expected_shares(), 64);
	assert_eq!(range.max_paid_shares(), 96);
	assert_eq!(range.min_full_shares(), 32);
	assert_eq!(range.audited_count(), 2);
}

#[test]
fn what_cannot_be_searched_is_not_valid() {
	let refused = |spec: SearchSpec, error| assert_eq!(spec.validate(), Err(error));
	refused(SearchSpec { count: 0, ..spec() }, SearchError::EmptyRange);
	refused(SearchSpec { start: u32::MAX, ..spec() }, SearchError::RangeOverflows);
	refused(SearchSpec { nonce_offset: 73, ..spec() }, SearchError::NonceOutsideTemplate);
	refused(SearchSpec { lambda: 15, ..spec() }, SearchError::LambdaOutOfBounds);
	refused(SearchSpec { lambda: 257, ..spec() }, SearchError::LambdaOutOfBounds);
	refused(SearchSpec { chunk_size: 15, ..spec() }, SearchError::ChunkTooSmall);
	refused(SearchSpec { count: 4_097, ..spec() }, SearchError::ChunkTooSmall);
	refused(SearchSpec { target: [0; 32], ..spec() }, SearchError::ZeroTarget);
	refused(SearchSpec { target: [0xff; 32], ..spec() }, SearchError::TargetTooEasy);
	assert_eq!(SearchSpec { nonce_offset: 72, ..spec() }.validate(), Ok(()));
}

#[test]
fn hashes_are_compared_as_whole_little_endian_integers() {
	let with = |place: usize, byte| {
		let mut hash = [7; 32];
		hash[place] = byte;
		hash
	};
	assert!(meets(&[7; 32], &[7; 32]));
	for place in 0..32 {
		assert!(meets(&with(place, 6), &[7; 32]));
		assert!(!meets(&with(place, 8), &[7; 32]));
	}
	// The last byte weighs most.
	let mut hash = with(0, 255);
	hash[31] = 6;
	assert!(meets(&hash, &[7; 32]));
}

#[test]
fn a_range_where_every_nonce_is_a_share_is_never_thin() {
	let range = ChunkRange { start: 0, count: 64, share_difficulty: 1 };
	assert_eq!(range.min_full_shares(), 0);
	assert_eq!(range.max_paid_shares(), 64);
	assert_eq!(range.share_target(), [0xff; 32]);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

	#[test]
	fn chunks_cover_the_range_once(spec in searches()) {
		prop_assume!(spec.validate().is_ok());
		let chunks = spec.chunks();
		let ends = [0, chunks / 2, chunks - 1];
		for index in ends {
			let range = spec.range(index);
			prop_assert!(range.count >= MIN_LAMBDA && range.count <= spec.chunk_size);
			prop_assert_eq!(range.start, spec.start + index * spec.chunk_size);
			if index + 1 < chunks {
				prop_assert_eq!(range.start + range.count, spec.range(index + 1).start);
			}
		}
		let last = spec.range(chunks - 1);
		prop_assert_eq!(last.start + (last.count - 1), spec.start + (spec.count - 1));
	}

	#[test]
	fn shares_are_bounded(spec in searches()) {
		prop_assume!(spec.validate().is_ok());
		let range = spec.range(0);
		let expected = range.expected_shares();
		prop_assert!(expected <= u32::from(spec.lambda));
		prop_assert!(range.min_full_shares() <= expected);
		prop_assert!(range.max_paid_shares() >= expected);
		prop_assert!(range.max_paid_shares() <= range.count.min(MAX_CLAIM));
		let target = U256::from_little_endian(&range.share_target());
		let difficulty = U256::from(range.share_difficulty);
		prop_assert!(target.checked_mul(difficulty).is_some());
		prop_assert!(difficulty.is_zero() || (U256::MAX - target * difficulty) < difficulty);
	}

	#[test]
	fn the_audited_sub_range_lies_in_the_chunk(
		start in 0u32..u32::MAX / 2,
		count in 16u32..10_000_000,
		draw in any::<u64>(),
	) {
		let range = ChunkRange { start, count, share_difficulty: 4 };
		let (first, length) = SearchSpec::audited(&range, draw);
		prop_assert!(first >= start && first - start <= count - length);
		prop_assert_eq!(length, count.div_ceil(AUDITED_PART));
	}

	#[test]
	fn claims_are_ascending_nonces_of_the_range(
		start in any::<u32>(),
		count in 1u32..1_000,
		nonces in prop::collection::btree_set(0u32..1_000, 0..20),
	) {
		let range = ChunkRange { start, count, share_difficulty: 4 };
		let inside = nonces.iter().filter(|place| **place < count);
		let claim: Vec<u32> = inside.filter_map(|place| start.checked_add(*place)).collect();
		prop_assert!(range.contains_claim(&claim));
		if let (Some(first), Some(last)) = (claim.first(), claim.last()) {
			let doubled: Vec<u32> = [&claim[..], &[*last]].concat();
			prop_assert!(!range.contains_claim(&doubled));
			let turned: Vec<u32> = claim.iter().rev().copied().collect();
			prop_assert!(claim.len() == 1 || !range.contains_claim(&turned));
			if let Some(before) = start.checked_sub(1) {
				prop_assert!(!range.contains_claim(&[before, *first]));
			}
			if let Some(after) = start.checked_add(count) {
				prop_assert!(!range.contains_claim(&[*last, after]));
			}
		}
	}

	#[test]
	fn auditors_look_at_what_is_not_claimed(
		start in 0u32..1_000,
		count in 0u32..200,
		claim in prop::collection::btree_set(0u32..1_200, 0..50),
	) {
		let claim: Vec<u32> = claim.into_iter().collect();
		let left = unclaimed(&claim, start, count);
		for nonce in start..start + count {
			prop_assert_ne!(left.contains(&nonce), claim.contains(&nonce));
		}
		prop_assert!(left.iter().all(|nonce| (start..start + count).contains(nonce)));
	}
}
