//! Which nonce a device's next transaction has.
//!
//! The chain knows only the transactions in blocks; those still in the pool have to be counted
//! here. They may also be lost. So the count starts from the chain's nonce whenever that has not
//! moved for [`RESEND`] blocks.

use super::RESEND;
use codec::{Decode, Encode};

/// Transactions of one device that may be pending at a time.
pub(super) const MAX_PENDING: u64 = 8;

/// The nonces of one device. Heights are block numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Nonces {
	/// The chain's nonce when last seen.
	chain: u64,
	/// When the chain's nonce moved last, or the first transaction since was sent.
	moved_at: u64,
	/// The nonce that comes next.
	next: u64,
}

impl Nonces {
	/// Takes in the chain's nonce at block `now`. After a reorganisation it may be lower than
	/// before; what was in the retracted blocks is pending again.
	pub(super) fn observe(&mut self, chain: u64, now: u64) {
		if chain != self.chain {
			self.chain = chain;
			self.moved_at = now;
		}
		let stuck = now.saturating_sub(self.moved_at) >= RESEND;
		if self.next < chain || stuck {
			self.next = chain;
		}
	}

	/// The nonce for the next transaction. `None` while too many are pending.
	pub(super) fn next(&self) -> Option<u64> {
		(self.next.saturating_sub(self.chain) < MAX_PENDING).then_some(self.next)
	}

	/// Notes that a transaction with the next nonce was sent at block `now`.
	pub(super) fn sent(&mut self, now: u64) {
		if self.next <= self.chain {
			self.moved_at = now;
		}
		self.next = self.next.saturating_add(1);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn send(nonces: &mut Nonces, now: u64) -> Option<u64> {
		let nonce = nonces.next();
		if nonce.is_some() {
			nonces.sent(now);
		}
		nonce
	}

	#[test]
	fn pending_transactions_are_counted() {
		let mut nonces = Nonces::default();
		nonces.observe(5, 100);
		assert_eq!(send(&mut nonces, 100), Some(5));
		assert_eq!(send(&mut nonces, 100), Some(6));
		nonces.observe(5, 101);
		assert_eq!(send(&mut nonces, 101), Some(7));
		nonces.observe(7, 102);
		assert_eq!(send(&mut nonces, 102), Some(8));
	}

	#[test]
	fn no_more_than_eight_are_pending() {
		let mut nonces = Nonces::default();
		nonces.observe(0, 1);
		for nonce in 0..MAX_PENDING {
			assert_eq!(send(&mut nonces, 1), Some(nonce));
		}
		assert_eq!(send(&mut nonces, 1), None);
		nonces.observe(1, 2);
		assert_eq!(send(&mut nonces, 2), Some(MAX_PENDING));
		assert_eq!(send(&mut nonces, 2), None);
	}

	#[test]
	fn the_count_starts_over_when_nothing_moves() {
		let mut nonces = Nonces::default();
		nonces.observe(3, 10);
		assert_eq!(send(&mut nonces, 20), Some(3));
		assert_eq!(send(&mut nonces, 21), Some(4));
		nonces.observe(3, 20 + RESEND - 1);
		assert_eq!(nonces.next(), Some(5));
		nonces.observe(3, 20 + RESEND);
		assert_eq!(nonces.next(), Some(3));
		// And once more from the new start.
		assert_eq!(send(&mut nonces, 20 + RESEND), Some(3));
		nonces.observe(3, 21 + RESEND);
		assert_eq!(nonces.next(), Some(4));
	}

	#[test]
	fn a_long_silence_before_the_first_transaction_is_not_a_standstill() {
		let mut nonces = Nonces::default();
		nonces.observe(3, 10);
		nonces.observe(3, 1_000);
		assert_eq!(send(&mut nonces, 1_000), Some(3));
		nonces.observe(3, 1_001);
		assert_eq!(nonces.next(), Some(4));
	}

	#[test]
	fn a_reorganisation_leaves_retracted_transactions_pending() {
		let mut nonces = Nonces::default();
		nonces.observe(0, 1);
		for _ in 0..3 {
			send(&mut nonces, 1);
		}
		nonces.observe(3, 5);
		nonces.observe(1, 4);
		assert_eq!(nonces.next(), Some(3));
		nonces.observe(1, 4 + RESEND);
		assert_eq!(nonces.next(), Some(1));
	}

	#[test]
	fn a_second_node_with_the_same_key_is_followed() {
		let mut nonces = Nonces::default();
		nonces.observe(0, 1);
		assert_eq!(send(&mut nonces, 1), Some(0));
		nonces.observe(9, 2);
		assert_eq!(nonces.next(), Some(9));
	}
}
