use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::workers::InspectWorkers;

#[test]
fn set_payout_works() {
	build_and_execute(|| {
		register(1, 100);
		Height::set(7);
		assert_ok!(Workers::set_payout(RuntimeOrigin::signed(owner(1)), payout(2)));
		System::assert_last_event(
			Event::<Test>::PayoutChanging { owner: owner(1), payout: payout(2), at: 17 }.into(),
		);

		Height::set(16);
		assert_eq!(Workers::payout_of(&owner(1)), payout(1));
		Height::set(17);
		assert_eq!(Workers::payout_of(&owner(1)), payout(2));
	});
}

#[test]
fn set_payout_keeps_a_change_that_is_in_force() {
	build_and_execute(|| {
		register(1, 100);
		assert_ok!(Workers::set_payout(RuntimeOrigin::signed(owner(1)), payout(2)));
		Height::set(10);
		assert_ok!(Workers::set_payout(RuntimeOrigin::signed(owner(1)), payout(3)));
		assert_eq!(Workers::payout_of(&owner(1)), payout(2));
	});
}

#[test]
fn set_payout_undoes_a_change_that_waits() {
	build_and_execute(|| {
		register(1, 100);
		assert_ok!(Workers::set_payout(RuntimeOrigin::signed(owner(1)), payout(2)));
		Height::set(9);
		assert_ok!(Workers::set_payout(RuntimeOrigin::signed(owner(1)), payout(1)));
		for height in [9, 10, 19, 100] {
			Height::set(height);
			assert_eq!(Workers::payout_of(&owner(1)), payout(1));
		}
	});
}

#[test]
fn set_payout_should_fail_when_account_cannot_be_paid() {
	build_and_execute(|| {
		worker(1, 100);
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(
			Workers::set_payout(origin.clone(), payout(99)),
			Error::<Test>::PayoutNotFound
		);
		assert_noop!(Workers::set_payout(origin, device(1)), Error::<Test>::PayoutIsDevice);
	});
}

#[test]
fn set_payout_should_fail_when_not_registered() {
	build_and_execute(|| {
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(Workers::set_payout(origin, payout(1)), Error::<Test>::NotRegistered);
	});
}
