use crate::{
	mock::*,
	types::{AUDIT_SLOTS, CHECK_SLOTS, MAX_DEVICES},
	Offer,
};
use frame_support::assert_ok;
use sp_core::H256;
use tequio_primitives::{
	terms::AuditTerms,
	workers::{
		Candidate, DrawSeats, Drawn, Draws, EngageSeats, Holdings, Need, NoSeat, Seat, MAX_LOOKS,
	},
	Role,
};

/// Draws with the seed that is this number.
fn draw(seed: u64, need: &Need<AccountId>) -> Drawn<AccountId> {
	Draws::<AccountId, Workers>::default().draw(H256::from_low_u64_be(seed), need)
}

fn seat_drawn(seed: u64, need: &Need<AccountId>) -> Result<Seat<AccountId>, NoSeat> {
	draw(seed, need).seat.map(|(seat, _)| seat)
}

fn drawn(need: &Need<AccountId>) -> Option<AccountId> {
	seat_drawn(1, need).ok().map(|seat| seat.device)
}

#[test]
fn draw_works() {
	build_and_execute(|| {
		worker(1, 100);
		// Without any seats it is not the work that is at fault.
		assert_eq!(seat_drawn(0, &need(false)), Err(NoSeat::Busy));
		fix_seats();
		for audit in [false, true] {
			// The owner and its device are looked at.
			let seat = Ok((seat(1), terms_at(30)));
			assert_eq!(draw(0, &need(audit)), Drawn { seat, looks: 2 });
		}
	});
}

#[test]
fn draws_of_a_block_are_from_the_seats_at_its_begin() {
	build_and_execute(|| {
		worker(1, 100);
		fix_seats();
		let mut draws = Draws::<AccountId, Workers>::default();
		let seat = Ok((seat(1), terms_at(30)));
		assert_eq!(draws.draw(H256::zero(), &need(false)).seat, seat);
		crate::Seats::<Test>::remove(CLASS);
		assert_eq!(draws.draw(H256::zero(), &need(false)).seat, seat);
		let all = Holdings { owners: 1, seats: 1 };
		assert_eq!(draws.holdings(CLASS, &[]), all);
		assert_eq!(draws.held_by(CLASS, &owner(1)), all.seats);
		assert_eq!(Workers::holdings(&Workers::seats(CLASS), &[]), Holdings::default());
	});
}

#[test]
fn draw_looks_at_each_owner_once_and_at_no_more_than_it_may() {
	build_and_execute(|| {
		worker(1, 100);
		fix_seats();
		let cheap = Need { price: 4, ..need(false) };
		assert_eq!(draw(0, &cheap), Drawn { seat: Err(NoSeat::Unfit), looks: 1 });

		for number in 2..=8 {
			register(number, 100);
			let devices = 1..=u8::try_from(MAX_DEVICES).unwrap();
			devices.for_each(|place| add_idle_device(number, 20 * number + place));
		}
		assert_ok!(Workers::pause_device(RuntimeOrigin::signed(owner(1)), device(1)));
		fix_seats();
		for seed in 0..20 {
			let Drawn { seat, looks } = draw(seed, &need(false));
			assert_eq!(seat, Err(NoSeat::Unfit));
			assert!(looks <= MAX_LOOKS, "{looks} looks");
		}
	});
}

#[test]
fn draw_tells_work_that_nobody_takes_from_work_that_waits() {
	build_and_execute(|| {
		worker(1, 300);
		fix_seats();
		let excluded = [owner(1)];
		let unfit = [
			Need { price: 4, ..need(false) },
			Need { deadline: 39, ..need(false) },
			Need { terms: &asking(101), ..need(false) },
			Need { terms: &|_| None, ..need(false) },
			Need { excluded: &excluded, ..need(false) },
		];
		for (place, need) in unfit.iter().enumerate() {
			assert_eq!(seat_drawn(0, need), Err(NoSeat::Unfit), "need {place}");
		}
		let large = Need { terms: &asking(100), ..need(false) };
		assert_eq!(seat_drawn(0, &large), Ok(seat(1)));
		engage(1, 0, 1);
		assert_eq!(seat_drawn(0, &large), Err(NoSeat::Busy));
		engage(1, 1, 1);
		assert_eq!(seat_drawn(0, &need(false)), Err(NoSeat::Busy));
	});
}

