//! What the hook needs of the mock runtime and of a node: a signer, a pool, a keystore and a worker
//! process that the test plays.
#![allow(clippy::unwrap_used, missing_docs)]

use super::{DeviceCrypto, OutboundCalls};
use crate::{
	mock::{
		accusing, assert_sound, device, honest, shares, AccountId, ExtBuilder, RuntimeCall,
		RuntimeOrigin, System, Test,
	},
	Call,
};
use codec::{Decode, DecodeAll, Encode};
use frame_system::offchain::{
	AppCrypto, CreateSignedTransaction, CreateTransactionBase, SigningTypes,
};
use sp_core::offchain::{
	testing::TestOffchainExt, OffchainDbExt, OffchainWorkerExt, TransactionPool, TransactionPoolExt,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use sp_runtime::{
	traits::{Dispatchable, ExtrinsicLike},
	MultiSignature, MultiSigner,
};
use std::{
	cell::Cell,
	collections::BTreeMap,
	sync::{Arc, Mutex},
};
use tequio_interface::{
	host::{ComputeExt, ComputeService},
	job::{Capability, Failure, Job, JobKey, JobState},
	program::{self, ProgramResult},
	randomx::{AuditResult, RandomXJob, SearchResult, Winner},
};
use tequio_primitives::{
	device::KEY_TYPE,
	opening::Opening,
	projection::Projection,
	search::{Fault, SearchOpening},
	stage::DeclineReason,
	AttemptId, ChunkId,
};

thread_local! {
	/// Whether the chain still takes a decline.
	static DECLINABLE: Cell<bool> = const { Cell::new(true) };
}

/// Stands for the calls of other pallets with remarks that say the same.
pub struct Outbound;
impl OutboundCalls<AccountId, RuntimeCall> for Outbound {
	fn decline(_: &AccountId, id: &AttemptId, reason: DeclineReason) -> Option<RuntimeCall> {
		DECLINABLE.get().then(|| declined(*id, reason))
	}

	fn set_accepting(_: &AccountId, accepting: bool) -> Option<RuntimeCall> {
		// The chain believes that every device accepts work.
		(!accepting).then(|| accepts(false))
	}
}

pub fn declined(id: AttemptId, reason: DeclineReason) -> RuntimeCall {
	RuntimeCall::System(frame_system::Call::remark { remark: (id, reason).encode() })
}

pub fn accepts(accepting: bool) -> RuntimeCall {
	RuntimeCall::System(frame_system::Call::remark { remark: accepting.encode() })
}

pub fn set_declinable(declinable: bool) {
	DECLINABLE.set(declinable);
}

/// A transaction, without what a real one has around it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Signed {
	pub account: AccountId,
	pub nonce: u32,
	pub call: RuntimeCall,
}

impl ExtrinsicLike for Signed {}

impl SigningTypes for Test {
	type Public = MultiSigner;
	type Signature = MultiSignature;
}

impl<LocalCall> CreateTransactionBase<LocalCall> for Test
where
	RuntimeCall: From<LocalCall>,
{
	type Extrinsic = Signed;
	type RuntimeCall = RuntimeCall;
}

impl<LocalCall> CreateSignedTransaction<LocalCall> for Test
where
	RuntimeCall: From<LocalCall>,
{
	fn create_signed_transaction<C: AppCrypto<Self::Public, Self::Signature>>(
		call: RuntimeCall,
		public: MultiSigner,
		account: AccountId,
		nonce: u32,
	) -> Option<Signed> {
		let signature = C::sign(b"payload", public.clone())?;
		let verified = <DeviceCrypto as AppCrypto<MultiSigner, MultiSignature>>::verify(
			b"payload", public, signature,
		);
		assert!(verified, "the hook signs with device keys");
		Some(Signed { account, nonce, call })
	}
}

/// The part of a node that the hook talks to.
#[derive(Default)]
pub struct Node {
	pub desk: Arc<Desk>,
	pub pool: Pool,
}

/// Plays the worker process and the node's table.
#[derive(Default)]
pub struct Desk(Mutex<DeskState>);

#[derive(Default)]
struct DeskState {
	jobs: BTreeMap<JobKey, (Job, JobState)>,
	cancelled: Vec<JobKey>,
	able: Vec<Capability>,
	finalized: u64,
}

