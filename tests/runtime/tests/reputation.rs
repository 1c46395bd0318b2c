//! Reputation on the real runtime: what was audited and passed lowers the audit rate of programs,
//! down to the floor; what goes unaudited is accepted and paid all the same; one wrong result sets
//! it back; time halves it.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use pallet_tasks::{types::ChunkState, Chunks, Event as TasksEvent, Tasks};
use pallet_verification::{CurrentRules, Event as VerificationEvent};
use pallet_workers::Event as WorkersEvent;
use serde_json::json;
use sp_runtime::Perquintill;
use std::collections::{BTreeMap, BTreeSet};
use tequio_primitives::{
	api::TaskStatus, reputation::Reputation, tasks::Assignment, workers::InspectWorkers, AttemptId,
	Role, WorkClass,
};
use tequio_runtime::{AccountId, Runtime, RuntimeCall, RuntimeEvent, Workers};
use tequio_runtime_tests::{
	device::Conduct,
	keys::Key,
	owner::{Owner, ASK, STAKE},
	program::{self, Fate},
	World,
};

const CLASS: WorkClass = WorkClass::Integer;
/// Owners in a class that is neither small nor in few hands.
const OWNERS: u32 = 24;
/// Audits to pass before anything goes unaudited.
const AUDITS: u32 = 3;
/// A quarter, in 10⁻¹⁸.
const FLOOR: u64 = 250_000_000_000_000_000;
/// Chunks of a task.
const CHUNKS: u32 = 2_000;

/// A chain, and what it has told so far.
struct Chronicle {
	world: World,
	owners: Vec<Owner>,
	/// The terms of every attempt that was assigned.
	assigned: BTreeMap<AttemptId, Assignment<AccountId>>,
	/// Attempts that were not audited.
	spared: BTreeSet<AttemptId>,
	/// Attempts that were paid.
	paid: BTreeSet<AttemptId>,
	/// Owners who were slashed for their work.
	slashed: Vec<AccountId>,
}

impl Chronicle {
	/// Owners nobody knows yet, and work for them.
	fn begin(number: u32) -> Self {
		let audits = json!({ "floor": FLOOR });
		let trust = json!({ "audits": AUDITS });
		let rules = json!({ "programs": audits, "trust": trust });
		let mut world = World::with(json!({ "verification": { "rules": rules } }));
		let owner = |number| {
			Owner::new(&format!("Owner{number}"), number, Conduct::Honest).serving(&[CLASS])
		};
		let owners: Vec<Owner> = (1..=number).map(owner).collect();
		owners.iter().for_each(|owner| world.fund(&owner.account(), 10 * STAKE));
		world.enroll(&owners);
		let spec = program::task(CLASS, Fate::Runs, 1, CHUNKS);
		let call = pallet_tasks::Call::submit_task { spec, price: ASK, deadline: 16, bonus: 0 };
		world.submit(&Key::named("Alice"), RuntimeCall::Tasks(call));
		world.block_ok();
		Self {
			world,
			owners,
			assigned: BTreeMap::new(),
			spared: BTreeSet::new(),
			paid: BTreeSet::new(),
			slashed: Vec::new(),
		}
	}

	/// Makes a block in which everybody works.
	fn work(&mut self) {
		self.world.work(&mut self.owners);
		for event in self.world.events() {
			match event {
				RuntimeEvent::Tasks(TasksEvent::ChunkAssigned { id, .. }) => {
					let assignment = self.world.read(|| assignment(&id));
					self.assigned.insert(id, assignment);
				},
				RuntimeEvent::Tasks(TasksEvent::ChunkPaid { id, .. }) => {
					self.paid.insert(id);
				},
				RuntimeEvent::Verification(VerificationEvent::AuditSpared { id }) => {
					self.spared.insert(id);
				},
				RuntimeEvent::Workers(WorkersEvent::Slashed { owner, duty, .. })
					if duty.role == Role::Worker =>
				{
					self.slashed.push(owner);
				},
				_ => {},
			}
		}
	}

	/// Works until something holds.
	fn until(&mut self, what: &str, done: impl Fn(&mut Self) -> bool) {
		for _ in 0..400 {
			if done(self) {
				return;
			}
			self.work();
		}
		assert!(done(self), "{what}");
	}

	fn reputation(&mut self, owner: usize) -> Reputation {
		let owner = self.owners[owner].account();
		self.world.read(|| Workers::reputation_of(&owner, CLASS))
	}

	/// How often the next result of an owner would be audited.
	fn audit_rate(&mut self, owner: usize) -> Perquintill {
		let reputation = self.reputation(owner);
		let trust = self.world.read(CurrentRules::<Runtime>::get).trust;
		reputation.audit_rate(ASK, Perquintill::from_parts(FLOOR), &trust)
	}

	fn is_trusted(&mut self, owner: usize) -> bool {
		self.audit_rate(owner).deconstruct() == FLOOR
	}

