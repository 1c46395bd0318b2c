//! What waits in the transaction pool is there for everybody to copy. Nobody gains by it: a copy of
//! a commit or of a reveal is refused, and a copied commitment cannot be opened, because it holds
//! the attempt, the role and the device that it was made for.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod walk;

use pallet_verification::{
	types::{CommitItem, RevealItem},
	Call, Checks, Error, Panels,
};
use pallet_workers::Event as WorkersEvent;
use serde_json::json;
use sp_runtime::{traits::Dispatchable, DispatchError};
use tequio_primitives::{
	claim::Claim, device::proof_message, stage::Stage, workers::Seat, AttemptId, Duty, Role,
};
use tequio_runtime::{AccountId, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, System};
use tequio_runtime_tests::{
	author::{Pool, Refusal},
	device::Conduct,
	keys::Key,
	owner::ASK,
	search, sign,
};
use walk::{auditor, commits, referee, reveals, Walk, CHUNK};

/// A device that its owner registers as a second one.
const SECOND_DEVICE: u32 = 77;

fn begin(conduct: Conduct) -> Walk {
	Walk::begin(json!({}), conduct, search::task(4, 32, 32, 16), ASK)
}

/// What a thief has: another owner's device, a second device of the same owner, one of nobody's,
/// and a rich account.
fn thieves(walk: &mut Walk, victim: &AccountId) -> Vec<Key> {
	let owner = walk.owner_of(victim);
	let key = owner.key.clone();
	let second = Key::device(SECOND_DEVICE);
	let proof = {
		let account = owner.account();
		second.prove(&walk.world.read(|| proof_message(&System::block_hash(0u32), &account)))
	};
	let call = pallet_workers::Call::add_device { device: second.account(), proof };
	walk.world.submit(&key, RuntimeCall::Workers(call));
	walk.block();
	let other = walk.owners.iter().find(|owner| owner.device.key.account() != *victim).unwrap();
	vec![other.device.key.clone(), second, Key::device(78), key, Key::named("Ferdie")]
}

/// Neither the pool takes the call from this signer, nor would a block of a hostile author.
fn check_refused(walk: &mut Walk, key: &Key, call: &RuntimeCall) {
	let mut pool = Pool::default();
	let transaction = walk.world.read(|| sign(key, call.clone()));
	let offered = walk.world.offer(&mut pool, transaction);
	assert!(matches!(offered, Err(Refusal::Invalid(_))), "{offered:?}: {call:?}");
	assert!(outcome(walk, &key.account(), call).is_err(), "{call:?}");
}

/// What would come of a call in the next block.
fn outcome(walk: &mut Walk, who: &AccountId, call: &RuntimeCall) -> Result<(), DispatchError> {
	let origin = RuntimeOrigin::signed(who.clone());
	let result = walk.world.read(|| call.clone().dispatch(origin));
	result.map(drop).map_err(|refused| refused.error)
}

/// The commit that the device of this account has in the pool.
fn pending_commit(walk: &mut Walk, device: &AccountId) -> CommitItem {
	let Walk { world, owners, .. } = walk;
	let owner = owners.iter_mut().find(|owner| owner.device.key.account() == *device).unwrap();
	match world.read(|| owner.device.commits(|_| true)) {
		Some(RuntimeCall::Verification(Call::commit { items })) => items[0].clone(),
		other => panic!("a commit is owed: {other:?}"),
	}
}

/// The reveal that the device of this account has in the pool.
fn pending_reveal(walk: &mut Walk, device: &AccountId) -> RevealItem {
	let Walk { world, owners, .. } = walk;
	let owner = owners.iter().find(|owner| owner.device.key.account() == *device).unwrap();
	match world.read(|| owner.device.reveals(|_| true)) {
		Some(RuntimeCall::Verification(Call::reveal { items })) => items[0].clone(),
		other => panic!("a reveal is owed: {other:?}"),
	}
}

