//! Steps of an attempt, from its assignment on.

use super::*;
use crate::types::{Batch, CommitItem, RevealItem};
use frame_support::{dispatch::DispatchResult, BoundedVec};
use sp_core::H256;
use sp_runtime::Perquintill;
use tequio_primitives::{
	claim::Claim,
	commitment::{commitment, genesis_hash},
	opening::Opening,
	projection::{seed_of, Projection, PROJECTED},
	recompute::{Output, OutputOpening, RecomputeSpec},
	search::{ChunkRange, Fault, Nonce, SearchOpening, SearchSpec, Shares, Winner},
	tasks::{Assignment, KeepChecks},
	terms::AuditTerms,
	workers::EngageSeats,
	ChunkId, TaskId, WorkClass,
};

pub const COLLATERAL: Balance = 100_000;
pub const MAX_PAYMENT: Balance = 20_000;
pub const AUDIT_PAY: Balance = 1_000;
pub const PRICE: Balance = 10;
pub const DEADLINE: u32 = 16;
pub const CHUNKS: u32 = 4;
/// Units of a chunk of a program.
pub const UNITS: u32 = 50;
/// The task whose chunks are those of a program in 64-bit floats. Tasks before it are searches.
pub const PROGRAM: TaskId = 1 << 32;
/// The task whose chunks are those of a program in 32-bit floats.
pub const FLOATS: TaskId = PROGRAM + 1;
/// The task whose chunks are those of a program that counts.
pub const COUNTS: TaskId = PROGRAM + 2;
/// The task whose chunks are compared within a band.
pub const BANDED: TaskId = PROGRAM + 3;
/// How far apart all numbers of two projections may be to be near, in their units: a ten-thousandth
/// of the scale of [`banded()`].
pub const BAND: i32 = 107_374;

/// The search that attempts of the tests are about: four chunks of 64 nonces, a share in four
/// hashes.
pub fn spec() -> SearchSpec {
	let mut target = [0xff; 32];
	target[31] = 0x0f;
	SearchSpec {
		seed: [1; 32],
		template: BoundedVec::truncate_from(vec![0; 76]),
		nonce_offset: 39,
		start: 1_000,
		count: 64 * CHUNKS,
		target,
		chunk_size: 64,
		lambda: 16,
	}
}

/// The range of the first chunk.
pub fn range() -> ChunkRange {
	spec().range(0)
}

/// The program.
pub fn program() -> RecomputeSpec {
	RecomputeSpec {
		class: WorkClass::ExactF64,
		program: H256::repeat_byte(5),
		chunks: CHUNKS,
		units: UNITS,
		replicas: 1,
	}
}

/// The program whose chunks a task has; `None` for a search.
pub fn program_of(task: TaskId) -> Option<RecomputeSpec> {
	let class = match task {
		PROGRAM => WorkClass::ExactF64,
		FLOATS => WorkClass::ExactF32,
		COUNTS => WorkClass::Integer,
		BANDED => WorkClass::BandedF32,
		_ => return None,
	};
	Some(RecomputeSpec { class, ..program() })
}

/// An attempt at a chunk of the search.
pub fn attempt(index: u32, attempt: u8) -> AttemptId {
	AttemptId { chunk: ChunkId { task: 0, index }, attempt }
}

/// The first attempt at the first chunk of the search.
pub fn first() -> AttemptId {
	attempt(0, 0)
}

/// The first attempt at a chunk of the program.
pub fn run(index: u32) -> AttemptId {
	AttemptId { chunk: ChunkId { task: PROGRAM, index }, attempt: 0 }
}

/// The first attempt at the first chunk of a task.
pub fn first_of(task: TaskId) -> AttemptId {
	AttemptId { chunk: ChunkId { task, index: 0 }, attempt: 0 }
}

fn is_program(id: AttemptId) -> bool {
	program_of(id.chunk.task).is_some()
}

/// Assigns an attempt to a device; it will be audited.
pub fn assign(id: AttemptId, worker: u8) {
	assign_at_rate(id, worker, Perquintill::one());
}

pub fn assign_at_rate(id: AttemptId, worker: u8, audit_rate: Perquintill) {
	assign_with(id, worker, |assignment| {
		assignment.terms.audit_rate = audit_rate;
		assignment.terms.conviction = audit_rate;
	});
}

