//! A runtime of this pallet, an author that tests set, and owners whose pay goes elsewhere.
#![allow(clippy::unwrap_used, missing_docs)]

use crate as pallet_rewards;
use crate::Rules;
use frame_support::{
	assert_ok, construct_runtime, derive_impl, parameter_types,
	traits::{fungible::Mutate, tokens::Preservation, ConstU128},
};
use sp_runtime::{BuildStorage, Perquintill};
use tequio_primitives::{
	reputation::Reputation, rewards::DistributeRewards, workers::InspectWorkers, Balance, Duty,
	WorkClass,
};

pub type AccountId = u64;

construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Rewards: pallet_rewards,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
}

parameter_types! {
	pub static BlockAuthor: Option<AccountId> = None;
}

/// Owners that are paid at the account a hundred above their own.
pub struct TestWorkers;

impl InspectWorkers<AccountId> for TestWorkers {
	fn payout_of(owner: &AccountId) -> AccountId {
		owner + 100
	}

	fn duties_of(_device: &AccountId) -> Vec<Duty> {
		Vec::new()
	}

	fn parts_of(_device: &AccountId) -> Vec<Duty> {
		Vec::new()
	}

	fn reputation_of(_owner: &AccountId, _class: WorkClass) -> Reputation {
		Reputation::default()
	}

	fn offered_by(_device: &AccountId) -> Vec<WorkClass> {
		Vec::new()
	}
}

impl crate::Config for Test {
	type Currency = Balances;
	type Workers = TestWorkers;
	type Author = BlockAuthor;
	type WeightInfo = crate::weights::Estimated<Test>;
}

/// Of production, with a least fee that fits the small amounts here.
pub const RULES: Rules = Rules {
	fee_rate: Perquintill::from_percent(5),
	min_fee: 2,
	treasury_part: Perquintill::from_percent(50),
};
pub const EXISTENTIAL_DEPOSIT: Balance = 10;
/// Has money, and pays into the pot.
pub const REQUESTER: AccountId = 1;
pub const ENDOWMENT: Balance = 1_000_000;

/// Keeps pay for an owner as `tasks` does: moves it into the pot, then says whose it is.
pub fn keep(owner: AccountId, amount: Balance) {
	let pot = Rewards::pot();
	assert_ok!(Balances::transfer(&REQUESTER, &pot, amount, Preservation::Preserve));
	Rewards::accrue(&owner, amount);
}

pub fn build_and_execute(test: impl FnOnce()) {
	BlockAuthor::set(None);
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	let balances = vec![(REQUESTER, ENDOWMENT)];
	pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
		.assimilate_storage(&mut storage)
		.unwrap();
	pallet_rewards::GenesisConfig::<Test> { rules: RULES, ..Default::default() }
		.assimilate_storage(&mut storage)
		.unwrap();
	sp_io::TestExternalities::new(storage).execute_with(|| {
		System::set_block_number(1);
		test();
		Rewards::do_try_state().unwrap();
	});
}
