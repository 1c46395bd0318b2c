//! What the peer-to-peer network is started with.

use crate::{
	consensus::Links,
	partial::{Block, FullClient, FullPool, Hash, Shared},
};
use sc_client_api::HeaderBackend;
use sc_consensus::DefaultImportQueue;
use sc_consensus_grandpa::warp_proof;
use sc_network::{
	config::FullNetworkConfiguration, service::traits::NetworkService, NetworkBackend,
	NotificationService, ProtocolName,
};
use sc_service::{BuildNetworkParams, Configuration, TaskManager, WarpSyncConfig};
use std::sync::Arc;

/// A running network.
pub type Network = Arc<dyn NetworkService>;

/// What a network on the backend `N` is started with.
pub type NetworkParams<'a, N> =
	BuildNetworkParams<'a, Block, N, FullPool, DefaultImportQueue<Block>, FullClient>;

/// How GRANDPA messages reach other nodes.
pub struct VoterChannel {
	/// Name of the protocol; it holds the genesis hash, so two chains never mix.
	pub protocol: ProtocolName,
	/// Messages of the protocol.
	pub notifications: Box<dyn NotificationService>,
}

/// Describes the network: blocks, transactions, votes, and warp sync with GRANDPA's proofs.
pub fn describe<'a, N: NetworkBackend<Block, Hash>>(
	config: &'a Configuration,
	shared: &Shared,
	links: &Links,
	import_queue: DefaultImportQueue<Block>,
	tasks: &TaskManager,
) -> (NetworkParams<'a, N>, VoterChannel) {
	let registry = config.prometheus_registry();
	let metrics = N::register_notification_metrics(registry);
	let mut net_config =
		FullNetworkConfiguration::<Block, Hash, N>::new(&config.network, registry.cloned());
	let protocol = sc_consensus_grandpa::protocol_standard_name(
		&shared.client.info().genesis_hash,
		&config.chain_spec,
	);
	let (voter_config, notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
		protocol.clone(),
		metrics.clone(),
		net_config.peer_store_handle(),
	);
	net_config.add_notification_protocol(voter_config);
	let warp_proofs = warp_proof::NetworkProvider::new(
		shared.backend.clone(),
		links.grandpa_link.shared_authority_set().clone(),
		Vec::new(),
	);
	let params = BuildNetworkParams {
		config,
		net_config,
		client: shared.client.clone(),
		transaction_pool: shared.pool.clone(),
		spawn_handle: tasks.spawn_handle(),
		spawn_essential_handle: tasks.spawn_essential_handle(),
		import_queue,
		block_announce_validator_builder: None,
		warp_sync_config: Some(WarpSyncConfig::WithProvider(Arc::new(warp_proofs))),
		block_relay: None,
		metrics,
		gap_sync_body_policy: None,
	};
	(params, VoterChannel { protocol, notifications })
}