#[test]
fn draw_takes_nobody_for_busy_who_accepts_no_work() {
	build_and_execute(|| {
		worker(1, 300);
		add_idle_device(1, 2);
		fix_seats();
		engage(1, 0, 30);
		engage(1, 1, 30);
		assert_eq!(seat_drawn(0, &need(false)), Err(NoSeat::Busy));
		let large = Need { terms: &asking(100), ..need(false) };
		assert_eq!(seat_drawn(0, &large), Err(NoSeat::Busy));
		// The device that is full accepts no more; the other one never did.
		assert_ok!(Workers::pause_device(RuntimeOrigin::signed(owner(1)), device(1)));
		for need in [need(false), large] {
			assert_eq!(draw(0, &need), Drawn { seat: Err(NoSeat::Unfit), looks: 3 });
		}
		assert_ok!(Workers::set_accepting(RuntimeOrigin::signed(device(2)), true));
		assert_eq!(drawn(&need(false)), Some(device(2)));
	});
}

#[test]
fn draw_falls_on_owners_by_their_seats() {
	build_and_execute(|| {
		worker(1, 100);
		worker(2, 300);
		fix_seats();
		let hits = (0..400u64)
			.filter_map(|seed| seat_drawn(seed, &need(false)).ok())
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
		let unfit = [
			Need { price: 4, ..need(false) },
			Need { deadline: 39, ..need(false) },
			Need { units: 101, ..need(false) },
			Need { terms: &asking(34), ..need(false) },
			Need { terms: &asking(101), ..need(true) },
			Need { excluded: &excluded, ..need(false) },
		];
		for (place, need) in unfit.iter().enumerate() {
			assert_eq!(drawn(need), None, "need {place}");
		}
		engage(1, 0, 61);
		assert_eq!(drawn(&Need { terms: &asking(40), ..need(true) }), None);
		assert_eq!(drawn(&Need { terms: &asking(39), ..need(true) }), Some(device(1)));
		// Work leaves what two audits of it bind.
		assert_eq!(drawn(&Need { terms: &asking(14), ..need(false) }), None);
		assert_eq!(drawn(&Need { terms: &asking(13), ..need(false) }), Some(device(1)));
		// One with three audits needs more, and an audit needs none for them.
		let three = |_: &Candidate| Some(AuditTerms { auditors: 3, ..terms_at(13) });
		assert_eq!(drawn(&Need { terms: &three, ..need(false) }), None);
		assert_eq!(drawn(&Need { terms: &three, ..need(true) }), Some(device(1)));
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
			assert!(seat_drawn(seed, &need(false)).is_err());
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

		for task in 2..AUDIT_SLOTS as u64 {
			assert_ok!(Workers::engage(&seat(1), duty(task, Role::Auditor), CLASS, 50));
		}
		assert_eq!(drawn(&need(true)), None);
		Workers::commit(&seat(1), work[0]);
		assert_eq!(drawn(&need(true)), Some(device(1)));
		assert_eq!(drawn(&need(false)), Some(device(1)));
	});
}

#[test]
fn draw_gives_out_no_more_work_than_can_be_checked() {
	build_and_execute(|| {
		worker(1, 10_000);
		fix_seats();
		let work: Vec<_> = (0..CHECK_SLOTS as u64)
			.map(|task| {
				assert_eq!(drawn(&need(false)), Some(device(1)));
				let duty = engage(1, task, 50);
				Workers::commit(&seat(1), duty);
				duty
			})
			.collect();
		assert_eq!(drawn(&need(false)), None);
		assert_eq!(drawn(&need(true)), Some(device(1)));
		Workers::complete(&seat(1), work[0]);
		assert_eq!(drawn(&need(false)), Some(device(1)));
	});
}

#[test]
fn a_draw_that_falls_on_one_who_sits_already_ends_there() {
	build_and_execute(|| {
		worker(1, 100);
		worker(2, 300);
		fix_seats();
		let sitting = [owner(2)];
		let need = Need { sitting: &sitting, ..need(true) };
		// Though it has no room at all.
		assert_ok!(Workers::pause_device(RuntimeOrigin::signed(owner(2)), device(2)));
		let mut sits = 0;
		for seed in 0..400 {
			match draw(seed, &need) {
				Drawn { seat: Err(NoSeat::Sits(0)), looks: 0 } => sits += 1,
				Drawn { seat: Ok((seat, _)), looks: 2 } => assert_eq!(seat.owner, owner(1)),
				other => panic!("{other:?}"),
			}
		}
		assert!((270..=330).contains(&sits), "it holds three seats of four: {sits}");
	});
}
