//! What a chunk may cost. Pure arithmetic on units, prices and fees; amounts are in the token's
//! smallest unit.
//!
//! A search of a chunk is paid for `min(shares, max_paid_shares)` shares of `D` units each. It is
//! followed by audits at a fixed pay: one unit for each share that can be claimed and for each
//! nonce of the drawn sub-range. Where a first search can be *thin* (fewer than `min_full_shares`),
//! a second one may follow, so both are locked.
//!
//! A chunk of a program is paid for its units, and so is each audit of it, which runs it again.
//!
//! As many *rounds* of audits are locked as a chunk can be paid for. Auditors are paid when the
//! result is accepted, so one that is found wrong after that has used up a round.

use crate::{spec::TaskSpec, types::MAX_FETCH_FEES};
use tequio_primitives::{
	recompute::RecomputeSpec, rewards::FeeTerms, search::ChunkRange, tasks::Delivered, Balance,
	ChunkIndex,
};

/// What the prices of a task follow from, besides the work. Fixed when it is submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tariff {
	/// Pay per unit.
	pub price: Balance,
	/// The protocol fee.
	pub fee: FeeTerms,
	/// Auditors that one result may have to pay at most.
	pub most_audits: u8,
	/// Pay of who tried in vain to fetch the input.
	pub fetch_fee: Balance,
}

impl Tariff {
	fn with_fee(&self, amount: Balance) -> Option<Balance> {
		amount.checked_add(self.fee.on(amount))
	}
}

/// The most that one chunk may cost, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkBudget {
	/// V_max: the cap of the pay for one result.
	pub payment: Balance,
	/// Pay of one auditor.
	pub audit_pay: Balance,
	/// A result at its cap, with the fee.
	work: Balance,
	/// All audits of one result, with their fees.
	audits: Balance,
	/// A first search that is thin, with the fee; `None` where none can be thin.
	thin: Option<Balance>,
}

impl ChunkBudget {
	/// What has to be locked for the chunk; `None` where it has no place in 128 bits.
	pub fn total(&self) -> Option<Balance> {
		self.reserve(false, 0)
	}

	/// Rounds of audits that are locked for.
	pub fn rounds(&self) -> u8 {
		1 + u8::from(self.thin.is_some())
	}

	/// What may still be spent on a chunk: `again` after a thin search was paid, and after so many
	/// rounds of audits were.
	pub fn reserve(&self, again: bool, audited: u8) -> Option<Balance> {
		let left = self.rounds().saturating_sub(audited);
		let sum = self.audits.checked_mul(left.into())?.checked_add(self.work)?;
		match self.thin {
			Some(thin) if !again => sum.checked_add(thin),
			_ => Some(sum),
		}
	}
}

/// The budget of a chunk; `None` where it has no place in 128 bits.
pub fn chunk_budget(spec: &TaskSpec, index: ChunkIndex, tariff: &Tariff) -> Option<ChunkBudget> {
	let budget = match spec {
		TaskSpec::RandomXSearch(spec) => search_budget(&spec.range(index), tariff),
		TaskSpec::Recompute(spec) => program_budget(spec, tariff),
	}?;
	budget.total().map(|_| budget)
}

fn search_budget(range: &ChunkRange, tariff: &Tariff) -> Option<ChunkBudget> {
	let per_share = Balance::from(range.share_difficulty).checked_mul(tariff.price)?;
	let pay_for = |shares: u32| per_share.checked_mul(shares.into());
	let payment = pay_for(range.max_paid_shares())?;
	let audit_pay = Balance::from(search_audit_units(range)).checked_mul(tariff.price)?;
	let thin = match range.min_full_shares().checked_sub(1) {
		Some(shares) => Some(tariff.with_fee(pay_for(shares)?)?),
		None => None,
	};
	budget(payment, audit_pay, thin, tariff)
}

fn program_budget(spec: &RecomputeSpec, tariff: &Tariff) -> Option<ChunkBudget> {
	let payment = Balance::from(spec.units).checked_mul(tariff.price)?;
	budget(payment, payment, None, tariff)
}

fn budget(
	payment: Balance,
	audit_pay: Balance,
	thin: Option<Balance>,
	tariff: &Tariff,
) -> Option<ChunkBudget> {
	let audits = tariff.with_fee(audit_pay)?.checked_mul(tariff.most_audits.into())?;
	Some(ChunkBudget { payment, audit_pay, work: tariff.with_fee(payment)?, audits, thin })
}

/// What has to be locked for the chunks of a task from `first` on. All but the last are alike.
pub fn cost_from(spec: &TaskSpec, first: ChunkIndex, tariff: &Tariff) -> Option<Balance> {
	let last = spec.chunks().saturating_sub(1);
	let Some(full) = last.checked_sub(first) else { return Some(0) };
	let cost = |index| chunk_budget(spec, index, tariff)?.total();
	cost(first)?.checked_mul(Balance::from(full))?.checked_add(cost(last)?)
}

/// What has to be locked for those who would find the input bad.
pub fn fetch_cost(tariff: &Tariff) -> Option<Balance> {
	tariff.with_fee(tariff.fetch_fee)?.checked_mul(MAX_FETCH_FEES.into())
}

/// What a task has to lock: its chunks, the bonus with its fee, and the fetch fees with theirs.
pub fn task_cost(spec: &TaskSpec, bonus: Balance, tariff: &Tariff) -> Option<Balance> {
	cost_from(spec, 0, tariff)?
		.checked_add(tariff.with_fee(bonus)?)?
		.checked_add(fetch_cost(tariff)?)
}

/// What a result earns: units, and pay. Saturates only beyond what [`chunk_budget`] accepted.
pub fn earned(
	spec: &TaskSpec,
	index: ChunkIndex,
	delivered: &Delivered,
	price: Balance,
) -> (u64, Balance) {
	let units = match (spec, delivered) {
		(TaskSpec::RandomXSearch(spec), Delivered::Shares(shares)) => {
			let range = spec.range(index);
			let shares = (*shares).min(range.max_paid_shares());
			u64::from(shares).saturating_mul(range.share_difficulty.into())
		},
		(TaskSpec::Recompute(spec), Delivered::Whole(_)) => spec.units.into(),
		// Nothing that the class counts.
		(TaskSpec::RandomXSearch(_), Delivered::Whole(_))
		| (TaskSpec::Recompute(_), Delivered::Shares(_)) => 0,
	};
	(units, Balance::from(units).saturating_mul(price))
}

/// Whether a search found so few shares that the range is searched again.
pub fn is_thin(spec: &TaskSpec, index: ChunkIndex, delivered: &Delivered) -> bool {
	match (spec, delivered) {
		(TaskSpec::RandomXSearch(spec), Delivered::Shares(shares)) => {
			*shares < spec.range(index).min_full_shares()
		},
		_ => false,
	}
}

/// Units that one auditor is paid for: hashes of the claim at its largest and of the sub-range, or
/// all of a program's chunk.
pub fn audit_units(spec: &TaskSpec, index: ChunkIndex) -> u64 {
	match spec {
		TaskSpec::RandomXSearch(spec) => search_audit_units(&spec.range(index)),
		TaskSpec::Recompute(spec) => spec.units.into(),
	}
}

fn search_audit_units(range: &ChunkRange) -> u64 {
	u64::from(range.max_paid_shares()).saturating_add(u64::from(range.audited_count()))
}
