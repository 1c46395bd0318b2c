//! Chunks from assignment to payment, part by part.

use super::{
	wasm::{Case, Cost, Wasm},
	BATCH,
};
use anyhow::{ensure, Result};
use frame_support::BoundedVec;
use pallet_tasks::TaskSpec;
use pallet_verification::types::CheckState;
use pallet_workers::{NextFixing, Workers};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use tequio_primitives::{reputation::Reputation, Balance, Duty, Role, WorkClass, WorkHeight, TEQ};
use tequio_runtime::{BlockNumber, Runtime, RuntimeCall, Tasks, UncheckedExtrinsic};
use tequio_runtime_tests::{
	device::{Conduct, Device},
	gather::{gather_audits, gather_work},
	keys::Key,
	owner::{Owner, ASK, STAKE},
	program::{self, Fate},
	search, sign, World,
};

/// Owners, each with a device.
const OWNERS: u32 = 64;
/// Nonces of a chunk, and the shares that it expects: 16 hashes a share.
const CHUNK: u32 = 1_024;
const LAMBDA: u16 = 64;
/// Blocks that a part of the life takes at most.
const PATIENCE: u32 = 80;
/// Calls of one entry each in a block: a verdict has the seats of every class counted as proof.
const CALLS: usize = 24;
/// Blocks after the last payment in which entries out of date are dropped from queues.
const LEFTOVERS: u32 = 40;

/// How many chunks are done together, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
	/// One chunk.
	Alone,
	/// 64 in the same blocks, by as many devices as are drawn.
	Devices,
	/// 64 by one device in one call, audited by two others.
	Call,
}

impl Shape {
	/// Its name in figures.
	pub fn name(self) -> &'static str {
		match self {
			Self::Alone => "alone",
			Self::Devices => "64 in a block",
			Self::Call => "64 in a call",
		}
	}

	fn chunks(self) -> u32 {
		match self {
			Self::Alone => 1,
			Self::Devices | Self::Call => BATCH,
		}
	}
}

/// A part of the life of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
	/// The draw of the worker.
	Assign,
	/// The worker's commit.
	Commit,
	/// The draw of two auditors, their commits, their reveals and the verdict; of a chunk that is
	/// not audited the decision on that.
	Audit,
	/// The worker's reveal; of a chunk that is not audited with the verdict.
	Reveal,
	/// The payment, and what is cleared away after it.
	Settle,
}

impl Part {
	/// Its name in notes.
	pub fn name(self) -> &'static str {
		match self {
			Self::Assign => "assign",
			Self::Commit => "commit",
			Self::Audit => "audit",
			Self::Reveal => "reveal",
			Self::Settle => "settle",
		}
	}
}

/// Class of the programs.
const PROGRAMS: WorkClass = WorkClass::Integer;
/// Chance that a chunk of a program is audited, in 10⁻¹⁸: of a batch none is.
const AUDIT_FLOOR: u64 = 1_000_000_000_000_000;

/// What each part costs, per chunk.
pub type Parts = BTreeMap<Part, Cost>;

/// What a transfer costs of so many in one block, each from and to accounts of its own.
pub fn transfers(wasm: &Wasm, number: u32, repetitions: usize) -> Result<Cost> {
	let (mut world, owners) = enrolled(Value::Null, WorkClass::RandomXSearch);
	let idle = idle(&mut world);
	let payees: Vec<_> = (0..number).map(|n| Key::named(&format!("Payee{n}")).account()).collect();
	payees.iter().for_each(|payee| world.fund(payee, STAKE));
	let transactions = owners.iter().zip(payees).map(|(owner, payee)| {
		let value = TEQ;
		let call = pallet_balances::Call::transfer_keep_alive { dest: payee.into(), value };
		world.read(|| sign(&owner.key, RuntimeCall::Balances(call)))
	});
	let transactions = transactions.collect();
	let block = world.draft(transactions);
	let cost = wasm.beyond(&idle, world.state(), &block, repetitions)?;
	Ok(cost / f64::from(number))
}

