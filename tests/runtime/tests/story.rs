//! From locked money to paid money on the real runtime.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use pallet_rewards::{Accrued, Contributions};
use pallet_tasks::{history::root_of, Ended, TaskSpec};
use serde_json::json;
use sp_io::{hashing::twox_128, storage::next_key};
use tequio_primitives::{
	api::{TaskStatus, TaskSummary},
	search::meets,
	workers::InspectWorkers,
	Balance, TEQ,
};
use tequio_runtime::{AccountId, Balances, Runtime, RuntimeCall, RuntimeEvent, Tasks, Workers};
use tequio_runtime_tests::{
	device::Conduct,
	keys::Key,
	owner::{Owner, ASK, STAKE},
	search, wealth, World,
};

/// A chunk has 32 nonces, of which 16 are expected to be shares.
const CHUNK: u32 = 32;
const LAMBDA: u16 = 16;
const BONUS: Balance = TEQ;

/// As many as it takes to judge a quarrel: a worker, two auditors, three referees.
fn owners(last: Conduct) -> Vec<Owner> {
	let honest = ["Bob", "Charlie", "Dave", "Eve", "Ferdie"].into_iter().zip(1..);
	let mut owners: Vec<Owner> =
		honest.map(|(name, number)| Owner::new(name, number, Conduct::Honest)).collect();
	owners.push(Owner::new("One", 6, last));
	owners
}

/// Has Alice submit a search of so many chunks.
fn submit(world: &mut World, chunks: u32) {
	let spec = search::task(7, chunks * CHUNK, CHUNK, LAMBDA);
	let call = pallet_tasks::Call::submit_task { spec, price: ASK, deadline: 16, bonus: BONUS };
	world.submit(&Key::named("Alice"), RuntimeCall::Tasks(call));
	world.block_ok();
}

fn summary() -> TaskSummary<AccountId> {
	Tasks::summary(0).expect("the task was submitted")
}

fn ended() -> bool {
	summary().status == TaskStatus::Ended
}

/// What has left the escrow for somebody else.
fn spent(summary: &TaskSummary<AccountId>) -> Balance {
	summary.books.paid + summary.books.audit + summary.books.fee
}

#[test]
fn honest_work_is_paid_and_the_books_balance() {
	let mut world = World::new();
	let mut owners = owners(Conduct::Honest);
	world.enroll(&owners);
	submit(&mut world, 4);

	let alice = Key::named("Alice").account();
	let accounts: Vec<AccountId> = owners.iter().map(Owner::account).collect();
	let earned = |accounts: &[AccountId]| accounts.iter().map(wealth).sum::<Balance>();
	let (alice_before, before, issued) =
		world.read(|| (wealth(&alice), earned(&accounts), Balances::total_issuance()));

	assert!(world.work_until(&mut owners, 60, ended), "the task ends");

	world.read(|| {
		let summary = summary();
		let books = summary.books;
		assert_eq!(summary.chunks.paid, 4);
		assert_eq!(books.locked, books.paid + books.audit + books.fee + books.refunded);
		assert!(books.paid > BONUS && books.audit > 0 && books.fee > 0);
		assert_eq!(wealth(&alice), alice_before - spent(&summary));
		assert_eq!(earned(&accounts), before + books.paid + books.audit);
		assert_eq!(Balances::total_issuance(), issued, "nothing was burned");

		let spec = search::task(7, 4 * CHUNK, CHUNK, LAMBDA);
		let TaskSpec::RandomXSearch(spec) = spec else { panic!("a search was asked for") };
		let [winner] = summary.winners.as_slice() else { panic!("one nonce meets the target") };
		assert_eq!(winner.hash, search::hash(&[7; 32], winner.nonce));
		assert!(meets(&winner.hash, &spec.target));

		for owner in &owners {
			assert_eq!(wealth(&owner.device.key.account()), 0, "a device never holds money");
			assert!(Workers::duties_of(&owner.device.key.account()).is_empty());
		}
	});
}

#[test]
fn a_liar_is_slashed_and_the_requester_is_whole() {
	let mut world = World::new();
	let mut owners = owners(Conduct::Lies);
	world.enroll(&owners);
	submit(&mut world, 16);

	let alice = Key::named("Alice").account();
	let alice_before = world.read(|| wealth(&alice));
	let before: Vec<Balance> =
		owners.iter().map(|owner| world.read(|| wealth(&owner.account()))).collect();

	let mut slashed = 0;
	for _ in 0..200 {
		world.work(&mut owners);
		for event in world.events() {
			if let RuntimeEvent::Workers(pallet_workers::Event::Slashed { owner, amount, .. }) =
				event
			{
				assert_eq!(owner, owners[5].account(), "only the liar is slashed");
				slashed += amount;
			}
		}
		if world.read(ended) {
			break;
		}
	}

	world.read(|| {
		let summary = summary();
		assert_eq!(summary.status, TaskStatus::Ended);
		assert_eq!(summary.chunks.paid, 16, "every chunk was done by somebody");
		assert_eq!(wealth(&alice), alice_before - spent(&summary));
		assert!(slashed > 0, "the liar was drawn and convicted");

		let liar = pallet_workers::Workers::<Runtime>::get(owners[5].account()).unwrap();
		assert_eq!(liar.stake, STAKE - slashed);
		assert!(wealth(&owners[5].account()) < before[5], "the liar ends poorer");
		for (owner, before) in owners.iter().zip(&before).take(5) {
			assert!(wealth(&owner.account()) >= *before, "nobody else does");
		}
	});
}

