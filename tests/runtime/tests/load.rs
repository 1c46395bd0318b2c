//! The chain under load: many open chunks, full blocks, spam. Whatever strangers do, honest devices
//! get work, their commits and reveals land in time, and nothing waits for ever.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use frame_support::weights::Weight;
use pallet_tasks::TaskSpec;
use pallet_workers::Event as WorkersEvent;
use serde_json::json;
use sp_runtime::traits::Dispatchable;
use std::collections::BTreeSet;
use tequio_primitives::{api::TaskStatus, Balance, TaskId, TEQ};
use tequio_runtime::{
	AccountId, Nonce, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, System, Tasks,
};
use tequio_runtime_tests::{
	author::{Pool, Refusal},
	device::Conduct,
	gather::{gather_audits, gather_work},
	keys::Key,
	owner::{Owner, ASK},
	search, sign_as, World,
};

fn submission(spec: TaskSpec, price: Balance) -> RuntimeCall {
	RuntimeCall::Tasks(pallet_tasks::Call::submit_task { spec, price, deadline: 16, bonus: 0 })
}

/// Has Alice submit a task of so many chunks that pays what owners ask.
fn submit(world: &mut World, chunks: u32) {
	let spec = search::barren_task(9, 16 * chunks, 16, 16);
	world.submit(&Key::named("Alice"), submission(spec, ASK));
	world.block_ok();
}

/// Has Alice submit many tasks between two blocks.
fn submit_many(world: &mut World, tasks: u32, chunks: u32, price: Balance) {
	let alice = Key::named("Alice").account();
	let spec = search::barren_task(8, 16 * chunks, 16, 16);
	world.edit(|| {
		for _ in 0..tasks {
			let origin = RuntimeOrigin::signed(alice.clone());
			submission(spec.clone(), price).dispatch(origin).unwrap();
		}
		System::reset_events();
	});
}

fn ended(world: &mut World, task: TaskId) -> bool {
	world.read(|| Tasks::summary(task).unwrap().status == TaskStatus::Ended)
}

/// The most that hooks weigh while there is no work.
fn idle_weight(world: &mut World) -> Weight {
	let period = world.read(|| pallet_workers::CurrentRules::<Runtime>::get().seat_period);
	let polled = (0..period).map(|_| {
		world.block();
		world.poll().weight
	});
	polled.fold(Weight::zero(), |most, weight| most.max(weight))
}

/// The weight of a block's hooks never exceeds that of an idle block by more than both budgets, and
/// covers what the hooks read and write.
fn check_hooks(world: &World, idle: Weight) {
	let budgets = <Runtime as pallet_tasks::Config>::AgendaBudget::get()
		.saturating_add(<Runtime as pallet_verification::Config>::AgendaBudget::get());
	let polled = world.poll();
	assert!(polled.weight.all_lte(idle.saturating_add(budgets)), "{:?}", polled.weight);
	let (reads, writes) = polled.keys.number();
	let touched = <Runtime as frame_system::Config>::DbWeight::get().reads_writes(reads, writes);
	assert!(touched.ref_time() <= polled.weight.ref_time(), "{reads} reads, {writes} writes");
}

/// None of these owners lost anything in the last block.
fn check_unharmed(world: &mut World, honest: &BTreeSet<AccountId>) {
	for event in world.events() {
		let RuntimeEvent::Workers(event) = event else { continue };
		if let WorkersEvent::Missed { owner, .. } | WorkersEvent::Slashed { owner, .. } = &event {
			assert!(!honest.contains(owner), "{event:?}");
		}
	}
}

fn accounts(owners: &[Owner]) -> BTreeSet<AccountId> {
	owners.iter().map(Owner::account).collect()
}

/// Sends what every device owes now to the pool, as a node does.
fn offer_results(world: &mut World, pool: &mut Pool, owners: &mut [Owner]) {
	for owner in owners {
		let key = owner.device.key.clone();
		let calls = world.read(|| owner.device.calls());
		let first = world.read(|| System::account_nonce(key.account()));
		for (nonce, call) in (first..).zip(calls) {
			let transaction = world.read(|| sign_as(&key, call, nonce, 0));
			let offered = world.offer(pool, transaction);
			// What did not fit into the last block waits already.
			assert!(matches!(offered, Ok(()) | Err(Refusal::Provided)), "{offered:?}");
		}
	}
}

/// Somebody with money who sends more than blocks can hold.
struct Spammer {
	key: Key,
	nonce: Nonce,
	tip: Balance,
}

impl Spammer {
	fn new(name: &str, tip: Balance) -> Self {
		Self { key: Key::named(name), nonce: 0, tip }
	}

