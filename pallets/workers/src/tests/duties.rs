use crate::{mock::*, types::MAX_ENGAGEMENTS, Error, Event, Ledger};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{InspectHold, Mutate},
};
use tequio_primitives::{
	reputation::Deed,
	workers::{EngageSeats, InspectWorkers, Penalty, Seat},
	Balance, Role, WorkClass,
};

fn held(number: u8) -> Balance {
	Balances::balance_on_hold(&crate::HoldReason::Stake.into(), &owner(number))
}

fn penalty(compensation: &[(u8, Balance)], bounty: &[(u8, Balance)]) -> Penalty<AccountId> {
	let owners = |parts: &[(u8, Balance)]| {
		parts.iter().map(|(number, amount)| (owner(*number), *amount)).collect()
	};
	Penalty { compensation: owners(compensation), bounty: owners(bounty), referees: None }
}

#[test]
fn engage_works() {
	build_and_execute(|| {
		worker(1, 100);
		let first = engage(1, 0, 60);
		let second = engage(1, 1, 40);
		assert_eq!(stored(1).collateral, 100);
		assert_eq!(stored(1).free_collateral(), 0);
		assert_eq!(Workers::duties_of(&device(1)), vec![first, second]);
		assert_eq!(Ledger::<Test>::get().engaged, 100);
	});
}

#[test]
fn engage_should_fail_when_collateral_is_bound() {
	build_and_execute(|| {
		worker(1, 100);
		engage(1, 0, 60);
		assert_noop!(
			Workers::engage(&seat(1), duty(1, Role::Worker), CLASS, 41),
			Error::<Test>::CollateralUnavailable
		);
	});
}

#[test]
fn engage_should_fail_when_seat_is_gone() {
	build_and_execute(|| {
		let engage =
			|seat: &Seat<AccountId>| Workers::engage(seat, duty(0, Role::Worker), CLASS, 10);
		assert_noop!(engage(&seat(1)), Error::<Test>::NotRegistered);
		register(1, 100);
		assert_noop!(engage(&seat(1)), Error::<Test>::DeviceNotFound);
		worker(2, 100);
		let foreign = Seat { owner: owner(1), device: device(2) };
		assert_noop!(engage(&foreign), Error::<Test>::DeviceNotFound);
		assert_ok!(Workers::drain(RuntimeOrigin::signed(owner(2))));
		assert_noop!(engage(&seat(2)), Error::<Test>::NotActive);
	});
}

#[test]
fn engage_should_fail_when_duty_is_known() {
	build_and_execute(|| {
		worker(1, 100);
		let duty = engage(1, 0, 10);
		assert_noop!(Workers::engage(&seat(1), duty, CLASS, 10), Error::<Test>::AlreadyEngaged);
	});
}

#[test]
fn engage_should_fail_when_device_is_full() {
	build_and_execute(|| {
		worker(1, 1_000);
		(0..u64::from(MAX_ENGAGEMENTS)).for_each(|task| {
			engage(1, task, 1);
		});
		assert_noop!(
			Workers::engage(&seat(1), duty(1_000, Role::Worker), CLASS, 1),
			Error::<Test>::DeviceFull
		);
	});
}

#[test]
fn commit_works() {
	build_and_execute(|| {
		worker(1, 100);
		let (first, second) = (engage(1, 0, 60), engage(1, 1, 40));
		Workers::commit(&seat(1), first);
		// It still owes the reveal.
		assert_eq!(Workers::duties_of(&device(1)), vec![first, second]);
		assert_eq!(stored_device(1).computing().collect::<Vec<_>>(), vec![second]);
		assert_eq!(stored(1).free_collateral(), 0);
	});
}

#[test]
fn complete_works() {
	build_and_execute(|| {
		worker(1, 100);
		let (first, second) = (engage(1, 0, 60), engage(1, 1, 40));
		Workers::complete(&seat(1), first);
		assert_eq!(Workers::duties_of(&device(1)), vec![second]);
		assert_eq!(Workers::parts_of(&device(1)), vec![first, second]);
		assert_eq!(stored(1).free_collateral(), 0);
	});
}

#[test]
fn release_works() {
	build_and_execute(|| {
		worker(1, 100);
		let duty = engage(1, 0, 60);
		Workers::release(&seat(1), duty, Deed::Nothing);
		assert_eq!(stored(1).free_collateral(), 100);
		assert_eq!(held(1), 100);
		assert_eq!(Ledger::<Test>::get().released, 60);
	});
}

#[test]
fn hand_back_ends_the_duty_and_the_availability() {
	build_and_execute(|| {
		worker(1, 100);
		let duty = engage(1, 0, 60);
		Workers::hand_back(&seat(1), duty);
		assert_eq!(stored(1).free_collateral(), 100);
		assert_eq!(Ledger::<Test>::get().released, 60);

		let signal = || Workers::set_accepting(RuntimeOrigin::signed(device(1)), true);
		assert_noop!(signal(), Error::<Test>::SignalTooSoon);
		let from = crate::Devices::<Test>::get(device(1)).unwrap().signal_from;
		poll_at(from);
		assert_ok!(signal());
	});
}

#[test]
fn miss_works() {
	build_and_execute(|| {
		worker(1, 100);
		let issuance = Balances::total_issuance();
		let duty = engage(1, 0, 60);
		Workers::miss(&seat(1), duty, 5);

		assert_eq!((held(1), stored(1).stake, stored(1).collateral), (95, 95, 0));
		assert_eq!(Balances::total_issuance(), issuance - 5);
		let ledger = Ledger::<Test>::get();
		assert_eq!((ledger.released, ledger.burned), (55, 5));
		assert!(crate::NextSeats::<Test>::get(WorkClass::RandomXSearch).is_empty());
		let (owner, device) = (owner(1), device(1));
		System::assert_has_event(Event::<Test>::Missed { owner, device, duty, fine: 5 }.into());
	});
}

