//! Claims and projections: which are taken, and from whom.

use super::banded::{audited_by, hash, id, sitting};
use crate::{mock::*, opening::fits, types::*, Checks, Error, Event};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{
	claim::Claim,
	opening::{ChunkWork, Opening},
	projection::{seed_of, Projection, PROJECTED},
	recompute::{Output, OutputOpening},
	search::Shares,
	training::DIVERGED,
	Role, TaskId,
};

/// One task of each class.
const TASKS: [TaskId; 5] = [0, PROGRAM, FLOATS, BANDED, COUNTS];

#[test]
fn commit_should_fail_when_the_claim_is_not_of_the_class() {
	for task in TASKS {
		let id = first_of(task);
		let claims = [Claim::Nothing, Claim::Shares(Shares::new()), Claim::Seed(hash(1))];
		for (kind, claim) in claims.into_iter().enumerate() {
			let right = match task {
				BANDED => 2,
				PROGRAM | FLOATS | COUNTS => 0,
				_ => 1,
			};
			ExtBuilder::default().build_and_execute(|| {
				assign(id, 1);
				let item = commit_item(1, id, Role::Worker, &honest(id));
				let item = CommitItem { claim: claim.clone(), ..item };
				if kind == right {
					assert_ok!(commit(1, vec![item]));
					assert_eq!(Checks::<Test>::get(id.chunk).unwrap().claim, claim);
				} else {
					assert_noop!(commit(1, vec![item]), Error::<Test>::MalformedClaim);
				}
			});
		}
	}
}

#[test]
fn commit_should_fail_when_an_auditor_or_referee_claims_anything() {
	for task in TASKS {
		let id = first_of(task);
		let claims = [Claim::Shares(Shares::new()), Claim::Seed(seed_of(&hash(7)))];
		let try_all = |number, role| {
			let item = commit_item(number, id, role, &honest(id));
			for claim in claims.clone() {
				let claiming = CommitItem { claim, ..item.clone() };
				assert_noop!(commit(number, vec![claiming]), Error::<Test>::MalformedClaim);
			}
		};
		let everybody: Vec<u8> = (1..=9).collect();
		ExtBuilder::default().accepting(&everybody).build_and_execute(|| {
			assign(id, 1);
			assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
			run_to_due(id);
			let sitting: Vec<u8> = auditors(id).into_iter().flatten().collect();
			for auditor in &sitting {
				try_all(*auditor, Role::Auditor);
				assert_ok!(commit_one(*auditor, id, Role::Auditor, &accusing(id)));
			}
			assert_ok!(reveal_one(1, id, Role::Worker, &honest(id)));
			for auditor in &sitting {
				assert_ok!(reveal_one(*auditor, id, Role::Auditor, &accusing(id)));
			}
			try_all(seated(id, 0)[0], referee(0));
		});
	}
}

#[test]
fn reveal_should_fail_when_the_seed_is_not_of_the_change() {
	ExtBuilder::default().build_and_execute(|| {
		let own = honest(id());
		assign(id(), 1);
		let item = commit_item(1, id(), Role::Worker, &own);
		assert_eq!(item.claim, Claim::Seed(seed_of(&hash(7))));
		// As if the signs had been chosen to hide an error.
		let chosen = CommitItem { claim: Claim::Seed(seed_of(&hash(8))), ..item };
		assert_ok!(commit(1, vec![chosen]));
		run_to_due(id());
		let auditor = sitting()[0];
		assert_ok!(commit_one(auditor, id(), Role::Auditor, &own));
		let refused = reveal_one(1, id(), Role::Worker, &own);
		assert_noop!(refused, Error::<Test>::MalformedOpening);
		// An auditor has bytes of its own.
		assert_ok!(reveal_one(auditor, id(), Role::Auditor, &own));
	});
}