	/// Sends `call` until so many transactions wait.
	fn fill(&mut self, world: &mut World, pool: &mut Pool, call: &RuntimeCall, waiting: usize) {
		while pool.len() < waiting {
			let (nonce, tip) = (self.nonce, self.tip);
			let transaction = world.read(|| sign_as(&self.key, call.clone(), nonce, tip));
			assert_eq!(world.offer(pool, transaction), Ok(()), "the spammer can pay");
			self.nonce += 1;
		}
	}
}

/// 500 transfers in one transaction.
fn transfers() -> RuntimeCall {
	let dest = Key::named("Ferdie").account();
	let call = pallet_balances::Call::transfer_keep_alive { dest: dest.into(), value: TEQ };
	let calls = vec![RuntimeCall::Balances(call); 500];
	RuntimeCall::Utility(pallet_utility::Call::batch_all { calls })
}

/// 700 000 bytes.
fn bytes() -> RuntimeCall {
	RuntimeCall::System(frame_system::Call::remark { remark: vec![0; 700_000] })
}

#[test]
fn a_million_open_chunks_keep_nobody_waiting() {
	let mut world = World::new().unchecked();
	let mut owners = world.enroll_many(8);
	let honest = accounts(&owners);
	let idle = idle_weight(&mut world);
	submit(&mut world, 1_000_000);
	submit_many(&mut world, 1_000, 1_000, ASK);

	let mut paid = 0;
	for _ in 0..40 {
		check_hooks(&world, idle);
		world.work(&mut owners);
		check_unharmed(&mut world, &honest);
		let is_payment =
			|event: &RuntimeEvent| matches!(event, RuntimeEvent::Tasks(event) if is_paid(event));
		paid += world.events().iter().filter(|event| is_payment(event)).count();
	}
	assert!(paid >= owners.len(), "only {paid} chunks were paid");
	world.check();
}

fn is_paid(event: &pallet_tasks::Event<Runtime>) -> bool {
	matches!(event, pallet_tasks::Event::ChunkPaid { .. })
}

#[test]
fn results_land_in_blocks_full_of_transfers() {
	work_through(transfers());
}

#[test]
fn results_land_in_blocks_full_of_bytes() {
	work_through(bytes());
}

/// Has a task done while two accounts fill every block, one without a tip and one with a large one.
fn work_through(spam: RuntimeCall) {
	let mut world = World::new().unchecked();
	let mut owners = world.enroll_many(8);
	let honest = accounts(&owners);
	let idle = idle_weight(&mut world);
	submit(&mut world, 24);

	let mut pool = Pool::default();
	let mut spammers = [Spammer::new("Bob", 0), Spammer::new("Charlie", 1_000 * TEQ)];
	for _ in 0..60 {
		for (spammer, waiting) in spammers.iter_mut().zip([12, 24]) {
			spammer.fill(&mut world, &mut pool, &spam, waiting);
		}
		offer_results(&mut world, &mut pool, &mut owners);
		check_hooks(&world, idle);
		world.author(&mut pool);
		assert!(!pool.is_empty(), "the block was not full");
		check_unharmed(&mut world, &honest);
		if ended(&mut world, 0) {
			break;
		}
	}
	assert!(ended(&mut world, 0), "the task was not done in time");
	world.check();
}

#[test]
fn what_only_looks_owed_gets_nowhere() {
	let mut world = World::new().unchecked();
	let mallory = Owner::new("Eve", 66, Conduct::Sleeps);
	world.enroll(core::slice::from_ref(&mallory));
	let mut owners = world.enroll_many(8);
	let honest = accounts(&owners);
	submit(&mut world, 24);

	let mut pool = Pool::default();
	let (mut blocks, mut signals) = (0, 0);
	while !ended(&mut world, 0) {
		assert!(blocks < 200, "the task was not done in time");
		blocks += 1;
		for owner in &mut owners {
			let calls = world.read(|| owner.device.calls());
			check_spam_refused(&mut world, &mut pool, &owner.device.key, calls);
		}
		// Signals that go to and fro: free only now and then, and the device cannot pay.
		for accepting in [false, true] {
			let signal = pallet_workers::Call::set_accepting { accepting };
			let key = &mallory.device.key;
			let transaction = world.read(|| {
				let nonce = System::account_nonce(key.account());
				sign_as(key, RuntimeCall::Workers(signal), nonce, 0)
			});
			signals += u32::from(world.offer(&mut pool, transaction).is_ok());
		}
		world.author(&mut pool);
		check_unharmed(&mut world, &honest);
	}
	let period = world.read(|| pallet_workers::CurrentRules::<Runtime>::get().signal_period);
	assert!(signals <= blocks / period + 1, "{signals} free signals in {blocks} blocks");
	world.check();
}

