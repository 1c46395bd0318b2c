//! A running node, from its parts.

use crate::{
	consensus::{self, Settings},
	network, offchain,
	partial::{self, Block, Hash, Partial},
	rpc::Rpc,
};
use sc_consensus_grandpa::SharedVoterState;
use sc_network::NetworkBackend;
use sc_service::{Configuration, Error, SpawnTasksParams, TaskManager};
use std::path::PathBuf;

/// Starts a node on the network backend `N`, and its off-chain worker if `worker_socket` names a
/// worker process.
///
/// Everything runs in the tasks of the returned manager.
pub fn new_full<N: NetworkBackend<Block, Hash>>(
	mut config: Configuration,
	worker_socket: Option<PathBuf>,
) -> Result<TaskManager, Error> {
	config.offchain_worker.enabled = worker_socket.is_some();
	let Partial { shared, mut tasks, mut telemetry, links, import_queue } =
		partial::assemble(&config)?;
	let settings = Settings::of(&config, telemetry.as_ref().map(|telemetry| telemetry.handle()));

	let (params, voter_channel) =
		network::describe::<N>(&config, &shared, &links, import_queue, &tasks);
	let (network, system_rpc_tx, tx_handler_controller, sync_service, _) =
		sc_service::build_network(params)?;
	if let Some(socket) = worker_socket {
		let is_validator = config.role.is_authority();
		offchain::start(&shared, network.clone(), &tasks, is_validator, socket)?;
	}

	let voter_state = SharedVoterState::empty();
	let rpc = Rpc::new(&shared, &links, &voter_state);
	// Before authoring and voting, because it puts the session keys of `--alice` and the like into
	// the keystore.
	sc_service::spawn_tasks(SpawnTasksParams {
		config,
		client: shared.client.clone(),
		backend: shared.backend.clone(),
		task_manager: &mut tasks,
		keystore: shared.keystore.clone(),
		transaction_pool: shared.pool.clone(),
		rpc_builder: Box::new(move |executor| rpc.methods(executor).map_err(Error::Application)),
		network: network.clone(),
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync_service.clone(),
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	let (import, link, sync) = (links.block_import, links.babe_link, sync_service.clone());
	if settings.role.is_authority() {
		let babe = consensus::authoring(&shared, import, link, sync, &settings, &tasks)?;
		tasks.spawn_essential_handle().spawn_blocking("babe", Some("block-authoring"), babe);
	}
	if settings.grandpa {
		let (link, sync) = (links.grandpa_link, sync_service);
		let params =
			consensus::voter(&shared, link, network, sync, voter_channel, voter_state, settings);
		let voter = sc_consensus_grandpa::run_grandpa_voter(params)?;
		tasks.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
	}
	Ok(tasks)
}