impl ComputeService for Desk {
	fn submit(&self, job: Job) -> bool {
		let mut state = self.0.lock().unwrap();
		state.jobs.entry(job.key).or_insert((job, JobState::Queued));
		true
	}

	fn poll(&self, key: &JobKey) -> Option<JobState> {
		self.0.lock().unwrap().jobs.get(key).map(|(_, state)| state.clone())
	}

	fn cancel(&self, key: &JobKey) {
		let mut state = self.0.lock().unwrap();
		if state.jobs.remove(key).is_some() {
			state.cancelled.push(*key);
		}
	}

	fn capabilities(&self) -> Vec<Capability> {
		self.0.lock().unwrap().able.clone()
	}

	fn finalized(&self) -> u64 {
		self.0.lock().unwrap().finalized
	}
}

impl Desk {
	/// Devices with a job, and its role number.
	pub fn jobs(&self) -> Vec<(AccountId, u8)> {
		self.keys().into_iter().map(|key| (AccountId::new(key.device), key.role)).collect()
	}

	pub fn keys(&self) -> Vec<JobKey> {
		self.0.lock().unwrap().jobs.keys().copied().collect()
	}

	/// What was ordered, by the order of the keys.
	pub fn ordered(&self) -> Vec<Job> {
		self.0.lock().unwrap().jobs.values().map(|(job, _)| job.clone()).collect()
	}

	pub fn take_cancelled(&self) -> Vec<JobKey> {
		std::mem::take(&mut self.0.lock().unwrap().cancelled)
	}

	/// Ends every job with what an honest engine finds.
	pub fn finish(&self) {
		self.finish_accusing(|_| false);
	}

	/// Ends every job: those of which `accuses` holds with what accuses the worker, the others
	/// honestly.
	pub fn finish_accusing(&self, accuses: impl Fn(&JobKey) -> bool) {
		self.end(|job| {
			let id = attempt_of(&job.key);
			let opening = if accuses(&job.key) { accusing(id) } else { honest(id) };
			JobState::Done(result(job, opening))
		});
	}

	pub fn fail(&self, failure: Failure) {
		self.end(|_| JobState::Failed(failure));
	}

	pub fn end(&self, with: impl Fn(&Job) -> JobState) {
		for (job, state) in self.0.lock().unwrap().jobs.values_mut() {
			*state = with(job);
		}
	}

	/// Loses everything, as a node and a worker process do whose disks are new.
	pub fn wipe(&self) {
		self.0.lock().unwrap().jobs.clear();
	}

	pub fn serve(&self, serves: bool) {
		self.serve_all(if serves { &[(0, 1)] } else { &[] });
	}

	/// Serves this class and no other.
	pub fn serve_only(&self, class: u16) {
		self.serve_all(&[(class, 1)]);
	}

	/// Serves these classes, so many jobs of each at a time.
	pub fn serve_all(&self, classes: &[(u16, u16)]) {
		let able = classes.iter().map(|(class, slots)| Capability {
			class: *class,
			slots: *slots,
			rate: 0,
			memory: 0,
		});
		self.0.lock().unwrap().able = able.collect();
	}

	/// Serves one job at a time, at so many hashes in a thousand seconds.
	pub fn serve_at(&self, rate: u64) {
		let able = Capability { class: 0, slots: 1, rate, memory: 0 };
		self.0.lock().unwrap().able = vec![able];
	}

	pub fn finalize(&self, height: u32) {
		self.0.lock().unwrap().finalized = height.into();
	}
}

/// The attempt that a job is about.
fn attempt_of(key: &JobKey) -> AttemptId {
	AttemptId { chunk: ChunkId { task: key.task, index: key.chunk }, attempt: key.attempt }
}

