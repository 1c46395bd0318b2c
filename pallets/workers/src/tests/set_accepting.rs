use crate::{mock::*, Availability, Call, Error, Event};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::workers::EngageSeats;

fn signal(accepting: bool) -> sp_runtime::DispatchResult {
	Workers::set_accepting(RuntimeOrigin::signed(device(1)), accepting)
}

fn is_free(accepting: bool) -> bool {
	Workers::free_call_tags(&device(1), &Call::set_accepting { accepting }).is_some()
}

fn miss(task: u64) {
	let duty = engage(1, task, 10);
	Workers::miss(&seat(1), duty, 1);
}

#[test]
fn set_accepting_works() {
	build_and_execute(|| {
		worker(1, 100);
		assert_eq!(stored_device(1).availability, Availability::Accepting);

		Height::set(RULES.signal_period);
		assert!(is_free(false));
		assert_ok!(signal(false));
		assert_eq!(stored_device(1).availability, Availability::Idle);
		System::assert_last_event(
			Event::<Test>::AvailabilityChanged {
				device: device(1),
				availability: Availability::Idle,
			}
			.into(),
		);
	});
}

#[test]
fn set_accepting_should_fail_when_nothing_changes() {
	build_and_execute(|| {
		worker(1, 100);
		Height::set(RULES.signal_period);
		assert!(!is_free(true));
		assert_noop!(signal(true), Error::<Test>::Unchanged);
	});
}

#[test]
fn set_accepting_should_fail_when_signalled_just_before() {
	build_and_execute(|| {
		worker(1, 100);
		Height::set(RULES.signal_period - 1);
		assert!(!is_free(false));
		assert_noop!(signal(false), Error::<Test>::SignalTooSoon);
	});
}

#[test]
fn set_accepting_should_fail_when_paused() {
	build_and_execute(|| {
		worker(1, 100);
		assert_ok!(Workers::pause_device(RuntimeOrigin::signed(owner(1)), device(1)));
		Height::set(100);
		for accepting in [true, false] {
			assert!(!is_free(accepting));
			assert_noop!(signal(accepting), Error::<Test>::DevicePaused);
		}
	});
}

#[test]
fn set_accepting_should_fail_when_suspended() {
	build_and_execute(|| {
		worker(1, 100);
		Height::set(10);
		miss(0);
		assert_eq!(stored_device(1).availability, Availability::Accepting);
		miss(1);
		assert_eq!(stored_device(1).availability, Availability::Suspended { until: 40 });

		Height::set(39);
		for accepting in [true, false] {
			assert!(!is_free(accepting));
			assert_noop!(signal(accepting), Error::<Test>::DeviceSuspended);
		}
		Height::set(40);
		assert_ok!(signal(true));
	});
}

#[test]
fn set_accepting_should_fail_when_signer_is_no_device() {
	build_and_execute(|| {
		assert!(!is_free(true));
		assert_noop!(signal(true), Error::<Test>::DeviceNotFound);
	});
}

#[test]
fn work_between_two_misses_keeps_a_device_going() {
	build_and_execute(|| {
		worker(1, 100);
		miss(0);
		let done = engage(1, 1, 10);
		Workers::complete(&seat(1), done);
		miss(2);
		assert_eq!(stored_device(1).availability, Availability::Accepting);
	});
}

#[test]
fn free_signals_of_a_device_share_a_tag() {
	build_and_execute(|| {
		worker(1, 100);
		Height::set(100);
		let tags = Workers::free_call_tags(&device(1), &Call::set_accepting { accepting: false });
		assert_eq!(tags, Some(vec![(b"tequio/signal", device(1)).encode()]));
		let tags = Workers::free_call_tags(&owner(1), &Call::drain {});
		assert_eq!(tags, None);
	});
}
