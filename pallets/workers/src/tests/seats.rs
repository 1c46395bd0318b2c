use crate::seats::*;
use frame_support::BoundedVec;
use proptest::prelude::*;
use sp_runtime::Perquintill;
use tequio_primitives::Balance;

fn holders(seats: &[u32]) -> SeatHolders<usize> {
	let list = seats.iter().enumerate().map(|(owner, seats)| SeatHolder { owner, seats: *seats });
	BoundedVec::truncate_from(list.collect())
}

#[test]
fn seats_from_rounds_down() {
	assert_eq!(seats_from(299, 1, 100), 2);
	assert_eq!(seats_from(299, 3, 100), 0);
	assert_eq!(seats_from(300, 3, 100), 1);
	assert_eq!(seats_from(Balance::MAX, 1, 1), u32::MAX);
	assert_eq!(seats_from(100, 0, 100), 0);
	assert_eq!(seats_from(100, 1, 0), 0);
}

#[test]
fn pick_of_no_seats_is_nobody() {
	let table = Table::new(holders(&[]));
	assert!(table.is_empty());
	assert_eq!(table.pick(7), None);
}

#[test]
fn a_list_is_exposed_when_owners_are_few() {
	let share = Perquintill::one();
	assert!(are_exposed(&holders(&[]), 1, share));
	assert!(are_exposed(&holders(&[5, 5]), 3, share));
	assert!(!are_exposed(&holders(&[5, 5, 5]), 3, share));
}

#[test]
fn a_list_is_exposed_when_an_owner_has_too_much_of_it() {
	let fifth = Perquintill::from_percent(20);
	assert!(!are_exposed(&holders(&[1; 5]), 2, fifth));
	assert!(!are_exposed(&holders(&[2, 2, 2, 2, 1, 1]), 2, fifth));
	assert!(are_exposed(&holders(&[2, 2, 2, 1, 1, 1]), 2, fifth));
	assert!(are_exposed(&holders(&[u32::MAX; 4]), 2, fifth));
}

#[test]
fn cap_seats_works() {
	let mut list = holders(&[3, 1]);
	cap_seats(&mut list, &0, 4);
	cap_seats(&mut list, &2, 0);
	assert_eq!(list, holders(&[3, 1]));
	cap_seats(&mut list, &0, 2);
	assert_eq!(list, holders(&[2, 1]));
	cap_seats(&mut list, &1, 0);
	assert_eq!(list, holders(&[2]));
}

#[test]
fn set_seats_should_fail_when_list_is_full() {
	let mut full = holders(&vec![1; MAX_OWNERS as usize]);
	let before = full.clone();
	assert_eq!(set_seats(&mut full, MAX_OWNERS as usize, 1), Err(Full));
	assert_eq!(full, before);
	assert_eq!(set_seats(&mut full, 0, 9), Ok(()));
	assert_eq!(seats_of(&full, &0), 9);
}

proptest! {
	/// Seats are paid for in full, and one more would not be.
	#[test]
	fn seats_are_worth_their_stake(
		stake in 0..1u128 << 90,
		classes in 1usize..8,
		seat_stake in 1u128 << 60..1u128 << 80,
	) {
		let seats = Balance::from(seats_from(stake, classes, seat_stake));
		let each = seat_stake * classes as Balance;
		prop_assert!(seats * each <= stake);
		prop_assert!((seats + 1) * each > stake);
	}

	/// Over all numbers below the total, each owner is picked as often as it has seats.
	#[test]
	fn each_seat_has_the_same_chance(
		seats in prop::collection::vec(1u32..20, 1..12),
		offset in 0u64..1 << 40,
	) {
		let list = holders(&seats);
		let total = total(&list);
		let table = Table::new(list);
		let first = offset * total;
		let mut picked = vec![0u32; seats.len()];
		for number in first..first + total {
			picked[*table.pick(number).unwrap()] += 1;
		}
		prop_assert_eq!(picked, seats);
	}

	/// Seats at a new price are never more than a new owner with the same stake gets, and fewer by
	/// less than one seat at the old price was worth.
	#[test]
	fn convert_never_gives_away_seats(
		stake in 0..1u128 << 90,
		old in 1u128 << 60..1u128 << 80,
		new in 1u128 << 60..1u128 << 80,
	) {
		let seats = seats_from(stake, 1, old);
		let mut list = BoundedVec::truncate_from(vec![SeatHolder { owner: 0, seats }]);
		convert(&mut list, old, new);
		let converted = seats_of(&list, &0);
		prop_assert!(converted <= seats_from(stake, 1, new));
		prop_assert!(converted >= seats_from(stake.saturating_sub(old), 1, new));
		prop_assert!(list.iter().all(|holder| holder.seats > 0));
	}

	/// What is set is what is read; nobody else's seats change; nobody is listed without seats.
	#[test]
	fn set_seats_changes_one_owner(
		seats in prop::collection::vec(1u32..20, 0..12),
		owner in 0usize..14,
		new in 0u32..5,
	) {
		let before = holders(&seats);
		let mut after = before.clone();
		prop_assert_eq!(set_seats(&mut after, owner, new), Ok(()));
		prop_assert_eq!(seats_of(&after, &owner), new);
		prop_assert!(after.iter().all(|holder| holder.seats > 0));
		for other in (0..14).filter(|other| *other != owner) {
			prop_assert_eq!(seats_of(&after, &other), seats_of(&before, &other));
		}
	}
}
