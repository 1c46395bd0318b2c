//! A runtime of this pallet, with doubles for the clock and for `tasks`.

#![allow(missing_docs, clippy::unwrap_used)]

mod doubles;

pub use doubles::*;

use crate::{
	self as pallet_training,
	types::{Phase, TrainingOf},
	weights::Estimated,
	Evaluation, HoldReason, Plan, Stage, StopRule,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{fungible::InspectHold, ConstU128, ConstU32, Hooks, VariantCount},
	weights::{Weight, WeightMeter},
};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_io::{hashing::twox_128, storage::next_key};
use sp_runtime::BuildStorage;
use std::collections::BTreeSet;
use tequio_primitives::{
	recompute::Output,
	training::{Counts, TrainingId},
	Balance, TaskId, WorkClass,
};

pub type AccountId = u64;

pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
/// Has the existential deposit and nothing else.
pub const POOR: AccountId = 3;
/// Is paid for all chunks.
pub const WORKER: AccountId = 4;

pub const DEPOSIT: Balance = 1_000;
pub const FUNDS: Balance = 1_000_000_000_000;
pub const PRICE: Balance = 1_000;
/// What the tasks of the usual plan lock: three times the pay of their chunks.
pub const TRAIN: Balance = 3 * 3 * 100 * PRICE;
pub const AGGREGATE: Balance = 3 * 10 * PRICE;
pub const EVALUATE: Balance = 3 * 2 * 5 * PRICE;
/// Covers many rounds.
pub const BUDGET: Balance = 100_000_000;
/// Rows that a chunk of the usual evaluation counts, at most.
pub const ROWS: u32 = 60;
/// Blocks of a step of the usual plan.
pub const STEP: u32 = 32;
pub const KEPT: u32 = 20;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Training: pallet_training,
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
	type RuntimeHoldReason = Held;
}

/// Who holds money: this pallet, and the double of `tasks`.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Held {
	Training(HoldReason),
	Task,
}

impl From<HoldReason> for Held {
	fn from(reason: HoldReason) -> Self {
		Self::Training(reason)
	}
}

impl VariantCount for Held {
	const VARIANT_COUNT: u32 = 2;
}

parameter_types! {
	/// Weight that the agenda may use in a block.
	pub static Share: Weight = Weight::from_parts(1_000_000_000_000, 1_000_000_000);
}

impl pallet_training::Config for Test {
	type Currency = Balances;
	type Clock = Chain;
	type Tasks = Office;
	type AgendaBudget = Share;
	type KeepEnded = ConstU32<KEPT>;
	type WeightInfo = Estimated<Test>;
}

/// Runs a test at height 1 and checks the invariants at its end.
pub fn build_and_execute(test: impl FnOnce()) {
	Share::reset();
	Orderable::reset();
	Takes::reset();
	Prompt::reset();
	Checks::reset();
	let mut balances = vec![(ALICE, FUNDS), (BOB, FUNDS)];
	balances.extend([POOR, WORKER].map(|account| (account, DEPOSIT)));
	let storage = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		..Default::default()
	}
	.build_storage()
	.unwrap();
	sp_io::TestExternalities::new(storage).execute_with(|| {
		System::set_block_number(1);
		test();
		Training::do_try_state().unwrap();
	});
}

/// Three shards, of which two are enough, three rounds, and an evaluation in two chunks.
pub fn plan() -> Plan {
	Plan {
		class: WorkClass::ExactF64,
		train: Stage { program: H256::repeat_byte(1), units: 100 },
		shards: 3,
		aggregate: Stage { program: H256::repeat_byte(2), units: 10 },
		evaluate: Some(Evaluation {
			program: H256::repeat_byte(3),
			units: 5,
			chunks: 2,
			rows: ROWS,
		}),
		carry: false,
		rounds: 3,
		quorum: 2,
		replicas: 1,
		price: PRICE,
		deadline: 10,
		step_deadline: 30,
		stop: StopRule { target: None, plateau: 0 },
	}
}

