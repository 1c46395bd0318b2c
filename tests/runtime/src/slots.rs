//! Slots: who makes the block of each, and the VRF output that comes with it.
//!
//! Every slot is a secondary one: its author follows from the randomness of its epoch, and everybody
//! knows it an epoch ahead. The output follows from the author's key, so the author knows it as
//! early, and nobody else before the block is there.

use crate::keys::Key;
use codec::Encode;
use serde_json::{json, Value};
use sp_consensus_babe::{
	digests::{PreDigest, SecondaryVRFPreDigest},
	make_vrf_sign_data, make_vrf_transcript, Epoch, Slot, RANDOMNESS_VRF_CONTEXT,
};
use sp_core::{crypto::VrfSecret, ed25519, sr25519, Pair, U256};
use sp_io::hashing::blake2_256;
use sp_keyring::Sr25519Keyring;
use tequio_runtime::{opaque::SessionKeys, AccountId, Babe, System, EPOCH_SLOTS};

/// Those who make blocks, in the order of the validator set.
pub struct Authors {
	keys: Vec<sr25519::Pair>,
	/// Their session keys, where they are others than in the preset.
	session: Option<Vec<(AccountId, AccountId, SessionKeys)>>,
}

impl Authors {
	/// The only one of the development preset.
	pub fn alice() -> Self {
		Self { keys: vec![Sr25519Keyring::Alice.pair()], session: None }
	}

	/// So many, with equal chances. Another seed gives other keys, and so other outputs.
	pub fn many(number: u32, seed: u64) -> Self {
		let pair = |place: u32| sr25519::Pair::from_seed(&blake2_256(&(seed, place).encode()));
		let keys: Vec<_> = (0..number).map(pair).collect();
		let session = keys.iter().zip(0u32..).map(|(pair, place)| {
			let account = Self::account(place);
			let finality = blake2_256(&(b"finality", seed, place).encode());
			let grandpa = ed25519::Pair::from_seed(&finality).public().into();
			let keys = SessionKeys { babe: pair.public().into(), grandpa };
			(account.clone(), account, keys)
		});
		let session = Some(session.collect());
		Self { keys, session }
	}

	/// The account that gets the fees of the author in this place, of many.
	pub fn account(place: u32) -> AccountId {
		Key::named(&format!("Author{place}")).account()
	}

	/// What the genesis has to say for these to be the authors.
	pub(crate) fn patch(&self) -> Value {
		match &self.session {
			Some(keys) => json!({ "session": { "keys": keys } }),
			None => Value::Null,
		}
	}

	/// The place of a slot's author. Reads the state.
	pub(crate) fn turn(&self, slot: Slot) -> usize {
		self.turn_in(&epoch_of(slot), slot)
	}

	/// What the block of a slot begins with. Reads the state.
	pub(crate) fn pre_digest(&self, slot: Slot) -> PreDigest {
		let epoch = epoch_of(slot);
		let place = self.turn_in(&epoch, slot);
		let data = make_vrf_sign_data(&epoch.randomness, slot, epoch.epoch_index);
		let vrf_signature = self.keys[place].vrf_sign(&data);
		let authority_index = u32::try_from(place).unwrap_or(0);
		PreDigest::SecondaryVRF(SecondaryVRFPreDigest { authority_index, slot, vrf_signature })
	}

	/// What the beacon will have of a slot's block. Reads the state.
	pub(crate) fn output(&self, slot: Slot) -> [u8; 32] {
		let epoch = epoch_of(slot);
		let input = make_vrf_transcript(&epoch.randomness, slot, epoch.epoch_index);
		self.keys[self.turn_in(&epoch, slot)].make_bytes(RANDOMNESS_VRF_CONTEXT, &input)
	}

	fn turn_in(&self, epoch: &Epoch, slot: Slot) -> usize {
		let draw = U256::from_big_endian(&blake2_256(&(epoch.randomness, slot).encode()));
		let place = draw % U256::from(self.keys.len());
		usize::try_from(place.low_u64()).unwrap_or(0)
	}
}

/// The epoch that a slot will lie in: the present one or the next.
fn epoch_of(slot: Slot) -> Epoch {
	let begun = System::block_number() > 0;
	let over = begun && *slot >= *Babe::current_epoch_start() + EPOCH_SLOTS;
	if over {
		Babe::next_epoch()
	} else {
		Babe::current_epoch()
	}
}
