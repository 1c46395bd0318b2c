//! Commitments: a digest fixed now and shown later.
//!
//! `blake2_256(genesis ‖ task ‖ chunk ‖ attempt ‖ role ‖ device ‖ digest ‖ salt)`, each part in
//! SCALE. The genesis hash keeps a commitment from being replayed on another chain; attempt, role
//! and device from being taken over by somebody else.

use crate::chunk::Duty;
use codec::Encode;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_core::H256;
use sp_runtime::traits::Zero;

/// The genesis hash of a chain, which everything that devices sign or hide is bound to.
pub fn genesis_hash<T: frame_system::Config>() -> T::Hash {
	frame_system::BlockHash::<T>::get(BlockNumberFor::<T>::zero())
}

/// Hides `digest` with `salt` for the duty of one device (32 bytes, its account) on the chain of
/// this genesis.
pub fn commitment(
	genesis: &H256,
	duty: &Duty,
	device: &[u8; 32],
	digest: &H256,
	salt: &[u8; 32],
) -> H256 {
	let chunk = duty.id.chunk;
	let parts =
		(genesis, chunk.task, chunk.index, duty.id.attempt, duty.role, device, digest, salt);
	sp_io::hashing::blake2_256(&parts.encode()).into()
}

/// What a device signs to get the salt of a duty; the salt is `blake2_256` of the signature.
pub fn salt_message(genesis: &H256, duty: &Duty) -> alloc::vec::Vec<u8> {
	(b"tequio/salt", genesis, duty).encode()
}
