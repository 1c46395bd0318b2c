//! Work that is right within a band, and who is paid for what is near.

use crate::{mock::*, types::*, Checks};
use frame_support::assert_ok;
use sp_core::H256;
use sp_runtime::Perquintill;
use tequio_primitives::{
	opening::Opening,
	projection::Projection,
	recompute::{Output, OutputOpening},
	stage::Stage,
	tasks::Delivered,
	training::DIVERGED,
	AttemptId, Role,
};

pub fn id() -> AttemptId {
	first_of(BANDED)
}

/// The hash of the output that shows this byte.
pub fn hash(byte: u8) -> H256 {
	H256::repeat_byte(byte)
}

/// Device 1 has committed to this, and so many auditors are at work: their numbers.
pub fn audited_by(auditors: u8, own: &Opening) -> Vec<u8> {
	assign_with(id(), 1, |assignment| assignment.terms.auditors = auditors);
	assert_ok!(commit_one(1, id(), Role::Worker, own));
	run_to_due(id());
	for _ in 0..20 {
		if sitting().len() == usize::from(auditors) {
			break;
		}
		run_to(now() + 1);
	}
	assert_eq!(sitting().len(), usize::from(auditors));
	sitting()
}

pub fn sitting() -> Vec<u8> {
	auditors(id()).into_iter().flatten().collect()
}

/// These auditors commit to these openings, and everybody reveals.
fn all_reveal(own: &Opening, sitting: &[u8], found: &[Opening]) {
	for (auditor, opening) in sitting.iter().zip(found) {
		assert_ok!(commit_one(*auditor, id(), Role::Auditor, opening));
	}
	assert_ok!(reveal_one(1, id(), Role::Worker, own));
	for (auditor, opening) in sitting.iter().zip(found) {
		assert_ok!(reveal_one(*auditor, id(), Role::Auditor, opening));
	}
	run_to(now() + 1);
}

/// What is delivered if it is right.
fn delivered() -> Delivered {
	Delivered::Whole(Output::hidden(honest(id()).answer()))
}

/// Accepted as what the worker has shown, and these auditors are paid.
fn assert_accepted(paid: &[u8]) {
	let expected = Told::Accepted {
		delivered: delivered(),
		winners: Default::default(),
		auditors: paid.iter().map(|number| owner(*number)).collect(),
		audited: true,
	};
	assert_eq!(told(id()), Some(expected));
	for number in paid {
		assert_eq!(end_of(*number, id(), Role::Auditor), Some(End::Released));
	}
	assert_eq!(end_of(1, id(), Role::Worker), None, "its duty ends with the payment");
}

#[test]
fn an_output_within_the_band_is_accepted_and_pays_both() {
	for away in [0, 1, BAND, -BAND] {
		ExtBuilder::default().build_and_execute(|| {
			let own = honest(id());
			let [auditor] = audited_by(1, &own)[..] else { panic!("one auditor sits") };
			all_reveal(&own, &[auditor], &[banded(9, away)]);
			assert_accepted(&[auditor]);
			pay(id());
			assert!(!Checks::<Test>::contains_key(id().chunk));
		});
	}
}

#[test]
fn an_output_outside_the_band_is_for_a_panel() {
	for away in [BAND + 1, -BAND - 1] {
		ExtBuilder::default().build_and_execute(|| {
			outputs_differ(id(), &honest(id()), &banded(9, away));
			assert_eq!(told(id()), None);
		});
	}
}

#[test]
fn referees_settle_by_what_they_call_near() {
	ExtBuilder::default().accepting(&[1, 2, 3, 4, 5]).build_and_execute(|| {
		let auditor = outputs_differ(id(), &honest(id()), &guessed(id()));
		let truth = near_to(1, &[&honest(id())]);
		panel_says(id(), 0, &[&truth, &truth, &truth]);
		found(id(), 0, &[Standing::Right, Standing::Wrong]);
		assert_accepted_by_panel(&[]);
		let slashed = slashed_for_referees(3 * AUDIT_PAY);
		assert_eq!(end_of(auditor, id(), Role::Auditor), Some(slashed));
		dismissed(id());
	});
}

#[test]
fn referees_who_call_both_near_have_both_paid_and_slash_nobody() {
	ExtBuilder::default().accepting(&[1, 2, 3, 4, 5]).build_and_execute(|| {
		let auditor = outputs_differ(id(), &honest(id()), &guessed(id()));
		let truth = near_to(1, &[&honest(id()), &guessed(id())]);
		panel_says(id(), 0, &[&truth, &truth, &truth]);
		found(id(), 0, &[Standing::Right, Standing::Right]);
		assert_accepted_by_panel(&[auditor]);
		assert_eq!(end_of(auditor, id(), Role::Auditor), Some(End::Released));
		dismissed(id());
	});
}

