//! What is ordered, and what results are taken for.

#![allow(clippy::unwrap_used)]

use super::*;
use tequio_primitives::search::{MAX_CLAIM, MAX_FAULTS, MAX_WINNERS};

/// A hash that meets the target of [`spec`], and one that does not.
const LOW: [u8; 32] = [0; 32];
const HIGH: [u8; 32] = [0xff; 32];

fn spec() -> SearchSpec {
	let mut target = [0xff; 32];
	target[31] = 0;
	SearchSpec {
		seed: [1; 32],
		template: vec![2; 76].try_into().unwrap(),
		nonce_offset: 39,
		start: 1_000,
		count: 4_096,
		target,
		chunk_size: 1_024,
		lambda: 64,
	}
}

fn search() -> Search {
	let spec = spec();
	Search { range: spec.range(1), spec, audit: None }
}

fn audit(claim: Vec<Nonce>) -> Search {
	let shares = claim.try_into().unwrap();
	Search { audit: Some(Audit { shares, sub_range: (2_100, 128) }), ..search() }
}

fn won(nonce: Nonce, hash: [u8; 32]) -> randomx::Winner {
	randomx::Winner { nonce, hash }
}

fn searched(claim: Vec<Nonce>, winners: Vec<randomx::Winner>) -> Vec<u8> {
	SearchResult { claim, shares: [3; 32], winners }.encode()
}

/// What a search shows.
fn shown(work: &Work) -> &SearchOpening {
	match &work.opening {
		Opening::Search(opening) => opening,
		other => panic!("a search shows shares, not {other:?}"),
	}
}

fn audited(false_shares: Vec<Nonce>, unclaimed_shares: Vec<Nonce>) -> Vec<u8> {
	AuditResult { shares: [3; 32], winners: vec![], false_shares, unclaimed_shares }.encode()
}

#[test]
fn a_search_order_names_the_chunk_and_both_targets() {
	let order = search();
	let RandomXJob::Search { puzzle, start, count } =
		RandomXJob::decode_all(&mut order.payload().as_slice()).unwrap()
	else {
		panic!("a search is ordered");
	};
	assert_eq!((start, count), (2_024, 1_024));
	assert_eq!(puzzle.target, order.spec.target);
	assert_eq!(puzzle.share_target, order.range.share_target());
	assert_eq!((puzzle.template.len(), puzzle.nonce_offset), (76, 39));
}

#[test]
fn an_audit_order_names_claim_and_sub_range() {
	let order = audit(vec![2_030, 2_031]);
	let RandomXJob::Audit { claim, start, count, .. } =
		RandomXJob::decode_all(&mut order.payload().as_slice()).unwrap()
	else {
		panic!("an audit is ordered");
	};
	assert_eq!((claim, start, count), (vec![2_030, 2_031], 2_100, 128));
	assert_ne!(order.payload(), audit(vec![2_030]).payload());
}

#[test]
fn units_are_the_hashes_that_are_computed() {
	assert_eq!(search().units(), 1_024);
	assert_eq!(audit(vec![2_030, 2_031]).units(), 2 + 128);
}

#[test]
fn a_search_result_becomes_claim_and_opening() {
	let result = searched(vec![2_024, 2_100, 3_047], vec![won(2_100, LOW)]);
	let work = search().work(&result).unwrap();
	let shares = Shares::truncate_from(vec![2_024, 2_100, 3_047]);
	assert_eq!(work.claim, Claim::Shares(shares));
	let opening = shown(&work);
	assert_eq!(opening.shares.0, [3; 32]);
	assert_eq!(opening.winners.to_vec(), vec![Winner { nonce: 2_100, hash: LOW }]);
	assert!(opening.faults.is_empty());
}

#[test]
fn winners_are_the_first_by_nonce() {
	let claim: Vec<Nonce> = (2_024..2_024 + MAX_WINNERS + 4).collect();
	let found: Vec<_> = claim.iter().rev().map(|nonce| won(*nonce, LOW)).collect();
	let work = search().work(&searched(claim.clone(), found)).unwrap();
	let named: Vec<Nonce> = shown(&work).winners.iter().map(|winner| winner.nonce).collect();
	assert_eq!(named, claim[..named.len()].to_vec());
	assert_eq!(named.len(), MAX_WINNERS as usize);
}

#[test]
fn faults_are_false_shares_then_unclaimed_ones() {
	let order = audit(vec![2_030, 2_040, 2_050]);
	let work = order.work(&audited(vec![2_050, 2_030], vec![2_110, 2_105])).unwrap();
	let expected = vec![
		Fault::FalseShare(2_030),
		Fault::FalseShare(2_050),
		Fault::UnclaimedShare(2_105),
		Fault::UnclaimedShare(2_110),
	];
	assert_eq!(shown(&work).faults.to_vec(), expected);
	assert_eq!(work.claim, Claim::Nothing);
}

#[test]
fn faults_are_cut_to_what_an_opening_names() {
	let claim: Vec<Nonce> = (2_024..2_024 + MAX_FAULTS - 1).collect();
	let work = audit(claim.clone()).work(&audited(claim, vec![2_111, 2_110])).unwrap();
	assert_eq!(shown(&work).faults.len(), MAX_FAULTS as usize);
	assert_eq!(shown(&work).faults.last(), Some(&Fault::UnclaimedShare(2_110)));
}

#[test]
fn a_search_that_found_no_shares_claims_none() {
	let work = search().work(&searched(vec![], vec![])).unwrap();
	assert_eq!(work.claim, Claim::Shares(Shares::new()));
}

#[test]
fn a_claim_that_is_too_long_is_unusable() {
	let order = |count: u32| {
		let spec = SearchSpec { chunk_size: 4_096, ..spec() };
		let result = searched((1_000..1_000 + count).collect(), vec![]);
		Search { range: spec.range(0), spec, ..search() }.work(&result)
	};
	assert!(order(MAX_CLAIM).is_ok());
	assert_eq!(order(MAX_CLAIM + 1), Err(Unusable::TooManyShares));
}

#[test]
fn what_the_chain_would_refuse_is_unusable() {
	for (claim, winners) in [
		// Outside the range, out of order, twice.
		(vec![2_023], vec![]),
		(vec![2_030, 2_029], vec![]),
		(vec![2_030, 2_030], vec![]),
		// A winner that is not claimed, above the target, named twice.
		(vec![2_030], vec![won(2_031, LOW)]),
		(vec![2_030], vec![won(2_030, HIGH)]),
		(vec![2_030], vec![won(2_030, LOW), won(2_030, LOW)]),
	] {
		let result = searched(claim, winners);
		assert_eq!(search().work(&result), Err(Unusable::Contradictory));
	}
	for (false_shares, unclaimed) in [
		(vec![2_031], vec![]),
		(vec![2_030, 2_030], vec![]),
		(vec![], vec![2_099]),
		(vec![], vec![2_228]),
		(vec![], vec![2_110, 2_110]),
	] {
		let result = audited(false_shares, unclaimed);
		assert_eq!(audit(vec![2_030]).work(&result), Err(Unusable::Contradictory));
	}
}

#[test]
fn nonsense_and_trailing_bytes_are_malformed() {
	assert_eq!(search().work(&[1]), Err(Unusable::Malformed));
	let mut result = searched(vec![], vec![]);
	result.push(0);
	assert_eq!(search().work(&result), Err(Unusable::Malformed));
}
