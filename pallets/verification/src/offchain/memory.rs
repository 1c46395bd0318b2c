//! What outlives a block: one record per device, and one opening per duty, in the node's off-chain
//! storage.
//!
//! Losing it costs time: every part follows again from the chain and the worker process, as long as
//! this machine computes in `BandedF32` as it did before. Only that a result was computed here, which
//! an appeal rests on, is not known again once the result was revealed. So openings are kept until their duty has ended, of which a device has so many at most.

use super::{nonces::Nonces, orders::Work, RESEND};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::{Decode, Encode};
use core::mem;
use sp_core::H256;
use sp_runtime::offchain::storage::StorageValueRef;
use tequio_primitives::{Duty, WorkClass};

/// Blocks for which the opening of a duty that is gone is kept: a reorganisation may bring the duty
/// back.
const KEPT: u64 = 64;

/// What a device says about a duty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) enum Kind {
	/// A commitment.
	#[codec(index = 0)]
	Commit,
	/// What opens it.
	#[codec(index = 1)]
	Reveal,
	/// A doubt in what a panel found about it.
	#[codec(index = 2)]
	Appeal,
}

/// What is known about a duty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Record {
	/// The last block in which the device owed the duty, or had not been released from it.
	seen: u64,
	/// Hash of the payload that the worker process was given.
	pub order: Option<H256>,
	/// When the worker process failed last.
	failed: Option<u64>,
	/// What was sent last, and with which transaction.
	sent: Option<(Kind, Sending)>,
}

/// A transaction that went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(super) struct Sending {
	/// The block at which it did. There may be several at one.
	pub at: u64,
	/// Its nonce.
	pub nonce: u64,
}

impl Record {
	/// Whether a message of this kind may be sent at block `now`: it is new, or has shown no effect
	/// for long.
	pub(super) fn may_send(&self, kind: Kind, now: u64) -> bool {
		!self.last_sending(kind).is_some_and(|last| recent(last.at, now))
	}

	/// How a message of this kind was sent last.
	pub(super) fn last_sending(&self, kind: Kind) -> Option<Sending> {
		self.sent.filter(|(last, _)| *last == kind).map(|(_, sending)| sending)
	}

	/// Notes that a message was sent.
	pub(super) fn sent(&mut self, kind: Kind, sending: Sending) {
		self.sent = Some((kind, sending));
	}

	/// Takes out the order, if it is another than this one.
	pub(super) fn take_other(&mut self, order: &H256) -> Option<H256> {
		self.order.take_if(|given| *given != *order)
	}

	/// Notes that the worker process failed at block `now`, and has forgotten the order.
	pub(super) fn failed(&mut self, now: u64) {
		self.order = None;
		self.failed = Some(now);
	}

	/// Whether it is too early to try again after a failure.
	pub(super) fn rests(&self, now: u64) -> bool {
		self.failed.is_some_and(|at| recent(at, now))
	}
}

/// Whether `at` is less than [`RESEND`] blocks before `now`.
fn recent(at: u64, now: u64) -> bool {
	now.saturating_sub(at) < RESEND
}

/// What is known about a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(super) struct Memory {
	/// Its nonces.
	pub nonces: Nonces,
	/// Since when the worker process has been away.
	away_since: Option<u64>,
	/// When the device last said whether it takes work.
	signalled: Option<u64>,
	/// The class that its owner was last told the worker process to lack.
	lacking: Option<WorkClass>,
	/// Its duties until they have ended, which the chain bounds, and those it had a while ago.
	records: BTreeMap<Duty, Record>,
}

impl Memory {
	/// What is known about the device with this account.
	pub(super) fn load(device: &[u8; 32]) -> Self {
		let key = memory_key(device);
		StorageValueRef::persistent(&key).get().ok().flatten().unwrap_or_default()
	}

	/// Keeps it for the next run.
	pub(super) fn store(&self, device: &[u8; 32]) {
		StorageValueRef::persistent(&memory_key(device)).set(self);
	}

	/// The record of a duty that the device has at block `now`.
	pub(super) fn duty(&mut self, duty: &Duty, now: u64) -> &mut Record {
		let record = self.records.entry(*duty).or_default();
		record.seen = now;
		record
	}

	/// Takes out the orders of duties that the device no longer owes, for the worker process to
	/// forget. What is known about a duty is kept while it is among the device's `parts`: it may
	/// have to be shown that the device was honest. Openings of duties that have been gone for long
	/// are removed.
	pub(super) fn take_gone(
		&mut self,
		device: &[u8; 32],
		duties: &[Duty],
		parts: &[Duty],
		now: u64,
	) -> Vec<(Duty, H256)> {
		let mut ordered = Vec::new();
		self.records.retain(|duty, record| {
			if duties.contains(duty) {
				return true;
			}
			ordered.extend(record.order.take().map(|order| (*duty, order)));
			if parts.contains(duty) {
				record.seen = now;
			}
			let kept = now.saturating_sub(record.seen) < KEPT;
			if !kept {
				remove_work(device, duty);
			}
			kept
		});
		ordered
	}

