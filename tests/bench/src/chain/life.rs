//! Chunks from assignment to payment, part by part.

use super::{
	wasm::{Case, Cost, Wasm},
	BATCH,
};
use anyhow::{ensure, Result};
use std::collections::BTreeMap;
use tequio_primitives::{Duty, Role, WorkHeight, TEQ};
use tequio_runtime::{Runtime, RuntimeCall, Tasks, UncheckedExtrinsic};
use tequio_runtime_tests::{
	device::Device,
	gather::{gather_audits, gather_work},
	keys::Key,
	owner::{Owner, ASK, STAKE},
	search, sign, World,
};

/// Owners, each with a device.
const OWNERS: u32 = 64;
/// Nonces of a chunk, and the shares that it expects: 16 hashes a share.
const CHUNK: u32 = 1_024;
const LAMBDA: u16 = 64;
/// Blocks that a part of the life takes at most.
const PATIENCE: u32 = 80;
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
	/// The draw of two auditors, their commits, their reveals and the verdict.
	Audit,
	/// The worker's reveal.
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

/// What each part costs, per chunk.
pub type Parts = BTreeMap<Part, Cost>;

/// What a transfer costs of so many in one block, each from and to accounts of its own.
pub fn transfers(wasm: &Wasm, number: u32, repetitions: usize) -> Result<Cost> {
	let (mut world, owners, idle) = begin();
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
	let (mut world, owners, idle) = begin();
	let spec = search::barren_task(5, shape.chunks() * CHUNK, CHUNK, LAMBDA);
	let task = pallet_tasks::Call::submit_task { spec, price: ASK, deadline: 16, bonus: 0 };
	world.submit(&Key::named("Alice"), RuntimeCall::Tasks(task));
	world.block_ok();
	let mut life = Life { wasm, world, owners, idle, repetitions, parts: Parts::new() };
	life.live(shape)?;
	let chunks = f64::from(shape.chunks());
	Ok(life.parts.into_iter().map(|(part, cost)| (part, cost / chunks)).collect())
}

/// A chain on which nothing happens, and its next block.
fn begin() -> (World, Vec<Owner>, Case) {
	let mut world = World::new().unchecked();
	let owners = world.enroll_many(OWNERS);
	// The fixing of the seats would be in some blocks and not in others.
	world.edit(|| pallet_workers::NextFixing::<Runtime>::put(WorkHeight::MAX));
	let block = world.draft(Vec::new());
	let idle = Case { state: world.state().clone(), block };
	(world, owners, idle)
}

struct Life<'a> {
	wasm: &'a Wasm,
	world: World,
	owners: Vec<Owner>,
	idle: Case,
	repetitions: usize,
	parts: Parts,
}

impl Life<'_> {
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

	/// Makes a block of what each device has to send.
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
		self.block(part, transactions)
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

/// Whether every check has all its auditors.
fn are_audited() -> bool {
	pallet_verification::Checks::<Runtime>::iter_values().all(|check| {
		!check.auditors.is_empty() && check.auditors.iter().all(|slot| slot.seat.is_some())
	})
}
