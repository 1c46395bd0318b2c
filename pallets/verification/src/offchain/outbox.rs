//! Signing and sending: what a device says at one block, in as few transactions as it takes.

use super::{
	device::Device,
	memory::{Kind, Memory},
	OutboundCall, LOG_TARGET,
};
use crate::{
	types::{Batch, CommitItem, RevealItem},
	Call, Config, Pallet,
};
use alloc::{vec, vec::Vec};
use frame_system::offchain::{CreateSignedTransaction, SubmitTransaction};
use sp_runtime::SaturatedConversion;
use tequio_primitives::Duty;

/// Entries of a refused batch that are tried one by one. A batch is free of fees only if every
/// entry can be taken.
const TRIED_SINGLY: usize = 4;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
	/// The pool has it.
	Sent,
	/// Too many are pending; a later block tries again.
	Held,
	/// It could not be signed, or the pool does not take it.
	Refused,
}

/// Something that goes out in batches.
pub(super) trait Entry: Clone {
	/// What it is.
	const KIND: Kind;

	/// The duty it is about.
	fn duty(&self) -> Duty;

	/// The call that carries a batch.
	fn call<T: Config>(items: Batch<Self>) -> Call<T>;
}

impl Entry for CommitItem {
	const KIND: Kind = Kind::Commit;

	fn duty(&self) -> Duty {
		CommitItem::duty(self)
	}

	fn call<T: Config>(items: Batch<Self>) -> Call<T> {
		Call::commit { items }
	}
}

impl Entry for RevealItem {
	const KIND: Kind = Kind::Reveal;

	fn duty(&self) -> Duty {
		RevealItem::duty(self)
	}

	fn call<T: Config>(items: Batch<Self>) -> Call<T> {
		Call::reveal { items }
	}
}

impl<T: Config> Device<T> {
	/// Sends entries, and notes for each that went out that it did.
	pub(super) fn send_entries<Item: Entry>(
		&self,
		mut items: Vec<Item>,
		memory: &mut Memory,
		now: u64,
	) {
		if items.is_empty() {
			return;
		}
		let fate = self.send_batch(items.clone(), memory, now);
		if fate != Fate::Refused || items.len() == 1 {
			return;
		}
		// Others at the next block, so that some that are never taken do not keep the rest back.
		let first = usize::try_from(now).unwrap_or(0) % items.len();
		items.rotate_left(first);
		for item in items.into_iter().take(TRIED_SINGLY) {
			if self.send_batch(vec![item], memory, now) == Fate::Held {
				return;
			}
		}
	}

	/// Sends as many entries as a call carries.
	fn send_batch<Item: Entry>(&self, items: Vec<Item>, memory: &mut Memory, now: u64) -> Fate {
		let items = Batch::truncate_from(items);
		let duties: Vec<Duty> = items.iter().map(Entry::duty).collect();
		let call = Item::call::<T>(items);
		// The pool takes everything and drops without a word what is not owed.
		if Pallet::<T>::free_call_tags(&self.account, &call).is_none() {
			return Fate::Refused;
		}
		let fate = self.send(call.into(), memory, now);
		if fate == Fate::Sent {
			let account = &self.account;
			log::info!(target: LOG_TARGET, "{account:?} sends {:?} for {duties:?}", Item::KIND);
			for duty in &duties {
				memory.duty(duty, now).sent(Item::KIND, now);
			}
		}
		fate
	}

	/// Signs a call with the next nonce and hands it to the pool.
	pub(super) fn send(&self, call: OutboundCall<T>, memory: &mut Memory, now: u64) -> Fate {
		let account = &self.account;
		let Some(nonce) = memory.nonces.next() else {
			log::debug!(target: LOG_TARGET, "{account:?} waits: too many of its transactions are pending");
			return Fate::Held;
		};
		let transaction =
			<T as CreateSignedTransaction<Call<T>>>::create_signed_transaction::<T::DeviceCrypto>(
				call,
				self.public.clone(),
				account.clone(),
				T::Nonce::saturated_from(nonce),
			);
		let Some(transaction) = transaction else {
			log::warn!(target: LOG_TARGET, "{account:?} cannot sign: is its key still in the keystore?");
			return Fate::Refused;
		};
		if SubmitTransaction::<T, Call<T>>::submit_transaction(transaction).is_err() {
			log::warn!(target: LOG_TARGET, "the pool refuses transaction {nonce} of {account:?}");
			return Fate::Refused;
		}
		memory.nonces.sent(now);
		Fate::Sent
	}
}
