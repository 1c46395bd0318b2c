//! Doubles of the neighbours. Their state lies in storage, so that `assert_noop!` sees it too.

use super::{now, number_of, seat, spec, AccountId, CHUNKS};
use codec::{Decode, Encode};
use frame_support::{dispatch::DispatchResult, storage::unhashed, traits::Get};
use sp_core::H256;
use sp_runtime::DispatchError;
use std::collections::BTreeMap;
use tequio_primitives::{
	draw,
	search::{ChunkRange, SearchSpec, Winners},
	tasks::{Assignment, CheckedTasks, RejectReason, UndecidedReason, Verdict},
	workers::{DrawSeats, Drawn, EngageSeats, InspectWorkers, Need, NoSeat, Penalty, Seat},
	AttemptId, Balance, ChunkId, Duty, Role, WorkClass, WorkHeight,
};

/// How a duty ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum End {
	Released,
	Missed(Balance),
	Slashed { compensation: Vec<(AccountId, Balance)>, bounty: Vec<(AccountId, Balance)> },
}

/// A verdict as `tasks` was told.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Told {
	Accepted { shares: u32, winners: Winners, auditors: Vec<AccountId> },
	Rejected(RejectReason),
	Undecided(UndecidedReason),
}

/// What an auditor was asked to be able to do.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Asked {
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
	/// Devices, by number, whose owners have lost their collateral since.
	pub broke: Vec<u8>,
	/// Who is not found is not fit, rather than busy.
	pub unfit: bool,
	pub assigned: BTreeMap<AttemptId, Assignment<AccountId>>,
	/// When what was assigned is due.
	pub due: BTreeMap<AttemptId, WorkHeight>,
	/// Duties with their collateral, and whether they are done.
	pub duties: BTreeMap<(AccountId, Duty), (Balance, bool)>,
	/// Duties that were committed to.
	pub committed: Vec<(AccountId, Duty)>,
	pub ended: Vec<(AccountId, Duty, End)>,
	pub told: Vec<(AttemptId, Told)>,
	pub asked: Vec<Asked>,
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

pub struct Randomness;
impl Get<Option<[u8; 32]>> for Randomness {
	fn get() -> Option<[u8; 32]> {
		(!doubles().dark).then(|| sp_io::hashing::blake2_256(&now().saturating_sub(1).encode()))
	}
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

	fn search(chunk: &ChunkId) -> Option<(SearchSpec, ChunkRange)> {
		(chunk.index < CHUNKS).then(|| (spec(), spec().range(chunk.index)))
	}

	fn begin_check(id: &AttemptId) -> Result<(), DispatchError> {
		let assignment = with_doubles(|state| state.assigned.remove(id));
		assignment.map(|_| ()).ok_or(DispatchError::Other("not assigned"))
	}

	fn conclude(id: &AttemptId, verdict: Verdict<AccountId>) {
		let worker = Duty { id: *id, role: Role::Worker };
		with_doubles(|state| {
			let told = match verdict {
				Verdict::Accepted { shares, winners, auditors } => {
					// `tasks` frees an accepted worker; here at once, there after the challenge
					// period.
					let engaged = state.duties.len();
					state.duties.retain(|(_, duty), _| *duty != worker);
					assert_eq!(state.duties.len() + 1, engaged, "an accepted worker is engaged");
					Told::Accepted { shares, winners, auditors }
				},
				Verdict::Rejected(reason) => Told::Rejected(reason),
				Verdict::Undecided(reason) => Told::Undecided(reason),
			};
			assert!(
				state.duties.keys().all(|(_, duty)| duty.id != *id),
				"a duty outlives its attempt"
			);
			state.told.push((*id, told));
		});
	}
}

pub struct Workers;
impl Workers {
	fn end(seat: &Seat<AccountId>, duty: Duty, end: End) -> Balance {
		with_doubles(|state| {
			let engaged = state.duties.remove(&(seat.device.clone(), duty));
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
		duties.keys().filter(|(who, _)| who == device).map(|(_, duty)| *duty).collect()
	}
}

impl DrawSeats<AccountId> for Workers {
	/// Devices, by number.
	type Seats = Vec<u8>;

	fn seats(_class: WorkClass) -> Self::Seats {
		doubles().accepting
	}

	fn draw(accepting: &Self::Seats, seed: H256, need: &Need<AccountId>) -> Drawn<AccountId> {
		with_doubles(|state| {
			state.asked.push(Asked {
				units: need.units,
				price: need.price,
				deadline: need.deadline,
				collateral: need.collateral,
				audit: need.audit,
			});
		});
		let count = u64::try_from(accepting.len()).unwrap();
		let pick = |round| usize::try_from(draw::number(&seed, round) % count).unwrap();
		let probes = if count == 0 { 0 } else { 16 };
		let found = (0..probes)
			.map(|round| seat(accepting[pick(round)]))
			.find(|seat| !need.excluded.contains(&seat.owner));
		let reason = if doubles().unfit { NoSeat::Unfit } else { NoSeat::Busy };
		Drawn { seat: found.ok_or(reason), looks: 2 * probes }
	}
}

impl EngageSeats<AccountId> for Workers {
	fn engage(seat: &Seat<AccountId>, duty: Duty, collateral: Balance) -> DispatchResult {
		with_doubles(|state| {
			if number_of(&seat.device).is_some_and(|number| state.broke.contains(&number)) {
				return Err(DispatchError::Other("no collateral"));
			}
			let before = state.duties.insert((seat.device.clone(), duty), (collateral, false));
			assert!(before.is_none(), "a duty is engaged once");
			Ok(())
		})
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

	fn release(seat: &Seat<AccountId>, duty: Duty) {
		Self::end(seat, duty, End::Released);
	}

	fn hand_back(seat: &Seat<AccountId>, duty: Duty) {
		Self::release(seat, duty);
	}

	fn miss(seat: &Seat<AccountId>, duty: Duty, fine: Balance) {
		Self::end(seat, duty, End::Missed(fine));
	}

	fn slash(seat: &Seat<AccountId>, duty: Duty, penalty: Penalty<AccountId>) -> Balance {
		let Penalty { compensation, bounty } = penalty;
		Self::end(seat, duty, End::Slashed { compensation, bounty })
	}
}
