use crate::{mock::*, Devices, Error, Event};
use frame_support::{assert_noop, assert_ok};

#[test]
fn remove_device_works() {
	build_and_execute(|| {
		worker(1, 100);
		assert_ok!(Workers::remove_device(RuntimeOrigin::signed(owner(1)), device(1)));

		assert!(!Devices::<Test>::contains_key(device(1)));
		assert!(stored(1).devices.is_empty());
		assert_eq!(System::providers(&device(1)), 0);
		System::assert_last_event(
			Event::<Test>::DeviceRemoved { owner: owner(1), device: device(1) }.into(),
		);
	});
}

#[test]
fn remove_device_should_fail_when_it_has_duties() {
	build_and_execute(|| {
		worker(1, 100);
		engage(1, 0, 50);
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(Workers::remove_device(origin, device(1)), Error::<Test>::DutiesOutstanding);
	});
}

#[test]
fn remove_device_should_fail_when_it_is_not_the_owners() {
	build_and_execute(|| {
		worker(1, 100);
		let origin = RuntimeOrigin::signed(owner(2));
		assert_noop!(
			Workers::remove_device(origin.clone(), device(1)),
			Error::<Test>::NotRegistered
		);
		register(2, 100);
		assert_noop!(Workers::remove_device(origin, device(1)), Error::<Test>::DeviceNotFound);
	});
}
