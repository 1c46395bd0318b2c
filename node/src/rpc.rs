//! JSON-RPC beyond what every Substrate node serves: account nonces and dry runs, fees, BABE's
//! slots, GRANDPA's rounds and proofs, block statistics.

use crate::{
	consensus::Links,
	partial::{Block, Hash, Shared},
};
use jsonrpsee::RpcModule;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::{
	dev::{Dev, DevApiServer},
	SubscriptionTaskExecutor,
};
use substrate_frame_rpc_system::{System, SystemApiServer};
use tequio_runtime::BlockNumber;

/// What the methods read.
pub struct Rpc {
	shared: Shared,
	babe_worker: BabeWorkerHandle<Block>,
	authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	justifications: GrandpaJustificationStream<Block>,
	voter_state: SharedVoterState,
}

impl Rpc {
	/// Takes what the methods read.
	pub fn new(shared: &Shared, links: &Links, voter_state: &SharedVoterState) -> Self {
		Self {
			shared: shared.clone(),
			babe_worker: links.babe_worker.clone(),
			authority_set: links.grandpa_link.shared_authority_set().clone(),
			justifications: links.grandpa_link.justification_stream(),
			voter_state: voter_state.clone(),
		}
	}

	/// The methods, for one server. Fails if two have the same name.
	pub fn methods(&self, executor: SubscriptionTaskExecutor) -> Result<RpcModule<()>, Error> {
		let Shared { client, backend, keystore, pool, select_chain } = self.shared.clone();
		let finality =
			FinalityProofProvider::new_for_service(backend, Some(self.authority_set.clone()));
		let babe = Babe::new(client.clone(), self.babe_worker.clone(), keystore, select_chain);
		let grandpa = Grandpa::new(
			executor,
			self.authority_set.clone(),
			self.voter_state.clone(),
			self.justifications.clone(),
			finality,
		);

		let mut module = RpcModule::new(());
		module.merge(System::<_, _, Block>::new(client.clone(), pool).into_rpc())?;
		module.merge(TransactionPayment::<_, Block>::new(client.clone()).into_rpc())?;
		module.merge(babe.into_rpc())?;
		module.merge(grandpa.into_rpc())?;
		module.merge(Dev::<Block, _>::new(client).into_rpc())?;
		Ok(module)
	}
}

/// Why the methods cannot be served together.
type Error = Box<dyn std::error::Error + Send + Sync>;
