//! Transactions, put together away from the chain's state.

use crate::{accounts::Signer, chain::to_hex};
use codec::Encode;
use sp_core::H256;
use sp_runtime::generic::Era;
use tequio_runtime::{
	signing::{signed_payload, tx_extension},
	Address, Balance, Nonce, RuntimeCall, UncheckedExtrinsic,
};

/// A signed call in hex. It does not lapse.
///
/// `nonce` counts the signer's transactions, `tip` goes to the block's author on top of the fee,
/// `genesis` is the hash of the chain's first block.
pub fn signed(
	signer: &impl Signer,
	call: RuntimeCall,
	nonce: Nonce,
	tip: Balance,
	genesis: H256,
) -> String {
	let extension = tx_extension(nonce, Era::Immortal, tip);
	let payload = signed_payload(call, extension, genesis, genesis);
	let signature = payload.using_encoded(|message| signer.signature(message));
	let (call, extension, _) = payload.deconstruct();
	let address = Address::Id(signer.account());
	let extrinsic = UncheckedExtrinsic::new_signed(call, address, signature, extension);
	to_hex(&extrinsic.encode())
}