	/// What the device should say at block `now` about taking work, given whether the worker
	/// process serves. A process that is away for a moment, to be updated, changes nothing.
	pub(super) fn signal(&mut self, serves: bool, now: u64) -> Option<bool> {
		if serves {
			self.away_since = None;
		} else if recent(*self.away_since.get_or_insert(now), now) {
			return None;
		}
		let said = self.signalled.is_some_and(|at| recent(at, now));
		(!said).then_some(serves)
	}

	/// Notes which class that the owner offers the worker process does not serve. Returns it where
	/// that is news, of which the owner is to be told.
	pub(super) fn note_lack(&mut self, class: Option<WorkClass>) -> Option<WorkClass> {
		let before = mem::replace(&mut self.lacking, class);
		class.filter(|_| class != before)
	}

	/// Notes that the device has said so.
	pub(super) fn signalled(&mut self, now: u64) {
		self.signalled = Some(now);
	}
}

/// The result of the order with this payload hash, if it is kept.
pub(super) fn load_work(device: &[u8; 32], duty: &Duty, order: &H256) -> Option<Work> {
	let key = work_key(device, duty);
	let kept: Option<(H256, Work)> = StorageValueRef::persistent(&key).get().ok().flatten();
	kept.filter(|(of, _)| of == order).map(|(_, work)| work)
}

/// Keeps the result of the order with this payload hash.
pub(super) fn store_work(device: &[u8; 32], duty: &Duty, order: &H256, work: &Work) {
	StorageValueRef::persistent(&work_key(device, duty)).set(&(order, work));
}

/// Forgets the result of any order for a duty.
pub(super) fn remove_work(device: &[u8; 32], duty: &Duty) {
	StorageValueRef::persistent(&work_key(device, duty)).clear();
}

fn memory_key(device: &[u8; 32]) -> Vec<u8> {
	(b"tequio/offchain/device", device).encode()
}

