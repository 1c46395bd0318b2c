use crate::{mock::*, Outputs, RING};
use codec::Encode;
use tequio_primitives::clock::{Beacon, WorkClock};

fn output(height: u32) -> [u8; 32] {
	sp_io::hashing::blake2_256(&height.encode())
}

#[test]
fn the_clock_ticks_once_in_each_polled_block() {
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!(Verification::now(), 0);
		run_to(3);
		assert_eq!(Verification::now(), 3);
		System::set_block_number(100);
		assert_eq!(Verification::now(), 3);
		stall_to(4);
		assert_eq!(Verification::now(), 4);
	});
}

#[test]
fn the_beacon_keeps_the_outputs_of_the_last_heights() {
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!(Verification::latest(), None);
		run_to(100);
		assert_eq!(Verification::latest(), Some(output(99)));
		assert_eq!(Verification::at(100), None);
		assert_eq!(Verification::at(100 - RING), Some(output(100 - RING)));
		assert_eq!(Verification::at(99 - RING), None);
		assert_eq!(Outputs::<Test>::get().len(), RING as usize);
	});
}

#[test]
fn heights_without_an_output_have_none() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(5);
		with_doubles(|state| state.dark = true);
		run_to(8);
		assert_eq!(Verification::latest(), None);
		assert_eq!(Verification::at(4), Some(output(4)));
		with_doubles(|state| state.dark = false);
		run_to(80);
		assert_eq!(Verification::at(4), None);
		assert_eq!(Verification::latest(), Some(output(79)));
	});
}
