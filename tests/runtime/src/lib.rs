//! # A small world around the real runtime
//!
//! [`World`] starts from the development preset and makes real blocks: a BABE digest with a real
//! VRF output by Alice or by one of many, the timestamp, hooks, signed transactions, the end of the
//! block. After each block every invariant is checked.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | `lib.rs` | the chain |
//! | [`keys`] | who signs |
//! | [`owner`] | owners, each with a device; enrolling them and letting them work |
//! | [`device`] | devices that compute with a cheap hash in RandomX's place: honest ones, liars, silent ones |
//! | [`duty`] | what devices owe, read from the chain |
//! | [`search`] | that hash, and tasks over it |
//! | [`program`] | programs whose output is a hash too, and tasks over them |
//! | [`band`] | what machines get and show that round differently |
//! | [`lesson`] | programs of trainings, and what their rounds give |
//! | [`slots`] | who makes the block of a slot, and the output that comes with it |
//! | [`crowd`] | accounts that make random calls |
//! | [`author`] | a transaction pool, and an author who fills blocks from it |
//! | [`gather`] | the duties of many devices, given to one |
//! | [`count`] | which keys a piece of the runtime reads and writes |
//! | `tests/story.rs` | tasks from submission to payout, with honest and with lying devices |
//! | `tests/states.rs` | each state of a chunk, walked to its end with everybody silent, or ended earlier |
//! | `tests/banded.rs` | work that is right within a band, on both sides of it |
//! | `tests/challenge.rs` | doubts of what was accepted, and of what a panel found |
//! | `tests/reputation.rs` | what was passed lowers the audit rate |
//! | `tests/training.rs` | trainings: what goes from round to round, who is paid, how they stop |
//! | `tests/front_running.rs` | what is copied out of the transaction pool gains nothing |
//! | `tests/fees.rs` | what is free, for whom, and what pays |
//! | `tests/random_calls.rs` | every invariant after each block of random calls |
//! | `tests/load.rs` | full blocks, spam, a million open chunks |
//! | `tests/largest.rs` | the largest results fit what full blocks leave to them |
//! | `tests/weights.rs` | nothing touches more keys than its weight has estimated |
//! | `tests/fuzz.rs` | malformed calls, transactions and genesis configurations |

#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod author;
pub mod band;
pub mod count;
pub mod crowd;
pub mod device;
pub mod duty;
pub mod gather;
pub mod keys;
pub mod lesson;
pub mod owner;
pub mod program;
pub mod search;
pub mod slots;

use codec::Encode;
use count::{Keys, State};
use frame_support::{
	dispatch::DispatchClass,
	genesis_builder_helper::{build_state, get_preset},
	storage::{with_transaction_unchecked, TransactionOutcome},
	traits::fungible::{Inspect, Mutate},
	weights::Weight,
};
use keys::Key;
use serde_json::Value;
use slots::Authors;
use sp_consensus_babe::BABE_ENGINE_ID;
use sp_externalities::set_and_run_with_externalities;
use sp_io::TestExternalities;
use sp_runtime::{generic::Era, traits::Header as _, ApplyExtrinsicResult, Digest, DigestItem};
use tequio_runtime::{
	check_invariants, genesis_config_presets,
	signing::{signed_payload, tx_extension},
	AccountId, Address, Balance, Balances, Block, Executive, Hash, Header, Nonce, RuntimeCall,
	RuntimeEvent, RuntimeGenesisConfig, System, UncheckedExtrinsic, SLOT_MILLISECONDS,
};

/// The slot before that of the first block.
const START: u64 = 1_000;

/// A chain, from within its blocks. It has no forks.
pub struct World {
	state: TestExternalities,
	authors: Authors,
	slot: u64,
	parent: Hash,
	pending: Vec<(Key, RuntimeCall)>,
	checked: bool,
}

/// What the hooks of a block do, beside all else in it.
#[derive(Clone, Debug)]
pub struct Polled {
	/// The keys that they touch.
	pub keys: Keys,
	/// The weight that they account for.
	pub weight: Weight,
	/// What happens in them.
	pub events: Vec<RuntimeEvent>,
}

impl Default for World {
	fn default() -> Self {
		Self::new()
	}
}

impl World {
	/// The genesis of the development preset.
	pub fn new() -> Self {
		Self::with(Value::Null)
	}

	/// The genesis of the development preset with a patch laid over it.
	pub fn with(patch: Value) -> Self {
		Self::with_authors(patch, Authors::alice())
	}

