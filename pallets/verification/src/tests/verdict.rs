use crate::{
	opening::{fits_auditor, fits_worker},
	verdict::{judge, Judgement, Outcome},
};
use frame_support::BoundedVec;
use sp_core::H256;
use tequio_primitives::{
	opening::{Comparison, Opening},
	projection::{Projection, PROJECTED},
	recompute::OutputOpening,
	search::{Fault, SearchOpening, Shares, Winner},
	tasks::{RejectReason::*, UndecidedReason::*},
};

/// An opening with these hashes and faults.
fn opening(byte: u8, faults: Vec<Fault>) -> SearchOpening {
	SearchOpening {
		shares: H256::repeat_byte(byte),
		winners: Default::default(),
		faults: BoundedVec::truncate_from(faults),
	}
}

/// Everything that an auditor may be found to have said: nothing, the worker's opening, other
/// hashes, two kinds of accusations.
fn sayings() -> Vec<Option<Opening>> {
	let said = |byte, faults| Some(Opening::Search(opening(byte, faults)));
	vec![
		None,
		said(1, vec![]),
		said(2, vec![]),
		said(1, vec![Fault::FalseShare(5)]),
		said(1, vec![Fault::UnclaimedShare(6)]),
	]
}

fn worker() -> Opening {
	sayings()[1].clone().unwrap()
}

#[test]
fn openings_are_equal_or_wrong() {
	for said in sayings().into_iter().flatten() {
		let expected = if said == worker() { Comparison::Equal } else { Comparison::Wrong };
		assert_eq!(said.judges(&worker()), expected);
	}
}

#[test]
fn a_worker_who_does_not_reveal_is_rejected_whatever_the_auditors_say() {
	for one in sayings() {
		for other in sayings() {
			let judgement = judge(None, &[one.as_ref(), other.as_ref()]);
			assert_eq!(judgement, Judgement::Ends(Outcome::Rejected(NotRevealed)));
		}
	}
	assert_eq!(judge(None, &[]), Judgement::Ends(Outcome::Rejected(NotRevealed)));
}

#[test]
fn without_an_audit_a_reveal_is_accepted() {
	assert_eq!(judge(Some(&worker()), &[]), Judgement::Ends(Outcome::Accepted));
}

#[test]
fn two_auditors_judge_by_this_table() {
	use Judgement::{Ends, Panel};
	let no = Ends(Outcome::Undecided(NoAuditors));
	let right = Ends(Outcome::Accepted);
	// Rows: the first auditor; columns: the second; both in the order of `sayings`.
	let table = [
		[no, right, Panel, Panel, Panel],
		[right, right, Panel, Panel, Panel],
		[Panel, Panel, Panel, Panel, Panel],
		[Panel, Panel, Panel, Panel, Panel],
		[Panel, Panel, Panel, Panel, Panel],
	];
	let sayings = sayings();
	for (one, row) in sayings.iter().zip(table) {
		for (other, expected) in sayings.iter().zip(row) {
			let judgement = judge(Some(&worker()), &[one.as_ref(), other.as_ref()]);
			assert_eq!(judgement, expected, "{one:?} and {other:?}");
		}
	}
}

#[test]
fn no_number_of_auditors_convicts_without_a_panel() {
	let sayings = sayings();
	let accuser = sayings[3].clone();
	for places in 1..=7 {
		let mut all = vec![accuser.as_ref(); places];
		assert_eq!(judge(Some(&worker()), &all), Judgement::Panel);
		for other in &sayings {
			all[0] = other.as_ref();
			let judgement = judge(Some(&worker()), &all);
			assert_ne!(judgement, Judgement::Ends(Outcome::Rejected(ProvenWrong)));
		}
	}
}

/// What somebody shows whose projection has these numbers throughout.
fn projected(number: i32) -> Opening {
	let change = H256::from_low_u64_be(number.unsigned_abs().into());
	let (exponent, scale, numbers) = (0, 1 << 30, [number; PROJECTED]);
	Opening::Output(OutputOpening::projected(Projection { change, exponent, scale, numbers }))
}

#[test]
fn what_is_near_is_accepted_and_what_is_not_is_for_a_panel() {
	let (worker, near, far) = (projected(0), projected(100_000), projected(200_000));
	let judge = |auditors: &[&Opening]| {
		let auditors: Vec<_> = auditors.iter().map(|auditor| Some(*auditor)).collect();
		judge(Some(&worker), &auditors)
	};
	let right = Judgement::Ends(Outcome::Accepted);
	for auditors in [&[&near][..], &[&worker, &near], &[&near, &near, &worker]] {
		assert_eq!(judge(auditors), right);
	}
	for auditors in [&[&far][..], &[&near, &far], &[&worker, &worker, &far]] {
		assert_eq!(judge(auditors), Judgement::Panel);
	}
}

fn shares() -> Shares {
	BoundedVec::truncate_from(vec![10, 12, 14])
}

fn target() -> [u8; 32] {
	let mut target = [0xff; 32];
	target[31] = 0;
	target
}

fn with_winners(list: &[(u32, u8)]) -> SearchOpening {
	let winners = list.iter().map(|(nonce, byte)| Winner { nonce: *nonce, hash: [*byte; 32] });
	SearchOpening { winners: BoundedVec::truncate_from(winners.collect()), ..opening(1, vec![]) }
}

fn with_faults(list: &[Fault]) -> SearchOpening {
	opening(1, list.to_vec())
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
		assert_eq!(fits_worker(&opening, &shares(), &target()), fits, "{winners:?}");
		assert_eq!(fits_auditor(&opening, &shares(), (20, 4), &target()), fits, "{winners:?}");
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
		assert_eq!(fits_auditor(&opening, &shares(), (11, 4), &target()), fits, "{faults:?}");
		assert_eq!(fits_worker(&opening, &shares(), &target()), faults.is_empty());
	}
}
