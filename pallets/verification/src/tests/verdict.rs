use crate::verdict::{compare, fits_auditor, fits_worker, judge, penalty, Comparison, Outcome};
use frame_support::BoundedVec;
use proptest::prelude::*;
use sp_core::H256;
use tequio_primitives::{
	search::{Claim, Fault, Opening, Winner},
	tasks::{RejectReason::*, UndecidedReason::*},
	Balance,
};

/// Everything that an auditor may be found to have said: nothing, the worker's opening, other
/// hashes, two kinds of accusations.
fn sayings() -> Vec<Option<Opening>> {
	let opening = |byte, faults: Vec<Fault>| Opening {
		shares: H256::repeat_byte(byte),
		winners: Default::default(),
		faults: BoundedVec::truncate_from(faults),
	};
	vec![
		None,
		Some(opening(1, vec![])),
		Some(opening(2, vec![])),
		Some(opening(1, vec![Fault::FalseShare(5)])),
		Some(opening(1, vec![Fault::UnclaimedShare(6)])),
	]
}

fn worker() -> Opening {
	sayings()[1].clone().unwrap()
}

#[test]
fn openings_are_equal_or_wrong() {
	for said in sayings().into_iter().flatten() {
		let expected = if said == worker() { Comparison::Equal } else { Comparison::Wrong };
		assert_eq!(compare(&worker(), &said), expected);
	}
}

#[test]
fn a_worker_who_does_not_reveal_is_rejected_whatever_the_auditors_say() {
	for one in sayings() {
		for other in sayings() {
			let outcome = judge(None, &[one.as_ref(), other.as_ref()]);
			assert_eq!(outcome, Outcome::Rejected(NotRevealed));
		}
	}
	assert_eq!(judge(None, &[]), Outcome::Rejected(NotRevealed));
}

#[test]
fn without_an_audit_a_reveal_is_accepted() {
	assert_eq!(judge(Some(&worker()), &[]), Outcome::Accepted);
}

#[test]
fn two_auditors_judge_by_this_table() {
	use Outcome::{Accepted, Rejected, Undecided};
	let no = Undecided(NoAuditors);
	let quarrel = Undecided(Disagreement);
	let wrong = Rejected(ProvenWrong);
	// Rows: the first auditor; columns: the second; both in the order of `sayings`.
	let table = [
		[no, Accepted, quarrel, quarrel, quarrel],
		[Accepted, Accepted, quarrel, quarrel, quarrel],
		[quarrel, quarrel, quarrel, quarrel, quarrel],
		[quarrel, quarrel, quarrel, wrong, quarrel],
		[quarrel, quarrel, quarrel, quarrel, wrong],
	];
	let sayings = sayings();
	for (one, row) in sayings.iter().zip(table) {
		for (other, expected) in sayings.iter().zip(row) {
			let outcome = judge(Some(&worker()), &[one.as_ref(), other.as_ref()]);
			assert_eq!(outcome, expected, "{one:?} and {other:?}");
		}
	}
}

#[test]
fn a_conviction_needs_every_auditor_of_any_number() {
	let sayings = sayings();
	let accuser = sayings[3].clone();
	for places in 2..=7 {
		let mut all = vec![accuser.as_ref(); places];
		assert_eq!(judge(Some(&worker()), &all), Outcome::Rejected(ProvenWrong));
		for other in sayings.iter().filter(|said| **said != accuser) {
			all[0] = other.as_ref();
			let outcome = judge(Some(&worker()), &all);
			assert_ne!(outcome, Outcome::Rejected(ProvenWrong));
		}
	}
}

fn claim() -> Claim {
	BoundedVec::truncate_from(vec![10, 12, 14])
}

fn target() -> [u8; 32] {
	let mut target = [0xff; 32];
	target[31] = 0;
	target
}

fn with_winners(list: &[(u32, u8)]) -> Opening {
	let winners = list.iter().map(|(nonce, byte)| Winner { nonce: *nonce, hash: [*byte; 32] });
	Opening { winners: BoundedVec::truncate_from(winners.collect()), ..worker() }
}

fn with_faults(list: &[Fault]) -> Opening {
	Opening { faults: BoundedVec::truncate_from(list.to_vec()), ..worker() }
}

#[test]
fn winners_are_claimed_nonces_under_the_target() {
	for (winners, fits) in [
		(&[][..], true),
		(&[(10, 0)], true),
		(&[(10, 0), (14, 0)], true),
		(&[(10, 1)], false),
		(&[(11, 0)], false),
		(&[(14, 0), (10, 0)], false),
		(&[(10, 0), (10, 0)], false),
	] {
		let opening = with_winners(winners);
		assert_eq!(fits_worker(&opening, &claim(), &target()), fits, "{winners:?}");
		assert_eq!(fits_auditor(&opening, &claim(), (20, 4), &target()), fits, "{winners:?}");
	}
}

#[test]
fn faults_lie_where_they_can_be() {
	use Fault::{FalseShare, UnclaimedShare};
	for (faults, fits) in [
		(&[][..], true),
		(&[FalseShare(10), FalseShare(14), UnclaimedShare(11), UnclaimedShare(13)], true),
		(&[FalseShare(11)], false),
		(&[UnclaimedShare(10)], false),
		(&[UnclaimedShare(9)], false),
		(&[UnclaimedShare(15)], false),
		(&[FalseShare(14), FalseShare(10)], false),
		(&[FalseShare(10), FalseShare(10)], false),
		(&[UnclaimedShare(11), FalseShare(14)], false),
	] {
		let opening = with_faults(faults);
		assert_eq!(fits_auditor(&opening, &claim(), (11, 4), &target()), fits, "{faults:?}");
		assert_eq!(fits_worker(&opening, &claim(), &target()), faults.is_empty());
	}
}

proptest! {
	#[test]
	fn a_penalty_gives_no_more_than_was_taken(
		collateral in any::<Balance>(),
		audit_pay in any::<Balance>(),
		revealed in 0usize..=7,
		proved in any::<bool>(),
	) {
		let owners: Vec<usize> = (0..revealed).collect();
		let penalty = penalty(collateral, audit_pay, &owners, proved);
		let given = penalty.compensation.iter().chain(&penalty.bounty);
		let sum = given.map(|(_, part)| *part).try_fold(0u128, Balance::checked_add);
		prop_assert!(sum.is_some_and(|sum| sum <= collateral));
		prop_assert!(penalty.compensation.iter().all(|(_, part)| *part <= audit_pay));
		prop_assert!(proved || penalty.bounty.is_empty());
	}
}