/// What the parts of the life of a chunk cost.
pub fn measure(wasm: &Wasm, shape: Shape, repetitions: usize) -> Result<Parts> {
	let (world, owners) = enrolled(Value::Null, WorkClass::RandomXSearch);
	let spec = search::barren_task(5, shape.chunks() * CHUNK, CHUNK, LAMBDA);
	let mut life = Life::begin(wasm, world, owners, repetitions, spec);
	life.live(shape)?;
	Ok(life.per_chunk(shape))
}

/// What the parts of the life of a program's chunk cost that is not audited, 64 in a call.
pub fn unaudited(wasm: &Wasm, repetitions: usize) -> Result<Parts> {
	let audits = json!({ "floor": AUDIT_FLOOR });
	let rules = json!({ "verification": { "rules": { "programs": audits } } });
	let (mut world, owners) = enrolled(rules, PROGRAMS);
	trust(&mut world, &owners);
	let spec = program::task(PROGRAMS, Fate::Runs, 5, BATCH);
	let mut life = Life::begin(wasm, world, owners, repetitions, spec);
	life.live_unaudited()?;
	Ok(life.per_chunk(Shape::Call))
}

/// A chain with owners who serve a class.
fn enrolled(rules: Value, class: WorkClass) -> (World, Vec<Owner>) {
	let mut world = World::with(rules).unchecked();
	let owner =
		|number| Owner::new(&format!("Owner{number}"), number, Conduct::Honest).serving(&[class]);
	let owners: Vec<Owner> = (0..OWNERS).map(owner).collect();
	owners.iter().for_each(|owner| world.fund(&owner.account(), 10 * STAKE));
	world.enroll(&owners);
	(world, owners)
}

/// Gives every owner a past for which it is audited as little as may be.
fn trust(world: &mut World, owners: &[Owner]) {
	world.edit(|| {
		let past = Reputation {
			streak: Balance::MAX,
			passed: u32::MAX,
			halved_at: pallet_verification::Now::<Runtime>::get(),
			..Reputation::default()
		};
		for owner in owners {
			Workers::<Runtime>::mutate(owner.account(), |worker| {
				if let Some(worker) = worker {
					worker.reputations = BoundedVec::truncate_from(vec![(PROGRAMS, past)]);
				}
			});
		}
	});
}

/// Has nothing happen on a chain by itself, and makes its next block.
fn idle(world: &mut World) -> Case {
	// The fixing of the seats would be in some blocks and not in others.
	world.edit(|| NextFixing::<Runtime>::put(WorkHeight::MAX));
	let block = world.draft(Vec::new());
	Case { state: world.state().clone(), block }
}

struct Life<'a> {
	wasm: &'a Wasm,
	world: World,
	owners: Vec<Owner>,
	idle: Case,
	repetitions: usize,
	parts: Parts,
}

impl<'a> Life<'a> {
	/// Has Alice submit a task.
	fn begin(
		wasm: &'a Wasm,
		mut world: World,
		owners: Vec<Owner>,
		repetitions: usize,
		spec: TaskSpec,
	) -> Self {
		let idle = idle(&mut world);
		let task = pallet_tasks::Call::submit_task { spec, price: ASK, deadline: 16, bonus: 0 };
		world.submit(&Key::named("Alice"), RuntimeCall::Tasks(task));
		world.block_ok();
		Self { wasm, world, owners, idle, repetitions, parts: Parts::new() }
	}

	fn per_chunk(self, shape: Shape) -> Parts {
		let chunks = f64::from(shape.chunks());
		self.parts.into_iter().map(|(part, cost)| (part, cost / chunks)).collect()
	}