#[test]
fn miss_never_costs_more_than_the_collateral() {
	build_and_execute(|| {
		worker(1, 100);
		let duty = engage(1, 0, 60);
		Workers::miss(&seat(1), duty, 1_000);
		assert_eq!(held(1), 40);
	});
}

#[test]
fn slash_works() {
	build_and_execute(|| {
		worker(1, 100);
		register(2, 100);
		register(3, 100);
		let issuance = Balances::total_issuance();
		let duty = engage(1, 0, 60);
		let taken = Workers::slash(&seat(1), duty, penalty(&[(2, 20)], &[(2, 10), (3, 12)]));

		assert_eq!(taken, 60);
		assert_eq!((held(1), stored(1).stake, stored(1).collateral), (40, 40, 0));
		assert_eq!(Balances::free_balance(payout(2)), EXISTENTIAL_DEPOSIT + 30);
		assert_eq!(Balances::free_balance(payout(3)), EXISTENTIAL_DEPOSIT + 12);
		assert_eq!(Balances::total_issuance(), issuance - 18);
		System::assert_last_event(
			Event::<Test>::Slashed {
				owner: owner(1),
				device: device(1),
				duty,
				amount: 60,
				compensation: 20,
				bounty: 22,
				burned: 18,
			}
			.into(),
		);
	});
}

#[test]
fn slash_pays_compensation_first() {
	build_and_execute(|| {
		worker(1, 100);
		register(2, 100);
		register(3, 100);
		let duty = engage(1, 0, 60);
		assert_eq!(Workers::slash(&seat(1), duty, penalty(&[(2, 50)], &[(3, 50)])), 60);
		assert_eq!(Balances::free_balance(payout(2)), EXISTENTIAL_DEPOSIT + 50);
		assert_eq!(Balances::free_balance(payout(3)), EXISTENTIAL_DEPOSIT + 10);
	});
}

#[test]
fn slash_pays_the_referees_before_the_bounty() {
	build_and_execute(|| {
		worker(1, 100);
		register(2, 100);
		register(3, 100);
		// Theirs is an account, not an owner whose pay goes elsewhere.
		let pot = payout(4);
		let referees = Some((pot.clone(), 30));
		let duty = engage(1, 0, 60);
		let penalty = Penalty { referees, ..penalty(&[(2, 20)], &[(3, 22)]) };
		assert_eq!(Workers::slash(&seat(1), duty, penalty), 60);

		assert_eq!(Balances::free_balance(payout(2)), EXISTENTIAL_DEPOSIT + 20);
		assert_eq!(Balances::free_balance(pot), EXISTENTIAL_DEPOSIT + 30);
		assert_eq!(Balances::free_balance(payout(3)), EXISTENTIAL_DEPOSIT + 10);
		let ledger = Ledger::<Test>::get();
		assert_eq!((ledger.compensation, ledger.bounty, ledger.burned), (50, 10, 0));
	});
}

#[test]
fn slash_takes_the_seats_that_it_costs_and_no_others() {
	build_and_execute(|| {
		let classes = [WorkClass::ExactF64, WorkClass::RandomXSearch];
		let origin = RuntimeOrigin::signed(owner(1));
		assert_ok!(Workers::register(origin, offers_of(&classes), 450, payout(1)));
		add_device(1, 1);
		let seats = |class: WorkClass| {
			let holders = crate::NextSeats::<Test>::get(class).into_inner();
			holders.into_iter().map(|holder| holder.seats).collect::<Vec<_>>()
		};
		assert_eq!(classes.map(seats), [vec![2], vec![2]]);
		for (task, collateral, left) in [(0, 50, vec![2]), (1, 1, vec![1]), (2, 200, vec![])] {
			let duty = engage(1, task, collateral);
			slash_all(1, duty);
			assert_eq!(classes.map(seats), [left.clone(), left]);
		}
	});
}

#[test]
fn slash_burns_what_cannot_be_paid() {
	build_and_execute(|| {
		worker(1, 100);
		register(2, 100);
		let duty = engage(1, 0, 60);
		// An owner that is not registered is paid itself; this one does not exist and five are
		// below its deposit.
		let stranger = (99, EXISTENTIAL_DEPOSIT - 5);
		assert_eq!(Workers::slash(&seat(1), duty, penalty(&[stranger, (2, 20)], &[])), 60);
		assert_eq!(Balances::free_balance(owner(99)), 0);
		let ledger = Ledger::<Test>::get();
		assert_eq!((ledger.compensation, ledger.burned), (20, 40));
	});
}

#[test]
fn slash_works_when_the_owner_is_poor() {
	build_and_execute(|| {
		worker(1, 100);
		Balances::set_balance(&owner(1), EXISTENTIAL_DEPOSIT);
		let duty = engage(1, 0, 100);
		assert_eq!(slash_all(1, duty), 100);
		assert_eq!(held(1), 0);
		assert_eq!(Balances::free_balance(owner(1)), EXISTENTIAL_DEPOSIT);
	});
}

#[test]
fn payout_of_a_stranger_is_itself() {
	build_and_execute(|| assert_eq!(Workers::payout_of(&owner(9)), owner(9)));
}