/// Sends what a device owes, and beside it what a spammer would make of that.
fn check_spam_refused(world: &mut World, pool: &mut Pool, key: &Key, calls: Vec<RuntimeCall>) {
	let first = world.read(|| System::account_nonce(key.account()));
	let twice = calls.len() as Nonce;
	for (nonce, call) in (first..).zip(calls) {
		let owed = world.read(|| sign_as(key, call.clone(), nonce, 0));
		let alice = Key::named("Alice");
		let others = [(Key::device(99), 0), (alice, 1_000 * TEQ)];
		for (key, tip) in others {
			let stolen = world.read(|| {
				let nonce = System::account_nonce(key.account());
				sign_as(&key, call.clone(), nonce, tip)
			});
			let refused = world.offer(pool, stolen);
			assert!(matches!(refused, Err(Refusal::Invalid(_))), "{refused:?}");
		}
		let doubled = world.read(|| sign_as(key, call, nonce + twice, 0));
		assert_eq!(world.offer(pool, owed), Ok(()), "what is owed is taken");
		assert_eq!(world.offer(pool, doubled), Err(Refusal::Provided));
	}
}

#[test]
fn a_thousand_tasks_that_nobody_takes_hold_up_no_other() {
	let patch = json!({ "tasks": { "rules": { "task_lifetime": 400 } } });
	let mut world = World::with(patch).unchecked();
	let mut owners = world.enroll_many(4);
	let honest = accounts(&owners);
	let idle = idle_weight(&mut world);
	submit_many(&mut world, 1_000, 1, ASK / 2);
	submit(&mut world, 32);

	let mut blocks = 0;
	while !ended(&mut world, 1_000) {
		assert!(blocks < 390, "the task was not done in time");
		blocks += 1;
		check_hooks(&world, idle);
		world.work(&mut owners);
		check_unharmed(&mut world, &honest);
	}
	world.read(|| assert_eq!(Tasks::summary(1_000).unwrap().chunks.paid, 32));

	// The others end by themselves, a few in each block.
	for _ in blocks..440 {
		check_hooks(&world, idle);
		world.block();
	}
	for task in 0..1_000 {
		assert!(ended(&mut world, task), "task {task} is stuck");
	}
	world.check();
}

#[test]
fn sixty_four_results_of_one_device_land_in_one_block() {
	const CHUNKS: usize = 64;
	let mut world = World::new();
	let mut owners = world.enroll_many(64);
	let honest = accounts(&owners);
	submit(&mut world, CHUNKS as u32);
	let in_hand = |world: &mut World| {
		world.read(|| Tasks::summary(0).unwrap().chunks.assigned as usize == CHUNKS)
	};
	for _ in 0..10 {
		if !in_hand(&mut world) {
			world.block();
		}
	}
	assert!(in_hand(&mut world), "every chunk is assigned");
	world.edit(|| gather_work(&owners[0]));
	assert_eq!(entries(&mut world, &mut owners[0]), vec![CHUNKS]);
	world.work(&mut owners[..1]);
	world.read(|| assert_eq!(Tasks::summary(0).unwrap().chunks.checking as usize, CHUNKS));

	let audited = |world: &mut World| {
		let seated = |check: pallet_verification::CheckOf<Runtime>| {
			!check.auditors.is_empty() && check.auditors.iter().all(|slot| slot.seat.is_some())
		};
		world.read(|| pallet_verification::Checks::<Runtime>::iter_values().all(seated))
	};
	for _ in 0..15 {
		if !audited(&mut world) {
			world.block();
		}
	}
	assert!(audited(&mut world), "every audit is drawn");
	world.edit(|| gather_audits([&owners[1], &owners[2]]));
	assert_eq!(entries(&mut world, &mut owners[1]), vec![CHUNKS]);

	let mut pool = Pool::default();
	for _ in 0..15 {
		offer_results(&mut world, &mut pool, &mut owners);
		let outcomes = world.author(&mut pool);
		assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
		check_unharmed(&mut world, &honest);
	}
	assert!(ended(&mut world, 0), "all is judged and paid");
	world.read(|| assert_eq!(Tasks::summary(0).unwrap().chunks.paid as usize, CHUNKS));
}

/// Entries of the calls that an owner's device would send.
fn entries(world: &mut World, owner: &mut Owner) -> Vec<usize> {
	use pallet_verification::Call;
	let lengths = |call: RuntimeCall| match call {
		RuntimeCall::Verification(Call::commit { items }) => items.len(),
		RuntimeCall::Verification(Call::reveal { items }) => items.len(),
		_ => 0,
	};
	world.read(|| owner.device.calls().into_iter().map(lengths).collect())
}
