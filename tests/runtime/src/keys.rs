//! Who signs: owners and requesters with Sr25519, devices with Ed25519.

use codec::Encode;
use sp_core::{ed25519, sr25519, Pair};
use sp_io::hashing::blake2_256;
use sp_runtime::{traits::IdentifyAccount, MultiSigner};
use tequio_runtime::{AccountId, Signature};

/// A key pair of one of the kinds in use.
#[derive(Clone)]
#[allow(clippy::large_enum_variant)] // A handful exist.
pub enum Key {
	/// Of an owner or a requester.
	Account(sr25519::Pair),
	/// Of a device.
	Device(ed25519::Pair),
}

impl Key {
	/// The well-known account of this name, such as `Bob` or `Bob//stash`.
	pub fn named(name: &str) -> Self {
		Self::Account(sr25519::Pair::from_string(&format!("//{name}"), None).unwrap())
	}

	/// Device number `number`.
	pub fn device(number: u32) -> Self {
		Self::Device(ed25519::Pair::from_seed(&blake2_256(&number.encode())))
	}

	/// The account that it signs for.
	pub fn account(&self) -> AccountId {
		match self {
			Self::Account(pair) => MultiSigner::from(pair.public()).into_account(),
			Self::Device(pair) => MultiSigner::from(pair.public()).into_account(),
		}
	}

	/// Signs a message.
	pub fn sign(&self, message: &[u8]) -> Signature {
		match self {
			Self::Account(pair) => pair.sign(message).into(),
			Self::Device(pair) => pair.sign(message).into(),
		}
	}

	/// A device's signature that lets an owner register it.
	pub fn prove(&self, message: &[u8]) -> ed25519::Signature {
		match self {
			Self::Account(_) => ed25519::Signature::from_raw([0; 64]),
			Self::Device(pair) => pair.sign(message),
		}
	}
}
