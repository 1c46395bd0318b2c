use crate::{mock::*, CurrentRules, Error, Event, NextSeats, Rules, Seats};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

fn set(rules: Rules) {
	assert_ok!(Workers::set_rules(RuntimeOrigin::root(), rules));
}

fn coming() -> Vec<(AccountId, u32)> {
	NextSeats::<Test>::get(CLASS).into_iter().map(|holder| (holder.owner, holder.seats)).collect()
}

#[test]
fn set_rules_works() {
	build_and_execute(|| {
		let rules = Rules { half_life: 7, suspension: 9, ..RULES };
		set(rules);
		assert_eq!(CurrentRules::<Test>::get(), rules);
		System::assert_last_event(Event::<Test>::RulesChanged { rules }.into());
	});
}

#[test]
fn set_rules_converts_the_coming_seats() {
	build_and_execute(|| {
		register(1, 250);
		register(2, 100);
		fix_seats();
		let in_force = Seats::<Test>::get(CLASS);

		set(Rules { seat_stake: 150, ..RULES });
		assert_eq!(coming(), vec![(owner(1), 1)]);
		assert_eq!(Seats::<Test>::get(CLASS), in_force);
		fix_seats();
		assert_eq!(Seats::<Test>::get(CLASS).into_inner().len(), 1);
	});
}

#[test]
fn what_a_conversion_rounds_off_counts_again_after_a_change() {
	build_and_execute(|| {
		register(1, 250);
		set(Rules { seat_stake: 50, ..RULES });
		assert_eq!(coming(), vec![(owner(1), 4)]);
		assert_ok!(Workers::set_offers(RuntimeOrigin::signed(owner(1)), offers()));
		assert_eq!(coming(), vec![(owner(1), 5)]);

		// One that had no seat left comes back the same way.
		set(Rules { seat_stake: 300, ..RULES });
		assert_eq!(coming(), vec![]);
		set(Rules { seat_stake: 50, ..RULES });
		assert_eq!(coming(), vec![]);
		assert_ok!(Workers::add_stake(RuntimeOrigin::signed(owner(1)), 1));
		assert_eq!(coming(), vec![(owner(1), 5)]);
	});
}

#[test]
fn a_slash_after_a_conversion_gives_no_seats() {
	build_and_execute(|| {
		worker(1, 250);
		worker(2, 100);
		set(Rules { seat_stake: 120, ..RULES });
		set(Rules { seat_stake: 50, ..RULES });
		assert_eq!(coming(), vec![(owner(1), 2)]);
		for (number, collateral) in [(1, 10), (2, 60)] {
			let duty = engage(number, 0, collateral);
			slash_all(number, duty);
		}
		assert_eq!(coming(), vec![(owner(1), 2)]);
		let duty = engage(1, 1, 190);
		slash_all(1, duty);
		assert_eq!(coming(), vec![(owner(1), 1)]);
	});
}

#[test]
fn set_rules_should_fail_when_signer_is_not_root() {
	build_and_execute(|| {
		let origin = RuntimeOrigin::signed(owner(1));
		assert_noop!(Workers::set_rules(origin, RULES), DispatchError::BadOrigin);
	});
}

#[test]
fn set_rules_should_fail_when_they_are_unsound() {
	build_and_execute(|| {
		for rules in [
			Rules { seat_stake: 0, ..RULES },
			Rules { seat_period: 0, ..RULES },
			Rules { half_life: 0, ..RULES },
		] {
			assert_noop!(
				Workers::set_rules(RuntimeOrigin::root(), rules),
				Error::<Test>::RulesUnsound
			);
		}
	});
}
