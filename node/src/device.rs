//! Device keys: what the off-chain worker of a node signs its commits and reveals with.
//!
//! A device is registered by its owner, with a signature by the device that names the owner, so
//! nobody can take somebody else's key. `device new` makes a key in the node's keystore and prints
//! that signature; `workers.add_device` takes it.

use crate::{chain_spec, cli::Cli, partial::Hash};
use sc_cli::{Error, KeystoreParams, SharedParams, SubstrateCli};
use sc_service::{
	config::{BasePath, KeystoreConfig},
	ChainSpec, KeystoreContainer,
};
use serde_json::{json, Value};
use sp_core::{
	bytes::to_hex,
	crypto::{SecretString, Ss58Codec},
	ed25519,
};
use sp_keystore::{Keystore, KeystorePtr};
use tequio_primitives::device::{proof_message, KEY_TYPE};
use tequio_runtime::AccountId;

/// What to do with device keys.
#[derive(Debug, clap::Subcommand)]
pub enum DeviceCmd {
	/// Put a new device key into the node's keystore, and print its account and proof as JSON.
	New {
		/// Secret URI of the key, or a file that holds it, instead of a random one.
		#[arg(long, value_name = "URI")]
		suri: Option<String>,

		#[command(flatten)]
		target: Target,
	},

	/// Print accounts and proofs of all device keys in the node's keystore as a JSON list.
	Show {
		#[command(flatten)]
		target: Target,
	},
}

/// Whose devices they are, of which chain, in which keystore.
#[derive(Debug, clap::Args)]
pub struct Target {
	/// Account that will own the device, in SS58 or hex.
	#[arg(long, value_name = "ACCOUNT")]
	owner: AccountId,

	#[command(flatten)]
	shared: SharedParams,

	#[command(flatten)]
	keystore: KeystoreParams,
}

impl DeviceCmd {
	/// Does it.
	pub fn run(&self) -> sc_cli::Result<()> {
		println!("{:#}", self.answer()?);
		Ok(())
	}

	fn answer(&self) -> sc_cli::Result<Value> {
		let (Self::New { target, .. } | Self::Show { target }) = self;
		let spec = chain_spec::load(&target.shared.chain_id(target.shared.is_dev()))?;
		let config = target.keystore_config(&*spec)?;
		let keystore = KeystoreContainer::new(&config)?.keystore();
		let genesis = chain_spec::genesis_hash(&*spec)?;
		match self {
			Self::New { suri, .. } => {
				let device = insert(&keystore, suri.as_ref(), password(config))?;
				prove(&keystore, device, &genesis, &target.owner)
			},
			Self::Show { .. } => {
				let mut devices = keystore.ed25519_public_keys(KEY_TYPE);
				devices.sort();
				let proofs = devices
					.into_iter()
					.map(|device| prove(&keystore, device, &genesis, &target.owner));
				Ok(Value::Array(proofs.collect::<sc_cli::Result<_>>()?))
			},
		}
	}
}

impl Target {
	/// The keystore of the node that runs with the same arguments.
	fn keystore_config(&self, spec: &dyn ChainSpec) -> sc_cli::Result<KeystoreConfig> {
		let kept = self.shared.base_path.is_some() || self.keystore.keystore_path.is_some();
		if self.shared.is_dev() && !kept {
			let reason = "--dev keeps nothing: add the node's --base-path or --keystore-path";
			return Err(Error::Input(reason.into()));
		}
		let base_path = self
			.shared
			.base_path()?
			.unwrap_or_else(|| BasePath::from_project("", "", &Cli::executable_name()));
		self.keystore.keystore_config(&base_path.config_dir(spec.id()))
	}
}

fn password(config: KeystoreConfig) -> Option<SecretString> {
	match config {
		KeystoreConfig::Path { password, .. } => password,
		KeystoreConfig::InMemory => None,
	}
}