fn work_key(device: &[u8; 32], duty: &Duty) -> Vec<u8> {
	// The number is that of the encoding: what was kept in another one is computed again.
	(b"tequio/offchain/work/2", device, duty).encode()
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use sp_core::offchain::{testing::TestOffchainExt, OffchainDbExt};
	use tequio_primitives::{
		claim::Claim, opening::Opening, recompute::OutputOpening, search::Shares, AttemptId,
		ChunkId, Role,
	};

	const DEVICE: [u8; 32] = [5; 32];

	fn duty(index: u32) -> Duty {
		Duty { id: AttemptId { chunk: ChunkId { task: 1, index }, attempt: 0 }, role: Role::Worker }
	}

	fn sending(at: u64) -> Sending {
		Sending { at, nonce: 3 }
	}

	fn work() -> Work {
		let opening = Opening::Output(OutputOpening::own(H256::zero()));
		Work { claim: Claim::Shares(Shares::truncate_from(vec![1, 2])), opening }
	}

	fn with_storage(test: impl FnOnce()) {
		let mut externalities = sp_io::TestExternalities::new_empty();
		externalities.register_extension(OffchainDbExt::new(TestOffchainExt::new().0));
		externalities.execute_with(test);
	}

	#[test]
	fn memory_and_work_come_back() {
		with_storage(|| {
			assert_eq!(Memory::load(&DEVICE), Memory::default());
			let mut memory = Memory::default();
			memory.duty(&duty(0), 7).sent(Kind::Commit, sending(7));
			memory.nonces.observe(3, 7);
			memory.store(&DEVICE);
			assert_eq!(Memory::load(&DEVICE), memory);
			assert_eq!(Memory::load(&[6; 32]), Memory::default());

			let order = H256::repeat_byte(1);
			store_work(&DEVICE, &duty(0), &order, &work());
			assert_eq!(load_work(&DEVICE, &duty(0), &order), Some(work()));
			assert_eq!(load_work(&DEVICE, &duty(1), &order), None);
			// A result of another order is none of this one.
			assert_eq!(load_work(&DEVICE, &duty(0), &H256::zero()), None);
			remove_work(&DEVICE, &duty(0));
			assert_eq!(load_work(&DEVICE, &duty(0), &order), None);
		});
	}

	#[test]
	fn a_message_is_repeated_after_a_while_and_another_kind_at_once() {
		let mut record = Record::default();
		assert!(record.may_send(Kind::Commit, 10));
		record.sent(Kind::Commit, sending(10));
		assert_eq!(record.last_sending(Kind::Commit), Some(sending(10)));
		assert_eq!(record.last_sending(Kind::Reveal), None);
		assert!(!record.may_send(Kind::Commit, 10 + RESEND - 1));
		assert!(!record.may_send(Kind::Commit, 9));
		assert!(record.may_send(Kind::Reveal, 10));
		assert!(record.may_send(Kind::Commit, 10 + RESEND));
	}

	#[test]
	fn a_failure_is_followed_by_a_rest_and_a_new_order() {
		let mut record = Record { order: Some(H256::zero()), ..Record::default() };
		record.failed(10);
		assert_eq!(record.order, None);
		assert!(record.rests(10 + RESEND - 1));
		assert!(!record.rests(10 + RESEND));
	}

	#[test]
	fn only_another_order_is_taken_out() {
		let (first, second) = (H256::repeat_byte(1), H256::repeat_byte(2));
		let mut record = Record { order: Some(first), ..Record::default() };
		assert_eq!(record.take_other(&first), None);
		assert_eq!(record.order, Some(first));
		assert_eq!(record.take_other(&second), Some(first));
		assert_eq!(record.order, None);
		assert_eq!(record.take_other(&second), None);
	}

	#[test]
	fn a_duty_that_is_gone_is_cancelled_once_and_its_opening_kept_for_a_while() {
		with_storage(|| {
			let order = H256::zero();
			let mut memory = Memory::default();
			for index in 0..3 {
				memory.duty(&duty(index), 10);
			}
			memory.duty(&duty(0), 10).order = Some(order);
			memory.duty(&duty(1), 10).order = Some(order);
			store_work(&DEVICE, &duty(1), &order, &work());

			assert_eq!(memory.take_gone(&DEVICE, &[duty(0)], &[], 11), vec![(duty(1), order)]);
			assert_eq!(memory.take_gone(&DEVICE, &[duty(0)], &[], 12), vec![]);
			assert!(load_work(&DEVICE, &duty(1), &order).is_some());
			assert_eq!(memory.take_gone(&DEVICE, &[duty(0)], &[], 10 + KEPT), vec![]);
			assert!(load_work(&DEVICE, &duty(1), &order).is_none());
			assert_eq!(memory.records.len(), 1);
		});
	}

	#[test]
	fn what_is_known_about_a_duty_is_kept_until_the_duty_has_ended() {
		with_storage(|| {
			let (order, done) = (H256::zero(), duty(0));
			let mut memory = Memory::default();
			memory.duty(&done, 10).order = Some(order);
			store_work(&DEVICE, &done, &order, &work());

			assert_eq!(memory.take_gone(&DEVICE, &[], &[done], 11), vec![(done, order)]);
			let late = 11 + 10 * KEPT;
			assert_eq!(memory.take_gone(&DEVICE, &[], &[done], late), vec![]);
			assert_eq!(load_work(&DEVICE, &done, &order), Some(work()));

			assert_eq!(memory.take_gone(&DEVICE, &[], &[], late + KEPT - 1), vec![]);
			assert_eq!(load_work(&DEVICE, &done, &order), Some(work()));
			assert_eq!(memory.take_gone(&DEVICE, &[], &[], late + KEPT), vec![]);
			assert_eq!(load_work(&DEVICE, &done, &order), None);
			assert!(memory.records.is_empty());
		});
	}

	#[test]
	fn a_class_that_is_lacking_is_told_of_once() {
		let mut memory = Memory::default();
		let (first, second) = (Some(WorkClass::ExactF64), Some(WorkClass::Integer));
		for (lacking, told) in [
			(None, None),
			(first, first),
			(first, None),
			(second, second),
			(second, None),
			(None, None),
			(second, second),
		] {
			assert_eq!(memory.note_lack(lacking), told);
		}
	}

	#[test]
	fn a_short_absence_of_the_worker_process_says_nothing() {
		let mut memory = Memory::default();
		assert_eq!(memory.signal(true, 1), Some(true));
		memory.signalled(1);
		assert_eq!(memory.signal(true, 2), None);
		assert_eq!(memory.signal(false, 3), None);
		assert_eq!(memory.signal(false, 2 + RESEND), None);
		assert_eq!(memory.signal(true, 3 + RESEND), Some(true));
		memory.signalled(3 + RESEND);
		assert_eq!(memory.signal(false, 20), None);
		assert_eq!(memory.signal(false, 20 + RESEND), Some(false));
	}
}
