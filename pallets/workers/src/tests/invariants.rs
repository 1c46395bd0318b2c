//! Whatever is called in whatever order, the invariants hold, and tokens only vanish where the
//! ledger says so.

use crate::{mock::*, Ledger, Rules};
use frame_support::dispatch::DispatchResult;
use proptest::prelude::*;
use sp_core::H256;
use tequio_primitives::{
	reputation::Deed,
	workers::{Draws, EngageSeats, Need, Penalty, Seat},
	Balance, Duty, Role, WorkClass,
};

#[derive(Clone, Debug)]
enum Step {
	Register(u8, Balance),
	AddStake(u8, Balance),
	SetOffers(u8, Vec<WorkClass>),
	SetPayout(u8, u8),
	AddDevice(u8, u8),
	RemoveDevice(u8, u8),
	SetAccepting(u8, bool),
	Pause(u8, u8),
	Resume(u8, u8),
	Drain(u8),
	Unbond(u8),
	Withdraw(u8),
	SetRules(Balance, u32),
	Pass(u32),
	Engage(u64, WorkClass, bool, Balance),
	StandFor(usize, Balance),
	Commit(usize),
	Complete(usize),
	Release(usize, Deed),
	HandBack(usize),
	Miss(usize, Balance),
	Slash(usize, u8, Balance),
}

fn deed() -> impl Strategy<Value = Deed> {
	prop_oneof![
		Just(Deed::Nothing),
		(any::<Balance>(), any::<bool>())
			.prop_map(|(value, audited)| Deed::Accepted { value, audited }),
		Just(Deed::Rejected),
	]
}

/// Steps of owners and devices, and of time.
fn step() -> impl Strategy<Value = Step> {
	let owner = 1..=4u8;
	let device = 1..=6u8;
	let classes = prop::sample::subsequence(WorkClass::ALL.to_vec(), 1..=WorkClass::ALL.len());
	prop_oneof![
		20 => duty_step(),
		1 => (owner.clone(), 50..1_000u128).prop_map(|(o, stake)| Step::Register(o, stake)),
		1 => (owner.clone(), 0..300u128).prop_map(|(o, amount)| Step::AddStake(o, amount)),
		2 => (owner.clone(), classes).prop_map(|(o, classes)| Step::SetOffers(o, classes)),
		1 => (owner.clone(), owner.clone()).prop_map(|(o, to)| Step::SetPayout(o, to)),
		1 => (owner.clone(), device.clone()).prop_map(|(o, d)| Step::AddDevice(o, d)),
		1 => (owner.clone(), device.clone()).prop_map(|(o, d)| Step::RemoveDevice(o, d)),
		3 => (device.clone(), any::<bool>()).prop_map(|(d, a)| Step::SetAccepting(d, a)),
		1 => (owner.clone(), device.clone()).prop_map(|(o, d)| Step::Pause(o, d)),
		1 => (owner.clone(), device).prop_map(|(o, d)| Step::Resume(o, d)),
		1 => owner.clone().prop_map(Step::Drain),
		1 => owner.clone().prop_map(Step::Unbond),
		1 => owner.prop_map(Step::Withdraw),
		3 => (1..20u32).prop_map(Step::Pass),
	]
}

/// Steps of the duties that draws bind owners to.
fn duty_step() -> impl Strategy<Value = Step> {
	let place = 0usize..100;
	let class = prop::sample::select(WorkClass::ALL.to_vec());
	prop_oneof![
		6 => (any::<u64>(), class, any::<bool>(), 1..300u128)
			.prop_map(|(seed, class, audit, amount)| Step::Engage(seed, class, audit, amount)),
		2 => (place.clone(), 0..100u128).prop_map(|(p, bond)| Step::StandFor(p, bond)),
		1 => place.clone().prop_map(Step::Commit),
		1 => place.clone().prop_map(Step::Complete),
		3 => (place.clone(), deed()).prop_map(|(p, deed)| Step::Release(p, deed)),
		1 => place.clone().prop_map(Step::HandBack),
		1 => (place.clone(), 0..400u128).prop_map(|(p, fine)| Step::Miss(p, fine)),
		1 => (place, 1..=4u8, 0..200u128).prop_map(|(p, to, amount)| Step::Slash(p, to, amount)),
	]
}

/// A step of owners, devices or root.
fn step_or_rules() -> impl Strategy<Value = Step> {
	prop_oneof![
		20 => step(),
		1 => (1..300u128, 1..50u32).prop_map(|(stake, life)| Step::SetRules(stake, life)),
	]
}

const APPELLANT: Role = Role::Appellant { level: 0 };

