//! Signing and sending: what a device says at one block, in as few transactions as it takes.

use super::{
	device::Device,
	memory::{Kind, Memory, Sending},
	OutboundCall, LOG_TARGET,
};
use crate::{
	types::{Batch, CommitItem, Entry, RevealItem},
	Call, Config, Pallet,
};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use frame_system::offchain::{CreateSignedTransaction, SubmitTransaction};
use sp_runtime::SaturatedConversion;
use tequio_primitives::Duty;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
	/// The pool has it.
	Sent,
	/// Too many are pending; a later run tries again.
	Held,
	/// It could not be signed, or the pool does not take it.
	Refused,
}

/// Something that goes out in batches.
pub(super) trait Message: Entry + Clone {
	/// What it is.
	const KIND: Kind;

	/// The call that carries a batch.
	fn call<T: Config>(items: Batch<Self>) -> Call<T>;
}

impl Message for CommitItem {
	const KIND: Kind = Kind::Commit;

	fn call<T: Config>(items: Batch<Self>) -> Call<T> {
		Call::commit { items }
	}
}

impl Message for RevealItem {
	const KIND: Kind = Kind::Reveal;

	fn call<T: Config>(items: Batch<Self>) -> Call<T> {
		Call::reveal { items }
	}
}

impl<T: Config> Device<T> {
	/// Sends those messages that the chain would take now, and notes for each that it went out. The
	/// pool drops without a word what is not owed.
	///
	/// The pool refuses a call with an entry that another call in it has. So what was sent before,
	/// and may be in the pool still, never shares a call with what was not, nor with what went out
	/// in another call; what was never sent goes first.
	pub(super) fn send_messages<Item: Message>(
		&self,
		messages: Vec<Item>,
		memory: &mut Memory,
		now: u64,
	) {
		let mut by_sending = BTreeMap::<Option<Sending>, Vec<Item>>::new();
		for message in messages.into_iter().filter(|message| self.is_owed(message)) {
			let before = memory.duty(&message.duty(), now).last_sending(Item::KIND);
			by_sending.entry(before).or_default().push(message);
		}
		for mut owed in by_sending.into_values() {
			while !owed.is_empty() {
				let rest = owed.split_off(owed.len().min(Batch::<Item>::bound()));
				if self.send_batch(owed, memory, now) == Fate::Held {
					return;
				}
				owed = rest;
			}
		}
	}

	/// Whether the chain would take a message now.
	fn is_owed<Item: Message>(&self, message: &Item) -> bool {
		let alone = Batch::truncate_from(vec![message.clone()]);
		Pallet::<T>::free_call_tags(&self.account, &Item::call::<T>(alone)).is_some()
	}

	/// Sends what one call carries.
	fn send_batch<Item: Message>(&self, items: Vec<Item>, memory: &mut Memory, now: u64) -> Fate {
		let Some(nonce) = memory.nonces.next() else { return self.held() };
		let duties: Vec<Duty> = items.iter().map(Entry::duty).collect();
		let call = Item::call::<T>(Batch::truncate_from(items));
		let fate = self.send(call.into(), memory, now);
		if fate == Fate::Sent {
			let account = &self.account;
			log::info!(target: LOG_TARGET, "{account:?} sends {:?} for {duties:?}", Item::KIND);
			for duty in &duties {
				memory.duty(duty, now).sent(Item::KIND, Sending { at: now, nonce });
			}
		}
		fate
	}

	fn held(&self) -> Fate {
		let account = &self.account;
		log::debug!(target: LOG_TARGET, "{account:?} waits: too many of its transactions are pending");
		Fate::Held
	}

	/// Signs a call with the next nonce and hands it to the pool.
	pub(super) fn send(&self, call: OutboundCall<T>, memory: &mut Memory, now: u64) -> Fate {
		let account = &self.account;
		let Some(nonce) = memory.nonces.next() else { return self.held() };
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
