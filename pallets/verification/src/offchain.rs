//! The node's hook: what the devices whose keys this node holds do for their duties.
//!
//! It runs at every new best block, on nodes that were started with a worker socket, and again at
//! the same block when the node has news: a job has ended, the worker process came or went, a block
//! became final. It reads what each device owes, hands the work to the worker process, and signs
//! what the device has to say. It computes nothing and waits for nothing: what is not ready is
//! looked at again at the next run.
//!
//! ```text
//!            duty ──▶ order ──host::submit──▶ worker process
//!                                                  │ a later run: host::poll
//!   commit ◀── commitment ◀── opening, kept on disk ◀
//!      └─▶ audit ... all committed ─▶ final? ─▶ reveal
//!                                                  └─▶ found wrong by a panel? ─▶ appeal
//! ```
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | `duties.rs` | what a duty asks of its device now |
//! | `orders.rs` | what is computed for a duty, and how its result becomes claim and opening. Pure |
//! | `orders/search.rs`, `orders/program.rs` | the same, by kind of work. Pure |
//! | `device.rs` | one device's turn at one run |
//! | `appeal.rs` | appeals against findings that this node knows to be wrong |
//! | `pace.rs` | whether work can be done in time at the rate that was measured. Pure |
//! | `outbox.rs` | signing and sending |
//! | `nonces.rs` | which nonce comes next. Pure |
//! | `memory.rs` | what outlives a run: duties seen, messages sent, openings |
//!
//! ## Rules
//! - Nothing is revealed before the block of the last commit is final.
//! - A result belongs to the order that it was computed for, by the hash of its payload, which is
//!   part of its job's name: after a reorganisation the same attempt may be about other work.
//! - What is no longer wanted is cancelled by the record of what was ordered. A job of which the
//!   record is lost, and which no duty asks for again, ends by itself: it is computed once, and
//!   its result gives way to later ones, in the node's table and in the worker process.
//! - Whatever is lost can be had again: orders follow from the chain's state, results from orders,
//!   salts from keys. In `BandedF32` that takes the same machine with as many threads, and what has
//!   diverged is lost: what is committed there has to be kept until the reveal. Appeals too need what is kept: a node that cannot know any more that it was
//!   honest puts nothing at stake for it.
//! - A device says that it takes work only while its worker process serves every class that its
//!   owner offers: it may be drawn for any of them.
//! - A message is sent again only after [`RESEND`] blocks, with a nonce that counts those still
//!   pending. That counts blocks, not runs: however many there are at a block, none repeats another.

mod appeal;
mod device;
mod duties;
mod memory;
#[cfg(test)]
pub mod mock;
mod nonces;
mod orders;
mod outbox;
mod pace;
#[cfg(test)]
mod tests;

use crate::{Call, Config, CurrentRules};
use alloc::vec::Vec;
use frame_system::{
	offchain::{AppCrypto, CreateTransactionBase},
	pallet_prelude::BlockNumberFor,
};
use sp_core::{ed25519, offchain::Duration, H256};
use sp_runtime::{
	offchain::storage_lock::{StorageLock, Time},
	MultiSignature, MultiSigner, SaturatedConversion,
};
use tequio_interface::{host, job::Capability};
use tequio_primitives::{
	commitment::genesis_hash, device::DeviceId, stage::DeclineReason, AttemptId, WorkClass,
};

const LOG_TARGET: &str = "tequio::offchain";
/// Blocks after which a message that has shown no effect is sent again.
pub const RESEND: u64 = 4;
/// Devices of one node that get their turn.
const MAX_DEVICES: usize = 64;
/// Keeps two runs of the hook from doing the same at the same time.
const LOCK: &[u8] = b"tequio/offchain/lock";
/// A run takes milliseconds; a lock this old was left by a node that was killed.
const LOCK_EXPIRY: Duration = Duration::from_millis(10_000);

/// The call type that transactions of this pallet's hook are made of.
pub type OutboundCall<T> = <T as CreateTransactionBase<Call<T>>>::RuntimeCall;

/// Calls of other pallets that a device makes. The runtime knows them.
///
/// A device holds no money, so each of these returns a call only where the chain would take it from
/// this device now, free of fees.
pub trait OutboundCalls<AccountId, RuntimeCall> {
	/// Hands the attempt back.
	fn decline(device: &AccountId, id: &AttemptId, reason: DeclineReason) -> Option<RuntimeCall>;

	/// Says whether the device takes work.
	fn set_accepting(device: &AccountId, accepting: bool) -> Option<RuntimeCall>;
}

/// Signs transactions with the device keys of the node's keystore.
pub struct DeviceCrypto;

impl AppCrypto<MultiSigner, MultiSignature> for DeviceCrypto {
	type RuntimeAppPublic = DeviceId;
	type GenericPublic = ed25519::Public;
	type GenericSignature = ed25519::Signature;
}

/// What is the same for all devices at one run.
struct Round {
	/// Number of the block.
	now: u64,
	/// Number of the last final block.
	finalized: u64,
	/// Genesis hash of the chain.
	genesis: H256,
	/// What the worker process can do; nothing while it is away.
	able: Vec<Capability>,
}

impl Round {
	/// Whether commits that came in block `since` may be opened: they are final, or half of the
	/// reveal period has passed without finality. A stalled finality must not convict the honest.
	fn may_reveal<T: Config>(&self, since: u64) -> bool {
		let patience = u64::from(CurrentRules::<T>::get().reveal_period / 2);
		since <= self.finalized || self.now >= since.saturating_add(patience)
	}

	/// The first of the classes that an owner offers which the worker process does not serve.
	fn lacks(&self, offered: &[WorkClass]) -> Option<WorkClass> {
		let serves = |class: &WorkClass| {
			self.able.iter().any(|able| able.slots > 0 && able.class == class.id())
		};
		offered.iter().copied().find(|class| !serves(class))
	}
}

/// Gives every device of this node its turn.
pub fn run<T: Config>(block: BlockNumberFor<T>) {
	let Some(finalized) = host::finalized() else { return };
	let mut lock = StorageLock::<Time>::with_deadline(LOCK, LOCK_EXPIRY);
	let Ok(_guard) = lock.try_lock() else {
		log::debug!(target: LOG_TARGET, "a run at block {block:?} is left out: an earlier one is still at it");
		return;
	};
	let round = Round {
		now: block.saturated_into(),
		finalized,
		genesis: genesis_hash::<T>(),
		able: host::capabilities(),
	};
	let keys = <DeviceId as sp_application_crypto::RuntimeAppPublic>::all();
	if keys.len() > MAX_DEVICES {
		log::warn!(
			target: LOG_TARGET,
			"the keystore holds {} device keys; only the first {MAX_DEVICES} are served. \
			 Move the others to another node",
			keys.len(),
		);
	}
	for key in keys.into_iter().take(MAX_DEVICES) {
		device::Device::<T>::new(key).turn(&round);
	}
}
