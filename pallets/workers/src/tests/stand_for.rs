use crate::{mock::*, types::MAX_ENGAGEMENTS, Error, Ledger, Progress};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{
	reputation::Deed,
	workers::{EngageSeats, InspectWorkers},
	Duty, Role,
};

fn appeal(task: u64) -> Duty {
	duty(task, Role::Appellant { level: 0 })
}

fn signed(number: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(owner(number))
}

#[test]
fn stand_for_works() {
	build_and_execute(|| {
		worker(1, 100);
		let work = engage(1, 0, 60);
		assert_ok!(Workers::stand_for(&seat(1), appeal(0), CLASS, 40));

		assert_eq!(stored(1).collateral, 100);
		assert_eq!(Ledger::<Test>::get().engaged, 100);
		assert_eq!(stored_device(1).engagements[1].progress, Progress::Done);
		// The device has nothing to do for it.
		assert_eq!(Workers::duties_of(&device(1)), vec![work]);
		assert_eq!(Workers::parts_of(&device(1)), vec![work, appeal(0)]);
	});
}

#[test]
fn stand_for_works_while_the_owner_leaves_and_the_device_rests() {
	build_and_execute(|| {
		worker(1, 100);
		engage(1, 0, 10);
		assert_ok!(Workers::pause_device(signed(1), device(1)));
		assert_ok!(Workers::drain(signed(1)));
		assert_ok!(Workers::stand_for(&seat(1), appeal(0), CLASS, 90));
		assert_noop!(Workers::unbond(signed(1)), Error::<Test>::DutiesOutstanding);
	});
}

#[test]
fn stand_for_takes_no_room_from_work() {
	build_and_execute(|| {
		worker(1, 1_000);
		for task in 0..20 {
			assert_ok!(Workers::stand_for(&seat(1), appeal(task), CLASS, 1));
		}
		for audit in [false, true] {
			assert!(stored_device(1).has_room(audit));
		}
	});
}

#[test]
fn release_frees_the_bond() {
	build_and_execute(|| {
		worker(1, 100);
		assert_ok!(Workers::stand_for(&seat(1), appeal(0), CLASS, 40));
		Workers::release(&seat(1), appeal(0), Deed::Nothing);
		assert_eq!(stored(1).free_collateral(), 100);
		assert!(stored_device(1).engagements.is_empty());
	});
}

#[test]
fn slash_takes_the_bond_and_leaves_the_reputation() {
	build_and_execute(|| {
		worker(1, 100);
		assert_ok!(Workers::stand_for(&seat(1), appeal(0), CLASS, 40));
		assert_eq!(slash_all(1, appeal(0)), 40);
		assert_eq!(stored(1).stake, 60);
		assert!(stored(1).reputations.is_empty());
	});
}

#[test]
fn stand_for_should_fail_when_collateral_is_bound() {
	build_and_execute(|| {
		worker(1, 100);
		engage(1, 0, 60);
		assert_noop!(
			Workers::stand_for(&seat(1), appeal(0), CLASS, 41),
			Error::<Test>::CollateralUnavailable
		);
	});
}

#[test]
fn stand_for_should_fail_when_seat_is_gone() {
	build_and_execute(|| {
		let stand = || Workers::stand_for(&seat(1), appeal(0), CLASS, 10);
		assert_noop!(stand(), Error::<Test>::NotRegistered);
		register(1, 100);
		assert_noop!(stand(), Error::<Test>::DeviceNotFound);
		add_device(1, 1);
		assert_ok!(Workers::drain(signed(1)));
		assert_ok!(Workers::unbond(signed(1)));
		assert_noop!(stand(), Error::<Test>::NotActive);
	});
}

#[test]
fn stand_for_should_fail_when_it_stands_already() {
	build_and_execute(|| {
		worker(1, 100);
		let stand = || Workers::stand_for(&seat(1), appeal(0), CLASS, 10);
		assert_ok!(stand());
		assert_noop!(stand(), Error::<Test>::AlreadyEngaged);
	});
}

#[test]
fn stand_for_should_fail_when_device_is_full() {
	build_and_execute(|| {
		worker(1, 1_000);
		for task in 0..u64::from(MAX_ENGAGEMENTS) {
			engage(1, task, 1);
		}
		assert_noop!(Workers::stand_for(&seat(1), appeal(0), CLASS, 1), Error::<Test>::DeviceFull);
	});
}