#[test]
fn work_goes_on_without_a_device_that_sleeps() {
	let mut world = World::new();
	let mut owners = owners(Conduct::Sleeps);
	world.enroll(&owners);
	submit(&mut world, 8);

	assert!(world.work_until(&mut owners, 200, ended), "the task ends");
	world.read(|| {
		let summary = summary();
		assert_eq!(summary.chunks.paid, 8);
		assert_eq!(summary.books.in_escrow(), Some(0));
	});
}

#[test]
fn of_an_ended_task_its_root_is_left() {
	let mut world = World::with(json!({ "tasks": { "rules": { "keep_ended": 10 } } }));
	let mut owners = owners(Conduct::Honest);
	world.enroll(&owners);
	submit(&mut world, 4);
	assert!(world.work_until(&mut owners, 60, ended), "the task ends");
	world.read(|| {
		assert_eq!(summary().books.in_escrow(), Some(0));
		assert!(Contributions::<Runtime>::iter_prefix(0).count() > 0);
	});

	assert!(world.work_until(&mut owners, 12, || Tasks::summary(0).is_none()), "it is removed");
	let root = world.read(|| {
		assert_eq!(Contributions::<Runtime>::iter_prefix(0).count(), 0);
		Ended::<Runtime>::get(0)
	});
	assert!(root.is_some());
	assert_eq!(root_of(0, |key| world.kept(key)), root, "who kept the records can prove them");
}

#[test]
fn what_quarrels_needed_goes_with_their_task() {
	let rules = json!({ "keep_ended": 10, "task_lifetime": 150 });
	let mut world = World::with(json!({ "tasks": { "rules": rules } }));
	let mut owners = owners(Conduct::Lies);
	world.enroll(&owners);
	let (mut items, mut judged) = (Vec::new(), Vec::new());
	for task in 0..2 {
		submit(&mut world, 32);
		let removed = || Ended::<Runtime>::contains_key(task);
		assert!(world.work_until(&mut owners, 300, removed), "task {task} is removed");
		// Its entry in the queue of expiry, and referees who wait for their dismissal.
		world.work_until(&mut owners, 160, || false);
		deliver_pay(&mut world);
		items.push(items_kept(&mut world));
		judged.push(world.read(|| pallet_workers::Ledger::<Runtime>::get().bounty));
	}
	assert!(0 < judged[0] && judged[0] < judged[1], "there were quarrels over both tasks");
	assert_eq!(items[1], items[0] + 1, "of the second task its root is left");
}

/// Delivers what is kept for owners: the pay of referees.
fn deliver_pay(world: &mut World) {
	let owners: Vec<AccountId> = world.read(|| Accrued::<Runtime>::iter_keys().collect());
	for owner in owners {
		let claim = RuntimeCall::Rewards(pallet_rewards::Call::claim_accrued { owner });
		world.submit(&Key::named("Alice"), claim);
	}
	world.block_ok();
}

/// Storage items of the pallets of the work and of the token.
fn items_kept(world: &mut World) -> usize {
	let pallets = ["Tasks", "Workers", "Verification", "Rewards", "Balances"];
	let prefixes = pallets.map(|name| twox_128(name.as_bytes()));
	world.read(|| {
		let keys = core::iter::successors(next_key(&[]), |key| next_key(key));
		keys.filter(|key| prefixes.iter().any(|prefix| key.starts_with(prefix))).count()
	})
}

#[test]
fn cancelled_money_comes_back() {
	let mut world = World::new();
	let mut owners = owners(Conduct::Honest);
	world.enroll(&owners);
	submit(&mut world, 64);
	for _ in 0..3 {
		world.work(&mut owners);
	}
	let cancel = RuntimeCall::Tasks(pallet_tasks::Call::cancel_task { task: 0 });
	world.submit(&Key::named("Alice"), cancel);

	assert!(world.work_until(&mut owners, 60, ended), "what runs ends normally");
	world.read(|| {
		let summary = summary();
		assert!(summary.chunks.paid > 0 && summary.chunks.refunded > 0);
		assert_eq!(summary.chunks.paid + summary.chunks.refunded, 64);
		assert_eq!(summary.books.in_escrow(), Some(0));
	});
}
