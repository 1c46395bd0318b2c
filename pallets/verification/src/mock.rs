//! A runtime for tests, and steps that the tests tell their stories in.
#![allow(clippy::unwrap_used, missing_docs)]

mod doubles;

pub use doubles::*;

use crate::{
	self as pallet_verification,
	types::{Batch, CommitItem, RevealItem, Rules},
	Checks, Event, GenesisConfig, Now, Pallet,
};
use frame_support::{
	derive_impl,
	dispatch::DispatchResult,
	parameter_types,
	traits::{ConstU64, Hooks},
	weights::{Weight, WeightMeter},
	BoundedVec,
};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{traits::IdentityLookup, AccountId32, BuildStorage, Perquintill};
use tequio_primitives::{
	commitment::{commitment, genesis_hash},
	search::{ChunkRange, Claim, Fault, Nonce, Opening, SearchSpec, Winner},
	tasks::Assignment,
	terms::AuditTerms,
	workers::{EngageSeats, Seat},
	AttemptId, Balance, ChunkId, Duty, Role, WorkClass, WorkHeight,
};

pub type AccountId = AccountId32;
type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Verification: pallet_verification,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
}

parameter_types! {
	pub const AgendaBudget: Weight = Weight::from_parts(100_000_000_000, 10 * 1024 * 1024);
}

impl pallet_verification::Config for Test {
	type Randomness = Randomness;
	type Tasks = Tasks;
	type Workers = Workers;
	type AgendaBudget = AgendaBudget;
	type DeviceCrypto = crate::offchain::DeviceCrypto;
	type BlockMilliseconds = ConstU64<3_000>;
	type Outbound = crate::offchain::mock::Outbound;
	type WeightInfo = crate::weights::Estimated<Test>;
}

pub const COLLATERAL: Balance = 100_000;
pub const AUDIT_PAY: Balance = 1_000;
pub const PRICE: Balance = 10;
pub const DEADLINE: u32 = 16;
pub const CHUNKS: u32 = 4;

/// The key of a device.
pub fn key(number: u8) -> ed25519::Pair {
	ed25519::Pair::from_seed(&[number; 32])
}

pub fn device(number: u8) -> AccountId {
	AccountId::new(key(number).public().0)
}

pub fn owner(number: u8) -> AccountId {
	AccountId::new([number | 0x80; 32])
}

pub fn seat(number: u8) -> Seat<AccountId> {
	Seat { owner: owner(number), device: device(number) }
}

pub fn number_of(account: &AccountId) -> Option<u8> {
	(0..16).find(|number| device(*number) == *account)
}

/// The task that every attempt of the tests is about: four chunks of 64 nonces, a share in four
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

/// An attempt at a chunk of the task.
pub fn attempt(index: u32, attempt: u8) -> AttemptId {
	AttemptId { chunk: ChunkId { task: 0, index }, attempt }
}

/// The first attempt at the first chunk.
pub fn first() -> AttemptId {
	attempt(0, 0)
}

/// Assigns an attempt to a device; it will be audited.
pub fn assign(id: AttemptId, worker: u8) {
	assign_at_rate(id, worker, Perquintill::one());
}

pub fn assign_at_rate(id: AttemptId, worker: u8, audit_rate: Perquintill) {
	let terms = AuditTerms { audit_rate, conviction: audit_rate, collateral: COLLATERAL };
	assign_with(id, worker, |assignment| assignment.terms = terms);
}

/// Assigns an attempt to a device, with something about the assignment changed.
pub fn assign_with(id: AttemptId, worker: u8, change: impl FnOnce(&mut Assignment<AccountId>)) {
	let terms = AuditTerms {
		audit_rate: Perquintill::one(),
		conviction: Perquintill::one(),
		collateral: COLLATERAL,
	};
	let mut assignment = Assignment {
		seat: seat(worker),
		class: WorkClass::RandomXSearch,
		terms,
		price: PRICE,
		deadline: DEADLINE,
		audit_pay: AUDIT_PAY,
	};
	change(&mut assignment);
	let duty = Duty { id, role: Role::Worker };
	Workers::engage(&assignment.seat, duty, COLLATERAL).unwrap();
	let due = now() + assignment.deadline;
	with_doubles(|state| {
		state.due.insert(id, due);
		state.assigned.insert(id, assignment);
	});
}

/// Three nonces of the chunk.
pub fn claim(id: AttemptId) -> Claim {
	let start = spec().range(id.chunk.index).start;
	nonces(&[start + 1, start + 5, start + 9])
}

pub fn nonces(list: &[Nonce]) -> Claim {
	BoundedVec::truncate_from(list.to_vec())
}

/// What everybody finds who computes.
pub fn honest(id: AttemptId) -> Opening {
	let nonce = claim(id)[1];
	Opening {
		shares: H256::repeat_byte(7),
		winners: BoundedVec::truncate_from(vec![Winner { nonce, hash: [0; 32] }]),
		faults: Default::default(),
	}
}

