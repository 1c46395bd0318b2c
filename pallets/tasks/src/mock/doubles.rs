//! Doubles of the neighbours. What they were told lies in storage, so that a call that fails leaves
//! no trace in them either.

use super::{device_of, payout_of, AccountId, Balances, Test, AUTHOR, OWNERS, POT, TREASURY};
use codec::{Decode, Encode};
use frame_support::{dispatch::DispatchResult, parameter_types, weights::Weight};
use sp_core::H256;
use sp_runtime::Perquintill;
use tequio_primitives::{
	api::{Books, TaskStatus},
	clock::{Beacon, WorkClock},
	draw,
	orders::{ChunkEnding, FollowTasks},
	reputation::{Deed, Reputation},
	rewards::{DistributeRewards, FeeTerms},
	tasks::KeepChecks,
	terms::{AuditPolicy, AuditTerms, Priced},
	workers::{
		Candidate, DrawSeats, Drawn, EngageSeats, Holdings, InspectWorkers, Need, NoSeat, Penalty,
		Seat, MAX_LOOKS,
	},
	AttemptId, Balance, ChunkId, Duty, Role, TaskId, WorkClass, WorkHeight,
};

/// What a follower is told.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Told {
	Chunk(ChunkId, ChunkEnding),
	/// With what its requester has free at that moment.
	Task(TaskId, Books, Balance),
}

parameter_types! {
	/// Height of the work clock.
	pub storage Height: WorkHeight = 1;
	/// Owners that can be drawn.
	pub storage Seated: Vec<AccountId> = OWNERS.to_vec();
	/// Duties in force, with their collateral.
	pub storage Engaged: Vec<(Seat<AccountId>, Duty, Balance)> = vec![];
	/// Checks that are needed no more.
	pub storage Forgotten: Vec<AttemptId> = vec![];
	/// Fines for missed deadlines.
	pub storage Fines: Vec<(AccountId, Balance)> = vec![];
	/// Pay kept in the pot.
	pub storage Accrued: Vec<(AccountId, Balance)> = vec![];
	/// What was noted as contribution.
	pub storage Contributions: Vec<(TaskId, AccountId, Role, u64, Balance)> = vec![];
	/// What the follower was told.
	pub storage Heard: Vec<Told> = vec![];
	/// What ended duties were good for.
	pub static Deeds: Vec<(AccountId, Deed)> = vec![];
	/// Owners who are known so well that they are audited less often.
	pub static Known: Vec<AccountId> = vec![];
	/// The fee on tasks that are submitted now.
	pub static Fee: FeeTerms = FeeTerms { rate: Perquintill::from_percent(5), min: 0 };
	/// Whether blocks carry randomness.
	pub static Lit: bool = true;
	/// Whether there are terms on which work can be assigned.
	pub static Assignable: bool = true;
	/// Duties that an owner can have.
	pub static Room: usize = 64;
	/// Least price for which anybody works.
	pub static Ask: Balance = 0;
	pub static Budget: Weight = Weight::from_parts(1_000_000_000_000, 1_000_000_000);
}

pub struct Chain;

impl WorkClock for Chain {
	fn now() -> WorkHeight {
		Height::get()
	}
}

impl Beacon for Chain {
	fn at(height: WorkHeight) -> Option<[u8; 32]> {
		let known = Lit::get() && height < Height::get();
		known.then(|| sp_io::hashing::blake2_256(&height.encode()))
	}

	fn latest() -> Option<[u8; 32]> {
		Self::at(Height::get() - 1)
	}
}

pub struct Crew;

impl Crew {
	fn candidate(owner: AccountId) -> Candidate {
		let passed = if Known::get().contains(&owner) { 10 } else { 0 };
		Candidate { reputation: Reputation { passed, ..Default::default() }, exposed: false }
	}

	fn duties(owner: AccountId) -> usize {
		Engaged::get().iter().filter(|(seat, ..)| seat.owner == owner).count()
	}

	/// Ends a duty. Returns its collateral.
	pub fn end(seat: &Seat<AccountId>, duty: Duty) -> Balance {
		let mut engaged = Engaged::get();
		let place = engaged.iter().position(|(at, due, _)| at == seat && *due == duty).unwrap();
		let (.., collateral) = engaged.remove(place);
		Engaged::set(&engaged);
		collateral
	}
}

impl DrawSeats<AccountId> for Crew {
	type Seats = Vec<AccountId>;

	fn seats(_class: WorkClass) -> Self::Seats {
		Seated::get()
	}

	fn holdings(seats: &Self::Seats, _excluded: &[AccountId]) -> Holdings {
		let owners = seats.len().try_into().unwrap();
		Holdings { owners, seats: owners.into() }
	}

	fn held_by(seats: &Self::Seats, owner: &AccountId) -> u64 {
		u64::from(seats.contains(owner))
	}

	/// Looks at as many as a draw may, so that each weighs the same.
	fn draw(seats: &Self::Seats, seed: H256, need: &Need<AccountId>) -> Drawn<AccountId> {
		assert!(!need.audit && need.units > 0);
		let takes = |owner: &AccountId| {
			let terms = (need.terms)(&Self::candidate(*owner))?;
			let fits = need.price >= Ask::get() && !need.excluded.contains(owner);
			fits.then_some((*owner, terms))
		};
		let fit: Vec<_> = seats.iter().filter_map(takes).collect();
		let unfit = fit.is_empty() && !seats.is_empty();
		let free: Vec<_> =
			fit.into_iter().filter(|(owner, _)| Self::duties(*owner) < Room::get()).collect();
		let number = usize::try_from(draw::number(&seed, 0)).unwrap();
		let drawn = number.checked_rem(free.len()).map(|place| free[place]);
		let seat = drawn.map(|(owner, terms)| (Seat { owner, device: device_of(owner) }, terms));
		let reason = if unfit { NoSeat::Unfit } else { NoSeat::Busy };
		Drawn { seat: seat.ok_or(reason), looks: MAX_LOOKS }
	}
}

