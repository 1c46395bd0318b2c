//! One training, and everybody who could have a part in it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use frame_support::traits::fungible::InspectHold;
use pallet_tasks::Event as TasksEvent;
use pallet_training::{
	types::{Phase, TrainingOf},
	Call, Event, Money, Plan, Stage, StopReason, StopRule, Trainings,
};
use pallet_verification::Now;
use std::collections::{BTreeMap, BTreeSet};
use tequio_primitives::{
	api::{TaskStatus, TaskSummary},
	AttemptId, Balance, TaskId, WorkClass, WorkHeight, TEQ,
};
use tequio_runtime::{AccountId, Balances, Runtime, RuntimeCall, RuntimeEvent, Tasks};
use tequio_runtime_tests::{
	device::Conduct,
	keys::Key,
	lesson::{self, Course},
	owner::{Owner, ASK, STAKE},
	wealth, World,
};

pub const SHARDS: u32 = 4;
pub const ROUNDS: u32 = 3;
/// Chunks of an evaluation.
pub const COUNTS: u32 = 2;
/// More than any of these trainings needs.
pub const BUDGET: Balance = 100 * TEQ;
/// Blocks in which any of these trainings ends.
pub const PATIENCE: u32 = 600;

const CLASS: WorkClass = WorkClass::ExactF64;
const OWNERS: u32 = 16;

pub fn stage(course: Course, number: u64) -> Stage {
	Stage { program: lesson::program(course, number), units: 1 }
}

/// Three rounds in which all goes well.
pub fn plan() -> Plan {
	Plan {
		class: CLASS,
		train: stage(Course::Learns, 1),
		shards: SHARDS,
		aggregate: stage(Course::Learns, 2),
		evaluate: Some(lesson::evaluation(stage(Course::Learns, 3), COUNTS)),
		carry: true,
		rounds: ROUNDS,
		quorum: SHARDS,
		replicas: 1,
		price: ASK,
		deadline: 16,
		step_deadline: 512,
		stop: StopRule::default(),
	}
}

pub fn alice() -> AccountId {
	Key::named("Alice").account()
}

/// Enrolls owners who are honest and serve all classes of a training that trains in this one.
pub fn enroll(world: &mut World, class: WorkClass) -> Vec<Owner> {
	let classes = BTreeSet::from([CLASS, class, WorkClass::Integer]);
	let classes: Vec<WorkClass> = classes.into_iter().collect();
	let owner = |number| {
		let owner = Owner::new(&format!("Owner{number}"), number, Conduct::Honest);
		owner.serving(&classes)
	};
	let owners: Vec<Owner> = (1..=OWNERS).map(owner).collect();
	owners.iter().for_each(|owner| world.fund(&owner.account(), 10 * STAKE));
	world.enroll(&owners);
	owners
}

/// What is told of each round, without the heights.
pub fn numbered<R>(told: Vec<(WorkHeight, R)>) -> Vec<R> {
	told.into_iter().map(|(_, what)| what).collect()
}

/// A training of Alice's, and what has happened.
pub struct Story {
	pub world: World,
	pub owners: Vec<Owner>,
	pub plan: Plan,
	/// Every event with its height.
	pub events: Vec<(WorkHeight, RuntimeEvent)>,
	/// What Alice had when the submission was paid for.
	before: Balance,
	/// What the owners had then.
	pub fortunes: Vec<Balance>,
}

impl Story {
	/// Enrolls owners and submits the training.
	pub fn begin(plan: Plan, budget: Balance) -> Self {
		let mut world = World::new();
		let owners = enroll(&mut world, plan.class);
		let call = Call::submit_training { plan: plan.clone(), budget };
		world.submit(&Key::named("Alice"), RuntimeCall::Training(call));
		world.block_ok();
		let before = world.read(|| wealth(&alice()));
		let fortunes = owners.iter().map(|owner| world.read(|| wealth(&owner.account()))).collect();
		let mut story = Self { world, owners, plan, events: Vec::new(), before, fortunes };
		story.note();
		story
	}

	/// Notes what happened in the last block.
	fn note(&mut self) {
		let now = self.now();
		self.events.extend(self.world.events().into_iter().map(|event| (now, event)));
	}

	/// Makes blocks in which everybody works until something holds.
	pub fn until(&mut self, what: &str, done: impl Fn(&mut Self) -> bool) {
		for _ in 0..PATIENCE {
			if done(self) {
				return;
			}
			self.world.work(&mut self.owners);
			self.note();
		}
		assert!(done(self), "{what}: {:?}", self.training());
	}

	fn now(&mut self) -> WorkHeight {
		self.world.read(Now::<Runtime>::get)
	}