/// What everybody finds who audits a claim whose first nonce is no share.
pub fn accusing(id: AttemptId) -> Opening {
	let faults = BoundedVec::truncate_from(vec![Fault::FalseShare(claim(id)[0])]);
	Opening { faults, ..honest(id) }
}

/// What somebody says who has not computed.
pub fn guessed(id: AttemptId) -> Opening {
	Opening { shares: H256::repeat_byte(13), ..honest(id) }
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
	let claim = if role == Role::Worker { claim(id) } else { Claim::default() };
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

/// Numbers of the auditors that sit on an attempt, by place; `None` for an empty place.
pub fn auditors(id: AttemptId) -> Vec<Option<u8>> {
	let check = Checks::<Test>::get(id.chunk).unwrap();
	let number = |seat: &Seat<AccountId>| number_of(&seat.device).unwrap();
	check.auditors.iter().map(|slot| slot.seat.as_ref().map(number)).collect()
}

/// Both auditors of an attempt.
pub fn both_auditors(id: AttemptId) -> [u8; 2] {
	let seated: Vec<u8> = auditors(id).into_iter().flatten().collect();
	seated.try_into().unwrap()
}

/// How the duty of a device ended.
pub fn end_of(number: u8, id: AttemptId, role: Role) -> Option<End> {
	let duty = Duty { id, role };
	let ended = doubles().ended;
	ended.into_iter().find(|(who, what, _)| *who == device(number) && *what == duty).map(|e| e.2)
}

/// What `tasks` was told about an attempt.
pub fn told(id: AttemptId) -> Option<Told> {
	doubles().told.into_iter().find(|(about, _)| *about == id).map(|(_, told)| told)
}

pub fn assert_last(event: Event<Test>) {
	System::assert_last_event(event.into());
}

pub fn assert_has(event: Event<Test>) {
	System::assert_has_event(event.into());
}

pub fn now() -> WorkHeight {
	Now::<Test>::get()
}

fn poll(mut meter: WeightMeter) -> Weight {
	let block = System::block_number() + 1;
	System::set_block_number(block);
	Verification::on_poll(block, &mut meter);
	meter.consumed()
}

/// Polls blocks up to a height.
pub fn run_to(height: WorkHeight) {
	while now() < height {
		poll(WeightMeter::new());
	}
}

/// Polls blocks that have no weight left, up to a height.
pub fn stall_to(height: WorkHeight) {
	while now() < height {
		poll(WeightMeter::with_limit(Weight::zero()));
	}
}

/// Polls a block that has this much weight left, and returns what it used.
pub fn poll_with(limit: Weight) -> Weight {
	poll(WeightMeter::with_limit(limit))
}

/// Polls until the end of the state that a chunk's check is in.
pub fn run_to_due(id: AttemptId) {
	let (_, due) = Verification::stage_of(&id.chunk).unwrap();
	run_to(due);
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

/// Each duty belongs to an attempt that is computed or checked, and to a device that has a part in
/// it.
fn assert_duties_match() {
	let state = doubles();
	for (who, duty) in state.duties.keys() {
		let check = Checks::<Test>::get(duty.id.chunk);
		let check = check.filter(|check| check.attempt == duty.id.attempt);
		let owed = match duty.role {
			Role::Worker => state.assigned.contains_key(&duty.id) || check.is_some(),
			_ => check.is_some_and(|check| {
				check.auditors.iter().flat_map(|slot| &slot.seat).any(|seat| seat.device == *who)
			}),
		};
		assert!(owed, "{who} is bound to a duty of nobody: {duty:?}");
	}
}

/// Checks everything that must hold between any two calls.
pub fn assert_sound() {
	Pallet::<Test>::do_try_state().unwrap();
	assert_duties_match();
}

pub struct ExtBuilder {
	rules: Rules,
	accepting: Vec<u8>,
}

impl Default for ExtBuilder {
	fn default() -> Self {
		Self { rules: Rules::default(), accepting: (1..=6).collect() }
	}
}

impl ExtBuilder {
	pub fn rules(self, rules: Rules) -> Self {
		Self { rules, ..self }
	}

	/// Devices, by number, that can be drawn as auditors.
	pub fn accepting(self, accepting: &[u8]) -> Self {
		Self { accepting: accepting.to_vec(), ..self }
	}

	pub fn build(self) -> sp_io::TestExternalities {
		let storage = RuntimeGenesisConfig {
			system: Default::default(),
			verification: GenesisConfig { rules: self.rules, ..Default::default() },
		}
		.build_storage()
		.unwrap();
		let mut ext = sp_io::TestExternalities::new(storage);
		ext.execute_with(|| {
			System::set_block_number(1);
			with_doubles(|state| state.accepting = self.accepting);
		});
		ext
	}

	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			assert_sound();
		});
	}
}
