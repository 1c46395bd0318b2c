//! Doubles of the neighbours. Their state lies in storage, so that `assert_noop!` sees it too.

use super::{now, number_of, owner, program_of, seat, spec, AccountId, CHUNKS};
use codec::{Decode, Encode};
use frame_support::{dispatch::DispatchResult, ensure, storage::unhashed, traits::Get};
use sp_core::H256;
use sp_runtime::DispatchError;
use std::collections::{BTreeMap, BTreeSet};
use tequio_primitives::{
	draw,
	opening::ChunkWork,
	recompute::Arguments,
	reputation::{Deed, Reputation},
	rewards::{DistributeRewards, FeeTerms},
	search::Winners,
	tasks::{Assignment, CheckedTasks, Delivered, RejectReason, UndecidedReason, Verdict},
	workers::{
		Candidate, DrawSeats, Drawn, EngageSeats, Holdings, InspectWorkers, Need, NoSeat, Penalty,
		Seat,
	},
	AttemptId, Balance, ChunkId, Duty, Role, TaskId, WorkClass, WorkHeight,
};

/// How a duty ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum End {
	Released,
	HandedBack,
	Missed(Balance),
	Slashed {
		compensation: Vec<(AccountId, Balance)>,
		bounty: Vec<(AccountId, Balance)>,
		referees: Option<(AccountId, Balance)>,
	},
}

impl End {
	/// Slashed, and nobody got anything of it.
	pub const BURNED: Self =
		Self::Slashed { compensation: Vec::new(), bounty: Vec::new(), referees: None };
}

/// A verdict as `tasks` was told.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Told {
	Accepted { delivered: Delivered, winners: Winners, auditors: Vec<AccountId>, audited: bool },
	Upheld,
	Rejected(RejectReason),
	Undecided { reason: UndecidedReason, auditors: Vec<AccountId> },
}

impl Told {
	/// Undecided, and no auditor is paid.
	pub fn undecided(reason: UndecidedReason) -> Self {
		Self::Undecided { reason, auditors: vec![] }
	}
}

/// What an auditor or referee was asked to be able to do.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Asked {
	pub class: WorkClass,
	pub units: u64,
	pub price: Balance,
	pub deadline: u32,
	pub collateral: Balance,
	pub audit: bool,
}

/// The state of the neighbours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Doubles {
	/// Blocks carry no output.
	pub dark: bool,
	/// Devices, by number, that can be drawn.
	pub accepting: Vec<u8>,
	/// Classes that every owner offers.
	pub offers: Vec<WorkClass>,
	/// Arguments of tasks that have some.
	pub arguments: BTreeMap<TaskId, Arguments>,
	/// Devices, by number, whose owners have lost their collateral since.
	pub broke: Vec<u8>,
	/// Who is not found is not fit, rather than busy.
	pub unfit: bool,
	/// Draws may fall on those who sit already.
	pub repeats: bool,
	/// Seats, by number of the device, of owners who have other than one.
	pub seats: BTreeMap<u8, u64>,
	pub assigned: BTreeMap<AttemptId, Assignment<AccountId>>,
	/// When what was assigned is due.
	pub due: BTreeMap<AttemptId, WorkHeight>,
	/// Attempts whose challenge period runs.
	pub accepted: BTreeSet<AttemptId>,
	/// Duties with their collateral, and whether they are done.
	pub duties: BTreeMap<(AccountId, Duty), (Balance, bool)>,
	/// Duties that were committed to.
	pub committed: Vec<(AccountId, Duty)>,
	pub ended: Vec<(AccountId, Duty, End)>,
	pub told: Vec<(AttemptId, Told)>,
	pub asked: Vec<Asked>,
	/// What the pot keeps, by owner.
	pub accrued: BTreeMap<AccountId, Balance>,
}

const DOUBLES: &[u8] = b"doubles";

pub fn doubles() -> Doubles {
	unhashed::get_or_default(DOUBLES)
}

pub fn with_doubles<R>(change: impl FnOnce(&mut Doubles) -> R) -> R {
	let mut state = doubles();
	let result = change(&mut state);
	unhashed::put(DOUBLES, &state);
	result
}

/// Seats of the owner of a device.
fn seats_of(number: u8) -> u64 {
	doubles().seats.get(&number).copied().unwrap_or(1)
}

pub struct Randomness;
impl Get<Option<[u8; 32]>> for Randomness {
	fn get() -> Option<[u8; 32]> {
		(!doubles().dark).then(|| sp_io::hashing::blake2_256(&now().saturating_sub(1).encode()))
	}
}