/// What an engine answers that finds what this opening shows.
fn result(job: &Job, opening: Opening) -> Vec<u8> {
	let SearchOpening { shares: hashed, winners, faults } = match opening {
		Opening::Search(opening) => opening,
		Opening::Output(own) => {
			let near = own.near.iter().map(|output| output.0).collect();
			let (output, shown) = (own.output.hash.0, own.output.shown.into_inner());
			let projection = own.projection.map(|own| {
				let Projection { change, exponent, scale, numbers } = own;
				program::Projection { change: change.0, exponent, scale, numbers }
			});
			return ProgramResult { output, shown, near, projection }.encode();
		},
	};
	let hashed = hashed.0;
	let named = winners.iter();
	let winners = named.map(|won| Winner { nonce: won.nonce, hash: won.hash }).collect();
	match RandomXJob::decode_all(&mut job.payload.as_slice()).unwrap() {
		RandomXJob::Search { .. } => {
			let claim = shares(attempt_of(&job.key)).to_vec();
			SearchResult { claim, shares: hashed, winners }.encode()
		},
		RandomXJob::Audit { .. } => {
			let (mut false_shares, mut unclaimed_shares) = (vec![], vec![]);
			for fault in faults {
				match fault {
					Fault::FalseShare(nonce) => false_shares.push(nonce),
					Fault::UnclaimedShare(nonce) => unclaimed_shares.push(nonce),
				}
			}
			AuditResult { shares: hashed, winners, false_shares, unclaimed_shares }.encode()
		},
	}
}

/// A pool that keeps what it is given until the test includes it in a block.
#[derive(Clone, Default)]
pub struct Pool(Arc<Mutex<PoolState>>);

#[derive(Default)]
struct PoolState {
	pending: Vec<Signed>,
	refuses: bool,
	/// Refuses what has a commit of this attempt, as if it had one already.
	refuses_about: Option<AttemptId>,
}

impl PoolState {
	fn takes(&self, call: &RuntimeCall) -> bool {
		let about = match call {
			RuntimeCall::Verification(Call::commit { items }) => {
				items.iter().any(|item| self.refuses_about == Some(item.id))
			},
			_ => false,
		};
		!self.refuses && !about
	}
}

impl TransactionPool for Pool {
	fn submit_transaction(&mut self, extrinsic: Vec<u8>) -> Result<(), ()> {
		let mut state = self.0.lock().unwrap();
		let signed = Signed::decode_all(&mut extrinsic.as_slice()).unwrap();
		if !state.takes(&signed.call) {
			return Err(());
		}
		state.pending.push(signed);
		Ok(())
	}
}

impl Pool {
	pub fn pending(&self) -> Vec<Signed> {
		self.0.lock().unwrap().pending.clone()
	}

	pub fn drop_all(&self) {
		self.0.lock().unwrap().pending.clear();
	}

	pub fn refuse(&self, refuses: bool) {
		self.0.lock().unwrap().refuses = refuses;
	}

	pub fn refuse_about(&self, id: AttemptId) {
		self.0.lock().unwrap().refuses_about = Some(id);
	}

	/// Executes what is pending. Returns how many transactions that were.
	pub fn include(&self) -> usize {
		let pending = std::mem::take(&mut self.0.lock().unwrap().pending);
		for Signed { account, nonce, call } in &pending {
			assert_eq!(System::account_nonce(account), *nonce);
			System::inc_account_nonce(account);
			call.clone().dispatch(RuntimeOrigin::signed(account.clone())).unwrap();
		}
		pending.len()
	}
}

/// Runs a test on a node that holds the keys of these devices, with a worker process that serves.
pub fn with_node(devices: &[u8], test: impl FnOnce(&Node)) {
	set_declinable(true);
	let node = Node::default();
	node.desk.serve(true);
	let keystore = MemoryKeystore::new();
	for number in devices {
		let seed: String = (0..32).map(|_| format!("{number:02x}")).collect();
		let public = keystore.ed25519_generate_new(KEY_TYPE, Some(&format!("0x{seed}"))).unwrap();
		assert_eq!(AccountId::new(public.0), device(*number));
	}
	let (offchain, _) = TestOffchainExt::new();
	let mut ext = ExtBuilder::default().build();
	ext.register_extension(KeystoreExt::new(keystore));
	ext.register_extension(OffchainDbExt::new(offchain.clone()));
	ext.register_extension(OffchainWorkerExt::new(offchain));
	ext.register_extension(TransactionPoolExt::new(node.pool.clone()));
	ext.register_extension(ComputeExt(node.desk.clone()));
	ext.execute_with(|| {
		test(&node);
		assert_sound();
	});
}
