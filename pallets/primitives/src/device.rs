//! Device keys: what a worker's node signs its commits and reveals with.
//!
//! They are Ed25519 because their signatures are deterministic (RFC 8032): the salt of a commitment
//! is derived from a signature, so two nodes that hold the same key commit the same and do not
//! convict each other.

use alloc::vec::Vec;
use codec::Encode;

/// Key type of device keys in a node's keystore: `tequ`.
pub const KEY_TYPE: sp_core::crypto::KeyTypeId = sp_core::crypto::KeyTypeId(*b"tequ");

mod app {
	use sp_application_crypto::{app_crypto, ed25519};
	app_crypto!(ed25519, super::KEY_TYPE);
}

/// A device's public key; its 32 bytes are the device's account.
pub use app::Public as DeviceId;

/// What a device signs to belong to an owner: `"tequio/device" ‖ genesis hash ‖ owner's account`,
/// in SCALE. Without it anybody could register somebody else's device, and take the pay for its
/// work.
pub fn proof_message(genesis: &impl Encode, owner: &impl Encode) -> Vec<u8> {
	(b"tequio/device", genesis, owner).encode()
}
