//! Client, database, keystore and transaction pool: the node before it has a network.

use crate::consensus::{self, Links};
use sc_consensus::{DefaultImportQueue, LongestChain};
use sc_consensus_grandpa::GrandpaPruningFilter;
use sc_executor::WasmExecutor;
use sc_service::{Configuration, Error, TFullBackend, TFullClient, TaskManager};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool::TransactionPoolHandle;
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use tequio_interface::host;
use tequio_runtime::RuntimeApi;

pub use tequio_runtime::{opaque::Block, Hash};

/// What the runtime may import: Substrate's own functions, and those that hand jobs to a worker
/// process.
///
/// They have to be linked on every node, because Wasm with a missing import cannot be instantiated.
/// They answer only in the off-chain worker of a node that has a worker process: see
/// [`crate::offchain`].
pub type HostFunctions = (sp_io::SubstrateHostFunctions, host::HostFunctions);

/// The chain: state, blocks and runtime calls.
pub type FullClient = TFullClient<Block, RuntimeApi, WasmExecutor<HostFunctions>>;
/// The database.
pub type FullBackend = TFullBackend<Block>;
/// The rule for the best block.
pub type FullSelectChain = LongestChain<FullBackend, Block>;
/// The transaction pool.
pub type FullPool = TransactionPoolHandle<Block, FullClient>;

/// What every part of the node uses.
#[derive(Clone)]
pub struct Shared {
	/// The chain.
	pub client: Arc<FullClient>,
	/// The database.
	pub backend: Arc<FullBackend>,
	/// Session keys and device keys.
	pub keystore: KeystorePtr,
	/// Transactions that wait for a block.
	pub pool: Arc<FullPool>,
	/// The rule for the best block.
	pub select_chain: FullSelectChain,
}

/// A node without a network.
pub struct Partial {
	/// What every part uses.
	pub shared: Shared,
	/// Runs the node's tasks, and ends them all when an essential one ends.
	pub tasks: TaskManager,
	/// Reports to telemetry servers, if any are named.
	pub telemetry: Option<Telemetry>,
	/// What import, authoring and finality share.
	pub links: Links,
	/// Checks blocks from the network.
	pub import_queue: DefaultImportQueue<Block>,
}

/// Opens database and keystore (and writes the genesis block into an empty database), and prepares
/// the import of blocks.
pub fn assemble(config: &Configuration) -> Result<Partial, Error> {
	let telemetry = match config.telemetry_endpoints.clone().filter(|all| !all.is_empty()) {
		Some(endpoints) => {
			let worker = TelemetryWorker::new(16)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Some((worker, telemetry))
		},
		None => None,
	};
	let handle = telemetry.as_ref().map(|(_, telemetry)| telemetry.handle());

	let executor = sc_service::new_wasm_executor::<HostFunctions>(&config.executor);
	let (client, backend, keystore, tasks) = sc_service::new_full_parts::<Block, RuntimeApi, _>(
		config,
		handle.clone(),
		executor,
		vec![Arc::new(GrandpaPruningFilter)],
	)?;
	let client = Arc::new(client);

	let telemetry = telemetry.map(|(worker, telemetry)| {
		tasks.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});
	let pool = sc_transaction_pool::Builder::new(
		tasks.spawn_essential_handle(),
		client.clone(),
		config.role.is_authority().into(),
	)
	.with_options(config.transaction_pool.clone())
	.with_prometheus(config.prometheus_registry())
	.build();

	let shared = Shared {
		select_chain: LongestChain::new(backend.clone()),
		keystore: keystore.keystore(),
		pool: Arc::new(pool),
		client,
		backend,
	};
	let (import_queue, links) = consensus::import(config, &shared, &tasks, handle)?;
	Ok(Partial { shared, tasks, telemetry, links, import_queue })
}
