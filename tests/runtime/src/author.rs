//! A transaction pool, and an author who fills blocks from it: what stands between a device that
//! has sent its result and the block that holds it.
//!
//! The pool keeps what is valid, one transaction for each tag. The author takes them by priority,
//! and by arrival among equals, until it has met nine that do not fit. The node's own author goes
//! on looking for smaller ones as long as it has time; this one never has any.

use crate::World;
use codec::Encode;
use frame_support::storage::{with_transaction_unchecked, TransactionOutcome};
use sp_runtime::{
	transaction_validity::{
		TransactionSource, TransactionTag, TransactionValidity, TransactionValidityError,
		ValidTransaction,
	},
	ApplyExtrinsicResult, DispatchOutcome,
};
use std::{cmp::Reverse, collections::BTreeSet};
use tequio_runtime::{Executive, UncheckedExtrinsic};

/// Transactions that do not fit before the author gives up.
const MAX_SKIPPED: usize = 8;
/// Bytes of a block at which the node's author stops, whatever the runtime would take.
const MAX_BYTES: usize = 4 * 1024 * 1024 + 512;

/// Transactions that wait for a block, by arrival.
#[derive(Default)]
pub struct Pool {
	waiting: Vec<Waiting>,
}

struct Waiting {
	transaction: UncheckedExtrinsic,
	validity: ValidTransaction,
}

/// Why the pool does not take a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
	/// The runtime says that it is not valid.
	Invalid(TransactionValidityError),
	/// What it provides is provided by others that have no lower priority.
	Provided,
}

impl Pool {
	/// Transactions in it.
	pub fn len(&self) -> usize {
		self.waiting.len()
	}

	/// Whether nothing waits.
	pub fn is_empty(&self) -> bool {
		self.waiting.is_empty()
	}
}

impl World {
	/// Sends a transaction to the pool.
	pub fn offer(
		&mut self,
		pool: &mut Pool,
		transaction: UncheckedExtrinsic,
	) -> Result<(), Refusal> {
		let validity = self.validity(&transaction).map_err(Refusal::Invalid)?;
		let tags: BTreeSet<&TransactionTag> = validity.provides.iter().collect();
		let is_rival =
			|other: &Waiting| other.validity.provides.iter().any(|tag| tags.contains(tag));
		let rivals = pool.waiting.iter().filter(|other| is_rival(other));
		if rivals.map(|rival| rival.validity.priority).max() >= Some(validity.priority) {
			return Err(Refusal::Provided);
		}
		pool.waiting.retain(|other| !is_rival(other));
		pool.waiting.push(Waiting { transaction, validity });
		Ok(())
	}

	/// Makes a block of what waits in the pool, and says what came of each transaction in it.
	pub fn author(&mut self, pool: &mut Pool) -> Vec<DispatchOutcome> {
		let waiting = core::mem::take(&mut pool.waiting).into_iter();
		let still_valid = |one: Waiting| {
			let validity = self.validity(&one.transaction).ok()?;
			Some(Waiting { validity, ..one })
		};
		pool.waiting = waiting.filter_map(still_valid).collect();
		self.block_of(|| fill(&mut pool.waiting))
	}

	fn validity(&mut self, transaction: &UncheckedExtrinsic) -> TransactionValidity {
		let best = self.parent;
		self.read(|| {
			let source = TransactionSource::External;
			Executive::validate_transaction(source, transaction.clone(), best)
		})
	}
}

/// Applies what waits until the block is full, and takes out what the block has or never will.
fn fill(waiting: &mut Vec<Waiting>) -> Vec<DispatchOutcome> {
	let mut outcomes = Vec::new();
	let mut provided = BTreeSet::<TransactionTag>::new();
	let (mut gone, mut skipped) = (BTreeSet::new(), BTreeSet::new());
	let mut bytes = 0;
	while skipped.len() <= MAX_SKIPPED {
		let next = waiting
			.iter()
			.enumerate()
			.filter(|(place, _)| !gone.contains(place) && !skipped.contains(place))
			.filter(|(_, one)| one.validity.requires.iter().all(|tag| provided.contains(tag)))
			.min_by_key(|(_, one)| Reverse(one.validity.priority));
		let Some((place, one)) = next else { break };
		let size = one.transaction.encoded_size();
		if bytes + size > MAX_BYTES {
			skipped.insert(place);
			continue;
		}
		match apply(&one.transaction) {
			Ok(outcome) => {
				bytes += size;
				provided.extend(one.validity.provides.iter().cloned());
				outcomes.push(outcome);
				gone.insert(place);
			},
			Err(error) if error.exhausted_resources() => {
				skipped.insert(place);
			},
			Err(_) => {
				gone.insert(place);
			},
		}
	}
	let mut place = 0usize..;
	waiting.retain(|_| place.next().is_some_and(|place| !gone.contains(&place)));
	outcomes
}

/// Applies a transaction; one that is refused leaves nothing behind.
pub(crate) fn apply(transaction: &UncheckedExtrinsic) -> ApplyExtrinsicResult {
	with_transaction_unchecked(|| {
		let result = Executive::apply_extrinsic(transaction.clone());
		match result {
			Ok(_) => TransactionOutcome::Commit(result),
			Err(_) => TransactionOutcome::Rollback(result),
		}
	})
}