/// Ends the duty of the worker of an attempt as `tasks` does it when it pays.
pub fn free_worker(id: AttemptId) {
	let worker = Duty { id, role: Role::Worker };
	with_doubles(|state| {
		let engaged = state.duties.len();
		state.duties.retain(|(_, duty), _| *duty != worker);
		assert_eq!(state.duties.len() + 1, engaged, "a worker to be paid is engaged");
	});
}

pub struct Tasks;
impl CheckedTasks<AccountId> for Tasks {
	fn assigned(id: &AttemptId) -> Option<Assignment<AccountId>> {
		doubles().assigned.get(id).cloned()
	}

	fn due(id: &AttemptId) -> Option<WorkHeight> {
		let Doubles { assigned, due, .. } = doubles();
		due.get(id).copied().filter(|_| assigned.contains_key(id))
	}

	fn work(chunk: &ChunkId) -> Option<ChunkWork> {
		let search = || ChunkWork::Search(spec(), spec().range(chunk.index));
		let work = program_of(chunk.task).map_or_else(search, ChunkWork::Recompute);
		(chunk.index < CHUNKS).then_some(work)
	}

	fn arguments(task: TaskId) -> Arguments {
		doubles().arguments.get(&task).cloned().unwrap_or_default()
	}

	fn begin_check(id: &AttemptId) -> Result<(), DispatchError> {
		let assignment = with_doubles(|state| state.assigned.remove(id));
		assignment.map(|_| ()).ok_or(DispatchError::Other("not assigned"))
	}

	fn conclude(id: &AttemptId, verdict: Verdict<AccountId>) {
		let told = match verdict {
			Verdict::Accepted { delivered, winners, auditors, audited } => {
				with_doubles(|state| state.accepted.insert(*id));
				Told::Accepted { delivered, winners, auditors, audited }
			},
			Verdict::Upheld => {
				free_worker(*id);
				Told::Upheld
			},
			Verdict::Rejected(reason) => Told::Rejected(reason),
			Verdict::Undecided { reason, auditors } => Told::Undecided { reason, auditors },
		};
		with_doubles(|state| {
			let outlives = |duty: &Duty| match duty.role {
				// It is freed when it is paid.
				Role::Worker => state.accepted.contains(id),
				// They are dismissed one after the other.
				Role::Referee { .. } => true,
				Role::Auditor | Role::Appellant { .. } => false,
			};
			let mut left = state.duties.keys().filter(|(_, duty)| duty.id == *id);
			assert!(left.all(|(_, duty)| outlives(duty)), "a duty outlives its attempt");
			state.told.push((*id, told));
		});
	}

	fn challenge(id: &AttemptId) -> Result<(), DispatchError> {
		let running = with_doubles(|state| state.accepted.remove(id));
		ensure!(running, DispatchError::Other("no challenge period runs"));
		Ok(())
	}
}

pub struct Workers;
impl Workers {
	fn end(seat: &Seat<AccountId>, duty: Duty, end: End) -> Balance {
		with_doubles(|state| {
			let one = (seat.device.clone(), duty);
			let engaged = state.duties.remove(&one);
			// The same device may have the same duty again: on a panel of a challenge.
			state.committed.retain(|committed| *committed != one);
			state.ended.push((seat.device.clone(), duty, end));
			engaged.expect("a duty is ended once").0
		})
	}
}

impl InspectWorkers<AccountId> for Workers {
	fn payout_of(owner: &AccountId) -> AccountId {
		owner.clone()
	}

	fn duties_of(device: &AccountId) -> Vec<Duty> {
		let duties = doubles().duties;
		let owed = duties.iter().filter(|((who, _), (_, done))| who == device && !done);
		owed.map(|((_, duty), _)| *duty).collect()
	}

	fn parts_of(device: &AccountId) -> Vec<Duty> {
		let duties = doubles().duties;
		duties.keys().filter(|(who, _)| who == device).map(|(_, duty)| *duty).collect()
	}

	fn reputation_of(_owner: &AccountId, _class: WorkClass) -> Reputation {
		Reputation::default()
	}

	fn offered_by(_device: &AccountId) -> Vec<WorkClass> {
		doubles().offers
	}
}

impl DrawSeats<AccountId> for Workers {
	/// Devices, by number.
	type Seats = Vec<u8>;

	fn seats(_class: WorkClass) -> Self::Seats {
		doubles().accepting
	}

	fn holdings(seats: &Self::Seats, excluded: &[AccountId]) -> Holdings {
		let others = seats.iter().filter(|number| !excluded.contains(&owner(**number)));
		others.fold(Holdings::default(), |all, number| Holdings {
			owners: all.owners + 1,
			seats: all.seats + seats_of(*number),
		})
	}

	fn held_by(seats: &Self::Seats, account: &AccountId) -> u64 {
		let holder = seats.iter().find(|number| owner(**number) == *account);
		holder.map_or(0, |number| seats_of(*number))
	}

