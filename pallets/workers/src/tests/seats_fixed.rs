use crate::{mock::*, period::next_fixing, Event, Seats};
use frame_support::{
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use tequio_primitives::WorkClass;

fn in_force() -> Vec<(AccountId, u32)> {
	Seats::<Test>::get(WorkClass::RandomXSearch)
		.into_iter()
		.map(|holder| (holder.owner, holder.seats))
		.collect()
}

#[test]
fn seats_are_fixed_at_the_first_poll() {
	build_and_execute(|| {
		register(1, 250);
		poll_at(0);
		assert_eq!(in_force(), vec![(owner(1), 2)]);
		for class in WorkClass::ALL {
			let (owners, seats) = if class == CLASS { (1, 2) } else { (0, 0) };
			System::assert_has_event(Event::<Test>::SeatsFixed { class, owners, seats }.into());
		}
	});
}

#[test]
fn seats_are_fixed_once_a_period() {
	build_and_execute(|| {
		poll_at(1);
		register(1, 100);
		(2..5).for_each(poll_at);
		assert!(in_force().is_empty());
		poll_at(5);
		assert_eq!(in_force(), vec![(owner(1), 1)]);
	});
}

#[test]
fn seats_wait_for_a_block_with_room() {
	build_and_execute(|| {
		register(1, 100);
		let mut full = WeightMeter::with_limit(Weight::zero());
		Workers::on_poll(1, &mut full);
		assert!(in_force().is_empty());
		poll_at(1);
		assert_eq!(in_force().len(), 1);
	});
}

#[test]
fn fixings_keep_to_their_grid() {
	assert_eq!(next_fixing(0, 1, 5), 5);
	assert_eq!(next_fixing(5, 7, 5), 10);
	assert_eq!(next_fixing(5, 10, 5), 15);
	assert_eq!(next_fixing(5, 23, 5), 28);
	assert_eq!(next_fixing(5, 5, 0), 6);
}
