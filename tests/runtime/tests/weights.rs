//! Nothing touches more keys than its weight has estimated: no call alone, and the hooks of no
//! block, be they of a random history or of one in which everybody is due for the same thing.
//!
//! Calls are held against the numbers of reads and writes in their estimates. Hooks, which do many
//! steps whose shared keys weigh once, are held against the weight that they account for.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use frame_support::{
	dispatch::{extract_actual_weight, GetDispatchInfo},
	weights::Weight,
};
use pallet_rewards::WeightInfo as _;
use pallet_tasks::WeightInfo as _;
use pallet_verification::WeightInfo as _;
use pallet_workers::WeightInfo as _;
use sp_runtime::traits::Dispatchable;
use std::collections::BTreeSet;
use tequio_primitives::{search::AUDITORS, AttemptId, TaskId};
use tequio_runtime::{AccountId, Runtime, RuntimeCall, RuntimeOrigin, System};
use tequio_runtime_tests::{
	count::Keys,
	crowd::Crowd,
	device::Conduct,
	keys::Key,
	owner::{Owner, ASK},
	search, Polled, World,
};

/// A runtime in whose weights reads and writes can be told apart.
mod apart {
	use frame_support::{
		construct_runtime, derive_impl, parameter_types,
		weights::{RuntimeDbWeight, Weight},
	};

	/// Weights of computation stay below it: 69 milliseconds.
	const READ: u32 = 36;
	/// Reads stay below 2¹⁶.
	const WRITE: u32 = 52;

	construct_runtime!(
		pub enum Apart {
			System: frame_system,
		}
	);

	parameter_types! {
		pub const Marked: RuntimeDbWeight =
			RuntimeDbWeight { read: 1 << READ, write: 1 << WRITE };
	}

	#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
	impl frame_system::Config for Apart {
		type Block = frame_system::mocking::MockBlock<Self>;
		type DbWeight = Marked;
	}

	/// The reads and writes in a weight of this runtime.
	pub fn accesses(weight: Weight) -> (u64, u64) {
		let time = weight.ref_time();
		let reads = (time >> READ) & ((1 << (WRITE - READ)) - 1);
		(reads, time >> WRITE)
	}
}

type OfWorkers = pallet_workers::weights::Estimated<apart::Apart>;
type OfVerification = pallet_verification::weights::Estimated<apart::Apart>;
type OfTasks = pallet_tasks::weights::Estimated<apart::Apart>;
type OfRewards = pallet_rewards::weights::Estimated<apart::Apart>;

/// The reads and writes that a call of ours is estimated at.
fn estimate(call: &RuntimeCall) -> Option<(u64, u64)> {
	let weight = match call {
		RuntimeCall::Workers(call) => of_workers(call)?,
		RuntimeCall::Verification(call) => of_verification(call)?,
		RuntimeCall::Tasks(call) => of_tasks(call)?,
		RuntimeCall::Rewards(pallet_rewards::Call::claim_accrued { .. }) => {
			OfRewards::claim_accrued()
		},
		_ => return None,
	};
	Some(apart::accesses(weight))
}

fn of_workers(call: &pallet_workers::Call<Runtime>) -> Option<Weight> {
	use pallet_workers::Call;
	Some(match call {
		Call::register { .. } => OfWorkers::register(),
		Call::add_stake { .. } => OfWorkers::add_stake(),
		Call::set_offers { .. } => OfWorkers::set_offers(),
		Call::set_payout { .. } => OfWorkers::set_payout(),
		Call::add_device { .. } => OfWorkers::add_device(),
		Call::remove_device { .. } => OfWorkers::remove_device(),
		Call::set_accepting { .. } => OfWorkers::set_accepting(),
		Call::pause_device { .. } | Call::resume_device { .. } => OfWorkers::pause_device(),
		Call::drain {} => OfWorkers::drain(),
		Call::unbond {} => OfWorkers::unbond(),
		Call::withdraw {} => OfWorkers::withdraw(),
		_ => return None,
	})
}

fn of_verification(call: &pallet_verification::Call<Runtime>) -> Option<Weight> {
	use pallet_verification::Call;
	Some(match call {
		Call::commit { items } => {
			let (entries, tasks) = sizes(items.iter().map(|item| item.id));
			OfVerification::commit(entries, tasks)
		},
		Call::reveal { items } => {
			let (entries, tasks) = sizes(items.iter().map(|item| item.id));
			let verdicts = OfVerification::judge(AUDITORS, 1).saturating_mul(entries.into());
			OfVerification::reveal(entries, tasks)
				.saturating_add(OfVerification::verdicts())
				.saturating_add(verdicts)
		},
		Call::advance_agenda { limit } => OfVerification::advance_agenda((*limit).min(64)),
		_ => return None,
	})
}

