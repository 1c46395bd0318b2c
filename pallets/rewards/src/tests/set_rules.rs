use crate::{mock::*, CurrentRules, Error, Event, Rules};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, Perquintill};
use tequio_primitives::rewards::DistributeRewards;

#[test]
fn set_rules_works() {
	build_and_execute(|| {
		let rules = Rules {
			fee_rate: Perquintill::from_percent(50),
			min_fee: 7,
			treasury_part: Perquintill::one(),
		};
		assert_ok!(Rewards::set_rules(RuntimeOrigin::root(), rules));

		assert_eq!(CurrentRules::<Test>::get(), rules);
		System::assert_last_event(Event::<Test>::RulesChanged { rules }.into());
		let fee = Rewards::fee_terms();
		assert_eq!((fee.on(1), fee.on(20)), (7, 10));
		BlockAuthor::set(Some(7));
		assert_eq!(Rewards::fee_parts(10), [(Rewards::treasury(), 10), (7, 0)]);
	});
}

#[test]
fn set_rules_leaves_fee_terms_that_a_task_keeps() {
	build_and_execute(|| {
		let kept = Rewards::fee_terms();
		let rules = Rules { fee_rate: Perquintill::from_percent(20), ..RULES };
		assert_ok!(Rewards::set_rules(RuntimeOrigin::root(), rules));
		assert_eq!((kept.on(100), Rewards::fee_terms().on(100)), (5, 20));
	});
}

#[test]
fn set_rules_should_fail_when_signer_is_not_root() {
	build_and_execute(|| {
		let origin = RuntimeOrigin::signed(REQUESTER);
		assert_noop!(Rewards::set_rules(origin, RULES), DispatchError::BadOrigin);
	});
}

#[test]
fn set_rules_should_fail_when_they_are_unsound() {
	build_and_execute(|| {
		let half = Perquintill::from_percent(50);
		let fee_rate = Perquintill::from_parts(half.deconstruct() + 1);
		assert_noop!(
			Rewards::set_rules(RuntimeOrigin::root(), Rules { fee_rate, ..RULES }),
			Error::<Test>::RulesUnsound
		);
	});
}
