use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::TokenError;
use tequio_primitives::WorkClass;

#[test]
fn add_stake_works() {
	build_and_execute(|| {
		register(1, 150);
		assert_ok!(Workers::add_stake(RuntimeOrigin::signed(owner(1)), 60));

		assert_eq!(stored(1).stake, 210);
		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT - 210);
		assert_eq!(crate::NextSeats::<Test>::get(WorkClass::RandomXSearch)[0].seats, 2);
		System::assert_last_event(
			Event::<Test>::StakeAdded { owner: owner(1), amount: 60, stake: 210 }.into(),
		);
	});
}

#[test]
fn add_stake_should_fail_when_amount_is_zero() {
	build_and_execute(|| {
		register(1, 100);
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(Workers::add_stake(origin, 0), Error::<Test>::NoAmount);
	});
}

#[test]
fn add_stake_should_fail_when_funds_are_missing() {
	build_and_execute(|| {
		register(1, 100);
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(Workers::add_stake(origin, ENDOWMENT), TokenError::FundsUnavailable);
	});
}

#[test]
fn add_stake_should_fail_when_not_taking_part() {
	build_and_execute(|| {
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(Workers::add_stake(origin.clone(), 100), Error::<Test>::NotRegistered);
		register(1, 100);
		assert_ok!(Workers::drain(origin.clone()));
		assert_noop!(Workers::add_stake(origin, 100), Error::<Test>::NotActive);
	});
}
