//! How transactions are put together: by the runtime itself in its off-chain worker, and by clients
//! that link it.

use crate::{
	extensions::ChargeUnlessOwed, AccountId, Address, Balance, Hash, Nonce, Runtime, RuntimeCall,
	Signature, SignedPayload, Signer, System, TxExtension, UncheckedExtrinsic, VERSION,
};
use codec::Encode;
use frame_metadata_hash_extension::CheckMetadataHash;
use frame_system::offchain::{
	AppCrypto, CreateSignedTransaction, CreateTransactionBase, SigningTypes,
};
use sp_runtime::generic::Era;

/// Blocks after which a transaction of the off-chain worker has lapsed if it is not in a block by
/// then.
pub const OFFCHAIN_LIFE: u64 = 64;

/// What a transaction says besides its call.
///
/// `nonce` counts the signer's transactions, `era` is how long it may wait, `tip` goes to the
/// block's author on top of the fee.
pub fn tx_extension(nonce: Nonce, era: Era, tip: Balance) -> TxExtension {
	(
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(era),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		ChargeUnlessOwed::from(tip),
		CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	)
}

/// What a signature covers, put together away from the chain's state.
///
/// `genesis` is the hash of block 0, `birth` that of the block in which `extension`'s era begins
/// (`genesis` again if it is immortal).
pub fn signed_payload(
	call: RuntimeCall,
	extension: TxExtension,
	genesis: Hash,
	birth: Hash,
) -> SignedPayload {
	let implicit = (
		(),
		(),
		VERSION.spec_version,
		VERSION.transaction_version,
		genesis,
		birth,
		(),
		(),
		(),
		None,
		(),
	);
	SignedPayload::from_raw(call, extension, implicit)
}

/// A transaction that does not lapse, signed away from the chain's state by whoever holds the
/// account's key.
pub fn signed_extrinsic(
	call: RuntimeCall,
	account: AccountId,
	nonce: Nonce,
	genesis: Hash,
	sign: impl FnOnce(&[u8]) -> Signature,
) -> UncheckedExtrinsic {
	let extension = tx_extension(nonce, Era::Immortal, 0);
	let payload = signed_payload(call, extension, genesis, genesis);
	let signature = payload.using_encoded(sign);
	seal(payload, account, signature)
}

fn seal(payload: SignedPayload, account: AccountId, signature: Signature) -> UncheckedExtrinsic {
	let (call, extension, _) = payload.deconstruct();
	UncheckedExtrinsic::new_signed(call, Address::Id(account), signature, extension)
}

impl SigningTypes for Runtime {
	type Public = Signer;
	type Signature = Signature;
}

impl<LocalCall> CreateTransactionBase<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	type Extrinsic = UncheckedExtrinsic;
	type RuntimeCall = RuntimeCall;
}

impl<LocalCall> CreateSignedTransaction<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	fn create_signed_transaction<C: AppCrypto<Self::Public, Self::Signature>>(
		call: RuntimeCall,
		public: Self::Public,
		account: AccountId,
		nonce: Nonce,
	) -> Option<UncheckedExtrinsic> {
		// The era begins with the parent: this block's own hash is not known in it.
		let parent = u64::from(System::block_number()).saturating_sub(1);
		let extension = tx_extension(nonce, Era::mortal(OFFCHAIN_LIFE, parent), 0);
		let payload = SignedPayload::new(call, extension).ok()?;
		let signature = payload.using_encoded(|bytes| C::sign(bytes, public))?;
		Some(seal(payload, account, signature))
	}
}