	/// The same with other validators.
	pub fn with_authors(patch: Value, authors: Authors) -> Self {
		let mut genesis = genesis(authors.patch());
		lay_over(&mut genesis, patch);
		let mut state = TestExternalities::default();
		let parent = state.execute_with(|| {
			let genesis = serde_json::to_vec(&genesis).unwrap();
			build_state::<RuntimeGenesisConfig>(genesis).unwrap();
			System::block_hash(0u32)
		});
		state.commit_all().unwrap();
		Self { state, authors, slot: START, parent, pending: Vec::new(), checked: true }
	}

	/// The same without the invariants checked after each block: that reads everything there is.
	pub fn unchecked(self) -> Self {
		Self { checked: false, ..self }
	}

	/// Checks every invariant.
	pub fn check(&mut self) {
		self.read(|| check_invariants().expect("every invariant holds"));
	}

	/// Looks at the state after the last block. What `look` changes is forgotten.
	pub fn read<R>(&mut self, look: impl FnOnce() -> R) -> R {
		self.state
			.execute_with(|| with_transaction_unchecked(|| TransactionOutcome::Rollback(look())))
	}

	/// Changes the state between two blocks.
	pub fn edit<R>(&mut self, change: impl FnOnce() -> R) -> R {
		let changed = self.state.execute_with(change);
		self.state.commit_all().unwrap();
		changed
	}

	/// Gives an account money from nowhere.
	pub fn fund(&mut self, account: &AccountId, amount: Balance) {
		self.edit(|| Balances::mint_into(account, amount)).unwrap();
	}

	/// The state after the last block.
	pub fn state(&self) -> &State {
		&self.state.backend
	}

	/// The slot of the last block, or after it the last one that was left empty.
	pub fn slot(&self) -> u64 {
		self.slot
	}

	/// The place of a coming slot's author, in this epoch or the next: what everybody can know.
	pub fn turn(&mut self, slot: u64) -> usize {
		self.state.execute_with(|| self.authors.turn(slot.into()))
	}

	/// The output that a coming slot's block would have: what nobody but its author can know.
	pub fn output(&mut self, slot: u64) -> [u8; 32] {
		self.state.execute_with(|| self.authors.output(slot.into()))
	}

	/// Leaves the next slot empty.
	pub fn skip(&mut self) {
		self.slot += 1;
	}

	/// Which keys `act` touches in the state after the last block. What it changes is forgotten.
	pub fn count<R>(&self, act: impl FnOnce() -> R) -> (R, Keys) {
		count::count(self.state(), |ext| set_and_run_with_externalities(ext, act))
	}

	/// What the hooks of the next block would do after its inherents.
	pub fn poll(&self) -> Polled {
		let slot = self.slot + 1;
		let (before, begun) = self.count(|| {
			begin(slot, &self.header());
			(mandatory_weight(), System::events().len())
		});
		let ((weight, events), polled) = self.count(|| {
			begin(slot, &self.header());
			Executive::inherents_applied();
			(mandatory_weight(), System::events())
		});
		Polled {
			keys: polled.beyond(&begun),
			weight: weight.saturating_sub(before.0),
			events: events.into_iter().skip(before.1).map(|record| record.event).collect(),
		}
	}

	/// Has `key` sign a transaction for the next block.
	pub fn submit(&mut self, key: &Key, call: RuntimeCall) {
		self.pending.push((key.clone(), call));
	}

	/// Makes a block of what was submitted, and says what came of each.
	pub fn block(&mut self) -> Vec<ApplyExtrinsicResult> {
		let pending = core::mem::take(&mut self.pending);
		self.block_of(|| {
			pending
				.into_iter()
				.map(|(key, call)| Executive::apply_extrinsic(sign(&key, call)))
				.collect()
		})
	}

	/// Makes a block of these calls, each signed by its key. What the chain does not take leaves
	/// nothing behind.
	pub fn block_with(&mut self, calls: Vec<(&Key, RuntimeCall)>) -> Vec<ApplyExtrinsicResult> {
		self.block_of(|| {
			calls.into_iter().map(|(key, call)| author::apply(&sign(key, call))).collect()
		})
	}

	/// Makes a block in which every submitted transaction has to succeed.
	pub fn block_ok(&mut self) {
		for result in self.block() {
			result.expect("the transaction is valid").expect("the call succeeds");
		}
	}

	/// Makes a block, of which `fill` is everything between hooks and end.
	pub fn block_of<R>(&mut self, fill: impl FnOnce() -> R) -> R {
		let (header, filled) = self.build(None, fill);
		self.take(&header);
		filled
	}

	/// Makes a block of these transactions, all of which have to succeed, and leaves the state as
	/// it was.
	pub fn draft(&mut self, transactions: Vec<UncheckedExtrinsic>) -> Block {
		let (header, ()) = self.build(None, || {
			for transaction in &transactions {
				Executive::apply_extrinsic(transaction.clone())
					.expect("the transaction is valid")
					.expect("the call succeeds");
			}
		});
		self.state.reset_overlay();
		let extrinsics = core::iter::once(time(self.slot + 1)).chain(transactions).collect();
		Block { header, extrinsics }
	}

