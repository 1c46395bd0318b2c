//! A hundred thousand random calls by many accounts, with every invariant checked after every
//! block. `TEQUIO_CALLS` asks for another number of them.
//!
//! Four more things are checked: a call that would be free of fees succeeds; nobody but Root changes
//! rules; the books of a task balance when it ends, and so does the money of a training; and once
//! nobody does anything any more, all come to their end by themselves, and tasks leave nothing
//! behind but the root of their record.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use frame_support::traits::{CallMetadata, GetCallMetadata};
use pallet_tasks::{Chunks, Ended, NextTask, Tasks};
use pallet_training::{
	types::{Phase, TrainingOf},
	Money, Steps, Trainings,
};
use pallet_verification::{Checks, Panels};
use serde_json::{json, Value};
use sp_runtime::{traits::Dispatchable, DispatchError};
use std::{collections::BTreeMap, env};
use tequio_runtime::{
	extensions::owed_tags, AccountId, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
};
use tequio_runtime_tests::{crowd::Crowd, World};

/// Random calls in all, beside those that devices send by themselves.
const CALLS: u32 = 100_000;
/// Random calls in one block.
const CALLS_PER_BLOCK: u32 = 16;
/// Where the random numbers begin. Another number is another history.
const SEED: u64 = 20_261_120;
/// Blocks for which an ended task is kept: few, so that many go while others are at work.
const KEPT: u32 = 20;
/// Blocks after which the slowest task has ended: a deadline, then an audit with all its redraws,
/// then the reveals; or a panel, an appeal and another panel.
const QUIET_BLOCKS: u32 = 300;
/// All of something, in 10⁻¹⁸.
const WHOLE: u64 = 1_000_000_000_000_000_000;

/// How often each call succeeded, by pallet and name.
type Successes = BTreeMap<(&'static str, &'static str), u32>;

#[test]
fn invariants_hold_after_every_block_of_random_calls() {
	let mut world = World::with(rules());
	let team = Crowd::team();
	world.enroll(&team);

	let owner = team[0].account();
	let mut crowd = Crowd::new(team, SEED);
	let mut successes = Successes::new();
	for _ in 0..calls().div_ceil(CALLS_PER_BLOCK) {
		world.block_of(|| {
			crowd.act(CALLS_PER_BLOCK, |who, call| send(&mut successes, who, call));
			check_rules_are_roots(&owner);
		});
		check_books(&mut world);
	}
	println!("{successes:?}");
	for call in [
		("Workers", "register"),
		("Workers", "add_device"),
		("Workers", "set_accepting"),
		("Workers", "withdraw"),
		("Tasks", "submit_task"),
		("Tasks", "cancel_task"),
		("Tasks", "decline"),
		("Training", "submit_training"),
		("Training", "cancel_training"),
		("Verification", "commit"),
		("Verification", "reveal"),
		("Verification", "challenge"),
		("Verification", "appeal"),
	] {
		assert!(successes.contains_key(&call), "{call:?} never succeeded");
	}
	assert!(world.read(|| Ended::<Runtime>::iter().count()) > 0, "no task was removed meanwhile");

	world.block_of(|| cancel_everything(&mut successes));
	for _ in 0..QUIET_BLOCKS + KEPT {
		world.block();
		check_books(&mut world);
	}
	world.read(|| {
		assert_eq!(Tasks::<Runtime>::iter_keys().next(), None, "a task is stuck");
		assert_eq!(Chunks::<Runtime>::iter_keys().next(), None);
		assert_eq!(Checks::<Runtime>::iter_keys().next(), None, "a check is stuck");
		assert_eq!(Panels::<Runtime>::iter_keys().next(), None, "a panel is stuck");
		assert_eq!(Steps::<Runtime>::iter_keys().next(), None, "a training waits");
		let over = |training: TrainingOf<Runtime>| training.phase == Phase::Ended;
		assert!(Trainings::<Runtime>::iter_values().all(over), "a training is stuck");
		assert!((0..NextTask::<Runtime>::get()).all(Ended::<Runtime>::contains_key));
	});
}

/// Rules under which there is time to challenge, and a dozen owners are enough to trust one.
fn rules() -> Value {
	json!({
		"tasks": { "rules": { "keep_ended": KEPT, "challenge_period": 4 } },
		"workers": { "rules": { "min_owners": 1, "max_share": WHOLE } },
		"verification": { "rules": { "trust": { "audits": 1 } } },
	})
}

fn calls() -> u32 {
	env::var("TEQUIO_CALLS").map_or(CALLS, |text| {
		text.parse().unwrap_or_else(|_| panic!("TEQUIO_CALLS={text} is no number"))
	})
}

fn send(successes: &mut Successes, who: AccountId, call: RuntimeCall) {
	let CallMetadata { pallet_name, function_name } = call.get_call_metadata();
	let free = owed_tags(&who, &call).is_some();
	let result = call.dispatch(RuntimeOrigin::signed(who));
	assert!(
		!free || result.is_ok(),
		"{pallet_name}.{function_name} would be free, but fails: {result:?}"
	);
	if result.is_ok() {
		*successes.entry((pallet_name, function_name)).or_default() += 1;
	}
}

/// Has every requester cancel what it has, trainings first: they would order other tasks.
fn cancel_everything(successes: &mut Successes) {
	let trainings: Vec<_> = Trainings::<Runtime>::iter().collect();
	for (training, record) in trainings {
		let cancel = pallet_training::Call::cancel_training { training };
		send(successes, record.requester, RuntimeCall::Training(cancel));
	}
	let tasks: Vec<_> = Tasks::<Runtime>::iter().collect();
	for (task, record) in tasks {
		let cancel = pallet_tasks::Call::cancel_task { task };
		send(successes, record.requester, RuntimeCall::Tasks(cancel));
	}
}

/// The books of each task that ended in the last block balance, and the money of each training.
fn check_books(world: &mut World) {
	for event in world.events() {
		match event {
			RuntimeEvent::Tasks(pallet_tasks::Event::TaskEnded { task, books }) => {
				assert_eq!(books.in_escrow(), Some(0), "the books of task {task} do not balance");
			},
			RuntimeEvent::Training(pallet_training::Event::TrainingEnded {
				training,
				money,
				..
			}) => {
				let Money { locked, held, out, spent, returned } = money;
				assert_eq!((held, out), (0, 0), "training {training} has money left");
				assert_eq!(locked, spent + returned, "training {training} loses money");
			},
			_ => {},
		}
	}
}

/// Puts the rules in force into place again, as only Root may.
fn check_rules_are_roots(who: &AccountId) {
	let calls: [RuntimeCall; 4] = [
		RuntimeCall::Workers(pallet_workers::Call::set_rules {
			rules: pallet_workers::CurrentRules::<Runtime>::get(),
		}),
		RuntimeCall::Verification(pallet_verification::Call::set_rules {
			rules: pallet_verification::CurrentRules::<Runtime>::get(),
		}),
		RuntimeCall::Tasks(pallet_tasks::Call::set_rules {
			rules: pallet_tasks::CurrentRules::<Runtime>::get(),
		}),
		RuntimeCall::Rewards(pallet_rewards::Call::set_rules {
			rules: pallet_rewards::CurrentRules::<Runtime>::get(),
		}),
	];
	for call in calls {
		let result = call.clone().dispatch(RuntimeOrigin::signed(who.clone()));
		assert_eq!(result.map_err(|refused| refused.error), Err(DispatchError::BadOrigin));
		assert_eq!(call.dispatch(RuntimeOrigin::root()).map(drop), Ok(()));
	}
}
