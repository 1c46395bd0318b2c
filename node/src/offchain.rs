//! The off-chain worker: the runtime's code that turns duties into jobs and results into commits
//! and reveals.
//!
//! It runs in Wasm at each new best block, and again when there is news ([`occasions`]). It reaches
//! the worker process through a [`WorkerLink`], which is handed to it as an extension that nothing
//! else is given, so block execution cannot depend on what a worker process says.

mod occasions;

use crate::{
	network::Network,
	partial::{Block, Hash, Shared},
};
use futures::{future, FutureExt, StreamExt};
use occasions::{Bell, Occasions};
use sc_client_api::{Backend, BlockchainEvents, HeaderBackend};
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_service::{Error, TaskManager};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_externalities::Extension;
use std::{path::PathBuf, sync::Arc};
use tequio_interface::{host::ComputeExt, link::WorkerLink};
use tequio_primitives::device::KEY_TYPE;

const TASK_GROUP: &str = "offchain-worker";

/// Connects the worker process that listens at `socket`, and runs the off-chain worker from the
/// next best block on.
///
/// A worker process that is not there yet is waited for; one of another chain is refused, and the
/// log says so.
pub fn start(
	shared: &Shared,
	network: Network,
	tasks: &TaskManager,
	is_validator: bool,
	socket: PathBuf,
) -> Result<(), Error> {
	let genesis = shared.client.info().genesis_hash;
	if shared.keystore.ed25519_public_keys(KEY_TYPE).is_empty() {
		log::warn!(
			target: "tequio::worker",
			"The keystore holds no device key, so this node is assigned nothing: \
			 make one with `tequio-node device new`",
		);
	}
	let bell = Arc::<Bell>::default();
	let news = bell.clone();
	let link = Arc::new(WorkerLink::start(socket, genesis.into(), move || news.ring())?);
	follow_finality(shared, tasks, link.clone());

	let occasions = Occasions::new(shared.client.clone(), tasks.spawn_handle(), bell.clone());
	let workers = OffchainWorkers::new(OffchainWorkerOptions {
		runtime_api_provider: shared.client.clone(),
		keystore: Some(shared.keystore.clone()),
		offchain_db: shared.backend.offchain_storage(),
		transaction_pool: Some(OffchainTransactionPoolFactory::new(shared.pool.clone())),
		network_provider: Arc::new(network),
		is_validator,
		enable_http_requests: false,
		custom_extensions: move |_: Hash| {
			vec![Box::new(ComputeExt(link.clone())) as Box<dyn Extension>, Box::new(bell.run())]
		},
	})
	// The SDK loads root certificates even where HTTP requests are off.
	.map_err(|error| {
		format!("the off-chain worker cannot start: {error}; install the package ca-certificates")
	})?;
	tasks.spawn_handle().spawn(
		"offchain-workers-runner",
		TASK_GROUP,
		workers.run(Arc::new(occasions), tasks.spawn_handle()).boxed(),
	);
	Ok(())
}

/// Tells the link the height of each finalised block: reveals wait for it.
fn follow_finality(shared: &Shared, tasks: &TaskManager, link: Arc<WorkerLink>) {
	// Subscribed before the first height is read, so that no block falls between the two.
	let notifications = BlockchainEvents::<Block>::finality_notification_stream(&*shared.client);
	link.set_finalized(shared.client.info().finalized_number.into());
	tasks.spawn_handle().spawn(
		"worker-finality",
		TASK_GROUP,
		notifications.for_each(move |finalized| {
			link.set_finalized(finalized.header.number.into());
			future::ready(())
		}),
	);
}