	fn has_ended(&mut self) -> bool {
		self.world.read(|| Tasks::<Runtime>::get(0).unwrap().status == TaskStatus::Ended)
	}
}

fn assignment(id: &AttemptId) -> Assignment<AccountId> {
	match Chunks::<Runtime>::get(id.chunk).unwrap().state {
		ChunkState::Assigned { assignment, .. } => assignment,
		other => panic!("{other:?} in the block of the assignment"),
	}
}

#[test]
fn audits_passed_lower_the_audit_rate_to_the_floor() {
	let mut chronicle = Chronicle::begin(OWNERS);
	chronicle.until("the task ends", Chronicle::has_ended);

	let Chronicle { assigned, spared, paid, slashed, .. } = &chronicle;
	assert!(slashed.is_empty());
	let rates: Vec<Perquintill> = assigned.values().map(|one| one.terms.audit_rate).collect();
	assert!(rates.iter().all(|rate| rate.deconstruct() >= FLOOR));
	assert!(rates.iter().any(|rate| rate.deconstruct() == FLOOR), "the floor is reached");
	assert!(rates.iter().any(|rate| !rate.is_one() && rate.deconstruct() > FLOOR), "step by step");
	let mut begun = BTreeSet::new();
	for (id, assignment) in assigned {
		// Chunks are given out in their order.
		let first = begun.insert(assignment.seat.owner.clone());
		assert!(!first || assignment.terms.audit_rate.is_one(), "nobody begins trusted: {id:?}");
		let trusted = !assignment.terms.audit_rate.is_one();
		assert!(trusted || !spared.contains(id), "{id:?} had to be audited");
		let collateral = assignment.terms.collateral;
		assert!(collateral > assignment.max_payment, "a cheat has more to lose than to win");
	}
	assert!(spared.len() > 20, "only {} went unaudited", spared.len());
	assert!(spared.iter().all(|id| paid.contains(id)), "what goes unaudited is paid");

	for owner in 0..chronicle.owners.len() {
		let Reputation { streak, passed, accepted, rejected, late, .. } =
			chronicle.reputation(owner);
		assert!(passed >= AUDITS && accepted > passed);
		assert_eq!(streak, ASK * u128::from(passed), "each is worth what it can earn at most");
		assert_eq!((rejected, late), (0, 0));
	}
}

#[test]
fn everything_is_audited_in_a_small_class() {
	let mut chronicle = Chronicle::begin(6);
	chronicle.until("somebody would be trusted", |chronicle| chronicle.is_trusted(0));
	chronicle.until("more is given out", |chronicle| chronicle.assigned.len() > 60);
	assert!(chronicle.assigned.values().all(|one| one.terms.audit_rate.is_one()));
	assert!(chronicle.spared.is_empty());
}

#[test]
fn a_wrong_result_sets_the_audit_rate_back_to_one() {
	let mut chronicle = Chronicle::begin(OWNERS);
	chronicle.until("the owner is trusted", |chronicle| chronicle.is_trusted(0));
	let liar = chronicle.owners[0].account();
	let before = chronicle.reputation(0);

	chronicle.owners[0].device.conduct = Conduct::Lies;
	chronicle.until("a lie is audited", |chronicle| !chronicle.slashed.is_empty());
	assert!(chronicle.slashed.iter().all(|owner| *owner == liar));
	let after = chronicle.reputation(0);
	assert_eq!((after.streak, after.passed), (0, 0));
	assert!(after.rejected > before.rejected);
	assert!(chronicle.audit_rate(0).is_one());

	chronicle.owners[0].device.conduct = Conduct::Honest;
	let known: BTreeSet<AttemptId> = chronicle.assigned.keys().copied().collect();
	let again = |chronicle: &mut Chronicle| {
		let mut new = chronicle.assigned.iter().filter(|(id, _)| !known.contains(id));
		let own = new.find(|(_, assignment)| assignment.seat.owner == liar);
		own.map(|(_, assignment)| assignment.terms.audit_rate)
	};
	chronicle.until("the owner gets work again", |chronicle| again(chronicle).is_some());
	assert!(again(&mut chronicle).unwrap().is_one());
}

#[test]
fn time_halves_what_was_done() {
	let mut chronicle = Chronicle::begin(6);
	chronicle.until("the owner has passed audits", |chronicle| chronicle.reputation(0).passed >= 4);
	let before = chronicle.reputation(0);
	let half_life =
		chronicle.world.read(|| pallet_workers::CurrentRules::<Runtime>::get().half_life);
	chronicle.world.edit(|| pallet_verification::Now::<Runtime>::mutate(|now| *now += half_life));

	let after = chronicle.reputation(0);
	assert_eq!((after.passed, after.streak), (before.passed / 2, before.streak / 2));
	assert_eq!(after.accepted, before.accepted / 2);
}