	pub fn training(&mut self) -> TrainingOf<Runtime> {
		self.world.read(|| Trainings::<Runtime>::get(0)).expect("the training was submitted")
	}

	/// How each of its tasks stands, in the order in which they were ordered.
	pub fn tasks(&mut self) -> Vec<TaskSummary<AccountId>> {
		self.world.read(|| {
			let tasks = 0..pallet_tasks::NextTask::<Runtime>::get();
			tasks.map(|task| Tasks::summary(task).expect("the task is still there")).collect()
		})
	}

	/// What the training has told, as far as it is of interest, with the heights.
	pub fn told<R>(&self, of: impl Fn(&Event<Runtime>) -> Option<R>) -> Vec<(WorkHeight, R)> {
		let told = self.events.iter().filter_map(|(height, event)| match event {
			RuntimeEvent::Training(event) => Some((*height, of(event)?)),
			_ => None,
		});
		told.collect()
	}

	/// The rounds that began, with their tasks.
	pub fn begun(&self) -> Vec<(WorkHeight, (u32, TaskId))> {
		self.told(|event| match event {
			Event::RoundBegan { round, task, .. } => Some((*round, *task)),
			_ => None,
		})
	}

	/// The rounds that were trained, with the shards that gave something, and those that did not.
	pub fn trained(&self) -> Vec<(WorkHeight, (u32, u32, u32))> {
		self.told(|event| match event {
			Event::RoundTrained { round, kept, missing, .. } => Some((*round, *kept, *missing)),
			_ => None,
		})
	}

	/// The chunks that were given out, and to whom.
	pub fn assigned(&self) -> Vec<(AttemptId, AccountId)> {
		let assigned = self.events.iter().filter_map(|(_, event)| match event {
			RuntimeEvent::Tasks(TasksEvent::ChunkAssigned { id, owner, .. }) => {
				Some((*id, owner.clone()))
			},
			_ => None,
		});
		assigned.collect()
	}

	/// Has nobody work until a shard of the first round is given to somebody.
	pub fn first_assignment(&mut self) -> (AttemptId, AccountId) {
		for _ in 0..PATIENCE {
			if let Some(first) = self.assigned().first() {
				return first.clone();
			}
			self.world.block_ok();
			self.note();
		}
		panic!("nobody gets any work");
	}

	/// Lets the training end, and checks what holds whatever it ends for: nothing of it is left,
	/// its tasks have ended with balanced books, and Alice has all that was not spent on them.
	pub fn ends_for(&mut self, reason: StopReason) -> TrainingOf<Runtime> {
		self.until("the training ends", |story| story.training().phase == Phase::Ended);
		let training = self.training();
		assert_eq!(training.reason, Some(reason));
		let Money { locked, held, out, spent, returned } = training.money;
		assert_eq!((training.live, held, out), (0, 0, 0));
		assert_eq!(locked, spent + returned);
		let tasks = self.tasks();
		assert!(tasks.iter().all(|task| task.status == TaskStatus::Ended));
		assert!(tasks.iter().all(|task| task.books.in_escrow() == Some(0)));
		let costs = tasks.iter().map(|task| task.books.locked - task.books.refunded);
		assert_eq!(spent, costs.sum::<Balance>(), "what its tasks have spent");
		let look = || (wealth(&alice()), Balances::total_balance_on_hold(&alice()));
		assert_eq!(self.world.read(look), (self.before - spent, 0));
		let told = self.told(|event| match event {
			Event::TrainingEnded { reason, rounds, state, money, .. } => {
				Some((*reason, *rounds, *state, *money))
			},
			_ => None,
		});
		let end = (reason, training.round, training.state, training.money);
		assert_eq!(numbered(told), [end]);
		training
	}

	/// Checks that every owner has what it was paid for its work, and lost nothing.
	pub fn check_pay(&mut self) {
		let mut pay = BTreeMap::<AccountId, Balance>::new();
		for (_, event) in &self.events {
			if let RuntimeEvent::Tasks(
				TasksEvent::ChunkPaid { owner, amount, .. }
				| TasksEvent::AuditPaid { owner, amount, .. },
			) = event
			{
				*pay.entry(owner.clone()).or_default() += *amount;
			}
		}
		assert!(pay.len() > 1, "hardly anybody was paid: {pay:?}");
		for (owner, before) in self.owners.iter().zip(&self.fortunes) {
			let account = owner.account();
			let earned = pay.remove(&account).unwrap_or(0);
			assert_eq!(self.world.read(|| wealth(&account)), before + earned, "{account}");
		}
		assert!(pay.is_empty(), "somebody else was paid: {pay:?}");
	}
}
