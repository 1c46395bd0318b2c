//! Time of a block beside many open chunks.

use super::{wasm::Wasm, TIME_GOAL};
use crate::{
	figure::{Figure, Report, Sense},
	samples::median,
};
use anyhow::{anyhow, Result};
use pallet_tasks::{types::TaskQueue, TaskEnds, TaskPages};
use sp_runtime::traits::Dispatchable;
use tequio_primitives::TEQ;
use tequio_runtime::{Block, Runtime, RuntimeCall, RuntimeOrigin, System};
use tequio_runtime_tests::{keys::Key, owner::ASK, search, sign, World};

/// Open chunks.
const SIZES: [u32; 3] = [100, 10_000, 1_000_000];
/// Chunks of a task where there are many tasks: with fewer in each, a million take too long to
/// submit.
const FEW: u32 = 50;
/// Tasks at least, where there are many.
const SEVERAL: u32 = 20;
/// Owners, each with a device for two chunks: the block gives work to all of them, and of a hundred
/// chunks, and of several tasks, so many are left over that it looks in vain as often as beside a
/// million.
const OWNERS: u32 = 24;
/// Transfers in the block.
const TRANSFERS: usize = 16;

/// Whose the open chunks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tasks {
	One,
	Many,
}

/// Measures and prints.
pub fn run(report: &mut Report, wasm: &Wasm, repetitions: usize) -> Result<()> {
	report.note(
		"the block has 16 transfers and gives out chunks; time includes the root of a state in \
		 memory, where a node has its cache before a disk",
	);
	for (tasks, name) in [(Tasks::One, "one task"), (Tasks::Many, "tasks of fifty chunks")] {
		let cases: Vec<(World, Block)> = SIZES.into_iter().map(|open| case(tasks, open)).collect();
		let mut times = vec![Vec::new(); cases.len()];
		for _ in 0..repetitions {
			for ((world, block), times) in cases.iter().zip(&mut times) {
				times.push(wasm.time(world.state(), block)?);
			}
		}
		let middles: Vec<f64> =
			times.iter().filter_map(|times| median(times)).map(|time| time * 1e3).collect();
		for (open, middle) in SIZES.iter().zip(&middles) {
			report.note(&format!("{open} open chunks, {name}: {middle:.3} ms"));
		}
		let (Some(first), Some(last)) = (middles.first(), middles.last()) else {
			return Err(anyhow!("nothing was measured"));
		};
		report.figure(Figure {
			name: format!("chain/block/{name}"),
			ours: *last,
			anchor: *first,
			unit: "ms",
			goal: TIME_GOAL,
			sense: Sense::Max,
		});
	}
	Ok(())
}

/// A chain with so many open chunks, and a block on it.
fn case(tasks: Tasks, open: u32) -> (World, Block) {
	let mut world = World::new().unchecked();
	let owners = world.enroll_many(OWNERS);
	let (tasks, chunks) = match tasks {
		Tasks::One => (1, open),
		Tasks::Many => {
			let tasks = (open / FEW).max(SEVERAL);
			(tasks, open / tasks)
		},
	};
	let alice = Key::named("Alice").account();
	let spec = search::barren_task(6, chunks * 16, 16, 16);
	let call = pallet_tasks::Call::submit_task { spec, price: ASK, deadline: 16, bonus: 0 };
	let call = RuntimeCall::Tasks(call);
	world.edit(|| {
		for _ in 0..tasks {
			let origin = RuntimeOrigin::signed(alice.clone());
			call.clone().dispatch(origin).expect("the task is well-formed and paid for");
			System::reset_events();
		}
		put_in_turn();
	});
	let payees = owners.iter().rev();
	let transactions = owners.iter().zip(payees).take(TRANSFERS).map(|(owner, payee)| {
		let dest = payee.account().into();
		let call = pallet_balances::Call::transfer_keep_alive { dest, value: TEQ };
		world.read(|| sign(&owner.key, RuntimeCall::Balances(call)))
	});
	let transactions = transactions.collect();
	let block = world.draft(transactions);
	(world, block)
}

/// Has every new task wait its turn as one that was served before: new ones are served only a few
/// in a block, and it would take a while until all of them were.
fn put_in_turn() {
	let (new, open) = (TaskQueue::Waiting(0), TaskQueue::Open);
	let pages: Vec<_> = TaskPages::<Runtime>::iter_prefix(new).collect();
	for (page, entries) in pages {
		TaskPages::<Runtime>::remove(new, page);
		TaskPages::<Runtime>::insert(open, page, entries);
	}
	TaskEnds::<Runtime>::mutate(|ends| {
		let bounds = ends.remove(&new).unwrap_or_default();
		ends.try_insert(open, bounds).expect("there are as many queues as before");
	});
}