/// Puts the key of a secret URI, or a random one, into the keystore.
fn insert(
	keystore: &KeystorePtr,
	suri: Option<&String>,
	password: Option<SecretString>,
) -> sc_cli::Result<ed25519::Public> {
	let Some(suri) = suri else {
		return keystore.ed25519_generate_new(KEY_TYPE, None).map_err(application);
	};
	let suri = sc_cli::utils::read_uri(Some(suri))?;
	let pair = sc_cli::utils::pair_from_suri::<ed25519::Pair>(&suri, password)?;
	let public = sp_core::Pair::public(&pair);
	keystore.insert(KEY_TYPE, &suri, public.as_ref()).map_err(|()| Error::KeystoreOperation)?;
	Ok(public)
}

/// Signs, as the device, that `owner` may register it on the chain of this genesis.
fn prove(
	keystore: &KeystorePtr,
	device: ed25519::Public,
	genesis: &Hash,
	owner: &AccountId,
) -> sc_cli::Result<Value> {
	let proof = keystore
		.ed25519_sign(KEY_TYPE, &device, &proof_message(genesis, owner))
		.map_err(application)?
		.ok_or(Error::KeystoreOperation)?;
	Ok(json!({
		"device": AccountId::from(device).to_ss58check(),
		"publicKey": to_hex(device.as_ref(), false),
		"owner": owner.to_ss58check(),
		"genesis": to_hex(genesis.as_ref(), false),
		"proof": to_hex(proof.as_ref(), false),
	}))
}

fn application(error: sp_keystore::Error) -> Error {
	Error::Application(Box::new(error))
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use crate::cli::Subcommand;
	use sp_core::Pair;
	use std::path::Path;

	const OWNER: [u8; 32] = [7; 32];

	fn device(verb: &str, keystore: Option<&Path>, more: &[&str]) -> sc_cli::Result<Value> {
		let owner = AccountId::from(OWNER).to_ss58check();
		let mut args = vec!["tequio-node", "device", verb, "--dev", "--owner", &owner];
		if let Some(path) = keystore {
			args.extend(["--keystore-path", path.to_str().unwrap()]);
		}
		args.extend(more);
		match Cli::try_from_iter(args).unwrap().subcommand {
			Some(Subcommand::Device(cmd)) => cmd.answer(),
			other => panic!("not a device command: {other:?}"),
		}
	}

	fn bytes<const N: usize>(value: &Value) -> [u8; N] {
		sp_core::bytes::from_hex(value.as_str().unwrap()).unwrap().try_into().unwrap()
	}

	fn assert_proves(answer: &Value) {
		let message = [&b"tequio/device"[..], &bytes::<32>(&answer["genesis"]), &OWNER].concat();
		let public = ed25519::Public::from_raw(bytes(&answer["publicKey"]));
		let proof = ed25519::Signature::from_raw(bytes(&answer["proof"]));
		assert!(ed25519::Pair::verify(&proof, message, &public));
		assert_eq!(answer["device"], AccountId::from(public).to_ss58check());
	}

	#[test]
	fn new_works() {
		let folder = tempfile::tempdir().unwrap();
		let random = device("new", Some(folder.path()), &[]).unwrap();
		let named = device("new", Some(folder.path()), &["--suri", "//Device"]).unwrap();
		assert_proves(&random);
		assert_proves(&named);
		let expected = ed25519::Pair::from_string("//Device", None).unwrap().public();
		assert_eq!(bytes::<32>(&named["publicKey"]), expected.0);

		let shown = device("show", Some(folder.path()), &[]).unwrap();
		let shown = shown.as_array().unwrap();
		assert_eq!(shown.len(), 2);
		assert!(shown.contains(&random) && shown.contains(&named));
	}

	#[test]
	fn new_should_fail_when_the_keystore_is_not_kept() {
		let error = device("new", None, &[]).unwrap_err().to_string();
		assert!(error.contains("--keystore-path"), "{error}");
	}

	#[test]
	fn new_should_fail_when_the_secret_uri_is_malformed() {
		let folder = tempfile::tempdir().unwrap();
		assert!(device("new", Some(folder.path()), &["--suri", "not a phrase"]).is_err());
		assert_eq!(device("show", Some(folder.path()), &[]).unwrap(), json!([]));
	}
}
