//! A runtime of this pallet, a clock that tests set, and owners with money.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, missing_docs)]

use crate as pallet_workers;
use crate::{seats, Event, Offer, Offers, Rules};
use frame_support::{
	assert_ok, construct_runtime, derive_impl, parameter_types,
	traits::{ConstU128, Hooks},
	weights::WeightMeter,
};
use sp_core::{ed25519, Pair};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage, Perquintill};
use tequio_primitives::{
	clock::WorkClock,
	device::proof_message,
	terms::AuditTerms,
	workers::{Candidate, EngageSeats, Need, Penalty, Seat},
	AttemptId, Balance, ChunkId, Duty, Role, WorkClass, WorkHeight,
};

pub type AccountId = AccountId32;

construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Workers: pallet_workers,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
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
	pub static Height: WorkHeight = 0;
}

/// Stands still unless a test sets it.
pub struct TestClock;

impl WorkClock for TestClock {
	fn now() -> WorkHeight {
		Height::get()
	}
}

impl crate::Config for Test {
	type Currency = Balances;
	type Clock = TestClock;
	type WeightInfo = crate::weights::Estimated<Test>;
}

pub const EXISTENTIAL_DEPOSIT: Balance = 10;
pub const ENDOWMENT: Balance = 1_000_000;
pub const SEAT_STAKE: Balance = 100;
/// Owners with money: 1 to 8. Their payout accounts exist too.
pub const OWNERS: u8 = 8;

pub const RULES: Rules = Rules {
	seat_stake: SEAT_STAKE,
	seat_period: 5,
	payout_delay: 10,
	unbond_period: 20,
	suspension: 30,
	signal_period: 4,
	half_life: 100,
	min_owners: 4,
	max_share: Perquintill::from_percent(50),
};

/// The class that owners offer here unless a test says otherwise.
pub const CLASS: WorkClass = WorkClass::RandomXSearch;

pub fn owner(number: u8) -> AccountId {
	AccountId::new([number; 32])
}

pub fn payout(number: u8) -> AccountId {
	AccountId::new([100 + number; 32])
}

pub fn device_pair(number: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[number; 32])
}

pub fn device(number: u8) -> AccountId {
	device_pair(number).public().into()
}

pub fn proof(number: u8, owner: &AccountId) -> ed25519::Signature {
	device_pair(number).sign(&proof_message(&System::block_hash(0), owner))
}

pub fn offers() -> Offers {
	offers_of(&[CLASS])
}

pub fn offers_of(classes: &[WorkClass]) -> Offers {
	let offers = classes.iter().map(|class| Offer { class: *class, ask: 5, rate: 10 });
	offers.collect::<Vec<_>>().try_into().unwrap()
}

pub fn duty(task: u64, role: Role) -> Duty {
	Duty { id: AttemptId { chunk: ChunkId { task, index: 0 }, attempt: 0 }, role }
}

pub fn seat(number: u8) -> Seat<AccountId> {
	Seat { owner: owner(number), device: device(number) }
}

/// Terms with this collateral for work that two auditors check.
pub fn terms_at(collateral: Balance) -> AuditTerms {
	AuditTerms {
		audit_rate: Perquintill::one(),
		conviction: Perquintill::from_percent(33),
		collateral,
		auditors: 2,
		second: Perquintill::zero(),
	}
}

/// Asks the same collateral of everybody.
pub fn asking(collateral: Balance) -> impl Fn(&Candidate) -> Option<AuditTerms> {
	move |_| Some(terms_at(collateral))
}

fn asking_thirty(_: &Candidate) -> Option<AuditTerms> {
	Some(terms_at(30))
}

/// A need that every owner of [`register`] can meet, for work or for an audit.
pub fn need(audit: bool) -> Need<'static, AccountId> {
	Need {
		class: CLASS,
		price: 5,
		units: 100,
		deadline: 40,
		terms: &asking_thirty,
		excluded: &[],
		sitting: &[],
		audit,
	}
}

/// Registers an owner with a stake; pay goes to its payout account.
pub fn register(number: u8, stake: Balance) {
	let origin = RuntimeOrigin::signed(owner(number));
	assert_ok!(Workers::register(origin, offers(), stake, payout(number)));
}

/// Gives an owner a device that has not signalled yet.
pub fn add_idle_device(number: u8, device_number: u8) {
	let proof = proof(device_number, &owner(number));
	let origin = RuntimeOrigin::signed(owner(number));
	assert_ok!(Workers::add_device(origin, device(device_number), proof));
}

/// Gives an owner a device that accepts work.
pub fn add_device(number: u8, device_number: u8) {
	add_idle_device(number, device_number);
	assert_ok!(Workers::set_accepting(RuntimeOrigin::signed(device(device_number)), true));
}

/// An owner with a stake and a device of the same number that accepts work.
pub fn worker(number: u8, stake: Balance) {
	register(number, stake);
	add_device(number, number);
}

/// Engages the device of an owner's number for a computation.
pub fn engage(number: u8, task: u64, collateral: Balance) -> Duty {
	let duty = duty(task, Role::Worker);
	assert_ok!(Workers::engage(&seat(number), duty, CLASS, collateral));
	duty
}

/// Slashes a duty of the device of an owner's number for nobody's good. Returns what was taken.
pub fn slash_all(number: u8, duty: Duty) -> Balance {
	Workers::slash(&seat(number), duty, Penalty::burned())
}

/// Goes to a height and runs the hook.
pub fn poll_at(height: WorkHeight) {
	Height::set(height);
	Workers::on_poll(System::block_number(), &mut WeightMeter::new());
}

/// Goes on by one period of seats, so that all changes of stake are in force.
pub fn fix_seats() {
	poll_at(Height::get() + RULES.seat_period);
}

pub fn stored(number: u8) -> crate::Worker<AccountId> {
	crate::Workers::<Test>::get(owner(number)).unwrap()
}

pub fn stored_device(number: u8) -> crate::Device<AccountId> {
	crate::Devices::<Test>::get(device(number)).unwrap()
}

/// The invariants, and one that only a change of the rules may break: the seats of the next period
/// are exactly what stakes and offers come to.
pub fn check() {
	Workers::do_try_state().unwrap();
	let changed = |event: &RuntimeEvent| {
		matches!(event, RuntimeEvent::Workers(Event::<Test>::RulesChanged { .. }))
	};
	if System::events().iter().any(|record| changed(&record.event)) {
		return;
	}
	for (owner, worker) in crate::Workers::<Test>::iter() {
		for class in WorkClass::ALL {
			let seats = seats::seats_of(&crate::NextSeats::<Test>::get(class), &owner);
			assert_eq!(seats, worker.seats_in(class, SEAT_STAKE));
		}
	}
}

pub fn build_and_execute(test: impl FnOnce()) {
	Height::set(0);
	let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
	let balances = (1..=OWNERS)
		.flat_map(|number| [(owner(number), ENDOWMENT), (payout(number), EXISTENTIAL_DEPOSIT)])
		.collect();
	pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
		.assimilate_storage(&mut storage)
		.unwrap();
	pallet_workers::GenesisConfig::<Test> { rules: RULES, ..Default::default() }
		.assimilate_storage(&mut storage)
		.unwrap();
	sp_io::TestExternalities::new(storage).execute_with(|| {
		System::set_block_number(1);
		test();
		check();
	});
}
