use crate::{mock::*, types::DUTY_SLOTS, Offer};
use frame_support::assert_ok;
use sp_core::H256;
use tequio_primitives::{
	workers::{DrawSeats, EngageSeats, Need},
	Role,
};

fn drawn(need: &Need<AccountId>) -> Option<AccountId> {
	Workers::draw(H256::repeat_byte(1), need).map(|seat| seat.device)
}

#[test]
fn draw_works() {
	build_and_execute(|| {
		worker(1, 100);
		assert_eq!(Workers::draw(H256::zero(), &need(false)), None);
		fix_seats();
		assert_eq!(Workers::draw(H256::zero(), &need(false)), Some(seat(1)));
		assert_eq!(Workers::draw(H256::zero(), &need(true)), Some(seat(1)));
	});
}

#[test]
fn draw_falls_on_owners_by_their_seats() {
	build_and_execute(|| {
		worker(1, 100);
		worker(2, 300);
		fix_seats();
		let hits = (0..400u64)
			.filter_map(|seed| Workers::draw(H256::from_low_u64_be(seed), &need(false)))
			.filter(|seat| seat.owner == owner(2))
			.count();
		assert!((260..340).contains(&hits), "{hits} of 400 draws for three of four seats");
	});
}

#[test]
fn draw_passes_over_whoever_cannot() {
	build_and_execute(|| {
		worker(1, 100);
		fix_seats();
		let excluded = [owner(1)];
		for need in [
			Need { price: 4, ..need(false) },
			Need { deadline: 39, ..need(false) },
			Need { units: 101, ..need(false) },
			Need { collateral: 34, ..need(false) },
			Need { collateral: 101, ..need(true) },
			Need { excluded: &excluded, ..need(false) },
		] {
			assert_eq!(drawn(&need), None, "{need:?}");
		}
		engage(1, 0, 61);
		assert_eq!(drawn(&Need { collateral: 40, ..need(true) }), None);
		assert_eq!(drawn(&Need { collateral: 39, ..need(true) }), Some(device(1)));
		// Work leaves what two audits of it bind.
		assert_eq!(drawn(&Need { collateral: 14, ..need(false) }), None);
		assert_eq!(drawn(&Need { collateral: 13, ..need(false) }), Some(device(1)));
	});
}

#[test]
fn draw_passes_over_whoever_does_not_want() {
	build_and_execute(|| {
		for number in 1..=4 {
			worker(number, 100);
		}
		register(5, 100);
		fix_seats();
		let dearer = vec![Offer { ask: 6, ..offers()[0] }].try_into().unwrap();
		assert_ok!(Workers::set_offers(RuntimeOrigin::signed(owner(1)), dearer));
		assert_ok!(Workers::set_accepting(RuntimeOrigin::signed(device(2)), false));
		assert_ok!(Workers::pause_device(RuntimeOrigin::signed(owner(3)), device(3)));
		assert_ok!(Workers::drain(RuntimeOrigin::signed(owner(4))));
		for seed in 0..20u64 {
			assert_eq!(Workers::draw(H256::from_low_u64_be(seed), &need(false)), None);
		}
	});
}

#[test]
fn draw_takes_the_least_loaded_device() {
	build_and_execute(|| {
		worker(1, 1_000);
		add_device(1, 2);
		fix_seats();
		assert_eq!(drawn(&need(false)), Some(device(1)));
		engage(1, 0, 50);
		assert_eq!(drawn(&need(false)), Some(device(2)));
	});
}

#[test]
fn draw_keeps_room_for_audits() {
	build_and_execute(|| {
		worker(1, 10_000);
		fix_seats();
		let work = [0, 1].map(|task| engage(1, task, 50));
		assert_eq!(drawn(&need(false)), None);
		assert_eq!(drawn(&need(true)), Some(device(1)));

		for task in 2..DUTY_SLOTS as u64 {
			assert_ok!(Workers::engage(&seat(1), duty(task, Role::Auditor), 50));
		}
		assert_eq!(drawn(&need(true)), None);
		Workers::complete(&seat(1), work[0]);
		assert_eq!(drawn(&need(true)), Some(device(1)));
		assert_eq!(drawn(&need(false)), Some(device(1)));
	});
}