/// Assigns an attempt to a device, with something about the assignment changed. By itself a search
/// has two auditors, a program has one, and neither has another one after them.
pub fn assign_with(id: AttemptId, worker: u8, change: impl FnOnce(&mut Assignment<AccountId>)) {
	let program = program_of(id.chunk.task);
	let (class, auditors) =
		program.map_or((WorkClass::RandomXSearch, 2), |program| (program.class, 1));
	let terms = AuditTerms {
		audit_rate: Perquintill::one(),
		conviction: Perquintill::one(),
		collateral: COLLATERAL,
		auditors,
		second: Perquintill::zero(),
	};
	let mut assignment = Assignment {
		seat: seat(worker),
		class,
		terms,
		price: PRICE,
		deadline: DEADLINE,
		max_payment: MAX_PAYMENT,
		audit_pay: AUDIT_PAY,
	};
	change(&mut assignment);
	let duty = Duty { id, role: Role::Worker };
	let collateral = assignment.terms.collateral;
	Workers::engage(&assignment.seat, duty, assignment.class, collateral).unwrap();
	let due = now() + assignment.deadline;
	with_doubles(|state| {
		state.due.insert(id, due);
		state.assigned.insert(id, assignment);
	});
}

/// Three nonces of the chunk of a search.
pub fn shares(id: AttemptId) -> Shares {
	let start = spec().range(id.chunk.index).start;
	BoundedVec::truncate_from(vec![start + 1, start + 5, start + 9])
}

/// What the worker of a search claims.
pub fn claim(id: AttemptId) -> Claim {
	Claim::Shares(shares(id))
}

pub fn nonces(list: &[Nonce]) -> Claim {
	Claim::Shares(BoundedVec::truncate_from(list.to_vec()))
}

/// What a worker claims that will show this.
pub fn claimed(id: AttemptId, opening: &Opening) -> Claim {
	match (program_of(id.chunk.task).map(|program| program.class), opening) {
		(None, _) => claim(id),
		(Some(WorkClass::BandedF32), Opening::Output(own)) => {
			let seed = own.projection.as_ref().map(Projection::seed);
			Claim::Seed(seed.unwrap_or_else(|| seed_of(&own.output.hash)))
		},
		(Some(_), _) => Claim::Nothing,
	}
}

/// What everybody finds who searches.
pub fn searched(id: AttemptId) -> SearchOpening {
	let nonce = shares(id)[1];
	SearchOpening {
		shares: H256::repeat_byte(7),
		winners: BoundedVec::truncate_from(vec![Winner { nonce, hash: [0; 32] }]),
		faults: Default::default(),
	}
}

/// What somebody shows whose run of a program gave this output.
pub fn output(byte: u8) -> Opening {
	Opening::Output(OutputOpening::own(H256::repeat_byte(byte)))
}

/// What somebody shows whose run of a program gave these bytes.
pub fn showing(bytes: &[u8]) -> Opening {
	Opening::Output(OutputOpening::showing(Output::of(bytes)))
}

/// What worker or auditor shows in the banded class whose machine gave these bytes, all of whose sums
/// are so far away from those of [`honest`]. Its scale is 1024.
pub fn banded(byte: u8, away: i32) -> Opening {
	let numbers = [away - 1_000_000; PROJECTED];
	let change = H256::repeat_byte(byte);
	let projection = Projection { change, exponent: -20, scale: 1 << 30, numbers };
	Opening::Output(OutputOpening::projected(projection))
}

/// What everybody finds who computes, but for the referees of the banded class.
pub fn honest(id: AttemptId) -> Opening {
	match id.chunk.task {
		BANDED => banded(7, 0),
		_ if is_program(id) => output(7),
		_ => Opening::Search(searched(id)),
	}
}

/// What everybody finds who audits a claim whose first nonce is no share; another output of a
/// program.
pub fn accusing(id: AttemptId) -> Opening {
	if is_program(id) {
		return guessed(id);
	}
	let faults = BoundedVec::truncate_from(vec![Fault::FalseShare(shares(id)[0])]);
	Opening::Search(SearchOpening { faults, ..searched(id) })
}

/// What somebody says who has not computed.
pub fn guessed(id: AttemptId) -> Opening {
	match id.chunk.task {
		BANDED => banded(13, 2 * BAND),
		_ if is_program(id) => output(13),
		_ => Opening::Search(SearchOpening { shares: H256::repeat_byte(13), ..searched(id) }),
	}
}

pub fn salt(number: u8) -> [u8; 32] {
	[number; 32]
}

pub fn hidden(number: u8, id: AttemptId, role: Role, opening: &Opening) -> H256 {
	let bytes: [u8; 32] = device(number).into();
	let duty = Duty { id, role };
	commitment(&genesis_hash::<Test>(), &duty, &bytes, &opening.digest(), &salt(number))
}