	/// The life of a batch that one device computes and nobody audits.
	fn live_unaudited(&mut self) -> Result<()> {
		let worker = |duty: &Duty| duty.role == Role::Worker;
		self.wait(Part::Assign, || counts().assigned == BATCH)?;
		let Self { world, owners, .. } = self;
		world.edit(|| gather_work(&owners[0]));
		self.send(Part::Commit, |device| device.commits(worker))?;
		self.wait(Part::Audit, || are_in(|state| !matches!(state, CheckState::Drawing { .. })))?;
		let revealing =
			|state: &CheckState<BlockNumber>| matches!(state, CheckState::Revealing { .. });
		ensure!(self.world.read(|| are_in(revealing)), "a chunk of the batch is audited");
		self.send(Part::Reveal, |device| device.reveals(worker))?;
		self.settle(BATCH)
	}

	fn live(&mut self, shape: Shape) -> Result<()> {
		let chunks = shape.chunks();
		let worker = |duty: &Duty| duty.role == Role::Worker;
		let auditor = |duty: &Duty| duty.role == Role::Auditor;

		self.wait(Part::Assign, || counts().assigned == chunks)?;
		if shape == Shape::Call {
			let Self { world, owners, .. } = self;
			world.edit(|| gather_work(&owners[0]));
		}
		self.send(Part::Commit, |device| device.commits(worker))?;
		self.wait(Part::Audit, are_audited)?;
		if shape == Shape::Call {
			let Self { world, owners, .. } = self;
			world.edit(|| gather_audits([&owners[1], &owners[2]]));
		}
		self.send(Part::Audit, |device| device.commits(auditor))?;
		self.send(Part::Reveal, |device| device.reveals(worker))?;
		self.send(Part::Audit, |device| device.reveals(auditor))?;
		self.settle(chunks)
	}

	fn settle(&mut self, chunks: u32) -> Result<()> {
		self.wait(Part::Settle, || counts().paid == chunks)?;
		for _ in 0..LEFTOVERS {
			self.block(Part::Settle, Vec::new())?;
		}
		Ok(())
	}

	/// Makes blocks without transactions until something has happened.
	fn wait(&mut self, part: Part, done: impl Fn() -> bool) -> Result<()> {
		for _ in 0..PATIENCE {
			if self.world.read(&done) {
				return Ok(());
			}
			self.block(part, Vec::new())?;
		}
		ensure!(self.world.read(&done), "{} does not come to its end", part.name());
		Ok(())
	}

	/// Makes blocks of what each device has to send, as many calls in each as its proof holds.
	fn send(
		&mut self,
		part: Part,
		call: impl Fn(&mut Device) -> Option<RuntimeCall>,
	) -> Result<()> {
		let mut transactions = Vec::new();
		for Owner { device, .. } in &mut self.owners {
			self.world.read(|| {
				let call = call(device);
				transactions.extend(call.map(|call| sign(&device.key, call)));
			});
		}
		ensure!(!transactions.is_empty(), "nobody has anything to send for {}", part.name());
		for some in transactions.chunks(CALLS) {
			self.block(part, some.to_vec())?;
		}
		Ok(())
	}

	fn block(&mut self, part: Part, transactions: Vec<UncheckedExtrinsic>) -> Result<()> {
		let block = self.world.draft(transactions);
		let state = self.world.state();
		let cost = self.wasm.beyond(&self.idle, state, &block, self.repetitions)?;
		let sum = self.parts.entry(part).or_default();
		*sum = *sum + cost;
		self.world.import(&block);
		Ok(())
	}
}

/// The chunks of the task by where they are.
fn counts() -> tequio_primitives::api::ChunkCounts {
	Tasks::summary(0).map(|task| task.chunks).unwrap_or_default()
}

/// Whether every check is in such a state.
fn are_in(state: impl Fn(&CheckState<BlockNumber>) -> bool) -> bool {
	pallet_verification::Checks::<Runtime>::iter_values().all(|check| state(&check.state))
}

/// Whether every check has all its auditors.
fn are_audited() -> bool {
	pallet_verification::Checks::<Runtime>::iter_values().all(|check| {
		!check.auditors.is_empty() && check.auditors.iter().all(|slot| slot.seat.is_some())
	})
}
