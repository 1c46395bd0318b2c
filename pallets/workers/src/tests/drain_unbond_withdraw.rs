use crate::{mock::*, Devices, Error, Event, WorkerState};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{reputation::Deed, workers::EngageSeats, WorkClass};

fn signed(number: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(owner(number))
}

/// An owner that has called `unbond` at height 5.
fn unbonding() {
	worker(1, 100);
	assert_ok!(Workers::drain(signed(1)));
	fix_seats();
	assert_ok!(Workers::unbond(signed(1)));
}

#[test]
fn drain_works() {
	build_and_execute(|| {
		worker(1, 100);
		assert_ok!(Workers::drain(signed(1)));
		assert_eq!(stored(1).state, WorkerState::Draining);
		assert!(crate::NextSeats::<Test>::get(WorkClass::RandomXSearch).is_empty());
		System::assert_last_event(Event::<Test>::Draining { owner: owner(1) }.into());
	});
}

#[test]
fn drain_should_fail_when_not_taking_part() {
	build_and_execute(|| {
		assert_noop!(Workers::drain(signed(1)), Error::<Test>::NotRegistered);
		register(1, 100);
		assert_ok!(Workers::drain(signed(1)));
		assert_noop!(Workers::drain(signed(1)), Error::<Test>::NotActive);
	});
}

#[test]
fn unbond_works() {
	build_and_execute(|| {
		unbonding();
		assert_eq!(stored(1).state, WorkerState::Unbonding { until: 25 });
		System::assert_last_event(Event::<Test>::Unbonding { owner: owner(1), until: 25 }.into());
	});
}

#[test]
fn unbond_should_fail_when_not_draining() {
	build_and_execute(|| {
		assert_noop!(Workers::unbond(signed(1)), Error::<Test>::NotRegistered);
		register(1, 100);
		assert_noop!(Workers::unbond(signed(1)), Error::<Test>::NotDraining);
	});
}

#[test]
fn unbond_should_fail_when_duties_are_outstanding() {
	build_and_execute(|| {
		worker(1, 100);
		let duty = engage(1, 0, 50);
		Workers::complete(&seat(1), duty);
		assert_ok!(Workers::drain(signed(1)));
		assert_noop!(Workers::unbond(signed(1)), Error::<Test>::DutiesOutstanding);
		Workers::release(&seat(1), duty, Deed::Nothing);
		assert_ok!(Workers::unbond(signed(1)));
	});
}

#[test]
fn unbond_should_fail_when_seats_are_in_force() {
	build_and_execute(|| {
		worker(1, 100);
		fix_seats();
		assert_ok!(Workers::drain(signed(1)));
		assert_noop!(Workers::unbond(signed(1)), Error::<Test>::SeatsInForce);
		fix_seats();
		assert_ok!(Workers::unbond(signed(1)));
	});
}

#[test]
fn withdraw_works() {
	build_and_execute(|| {
		unbonding();
		Height::set(25);
		assert_ok!(Workers::withdraw(signed(1)));

		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT);
		assert!(!crate::Workers::<Test>::contains_key(owner(1)));
		assert!(!Devices::<Test>::contains_key(device(1)));
		assert_eq!(System::providers(&device(1)), 0);
		System::assert_last_event(Event::<Test>::Withdrawn { owner: owner(1), amount: 100 }.into());
		worker(1, 100);
	});
}

#[test]
fn withdraw_works_when_all_stake_was_slashed() {
	build_and_execute(|| {
		worker(1, 100);
		let duty = engage(1, 0, 100);
		assert_eq!(slash_all(1, duty), 100);
		assert_ok!(Workers::drain(signed(1)));
		assert_ok!(Workers::unbond(signed(1)));
		Height::set(20);
		assert_ok!(Workers::withdraw(signed(1)));
		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT - 100);
	});
}

#[test]
fn withdraw_should_fail_when_not_unbonding() {
	build_and_execute(|| {
		assert_noop!(Workers::withdraw(signed(1)), Error::<Test>::NotRegistered);
		register(1, 100);
		assert_noop!(Workers::withdraw(signed(1)), Error::<Test>::NotUnbonding);
		assert_ok!(Workers::drain(signed(1)));
		assert_noop!(Workers::withdraw(signed(1)), Error::<Test>::NotUnbonding);
	});
}

#[test]
fn withdraw_should_fail_when_too_early() {
	build_and_execute(|| {
		unbonding();
		Height::set(24);
		assert_noop!(Workers::withdraw(signed(1)), Error::<Test>::StillUnbonding);
	});
}