	/// Makes the block that was drafted part of the chain.
	pub fn import(&mut self, block: &Block) {
		let (header, ()) = self.build(Some(&block.header), || {
			for transaction in block.extrinsics.iter().skip(1) {
				let applied = Executive::apply_extrinsic(transaction.clone());
				applied.expect("it was valid in the draft").expect("it succeeded in the draft");
			}
		});
		assert_eq!(header, block.header, "the block is of this state");
		self.take(&header);
	}

	/// What an indexing node keeps beside the state under a key.
	pub fn kept(&self, key: &[u8]) -> Option<Vec<u8>> {
		self.state.offchain_db().get(key)
	}

	/// The events of the last block.
	pub fn events(&mut self) -> Vec<RuntimeEvent> {
		self.read(|| System::events().into_iter().map(|record| record.event).collect())
	}

	/// Makes the next block, again if its header is known already: a proof of the author's output
	/// is another one each time. The state has the block only once it is taken.
	fn build<R>(&mut self, known: Option<&Header>, fill: impl FnOnce() -> R) -> (Header, R) {
		let Self { state, authors, slot, parent, .. } = self;
		let slot = *slot + 1;
		state.execute_with(|| {
			let header = known.cloned().unwrap_or_else(|| header(authors, slot, *parent));
			begin(slot, &header);
			Executive::inherents_applied();
			let filled = fill();
			(Executive::finalize_block(), filled)
		})
	}

	/// The header that the next block begins with. Reads the state.
	fn header(&self) -> Header {
		header(&self.authors, self.slot + 1, self.parent)
	}

	fn take(&mut self, header: &Header) {
		self.slot += 1;
		self.parent = header.hash();
		self.state.persist_offchain_overlay();
		self.state.commit_all().unwrap();
		if self.checked {
			self.check();
		}
	}
}

/// The part of the block up to its hooks: its beginning and the time.
fn begin(slot: u64, header: &Header) {
	Executive::initialize_block(header);
	Executive::apply_extrinsic(time(slot)).expect("the time is valid").expect("the time is set");
}

/// The weight of this block so far that nobody signed for.
pub fn mandatory_weight() -> Weight {
	*System::block_weight().get(DispatchClass::Mandatory)
}

/// The inherent that sets the time of a slot.
fn time(slot: u64) -> UncheckedExtrinsic {
	let call = pallet_timestamp::Call::set { now: slot * SLOT_MILLISECONDS };
	UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(call))
}

/// A transaction with the account's next nonce. Reads the state.
pub fn sign(key: &Key, call: RuntimeCall) -> UncheckedExtrinsic {
	sign_as(key, call, System::account_nonce(key.account()), 0)
}

/// A transaction with a nonce and a tip. Reads the state.
pub fn sign_as(key: &Key, call: RuntimeCall, nonce: Nonce, tip: Balance) -> UncheckedExtrinsic {
	let genesis = System::block_hash(0u32);
	let extension = tx_extension(nonce, Era::Immortal, tip);
	let payload = signed_payload(call, extension, genesis, genesis);
	let signature = payload.using_encoded(|message| key.sign(message));
	let (call, extension, _) = payload.deconstruct();
	UncheckedExtrinsic::new_signed(call, Address::Id(key.account()), signature, extension)
}

/// The header that the author of this slot begins a block with.
fn header(authors: &Authors, slot: u64, parent: Hash) -> Header {
	let digest = Digest {
		logs: vec![DigestItem::PreRuntime(
			BABE_ENGINE_ID,
			authors.pre_digest(slot.into()).encode(),
		)],
	};
	Header::new(System::block_number() + 1, Hash::zero(), Hash::zero(), parent, digest)
}

/// The default genesis with the development preset laid over it, and `patch` over that.
pub fn genesis(patch: Value) -> Value {
	let default = get_preset::<RuntimeGenesisConfig>(&None, |_| None).unwrap();
	let mut genesis = serde_json::from_slice(&default).unwrap();
	lay_over(&mut genesis, genesis_config_presets::development());
	lay_over(&mut genesis, patch);
	genesis
}

fn lay_over(base: &mut Value, patch: Value) {
	match (base, patch) {
		(Value::Object(base), Value::Object(patch)) => {
			for (key, value) in patch {
				lay_over(base.entry(key).or_insert(Value::Null), value);
			}
		},
		(_, Value::Null) => {},
		(base, patch) => *base = patch,
	}
}

/// Free and held tokens of an account, in the smallest unit.
pub fn wealth(account: &AccountId) -> Balance {
	<Balances as Inspect<AccountId>>::total_balance(account)
}