/// The usual plan with something changed.
pub fn changed(change: impl FnOnce(&mut Plan)) -> Plan {
	let mut plan = plan();
	change(&mut plan);
	plan
}

/// A plan that nobody evaluates.
pub fn unjudged() -> Plan {
	changed(|plan| plan.evaluate = None)
}

/// Submits a training by Alice.
pub fn submit(plan: Plan) -> TrainingId {
	submit_for(ALICE, plan, BUDGET)
}

pub fn submit_for(who: AccountId, plan: Plan, budget: Balance) -> TrainingId {
	let id = crate::NextTraining::<Test>::get();
	assert_ok!(Training::submit_training(RuntimeOrigin::signed(who), plan, budget));
	id
}

pub fn record(id: TrainingId) -> TrainingOf<Test> {
	crate::Trainings::<Test>::get(id).unwrap()
}

/// The task that trains or aggregates.
pub fn under_way(id: TrainingId) -> TaskId {
	record(id).phase.ordered().unwrap().task
}

/// The task that trains.
pub fn training_task(id: TrainingId) -> TaskId {
	assert!(matches!(record(id).phase, Phase::Training { .. }));
	under_way(id)
}

/// The task that aggregates.
pub fn aggregating_task(id: TrainingId) -> TaskId {
	assert!(matches!(record(id).phase, Phase::Aggregating { .. }));
	under_way(id)
}

/// The task that evaluates.
pub fn evaluating_task(id: TrainingId) -> TaskId {
	record(id).evaluation.unwrap().ordered.task
}

/// Hash of what a shard gives in a round.
pub fn given(round: u32, shard: u32) -> H256 {
	H256::from_low_u64_be(1_000 * u64::from(round + 1) + u64::from(shard))
}

/// Hash of the state that a round gives.
pub fn state(round: u32) -> H256 {
	H256::from_low_u64_be(1_000_000 + u64::from(round))
}

/// Pays shards of the present round for what they gave.
pub fn train(id: TrainingId, shards: &[u32]) {
	let (task, round) = (training_task(id), record(id).round);
	for shard in shards {
		pay(task, *shard, Output::hidden(given(round, *shard)));
	}
}

/// Has the present round trained on all shards, and its state aggregated.
pub fn finish_round(id: TrainingId) {
	let shards: Vec<u32> = (0..record(id).plan.shards).collect();
	train(id, &shards);
	advance(1);
	let round = record(id).round;
	pay(aggregating_task(id), 0, Output::hidden(state(round)));
	advance(1);
}

pub fn counts(right: u64, rows: u64) -> Counts {
	Counts { right, rows, loss: 0 }
}

/// Has both chunks of the present evaluation counted: so many of 100 rows are right.
pub fn evaluate(id: TrainingId, right: u64) {
	let task = evaluating_task(id);
	for (chunk, part) in [right / 2, right - right / 2].into_iter().enumerate() {
		let output = Output::of(&counts(part, 50).encode());
		pay(task, chunk.try_into().unwrap(), output);
	}
	advance(1);
}

/// Lets blocks pass, with the agenda in each, and checks the invariants after each.
pub fn advance(blocks: u32) {
	for _ in 0..blocks {
		pass_time(1);
		Training::on_poll(System::block_number(), &mut WeightMeter::new());
		Training::do_try_state().unwrap();
	}
}

/// Lets blocks pass in which the agenda has no room.
pub fn pass_time(blocks: u32) {
	let height = Height::get() + blocks;
	Height::set(&height);
	System::set_block_number(height.into());
}

/// Keys in the storage of the pallet.
pub fn keys() -> BTreeSet<Vec<u8>> {
	let prefix = twox_128(b"Training").to_vec();
	let keys = std::iter::successors(next_key(&prefix), |key| next_key(key));
	keys.take_while(|key| key.starts_with(&prefix)).collect()
}

/// What this pallet holds of an account.
pub fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::Budget.into(), &who)
}

/// What tasks hold of an account.
pub fn locked(who: AccountId) -> Balance {
	Balances::balance_on_hold(&Held::Task, &who)
}
