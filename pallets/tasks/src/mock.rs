//! A runtime of this pallet, with doubles for the pallets that it knows by their traits.
//!
//! The doubles keep what they were told in storage, so that a call that fails leaves no trace in
//! them either.

#![allow(missing_docs, clippy::unwrap_used)]

use crate::{self as pallet_tasks, types::ChunkState, weights::Estimated, Rules, TaskSpec};
use codec::Encode;
use frame_support::{
	assert_ok, derive_impl,
	dispatch::DispatchResult,
	parameter_types,
	traits::{fungible::InspectHold, ConstU128, Hooks},
	weights::{Weight, WeightMeter},
};
use sp_core::H256;
use sp_io::{hashing::twox_128, storage::next_key};
use sp_runtime::{BuildStorage, Perquintill};
use std::collections::BTreeSet;
use tequio_primitives::{
	clock::{Beacon, WorkClock},
	draw,
	rewards::DistributeRewards,
	search::{SearchSpec, Winner, Winners},
	tasks::{CheckedTasks, Verdict},
	terms::{AuditPolicy, AuditTerms},
	workers::{
		DrawSeats, Drawn, EngageSeats, InspectWorkers, Need, NoSeat, Penalty, Seat, MAX_LOOKS,
	},
	AttemptId, Balance, ChunkId, Duty, Role, TaskId, WorkClass, WorkHeight,
};

pub type AccountId = u64;

pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
pub const TREASURY: AccountId = 3;
pub const AUTHOR: AccountId = 4;
pub const POT: AccountId = 5;
/// Owners with seats; their devices and payout accounts follow from the number.
pub const OWNERS: [AccountId; 4] = [11, 12, 13, 14];
/// An owner whose payout account does not exist.
pub const ACCOUNTLESS: AccountId = 15;

pub const DEPOSIT: Balance = 1_000;
pub const FUNDS: Balance = 1_000_000_000_000_000;
pub const PRICE: Balance = 1_000_000;
pub const BONUS: Balance = 50_000_000;
pub const DEADLINE: u32 = 16;
pub const CHALLENGE: u32 = 5;
pub const LIFETIME: u32 = 100;
pub const KEPT: u32 = 20;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Tasks: pallet_tasks,
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
	type ExistentialDeposit = ConstU128<DEPOSIT>;
	type AccountStore = System;
}

impl pallet_tasks::Config for Test {
	type Currency = Balances;
	type Clock = Chain;
	type Beacon = Chain;
	type Workers = Crew;
	type Policy = Terms;
	type Rewards = Fees;
	type AgendaBudget = Budget;
	type WeightInfo = Estimated<Test>;
}

parameter_types! {
	/// Height of the work clock.
	pub storage Height: WorkHeight = 1;
	/// Owners that can be drawn.
	pub storage Seated: Vec<AccountId> = OWNERS.to_vec();
	/// Duties in force, with their collateral.
	pub storage Engaged: Vec<(Seat<AccountId>, Duty, Balance)> = vec![];
	/// Fines for missed deadlines.
	pub storage Fines: Vec<(AccountId, Balance)> = vec![];
	/// Pay kept in the pot.
	pub storage Accrued: Vec<(AccountId, Balance)> = vec![];
	/// What was noted as contribution.
	pub storage Contributions: Vec<(TaskId, AccountId, Role, u64, Balance)> = vec![];
	/// Whether blocks carry randomness.
	pub static Lit: bool = true;
	/// Whether there are terms on which work can be assigned.
	pub static Assignable: bool = true;
	/// Duties that an owner can have.
	pub static Room: usize = 64;
	/// Least price for which anybody works.
	pub static Ask: Balance = 0;
	pub static Budget: Weight = Weight::from_parts(1_000_000_000_000, 1_000_000_000);
}

pub struct Chain;

impl WorkClock for Chain {
	fn now() -> WorkHeight {
		Height::get()
	}
}

impl Beacon for Chain {
	fn at(height: WorkHeight) -> Option<[u8; 32]> {
		let known = Lit::get() && height < Height::get();
		known.then(|| sp_io::hashing::blake2_256(&height.encode()))
	}

	fn latest() -> Option<[u8; 32]> {
		Self::at(Height::get() - 1)
	}
}

pub struct Crew;

impl Crew {
	fn duties(owner: AccountId) -> usize {
		Engaged::get().iter().filter(|(seat, ..)| seat.owner == owner).count()
	}

	fn end(seat: &Seat<AccountId>, duty: Duty) -> Balance {
		let mut engaged = Engaged::get();
		let place = engaged.iter().position(|(at, due, _)| at == seat && *due == duty).unwrap();
		let (.., collateral) = engaged.remove(place);
		Engaged::set(&engaged);
		collateral
	}
}

impl DrawSeats<AccountId> for Crew {
	type Seats = Vec<AccountId>;

	fn seats(_class: WorkClass) -> Self::Seats {
		Seated::get()
	}

