//! Who takes part: owners with their devices, and the circle whose profit counts.

use crate::{AUTHORS, VALUE};
use frame_support::{traits::fungible::Mutate, BoundedVec};
use pallet_rewards::Accrued;
use pallet_workers::{Call, Offer};
use sp_runtime::traits::Dispatchable;
use std::collections::BTreeSet;
use tequio_primitives::{device::proof_message, Balance, WorkClass};
use tequio_runtime::{AccountId, Balances, Runtime, RuntimeCall, RuntimeOrigin, System};
use tequio_runtime_tests::{keys::Key, slots::Authors, wealth, World};

/// Devices of each owner.
const DEVICES: u32 = 2;
/// What an owner has besides its stake.
const POCKET: Balance = 10_000 * VALUE;
/// Blocks until seats are in force.
const ENROLMENT: u32 = 8;

/// On which side an owner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
	/// Does what it should.
	Honest,
	/// Follows the strategy, but its profit is its own.
	Helper,
	/// Belongs to the circle.
	Member,
}

/// A device.
pub struct Hand {
	/// What it signs with.
	pub key: Key,
	/// Its account.
	pub account: AccountId,
}

/// An owner.
pub struct Person {
	/// Its account, which is also paid.
	pub account: AccountId,
	/// Its devices.
	pub hands: Vec<Hand>,
	/// On which side it is.
	pub side: Side,
	/// What it stakes.
	stake: Balance,
}

impl Person {
	/// Owner number `number`, with such a stake.
	pub fn new(number: u32, side: Side, stake: Balance) -> Self {
		let account = Key::named(&format!("Person{number}")).account();
		let hand = |place| {
			let key = Key::device(10_000 + number * DEVICES + place);
			Hand { account: key.account(), key }
		};
		Self { account, hands: (0..DEVICES).map(hand).collect(), side, stake }
	}

	/// Registers it with its devices, all of which accept work. Changes the state.
	fn enroll(&self, class: WorkClass, ask: Balance, units: u32) {
		Balances::mint_into(&self.account, self.stake + POCKET).expect("issuance has room");
		let offers = BoundedVec::truncate_from(vec![Offer { class, ask, rate: units }]);
		let payout = self.account.clone();
		dispatch(&self.account, Call::register { offers, stake: self.stake, payout });
		let message = proof_message(&System::block_hash(0u32), &self.account);
		for hand in &self.hands {
			let (device, proof) = (hand.account.clone(), hand.key.prove(&message));
			dispatch(&self.account, Call::add_device { device, proof });
			dispatch(&hand.account, Call::set_accepting { accepting: true });
		}
	}

	/// Makes up for what it lost of its stake, so that it has as many seats as before. Changes the
	/// state; returns how much that was.
	pub fn replenish(&self) -> Balance {
		let worker = pallet_workers::Workers::<Runtime>::get(&self.account);
		let lacking = worker.map_or(0, |worker| self.stake.saturating_sub(worker.stake));
		if lacking > 0 {
			Balances::mint_into(&self.account, lacking).expect("issuance has room");
			dispatch(&self.account, Call::add_stake { amount: lacking });
		}
		lacking
	}
}

fn dispatch(who: &AccountId, call: Call<Runtime>) {
	RuntimeCall::Workers(call)
		.dispatch(RuntimeOrigin::signed(who.clone()))
		.expect("the call is well-formed");
}

/// Registers owners between two blocks, `ask` saying what each asks for a unit, and waits until
/// their seats are in force.
pub fn enroll(
	world: &mut World,
	people: &[Person],
	class: WorkClass,
	units: u32,
	ask: impl Fn(Side) -> Balance,
) {
	world.block();
	world.edit(|| people.iter().for_each(|one| one.enroll(class, ask(one.side), units)));
	for _ in 0..ENROLMENT {
		world.block();
	}
}

/// Those whose profit counts: the members, the requester among them, and authors.
pub struct Circle {
	owners: BTreeSet<AccountId>,
	others: Vec<AccountId>,
}

impl Circle {
	/// The members among these, the requester, and the first `slots` authors of all.
	pub fn new(people: &[Person], requester: AccountId, slots: u32) -> Self {
		let members = people.iter().filter(|one| one.side == Side::Member);
		let owners = members.map(|one| one.account.clone()).collect();
		let authors = (0..slots.min(AUTHORS)).map(Authors::account);
		Self { owners, others: authors.chain([requester]).collect() }
	}

	/// Whether an owner is a member.
	pub fn contains(&self, owner: &AccountId) -> bool {
		self.owners.contains(owner)
	}

	/// All that its owners have. Reads the state.
	pub fn stakes(&self) -> Balance {
		self.owners.iter().map(possessions).sum()
	}

	/// All that its owners, its requester and its authors have. Reads the state.
	pub fn everything(&self) -> Balance {
		self.stakes() + self.others.iter().map(possessions).sum::<Balance>()
	}
}

/// Free money, money on hold, and pay that waits in the pot.
fn possessions(account: &AccountId) -> Balance {
	wealth(account) + Accrued::<Runtime>::get(account)
}
