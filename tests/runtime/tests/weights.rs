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
use pallet_tasks::{TaskSpec, WeightInfo as _};
use pallet_training::WeightInfo as _;
use pallet_verification::{types::CheckState, Call as Verify, Checks, Panels, WeightInfo as _};
use pallet_workers::{Ledger, WeightInfo as _};
use serde_json::json;
use sp_runtime::traits::Dispatchable;
use std::collections::BTreeSet;
use tequio_primitives::{
	recompute::{RecomputeSpec, MAX_REPLICAS},
	stage::Stage,
	AttemptId, Role, TaskId, WorkClass,
};
use tequio_runtime::{AccountId, Runtime, RuntimeCall, RuntimeOrigin, System, Tasks};
use tequio_runtime_tests::{
	count::Keys,
	crowd::Crowd,
	device::Conduct,
	keys::Key,
	owner::{Owner, ASK, STAKE},
	program::{self, Fate},
	search, Polled, World,
};

/// Auditors of an attempt that is judged in the call with its last reveal.
const JUDGED_AT_ONCE: u32 = 2;

/// A runtime in whose weights reads and writes can be told apart.
mod apart {
	use frame_support::{
		construct_runtime, derive_impl, parameter_types,
		weights::{RuntimeDbWeight, Weight},
	};

	/// Weights of computation stay below it: 69 milliseconds.
	const READ: u32 = 36;
	/// Reads, and writes, stay below 2¹⁴.
	const WRITE: u32 = 50;

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
type OfTraining = pallet_training::weights::Estimated<apart::Apart>;

/// The reads and writes that a call of ours is estimated at.
fn estimate(call: &RuntimeCall) -> Option<(u64, u64)> {
	let weight = match call {
		RuntimeCall::Workers(call) => of_workers(call)?,
		RuntimeCall::Verification(call) => of_verification(call)?,
		RuntimeCall::Tasks(call) => of_tasks(call)?,
		RuntimeCall::Rewards(call) => of_rewards(call)?,
		RuntimeCall::Training(call) => of_training(call)?,
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
		Call::set_rules { .. } => OfWorkers::set_rules(),
		_ => return None,
	})
}

fn of_verification(call: &pallet_verification::Call<Runtime>) -> Option<Weight> {
	use pallet_verification::Call;
	Some(match call {
		Call::commit { items } => {
			let (entries, tasks) = sizes(items.iter().map(|item| item.id));
			let referees = referees(items.iter().map(|item| item.role));
			OfVerification::commit(entries, tasks).saturating_add(OfVerification::panels(referees))
		},
		Call::reveal { items } => {
			let (entries, tasks) = sizes(items.iter().map(|item| item.id));
			let referees = referees(items.iter().map(|item| item.role));
			let verdicts = u64::from(entries - referees);
			OfVerification::reveal(entries, tasks)
				.saturating_add(OfVerification::panels(referees))
				.saturating_add(OfVerification::verdicts())
				.saturating_add(OfVerification::judge(JUDGED_AT_ONCE, 0).saturating_mul(verdicts))
		},
		Call::advance_agenda { limit } => OfVerification::advance_agenda((*limit).min(64)),
		Call::appeal { .. } => OfVerification::appeal(),
		Call::challenge { .. } => OfVerification::challenge(),
		Call::report_bad_input { .. } => OfVerification::report_bad_input(),
		Call::set_rules { .. } => OfVerification::set_rules(),
		_ => return None,
	})
}

fn of_rewards(call: &pallet_rewards::Call<Runtime>) -> Option<Weight> {
	use pallet_rewards::Call;
	Some(match call {
		Call::claim_accrued { .. } => OfRewards::claim_accrued(),
		Call::set_rules { .. } => OfRewards::set_rules(),
		_ => return None,
	})
}

fn of_training(call: &pallet_training::Call<Runtime>) -> Option<Weight> {
	use pallet_training::Call;
	Some(match call {
		Call::submit_training { .. } => OfTraining::submit_training(),
		Call::cancel_training { .. } => OfTraining::cancel_training(),
		Call::advance_trainings { limit } => OfTraining::advance_trainings((*limit).min(64)),
		_ => return None,
	})
}

