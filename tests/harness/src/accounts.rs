//! Keys: cold accounts that stake and pay (sr25519), and device keys that worker nodes sign with
//! (ed25519).

use anyhow::{anyhow, Result};
use sp_core::{ed25519, sr25519, Pair};
use sp_runtime::{traits::IdentifyAccount, MultiSignature, MultiSigner};
use std::{fs, os::unix::fs::OpenOptionsExt, path::Path};
use tequio_primitives::device::KEY_TYPE;
use tequio_runtime::AccountId;

/// Whoever signs transactions.
pub trait Signer {
	/// The account that it signs for.
	fn account(&self) -> AccountId;

	/// Signs.
	fn signature(&self, message: &[u8]) -> MultiSignature;
}

/// A cold account.
#[derive(Clone)]
pub struct Account {
	uri: String,
	pair: sr25519::Pair,
}

impl Account {
	/// From a secret URI such as `//Alice`.
	pub fn from_uri(uri: &str) -> Result<Self> {
		let pair =
			sr25519::Pair::from_string(uri, None).map_err(|error| anyhow!("{uri}: {error:?}"))?;
		Ok(Self { uri: uri.to_owned(), pair })
	}

	/// What people call it: its URI without the slashes.
	pub fn name(&self) -> &str {
		self.uri.trim_start_matches('/')
	}

	/// Its account.
	pub fn id(&self) -> AccountId {
		MultiSigner::from(self.pair.public()).into_account()
	}
}

impl Signer for Account {
	fn account(&self) -> AccountId {
		self.id()
	}

	fn signature(&self, message: &[u8]) -> MultiSignature {
		self.pair.sign(message).into()
	}
}

/// A device key.
#[derive(Clone)]
pub struct Device {
	uri: String,
	pair: ed25519::Pair,
}

impl Device {
	/// From a secret URI such as `//Alice//device`.
	pub fn from_uri(uri: &str) -> Result<Self> {
		let pair =
			ed25519::Pair::from_string(uri, None).map_err(|error| anyhow!("{uri}: {error:?}"))?;
		Ok(Self { uri: uri.to_owned(), pair })
	}

	/// Its account: the 32 bytes of its public key.
	pub fn id(&self) -> AccountId {
		MultiSigner::from(self.pair.public()).into_account()
	}

	/// Its public key.
	pub fn public(&self) -> ed25519::Public {
		self.pair.public()
	}

	/// Signs.
	pub fn sign(&self, message: &[u8]) -> ed25519::Signature {
		self.pair.sign(message)
	}

	/// Writes it where a node with this `--keystore-path` finds it: a file named by key type and
	/// public key, in hex, that holds the URI as a JSON string.
	pub fn write_to_keystore(&self, keystore: &Path) -> Result<()> {
		let name = hex::encode(KEY_TYPE.0) + &hex::encode(self.public());
		let mut options = fs::OpenOptions::new();
		let file = options
			.create(true)
			.write(true)
			.truncate(true)
			.mode(0o600)
			.open(keystore.join(name))?;
		Ok(serde_json::to_writer(file, &self.uri)?)
	}
}

impl Signer for Device {
	fn account(&self) -> AccountId {
		self.id()
	}

	fn signature(&self, message: &[u8]) -> MultiSignature {
		self.sign(message).into()
	}
}
