//! Chain specifications: the development chain, and what a file says.

use crate::partial::{Block, Hash, HostFunctions};
use sc_chain_spec::DEV_RUNTIME_PRESET;
use sc_executor::WasmExecutor;
use sc_service::{
	BuildGenesisBlock, ChainSpec, ChainType, GenericChainSpec, GenesisBlockBuilder, Properties,
};
use std::{path::Path, sync::Arc};
use tequio_runtime::WASM_BINARY;

type Specification = GenericChainSpec;

/// The chain that `--chain` names: `dev`, or the path of a chain specification file.
///
/// Fails, with what to do, for any other name.
pub fn load(id: &str) -> Result<Box<dyn ChainSpec>, String> {
	match id {
		"dev" => Ok(Box::new(development()?)),
		"" => {
			Err("no chain is named: start with --dev, or give --chain dev or --chain FILE".into())
		},
		path if Path::new(path).is_file() => {
			Ok(Box::new(Specification::from_json_file(path.into())?))
		},
		unknown => Err(format!(
			"there is no chain `{unknown}`: give --chain dev, or the path of a chain specification file"
		)),
	}
}

/// One validator, Alice, with short windows: the runtime's preset says how short.
fn development() -> Result<Specification, String> {
	let wasm = WASM_BINARY
		.ok_or("this node was built without its runtime: build it without SKIP_WASM_BUILD")?;
	Ok(Specification::builder(wasm, None)
		.with_name("Tequio Development")
		.with_id("tequio_dev")
		.with_protocol_id("tequio-dev")
		.with_chain_type(ChainType::Development)
		.with_properties(properties())
		.with_genesis_config_preset_name(DEV_RUNTIME_PRESET)
		.build())
}

/// What wallets need to show amounts and accounts.
fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), "TEQ".into());
	properties.insert("tokenDecimals".into(), 12.into());
	properties.insert("ss58Format".into(), 42.into());
	properties
}

/// Hash of the chain's first block, computed from its genesis storage as a node does when it starts
/// on an empty database.
pub fn genesis_hash(spec: &dyn ChainSpec) -> sp_blockchain::Result<Hash> {
	let backend = Arc::new(sc_client_api::in_mem::Backend::<Block>::new());
	let executor = WasmExecutor::<HostFunctions>::builder().build();
	let builder = GenesisBlockBuilder::new(spec.as_storage_builder(), true, backend, executor)?;
	let (genesis, _): (Block, _) = builder.build_genesis_block()?;
	Ok(genesis.header.hash())
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::{genesis_hash, load};

	#[test]
	fn load_should_fail_when_no_chain_is_named() {
		assert!(load("").is_err_and(|error| error.contains("--dev")));
	}

	#[test]
	fn load_should_fail_when_the_chain_is_unknown() {
		assert!(load("nowhere").is_err_and(|error| error.contains("nowhere")));
	}

	#[test]
	fn an_exported_chain_is_the_same_chain() {
		let folder = tempfile::tempdir().unwrap();
		let preset = load("dev").unwrap();
		let expected = genesis_hash(&*preset).unwrap();
		for raw in [false, true] {
			let path = folder.path().join(format!("{raw}.json"));
			std::fs::write(&path, preset.as_json(raw).unwrap()).unwrap();
			let exported = load(path.to_str().unwrap()).unwrap();
			assert_eq!(genesis_hash(&*exported).unwrap(), expected);
			assert_eq!(exported.properties(), preset.properties());
		}
	}
}