/// How many of these are referees.
fn referees(roles: impl Iterator<Item = Role>) -> u32 {
	roles.filter(|role| matches!(role, Role::Referee { .. })).count() as u32
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
		Call::set_rules { .. } => OfTasks::set_rules(),
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

/// Many devices that work on many tasks of many requesters, all in the same way.
struct Scene {
	spec: TaskSpec,
	tasks: usize,
	/// How they behave until work is committed.
	at_work: Conduct,
	/// How they behave from then on.
	at_audits: Conduct,
	/// How they behave once there are panels.
	at_panels: Conduct,
	/// Who is doubted, and by whom.
	doubts: Doubts,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubts {
	None,
	/// Workers who were found wrong appeal, up to the largest panel.
	Appeals,
	/// Whatever is accepted is challenged.
	Challenges,
}

/// Searches, and nobody who doubts anything.
fn scene(spec: TaskSpec, at_work: Conduct, at_audits: Conduct) -> Scene {
	Scene { spec, tasks: 48, at_work, at_audits, at_panels: at_audits, doubts: Doubts::None }
}

/// Two chunks of which every other nonce is a share.
fn chunks() -> TaskSpec {
	search::task(3, 64, 32, 16)
}

#[test]
fn payments_touch_no_more_than_they_weigh() {
	play(scene(chunks(), Conduct::Honest, Conduct::Honest));
}

#[test]
fn slashes_of_liars_touch_no_more_than_they_weigh() {
	let world = play(scene(chunks(), Conduct::Lies, Conduct::Lies));
	let ledger = world.count(Ledger::<Runtime>::get).0;
	assert!(ledger.compensation > 0 && ledger.bounty > 0, "nobody was slashed: {ledger:?}");
}

#[test]
fn missed_deadlines_touch_no_more_than_they_weigh() {
	play(scene(chunks(), Conduct::Sleeps, Conduct::Sleeps));
}

#[test]
fn withheld_reveals_touch_no_more_than_they_weigh() {
	play(scene(chunks(), Conduct::Withholds, Conduct::Withholds));
}

#[test]
fn silent_auditors_touch_no_more_than_they_weigh() {
	play(scene(chunks(), Conduct::Honest, Conduct::Sleeps));
}

#[test]
fn silent_referees_touch_no_more_than_they_weigh() {
	let lies = scene(chunks(), Conduct::Lies, Conduct::Lies);
	play(Scene { at_panels: Conduct::Sleeps, ..lies });
}

#[test]
fn referees_who_withhold_touch_no_more_than_they_weigh() {
	let lies = scene(chunks(), Conduct::Lies, Conduct::Lies);
	play(Scene { at_panels: Conduct::Withholds, ..lies });
}

#[test]
fn the_largest_panels_touch_no_more_than_they_weigh() {
	let lies = scene(chunks(), Conduct::Lies, Conduct::Lies);
	play(Scene { tasks: 2, doubts: Doubts::Appeals, ..lies });
}

#[test]
fn challenges_touch_no_more_than_they_weigh() {
	let honest = scene(chunks(), Conduct::Honest, Conduct::Honest);
	play(Scene { tasks: 4, doubts: Doubts::Challenges, ..honest });
}

#[test]
fn programs_touch_no_more_than_they_weigh() {
	let spec = program::task(WorkClass::Integer, Fate::Runs, 3, 2);
	play(scene(spec, Conduct::Honest, Conduct::Honest));
}

#[test]
fn replicas_touch_no_more_than_they_weigh() {
	let spec = TaskSpec::Recompute(RecomputeSpec {
		class: WorkClass::Integer,
		program: program::program(Fate::Runs, 4),
		chunks: 2,
		units: 1,
		replicas: MAX_REPLICAS,
	});
	for (at_work, at_audits) in [
		(Conduct::Honest, Conduct::Honest),
		(Conduct::Honest, Conduct::Withholds),
		(Conduct::Lies, Conduct::Lies),
	] {
		play(Scene { tasks: 12, ..scene(spec.clone(), at_work, at_audits) });
	}
}

#[test]
fn inputs_that_nobody_has_touch_no_more_than_they_weigh() {
	let spec = program::task(WorkClass::Integer, Fate::Unreachable, 5, 2);
	play(scene(spec, Conduct::Honest, Conduct::Honest));
}

/// Plays a scene until nothing is left of it.
fn play(scene: Scene) -> World {
	let patch = json!({ "tasks": { "rules": { "challenge_period": 4, "task_lifetime": 200 } } });
	let mut world = World::with(patch).unchecked();
	let mut owners = enroll(&mut world, scene.spec.class());
	submit(&mut world, &scene);
	let (mut blocks, mut begun) = (0, Begun::default());
	while world.read(is_busy) {
		assert!(blocks < 800, "something is stuck");
		blocks += 1;
		check_hooks(&world);
		world.read(|| begun.look());
		let conduct = begun.conduct(&scene);
		owners.iter_mut().for_each(|owner| owner.device.conduct = conduct);
		for (key, call) in doubts(&mut world, &owners, scene.doubts) {
			check_call(&world, &key.account(), &call);
			world.submit(&key, call);
		}
		for Owner { device, .. } in &mut owners {
			let who = device.key.account();
			let calls = world.read(|| device.calls());
			calls.iter().for_each(|call| check_call(&world, &who, call));
		}
		world.work(&mut owners);
	}
	world
}

fn enroll(world: &mut World, class: WorkClass) -> Vec<Owner> {
	let owner =
		|number| Owner::new(&format!("Owner{number}"), number, Conduct::Honest).serving(&[class]);
	let owners: Vec<Owner> = (1_000..1_048).map(owner).collect();
	owners.iter().for_each(|owner| world.fund(&owner.account(), 10 * STAKE));
	world.enroll(&owners);
	owners
}

fn submit(world: &mut World, scene: &Scene) {
	let requesters = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie", "One", "Two"];
	let requesters = requesters.map(|name| Key::named(name).account());
	let bonus = if scene.spec.class() == WorkClass::RandomXSearch { ASK } else { 0 };
	world.edit(|| {
		for requester in requesters.iter().cycle().take(scene.tasks) {
			let (spec, price) = (scene.spec.clone(), ASK);
			let call = pallet_tasks::Call::submit_task { spec, price, deadline: 16, bonus };
			let origin = RuntimeOrigin::signed(requester.clone());
			RuntimeCall::Tasks(call).dispatch(origin).unwrap();
		}
		System::reset_events();
	});
}

/// Whether a chunk has not ended, or a referee was not dismissed.
fn is_busy() -> bool {
	let running = |task: pallet_tasks::types::TaskOf<Runtime>| task.live() > 0;
	pallet_tasks::Tasks::<Runtime>::iter_values().any(running)
		|| Panels::<Runtime>::iter_values().next().is_some()
}

/// How far a scene has come.
#[derive(Default)]
struct Begun {
	audits: bool,
	panels: bool,
}

impl Begun {
	fn look(&mut self) {
		self.audits |= Checks::<Runtime>::iter_values().next().is_some();
		self.panels |= Panels::<Runtime>::iter_values().next().is_some();
	}

	fn conduct(&self, scene: &Scene) -> Conduct {
		match (self.audits, self.panels) {
			(_, true) => scene.at_panels,
			(true, false) => scene.at_audits,
			(false, false) => scene.at_work,
		}
	}
}

/// What is doubted in the next block, and by whom.
fn doubts(world: &mut World, owners: &[Owner], doubts: Doubts) -> Vec<(Key, RuntimeCall)> {
	let now = world.read(pallet_verification::Now::<Runtime>::get);
	let checks: Vec<_> = world.read(|| Checks::<Runtime>::iter().collect());
	let doubt = |(chunk, check): (_, pallet_verification::CheckOf<Runtime>)| {
		let id = AttemptId { chunk, attempt: check.attempt };
		match (doubts, check.state) {
			(Doubts::Appeals, CheckState::Appeal { due }) if due > now + 1 => {
				let device = check.assignment.seat.device;
				let owner = owners.iter().find(|owner| owner.device.key.account() == device)?;
				let call = RuntimeCall::Verification(Verify::appeal { id });
				Some((owner.device.key.clone(), call))
			},
			(Doubts::Challenges, CheckState::Settled) if check.challenge.is_none() => {
				let (stage, until) = world.read(|| Tasks::stage_of(chunk))?;
				let call = RuntimeCall::Verification(Verify::challenge { id });
				let open = stage == Stage::Accepted && until > now + 1;
				open.then(|| (Key::named("Alice"), call))
			},
			_ => None,
		}
	};
	checks.into_iter().filter_map(doubt).collect()
}
