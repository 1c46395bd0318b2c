use crate::{mock::*, AuditRules, Checks, CurrentRules, Error, Event, Rules};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, Perquintill};
use tequio_primitives::{
	draw::{self, number, seed, AuditDraw, Purpose},
	search::SearchSpec,
	stage::Stage,
	Role,
};

#[test]
fn set_rules_works() {
	ExtBuilder::default().build_and_execute(|| {
		let rules = Rules { reveal_period: 50, bond_percent: 200, ..Default::default() };
		assert_ok!(Verification::set_rules(RuntimeOrigin::root(), rules));
		assert_eq!(CurrentRules::<Test>::get(), rules);
		assert_last(Event::RulesChanged { rules });
	});
}

#[test]
fn set_rules_counts_for_what_begins_from_now_on() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		assign(id, 1);
		assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
		let rules = Rules { draw_window: 15, reveal_period: 50, ..Default::default() };
		assert_ok!(Verification::set_rules(RuntimeOrigin::root(), rules));
		// The draw that has begun takes the window that it began with.
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Drawing, 9)));
		run_to(9);
		let output = |height: u32| Some(sp_io::hashing::blake2_256(&height.encode()));
		let drawn = draw::audit(&id, 0, 8, Perquintill::one(), output);
		let AuditDraw::Audited(vrf) = drawn else { panic!("searches are always audited") };
		let place = number(&seed(&vrf, Purpose::SubRange, &id), 0);
		let expected = SearchSpec::audited(&range(), place);
		assert_eq!(Checks::<Test>::get(id.chunk).unwrap().sub_range, Some(expected));

		for auditor in both_auditors(id) {
			assert_ok!(commit_one(auditor, id, Role::Auditor, &honest(id)));
		}
		assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Revealing, now() + 50)));
	});
}

#[test]
fn a_stage_that_was_shortened_waits_for_those_that_began_before() {
	ExtBuilder::default().build_and_execute(|| {
		let (early, late) = (attempt(0, 0), attempt(1, 0));
		for id in [early, late] {
			assign_at_rate(id, 1, Perquintill::zero());
		}
		assert_ok!(commit_one(1, early, Role::Worker, &honest(early)));
		let rules = Rules { chance_window: 1, ..Default::default() };
		assert_ok!(Verification::set_rules(RuntimeOrigin::root(), rules));
		assert_ok!(commit_one(1, late, Role::Worker, &honest(late)));
		run_to(15);
		assert_eq!(Verification::stage_of(&late.chunk), Some((Stage::Drawing, 2)));
		run_to(16);
		for id in [early, late] {
			assert_eq!(Verification::stage_of(&id.chunk), Some((Stage::Revealing, now() + 20)));
		}
	});
}

#[test]
fn set_rules_should_fail_when_it_is_not_root() {
	ExtBuilder::default().build_and_execute(|| {
		for origin in [RuntimeOrigin::signed(owner(1)), RuntimeOrigin::none()] {
			assert_noop!(Verification::set_rules(origin, Rules::default()), BadOrigin);
		}
	});
}

#[test]
fn set_rules_should_fail_when_the_rules_are_unsound() {
	let base = Rules::default();
	let none = AuditRules { auditors: 0, ..base.programs };
	let many = AuditRules { auditors: 7, ..base.programs };
	let never = AuditRules { floor: Perquintill::zero(), ..base.programs };
	ExtBuilder::default().build_and_execute(|| {
		for rules in [
			Rules { draw_window: 0, ..base },
			Rules { draw_window: 16, ..base },
			Rules { chance_window: 0, ..base },
			Rules { chance_window: 16, ..base },
			Rules { reveal_period: 0, ..base },
			Rules { appeal_period: 0, ..base },
			Rules { search: none, ..base },
			Rules { programs: many, ..base },
			Rules { programs: never, ..base },
			Rules { panels: [2, 9, 31, 99], ..base },
			Rules { panels: [3, 9, 31, 100], ..base },
			Rules { panels: [3, 3, 31, 99], ..base },
			Rules { challenge_level: 4, ..base },
			Rules { bond_percent: 99, ..base },
		] {
			assert_noop!(
				Verification::set_rules(RuntimeOrigin::root(), rules),
				Error::<Test>::RulesUnsound
			);
		}
	});
}
