//! Whatever is called in whatever order, the invariants hold, and tokens only vanish where the
//! ledger says so.

use crate::{mock::*, Ledger};
use frame_support::dispatch::DispatchResult;
use proptest::prelude::*;
use sp_core::H256;
use tequio_primitives::{
	workers::{Draws, EngageSeats, Need, Penalty, Seat},
	Balance, Duty, Role,
};

#[derive(Clone, Debug)]
enum Step {
	Register(u8, Balance),
	AddStake(u8, Balance),
	SetPayout(u8, u8),
	AddDevice(u8, u8),
	RemoveDevice(u8, u8),
	SetAccepting(u8, bool),
	Pause(u8, u8),
	Resume(u8, u8),
	Drain(u8),
	Unbond(u8),
	Withdraw(u8),
	Pass(u32),
	Engage(u64, bool, Balance),
	Commit(usize),
	Complete(usize),
	Release(usize),
	Miss(usize, Balance),
	Slash(usize, u8, Balance),
}

fn step() -> impl Strategy<Value = Step> {
	let owner = 1..=4u8;
	let device = 1..=6u8;
	let place = 0usize..100;
	prop_oneof![
		1 => (owner.clone(), 50..1_000u128).prop_map(|(o, stake)| Step::Register(o, stake)),
		1 => (owner.clone(), 0..300u128).prop_map(|(o, amount)| Step::AddStake(o, amount)),
		1 => (owner.clone(), owner.clone()).prop_map(|(o, to)| Step::SetPayout(o, to)),
		1 => (owner.clone(), device.clone()).prop_map(|(o, d)| Step::AddDevice(o, d)),
		1 => (owner.clone(), device.clone()).prop_map(|(o, d)| Step::RemoveDevice(o, d)),
		3 => (device.clone(), any::<bool>()).prop_map(|(d, a)| Step::SetAccepting(d, a)),
		1 => (owner.clone(), device.clone()).prop_map(|(o, d)| Step::Pause(o, d)),
		1 => (owner.clone(), device).prop_map(|(o, d)| Step::Resume(o, d)),
		1 => owner.clone().prop_map(Step::Drain),
		1 => owner.clone().prop_map(Step::Unbond),
		1 => owner.clone().prop_map(Step::Withdraw),
		3 => (1..20u32).prop_map(Step::Pass),
		6 => (any::<u64>(), any::<bool>(), 1..300u128)
			.prop_map(|(seed, audit, collateral)| Step::Engage(seed, audit, collateral)),
		1 => place.clone().prop_map(Step::Commit),
		1 => place.clone().prop_map(Step::Complete),
		2 => place.clone().prop_map(Step::Release),
		1 => (place.clone(), 0..400u128).prop_map(|(p, fine)| Step::Miss(p, fine)),
		1 => (place, owner, 0..200u128).prop_map(|(p, to, amount)| Step::Slash(p, to, amount)),
	]
}

/// Duties that have not ended.
type Open = Vec<(Seat<AccountId>, Duty)>;

fn call(step: &Step) -> DispatchResult {
	let signed = |number: &u8| RuntimeOrigin::signed(owner(*number));
	match step {
		Step::Register(o, stake) => Workers::register(signed(o), offers(), *stake, payout(*o)),
		Step::AddStake(o, amount) => Workers::add_stake(signed(o), *amount),
		Step::SetPayout(o, to) => Workers::set_payout(signed(o), payout(*to)),
		Step::AddDevice(o, d) => Workers::add_device(signed(o), device(*d), proof(*d, &owner(*o))),
		Step::RemoveDevice(o, d) => Workers::remove_device(signed(o), device(*d)),
		Step::SetAccepting(d, accepting) => {
			Workers::set_accepting(RuntimeOrigin::signed(device(*d)), *accepting)
		},
		Step::Pause(o, d) => Workers::pause_device(signed(o), device(*d)),
		Step::Resume(o, d) => Workers::resume_device(signed(o), device(*d)),
		Step::Drain(o) => Workers::drain(signed(o)),
		Step::Unbond(o) => Workers::unbond(signed(o)),
		Step::Withdraw(o) => Workers::withdraw(signed(o)),
		_ => Ok(()),
	}
}

fn apply(step: &Step, next_task: u64, open: &mut Open) {
	// A call that fails is as good a step as one that does not: it may not change anything.
	let _ = call(step);
	let pick = |open: &Open, place: usize| place.checked_rem(open.len());
	match step {
		Step::Pass(blocks) => poll_at(Height::get() + blocks),
		Step::Engage(seed, audit, collateral) => {
			let need = Need { collateral: *collateral, ..need(*audit) };
			let mut draws = Draws::<AccountId, Workers>::default();
			let Ok(seat) = draws.draw(H256::from_low_u64_be(*seed), &need).seat else { return };
			let role = if *audit { Role::Auditor } else { Role::Worker };
			let duty = duty(next_task, role);
			Workers::engage(&seat, duty, *collateral).unwrap();
			open.push((seat, duty));
		},
		Step::Commit(place) => {
			let Some(place) = pick(open, *place) else { return };
			Workers::commit(&open[place].0, open[place].1);
		},
		Step::Complete(place) => {
			let Some(place) = pick(open, *place) else { return };
			Workers::complete(&open[place].0, open[place].1);
		},
		Step::Release(place) => {
			let Some(place) = pick(open, *place) else { return };
			let (seat, duty) = open.swap_remove(place);
			Workers::release(&seat, duty);
		},
		Step::Miss(place, fine) => {
			let Some(place) = pick(open, *place) else { return };
			let (seat, duty) = open.swap_remove(place);
			Workers::miss(&seat, duty, *fine);
		},
		Step::Slash(place, to, amount) => {
			let Some(place) = pick(open, *place) else { return };
			let (seat, duty) = open.swap_remove(place);
			let parts = vec![(owner(*to), *amount)];
			let penalty = Penalty { compensation: parts.clone(), bounty: parts };
			Workers::slash(&seat, duty, penalty);
		},
		_ => {},
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn invariants_hold_after_every_step(steps in prop::collection::vec(step(), 1..120)) {
		build_and_execute(|| {
			(1..=3).for_each(|number| worker(number, 500));
			fix_seats();
			let issuance = Balances::total_issuance();
			let mut open = Open::new();
			for (next_task, step) in (0..).zip(&steps) {
				apply(step, next_task, &mut open);
				Workers::do_try_state().unwrap();
				let burned = Ledger::<Test>::get().burned;
				assert_eq!(Balances::total_issuance() + burned, issuance);
			}
		});
	}
}
