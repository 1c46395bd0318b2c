use crate::{mock::*, Error, Event, Offer, Offers};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{workers::InspectWorkers, WorkClass};

#[test]
fn set_offers_works() {
	build_and_execute(|| {
		register(1, 100);
		let dearer: Offers = vec![Offer { ask: 6, ..offers()[0] }].try_into().unwrap();
		assert_ok!(Workers::set_offers(RuntimeOrigin::signed(owner(1)), dearer.clone()));

		assert_eq!(stored(1).offers, dearer);
		System::assert_last_event(
			Event::<Test>::OffersSet { owner: owner(1), offers: dearer }.into(),
		);
	});
}

#[test]
fn set_offers_divides_the_stake_among_the_classes() {
	build_and_execute(|| {
		register(1, 550);
		let seats = || {
			WorkClass::ALL.map(|class| {
				let holders = crate::NextSeats::<Test>::get(class);
				holders.first().map_or(0, |holder| holder.seats)
			})
		};
		let set = |classes: &[WorkClass]| {
			let origin = RuntimeOrigin::signed(owner(1));
			assert_ok!(Workers::set_offers(origin, offers_of(classes)));
		};
		assert_eq!(seats(), [5, 0, 0, 0, 0]);
		set(&[WorkClass::ExactF64, WorkClass::RandomXSearch]);
		assert_eq!(seats(), [2, 2, 0, 0, 0]);
		set(&[WorkClass::Integer]);
		assert_eq!(seats(), [0, 0, 0, 0, 5]);
		set(&WorkClass::ALL);
		assert_eq!(seats(), [1, 1, 1, 1, 1]);
	});
}

#[test]
fn set_offers_tells_each_device_what_its_owner_offers() {
	build_and_execute(|| {
		worker(1, 100);
		assert_eq!(Workers::offered_by(&device(1)), vec![CLASS]);
		let classes = [WorkClass::Integer];
		let origin = RuntimeOrigin::signed(owner(1));
		assert_ok!(Workers::set_offers(origin, offers_of(&classes)));
		assert_eq!(Workers::offered_by(&device(1)), classes);
		for nobodys in [device(2), owner(1)] {
			assert!(Workers::offered_by(&nobodys).is_empty());
		}
	});
}

#[test]
fn set_offers_should_fail_when_offers_are_bad() {
	build_and_execute(|| {
		register(1, 100);
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(Workers::set_offers(origin, Offers::new()), Error::<Test>::NoOffers);
	});
}

#[test]
fn set_offers_should_fail_when_stake_makes_no_seat() {
	build_and_execute(|| {
		worker(1, 100);
		let duty = engage(1, 0, 1);
		assert_eq!(slash_all(1, duty), 1);
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(Workers::set_offers(origin, offers()), Error::<Test>::StakeTooSmall);
	});
}

#[test]
fn set_offers_should_fail_when_not_taking_part() {
	build_and_execute(|| {
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(Workers::set_offers(origin.clone(), offers()), Error::<Test>::NotRegistered);
		register(1, 100);
		assert_ok!(Workers::drain(origin.clone()));
		assert_noop!(Workers::set_offers(origin, offers()), Error::<Test>::NotActive);
	});
}