	/// Looks at as many as a draw may, so that each weighs the same.
	fn draw(seats: &Self::Seats, seed: H256, need: &Need<AccountId>) -> Drawn<AccountId> {
		assert!(!need.audit && need.units > 0 && need.collateral > 0);
		let takes =
			|owner: &&AccountId| need.price >= Ask::get() && !need.excluded.contains(*owner);
		let fit: Vec<AccountId> = seats.iter().filter(takes).copied().collect();
		let unfit = fit.is_empty() && !seats.is_empty();
		let free: Vec<AccountId> =
			fit.into_iter().filter(|owner| Self::duties(*owner) < Room::get()).collect();
		let number = usize::try_from(draw::number(&seed, 0)).unwrap();
		let owner = number.checked_rem(free.len()).map(|place| free[place]);
		let seat = owner.map(|owner| Seat { owner, device: device_of(owner) });
		let reason = if unfit { NoSeat::Unfit } else { NoSeat::Busy };
		Drawn { seat: seat.ok_or(reason), looks: MAX_LOOKS }
	}
}

impl EngageSeats<AccountId> for Crew {
	fn engage(seat: &Seat<AccountId>, duty: Duty, collateral: Balance) -> DispatchResult {
		let mut engaged = Engaged::get();
		assert!(engaged.iter().all(|(_, due, _)| *due != duty), "engaged twice");
		engaged.push((seat.clone(), duty, collateral));
		Engaged::set(&engaged);
		Ok(())
	}

	fn commit(_seat: &Seat<AccountId>, _duty: Duty) {}

	fn complete(_seat: &Seat<AccountId>, _duty: Duty) {}

	fn release(seat: &Seat<AccountId>, duty: Duty) {
		Self::end(seat, duty);
	}

	fn hand_back(seat: &Seat<AccountId>, duty: Duty) {
		Self::release(seat, duty);
	}

	fn miss(seat: &Seat<AccountId>, duty: Duty, fine: Balance) {
		assert!(fine <= Self::end(seat, duty));
		let mut fines = Fines::get();
		fines.push((seat.owner, fine));
		Fines::set(&fines);
	}

	fn slash(seat: &Seat<AccountId>, duty: Duty, _penalty: Penalty<AccountId>) -> Balance {
		Self::end(seat, duty)
	}
}

impl InspectWorkers<AccountId> for Crew {
	fn payout_of(owner: &AccountId) -> AccountId {
		payout_of(*owner)
	}

	fn duties_of(device: &AccountId) -> Vec<Duty> {
		let engaged = Engaged::get().into_iter();
		engaged.filter(|(seat, ..)| seat.device == *device).map(|(_, duty, _)| duty).collect()
	}
}

pub struct Terms;

impl AuditPolicy for Terms {
	fn terms(_class: WorkClass, max_payment: u128) -> Option<AuditTerms> {
		Assignable::get().then(|| AuditTerms {
			audit_rate: Perquintill::one(),
			conviction: Perquintill::from_rational(1u64, 3u64),
			collateral: max_payment.saturating_mul(3),
		})
	}
}

pub struct Fees;

impl DistributeRewards<AccountId> for Fees {
	fn fee_on(payment: Balance) -> Balance {
		Perquintill::from_percent(5).mul_ceil(payment)
	}

	fn fee_parts(fee: Balance) -> [(AccountId, Balance); 2] {
		[(TREASURY, fee / 2), (AUTHOR, fee - fee / 2)]
	}

	fn pot() -> AccountId {
		POT
	}

	fn accrue(owner: &AccountId, amount: Balance) {
		let mut accrued = Accrued::get();
		accrued.push((*owner, amount));
		Accrued::set(&accrued);
	}

	fn note_contribution(task: TaskId, owner: &AccountId, role: Role, units: u64, paid: Balance) {
		let mut contributions = Contributions::get();
		contributions.push((task, *owner, role, units, paid));
		Contributions::set(&contributions);
	}

	/// Those of the task as they were noted.
	fn take_contributions(task: TaskId, limit: u32) -> Vec<Vec<u8>> {
		let (of_task, mut left): (Vec<_>, Vec<_>) =
			Contributions::get().into_iter().partition(|noted| noted.0 == task);
		let limit = of_task.len().min(usize::try_from(limit).unwrap());
		let (taken, kept) = of_task.split_at(limit);
		left.extend_from_slice(kept);
		Contributions::set(&left);
		taken.iter().map(Encode::encode).collect()
	}
}

pub struct ExtBuilder {
	rules: Rules,
}

impl Default for ExtBuilder {
	fn default() -> Self {
		let rules = Rules {
			challenge_period: CHALLENGE,
			task_lifetime: LIFETIME,
			keep_ended: KEPT,
			min_lock: 0,
			..Default::default()
		};
		Self { rules }
	}
}