	fn draw(accepting: &Self::Seats, seed: H256, need: &Need<AccountId>) -> Drawn<AccountId> {
		let reason = if doubles().unfit { NoSeat::Unfit } else { NoSeat::Busy };
		let Some(terms) = (need.terms)(&Candidate::default()) else {
			return Drawn { seat: Err(reason), looks: 0 };
		};
		with_doubles(|state| {
			state.asked.push(Asked {
				class: need.class,
				units: need.units,
				price: need.price,
				deadline: need.deadline,
				collateral: terms.collateral,
				audit: need.audit,
			});
		});
		let seats = accepting.iter().flat_map(|number| (0..seats_of(*number)).map(|_| *number));
		let seats: Vec<_> = seats.collect();
		let repeats = doubles().repeats;
		let count = u64::try_from(seats.len()).unwrap();
		let pick = |round| usize::try_from(draw::number(&seed, round) % count).unwrap();
		let probes = if count == 0 { 0 } else { 16 };
		let found = (0..probes).map(|round| seat(seats[pick(round)])).find(|seat| {
			let again = need.sitting.contains(&seat.owner);
			!need.excluded.contains(&seat.owner) && (repeats || !again)
		});
		let sits = |seat: &Seat<_>| need.sitting.iter().position(|owner| *owner == seat.owner);
		let seat = match found.as_ref().and_then(sits) {
			Some(index) => Err(NoSeat::Sits(index)),
			None => found.map(|seat| (seat, terms)).ok_or(reason),
		};
		Drawn { seat, looks: 2 * probes }
	}
}

impl EngageSeats<AccountId> for Workers {
	fn engage(
		seat: &Seat<AccountId>,
		duty: Duty,
		_class: WorkClass,
		collateral: Balance,
	) -> DispatchResult {
		with_doubles(|state| {
			if number_of(&seat.device).is_some_and(|number| state.broke.contains(&number)) {
				return Err(DispatchError::Other("no collateral"));
			}
			let before = state.duties.insert((seat.device.clone(), duty), (collateral, false));
			assert!(before.is_none(), "a duty is engaged once");
			Ok(())
		})
	}

	fn stand_for(
		seat: &Seat<AccountId>,
		duty: Duty,
		class: WorkClass,
		collateral: Balance,
	) -> DispatchResult {
		Self::engage(seat, duty, class, collateral)?;
		// There is nothing to compute, commit or reveal.
		Self::complete(seat, duty);
		Ok(())
	}

	fn commit(seat: &Seat<AccountId>, duty: Duty) {
		with_doubles(|state| {
			let one = (seat.device.clone(), duty);
			assert!(state.duties.contains_key(&one), "a duty is committed to while engaged");
			assert!(!state.committed.contains(&one), "a duty is committed to once");
			state.committed.push(one);
		});
	}

	fn complete(seat: &Seat<AccountId>, duty: Duty) {
		with_doubles(|state| {
			let engaged = state.duties.get_mut(&(seat.device.clone(), duty)).unwrap();
			assert!(!engaged.1, "a duty is completed once");
			engaged.1 = true;
		});
	}

	fn release(seat: &Seat<AccountId>, duty: Duty, deed: Deed) {
		assert_eq!(deed, Deed::Nothing, "only `tasks` knows what counts");
		Self::end(seat, duty, End::Released);
	}

	fn hand_back(seat: &Seat<AccountId>, duty: Duty) {
		Self::end(seat, duty, End::HandedBack);
	}

	fn miss(seat: &Seat<AccountId>, duty: Duty, fine: Balance) {
		Self::end(seat, duty, End::Missed(fine));
	}

	fn slash(seat: &Seat<AccountId>, duty: Duty, penalty: Penalty<AccountId>) -> Balance {
		let Penalty { compensation, bounty, referees } = penalty;
		Self::end(seat, duty, End::Slashed { compensation, bounty, referees })
	}
}

/// The account in which referees' pay waits.
pub fn pot() -> AccountId {
	AccountId::new([0x70; 32])
}

pub struct Rewards;
impl DistributeRewards<AccountId> for Rewards {
	fn fee_terms() -> FeeTerms {
		FeeTerms::default()
	}

	fn fee_parts(fee: Balance) -> [(AccountId, Balance); 2] {
		[(pot(), fee), (pot(), 0)]
	}

	fn pot() -> AccountId {
		pot()
	}

	fn accrue(owner: &AccountId, amount: Balance) {
		with_doubles(|state| *state.accrued.entry(owner.clone()).or_default() += amount);
	}

	fn note_contribution(_: TaskId, _: &AccountId, _: Role, _: u64, _: Balance) {}

	fn take_contributions(_: TaskId, _: u32) -> Vec<Vec<u8>> {
		Vec::new()
	}
}