/// The worker's output is accepted, and these auditors are paid.
fn assert_accepted_by_panel(paid: &[u8]) {
	let Some(Told::Accepted { delivered, auditors, .. }) = told(id()) else {
		panic!("it is accepted");
	};
	assert_eq!(delivered, self::delivered());
	assert_eq!(auditors, paid.iter().map(|number| owner(*number)).collect::<Vec<_>>());
	assert!(is_settled(id()));
}

#[test]
fn a_worker_outside_the_band_is_slashed_by_a_panel() {
	ExtBuilder::default().accepting(&[1, 2, 3, 4, 5]).build_and_execute(|| {
		let auditor = outputs_differ(id(), &guessed(id()), &honest(id()));
		let truth = near_to(1, &[&honest(id())]);
		panel_says(id(), 0, &[&truth, &truth, &truth]);
		found(id(), 0, &[Standing::Wrong, Standing::Right]);
		let Some(End::Slashed { compensation, referees, .. }) = end_of(1, id(), Role::Worker)
		else {
			panic!("the worker is slashed");
		};
		assert_eq!(compensation, vec![(owner(auditor), AUDIT_PAY)]);
		assert_eq!(referees, Some((pot(), 3 * AUDIT_PAY)));
		dismissed(id());
	});
}

#[test]
fn every_replica_may_differ_as_long_as_it_is_near_the_worker() {
	let many: Vec<u8> = (1..=12).collect();
	// Two of them are too far from each other to be near, and nobody asks.
	let found: Vec<Opening> = (0u8..6)
		.map(|place| banded(20 + place, if place.is_multiple_of(2) { BAND } else { -BAND }))
		.collect();
	ExtBuilder::default().accepting(&many).build_and_execute(|| {
		let own = honest(id());
		let sitting = audited_by(6, &own);
		all_reveal(&own, &sitting, &found);
		assert_accepted(&sitting);
	});
	ExtBuilder::default().accepting(&many).build_and_execute(|| {
		let own = honest(id());
		let sitting = audited_by(6, &own);
		let mut found = found.clone();
		found[3] = guessed(id());
		all_reveal(&own, &sitting, &found);
		assert_eq!(stage(id()), Some(Stage::Panel), "one of them is outside the band");
	});
}

#[test]
fn a_second_auditor_within_the_band_is_paid_too() {
	ExtBuilder::default().build_and_execute(|| {
		let own = honest(id());
		assign_with(id(), 1, |assignment| assignment.terms.second = Perquintill::one());
		assert_ok!(commit_one(1, id(), Role::Worker, &own));
		run_to_due(id());
		let one = sitting()[0];
		assert_ok!(commit_one(one, id(), Role::Auditor, &banded(8, BAND)));
		run_to_due(id());
		let [_, other] = sitting()[..] else { panic!("two sit") };
		assert_ok!(commit_one(other, id(), Role::Auditor, &banded(9, -BAND)));
		assert_ok!(reveal_one(1, id(), Role::Worker, &own));
		assert_ok!(reveal_one(one, id(), Role::Auditor, &banded(8, BAND)));
		assert_ok!(reveal_one(other, id(), Role::Auditor, &banded(9, -BAND)));
		assert_accepted(&[one, other]);
	});
}

#[test]
fn an_auditor_who_only_claims_a_scale_is_not_near() {
	let blind = |exponent, scale| {
		let projection = Projection { exponent, scale, ..Projection::nothing(hash(9)) };
		Opening::Output(OutputOpening::projected(projection))
	};
	for opening in [blind(1_000, 1 << 30), blind(-20, 1 << 30), blind(0, 0)] {
		ExtBuilder::default().build_and_execute(|| {
			outputs_differ(id(), &honest(id()), &opening);
		});
	}
}

/// What somebody shows in whose run numbers got too large.
fn diverged() -> Opening {
	let nothing = Projection::nothing(hash(3));
	Opening::Output(OutputOpening::projecting(Output::of(DIVERGED), nothing))
}

#[test]
fn a_run_that_diverged_is_accepted_where_it_did_for_both() {
	ExtBuilder::default().build_and_execute(|| {
		let own = diverged();
		let sitting = audited_by(1, &own);
		all_reveal(&own, &sitting, std::slice::from_ref(&own));
		let Some(Told::Accepted { delivered, .. }) = told(id()) else { panic!("it is right") };
		assert_eq!(delivered, Delivered::Whole(Output::of(DIVERGED)));
	});
}

#[test]
fn a_run_that_diverged_is_near_no_other_even_of_zeros() {
	let zeros = Opening::Output(OutputOpening::projected(Projection::nothing(hash(9))));
	for (own, found) in [(diverged(), zeros.clone()), (zeros, diverged())] {
		ExtBuilder::default().build_and_execute(|| {
			outputs_differ(id(), &own, &found);
		});
	}
}
