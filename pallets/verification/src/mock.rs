//! A runtime for tests, and steps that the tests tell their stories in.
#![allow(clippy::unwrap_used, missing_docs)]

mod doubles;
mod panels;
mod story;

pub use doubles::*;
pub use panels::*;
pub use story::*;

use crate::{
	self as pallet_verification, Checks, Event, GenesisConfig, Now, Pallet, Panels, Rules,
};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU128, ConstU64, Hooks},
	weights::{Weight, WeightMeter},
};
use sp_core::{ed25519, Pair};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage};
use std::sync::OnceLock;
use tequio_primitives::{workers::Seat, AttemptId, Balance, Duty, Role, WorkClass, WorkHeight};

pub type AccountId = AccountId32;
type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Verification: pallet_verification,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<DEPOSIT>;
	type AccountStore = System;
}

parameter_types! {
	pub const AgendaBudget: Weight = Weight::from_parts(100_000_000_000, 10 * 1024 * 1024);
}

impl pallet_verification::Config for Test {
	type Randomness = Randomness;
	type Tasks = Tasks;
	type Workers = Workers;
	type Currency = Balances;
	type Rewards = Rewards;
	type AgendaBudget = AgendaBudget;
	type DeviceCrypto = crate::offchain::DeviceCrypto;
	type BlockMilliseconds = ConstU64<3_000>;
	type Outbound = crate::offchain::mock::Outbound;
	type WeightInfo = crate::weights::Estimated<Test>;
}

/// Existential deposit.
pub const DEPOSIT: Balance = 1;
/// What each owner has at the start.
pub const FUNDS: Balance = 1_000_000;
/// Devices, by number from 0, each with an owner of the same number.
pub const DEVICES: u8 = 127;

/// The key of a device.
pub fn key(number: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[number; 32])
}

fn devices() -> &'static Vec<AccountId> {
	static MADE: OnceLock<Vec<AccountId>> = OnceLock::new();
	MADE.get_or_init(|| (0..DEVICES).map(|n| AccountId::new(key(n).public().0)).collect())
}

pub fn device(number: u8) -> AccountId {
	devices()[usize::from(number)].clone()
}

pub fn owner(number: u8) -> AccountId {
	AccountId::new([number | 0x80; 32])
}

pub fn seat(number: u8) -> Seat<AccountId> {
	Seat { owner: owner(number), device: device(number) }
}

pub fn number_of(account: &AccountId) -> Option<u8> {
	(0..DEVICES).zip(devices()).find(|(_, device)| *device == account).map(|(number, _)| number)
}

pub fn assert_last(event: Event<Test>) {
	System::assert_last_event(event.into());
}

pub fn assert_has(event: Event<Test>) {
	System::assert_has_event(event.into());
}

pub fn now() -> WorkHeight {
	Now::<Test>::get()
}

fn poll(mut meter: WeightMeter) -> Weight {
	let block = System::block_number() + 1;
	System::set_block_number(block);
	Verification::on_poll(block, &mut meter);
	meter.consumed()
}

/// Polls blocks up to a height.
pub fn run_to(height: WorkHeight) {
	while now() < height {
		poll(WeightMeter::new());
	}
}

/// Polls blocks that have no weight left, up to a height.
pub fn stall_to(height: WorkHeight) {
	while now() < height {
		poll(WeightMeter::with_limit(Weight::zero()));
	}
}

/// Polls a block that has this much weight left, and returns what it used.
pub fn poll_with(limit: Weight) -> Weight {
	poll(WeightMeter::with_limit(limit))
}

/// Polls until the end of the state that a chunk's check is in.
pub fn run_to_due(id: AttemptId) {
	let (_, due) = Verification::stage_of(&id.chunk).unwrap();
	run_to(due);
}

/// Whether a device has the part in an attempt that a duty is about.
fn has_part(who: &AccountId, duty: &Duty) -> bool {
	let check = Checks::<Test>::get(duty.id.chunk);
	let check = check.filter(|check| check.attempt == duty.id.attempt);
	let sits = |seat: &Seat<AccountId>| seat.device == *who;
	match duty.role {
		Role::Worker => doubles().assigned.contains_key(&duty.id) || check.is_some(),
		Role::Auditor => {
			check.is_some_and(|check| check.auditors.iter().flat_map(|slot| &slot.seat).any(sits))
		},
		Role::Referee { level } => Panels::<Test>::get(duty.id, level)
			.is_some_and(|panel| panel.places.iter().filter_map(|place| place.sitting()).any(sits)),
		Role::Appellant { level } => check.is_some_and(|check| {
			check.appeals.iter().any(|appeal| appeal.level == level && sits(&appeal.seat))
		}),
	}
}

/// Each duty belongs to an attempt that is computed, checked or dismissed, and to a device that has
/// a part in it.
fn assert_duties_match() {
	for (who, duty) in doubles().duties.keys() {
		assert!(has_part(who, duty), "{who} is bound to a duty of nobody: {duty:?}");
	}
}

/// Checks everything that must hold between any two calls.
pub fn assert_sound() {
	Pallet::<Test>::do_try_state().unwrap();
	assert_duties_match();
}

pub struct ExtBuilder {
	rules: Rules,
	accepting: Vec<u8>,
}

impl Default for ExtBuilder {
	fn default() -> Self {
		Self { rules: Rules::default(), accepting: (1..=6).collect() }
	}
}

impl ExtBuilder {
	pub fn rules(self, rules: Rules) -> Self {
		Self { rules, ..self }
	}

	/// Devices, by number, that can be drawn as auditors and referees.
	pub fn accepting(self, accepting: &[u8]) -> Self {
		Self { accepting: accepting.to_vec(), ..self }
	}

	pub fn build(self) -> sp_io::TestExternalities {
		let owners = (0..DEVICES).map(|number| (owner(number), FUNDS));
		let balances = owners.chain([(pot(), DEPOSIT)]).collect();
		let storage = RuntimeGenesisConfig {
			system: Default::default(),
			balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
			verification: GenesisConfig { rules: self.rules, ..Default::default() },
		}
		.build_storage()
		.unwrap();
		let mut ext = sp_io::TestExternalities::new(storage);
		ext.execute_with(|| {
			System::set_block_number(1);
			with_doubles(|state| {
				state.accepting = self.accepting;
				state.offers = vec![WorkClass::RandomXSearch];
			});
		});
		ext
	}

	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			assert_sound();
		});
	}
}
