//! A runtime of this pallet, with doubles for the pallets that it knows by their traits.

#![allow(missing_docs, clippy::unwrap_used)]

mod doubles;

pub use doubles::*;

use crate::{self as pallet_tasks, types::ChunkState, weights::Estimated, Rules, TaskSpec};
use frame_support::{
	assert_ok, derive_impl,
	traits::{fungible::InspectHold, ConstU128, Hooks},
	weights::{Weight, WeightMeter},
};
use sp_core::H256;
use sp_io::{hashing::twox_128, storage::next_key};
use sp_runtime::BuildStorage;
use std::collections::BTreeSet;
use tequio_primitives::{
	recompute::{Output, RecomputeSpec},
	search::{SearchSpec, Winner, Winners},
	tasks::{CheckedTasks, Delivered, RejectReason, Verdict},
	workers::Seat,
	AttemptId, Balance, ChunkId, Duty, Role, TaskId, WorkClass,
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
pub const FETCH_FEE: Balance = 2_000_000;
/// What a task locks for fetch fees.
pub const FETCH_LOCK: Balance = 3 * FETCH_FEE / 20 * 21;
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
	type Checks = Kept;
	type Rewards = Fees;
	type Followers = Follower;
	type AgendaBudget = Budget;
	type WeightInfo = Estimated<Test>;
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
			fetch_fee: FETCH_FEE,
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
		Deeds::reset();
		Known::reset();
		Fee::reset();
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

/// A program whose chunks have 100 units each.
pub fn program(chunks: u32, replicas: u8) -> TaskSpec {
	TaskSpec::Recompute(recompute(chunks, replicas))
}

/// The same, as it is ordered.
pub fn recompute(chunks: u32, replicas: u8) -> RecomputeSpec {
	RecomputeSpec {
		class: WorkClass::ExactF64,
		program: H256::repeat_byte(5),
		chunks,
		units: 100,
		replicas,
	}
}

/// What a chunk of a program gives.
pub fn output_of(index: u32) -> Output {
	Output::of(&index.to_le_bytes())
}

/// Submits something by Alice at the usual price.
pub fn submit_spec(spec: TaskSpec, bonus: Balance) -> TaskId {
	let task = crate::NextTask::<Test>::get();
	let origin = RuntimeOrigin::signed(ALICE);
	assert_ok!(Tasks::submit_task(origin, spec, PRICE, DEADLINE, bonus));
	task
}

/// Submits a search by Alice at the usual price, with a bonus.
pub fn submit(chunks: u32) -> TaskId {
	submit_spec(search(chunks), BONUS)
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
		| ChunkState::Accepted { assignment, .. }
		| ChunkState::Challenged { assignment, .. } => assignment.seat.owner,
	}
}

/// Ends the worker's duty as `verification` does before it rejects or finds nothing.
pub fn end_duty(id: AttemptId) {
	let owner = owner_of(id);
	let seat = Seat { owner, device: device_of(owner) };
	Crew::end(&seat, Duty { id, role: Role::Worker });
}

/// Has a result found wrong, and its worker's duty ended.
pub fn reject(id: AttemptId) {
	end_duty(id);
	Tasks::conclude(&id, Verdict::Rejected(RejectReason::ProvenWrong));
}

/// Commits to a result of a search and has it found right by these auditors.
pub fn accept(id: AttemptId, shares: u32, winners: Winners, auditors: Vec<AccountId>) {
	assert_ok!(Tasks::begin_check(&id));
	conclude_right(id, Delivered::Shares(shares), winners, auditors);
}

/// Commits to a result of a program and has it found right by these auditors.
pub fn accept_whole(id: AttemptId, auditors: Vec<AccountId>) {
	assert_ok!(Tasks::begin_check(&id));
	conclude_right(id, Delivered::Whole(output_of(id.chunk.index)), winners(&[]), auditors);
}

/// Has a result found right; it was audited if there are auditors.
pub fn conclude_right(
	id: AttemptId,
	delivered: Delivered,
	winners: Winners,
	auditors: Vec<AccountId>,
) {
	let audited = !auditors.is_empty();
	Tasks::conclude(&id, Verdict::Accepted { delivered, winners, auditors, audited });
}

pub fn winners(nonces: &[u32]) -> Winners {
	let winner = |nonce: &u32| Winner { nonce: *nonce, hash: [1; 32] };
	nonces.iter().map(winner).collect::<Vec<_>>().try_into().unwrap()
}

pub fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&crate::HoldReason::Escrow.into(), &who)
}
