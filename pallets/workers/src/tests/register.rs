use crate::{mock::*, seats::MAX_OWNERS, Error, Event, HoldReason, Offer, Offers, SeatHolder};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use sp_runtime::TokenError;
use tequio_primitives::WorkClass;

fn signed(number: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(owner(number))
}

#[test]
fn register_works() {
	build_and_execute(|| {
		assert_ok!(Workers::register(signed(1), offers(), 250, payout(1)));

		assert_eq!(Balances::balance_on_hold(&HoldReason::Stake.into(), &owner(1)), 250);
		assert_eq!(Balances::free_balance(owner(1)), ENDOWMENT - 250);
		assert_eq!(stored(1).payout, payout(1));
		let next = crate::NextSeats::<Test>::get(WorkClass::RandomXSearch);
		assert_eq!(next.into_inner(), vec![SeatHolder { owner: owner(1), seats: 2 }]);
		System::assert_last_event(Event::<Test>::Registered { owner: owner(1), stake: 250 }.into());
	});
}

#[test]
fn register_should_fail_when_registered_already() {
	build_and_execute(|| {
		register(1, 100);
		assert_noop!(
			Workers::register(signed(1), offers(), 100, payout(1)),
			Error::<Test>::AlreadyRegistered
		);
	});
}

#[test]
fn register_should_fail_when_signer_is_a_device() {
	build_and_execute(|| {
		worker(1, 100);
		assert_noop!(
			Workers::register(RuntimeOrigin::signed(device(1)), offers(), 100, payout(1)),
			Error::<Test>::OwnerIsDevice
		);
	});
}

#[test]
fn register_should_fail_when_payout_cannot_be_paid() {
	build_and_execute(|| {
		worker(1, 100);
		assert_noop!(
			Workers::register(signed(2), offers(), 100, payout(99)),
			Error::<Test>::PayoutNotFound
		);
		assert_noop!(
			Workers::register(signed(2), offers(), 100, device(1)),
			Error::<Test>::PayoutIsDevice
		);
	});
}

#[test]
fn register_should_fail_when_offers_are_bad() {
	build_and_execute(|| {
		let offer = offers()[0];
		let twice: Offers = vec![offer, offer].try_into().unwrap();
		let idle: Offers = vec![Offer { rate: 0, ..offer }].try_into().unwrap();
		for (offers, error) in [
			(Offers::new(), Error::<Test>::NoOffers),
			(twice, Error::<Test>::DuplicateClass),
			(idle, Error::<Test>::ZeroRate),
		] {
			assert_noop!(Workers::register(signed(1), offers, 1_000, payout(1)), error);
		}
	});
}

#[test]
fn register_should_fail_when_stake_makes_no_seat() {
	build_and_execute(|| {
		assert_noop!(
			Workers::register(signed(1), offers(), SEAT_STAKE - 1, payout(1)),
			Error::<Test>::StakeTooSmall
		);
		assert_noop!(
			Workers::register(signed(1), offers(), ENDOWMENT + 1, payout(1)),
			TokenError::FundsUnavailable
		);
	});
}

#[test]
fn register_should_fail_when_class_is_full() {
	build_and_execute(|| {
		let class = WorkClass::RandomXSearch;
		let full: Vec<_> = (0..MAX_OWNERS)
			.map(|place| {
				let mut bytes = [200; 32];
				bytes[..4].copy_from_slice(&place.to_le_bytes());
				SeatHolder { owner: AccountId::new(bytes), seats: 1 }
			})
			.collect();
		crate::NextSeats::<Test>::insert(class, crate::SeatHolders::truncate_from(full));
		assert_noop!(
			Workers::register(signed(1), offers(), 100, payout(1)),
			Error::<Test>::ClassFull
		);
		crate::NextSeats::<Test>::remove(class);
	});
}