/// Duties that have not ended.
type Open = Vec<(Seat<AccountId>, Duty)>;

fn call(step: &Step) -> DispatchResult {
	let signed = |number: &u8| RuntimeOrigin::signed(owner(*number));
	match step {
		Step::Register(o, stake) => Workers::register(signed(o), offers(), *stake, payout(*o)),
		Step::AddStake(o, amount) => Workers::add_stake(signed(o), *amount),
		Step::SetOffers(o, classes) => Workers::set_offers(signed(o), offers_of(classes)),
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
		Step::SetRules(seat_stake, half_life) => {
			let rules = Rules { seat_stake: *seat_stake, half_life: *half_life, ..RULES };
			Workers::set_rules(RuntimeOrigin::root(), rules)
		},
		_ => Ok(()),
	}
}

/// One of the duties that have not ended.
fn pick(open: &Open, place: usize) -> Option<usize> {
	place.checked_rem(open.len())
}

/// Has a device proceed with a duty that it has something to do for.
fn proceed(open: &Open, place: usize, with: impl Fn(&Seat<AccountId>, Duty)) {
	let Some((seat, duty)) = pick(open, place).map(|place| &open[place]) else { return };
	if !matches!(duty.role, Role::Appellant { .. }) {
		with(seat, *duty);
	}
}

/// Ends a duty.
fn end(open: &mut Open, place: usize, with: impl Fn(&Seat<AccountId>, Duty)) {
	let Some(place) = pick(open, place) else { return };
	let (seat, duty) = open.swap_remove(place);
	with(&seat, duty);
}

/// Draws somebody for a duty and binds it.
fn draw(seed: u64, duty: Duty, class: WorkClass, collateral: Balance) -> Option<Seat<AccountId>> {
	let audit = duty.role != Role::Worker;
	let need = Need { class, terms: &asking(collateral), ..need(audit) };
	let mut draws = Draws::<AccountId, Workers>::default();
	let (seat, terms) = draws.draw(H256::from_low_u64_be(seed), &need).seat.ok()?;
	Workers::engage(&seat, duty, class, terms.collateral).unwrap();
	Some(seat)
}

fn apply(step: &Step, next_task: u64, open: &mut Open) {
	// A call that fails is as good a step as one that does not: it may not change anything.
	let _ = call(step);
	match step {
		Step::Pass(blocks) => poll_at(Height::get() + blocks),
		Step::Engage(seed, class, audit, collateral) => {
			let role = if *audit { Role::Auditor } else { Role::Worker };
			let duty = duty(next_task, role);
			open.extend(draw(*seed, duty, *class, *collateral).map(|seat| (seat, duty)));
		},
		Step::StandFor(place, bond) => {
			let Some(place) = pick(open, *place) else { return };
			let (seat, duty) = (open[place].0.clone(), duty(next_task, APPELLANT));
			if Workers::stand_for(&seat, duty, CLASS, *bond).is_ok() {
				open.push((seat, duty));
			}
		},
		Step::Commit(place) => proceed(open, *place, Workers::commit),
		Step::Complete(place) => proceed(open, *place, Workers::complete),
		Step::Release(place, deed) => {
			end(open, *place, |seat, duty| Workers::release(seat, duty, *deed));
		},
		Step::HandBack(place) => end(open, *place, Workers::hand_back),
		Step::Miss(place, fine) => {
			end(open, *place, |seat, duty| Workers::miss(seat, duty, *fine));
		},
		Step::Slash(place, to, amount) => end(open, *place, |seat, duty| {
			let parts = vec![(owner(*to), *amount)];
			let referees = Some((payout(*to), *amount));
			let penalty = Penalty { compensation: parts.clone(), bounty: parts, referees };
			Workers::slash(seat, duty, penalty);
		}),
		_ => {},
	}
}

/// Applies steps to a chain of three owners, and checks it after each of them.
fn run(steps: &[Step]) {
	build_and_execute(|| {
		(1..=3).for_each(|number| worker(number, 500));
		fix_seats();
		let issuance = Balances::total_issuance();
		let mut open = Open::new();
		for (next_task, step) in (0..).zip(steps) {
			apply(step, next_task, &mut open);
			check();
			let burned = Ledger::<Test>::get().burned;
			assert_eq!(Balances::total_issuance() + burned, issuance);
		}
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn invariants_hold_after_every_step(steps in prop::collection::vec(step(), 1..120)) {
		run(&steps);
	}

	#[test]
	fn invariants_hold_whatever_the_rules(
		steps in prop::collection::vec(step_or_rules(), 1..120),
	) {
		run(&steps);
	}
}
