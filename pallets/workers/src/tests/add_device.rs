use crate::{mock::*, types::MAX_DEVICES, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_core::Pair;

fn signed(number: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(owner(number))
}

#[test]
fn add_device_works() {
	build_and_execute(|| {
		register(1, 100);
		assert_ok!(Workers::add_device(signed(1), device(1), proof(1, &owner(1))));

		assert_eq!(stored_device(1).owner, owner(1));
		assert_eq!(System::providers(&device(1)), 1);
		assert_eq!(Balances::free_balance(device(1)), 0);
		System::assert_last_event(
			Event::<Test>::DeviceAdded { owner: owner(1), device: device(1) }.into(),
		);
	});
}

#[test]
fn add_device_should_fail_when_proof_is_for_somebody_else() {
	build_and_execute(|| {
		register(1, 100);
		for proof in [proof(1, &owner(2)), proof(2, &owner(1)), device_pair(1).sign(b"yes")] {
			assert_noop!(Workers::add_device(signed(1), device(1), proof), Error::<Test>::BadProof);
		}
	});
}

#[test]
fn add_device_should_fail_when_device_is_taken() {
	build_and_execute(|| {
		worker(1, 100);
		register(2, 100);
		assert_noop!(
			Workers::add_device(signed(2), device(1), proof(1, &owner(2))),
			Error::<Test>::DeviceTaken
		);
	});
}

#[test]
fn add_device_should_fail_when_device_is_an_owner() {
	build_and_execute(|| {
		register(1, 100);
		assert_noop!(
			Workers::add_device(signed(1), owner(1), proof(1, &owner(1))),
			Error::<Test>::DeviceIsOwner
		);
	});
}

#[test]
fn add_device_should_fail_when_there_are_too_many() {
	build_and_execute(|| {
		register(1, 100);
		let most = MAX_DEVICES as u8;
		(1..=most).for_each(|number| add_device(1, number));
		assert_noop!(
			Workers::add_device(signed(1), device(most + 1), proof(most + 1, &owner(1))),
			Error::<Test>::TooManyDevices
		);
	});
}

#[test]
fn add_device_should_fail_when_not_taking_part() {
	build_and_execute(|| {
		let add = || Workers::add_device(signed(1), device(1), proof(1, &owner(1)));
		assert_noop!(add(), Error::<Test>::NotRegistered);
		register(1, 100);
		assert_ok!(Workers::drain(signed(1)));
		assert_noop!(add(), Error::<Test>::NotActive);
	});
}