pub fn commit_item(number: u8, id: AttemptId, role: Role, opening: &Opening) -> CommitItem {
	let claim = if role == Role::Worker { claimed(id, opening) } else { Claim::Nothing };
	CommitItem { id, role, claim, commitment: hidden(number, id, role, opening) }
}

pub fn reveal_item(number: u8, id: AttemptId, role: Role, opening: &Opening) -> RevealItem {
	RevealItem { id, role, opening: opening.clone(), salt: salt(number) }
}

pub fn batch<Item>(items: Vec<Item>) -> Batch<Item> {
	BoundedVec::truncate_from(items)
}

pub fn commit(number: u8, items: Vec<CommitItem>) -> DispatchResult {
	Verification::commit(RuntimeOrigin::signed(device(number)), batch(items))
}

pub fn reveal(number: u8, items: Vec<RevealItem>) -> DispatchResult {
	let taken = Verification::reveal(RuntimeOrigin::signed(device(number)), batch(items));
	taken.map(|_| ()).map_err(|failed| failed.error)
}

pub fn commit_one(number: u8, id: AttemptId, role: Role, opening: &Opening) -> DispatchResult {
	commit(number, vec![commit_item(number, id, role, opening)])
}

pub fn reveal_one(number: u8, id: AttemptId, role: Role, opening: &Opening) -> DispatchResult {
	reveal(number, vec![reveal_item(number, id, role, opening)])
}

fn number(seat: &Seat<AccountId>) -> u8 {
	number_of(&seat.device).unwrap()
}

/// Numbers of the auditors that sit on an attempt, by place; `None` for an empty place.
pub fn auditors(id: AttemptId) -> Vec<Option<u8>> {
	let check = Checks::<Test>::get(id.chunk).unwrap();
	check.auditors.iter().map(|slot| slot.seat.as_ref().map(number)).collect()
}

/// Both auditors of an attempt.
pub fn both_auditors(id: AttemptId) -> [u8; 2] {
	let seated: Vec<u8> = auditors(id).into_iter().flatten().collect();
	seated.try_into().unwrap()
}

/// Numbers of the referees that sit on a panel, by place; `None` for one who has left.
pub fn referees(id: AttemptId, level: u8) -> Vec<Option<u8>> {
	let panel = Panels::<Test>::get(id, level).unwrap();
	panel.places.iter().map(|place| place.sitting().map(number)).collect()
}

/// How the duty of a device ended.
pub fn end_of(number: u8, id: AttemptId, role: Role) -> Option<End> {
	let duty = Duty { id, role };
	let ended = doubles().ended;
	ended.into_iter().find(|(who, what, _)| *who == device(number) && *what == duty).map(|e| e.2)
}

/// What `tasks` was told about an attempt at first.
pub fn told(id: AttemptId) -> Option<Told> {
	doubles().told.into_iter().find(|(about, _)| *about == id).map(|(_, told)| told)
}

/// The challenge period of an accepted attempt has passed: `tasks` pays its worker.
pub fn pay(id: AttemptId) {
	assert!(with_doubles(|state| state.accepted.remove(&id)), "only what is accepted is paid");
	free_worker(id);
	<Verification as KeepChecks>::forget(&id);
}

/// Assigns, commits and draws, so that both auditors of the attempt are at work.
pub fn audit_begun(id: AttemptId, worker: u8, opening: &Opening) -> [u8; 2] {
	assign(id, worker);
	commit_one(worker, id, Role::Worker, opening).unwrap();
	run_to_due(id);
	both_auditors(id)
}

/// All the same, and both auditors have committed to these openings.
pub fn reveals_open(id: AttemptId, worker: u8, openings: [&Opening; 3]) -> [u8; 2] {
	let [own, first, second] = openings;
	let both = audit_begun(id, worker, own);
	commit_one(both[0], id, Role::Auditor, first).unwrap();
	commit_one(both[1], id, Role::Auditor, second).unwrap();
	both
}

/// All the same, and everybody has revealed what is not held back: the worker, then the auditors.
pub fn revealed(id: AttemptId, worker: u8, openings: [&Opening; 3], shown: [bool; 3]) -> [u8; 2] {
	let [one, other] = reveals_open(id, worker, openings);
	let parts = [(worker, Role::Worker), (one, Role::Auditor), (other, Role::Auditor)];
	for (((number, role), opening), shown) in parts.into_iter().zip(openings).zip(shown) {
		if shown {
			reveal_one(number, id, role, opening).unwrap();
		}
	}
	[one, other]
}
