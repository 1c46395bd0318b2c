//! Import of blocks, authoring with BABE, finality with GRANDPA.
//!
//! A block passes BABE's import, which wraps GRANDPA's, which wraps the client. Both consensus
//! engines keep data about every block, so no block may get into the client another way.

use crate::{
	network::{Network, VoterChannel},
	partial::{Block, FullBackend, FullClient, FullSelectChain, Hash, Shared},
};
use sc_basic_authorship::ProposerFactory;
use sc_consensus::{DefaultImportQueue, JustificationSyncLink};
use sc_consensus_babe::{
	BabeBlockImport, BabeLink, BabeParams, BabeWorker, BabeWorkerHandle, ImportQueueParams,
	SlotProportion, SyncOracle,
};
use sc_consensus_grandpa::{
	GrandpaBlockImport, GrandpaParams, LinkHalf, SharedVoterState, VotingRule, VotingRulesBuilder,
};
use sc_service::{config::PrometheusConfig, Configuration, Error, Role, TaskManager};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::{
	inherents::{BabeCreateInherentDataProviders, InherentDataProvider},
	SlotDuration,
};
use std::{sync::Arc, time::Duration};

/// Blocks between two justifications that are made, or taken from a peer, without another reason.
const JUSTIFICATION_PERIOD: u32 = 512;

/// Time that a GRANDPA message is expected to take through the network.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// Part of a 3 s slot in which the block is made; the rest is for its way to the next author, who
/// runs it again.
const PROPOSAL_PART: f32 = 0.5;

type GrandpaImport = GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;

type BabeImport = BabeBlockImport<
	Block,
	FullClient,
	GrandpaImport,
	BabeCreateInherentDataProviders<Block>,
	FullSelectChain,
>;

/// Authority sets and votes, on their way from import to voting.
type GrandpaLink = LinkHalf<Block, FullClient, FullSelectChain>;

/// What import, authoring, finality and RPC share.
pub struct Links {
	/// The way for own blocks into the client.
	pub block_import: BabeImport,
	/// Epochs, for authoring.
	pub babe_link: BabeLink<Block>,
	/// Epochs, for RPC.
	pub babe_worker: BabeWorkerHandle<Block>,
	/// Authority sets and votes.
	pub grandpa_link: GrandpaLink,
}

/// What authoring and voting need of the configuration.
pub struct Settings {
	/// Validator or not.
	pub role: Role,
	/// Take part in GRANDPA: vote as a validator, follow the votes as another node.
	pub grandpa: bool,
	force_authoring: bool,
	name: String,
	prometheus: Option<PrometheusConfig>,
	telemetry: Option<TelemetryHandle>,
}

impl Settings {
	/// Reads them.
	pub fn of(config: &Configuration, telemetry: Option<TelemetryHandle>) -> Self {
		Self {
			role: config.role,
			grandpa: !config.disable_grandpa,
			force_authoring: config.force_authoring,
			name: config.network.node_name.clone(),
			prometheus: config.prometheus_config.clone(),
			telemetry,
		}
	}
}

/// Builds the import of blocks, for the network's and for own ones.
pub fn import(
	config: &Configuration,
	shared: &Shared,
	tasks: &TaskManager,
	telemetry: Option<TelemetryHandle>,
) -> Result<(DefaultImportQueue<Block>, Links), Error> {
	let client = &shared.client;
	let (grandpa_import, grandpa_link) = sc_consensus_grandpa::block_import(
		client.clone(),
		JUSTIFICATION_PERIOD,
		client,
		shared.select_chain.clone(),
		telemetry.clone(),
	)?;
	let babe = sc_consensus_babe::configuration(&**client)?;
	let slot_duration = babe.slot_duration();
	let (block_import, babe_link) = sc_consensus_babe::block_import(
		babe,
		grandpa_import.clone(),
		client.clone(),
		inherents(slot_duration),
		shared.select_chain.clone(),
		OffchainTransactionPoolFactory::new(shared.pool.clone()),
	)?;
	let (import_queue, babe_worker) = sc_consensus_babe::import_queue(ImportQueueParams {
		link: babe_link.clone(),
		block_import: block_import.clone(),
		justification_import: Some(Box::new(grandpa_import)),
		client: client.clone(),
		slot_duration,
		spawner: &tasks.spawn_essential_handle(),
		registry: config.prometheus_registry(),
		telemetry,
	})?;
	Ok((import_queue, Links { block_import, babe_link, babe_worker, grandpa_link }))
}

/// The slot and time that a block made now carries.
fn inherents(slot_duration: SlotDuration) -> BabeCreateInherentDataProviders<Block> {
	Arc::new(move |_: Hash, ()| async move {
		let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
		let slot =
			InherentDataProvider::from_timestamp_and_slot_duration(*timestamp, slot_duration);
		Ok((slot, timestamp))
	})
}

/// The task that writes a block in each slot that a session key of the keystore is entitled to.
pub fn authoring<S>(
	shared: &Shared,
	block_import: BabeImport,
	babe_link: BabeLink<Block>,
	sync: S,
	settings: &Settings,
	tasks: &TaskManager,
) -> Result<BabeWorker<Block>, Error>
where
	S: SyncOracle + JustificationSyncLink<Block> + Clone + Send + Sync + 'static,
{
	let env = ProposerFactory::new(
		tasks.spawn_handle(),
		shared.client.clone(),
		shared.pool.clone(),
		settings.prometheus.as_ref().map(|prometheus| &prometheus.registry),
		settings.telemetry.clone(),
	);
	let slot_duration = babe_link.config().slot_duration();
	Ok(sc_consensus_babe::start_babe(BabeParams {
		keystore: shared.keystore.clone(),
		client: shared.client.clone(),
		select_chain: shared.select_chain.clone(),
		env,
		block_import,
		sync_oracle: sync.clone(),
		justification_sync_link: sync,
		create_inherent_data_providers: inherents(slot_duration),
		force_authoring: settings.force_authoring,
		// The work clock counts blocks: it has to go on while finality lags.
		backoff_authoring_blocks: None::<()>,
		babe_link,
		block_proposal_slot_portion: SlotProportion::new(PROPOSAL_PART),
		max_block_proposal_slot_portion: None,
		telemetry: settings.telemetry.clone(),
	})?)
}

/// What the GRANDPA task is started with. Nodes that are no validators run it without a keystore:
/// they only follow.
pub fn voter<S>(
	shared: &Shared,
	link: GrandpaLink,
	network: Network,
	sync: S,
	channel: VoterChannel,
	voter_state: SharedVoterState,
	settings: Settings,
) -> GrandpaParams<
	Block,
	FullClient,
	Network,
	S,
	FullSelectChain,
	impl VotingRule<Block, FullClient> + Clone + 'static,
> {
	let config = sc_consensus_grandpa::Config {
		gossip_duration: GOSSIP_DURATION,
		justification_generation_period: JUSTIFICATION_PERIOD,
		observer_enabled: false,
		local_role: settings.role,
		name: Some(settings.name),
		keystore: settings.role.is_authority().then(|| shared.keystore.clone()),
		telemetry: settings.telemetry.clone(),
		protocol_name: channel.protocol,
	};
	GrandpaParams {
		config,
		link,
		network,
		sync,
		notification_service: channel.notifications,
		voting_rule: VotingRulesBuilder::default().build(),
		prometheus_registry: settings.prometheus.map(|prometheus| prometheus.registry),
		shared_voter_state: voter_state,
		telemetry: settings.telemetry,
		offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(shared.pool.clone()),
	}
}
