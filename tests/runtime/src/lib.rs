//! # A small world around the real runtime
//!
//! [`World`] starts from the development preset and makes real blocks: a BABE digest with a real
//! VRF output by Alice, the timestamp, hooks, signed transactions, the end of the block. After each
//! block every invariant is checked.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | `lib.rs` | the chain |
//! | [`keys`] | who signs |
//! | [`owner`] | owners, each with a device; enrolling them and letting them work |
//! | [`device`] | devices that compute with a cheap hash in RandomX's place: honest ones, liars, silent ones |
//! | [`search`] | that hash, and tasks over it |
//! | `tests/story.rs` | tasks from submission to payout, with honest and with lying devices |
//! | `tests/fees.rs` | what is free, for whom, and what pays |
//! | `tests/random_calls.rs` | every invariant after each block of random calls |

#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod device;
pub mod keys;
pub mod owner;
pub mod search;

use codec::Encode;
use frame_support::{
	genesis_builder_helper::{build_state, get_preset},
	traits::fungible::Inspect,
};
use keys::Key;
use serde_json::Value;
use sp_consensus_babe::{
	digests::{PreDigest, SecondaryVRFPreDigest},
	make_vrf_sign_data, Slot, BABE_ENGINE_ID,
};
use sp_core::crypto::VrfSecret;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::Header as _, ApplyExtrinsicResult, Digest, DigestItem};
use tequio_runtime::{
	check_invariants, genesis_config_presets, signing::signed_extrinsic, AccountId, Babe, Balance,
	Balances, Executive, Hash, Header, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig, System,
	UncheckedExtrinsic, EPOCH_SLOTS, SLOT_MILLISECONDS,
};

/// The slot before that of the first block.
const START: u64 = 1_000;

/// A chain of one validator.
pub struct World {
	state: TestExternalities,
	slot: u64,
	parent: Hash,
	pending: Vec<(Key, RuntimeCall)>,
}

impl Default for World {
	fn default() -> Self {
		Self::new()
	}
}

impl World {
	/// The genesis of the development preset.
	pub fn new() -> Self {
		let mut state = TestExternalities::default();
		let parent = state.execute_with(|| {
			let genesis = serde_json::to_vec(&genesis()).unwrap();
			build_state::<RuntimeGenesisConfig>(genesis).unwrap();
			System::block_hash(0u32)
		});
		state.commit_all().unwrap();
		Self { state, slot: START, parent, pending: Vec::new() }
	}

	/// Looks at the state after the last block.
	pub fn read<R>(&mut self, look: impl FnOnce() -> R) -> R {
		self.state.execute_with(look)
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

	/// Makes a block in which every submitted transaction has to succeed.
	pub fn block_ok(&mut self) {
		for result in self.block() {
			result.expect("the transaction is valid").expect("the call succeeds");
		}
	}

	/// Makes a block, of which `fill` is everything between hooks and end.
	pub fn block_of<R>(&mut self, fill: impl FnOnce() -> R) -> R {
		self.slot += 1;
		let (slot, parent) = (self.slot, self.parent);
		let (header, filled) = self.state.execute_with(|| {
			Executive::initialize_block(&header(slot, parent));
			let time = pallet_timestamp::Call::set { now: slot * SLOT_MILLISECONDS };
			Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(time)))
				.expect("the time is valid")
				.expect("the time is set");
			Executive::inherents_applied();
			let filled = fill();
			(Executive::finalize_block(), filled)
		});
		self.parent = header.hash();
		self.state.commit_all().unwrap();
		self.read(|| check_invariants().expect("every invariant holds after every block"));
		filled
	}

	/// The events of the last block.
	pub fn events(&mut self) -> Vec<RuntimeEvent> {
		self.read(|| System::events().into_iter().map(|record| record.event).collect())
	}
}

/// A transaction with the account's next nonce. Reads the state.
pub fn sign(key: &Key, call: RuntimeCall) -> UncheckedExtrinsic {
	let nonce = System::account_nonce(key.account());
	let genesis = System::block_hash(0u32);
	signed_extrinsic(call, key.account(), nonce, genesis, |message| key.sign(message))
}

/// The header that Alice begins a block of this slot with.
fn header(slot: u64, parent: Hash) -> Header {
	let digest = Digest {
		logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, pre_digest(slot.into()).encode())],
	};
	Header::new(System::block_number() + 1, Hash::zero(), Hash::zero(), parent, digest)
}

/// Alice's turn in a secondary slot, with the output of her key for the slot in its epoch.
fn pre_digest(slot: Slot) -> PreDigest {
	let current = Babe::current_epoch();
	let begun = System::block_number() > 0;
	let over = begun && *slot >= *Babe::current_epoch_start() + EPOCH_SLOTS;
	let epoch = if over { Babe::next_epoch() } else { current };
	let data = make_vrf_sign_data(&epoch.randomness, slot, epoch.epoch_index);
	let vrf_signature = Sr25519Keyring::Alice.pair().vrf_sign(&data);
	PreDigest::SecondaryVRF(SecondaryVRFPreDigest { authority_index: 0, slot, vrf_signature })
}

/// The default genesis with the development preset laid over it.
fn genesis() -> Value {
	let default = get_preset::<RuntimeGenesisConfig>(&None, |_| None).unwrap();
	let mut genesis = serde_json::from_slice(&default).unwrap();
	lay_over(&mut genesis, genesis_config_presets::development());
	genesis
}

fn lay_over(base: &mut Value, patch: Value) {
	match (base, patch) {
		(Value::Object(base), Value::Object(patch)) => {
			for (key, value) in patch {
				lay_over(base.entry(key).or_insert(Value::Null), value);
			}
		},
		(base, patch) => *base = patch,
	}
}

/// Free and held tokens of an account, in the smallest unit.
pub fn wealth(account: &AccountId) -> Balance {
	<Balances as Inspect<AccountId>>::total_balance(account)
}
