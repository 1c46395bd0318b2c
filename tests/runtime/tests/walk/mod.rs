//! One chunk, step by step. Whoever is not told to do something stays silent.

#![allow(clippy::unwrap_used, clippy::expect_used)]
// No story takes every step.
#![allow(dead_code)]

use frame_support::BoundedVec;
use pallet_tasks::TaskSpec;
use pallet_verification::{
	types::{CheckState, CommitItem, RevealItem},
	Call, CheckOf, Checks, Now,
};
use serde_json::Value;
use sp_core::H256;
use tequio_primitives::{
	claim::Claim, opening::Opening, recompute::OutputOpening, stage::Stage, tasks::Assignment,
	workers::InspectWorkers, AttemptId, Balance, ChunkId, Duty, Role, WorkClass, WorkHeight,
};
use tequio_runtime::{AccountId, Runtime, RuntimeCall, Tasks, Verification, Workers};
use tequio_runtime_tests::{
	device::{Conduct, Device},
	duty::{commit_item, reveal_item},
	keys::Key,
	owner::{Owner, STAKE},
	World,
};

/// The chunk.
pub const CHUNK: ChunkId = ChunkId { task: 0, index: 0 };
/// Blocks for the work, and for an audit or a judgement of it.
pub const DEADLINE: u32 = 16;
/// Enough for a worker, two auditors, and nine referees.
const OWNERS: u32 = 12;
/// Blocks in which the next step comes, if it comes by itself.
const PATIENCE: u32 = 40;

/// Which duties are meant.
pub type Roles = fn(Role) -> bool;

pub fn worker(role: Role) -> bool {
	role == Role::Worker
}

pub fn auditor(role: Role) -> bool {
	role == Role::Auditor
}

pub fn referee(role: Role) -> bool {
	matches!(role, Role::Referee { .. })
}

pub fn anyone(_: Role) -> bool {
	true
}

/// The chunk, the only one of a task of Alice's, and everybody who could have a part in it.
pub struct Walk {
	pub world: World,
	pub owners: Vec<Owner>,
	/// Since when the chunk is where it is.
	pub entered: WorkHeight,
	last: Option<(Stage, WorkHeight)>,
}

impl Walk {
	/// Enrolls owners who behave alike and serve searches and a class of programs, and submits the
	/// task.
	pub fn begin(rules: Value, conduct: Conduct, spec: TaskSpec, price: Balance) -> Self {
		let mut world = World::with(rules);
		let programs = match spec.class() {
			WorkClass::RandomXSearch => WorkClass::Integer,
			class => class,
		};
		let classes = [WorkClass::RandomXSearch, programs];
		let owners: Vec<Owner> = (1..=OWNERS)
			.map(|number| Owner::new(&format!("Owner{number}"), number, conduct).serving(&classes))
			.collect();
		owners.iter().for_each(|owner| world.fund(&owner.account(), 10 * STAKE));
		world.enroll(&owners);
		let mut walk = Self { world, owners, entered: 0, last: None };
		let call = pallet_tasks::Call::submit_task { spec, price, deadline: DEADLINE, bonus: 0 };
		walk.world.submit(&Key::named("Alice"), RuntimeCall::Tasks(call));
		walk.block();
		walk
	}

	/// Where the chunk is, and when that ends by itself; `None` once it has ended.
	pub fn stage(&mut self) -> Option<(Stage, WorkHeight)> {
		self.world.read(|| Tasks::stage_of(CHUNK).or_else(|| Verification::stage_of(&CHUNK)))
	}

	/// Whether the chunk is at this stage.
	pub fn is_at(&mut self, goal: Stage) -> bool {
		self.stage().is_some_and(|(stage, _)| stage == goal)
	}

	pub fn now(&mut self) -> WorkHeight {
		self.world.read(Now::<Runtime>::get)
	}

	/// The check of the chunk.
	pub fn check(&mut self) -> CheckOf<Runtime> {
		self.world.read(|| Checks::<Runtime>::get(CHUNK)).expect("the chunk is being checked")
	}

	/// The present attempt, and who computes it.
	pub fn assignment(&mut self) -> (AttemptId, Assignment<AccountId>) {
		let (attempt, assignment) = self.world.read(|| {
			use pallet_tasks::types::ChunkState::{Accepted, Assigned, Challenged, Checking, Open};
			let chunk = pallet_tasks::Chunks::<Runtime>::get(CHUNK).unwrap();
			match chunk.state {
				Assigned { assignment, .. }
				| Checking { assignment }
				| Accepted { assignment, .. }
				| Challenged { assignment, .. } => (chunk.attempt, assignment),
				Open => panic!("nobody computes the chunk"),
			}
		});
		(AttemptId { chunk: CHUNK, attempt }, assignment)
	}

