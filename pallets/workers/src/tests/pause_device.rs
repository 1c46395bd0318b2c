use crate::{mock::*, Availability, Error, Event};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::workers::EngageSeats;

fn signed(number: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(owner(number))
}

fn changed(availability: Availability) -> RuntimeEvent {
	Event::<Test>::AvailabilityChanged { device: device(1), availability }.into()
}

#[test]
fn pause_device_works() {
	build_and_execute(|| {
		worker(1, 100);
		assert_ok!(Workers::pause_device(signed(1), device(1)));
		assert_eq!(stored_device(1).availability, Availability::Paused);
		System::assert_last_event(changed(Availability::Paused));
	});
}

#[test]
fn pause_device_outlasts_misses() {
	build_and_execute(|| {
		worker(1, 100);
		let duties = [0, 1].map(|task| engage(1, task, 10));
		assert_ok!(Workers::pause_device(signed(1), device(1)));
		duties.into_iter().for_each(|duty| Workers::miss(&seat(1), duty, 1));
		assert_eq!(stored_device(1).availability, Availability::Paused);
	});
}

#[test]
fn pause_device_should_fail_when_paused() {
	build_and_execute(|| {
		worker(1, 100);
		assert_ok!(Workers::pause_device(signed(1), device(1)));
		assert_noop!(Workers::pause_device(signed(1), device(1)), Error::<Test>::Unchanged);
	});
}

#[test]
fn pause_device_should_fail_when_it_is_not_the_owners() {
	build_and_execute(|| {
		worker(1, 100);
		register(2, 100);
		assert_noop!(Workers::pause_device(signed(2), device(1)), Error::<Test>::DeviceNotFound);
	});
}

#[test]
fn resume_device_works() {
	build_and_execute(|| {
		worker(1, 100);
		assert_ok!(Workers::pause_device(signed(1), device(1)));
		assert_ok!(Workers::resume_device(signed(1), device(1)));
		assert_eq!(stored_device(1).availability, Availability::Idle);
		System::assert_last_event(changed(Availability::Idle));
	});
}

#[test]
fn resume_device_should_fail_when_not_paused() {
	build_and_execute(|| {
		worker(1, 100);
		assert_noop!(Workers::resume_device(signed(1), device(1)), Error::<Test>::DeviceNotPaused);
	});
}

#[test]
fn resume_device_should_fail_when_it_is_not_the_owners() {
	build_and_execute(|| {
		worker(1, 100);
		assert_noop!(Workers::resume_device(signed(2), device(1)), Error::<Test>::DeviceNotFound);
	});
}