/// Other names for a duty.
fn misnamed(id: AttemptId, role: Role) -> Vec<(AttemptId, Role)> {
	let mut neighbour = id;
	neighbour.chunk.index += 1;
	let next = AttemptId { attempt: id.attempt + 1, ..id };
	let roles = [Role::Worker, Role::Auditor, Role::Referee { level: 0 }];
	let others = roles.into_iter().filter(|other| *other != role).map(|other| (id, other));
	others.chain([(neighbour, role), (next, role)]).collect()
}

/// Signs and sends a call that has to succeed.
fn send(walk: &mut Walk, device: &AccountId, call: RuntimeCall) {
	let key = walk.owner_of(device).device.key.clone();
	walk.world.submit(&key, call);
	walk.block();
}

/// Seats of the auditors.
fn auditors(walk: &mut Walk) -> Vec<Seat<AccountId>> {
	walk.check().auditors.into_iter().filter_map(|slot| slot.seat).collect()
}

/// Whether an owner was slashed for a duty in the last block.
fn was_slashed(walk: &mut Walk, owner: &AccountId, duty: Duty) -> bool {
	walk.world.events().iter().any(|event| {
		matches!(
			event,
			RuntimeEvent::Workers(WorkersEvent::Slashed { owner: slashed, duty: what, .. })
				if slashed == owner && *what == duty
		)
	})
}

#[test]
fn a_copied_commit_is_refused() {
	let mut walk = begin(Conduct::Honest);
	walk.to(Stage::Assigned);
	let (_, assignment) = walk.assignment();
	let victim = assignment.seat.device;
	let item = pending_commit(&mut walk, &victim);

	let victims = walk.owner_of(&victim).device.key.clone();
	for thief in thieves(&mut walk, &victim) {
		check_refused(&mut walk, &thief, &commits(item.clone()));
		for (id, role) in misnamed(item.id, item.role) {
			let renamed = commits(CommitItem { id, role, ..item.clone() });
			check_refused(&mut walk, &thief, &renamed);
			check_refused(&mut walk, &victims, &renamed);
		}
	}
	send(&mut walk, &victim, commits(item.clone()));
	assert!(walk.is_at(Stage::Drawing), "the copies were no harm");
	check_refused(&mut walk, &victims, &commits(item));
}

#[test]
fn a_copied_reveal_is_refused() {
	let mut walk = begin(Conduct::Honest);
	walk.to(Stage::Revealing);
	let victim = walk.check().assignment.seat.device;
	let item = pending_reveal(&mut walk, &victim);

	let victims = walk.owner_of(&victim).device.key.clone();
	for thief in thieves(&mut walk, &victim) {
		check_refused(&mut walk, &thief, &reveals(item.clone()));
		for (id, role) in misnamed(item.id, item.role) {
			let renamed = reveals(RevealItem { id, role, ..item.clone() });
			check_refused(&mut walk, &thief, &renamed);
			check_refused(&mut walk, &victims, &renamed);
		}
	}
	send(&mut walk, &victim, reveals(item.clone()));
	assert!(walk.check().worker_opening.is_some(), "the copies were no harm");
	check_refused(&mut walk, &victims, &reveals(item));
}

#[test]
fn a_copied_commitment_cannot_be_opened() {
	let mut walk = begin(Conduct::Honest);
	walk.to(Stage::Auditing);
	let (id, assignment) = walk.assignment();
	let [honest, copycat] = <[_; 2]>::try_from(auditors(&mut walk)).unwrap();
	let honest_commit = pending_commit(&mut walk, &honest.device);
	send(&mut walk, &honest.device, commits(honest_commit));
	// What the worker has committed: that it lies in a block is as good as in a pool.
	let check = walk.check();
	let own =
		CommitItem { id, role: Role::Auditor, claim: Claim::Nothing, commitment: check.commitment };
	send(&mut walk, &copycat.device, commits(own));
	assert!(walk.is_at(Stage::Revealing));

	let shown =
		[&assignment.seat.device, &honest.device].map(|device| pending_reveal(&mut walk, device));
	for item in &shown {
		send(&mut walk, &device_of(&assignment.seat, &honest, item), reveals(item.clone()));
	}
	for item in shown {
		let copy = reveals(RevealItem { role: Role::Auditor, ..item });
		let mismatch = Error::<Runtime>::OpeningMismatch.into();
		assert_eq!(outcome(&mut walk, &copycat.device, &copy), Err(mismatch));
		let key = walk.owner_of(&copycat.device).device.key.clone();
		check_refused(&mut walk, &key, &copy);
	}
	walk.until("the time for reveals is over", |walk| walk.is_at(Stage::Accepted));
	let duty = Duty { id, role: Role::Auditor };
	assert!(was_slashed(&mut walk, &copycat.owner, duty), "who cannot reveal loses its collateral");
}