	/// The owner of a device.
	pub fn owner_of(&self, device: &AccountId) -> &Owner {
		let found = self.owners.iter().find(|owner| owner.device.key.account() == *device);
		found.expect("the device is somebody's")
	}

	/// Makes a block of what was submitted, all of which has to succeed.
	pub fn block(&mut self) {
		self.world.block_ok();
		let stage = self.stage();
		if stage != self.last {
			self.last = stage;
			self.entered = self.now();
		}
	}

	/// Makes blocks until something holds.
	pub fn until(&mut self, what: &str, done: impl Fn(&mut Self) -> bool) {
		for _ in 0..PATIENCE {
			if done(self) {
				return;
			}
			self.block();
		}
		assert!(done(self), "{what}: {:?}", self.last);
	}

	/// Makes a block in which these commit what they found.
	pub fn commit(&mut self, of: Roles) {
		self.send(|device| device.commits(|duty| of(duty.role)));
	}

	/// Makes a block in which these reveal.
	pub fn reveal(&mut self, of: Roles) {
		self.send(|device| device.reveals(|duty| of(duty.role)));
	}

	fn send(&mut self, call: impl Fn(&mut Device) -> Option<RuntimeCall>) {
		let Self { world, owners, .. } = self;
		for owner in owners {
			if let Some(call) = world.read(|| call(&mut owner.device)) {
				world.submit(&owner.device.key, call);
			}
		}
		self.block();
	}

	/// Makes a block in which these commit to an output of a program.
	pub fn commit_output(&mut self, of: Roles, output: H256) {
		self.send_each(of, |device, duty| {
			commits(commit_item(device, duty, Claim::Nothing, &shown(output)))
		});
	}

	/// Makes a block in which these reveal that output.
	pub fn reveal_output(&mut self, of: Roles, output: H256) {
		self.send_each(of, |_, duty| reveals(reveal_item(duty, shown(output))));
	}

	fn send_each(&mut self, of: Roles, call: impl Fn(&AccountId, Duty) -> RuntimeCall) {
		let Self { world, owners, .. } = self;
		for owner in owners {
			let device = owner.device.key.account();
			let duties = world.read(|| Workers::duties_of(&device));
			for duty in duties.into_iter().filter(|duty| of(duty.role)) {
				let call = world.read(|| call(&device, duty));
				world.submit(&owner.device.key, call);
			}
		}
		self.block();
	}

	/// Walks on to a stage. Where the openings agree there is no panel, and where they do not,
	/// nothing is accepted: who lies decides on that.
	pub fn to(&mut self, goal: Stage) {
		if self.is_at(goal) {
			return;
		}
		match goal {
			Stage::Open => {},
			Stage::Assigned => self.until("a worker is drawn", |walk| walk.is_at(goal)),
			Stage::Drawing => {
				self.to(Stage::Assigned);
				self.commit(worker);
			},
			Stage::Auditing => {
				self.to(Stage::Drawing);
				self.until("auditors are drawn", Self::is_seated);
			},
			Stage::Second | Stage::Revealing => {
				self.to(Stage::Auditing);
				self.commit(auditor);
			},
			Stage::Accepted => {
				self.to(Stage::Revealing);
				self.reveal(anyone);
			},
			Stage::Panel => {
				self.to(Stage::Revealing);
				self.reveal(anyone);
				self.until("referees are drawn", Self::is_seated);
			},
			Stage::PanelReveal => {
				self.to(Stage::Panel);
				self.commit(referee);
			},
			Stage::Appeal => {
				self.to(Stage::PanelReveal);
				self.reveal(referee);
				self.until("the panel finds", |walk| walk.is_at(goal));
			},
			Stage::Ended => self.until("the chunk ends", |walk| walk.stage().is_none()),
		}
		let stage = self.stage().map_or(Stage::Ended, |(stage, _)| stage);
		assert_eq!(stage, goal);
	}

	/// Whether every place of the audit or of the panel is taken.
	pub fn is_seated(&mut self) -> bool {
		matches!(
			self.world.read(|| Checks::<Runtime>::get(CHUNK)).map(|check| check.state),
			Some(
				CheckState::Auditing { vacant: None, .. } | CheckState::Panel { vacant: None, .. }
			)
		)
	}
}

/// A call with one commitment.
pub fn commits(item: CommitItem) -> RuntimeCall {
	let items = BoundedVec::truncate_from(vec![item]);
	RuntimeCall::Verification(Call::commit { items })
}

/// A call with one opening.
pub fn reveals(item: RevealItem) -> RuntimeCall {
	let items = BoundedVec::truncate_from(vec![item]);
	RuntimeCall::Verification(Call::reveal { items })
}

fn shown(output: H256) -> Opening {
	Opening::Output(OutputOpening::own(output))
}