impl EngageSeats<AccountId> for Crew {
	fn engage(
		seat: &Seat<AccountId>,
		duty: Duty,
		_class: WorkClass,
		collateral: Balance,
	) -> DispatchResult {
		let mut engaged = Engaged::get();
		assert!(engaged.iter().all(|(_, due, _)| *due != duty), "engaged twice");
		engaged.push((seat.clone(), duty, collateral));
		Engaged::set(&engaged);
		Ok(())
	}

	fn stand_for(
		_seat: &Seat<AccountId>,
		_duty: Duty,
		_class: WorkClass,
		_collateral: Balance,
	) -> DispatchResult {
		unreachable!("nobody appeals to tasks")
	}

	fn commit(_seat: &Seat<AccountId>, _duty: Duty) {}

	fn complete(_seat: &Seat<AccountId>, _duty: Duty) {}

	fn release(seat: &Seat<AccountId>, duty: Duty, deed: Deed) {
		Self::end(seat, duty);
		Deeds::mutate(|deeds| deeds.push((seat.owner, deed)));
	}

	fn hand_back(seat: &Seat<AccountId>, duty: Duty) {
		Self::release(seat, duty, Deed::Declined);
	}

	fn miss(seat: &Seat<AccountId>, duty: Duty, fine: Balance) {
		assert!(fine <= Self::end(seat, duty));
		let mut fines = Fines::get();
		fines.push((seat.owner, fine));
		Fines::set(&fines);
	}

	fn slash(seat: &Seat<AccountId>, duty: Duty, _penalty: Penalty<AccountId>) -> Balance {
		Self::end(seat, duty)
	}
}

impl InspectWorkers<AccountId> for Crew {
	fn payout_of(owner: &AccountId) -> AccountId {
		payout_of(*owner)
	}

	fn duties_of(device: &AccountId) -> Vec<Duty> {
		let engaged = Engaged::get().into_iter();
		engaged.filter(|(seat, ..)| seat.device == *device).map(|(_, duty, _)| duty).collect()
	}

	fn parts_of(device: &AccountId) -> Vec<Duty> {
		Self::duties_of(device)
	}

	fn reputation_of(owner: &AccountId, _class: WorkClass) -> Reputation {
		Self::candidate(*owner).reputation
	}

	fn offered_by(_device: &AccountId) -> Vec<WorkClass> {
		unreachable!("only nodes ask")
	}
}

pub struct Terms;

impl AuditPolicy for Terms {
	/// Two of a search; of a program all replicas but the worker's own, and one more.
	fn most_audits(_class: WorkClass, replicas: u8) -> u8 {
		replicas.max(2)
	}

	/// One in five results of a known owner is audited.
	fn terms(work: &Priced, candidate: &Candidate) -> Option<AuditTerms> {
		let known = candidate.reputation.passed > 0 && !candidate.exposed;
		Assignable::get().then(|| AuditTerms {
			audit_rate: Perquintill::from_percent(if known { 20 } else { 100 }),
			conviction: Perquintill::from_rational(1u64, 3u64),
			collateral: work.max_payment.saturating_mul(3),
			auditors: work.replicas.saturating_sub(1).max(1),
			second: Perquintill::zero(),
		})
	}
}

pub struct Kept;

impl KeepChecks for Kept {
	fn forget(id: &AttemptId) {
		let mut forgotten = Forgotten::get();
		forgotten.push(*id);
		Forgotten::set(&forgotten);
	}
}

pub struct Fees;

impl DistributeRewards<AccountId> for Fees {
	fn fee_terms() -> FeeTerms {
		Fee::get()
	}

	fn fee_parts(fee: Balance) -> [(AccountId, Balance); 2] {
		[(TREASURY, fee / 2), (AUTHOR, fee - fee / 2)]
	}

	fn pot() -> AccountId {
		POT
	}

	fn accrue(owner: &AccountId, amount: Balance) {
		let mut accrued = Accrued::get();
		accrued.push((*owner, amount));
		Accrued::set(&accrued);
	}

	fn note_contribution(task: TaskId, owner: &AccountId, role: Role, units: u64, paid: Balance) {
		let mut contributions = Contributions::get();
		contributions.push((task, *owner, role, units, paid));
		Contributions::set(&contributions);
	}

	/// Those of the task as they were noted.
	fn take_contributions(task: TaskId, limit: u32) -> Vec<Vec<u8>> {
		let (of_task, mut left): (Vec<_>, Vec<_>) =
			Contributions::get().into_iter().partition(|noted| noted.0 == task);
		let limit = of_task.len().min(usize::try_from(limit).unwrap());
		let (taken, kept) = of_task.split_at(limit);
		left.extend_from_slice(kept);
		Contributions::set(&left);
		taken.iter().map(Encode::encode).collect()
	}
}

pub struct Follower;

impl Follower {
	fn hear(told: Told) {
		let mut heard = Heard::get();
		heard.push(told);
		Heard::set(&heard);
	}
}

impl FollowTasks for Follower {
	fn chunk_ended(chunk: &ChunkId, ending: ChunkEnding) {
		Self::hear(Told::Chunk(*chunk, ending));
	}

	fn task_ended(task: TaskId, books: &Books) {
		let record = crate::Tasks::<Test>::get(task).unwrap();
		assert_eq!((record.status, &record.books), (TaskStatus::Ended, books));
		Self::hear(Told::Task(task, *books, Balances::free_balance(record.requester)));
	}
}