impl ExtBuilder {
	pub fn max_attempts(mut self, attempts: u8) -> Self {
		self.rules.max_attempts = attempts;
		self
	}

	/// Runs a test at height 1 and checks the invariants at its end.
	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			Tasks::do_try_state().unwrap();
		});
	}

	/// A chain at height 1.
	pub fn build(self) -> sp_io::TestExternalities {
		Lit::reset();
		Assignable::reset();
		Room::reset();
		Ask::reset();
		Budget::reset();
		let mut balances = vec![(ALICE, FUNDS), (BOB, FUNDS)];
		balances.extend([TREASURY, AUTHOR, POT].map(|account| (account, DEPOSIT)));
		balances.extend(OWNERS.map(|owner| (payout_of(owner), DEPOSIT)));
		let storage = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
			tasks: pallet_tasks::GenesisConfig { rules: self.rules, ..Default::default() },
			..Default::default()
		}
		.build_storage()
		.unwrap();
		let mut ext = sp_io::TestExternalities::new(storage);
		ext.execute_with(|| System::set_block_number(1));
		ext
	}
}

pub fn device_of(owner: AccountId) -> AccountId {
	owner + 50
}

pub fn payout_of(owner: AccountId) -> AccountId {
	owner + 100
}

/// A search of 256 nonces a chunk with 64 expected shares of 4 hashes: at most 96 are paid, fewer
/// than 32 are thin.
pub fn search(chunks: u32) -> TaskSpec {
	let mut target = [0; 32];
	target[..28].fill(0xff);
	TaskSpec::RandomXSearch(SearchSpec {
		seed: [7; 32],
		template: vec![0; 76].try_into().unwrap(),
		nonce_offset: 39,
		start: 1_000,
		count: 256 * chunks,
		target,
		chunk_size: 256,
		lambda: 64,
	})
}

/// Submits a search by Alice at the usual price, with a bonus.
pub fn submit(chunks: u32) -> TaskId {
	let task = crate::NextTask::<Test>::get();
	let origin = RuntimeOrigin::signed(ALICE);
	assert_ok!(Tasks::submit_task(origin, search(chunks), PRICE, DEADLINE, BONUS));
	task
}

/// Submits a search and has its chunks assigned: at height 3, due at height 19, if the test has
/// just begun.
pub fn submit_assigned(chunks: u32) -> TaskId {
	let task = submit(chunks);
	advance(2);
	assert_eq!(crate::Tasks::<Test>::get(task).unwrap().counts.assigned, chunks);
	task
}

pub fn attempt(task: TaskId, index: u32, attempt: u8) -> AttemptId {
	AttemptId { chunk: ChunkId { task, index }, attempt }
}

/// Lets blocks pass, with the agenda in each, and checks the invariants after each.
pub fn advance(blocks: u32) {
	for _ in 0..blocks {
		poll();
		Tasks::do_try_state().unwrap();
	}
}

/// Lets a block pass, with the agenda in it. Returns what that weighed.
pub fn poll() -> Weight {
	pass_time(1);
	let mut meter = WeightMeter::new();
	Tasks::on_poll(System::block_number(), &mut meter);
	meter.consumed()
}

/// Keys in the storage of the pallet.
pub fn keys() -> BTreeSet<Vec<u8>> {
	let prefix = twox_128(b"Tasks").to_vec();
	let keys = std::iter::successors(next_key(&prefix), |key| next_key(key));
	keys.take_while(|key| key.starts_with(&prefix)).collect()
}

/// Lets blocks pass in which the agenda has no room.
pub fn pass_time(blocks: u32) {
	let height = Height::get() + blocks;
	Height::set(&height);
	System::set_block_number(height.into());
}

pub fn owner_of(id: AttemptId) -> AccountId {
	match crate::Chunks::<Test>::get(id.chunk).unwrap().state {
		ChunkState::Open => panic!("nobody has the chunk"),
		ChunkState::Assigned { assignment, .. }
		| ChunkState::Checking { assignment }
		| ChunkState::Accepted { assignment, .. } => assignment.seat.owner,
	}
}

/// Ends the worker's duty as `verification` does before it rejects or finds nothing.
pub fn end_duty(id: AttemptId) {
	let owner = owner_of(id);
	let seat = Seat { owner, device: device_of(owner) };
	Crew::release(&seat, Duty { id, role: Role::Worker });
}

/// Commits to a result and has it found right.
pub fn accept(id: AttemptId, shares: u32, winners: Winners, auditors: Vec<AccountId>) {
	assert_ok!(Tasks::begin_check(&id));
	Tasks::conclude(&id, Verdict::Accepted { shares, winners, auditors });
}

pub fn winners(nonces: &[u32]) -> Winners {
	let winner = |nonce: &u32| Winner { nonce: *nonce, hash: [1; 32] };
	nonces.iter().map(winner).collect::<Vec<_>>().try_into().unwrap()
}

pub fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&crate::HoldReason::Escrow.into(), &who)
}