/// Who reveals an item: the worker or the auditor.
fn device_of(worker: &Seat<AccountId>, auditor: &Seat<AccountId>, item: &RevealItem) -> AccountId {
	let seat = if item.role == Role::Worker { worker } else { auditor };
	seat.device.clone()
}

#[test]
fn a_commitment_of_an_earlier_attempt_cannot_be_opened() {
	let mut walk = begin(Conduct::Honest);
	walk.to(Stage::Revealing);
	let (first, _) = walk.assignment();
	let check = walk.check();
	let shown = pending_reveal(&mut walk, &check.assignment.seat.device);
	walk.until("the worker is late", |walk| walk.is_at(Stage::Open));
	walk.to(Stage::Assigned);

	let (id, assignment) = walk.assignment();
	assert_eq!(id.attempt, first.attempt + 1);
	let copy =
		CommitItem { id, role: Role::Worker, claim: check.claim, commitment: check.commitment };
	send(&mut walk, &assignment.seat.device, commits(copy));
	walk.until("auditors are drawn", Walk::is_seated);
	walk.commit(auditor);
	assert!(walk.is_at(Stage::Revealing));
	let copy = reveals(RevealItem { id, ..shown });
	let mismatch = Error::<Runtime>::OpeningMismatch.into();
	assert_eq!(outcome(&mut walk, &assignment.seat.device, &copy), Err(mismatch));

	walk.until("the time for reveals is over", |walk| {
		walk.world.read(|| !Checks::<Runtime>::contains_key(CHUNK))
	});
	let duty = Duty { id, role: Role::Worker };
	assert!(was_slashed(&mut walk, &assignment.seat.owner, duty));
}

#[test]
fn a_copied_commitment_of_a_referee_cannot_be_opened() {
	let mut walk = begin(Conduct::Lies);
	walk.to(Stage::Panel);
	let (id, _) = walk.assignment();
	let role = Role::Referee { level: 0 };
	let panel = walk.world.read(|| Panels::<Runtime>::get(id, 0u8)).unwrap();
	let seats: Vec<_> = panel.places.into_iter().map(|place| place.seat).collect();
	let [first, second, copycat] = <[_; 3]>::try_from(seats).unwrap();
	let mut copied = Default::default();
	for seat in [&first, &second] {
		let item = pending_commit(&mut walk, &seat.device);
		copied = item.commitment;
		send(&mut walk, &seat.device, commits(item));
	}
	let own = CommitItem { id, role, claim: Claim::Nothing, commitment: copied };
	send(&mut walk, &copycat.device, commits(own));
	assert!(walk.is_at(Stage::PanelReveal));

	let shown = pending_reveal(&mut walk, &second.device);
	walk.reveal(referee);
	let mismatch = Error::<Runtime>::OpeningMismatch.into();
	assert_eq!(outcome(&mut walk, &copycat.device, &reveals(shown)), Err(mismatch));
	walk.until("the panel finds without the copycat", |walk| walk.is_at(Stage::Appeal));
	let duty = Duty { id, role };
	walk.until("the copycat is slashed", |walk| was_slashed(walk, &copycat.owner, duty));
}
