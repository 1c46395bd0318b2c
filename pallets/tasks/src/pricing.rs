//! What a chunk may cost. Pure arithmetic on units, prices and fees; amounts are in the token's
//! smallest unit.
//!
//! A search of a chunk is paid for `min(shares, max_paid_shares)` shares of `D` units each. It is
//! followed by two audits at a fixed pay: one unit for each share that can be claimed and for each
//! nonce of the drawn sub-range. Where a first search can be *thin* (fewer than `min_full_shares`),
//! a second one may follow, so both are locked.

use crate::types::TaskSpec;
use tequio_primitives::{
	search::{ChunkRange, AUDITORS},
	Balance, ChunkIndex,
};

/// The most that one chunk may cost, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkBudget {
	/// V_max: the cap of the pay for one search.
	pub payment: Balance,
	/// Pay of one auditor.
	pub audit_pay: Balance,
	/// A search at its cap, with the fee.
	search: Balance,
	/// All audits of one search, with their fees.
	audits: Balance,
	/// A first search that is thin, with the fee; `None` where none can be thin.
	thin: Option<Balance>,
}

impl ChunkBudget {
	/// What has to be locked for the chunk; `None` where it has no place in 128 bits.
	pub fn total(&self) -> Option<Balance> {
		self.reserve(false, false)
	}

	/// What may still be spent on a chunk: `again` after a thin search was paid, `audited` after
	/// the auditors of the present search were.
	pub fn reserve(&self, again: bool, audited: bool) -> Option<Balance> {
		let present = if audited { 0 } else { self.audits };
		let sum = self.search.checked_add(present)?;
		match self.thin {
			Some(thin) if !again => sum.checked_add(thin)?.checked_add(self.audits),
			_ => Some(sum),
		}
	}
}

/// The budget of a chunk; `None` where it has no place in 128 bits.
pub fn chunk_budget(
	range: &ChunkRange,
	price: Balance,
	fee_on: impl Fn(Balance) -> Balance,
) -> Option<ChunkBudget> {
	let with_fee = |amount: Balance| amount.checked_add(fee_on(amount));
	let per_share = Balance::from(range.share_difficulty).checked_mul(price)?;
	let pay_for = |shares: u32| per_share.checked_mul(Balance::from(shares));

	let payment = pay_for(range.max_paid_shares())?;
	let audit_pay = Balance::from(audit_units(range)).checked_mul(price)?;
	let thin = match range.min_full_shares().checked_sub(1) {
		Some(shares) => Some(with_fee(pay_for(shares)?)?),
		None => None,
	};
	let budget = ChunkBudget {
		payment,
		audit_pay,
		search: with_fee(payment)?,
		audits: with_fee(audit_pay)?.checked_mul(Balance::from(AUDITORS))?,
		thin,
	};
	budget.total().map(|_| budget)
}

/// What has to be locked for the chunks of a task from `first` on. All but the last are alike.
pub fn cost_from(
	spec: &TaskSpec,
	first: ChunkIndex,
	price: Balance,
	fee_on: impl Fn(Balance) -> Balance,
) -> Option<Balance> {
	let last = spec.chunks().saturating_sub(1);
	let Some(full) = last.checked_sub(first) else { return Some(0) };
	let cost = |index| chunk_budget(&spec.range(index), price, &fee_on)?.total();
	cost(first)?.checked_mul(Balance::from(full))?.checked_add(cost(last)?)
}

/// What a task has to lock: its chunks, and the bonus with its fee.
pub fn task_cost(
	spec: &TaskSpec,
	price: Balance,
	bonus: Balance,
	fee_on: impl Fn(Balance) -> Balance,
) -> Option<Balance> {
	let chunks = cost_from(spec, 0, price, &fee_on)?;
	chunks.checked_add(bonus)?.checked_add(fee_on(bonus))
}

/// What a search earns: units, and pay. Saturates only beyond what [`chunk_budget`] accepted.
pub fn earned(range: &ChunkRange, shares: u32, price: Balance) -> (u64, Balance) {
	let shares = shares.min(range.max_paid_shares());
	let units = u64::from(shares).saturating_mul(u64::from(range.share_difficulty));
	(units, Balance::from(units).saturating_mul(price))
}

/// Whether a search found so few shares that the range is searched again.
pub fn is_thin(range: &ChunkRange, shares: u32) -> bool {
	shares < range.min_full_shares()
}

/// Units that one auditor is paid for: hashes of the claim at its largest and of the sub-range.
pub fn audit_units(range: &ChunkRange) -> u64 {
	u64::from(range.max_paid_shares()).saturating_add(u64::from(range.audited_count()))
}