/// How many entries these are, about how many tasks.
fn sizes(ids: impl Iterator<Item = AttemptId>) -> (u32, u32) {
	let tasks: Vec<TaskId> = ids.map(|id| id.chunk.task).collect();
	let distinct: BTreeSet<_> = tasks.iter().collect();
	(tasks.len() as u32, distinct.len() as u32)
}

fn of_tasks(call: &pallet_tasks::Call<Runtime>) -> Option<Weight> {
	use pallet_tasks::Call;
	Some(match call {
		Call::submit_task { .. } => OfTasks::submit_task(),
		Call::cancel_task { .. } => OfTasks::cancel_task(),
		Call::decline { .. } => OfTasks::decline(),
		Call::advance_agenda { limit } => OfTasks::advance_agenda((*limit).min(64)),
		_ => return None,
	})
}

/// Makes a call on the state after the last block, and forgets what it changed.
fn check_call(world: &World, who: &AccountId, call: &RuntimeCall) {
	let Some((reads, writes)) = estimate(call) else { return };
	let origin = RuntimeOrigin::signed(who.clone());
	let (result, keys) = world.count(|| call.clone().dispatch(origin));
	let (read, written) = keys.number();
	assert!(
		read <= reads && written <= writes,
		"{read} of {reads} reads, {written} of {writes} writes: {keys}in {call:?}, {result:?}"
	);
	let weight = extract_actual_weight(&result, &call.get_dispatch_info());
	assert!(
		database_weight(&keys) <= weight.ref_time(),
		"{read} reads and {written} writes in {weight:?}: {keys}in {call:?}, {result:?}"
	);
}

fn database_weight(keys: &Keys) -> u64 {
	let (reads, writes) = keys.number();
	let database = <Runtime as frame_system::Config>::DbWeight::get();
	database.reads_writes(reads, writes).ref_time()
}

/// Runs the hooks of the next block, and forgets what they changed.
fn check_hooks(world: &World) {
	let Polled { keys, weight, events } = world.poll();
	let (read, written) = keys.number();
	assert!(
		database_weight(&keys) <= weight.ref_time(),
		"{read} reads and {written} writes in {weight:?}: {keys}with {events:?}"
	);
}

#[test]
fn random_calls_touch_no_more_than_they_weigh() {
	let mut world = World::new().unchecked();
	let team = Crowd::team();
	world.enroll(&team);
	let mut crowd = Crowd::new(team, 20_261_122);
	for _ in 0..250 {
		let mut calls = Vec::new();
		world.read(|| crowd.act(12, |who, call| calls.push((who, call))));
		calls.iter().for_each(|(who, call)| check_call(&world, who, call));
		check_hooks(&world);
		world.block_of(|| {
			for (who, call) in calls {
				let _ = call.dispatch(RuntimeOrigin::signed(who));
			}
		});
	}
}

#[test]
fn payments_touch_no_more_than_they_weigh() {
	everybody(Conduct::Honest, Conduct::Honest);
}

#[test]
fn slashes_of_liars_touch_no_more_than_they_weigh() {
	everybody(Conduct::Lies, Conduct::Lies);
}

#[test]
fn missed_deadlines_touch_no_more_than_they_weigh() {
	everybody(Conduct::Sleeps, Conduct::Sleeps);
}

#[test]
fn withheld_reveals_touch_no_more_than_they_weigh() {
	everybody(Conduct::Withholds, Conduct::Withholds);
}

#[test]
fn silent_auditors_touch_no_more_than_they_weigh() {
	everybody(Conduct::Honest, Conduct::Sleeps);
}

/// Has many devices work on many tasks of many requesters, all in the same way until their work is
/// committed, and all in another way from then on.
fn everybody(at_work: Conduct, at_audits: Conduct) {
	let mut world = World::new().unchecked();
	let mut owners = world.enroll_many(48);
	owners.iter_mut().for_each(|owner| owner.device.conduct = at_work);
	let requesters = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie", "One", "Two"];
	let requesters = requesters.map(|name| Key::named(name).account());
	let spec = search::task(3, 32, 16, 16);
	world.edit(|| {
		for requester in requesters.iter().cycle().take(48) {
			let (spec, price) = (spec.clone(), ASK);
			let call = pallet_tasks::Call::submit_task { spec, price, deadline: 16, bonus: ASK };
			let origin = RuntimeOrigin::signed(requester.clone());
			RuntimeCall::Tasks(call).dispatch(origin).unwrap();
		}
		System::reset_events();
	});
	for _ in 0..70 {
		check_hooks(&world);
		for Owner { device, .. } in &mut owners {
			let who = device.key.account();
			let calls = world.read(|| device.calls());
			calls.iter().for_each(|call| check_call(&world, &who, call));
		}
		world.work(&mut owners);
		let checks = || pallet_verification::Checks::<Runtime>::iter_values().next().is_some();
		if world.read(checks) {
			owners.iter_mut().for_each(|owner| owner.device.conduct = at_audits);
		}
	}
}