#[test]
fn reveal_should_fail_when_a_party_shows_another_projection_than_its_output() {
	let Opening::Output(own) = honest(id()) else { panic!("it is of a program") };
	let projection = own.projection.clone().unwrap();
	// The bytes are those that were claimed, and what is said of them is what others will find.
	let other = Projection { numbers: [1; PROJECTED], ..projection.clone() };
	let other_output = OutputOpening { output: Output::hidden(hash(7)), ..own.clone() };
	let other_projection = OutputOpening { projection: Some(other), ..own };
	let diverged = OutputOpening::projecting(Output::of(DIVERGED), projection);
	for opening in [other_output, other_projection, diverged] {
		ExtBuilder::default().build_and_execute(|| {
			let opening = Opening::Output(opening.clone());
			let [auditor] = audited_by(1, &opening)[..] else { panic!("one auditor sits") };
			assert_ok!(commit_one(auditor, id(), Role::Auditor, &opening));
			for (number, role) in [(1, Role::Worker), (auditor, Role::Auditor)] {
				let refused = reveal_one(number, id(), role, &opening);
				assert_noop!(refused, Error::<Test>::MalformedOpening);
			}
		});
	}
}

/// What is shown of an output with this projection or with none.
fn with(projection: Option<Projection>) -> Opening {
	Opening::Output(match projection {
		Some(projection) => OutputOpening::projected(projection),
		None => OutputOpening::own(hash(7)),
	})
}

#[test]
fn reveal_should_fail_when_a_projection_is_missing_or_malformed() {
	let short = Projection { scale: 1, ..Projection::nothing(hash(7)) };
	for opening in [with(None), with(Some(short))] {
		ExtBuilder::default().build_and_execute(|| {
			let [auditor] = audited_by(1, &opening)[..] else { panic!("one auditor sits") };
			assert_ok!(commit_one(auditor, id(), Role::Auditor, &opening));
			for (number, role) in [(1, Role::Worker), (auditor, Role::Auditor)] {
				let refused = reveal_one(number, id(), role, &opening);
				assert_noop!(refused, Error::<Test>::MalformedOpening);
			}
		});
	}
}

#[test]
fn reveal_should_fail_when_a_referee_shows_a_projection() {
	ExtBuilder::default().accepting(&[1, 2, 3, 4, 5]).build_and_execute(|| {
		outputs_differ(id(), &honest(id()), &guessed(id()));
		let (right, wrong) = (near_to(1, &[&honest(id())]), banded(1, 0));
		let sitting = seated(id(), 0);
		for (number, opening) in sitting.iter().zip([&wrong, &right, &right]) {
			assert_ok!(commit_one(*number, id(), referee(0), opening));
		}
		let refused = reveal_one(sitting[0], id(), referee(0), &wrong);
		assert_noop!(refused, Error::<Test>::MalformedOpening);
		assert_ok!(reveal_one(sitting[1], id(), referee(0), &right));
	});
}

#[test]
fn projections_belong_to_parties_of_the_banded_class_alone() {
	let none = with(None);
	let some = with(Some(Projection::nothing(hash(7))));
	let seeds = [Claim::Nothing, Claim::Seed(seed_of(&hash(7))), Claim::Seed(seed_of(&hash(8)))];
	for task in [PROGRAM, FLOATS, BANDED, COUNTS] {
		let work = ChunkWork::Recompute(program_of(task).unwrap());
		let banded = task == BANDED;
		for (index, claim) in seeds.iter().enumerate() {
			let fits_as = |role, opening| fits(opening, role, claim, &work, None, &[]);
			let claims_right = index == usize::from(banded);
			assert_eq!(fits_as(Role::Worker, &some), banded && claims_right, "{task}: {claim:?}");
			assert_eq!(fits_as(Role::Worker, &none), !banded && claims_right, "{task}: {claim:?}");
			assert_eq!(fits_as(Role::Auditor, &some), banded, "{task}");
			assert_eq!(fits_as(Role::Auditor, &none), !banded, "{task}");
			assert!(fits_as(referee(0), &none) && !fits_as(referee(0), &some), "{task}");
		}
	}
}

#[test]
fn a_claim_of_another_kind_breaks_an_invariant() {
	for task in [PROGRAM, BANDED] {
		ExtBuilder::default().build().execute_with(|| {
			let id = first_of(task);
			assign(id, 1);
			assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
			assert_has(Event::Committed { id, role: Role::Worker, device: device(1) });
			assert_sound();
			Checks::<Test>::mutate(id.chunk, |check| {
				check.as_mut().unwrap().claim = Claim::Shares(Shares::new());
			});
			assert!(Verification::do_try_state().is_err());
		});
	}
}
